from datetime import date

from odoo import Command
from odoo.addons.account_online_ponto.models import budget
from odoo.tests import tagged

from .common import PontoCase

IBAN = 'BE71096123456769'
OTHER_IBAN = 'NL91ABNA0417164300'


@tagged('post_install', '-at_install')
class TestSuspects(PontoCase):
    def setUp(self):
        super().setUp()
        self.account = self.link()

    def enter(self, day, amount=10, **vals):
        """Return a line entered by hand or imported from a file."""
        return self.env['account.bank.statement.line'].create(
            {'journal_id': self.account.journal_id.id, 'date': day, 'amount': amount, 'payment_ref': "File", **vals}
        )

    def held(self):
        return self.account.transaction_ids.filtered(lambda row: row.state == 'held')

    def test_a_line_from_a_file_is_suspected_up_to_three_days_away(self):
        lines = [
            self.enter(day, amount)
            for day, amount in (('2026-03-07', 1), ('2026-03-13', 2), ('2026-03-06', 3), ('2026-03-14', 4))
        ]
        for amount in (1, 2, 3, 4):
            self.simulator.add_transaction(self.online, amount, '2026-03-10')
        self.account._synchronize()
        self.assertEqual(self.held().mapped('amount'), [2, 1])
        self.assertEqual(self.held().suspect_line_id, lines[0] + lines[1])

    def test_a_line_is_suspected_once_also_when_the_payments_are_booked_in_batches(self):
        self.patch(budget, 'ROWS', 1)
        self.enter('2026-03-02')
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 10, '2026-03-02')
        for _twice in range(2):
            self.account._synchronize()
            self.assertEqual(sorted(self.account.transaction_ids.mapped('state')), ['booked', 'held'])

    def test_a_list_that_is_whole_again_takes_back_what_was_missing_far_below(self):
        for number in range(1, 31):
            self.simulator.add_transaction(self.online, number, '2025-03-02')
        self.simulator.set_page_size(2)
        self.account._synchronize()
        self.account.transaction_ids.missing_since = self.account.last_read_at
        self.account._synchronize()
        self.assertFalse(self.account.transaction_ids.filtered('missing_since'))

    def test_another_counterpart_account_is_another_payment_and_an_empty_one_may_be_the_same(self):
        self.enter('2026-03-02', 1, account_number='BE71 0961 2345 6769')
        self.enter('2026-03-02', 2, account_number=OTHER_IBAN)
        self.enter('2026-03-02', 3)
        for amount in (1, 2, 3):
            self.simulator.add_transaction(self.online, amount, '2026-03-02', counterpart_reference=IBAN)
        self.account._synchronize()
        self.assertEqual(set(self.held().mapped('amount')), {1, 3})

    def test_another_structured_communication_is_another_payment(self):
        self.enter('2026-03-02', 1, payment_ref='090/9337/55493')
        self.enter('2026-03-02', 2, payment_ref='+++010/8068/17183+++')
        for amount in (1, 2):
            self.simulator.add_transaction(
                self.online, amount, '2026-03-02', remittance_information='+++090/9337/55493+++'
            )
        self.account._synchronize()
        self.assertEqual(self.held().mapped('amount'), [1])

    def test_the_payment_of_the_nearest_day_is_suspected_and_the_other_booked(self):
        self.enter('2026-03-04')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 10, '2026-03-04')
        self.account._synchronize()
        self.assertEqual(self.held().date, date(2026, 3, 4))

    def test_a_cancelled_line_is_not_suspected(self):
        line = self.enter('2026-03-02')
        line.move_id.button_draft()
        line.move_id.button_cancel()
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.assertFalse(self.held())

    def test_a_line_in_another_journal_is_not_suspected(self):
        journal = self.env['account.journal'].create({'name': "Other", 'type': 'bank', 'company_id': self.company.id})
        self.enter('2026-03-02', journal_id=journal.id)
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.assertFalse(self.held())

    def test_two_equal_payments_of_one_day_and_two_lines_are_tied_one_to_one(self):
        lines = self.enter('2026-03-02') + self.enter('2026-03-02')
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.assertEqual(self.held().suspect_line_id, lines)
        self.held().action_same_as_suspect()
        self.account._synchronize()
        self.assertFalse(self.held())
        self.assertEqual(self.lines(self.account), lines)

    def test_two_rows_said_to_be_one_line_leave_one_to_be_booked(self):
        line = self.enter('2026-03-02')
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        rows = self.account.transaction_ids
        rows.filtered(lambda row: row.state == 'booked').statement_line_id.unlink()
        rows.write({'state': 'held', 'hold_reason': 'duplicate', 'suspect_line_id': line.id})
        rows.action_same_as_suspect()
        self.account._synchronize()
        self.assertEqual(len(self.lines(self.account)), 2)
        self.assertEqual(rows.mapped('state'), ['booked'] * 2)

    def test_an_unreconciled_suspect_that_is_deleted_frees_the_transaction(self):
        line = self.enter('2026-03-02')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        line.unlink()
        self.account._synchronize()
        self.assertFalse(self.held())
        self.assertEqual(self.lines(self.account).amount, 10)

    def test_a_tied_line_stays_as_it_was_entered(self):
        partner = self.env['res.partner'].create({'name': "Mine"})
        line = self.enter('2026-03-01', partner_id=partner.id)
        self.simulator.add_transaction(self.online, 10, '2026-03-02', remittance_information="The bank's words")
        self.account._synchronize()
        self.held().action_same_as_suspect()
        self.account._synchronize()
        self.assertRecordValues(
            line, [{'date': date(2026, 3, 1), 'payment_ref': "File", 'partner_id': partner.id, 'line_source': 'ponto'}]
        )

    # The same payment under another id

    def withdraw_and_list_again(self, row, **changes):
        attributes = {name: value for name, value in row.attributes.items() if name not in ('createdAt', 'updatedAt')}
        self.simulator.remove_transaction(row.id)
        return self.simulator.add_transaction(
            self.online, row.amount, row.attributes['executionDate'], extra={**attributes, **changes}
        )

    def test_a_held_payment_that_ponto_lists_under_another_id_and_day_is_still_held(self):
        for size in (1, 200):
            with self.subTest(size), self.env.cr.savepoint() as savepoint:
                self.patch(budget, 'ROWS', size)
                self.enter('2026-03-02')
                row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
                other = self.simulator.add_transaction(self.online, 20, '2026-03-03')
                self.account._synchronize()
                again = self.withdraw_and_list_again(row, executionDate='2026-03-03T00:00:00.000Z')
                self.account._synchronize()
                self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])
                self.assertEqual(self.held().filtered('suspect_line_id').ponto_id, again.id)
                savepoint.rollback()
                self.env.invalidate_all()
                self.simulator.remove_transaction(again.id)
                self.simulator.remove_transaction(other.id)

    def test_a_payment_that_ponto_lists_under_another_id_is_held_and_not_booked_again(self):
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 20, '2026-03-03')
        self.account._synchronize()
        line = self.lines(self.account).filtered(lambda line: line.amount == 10)
        self.withdraw_and_list_again(row, remittanceInformation="More text")
        self.account._synchronize()
        self.assertRecordValues(self.held(), [{'hold_reason': 'duplicate', 'suspect_line_id': line.id}])
        self.held().action_same_as_suspect()
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])
        self.assertEqual(line.payment_ref, "More text")
        self.assertEqual(len(self.account.transaction_ids), 2)
        self.assertFalse(self.account.transaction_ids.filtered('missing_since'))
        self.assertEqual(self.account.balance_difference, 0)

    def test_a_row_that_vanished_is_noticed_without_waiting_for_the_weekly_sweep(self):
        for number in range(250):
            self.simulator.add_transaction(self.online, number, '2025-06-02')
        self.account._synchronize()
        row = self.online.transactions[10]
        self.simulator.remove_transaction(row.id)
        self.account._synchronize()
        self.assertEqual(self.account.transaction_ids.filtered('missing_since').ponto_id, row.id)
        self.assertEqual(
            self.account._explain_difference(), [("In the books, but no longer listed by Ponto", -float(row.amount))]
        )

    def test_a_row_that_vanished_is_noticed_in_a_list_that_is_read_in_steps(self):
        for number in range(450):
            self.simulator.add_transaction(self.online, number, '2025-06-02')
        self.account._synchronize()
        self.patch(budget, 'PAGES', 2)
        gone = [self.online.transactions[place].id for place in (440, 210, 10)]
        for row_id in gone:
            self.simulator.remove_transaction(row_id)
        for _run in range(8):
            self.run_cron()
        self.assertFalse(self.account.resume_after)
        self.assertEqual(set(self.account.transaction_ids.filtered('missing_since').mapped('ponto_id')), set(gone))
        read = self.account._last_run().read_count
        self.run_cron()
        self.assertEqual((read, self.account._last_run().read_count), (100, 100))

    def test_a_row_that_moves_up_past_a_step_is_not_taken_for_gone(self):
        for number in range(20):
            self.simulator.add_transaction(self.online, number, '2025-06-02')
        self.simulator.set_page_size(2)
        self.account._synchronize()
        self.account._request_full_read()
        self.account._synchronize(at_most=5)
        self.assertTrue(self.account.resume_after)
        moved = self.online.transactions[-1].id
        places = {row.id: place for place, row in enumerate(self.online.transactions)}
        self.simulator.reorder(self.online, lambda row: 4.5 if row.id == moved else places[row.id])
        runs = 0
        while (self.account.resume_after or not self.account.last_full_read_at) and runs < 20:
            self.account._synchronize(at_most=5)
            self.assertFalse(self.account.transaction_ids.filtered('missing_since'))
            runs += 1
        self.assertLess(runs, 20)
        self.assertEqual(len(self.lines(self.account)), 20)

    def test_what_ponto_withdraws_before_it_is_booked_waits_for_a_person(self):
        self.company.fiscalyear_lock_date = '2026-03-31'
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.simulator.remove_transaction(row.id)
        self.account._request_full_read()
        self.account._synchronize()
        self.company.fiscalyear_lock_date = False
        self.account._synchronize()
        self.assertRecordValues(self.account.transaction_ids, [{'state': 'held', 'hold_reason': 'missing'}])
        self.assertEqual(self.account.balance_difference, 0)
        self.assertFalse(self.account.balance_explanation)
        self.account.transaction_ids.action_import_anyway()
        self.assertEqual(self.lines(self.account).amount, 10)

    def test_a_new_account_id_and_a_new_text_at_once_import_nothing_again(self):
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 20, '2026-03-03')
        self.account._synchronize()
        self.simulator.change_transaction(row.id, remittance_information="More text")
        self.simulator.reissue_account(self.online)
        self.integration._fetch_accounts()
        self.account._synchronize()
        self.assertEqual(self.held().mapped('hold_reason'), ['duplicate'])
        self.held().action_same_as_suspect()
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])
        self.assertEqual(self.account.balance_difference, 0)

    def test_a_list_that_begins_later_after_a_new_consent_withdraws_nothing(self):
        for day in range(1, 29):
            self.simulator.add_transaction(self.online, day, f'2026-01-{day:02}')
        self.account._synchronize()
        new = self.simulator.account(self.simulator.reissue_account(self.online))
        balance = new.balance
        for row in list(new.transactions)[10:]:
            self.simulator.remove_transaction(row.id)
        self.simulator.change_account(new, current_balance=balance)
        self.integration._fetch_accounts()
        self.account._synchronize()
        self.assertEqual(len(self.lines(self.account)), 28)
        self.assertFalse(self.account._explain_difference())

    def test_tied_lines_can_be_reconciled_and_deleted_like_any_other(self):
        line = self.enter('2026-03-02')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.held().action_same_as_suspect()
        _liquidity, suspense, _other = line._seek_for_lines()
        income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1
        )
        line.with_context(skip_readonly_check=True).line_ids = [Command.update(suspense.id, {'account_id': income.id})]
        self.assertTrue(line.is_reconciled)
        line.action_undo_reconciliation()
        line.unlink()
        self.account._synchronize()
        self.assertEqual(self.account.transaction_ids.state, 'removed')

    # The same payments under other ids, in another form

    def reissue(self, *changes):
        """Let Ponto list the account and its rows, the oldest first, under new ids with these changes, and read."""
        online = self.online
        for row, change in zip(reversed(list(online.transactions)), changes, strict=True):
            self.simulator.change_transaction(row.id, **change)
        self.online = self.simulator.account(self.simulator.reissue_account(online))
        self.integration._fetch_accounts()
        self.account._synchronize()

    def test_rows_are_recognized_though_the_bank_writes_them_in_another_form(self):
        forms = [
            {'counterpart_reference': IBAN},
            {'remittance_information': "FACTUUR 1 "},
            {'remittance_information': "Factuur<br>1"},
            {'end_to_end_id': 'NOTPROVIDED'},
            {'extra': {'executionDate': '2026-03-01T23:00:00.000Z', 'valueDate': '2026-03-01T23:00:00.000Z'}},
        ]
        for amount, _form in enumerate(forms, 1):
            self.simulator.add_transaction(
                self.online,
                amount,
                '2026-03-02',
                value_date='2026-03-02',
                remittance_information="Factuur 1",
                counterpart_reference='BE71 0961 2345 6769',
            )
        self.account._synchronize()
        lines = self.lines(self.account)
        self.reissue(*forms)
        self.assertEqual(self.account.transaction_ids.mapped('state'), ['booked'] * len(forms))
        self.assertEqual(self.lines(self.account), lines)
        self.assertFalse(lines.move_id.activity_ids)
        self.assertEqual(set(lines.mapped('payment_ref')), {"Factuur 1"})

    def test_another_form_of_a_text_is_no_change_of_a_closed_line(self):
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02', remittance_information="Factuur 1")
        self.account._synchronize()
        line = self.lines(self.account)
        self.env['account.bank.statement'].create(
            {'name': "March", 'balance_start': 0, 'balance_end_real': 10, 'line_ids': [Command.set(line.ids)]}
        )
        self.simulator.change_transaction(row.id, remittance_information="FACTUUR  1")
        self.account._synchronize()
        self.assertFalse(line.move_id.activity_ids)

    def test_of_equal_amounts_of_a_day_the_one_with_the_same_words_is_suspected(self):
        for name in ("Aerts", "Bos", "Claes"):
            self.simulator.add_transaction(
                self.online, 50, '2026-03-02', counterpart_name=name, remittance_information=f"Lidgeld {name}"
            )
        self.account._synchronize()
        self.reissue(*({'remittance_information': f"{name} 2026 LIDGELD"} for name in ("Aerts", "Bos", "Claes")))
        self.assertEqual(len(self.held()), 3)
        self.assertEqual(self.held().mapped('counterpart_name'), self.held().mapped('suspect_line_id.partner_name'))

    def test_a_removed_row_is_recognized_in_another_form_and_stays_removed(self):
        for amount in (1, 2):
            self.simulator.add_transaction(
                self.online, amount, '2026-03-02', remittance_information=f"payment {amount}"
            )
        self.account._synchronize()
        self.lines(self.account).filtered(lambda line: line.amount == 2).unlink()
        self.reissue(*({'remittance_information': f"PAYMENT {amount}"} for amount in (1, 2)))
        self.assertEqual(self.lines(self.account).mapped('amount'), [1])
        self.assertEqual(self.account.transaction_ids.sorted('amount').mapped('state'), ['booked', 'removed'])

    def test_a_row_that_seems_to_be_a_removed_one_waits_and_either_stays_removed_or_comes_in(self):
        for same in (True, False):
            with self.subTest(same=same), self.env.cr.savepoint() as savepoint:
                row = self.simulator.add_transaction(self.online, 2, '2026-03-02', remittance_information="payment")
                self.account._synchronize()
                self.lines(self.account).unlink()
                self.withdraw_and_list_again(row, remittanceInformation="another text of the payment")
                self.account._request_full_read()
                self.account._synchronize()
                self.assertFalse(self.lines(self.account))
                self.assertIn("removed payment of", self.held().hold_message)
                self.held().action_same_as_suspect() if same else self.held().action_import_anyway()
                self.account._synchronize()
                self.assertEqual(self.lines(self.account).mapped('amount'), [] if same else [2])
                self.assertFalse(self.held())
                self.assertEqual(self.account.transaction_ids.mapped('state')[:1], ['removed'] if same else ['booked'])
                savepoint.rollback()
                self.env.invalidate_all()
                for left in list(self.online.transactions):
                    self.simulator.remove_transaction(left.id)
