"""The browser's own unit tests of the addon, static/tests/*.test.js."""

from odoo.tests import HttpCase, no_retry, tagged


def suite_id(name):
    """Return the id under which the browser knows a suite of tests (as `web`'s own `test_js` computes it)."""
    value = 0
    for char in name:
        value = ((value << 5) - value + ord(char)) & 0xFFFFFFFF
    return f'{value:08x}'


@tagged('post_install', '-at_install')
class TestJs(HttpCase):
    @no_retry
    def test_the_unit_tests_of_the_screens_pass(self):
        url = f'/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite_id("@account_online_ponto")}'
        self.browser_js(
            url,
            '',
            '',
            login='admin',
            timeout=300,
            success_signal='[HOOT] Test suite succeeded',
            error_checker=lambda message: '[HOOT]' not in message,
        )
