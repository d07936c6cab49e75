from datetime import timedelta

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestSuspectsInSteps(PontoCase):
    """A payment that Ponto lists again under another id, in a list that takes several runs."""

    def setUp(self):
        super().setUp()
        self.simulator.set_page_size(2)
        self.account = self.link()

    def fill(self, *days):
        """Let the account have one payment of 1, 2, 3 ... on each of these days, all of them in the books."""
        for amount, day in enumerate(days, 1):
            self.simulator.add_transaction(self.online, amount, day)
        self.account._synchronize()
        self.patch(budget, 'PAGES', 2)

    def list_again(self, amount, **changes):
        """Let Ponto list the payment of this amount under another id, on top of its list."""
        row = next(row for row in self.online.transactions if row.amount == amount)
        attributes = {name: value for name, value in row.attributes.items() if name not in ('createdAt', 'updatedAt')}
        self.simulator.remove_transaction(row.id)
        return self.simulator.add_transaction(
            self.online, amount, row.attributes['executionDate'], extra={**attributes, **changes}
        )

    def click(self):
        self.account._synchronize(limit=budget.ROWS, at_most=budget.PAGES)

    def held(self):
        return self.account.transaction_ids.filtered(lambda row: row.state == 'held')

    def amounts(self):
        return sorted(self.lines(self.account).mapped('amount'))

    def check_held(self, amount, ponto_id):
        """Check that the payment is in the books once, and that its other id waits beside the line."""
        line = self.lines(self.account).filtered(lambda line: line.amount == amount)
        self.assertEqual(len(line), 1)
        self.assertRecordValues(
            self.held(), [{'ponto_id': ponto_id, 'hold_reason': 'duplicate', 'suspect_line_id': line.id}]
        )

    def test_the_scheduled_run_holds_it_and_reads_the_list_until_it_knows(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(20)
        self.run_cron()
        self.check_held(20, again.id)
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').mapped('amount'), [20])
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').replacement_ids.ponto_id, again.id)
        self.assertFalse(self.account.transaction_ids.filtered('is_doubtful'))

    def test_a_click_holds_it_before_the_whole_list_has_been_read(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(20)
        self.click()
        self.check_held(20, again.id)
        self.assertTrue(self.account.resume_after)
        for _click in range(12):
            self.click()
            self.check_held(20, again.id)
        self.assertTrue(self.account.last_full_read_at)

    def test_it_is_held_where_the_first_step_ends_within_the_lookback_window(self):
        today = fields.Date.today()
        self.fill(*[today - timedelta(days=day) for day in range(21, 1, -1)])
        again = self.list_again(20)
        self.click()
        self.assertTrue(self.account.resume_after)
        self.check_held(20, again.id)
        self.run_cron()
        self.check_held(20, again.id)
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').mapped('amount'), [20])

    def test_it_is_held_where_a_later_step_would_have_listed_the_known_one(self):
        today = fields.Date.today()
        self.fill(*[today - timedelta(days=day) for day in range(21, 1, -1)])
        again = self.list_again(8)
        self.click()
        self.check_held(8, again.id)
        self.run_cron()
        self.check_held(8, again.id)
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').mapped('amount'), [8])

    def test_it_is_held_where_the_known_one_lies_below_all_that_a_run_reads(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(3)
        for name in ('ir_cron_synchronize', 'ir_cron_book'):
            self.run_cron(name)
            self.check_held(3, again.id)
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').mapped('amount'), [3])

    def test_another_payment_of_the_same_amount_is_booked_once_the_known_one_has_been_listed(self):
        today = fields.Date.today()
        self.fill(*[today - timedelta(days=day) for day in range(21, 1, -1)])
        new = self.simulator.add_transaction(self.online, 8, today - timedelta(days=13))
        self.click()
        self.check_held(8, new.id)
        self.run_cron()
        self.assertFalse(self.held())
        self.assertEqual(self.amounts(), sorted([*range(1, 21), 8]))
        # The account has been read to the end of the window, and no further.
        self.assertEqual(self.account.sweep_number, 0)

    def test_of_two_that_are_not_booked_yet_the_one_that_is_listed_is_booked(self):
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(20)
        self.company.fiscalyear_lock_date = False
        self.click()
        self.assertEqual(self.amounts(), list(range(1, 21)))
        self.assertEqual(self.held().mapped('hold_reason'), ['missing'])
        self.assertEqual(self.account.transaction_ids.filtered(lambda row: row.ponto_id == again.id).state, 'booked')

    def test_a_line_that_both_ids_seem_to_repeat_holds_the_one_that_is_listed(self):
        line = self.env['account.bank.statement.line'].create(
            {'journal_id': self.account.journal_id.id, 'date': '2026-03-20', 'amount': 20, 'payment_ref': "File"}
        )
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(20)
        self.click()
        self.assertEqual(self.amounts(), list(range(1, 21)))
        self.assertEqual(self.held().filtered('suspect_line_id').ponto_id, again.id)
        self.assertEqual(self.held().suspect_line_id, line)

    def test_somebody_may_say_that_it_is_the_same_before_the_whole_list_has_been_read(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        again = self.list_again(20, remittanceInformation="More text")
        self.click()
        self.held().action_same_as_suspect()
        self.run_cron()
        self.assertFalse(self.held())
        self.assertEqual(self.amounts(), list(range(1, 21)))
        row = self.account.transaction_ids.filtered(lambda row: row.amount == 20)
        self.assertEqual((row.ponto_id, row.statement_line_id.payment_ref), (again.id, "More text"))

    def test_what_somebody_removed_stays_removed_under_another_id(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        self.lines(self.account).filtered(lambda line: line.amount == 20).unlink()
        again = self.list_again(20)
        self.click()
        self.assertEqual(self.amounts(), list(range(1, 20)))
        self.assertEqual((self.held().ponto_id, self.held().earlier_id.amount), (again.id, 20))

    def test_the_list_is_read_to_its_end_without_automatic_synchronization_as_well(self):
        self.fill(*[f'2026-03-{day:02}' for day in range(1, 21)])
        self.list_again(20)
        self.account.link_id.auto_synchronize = False
        self.click()
        self.run_cron()
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').mapped('amount'), [20])

    def test_what_vanished_within_the_lookback_window_is_noticed_in_whichever_step(self):
        today = fields.Date.today()
        self.fill(*[today - timedelta(days=day) for day in range(21, 1, -1)])
        for amount in (19, 8):
            self.simulator.remove_transaction(next(row.id for row in self.online.transactions if row.amount == amount))
            # A sweep in steps is followed by another one.
            for _run in range(2):
                self.run_cron()
            self.assertIn(amount, self.account.transaction_ids.filtered('missing_since').mapped('amount'))
