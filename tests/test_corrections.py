from datetime import date

from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCorrections(PontoCase):
    def setUp(self):
        super().setUp()
        self.row = self.simulator.add_transaction(
            self.online, 100, '2026-03-02', remittance_information="First text", counterpart_name="Smit"
        )
        self.account = self.link()
        self.account._synchronize()
        self.line = self.lines(self.account)

    def reconcile(self):
        """Move the line's counterpart from the suspense account to an income account, as reconciling does."""
        _liquidity, suspense, _other = self.line._seek_for_lines()
        income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1
        )
        self.line.with_context(skip_readonly_check=True).write(
            {'line_ids': [Command.update(suspense.id, {'account_id': income.id})]}
        )
        self.assertTrue(self.line.is_reconciled)

    def test_a_change_at_the_bank_reaches_an_open_line(self):
        self.simulator.change_transaction(
            self.row.id,
            amount=120,
            execution_date='2026-04-03',
            remittance_information="Second text",
            counterpart_name="Smit BV",
        )
        run = self.account._synchronize()
        self.assertEqual(run.changed_count, 1)
        self.assertRecordValues(
            self.line,
            [{'amount': 120, 'date': date(2026, 4, 3), 'payment_ref': "Second text", 'partner_name': "Smit BV"}],
        )
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

    def test_who_is_responsible_for_the_bank_hears_what_changed_in_their_language(self):
        self.env['res.lang']._activate_lang('fr_BE')
        self.reconcile()
        gone = new_test_user(self.env, 'ponto_gone', groups='account.group_account_manager')
        gone.active = False
        responsible = new_test_user(
            self.env,
            'ponto_responsible',
            groups='account.group_account_manager',
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
            lang='fr_BE',
        )
        for user, amount in ((responsible, 120), (gone, 130)):
            self.account.link_id.user_id = user
            self.simulator.change_transaction(self.row.id, amount=amount)
            self.account._synchronize()
        first, second = self.line.move_id.activity_ids.sorted('id')
        self.assertEqual(first.user_id, responsible)
        self.assertIn("La banque", first.note)
        self.assertTrue(second.user_id.active)
        self.assertIn(self.company, second.user_id.company_ids)

    def test_a_line_in_a_closed_period_is_not_touched(self):
        self.reconcile()
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.change_transaction(self.row.id, execution_date='2026-04-01')
        self.account._synchronize()
        self.assertEqual(self.line.date, date(2026, 3, 2))
        self.assertTrue(self.line.move_id.activity_ids)

    def test_another_choice_of_date_moves_no_line_when_the_bank_changes_something_else(self):
        self.simulator.change_transaction(self.row.id, value_date='2026-03-09')
        self.account._synchronize()
        self.account.date_basis = 'value'
        self.simulator.change_transaction(self.row.id, remittance_information="Second text")
        self.account._synchronize()
        self.assertRecordValues(self.line, [{'date': date(2026, 3, 2), 'payment_ref': "Second text"}])

    def test_another_choice_of_date_keeps_no_changed_amount_out_of_the_line(self):
        self.simulator.change_transaction(self.row.id, value_date='2026-03-09')
        self.account._synchronize()
        self.account.date_basis = 'value'
        self.simulator.change_transaction(self.row.id, amount=120)
        self.account._synchronize()
        self.assertRecordValues(self.line, [{'date': date(2026, 3, 2), 'amount': 120}])
        self.assertFalse(self.line.move_id.activity_ids)

    def test_a_new_time_of_update_alone_changes_nothing(self):
        self.simulator.change_transaction(self.row.id)
        self.assertEqual(self.account._synchronize().changed_count, 0)

    def test_a_row_that_ponto_no_longer_lists_stays_in_the_books_and_is_noted(self):
        self.simulator.remove_transaction(self.row.id)
        self.account._request_full_read()
        self.account._synchronize()
        self.assertTrue(self.line.exists())
        self.assertTrue(self.account.transaction_ids.missing_since)

    def test_a_line_that_goes_with_its_journal_entry_does_not_come_back(self):
        self.line.move_id.with_context(force_delete=True).unlink()
        self.account._synchronize()
        self.assertFalse(self.lines(self.account))
        self.assertEqual(self.account.transaction_ids.state, 'removed')

    def test_a_line_that_is_partly_reconciled_is_not_touched(self):
        _liquidity, suspense, _other = self.line._seek_for_lines()
        income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1
        )
        self.line.move_id.with_context(skip_readonly_check=True).write(
            {
                'line_ids': [
                    Command.update(suspense.id, {'balance': -60}),
                    Command.create({'account_id': income.id, 'balance': -40, 'name': "Part"}),
                ]
            }
        )
        self.assertFalse(self.line.is_reconciled)
        items = self.line.line_ids
        self.simulator.change_transaction(self.row.id, remittance_information="Second text")
        self.account._synchronize()
        self.assertEqual(self.line.line_ids, items)
        self.assertEqual(self.line.payment_ref, "First text")
        self.assertIn("Second text", self.line.move_id.activity_ids.note)

    def test_a_line_in_a_statement_is_not_touched(self):
        self.env['account.bank.statement'].create(
            {'name': "March", 'balance_start': 0, 'balance_end_real': 100, 'line_ids': [Command.set(self.line.ids)]}
        )
        self.simulator.change_transaction(self.row.id, amount=120)
        self.account._synchronize()
        self.assertEqual(self.line.amount, 100)
        self.assertTrue(self.line.move_id.activity_ids)

    def test_a_line_of_nothing_follows_the_bank(self):
        row = self.simulator.add_transaction(self.online, 0, '2026-03-05')
        self.account._synchronize()
        line = self.lines(self.account) - self.line
        self.simulator.change_transaction(row.id, amount=7)
        self.account._synchronize()
        self.assertEqual(line.amount, 7)
        self.assertFalse(line.move_id.activity_ids)

    def test_a_changed_counterpart_names_the_partner_where_there_is_none(self):
        smit = self.env['res.partner'].create(
            {'name': "Bakkerij", 'bank_ids': [Command.create({'acc_number': 'BE71096123456769'})]}
        )
        self.simulator.change_transaction(self.row.id, counterpart_reference='BE71 0961 2345 6769')
        self.account._synchronize()
        self.assertEqual(self.line.partner_id, smit)
        jansen = self.env['res.partner'].create({'name': "Jansen"})
        self.line.partner_id = jansen
        self.simulator.change_transaction(self.row.id, counterpart_name="Smit BV")
        self.account._synchronize()
        self.assertEqual(self.line.partner_id, jansen)

    def test_a_line_moves_to_its_place_in_another_day_and_year(self):
        for amount in (1, 2):
            self.simulator.add_transaction(self.online, amount, '2025-12-31')
        self.account._synchronize()
        self.simulator.change_transaction(self.row.id, execution_date='2025-12-31')
        self.account._synchronize()
        self.assertEqual(self.line.date, date(2025, 12, 31))
        self.assertIn('2025', self.line.move_id.name)
        self.assertEqual(self.line.state, 'posted')
        self.assertEqual(self.lines(self.account).mapped('amount'), [100, 1, 2])

    def test_another_order_at_the_bank_is_followed_without_a_new_row(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        self.simulator.add_transaction(self.online, 2, '2026-03-02')
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [100, 1, 2])
        self.simulator.reorder(self.online, key=lambda row: row.amount)
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [100, 2, 1])

    def test_a_line_protected_by_a_hash_is_not_touched(self):
        self.reconcile()
        self.account.journal_id.restrict_mode_hash_table = True
        self.line.move_id._hash_moves(force_hash=True)
        self.assertTrue(self.line.move_id.inalterable_hash)
        self.simulator.change_transaction(self.row.id, amount=120, execution_date='2026-03-04')
        self.account._synchronize()
        self.assertRecordValues(self.line, [{'amount': 100, 'date': date(2026, 3, 2)}])
        self.assertTrue(self.line.move_id.activity_ids)
