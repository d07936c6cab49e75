import importlib.util
from datetime import date
from decimal import Decimal
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_opening import OpeningCase

MIGRATION = Path(__file__).resolve().parent.parent / 'migrations' / '19.0.1.1.0' / 'post-opening.py'


@tagged('post_install', '-at_install')
class TestLateRows(OpeningCase):
    """Rows that come after the opening line was made and lie before it."""

    def test_a_payment_that_is_booked_late_and_dated_back_waits_and_is_imported_beside_the_opening_line(self):
        account = self.with_opening_line()
        self.simulator.add_transaction(self.online, 60, '2026-02-20')
        account._synchronize()
        row = self.row(account, 60)
        self.assertEqual((row.state, row.hold_reason, row.can_book), ('held', 'before_opening', False))
        self.assertEqual((self.codes(account), account.balance_difference), (['held'], 60))
        row.action_import_anyway()
        self.assertEqual(self.books(account), [('2026-02-20', 60), ('2026-03-01', 1000), ('2026-03-02', -30)])
        self.assertEqual((account.balance_difference, row.in_opening), (0, 'no'))

    def test_an_older_payment_that_ponto_lists_only_now_can_be_told_to_be_in_the_opening_line(self):
        account = self.with_opening_line()
        self.simulator.insert_transaction(self.online, 200, '2026-01-15', below=2)
        self.simulator.change_account(self.online, current_balance=Decimal(970))
        account._request_full_read()
        account._synchronize()
        row = self.row(account, 200)
        self.assertEqual(row.hold_reason, 'before_opening')
        row.action_is_in_opening()
        self.assertEqual((row.state, row.hold_reason), ('skipped', False))
        self.assertEqual(self.books(account), [('2026-03-01', 1000), ('2026-03-02', -30)])
        self.assertEqual(account.balance_difference, 0)
        row.action_import_skipped()
        self.assertEqual(self.books(account), [('2026-01-15', 800), ('2026-01-15', 200), ('2026-03-02', -30)])
        self.assertEqual(account.balance_difference, 0)

    def test_what_is_booked_late_in_the_range_of_fetch_older_does_not_lower_the_opening_line(self):
        account = self.with_opening_line()
        self.fetch_older(account, date(2026, 1, 1))
        self.assertEqual(self.books(account), [('2026-02-01', 0), ('2026-02-01', 1000), ('2026-03-02', -30)])
        self.simulator.add_transaction(self.online, 60, '2026-02-20')
        account._synchronize()
        self.row(account, 60).action_import_anyway()
        self.env.invalidate_all()
        self.assertEqual((account._opening_line().amount, account.balance_difference), (0, 0))

    def test_what_was_asked_for_and_is_in_the_opening_line_comes_in_and_lowers_it(self):
        account = self.with_opening_line()
        self.simulator.insert_transaction(self.online, 200, '2026-01-15', below=2)
        self.simulator.change_account(self.online, current_balance=Decimal(970))
        self.fetch_older(account, date(2026, 1, 10))
        self.row(account, 200).action_is_in_opening()
        self.assertEqual(
            self.books(account), [('2026-01-15', -200), ('2026-01-15', 200), ('2026-02-01', 1000), ('2026-03-02', -30)]
        )
        self.assertEqual(account.balance_difference, 0)

    def test_what_ponto_lists_again_under_another_id_has_left_the_opening_line_once(self):
        account = self.with_opening_line()
        self.fetch_older(account, date(2026, 1, 1))
        booked = self.row(account, 1000)
        self.assertEqual((booked.state, booked.in_opening), ('booked', 'no'))
        line = booked.statement_line_id
        self.simulator.remove_transaction(self.old.id)
        self.simulator.add_transaction(self.online, 1000, '2026-02-01', remittance_information="Another text")
        account._request_full_read()
        account._synchronize()
        again = self.row(account, 1000).filtered(lambda row: row.state == 'held')
        again.action_is_in_opening()
        self.assertEqual((again.hold_reason, again.suspect_line_id), ('duplicate', line))
        again.action_same_as_suspect()
        self.assertRecordValues(again, [{'statement_line_id': line.id, 'in_opening': 'no', 'is_wanted': True}])
        self.assertEqual((account._opening_line().amount, self.codes(account)), (0, []))

    def test_a_late_row_in_another_currency_is_asked_about_before_its_amount_is(self):
        account = self.with_opening_line()
        self.simulator.add_transaction(self.online, 5, '2026-02-20', currency='USD')
        account._synchronize()
        row = self.row(account, 5)
        self.assertEqual(row.hold_reason, 'before_opening')
        row.action_import_anyway()
        self.assertEqual(row.hold_reason, 'currency')

    def test_a_late_row_that_moves_no_money_is_not_asked_about(self):
        account = self.with_opening_line()
        self.simulator.add_transaction(self.online, 0, '2026-02-20')
        account._synchronize()
        self.assertEqual(self.row(account, 0).state, 'skipped')

    def test_a_late_row_that_cannot_be_read_is_held_for_that(self):
        account = self.with_opening_line()
        late = self.simulator.add_transaction(self.online, 60, '2026-02-20')
        self.simulator.change_transaction(late.id, extra={'amount': True})
        account._synchronize()
        self.assertEqual(self.row(account, 0).hold_reason, 'unreadable')

    def test_without_an_opening_line_late_rows_lie_before_the_start_date_and_explain_the_difference(self):
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.simulator.add_transaction(self.online, 60, '2026-02-20')
        account._synchronize()
        self.assertEqual((self.row(account, 60).state, self.codes(account)), ('skipped', ['skipped']))


@tagged('post_install', '-at_install')
class TestRowsThatCross(OpeningCase):
    """Rows that get another day after the opening line was made, on the other side of the start date."""

    def setUp(self):
        super().setUp()
        self.early = self.simulator.add_transaction(self.online, 7, '2026-02-26', value_date=date(2026, 3, 3))
        self.late = self.simulator.add_transaction(self.online, 11, '2026-03-03', value_date=date(2026, 2, 26))
        self.account = self.link(start_date='2026-03-01')
        self.account._read_transactions()
        self.account._book_opening_line()

    def assert_books(self, *amounts):
        self.account._synchronize()
        self.assertEqual([amount for _day, amount in self.books(self.account)], list(amounts))
        self.assertEqual(self.account.balance_difference, 0)

    def test_without_another_day_the_opening_line_holds_one_and_the_other_comes_in(self):
        self.assert_books(1007, -30, 11)

    def test_another_choice_of_date_neither_doubles_nor_loses_a_payment(self):
        self.account.date_basis = 'value'
        self.assert_books(11, 1000, -30, 7)

    def test_a_day_that_the_bank_corrects_neither_doubles_nor_loses_a_payment(self):
        self.simulator.change_transaction(self.early.id, execution_date=date(2026, 3, 4))
        self.simulator.change_transaction(self.late.id, execution_date=date(2026, 2, 25))
        self.assert_books(11, 1000, -30, 7)

    def test_a_later_start_date_names_what_it_leaves_out_and_not_what_the_opening_line_holds(self):
        self.account._synchronize()
        self.simulator.add_transaction(self.online, 13, '2026-03-05')
        self.account.start_date = '2026-03-10'
        self.account._synchronize()
        self.env.invalidate_all()
        [reason] = self.account._difference_reasons()
        self.assertEqual((reason.code, reason.amount), ('skipped', 13))
        self.assertEqual(self.env[reason.model].search(list(reason.domain)), self.row(self.account, 13).sudo())


@tagged('post_install', '-at_install')
class TestLowering(OpeningCase):
    """What leaves the opening line, and where the line then stands."""

    def test_the_opening_line_moves_to_the_day_of_the_earliest_row_that_leaves_it_also_in_another_year(self):
        self.simulator.add_transaction(self.online, 500, '2025-12-20')
        account = self.with_opening_line()
        self.assertEqual(self.books(account)[0], ('2026-03-01', 1500))
        self.fetch_older(account, date(2025, 12, 1))
        self.assertEqual(
            self.books(account), [('2025-12-20', 0), ('2025-12-20', 500), ('2026-02-01', 1000), ('2026-03-02', -30)]
        )
        self.assertEqual(account._opening_line().move_id.state, 'posted')
        self.assertEqual((account.balance_difference, account._opening_problem()), (0, None))

    def test_an_opening_line_that_odoo_does_not_move_is_lowered_on_its_day(self):
        account = self.with_opening_line()
        lines = type(account._opening_line())
        write = lines.write

        refusal = UserError("No")

        def refuse_another_day(self, vals):
            if 'date' in vals:
                raise refusal
            return write(self, vals)

        self.patch(lines, 'write', refuse_another_day)
        self.fetch_older(account, date(2026, 1, 1))
        self.assertEqual(self.books(account), [('2026-02-01', 1000), ('2026-03-01', 0), ('2026-03-02', -30)])

    def test_a_row_that_is_told_to_be_a_line_by_hand_leaves_the_opening_line(self):
        account = self.with_opening_line()
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-02-01', 'amount': 1000, 'payment_ref': "By hand"}
        )
        row = self.row(account, 1000)
        row.action_import_skipped()
        self.assertEqual(row.hold_reason, 'duplicate')
        row.action_same_as_suspect()
        self.env.invalidate_all()
        self.assertEqual((account._opening_line().amount, account.balance_difference), (0, 0))

    def test_what_waits_although_it_is_in_the_opening_line_explains_no_difference(self):
        account = self.with_opening_line()
        row = self.row(account, 1000)
        self.company.fiscalyear_lock_date = date(2026, 2, 15)
        row.action_import_skipped()
        self.assertEqual(row.hold_reason, 'locked')
        self.lines(account)[-1].unlink()
        self.assertEqual(self.codes(account), ['removed'])

    def test_what_a_closed_opening_line_holds_too_much_is_told_until_all_of_it_is_gone(self):
        account = self.with_opening_line()
        line = account._opening_line()
        self.reconcile(line)
        self.row(account, 1000).action_import_skipped()
        self.assertRegex(account._opening_problem().sentence, r"from 1,000.00.€ to 0.00.€")
        line.action_undo_reconciliation()
        line.amount = 400
        self.assertRegex(account._opening_problem().sentence, r"from 400.00.€ to 0.00.€")
        self.assertEqual((line.ponto_opening_excess, line.date), (400, date(2026, 3, 1)))
        line.amount = 0
        self.env.invalidate_all()
        self.assertEqual((account.balance_difference, account._opening_problem()), (0, None))

    def test_an_opening_line_that_is_open_again_is_lowered_with_the_next_row_by_all_that_it_holds_too_much(self):
        self.simulator.add_transaction(self.online, 40, '2026-02-03')
        account = self.with_opening_line()
        line = account._opening_line()
        self.reconcile(line)
        self.row(account, 1000).action_import_skipped()
        line.action_undo_reconciliation()
        self.row(account, 40).action_import_skipped()
        self.env.invalidate_all()
        self.assertEqual((line.amount, line.ponto_opening_excess), (0, 0))
        self.assertEqual((account.balance_difference, account._opening_problem()), (0, None))


@tagged('post_install', '-at_install')
class TestUpgrade(OpeningCase):
    def migrate(self):
        spec = importlib.util.spec_from_file_location('post_opening', MIGRATION)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()

    def test_an_upgrade_notes_what_the_opening_line_holds_and_asks_about_what_came_later(self):
        account = self.with_opening_line()
        line = account._opening_line()
        self.simulator.add_transaction(self.online, 60, '2026-02-20')
        account._read('manual')
        rows = account.transaction_ids
        # As the former version has left them.
        line.ponto_opening_from = False
        rows.in_opening = False
        self.row(account, 60).sudo()._skip()
        self.env.flush_all()
        moments = {60: '2026-03-20', 1000: '2026-03-10', -30: '2026-03-10'}
        for row in rows:
            self.env.cr.execute(
                'UPDATE ponto_transaction SET create_date = %s WHERE id = %s', [moments[row.amount], row.id]
            )
        self.env.cr.execute(
            "UPDATE account_bank_statement_line SET create_date = '2026-03-10' WHERE id = %s", [line.id]
        )
        self.env.invalidate_all()
        self.migrate()
        self.assertEqual(line.ponto_opening_from, date(2026, 3, 1))
        self.assertEqual({row.amount: row.in_opening for row in rows}, {60: False, 1000: 'yes', -30: 'no'})
        account._synchronize()
        self.assertEqual(self.row(account, 60).hold_reason, 'before_opening')
