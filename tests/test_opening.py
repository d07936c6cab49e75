from datetime import date
from decimal import Decimal

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase
from .simulator import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS


class OpeningCase(PontoCase):
    def setUp(self):
        super().setUp()
        self.old = self.simulator.add_transaction(self.online, 1000, '2026-02-01')
        self.simulator.add_transaction(self.online, -30, '2026-03-02')

    def with_opening_line(self):
        """Return an account that begins on 1 March with an opening line, which is 1000 if nobody has added rows."""
        account = self.link(start_date='2026-03-01')
        account._read_transactions()
        account._book_opening_line()
        account._synchronize()
        return account

    def row(self, account, amount):
        return account.transaction_ids.filtered(lambda row: row.amount == amount).with_user(self.accountant)

    def books(self, account):
        self.env.invalidate_all()
        return [(line.date.isoformat(), line.amount) for line in self.lines(account)]

    def codes(self, account):
        self.env.invalidate_all()
        return [reason.code for reason in account._difference_reasons()]

    def fetch_older(self, account, first):
        self.env['ponto.backfill'].with_user(self.accountant).create(
            {'account_ids': account.ids, 'date_from': first}
        ).action_fetch()


@tagged('post_install', '-at_install')
class TestOpening(OpeningCase):
    def lines_of(self, journal):
        return (
            self.env['account.bank.statement.line'].search([('journal_id', '=', journal.id)]).sorted('internal_index')
        )

    def open_wizard(self, account):
        action = account.with_user(self.accountant).action_add_opening_line()
        return self.env['ponto.connect'].with_user(self.accountant).browse(action['res_id'])

    def skipped(self, account):
        return account.transaction_ids.filtered(lambda row: row.state == 'skipped')

    def test_an_opening_line_makes_an_empty_journal_equal_to_the_bank(self):
        account = self.link(start_date='2026-03-01')
        account._read_transactions()
        line = account._book_opening_line()
        account._synchronize()
        self.assertRecordValues(line, [{'amount': 1000, 'date': date(2026, 3, 1)}])
        self.assertEqual(self.lines(account).mapped('amount'), [1000, -30])
        self.assertEqual(account.balance_difference, 0)

    def test_a_journal_with_entries_from_elsewhere_gets_no_opening_line(self):
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.assertTrue(account.lacks_opening_line)
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-01', 'amount': 1, 'payment_ref': "By hand"}
        )
        self.env.invalidate_all()
        self.assertFalse(account.lacks_opening_line)
        self.assertFalse(account._book_opening_line())

    def test_an_opening_line_holds_what_came_between_an_older_balance_and_the_start_date(self):
        self.simulator.add_transaction(self.online, 50, '2026-03-03')
        account = self.link(start_date='2026-03-05')
        account._read_transactions()
        account.write({'current_balance': 1000, 'balance_date': '2026-02-15 11:00:00'})
        self.assertEqual(account._prepare_opening_line_vals()['amount'], 1020)

    def test_an_opening_line_does_not_hold_what_cannot_be_read_and_may_come_in_later(self):
        row = self.simulator.add_transaction(self.online, 50, '2026-03-03')
        self.simulator.change_transaction(row.id, extra={'amount': True})
        account = self.link(start_date='2026-03-01')
        account._read_transactions()
        self.assertFalse(account._prepare_opening_line_vals())
        self.simulator.change_transaction(row.id, amount=50)
        account._request_full_read()
        account._read_transactions()
        self.assertEqual(account._prepare_opening_line_vals()['amount'], 1000)

    def test_a_move_to_another_journal_transfers_the_balance_and_makes_no_second_opening_line(self):
        account = self.with_opening_line()
        former = account.journal_id
        account.action_unlink_journal()
        account._link_to_new_journal(account._propose_start_date(self.env['account.journal']))
        self.simulator.add_transaction(self.online, 5, '2026-03-20')
        account._synchronize()
        self.assertTrue(account.lacks_opening_line)
        wizard = self.open_wizard(account)
        self.assertRecordValues(wizard.line_ids, [{'opening_amount': 970, 'opening_date': date(2026, 3, 2)}])
        self.assertIn(f"Balance transferred from {former.display_name}", wizard.line_ids.opening_label)
        wizard.action_finish()
        self.env.invalidate_all()
        self.assertEqual(self.lines(account).mapped('amount'), [970, 5])
        self.assertEqual((account.balance_difference, account._difference_reasons()), (0, []))
        self.assertEqual(sum(self.lines_of(former).mapped('amount')), 0)
        self.assertTrue(self.lines_of(former)[-1].is_reconciled)
        # A difference that comes later has its own reason, without the former journal's.
        self.lines(account)[-1].unlink()
        self.env.invalidate_all()
        self.assertEqual([reason.code for reason in account._difference_reasons()], ['removed'])

    def test_a_transfer_leaves_out_what_the_former_opening_line_holds_and_the_new_journal_books(self):
        account = self.with_opening_line()
        account.action_unlink_journal()
        account._link_to_new_journal()
        account._read('manual')
        line = account._book_opening_line()
        self.assertEqual(line.amount, -30)
        account._synchronize()
        self.env.invalidate_all()
        self.assertEqual(self.lines(account).mapped('amount'), [1000, -30])
        self.assertEqual(account.balance_difference, 0)

    def test_fetching_older_transactions_tells_that_an_opening_line_contains_them(self):
        account = self.link(start_date='2026-03-01')
        account._synchronize()

        def message():
            action = account.with_user(self.accountant).action_backfill()
            return self.env['ponto.backfill'].with_user(self.accountant).browse(action['res_id']).opening_message

        self.assertFalse(message())
        account._book_opening_line()
        self.assertIn("already contains older transactions", message())

    def test_an_opening_line_is_offered_later_as_well(self):
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        action = account.with_user(self.accountant).action_add_opening_line()
        wizard = self.env['ponto.connect'].with_user(self.accountant).browse(action['res_id'])
        self.assertRecordValues(
            wizard.line_ids, [{'opening_amount': 1000, 'opening_date': date(2026, 3, 1), 'make_opening_line': True}]
        )
        wizard.action_finish()
        self.assertEqual(self.lines(account).mapped('amount'), [1000, -30])
        self.env.invalidate_all()
        self.assertEqual(account.balance_difference, 0)
        self.assertFalse(account.lacks_opening_line)
        with self.assertRaisesRegex(UserError, "needs no opening line"):
            account.with_user(self.accountant).action_add_opening_line()

    # -------------------------------------------------------------------------
    # Not yet
    # -------------------------------------------------------------------------

    def test_no_opening_line_while_a_row_that_the_balance_may_hold_is_dated_ahead_and_one_afterwards(self):
        with freeze_time('2026-04-18 10:00'):
            self.set_pontos_clock()
            self.simulator.change_account(self.online, current_balance=Decimal(2000))
            self.simulator.add_transaction(self.online, 70, '2026-04-20')
            self.simulator.synchronize(self.online)
            account = self.link()
            account._synchronize()
            self.assertFalse(account.lacks_opening_line)
            with self.assertRaisesRegex(UserError, "dated ahead"):
                account.with_user(self.accountant).action_add_opening_line()
        with freeze_time('2026-04-20 10:00'):
            # The balance is still that of the 18th, and holds the 70 of the 20th.
            account._synchronize()
            account.invalidate_recordset()
            self.assertFalse(account.lacks_opening_line)
            self.set_pontos_clock()
            account._synchronize()
            account.invalidate_recordset()
            self.assertEqual(account._prepare_opening_line_vals()['amount'], 1030)

    def test_the_wizard_says_why_it_proposes_no_opening_line_yet(self):
        with freeze_time('2026-04-18 10:00'):
            self.set_pontos_clock()
            self.simulator.change_account(self.online, current_balance=Decimal(2000))
            self.simulator.add_transaction(self.online, 70, '2026-04-20')
            self.simulator.synchronize(self.online)
            wizard = (
                self.env['ponto.connect']
                .with_user(self.accountant)
                ._create_for(self.integration.with_user(self.accountant))
            )
            wizard._fetch_accounts()
            self.assertIn("no opening line yet", wizard.action_link_accounts()['params']['message'])

    def test_no_opening_line_while_the_list_is_older_than_the_balance_or_the_bank_refuses_it(self):
        self.simulator.advance(hours=6)
        self.simulator.synchronize(self.online)
        account = self.link(start_date='2026-03-01')
        account._read('manual')
        self.assertTrue(account.lacks_opening_line)
        self.simulator.advance(hours=6)
        self.simulator.add_bank_transaction(self.online, 4000, '2026-03-02')
        self.simulator.synchronize(self.online, ACCOUNT_DETAILS)
        account._read('manual')
        account.invalidate_recordset()
        self.assertFalse(account.lacks_opening_line)
        self.simulator.fail_synchronization(account=self.online)
        self.simulator.synchronize(self.online, ACCOUNT_TRANSACTIONS)
        account._read('manual')
        account.invalidate_recordset()
        self.assertEqual((account.lacks_opening_line, account.list_error_code), (False, 'authorizationInvalid'))
        # Whenever the list was synchronized, a refusal says that it may lack something.
        account.list_synchronized_at = account.bank_data_at
        self.assertTrue(account._is_list_behind())
        self.simulator.synchronize(self.online)
        account._read('manual')
        account.invalidate_recordset()
        self.assertEqual(account._prepare_opening_line_vals()['amount'], 1000)

    def test_no_opening_line_while_the_list_has_never_been_synchronized(self):
        online = self.simulator.add_account('BE43068999999501', institution=self.bank, balance=500)
        online.completed.pop(ACCOUNT_TRANSACTIONS)
        online.synchronized_at.pop(ACCOUNT_TRANSACTIONS)
        account = self.link(online)
        account._synchronize()
        self.assertFalse(account.lacks_opening_line)
        self.simulator.synchronize(online, ACCOUNT_TRANSACTIONS)
        account._synchronize()
        account.invalidate_recordset()
        self.assertTrue(account.lacks_opening_line)

    def test_answers_that_tell_nothing_of_their_synchronization_go_on_working(self):
        self.online.completed.clear()
        self.online.synchronized_at.clear()
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.assertEqual(account._prepare_opening_line_vals()['amount'], 1000)

    def test_what_waits_in_another_currency_may_be_in_the_balance(self):
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.assertFalse(account.lacks_opening_line)

    def test_what_is_set_aside_in_another_currency_may_be_in_the_balance_as_well(self):
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        account.transaction_ids.filtered(lambda row: row.state == 'held')._set_aside("Entered elsewhere")
        self.env.invalidate_all()
        self.assertFalse(account.lacks_opening_line)

    def test_what_was_removed_by_hand_does_not_return_in_the_opening_line(self):
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.lines(account).unlink()
        account._note_differences()
        self.env.invalidate_all()
        self.assertEqual(account._prepare_opening_line_vals()['amount'], 1000)

    # -------------------------------------------------------------------------
    # It keeps itself right
    # -------------------------------------------------------------------------

    def test_importing_skipped_rows_lowers_an_open_opening_line_in_the_same_step(self):
        account = self.with_opening_line()
        self.skipped(account).with_user(self.accountant).action_import_skipped()
        self.env.invalidate_all()
        self.assertEqual(self.lines(account).mapped('amount'), [0, 1000, -30])
        self.assertEqual((account.balance_difference, account._opening_problem()), (0, None))
        # Once only.
        self.lines(account)[1].unlink()
        account.transaction_ids.filtered(lambda row: row.state == 'removed').action_import_again()
        self.assertEqual(self.lines(account).mapped('amount'), [0, 1000, -30])

    def test_fetching_older_transactions_lowers_an_open_opening_line_in_the_same_step(self):
        self.simulator.insert_transaction(self.online, 200, '2026-01-15', below=1)
        account = self.with_opening_line()
        wizard = (
            self.env['ponto.backfill']
            .with_user(self.accountant)
            .create({'account_ids': account.ids, 'date_from': date(2026, 1, 1)})
        )
        wizard.action_fetch()
        self.env.invalidate_all()
        self.assertEqual(self.lines(account).mapped('amount'), [0, 200, 1000, -30])
        self.assertEqual(account.balance_difference, 0)

    def test_an_opening_line_that_is_closed_is_left_alone_and_it_is_told_by_how_much_it_must_change(self):
        account = self.with_opening_line()
        line = account._opening_line()
        self.reconcile(line)
        self.skipped(account).action_import_skipped()
        self.assertEqual((line.amount, line.ponto_opening_excess), (1000, 1000))
        sentence = account._opening_problem().sentence
        self.assertRegex(sentence, r"from 1,000.00.€ to 0.00.€")
        self.assertEqual(account.action_remedy('show_opening_line')['res_id'], line.move_id.id)
        line.action_undo_reconciliation()
        line.amount = 0
        self.assertFalse(account._opening_problem())

    def test_an_opening_line_in_a_closed_period_is_lowered_by_nobody(self):
        account = self.with_opening_line()
        line = account._opening_line()
        self.company.fiscalyear_lock_date = False
        self.reconcile(line)
        self.reconcile(self.lines(account) - line)
        self.company.fiscalyear_lock_date = date(2026, 3, 31)
        line._lower_opening(self.lines(account) - line)
        self.assertEqual((line.amount, line.ponto_opening_excess), (1000, -30))

    def test_rows_older_than_the_line_stay_out_unless_asked_for(self):
        account = self.link()
        self.simulator.change_account(self.online, current_balance=Decimal(1470))
        account._read('manual')
        line = account._book_opening_line()
        self.assertEqual((line.amount, line.date), (500, date(2026, 2, 1)))
        account._synchronize()
        self.simulator.insert_transaction(self.online, 300, '2026-01-20', below=2)
        self.simulator.change_account(self.online, current_balance=Decimal(1470))
        account._request_full_read()
        account._synchronize()
        row = account.transaction_ids.filtered(lambda row: row.amount == 300)
        self.assertEqual((row.state, account.balance_difference), ('held', 0))
        row.action_is_in_opening()
        account._synchronize()
        self.assertEqual((self.skipped(account), account.balance_difference), (row, 0))

    # -------------------------------------------------------------------------
    # Linked again
    # -------------------------------------------------------------------------

    def test_an_account_whose_rows_are_known_is_never_offered_an_opening_line(self):
        account = self.link()
        account._synchronize()
        account.action_unlink_journal()
        journal = account._propose_journal()
        self.simulator.add_transaction(self.online, 500, '2026-03-02')
        account._link_to_journal(journal, date(2026, 3, 3))
        account._synchronize()
        self.assertFalse(account.lacks_opening_line)
        self.assertEqual([reason.code for reason in account._difference_reasons()], ['skipped'])
