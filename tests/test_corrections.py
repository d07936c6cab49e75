from datetime import date

from odoo import Command
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCorrections(PontoCase):

    def setUp(self):
        super().setUp()
        self.row = self.simulator.add_transaction(
            self.online, 100, '2026-03-02', remittance_information="First text", counterpart_name="Smit")
        self.account = self.link()
        self.account._synchronize()
        self.line = self.lines(self.account)

    def reconcile(self):
        """Move the line's counterpart from the suspense account to an income account, as reconciling does."""
        _liquidity, suspense, _other = self.line._seek_for_lines()
        income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1)
        self.line.with_context(skip_readonly_check=True).write({
            'line_ids': [Command.update(suspense.id, {'account_id': income.id})]})
        self.assertTrue(self.line.is_reconciled)

    def test_a_change_at_the_bank_reaches_an_open_line(self):
        self.simulator.change_transaction(
            self.row.id, amount=120, execution_date='2026-04-03', remittance_information="Second text",
            counterpart_name="Smit BV")
        run = self.account._synchronize()
        self.assertEqual(run.changed_count, 1)
        self.assertRecordValues(self.line, [{
            'amount': 120, 'date': date(2026, 4, 3), 'payment_ref': "Second text", 'partner_name': "Smit BV"}])
        self.assertFalse(self.line.move_id.activity_ids)

    def test_what_the_user_has_written_survives_a_change_of_something_else(self):
        self.line.payment_ref = "My own label"
        self.simulator.change_transaction(self.row.id, counterpart_name="Smit BV")
        self.account._synchronize()
        self.assertRecordValues(self.line, [{'payment_ref': "My own label", 'partner_name': "Smit BV"}])

    def test_a_reconciled_line_is_not_touched_and_an_activity_says_what_changed(self):
        self.reconcile()
        self.simulator.change_transaction(self.row.id, amount=120)
        self.account._synchronize()
        self.assertEqual(self.line.amount, 100)
        note = self.line.move_id.activity_ids.note
        self.assertIn('100', note)
        self.assertIn('120', note)
        self.account._synchronize()
        self.assertEqual(len(self.line.move_id.activity_ids), 1)

    def test_a_line_in_a_closed_period_is_not_touched(self):
        self.reconcile()
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.change_transaction(self.row.id, execution_date='2026-04-01')
        self.account._synchronize()
        self.assertEqual(self.line.date, date(2026, 3, 2))
        self.assertTrue(self.line.move_id.activity_ids)

    def test_a_new_time_of_update_alone_changes_nothing(self):
        self.simulator.change_transaction(self.row.id)
        self.assertEqual(self.account._synchronize().changed_count, 0)

    def test_a_row_that_ponto_no_longer_lists_stays_in_the_books_and_is_noted(self):
        self.simulator.remove_transaction(self.row.id)
        self.account.last_full_walk_at = False
        self.account._synchronize()
        self.assertTrue(self.line.exists())
        self.assertTrue(self.account.transaction_ids.missing_since)

    def test_a_line_that_goes_with_its_journal_entry_does_not_come_back(self):
        self.line.move_id.with_context(force_delete=True).unlink()
        self.account._synchronize()
        self.assertFalse(self.lines(self.account))
        self.assertEqual(self.account.transaction_ids.state, 'removed')
