from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.addons.account_online_ponto.models.moments import due_domain, is_over, noted, over_domain
from odoo.tests import tagged

from .common import PontoCase
from .simulator import ACCOUNT_DETAILS

YEARS = timedelta(days=4 * 365)


@tagged('post_install', '-at_install')
class TestClock(PontoCase):
    """What a server has noted while its clock was wrong is not believed once the clock is right again."""

    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=36500)
        self.simulator.add_transaction(self.online, 1, '2026-03-02')

    def test_a_feed_is_read_again_at_once_after_a_run_whose_clock_was_years_ahead(self):
        account = self.link()
        with freeze_time(fields.Datetime.now() + YEARS):
            self.run_cron()
        self.assertGreater(account.next_read_at, fields.Datetime.now() + YEARS)
        # Back-dated, so that only the lookback window, or the whole list, comes past it.
        self.simulator.add_transaction(self.online, 5, fields.Date.today().isoformat())
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(sorted(self.lines(account).mapped('amount')), [1, 5])
        self.assertLess(account.next_read_at, fields.Datetime.now() + timedelta(days=1))
        self.assertLessEqual(account.last_read_at, fields.Datetime.now())
        self.assertEqual(account._last_run().new_count, 1)

    def test_the_whole_list_is_read_again_after_a_sweep_that_was_noted_years_ahead(self):
        account = self.link()
        account._synchronize()
        account.last_full_read_at = fields.Datetime.now() + YEARS
        self.assertTrue(account._is_full_read_due())

    def test_the_whole_list_is_read_again_after_a_week(self):
        account = self.link()
        account._synchronize()
        for days, is_due in ((6, False), (7, True)):
            account.last_full_read_at = fields.Datetime.now() - timedelta(days=days)
            self.assertEqual(bool(account._is_full_read_due()), is_due)

    def test_a_silence_is_seen_whatever_a_wrong_clock_has_noted(self):
        account = self.link()
        account._synchronize()
        self.env.flush_all()
        self.env.cr.execute("UPDATE ponto_account SET create_date = create_date - interval '3 days'")
        self.env.invalidate_all()
        self.assertFalse(account.health_message)
        account.last_read_at = fields.Datetime.now() + YEARS
        self.assertIn("Nothing has come in", account.health_message)

    def test_a_bank_that_was_asked_years_ahead_is_not_waited_for(self):
        account = self.link()
        asked = self.simulator.create_synchronization(
            self.simulator.account(self.online), ACCOUNT_DETAILS, '81.82.83.85'
        )
        account.write({'fetch_started_at': fields.Datetime.now(), 'pending_synchronization_ids': [asked.id]})
        self.assertTrue(account._is_bank_still_asked())
        account.fetch_started_at = fields.Datetime.now() + YEARS
        self.assertFalse(account._is_bank_still_asked())

    def test_what_was_noted_a_moment_ago_by_another_server_is_believed(self):
        now = fields.Datetime.now()
        self.assertEqual(noted(now + timedelta(minutes=5)), now + timedelta(minutes=5))
        self.assertFalse(noted(now + YEARS))
        self.assertFalse(noted(False))
        self.assertFalse(is_over(now - timedelta(hours=1), timedelta(hours=2)))
        self.assertTrue(is_over(now - timedelta(hours=3), timedelta(hours=2)))
        self.assertTrue(is_over(now + YEARS, timedelta(hours=2)))

    def test_what_waits_for_a_moment_impossibly_far_ahead_is_due(self):
        account = self.link()
        now = fields.Datetime.now()
        for moment, is_due in (
            (now - timedelta(minutes=1), True),
            (now + timedelta(hours=23), False),
            (now + YEARS, True),
            (False, False),
        ):
            account.next_read_at = moment
            self.assertEqual(bool(account.filtered_domain(due_domain('next_read_at'))), is_due, moment)
            self.assertEqual(bool(account.search([*due_domain('next_read_at'), ('id', '=', account.id)])), is_due)
        account.last_read_at = now + YEARS
        self.assertTrue(account.filtered_domain(over_domain('last_read_at', timedelta(days=30))))
