import importlib.util
from pathlib import Path

from odoo import Command
from odoo.tests import tagged

from .test_review import ReviewCase

MIGRATION = Path(__file__).resolve().parent.parent / 'migrations' / '19.0.1.1.0' / 'post-rows.py'


@tagged('post_install', '-at_install')
class TestDifferent(ReviewCase):
    """Somebody says that a transaction is not the line that it seems to be: that speaks of the two, of nothing else."""

    def test_a_line_that_is_not_the_first_payment_may_be_the_next_one(self):
        line = self.enter('2026-03-02', 10)
        for day in (2, 3):
            self.simulator.add_transaction(self.online, 10, f'2026-03-{day:02}')
            self.account._synchronize()
        first, second = self.account.transaction_ids.sorted('date')
        self.assertEqual((first.state, second.state, second.hold_reason), ('held', 'booked', False))
        first.action_import_anyway()
        self.assertRecordValues(
            first + second,
            [
                {'state': 'booked', 'hold_reason': False, 'suspect_line_id': False},
                {'state': 'booked', 'hold_reason': 'repeated', 'suspect_line_id': line.id},
            ],
        )
        second.action_same_as_suspect()
        self.assertEqual(self.lines(self.account), first.statement_line_id | second.statement_line_id)

    def test_import_it_speaks_of_the_one_line_that_is_shown(self):
        lines = self.enter('2026-03-02', 10) + self.enter('2026-03-04', 10)
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        row = self.account.transaction_ids
        for line in lines:
            self.assertRecordValues(row, [{'state': 'held', 'suspect_line_id': line.id}])
            row.action_import_anyway()
        self.assertRecordValues(row, [{'state': 'booked', 'hold_reason': False}])
        self.account.journal_id.action_ponto_find_duplicates()
        self.assertFalse(row.hold_reason)
        later = self.enter('2026-03-03', 10)
        self.assertRecordValues(row, [{'hold_reason': 'repeated', 'suspect_line_id': later.id}])

    def test_a_line_that_a_row_leaves_when_it_is_settled_otherwise_may_be_another_row(self):
        for way in ('aside', 'line'):
            with self.subTest(way), self.env.cr.savepoint() as savepoint:
                left, chosen = self.enter('2026-03-02', 10), self.enter('2026-03-02', 11)
                for day in (2, 3):
                    row = self.simulator.add_transaction(self.online, 10, f'2026-03-{day:02}')
                    self.account._synchronize()
                held = self.rows().with_user(self.accountant)
                action = held.action_set_aside() if way == 'aside' else held.action_choose_line()
                self.settle(action, reason="Not ours", line_id=chosen.id)
                self.assertRecordValues(
                    self.rows(), [{'ponto_id': row.id, 'hold_reason': 'repeated', 'suspect_line_id': left.id}]
                )
                savepoint.rollback()
                self.env.invalidate_all()
                for payment in list(self.online.transactions):
                    self.simulator.remove_transaction(payment.id)

    def test_a_line_that_a_row_leaves_because_the_bank_changes_its_amount_may_be_another_row(self):
        line = self.enter('2026-03-02', 10)
        payments = []
        for day in (2, 3):
            payments.append(self.simulator.add_transaction(self.online, 10, f'2026-03-{day:02}'))
            self.account._synchronize()
        self.simulator.change_transaction(payments[0].id, amount=12)
        self.account._synchronize()
        self.assertRecordValues(
            self.account.transaction_ids.sorted('date'),
            [
                {'state': 'booked', 'amount': 12, 'hold_reason': False, 'suspect_line_id': False},
                {'state': 'booked', 'amount': 10, 'hold_reason': 'repeated', 'suspect_line_id': line.id},
            ],
        )

    def test_what_a_row_is_not_the_row_in_its_place_is_not_either(self):
        self.enter('2026-03-02', 10)
        payment = self.simulator.add_transaction(self.online, 10, '2026-03-02', remittance_information="Rent")
        self.simulator.add_transaction(self.online, 20, '2026-03-03')
        self.account._synchronize()
        self.rows().action_import_anyway()
        line = self.lines(self.account).filtered('ponto_transaction_ids').filtered(lambda line: line.amount == 10)
        self.simulator.remove_transaction(payment.id)
        self.simulator.add_transaction(self.online, 10, '2026-03-02', remittance_information="Rent of March")
        self.account._request_full_read()
        self.account._synchronize()
        again = self.rows('duplicate')
        self.assertEqual(again.suspect_line_id, line)
        again.action_same_as_suspect()
        self.account.journal_id.action_ponto_find_duplicates()
        self.assertRecordValues(again, [{'statement_line_id': line.id, 'hold_reason': False}])

    def set_aside_and_list_again(self):
        """Return the held row of a payment that Ponto lists under another id after somebody has set it aside."""
        self.enter('2026-03-02', 10)
        payment = self.simulator.add_transaction(self.online, 10, '2026-03-03', remittance_information="Rent")
        self.simulator.add_transaction(self.online, 20, '2026-03-03')
        self.account._synchronize()
        self.settle(self.rows().with_user(self.accountant).action_set_aside(), reason="In cash")
        # Nothing in the journal tells of it any more.
        self.lines(self.account).filtered(lambda line: line.amount == 10).unlink()
        self.simulator.remove_transaction(payment.id)
        self.simulator.add_transaction(self.online, 10, '2026-03-03', remittance_information="Rent of March")
        self.account._request_full_read()
        self.account._synchronize()
        again = self.rows('duplicate')
        self.assertIn("set aside Rent of 03/03/2026", again.hold_message)
        return again

    def test_what_somebody_set_aside_stays_aside_under_another_id(self):
        row = self.set_aside_and_list_again()
        row.action_same_as_suspect()
        self.account._synchronize()
        self.assertRecordValues(row, [{'state': 'aside', 'aside_reason': "In cash", 'hold_reason': False}])
        self.assertEqual(self.lines(self.account).mapped('amount'), [20])

    def test_a_row_is_compared_anew_when_what_was_set_aside_has_been_brought_back_meanwhile(self):
        row = self.set_aside_and_list_again()
        row.earlier_id.action_import_again()
        # That the opening line holds it does not say that it has a line of its own.
        row.earlier_id.in_opening = 'yes'
        row.action_same_as_suspect()
        self.assertRecordValues(row, [{'state': 'booked', 'hold_reason': False}])
        self.assertEqual(sorted(self.lines(self.account).mapped('amount')), [10, 20])

    def test_what_only_seems_to_be_set_aside_comes_in(self):
        row = self.set_aside_and_list_again()
        row.action_import_anyway()
        self.account._synchronize()
        self.assertRecordValues(row, [{'state': 'booked', 'hold_reason': False}])

    def migrate(self):
        spec = importlib.util.spec_from_file_location('post_rows', MIGRATION)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        script.migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()

    def test_an_upgrade_asks_nothing_that_somebody_has_answered(self):
        self.enter('2026-03-02', 10)
        self.simulator.add_transaction(self.online, 10, '2026-03-05')
        self.account._synchronize()
        row = self.account.transaction_ids
        row.action_import_anyway()
        # As the former version has left it.
        row.write({'different_line_ids': [Command.clear()], 'is_checked': True})
        self.migrate()
        self.account.journal_id.action_ponto_find_duplicates()
        self.assertFalse(row.hold_reason)
        self.enter('2026-03-02', 10)
        self.assertEqual(row.hold_reason, 'repeated')

    def test_an_upgrade_notes_rows_whose_entries_were_deleted(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-05')
        self.account._synchronize()
        self.account.transaction_ids.statement_line_id = False
        self.migrate()
        self.assertEqual(self.account.transaction_ids.state, 'removed')
