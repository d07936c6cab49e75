"""Tests that are not part of each run: pytest runs them by a marker, Odoo's own runner by a tag."""

try:
    from pytest import mark
except ImportError:
    mark = None


def by_marker(name):
    """Return a decorator after which pytest runs a class or a test with `-m name` only, if there is pytest."""
    return getattr(mark, name) if mark else lambda case: case
