"""Moments that a past run has noted, against the clock of today.

A server whose clock was wrong may have noted any moment. One that lies impossibly far ahead counts as none: what was to
follow it is due at once, and what it says of the past is not believed. All moments are naive in UTC.
"""

from datetime import timedelta

from odoo import fields
from odoo.fields import Domain

# The longest that anything is put off is the day for which Ponto may ask.
PLANNED_AHEAD = timedelta(days=2)
# The clocks of several servers differ a little.
NOTED_AHEAD = timedelta(hours=1)


def noted(moment):
    """Return `moment`, at which something has happened, or False for none and for one that cannot have been yet."""
    return moment and moment <= fields.Datetime.now() + NOTED_AHEAD and moment


def is_over(moment, duration):
    """Return whether `duration` has passed since something happened at `moment`; so it has since no moment at all."""
    return not noted(moment) or moment + duration <= fields.Datetime.now()


def due_domain(field):
    """Return the domain of the records for which the moment in `field`, until which something waits, has come."""
    now = fields.Datetime.now()
    return Domain(field, '<=', now) | Domain(field, '>', now + PLANNED_AHEAD)


def over_domain(field, duration):
    """Return the domain of the records for which `is_over` holds of the moment in `field`, which is not empty."""
    now = fields.Datetime.now()
    return Domain(field, '<=', now - duration) | Domain(field, '>', now + NOTED_AHEAD)
