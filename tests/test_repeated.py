from datetime import timedelta
from unittest.mock import patch

from odoo.addons.account_online_ponto.models import ponto_transaction_repeated
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_review import ReviewCase


@tagged('post_install', '-at_install')
class TestRepeated(ReviewCase):
    """A file imported after the feed doubles nothing in silence."""

    def setUp(self):
        super().setUp()
        for amount in (1, 2, 3):
            self.simulator.add_transaction(self.online, amount, '2026-03-02', counterpart_reference='BE71096123456769')
        self.account._synchronize()
        self.own = self.lines(self.account)

    def repeated(self):
        return self.rows('repeated').sorted('amount').with_user(self.accountant)

    def import_file(self, *amounts, day='2026-03-02', **vals):
        return self.env['account.bank.statement.line'].create(
            [
                {'journal_id': self.account.journal_id.id, 'date': day, 'amount': amount, 'payment_ref': "File", **vals}
                for amount in amounts
            ]
        )

    def delete_entry(self, line):
        line.move_id.button_draft()
        line.move_id.unlink()

    def test_lines_of_a_file_that_repeat_the_feed_are_told_and_settled_many_at_once(self):
        imported = self.import_file(1, 2, 3, 4)
        self.assertEqual(self.repeated().suspect_line_id, imported[:3])
        self.assertEqual(len(self.to_review()), 3)
        self.assertTrue(self.account.needs_attention)
        self.assertIn("a second time?", self.repeated()[0].hold_message)
        self.repeated().action_same_as_suspect()
        self.assertEqual(self.lines(self.account), self.own | imported[3])
        self.assertEqual(set(self.account.transaction_ids.mapped('state')), {'booked'})
        self.assertFalse(self.to_review())
        self.account._synchronize()
        self.assertEqual(self.lines(self.account), self.own | imported[3])

    def test_a_file_is_compared_with_what_a_feed_has_brought_that_has_ended(self):
        self.account.action_unlink_journal()
        journal = self.own.journal_id
        self.env['account.bank.statement.line'].create(
            {'journal_id': journal.id, 'date': '2026-03-02', 'amount': 1, 'payment_ref': "File"}
        )
        self.assertEqual(len(self.repeated()), 1)

    def test_find_duplicates_shows_what_a_feed_has_brought_that_has_ended(self):
        journal = self.own.journal_id
        self.account.action_unlink_journal()
        self.env['account.bank.statement.line'].create(
            {'journal_id': journal.id, 'date': '2026-03-02', 'amount': 1, 'payment_ref': "File"}
        )
        action = journal.with_user(self.accountant).action_ponto_find_duplicates()
        self.assertEqual(self.env['ponto.transaction'].search(action['domain']), self.repeated())

    def test_of_two_lines_the_reconciled_one_stays(self):
        imported = self.import_file(1)
        self.reconcile(imported)
        row = self.repeated()
        row.action_same_as_suspect()
        self.assertTrue(imported.exists())
        self.assertEqual((row.state, row.statement_line_id, row.hold_reason), ('booked', imported, False))
        self.assertEqual(len(self.lines(self.account)), 3)

    def test_where_both_are_reconciled_a_person_is_told_what_to_do(self):
        imported = self.import_file(1)
        for line in imported + self.own[0]:
            self.reconcile(line)
        with self.assertRaisesRegex(UserError, "Undo the reconciliation"):
            self.repeated().action_same_as_suspect()

    def test_where_the_rows_own_line_is_cancelled_the_other_one_takes_its_place(self):
        imported = self.import_file(1)
        self.cancel(self.own[0])
        row = self.repeated()
        row.action_same_as_suspect()
        self.assertRecordValues(row, [{'state': 'booked', 'statement_line_id': imported.id, 'hold_reason': False}])
        self.assertEqual(imported.state, 'posted')
        self.assertEqual(self.own[0].state, 'cancel')

    def test_where_the_other_line_is_cancelled_the_rows_own_one_stays(self):
        imported = self.import_file(1)
        self.cancel(imported)
        row = self.repeated()
        row.action_same_as_suspect()
        self.assertRecordValues(row, [{'state': 'booked', 'statement_line_id': self.own[0].id, 'hold_reason': False}])
        self.assertEqual(imported.state, 'cancel')

    def test_where_the_other_line_belongs_to_another_row_by_now_both_stay(self):
        imported = self.import_file(1)
        self.simulator.add_transaction(self.online, 1, '2026-03-03', currency='USD')
        self.account._synchronize()
        self.rows('currency')._mark_booked(imported)
        self.repeated().action_same_as_suspect()
        self.assertEqual(self.lines(self.account), self.own | imported)
        self.assertFalse(self.to_review())

    def test_a_cancelled_line_is_not_repeated(self):
        self.cancel(self.own[0])
        imported = self.import_file(1)
        self.assertFalse(self.to_review())
        self.account.journal_id.with_user(self.accountant).action_ponto_find_duplicates()
        self.assertFalse(self.to_review())
        self.assertEqual(imported.state, 'posted')

    def test_a_journal_entry_that_is_deleted_takes_its_row_and_its_question_along(self):
        imported = self.import_file(1, 2)
        self.delete_entry(self.own[0])
        self.assertEqual(self.account.transaction_ids.sorted('amount').mapped('state'), ['removed', 'booked', 'booked'])
        self.assertEqual(self.repeated().suspect_line_id, imported[1])
        self.delete_entry(imported[1])
        self.assertFalse(self.to_review())
        self.assertEqual(self.lines(self.account), self.own[1:] | imported[0])

    def test_keep_both_is_asked_once(self):
        self.import_file(1)
        self.repeated().action_keep()
        self.assertFalse(self.to_review())
        self.account.journal_id.with_user(self.accountant).action_ponto_find_duplicates()
        self.assertFalse(self.to_review())

    def test_what_somebody_has_kept_beside_one_line_may_be_repeated_by_a_later_one(self):
        self.import_file(1)
        self.repeated().action_keep()
        later = self.import_file(1)
        self.assertEqual(self.repeated().suspect_line_id, later)

    def test_a_line_that_is_kept_beside_one_row_may_repeat_another(self):
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 9, '2026-03-02')
        self.account._synchronize()
        imported = self.import_file(9)
        first = self.repeated()
        first.action_keep()
        second = self.repeated()
        self.assertEqual(second.suspect_line_id, imported)
        self.assertNotEqual(first, second)
        second.action_keep()
        self.assertFalse(self.to_review())

    def test_a_line_that_is_deleted_repeats_nothing_any_more(self):
        self.import_file(1).unlink()
        self.assertFalse(self.to_review())
        self.assertEqual(len(self.lines(self.account)), 3)

    def test_a_line_that_differs_is_no_repetition(self):
        self.import_file(5)
        self.import_file(1, day='2026-03-09')
        self.import_file(2, account_number='NL91ABNA0417164300')
        self.import_file(3, journal_id=self.account.journal_id.copy().id)
        self.assertFalse(self.to_review())

    def test_of_two_equal_lines_of_a_file_one_repeats_the_only_row(self):
        imported = self.import_file(1, 1)
        self.assertEqual(self.repeated().suspect_line_id, imported[0])

    def test_the_feed_itself_repeats_nothing(self):
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 9, '2026-03-02')
            self.account._synchronize()
        self.assertFalse(self.to_review())

    def look(self):
        self.env.flush_all()
        self.env.ref('account_online_ponto.ir_cron_tell_problems').method_direct_trigger()
        self.env.invalidate_all()

    def import_while_booking(self, *amounts):
        """Import a file as a transaction does that does not see what is booked at the same time."""
        lines = self.env['account.bank.statement.line'].with_context(ponto_feed=True)
        return lines.create(
            [
                {
                    'journal_id': self.account.journal_id.id,
                    'date': '2026-03-02',
                    'amount': amount,
                    'payment_ref': "File",
                }
                for amount in amounts
            ]
        )

    def test_a_file_that_is_imported_while_the_feed_books_is_compared_soon_afterwards(self):
        imported = self.import_while_booking(1, 5)
        self.assertFalse(self.to_review())
        self.look()
        self.assertEqual(self.repeated().suspect_line_id, imported[0])
        self.look()
        self.assertEqual(self.repeated().suspect_line_id, imported[0])
        self.repeated().action_keep()
        self.look()
        self.assertFalse(self.to_review())

    def test_what_was_not_created_side_by_side_is_not_asked_about_again(self):
        self.import_while_booking(1)
        for name in ('SIDE_BY_SIDE', 'LATE'):
            with patch.object(ponto_transaction_repeated, name, timedelta(days=-1)):
                self.look()
                self.assertFalse(self.to_review(), name)

    def test_a_line_about_which_a_question_is_open_repeats_nothing_else(self):
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 9, '2026-03-04')
        by_hand = self.import_file(9, day='2026-03-04')
        self.account._synchronize()
        self.look()
        self.assertEqual(self.to_review().mapped('hold_reason'), ['duplicate'])
        self.assertEqual(self.to_review().suspect_line_id, by_hand)

    def test_find_duplicates_looks_through_the_whole_journal(self):
        imported = self.import_file(1, 2)
        self.rows()._mark_kept()
        action = self.account.journal_id.with_user(self.accountant).action_ponto_find_duplicates()
        found = self.env['ponto.transaction'].search(action['domain'])
        self.assertEqual(found.sorted('amount').suspect_line_id, imported)
