from datetime import date

from odoo.tests import tagged

from .test_review import ReviewCase

ID = '9998'


@tagged('post_install', '-at_install')
class TestSharedIds(ReviewCase):
    """Several transactions to which Ponto gives one id: nothing is swallowed, and no line becomes another one."""

    def add(self, amount, text, day='2026-03-02', shared=True):
        row = self.simulator.add_transaction(self.online, amount, day, remittance_information=text)
        if shared:
            row.id = ID
        return row

    def fill(self, rows, day='2026-03-02'):
        """Add other transactions, so that what comes before them is on another page."""
        for number in range(1, rows + 1):
            self.add(number, f"other {number}", day, shared=False)

    def amounts(self):
        """Return the amounts in the books and those of the held rows, but for the other transactions."""
        held = self.rows()
        self.assertLessEqual({row.hold_values['kind'] for row in held}, {'same_id'})
        booked = self.lines(self.account).mapped('amount')
        return sorted(amount for amount in booked if amount < 0), sorted(held.mapped('amount'))

    def read_again(self):
        """Read what is new, and then the whole list."""
        self.account._synchronize()
        self.account._request_full_read()
        self.account._synchronize()

    def test_on_one_page_the_known_one_keeps_the_id(self):
        self.fill(1)
        self.add(-7.5, "coffee")
        self.add(-40, "rent")
        for _run in range(2):
            self.read_again()
            self.assertEqual(self.amounts(), ([-40], [-7.5]))
            self.assertEqual(len(self.account.transaction_ids), 3)
            self.assertFalse(self.account.transaction_ids.filtered('missing_since'))
        self.simulator.reorder(self.online, key=lambda row: row.amount)
        self.read_again()
        self.assertEqual(self.amounts(), ([-40], [-7.5]))
        self.assertIn(ID, self.rows().hold_message)
        self.rows().with_user(self.accountant).action_import_anyway()
        self.read_again()
        self.assertEqual(self.amounts(), ([-40, -7.5], []))
        self.assertEqual(self.account.balance_difference, 0)

    def read_on_two_pages(self, above, below):
        self.simulator.set_page_size(4)
        self.add(below, "below")
        self.fill(5)
        self.add(above, "above")
        for _run in range(2):
            self.read_again()
            self.assertEqual(self.amounts(), ([above], [below]))
            self.assertFalse(self.account.transaction_ids.filtered('missing_since'))
        self.rows().with_user(self.accountant).action_import_anyway()
        self.read_again()
        self.assertEqual(self.account.balance_difference, 0)

    def test_on_two_pages_the_first_one_that_is_read_is_booked_and_the_other_one_held(self):
        self.read_on_two_pages(-40, -7.5)

    def test_on_two_pages_the_other_way_around_as_well(self):
        self.read_on_two_pages(-7.5, -40)

    def test_a_row_that_the_opening_line_holds_does_not_become_the_transaction_that_gets_its_id_later(self):
        self.simulator.set_page_size(4)
        self.add(-40, "rent", '2026-02-02')
        self.fill(5)
        account = self.account
        account.start_date = '2026-03-01'
        account._read('manual')
        account._book_opening_line()
        self.add(-7.5, "coffee", '2026-03-02')
        self.read_again()
        self.assertEqual(self.amounts()[1], [-7.5])
        self.assertEqual(account.transaction_ids.filtered(lambda row: row.in_opening == 'yes').mapped('amount'), [-40])

    def test_a_line_does_not_become_the_transaction_that_gets_its_id_later(self):
        self.add(-40, "rent")
        self.fill(5)
        self.account._synchronize()
        line = self.lines(self.account).filtered(lambda line: line.amount == -40)
        self.simulator.set_page_size(4)
        self.add(-7.5, "coffee", '2026-03-03')
        run = self.account._synchronize()
        self.assertEqual((run.new_count, run.changed_count), (1, 0))
        for _run in range(2):
            self.assertEqual(self.amounts(), ([-40], [-7.5]))
            self.assertEqual((line.payment_ref, line.date), ("rent", date(2026, 3, 2)))
            self.read_again()

    def test_the_same_amount_next_month_is_another_transaction(self):
        self.add(-40, "rent", '2026-02-02')
        self.fill(5, '2026-02-02')
        self.account._synchronize()
        self.reconcile(self.lines(self.account)[0])
        self.add(-40, "rent", '2026-03-02')
        self.simulator.set_page_size(4)
        self.read_again()
        self.assertEqual(self.amounts(), ([-40], [-40]))
        self.assertEqual(self.rows().date, date(2026, 3, 2))
        self.assertFalse(self.lines(self.account).move_id.activity_ids)

    def test_two_that_tell_the_same_amount_and_day_are_told_apart_by_their_words(self):
        self.add(-40, "rent")
        self.fill(5)
        self.account._synchronize()
        self.simulator.set_page_size(4)
        self.add(-40, "garage")
        for _run in range(2):
            self.read_again()
            self.assertEqual(self.amounts(), ([-40], [-40]))

    def test_runs_that_end_between_the_two_lose_none(self):
        self.add(-40, "rent")
        self.fill(9)
        self.account._synchronize()
        self.simulator.set_page_size(4)
        self.add(-7.5, "coffee", '2026-03-03')
        self.account._request_full_read()
        for _run in range(8):
            self.account._synchronize(at_most=1)
            self.assertEqual(self.amounts(), ([-40], [-7.5]))
        self.assertFalse(self.account.transaction_ids.filtered('missing_since'))

    def test_what_somebody_has_removed_does_not_hide_another_transaction(self):
        self.add(-40, "rent")
        self.account._synchronize()
        self.lines(self.account).unlink()
        self.add(-7.5, "coffee", '2026-03-03')
        self.read_again()
        self.assertEqual(self.amounts(), ([], [-7.5]))

    def test_a_changed_amount_is_no_other_transaction(self):
        row = self.add(-40, "rent", shared=False)
        self.fill(5)
        self.simulator.set_page_size(4)
        self.account._synchronize()
        self.simulator.change_transaction(row.id, amount=-41, execution_date='2026-03-05')
        self.account._request_full_read()
        run = self.account._synchronize()
        self.assertEqual((run.new_count, run.changed_count), (0, 1))
        self.assertEqual(self.amounts(), ([-41], []))
        self.assertEqual(len(self.account.transaction_ids), 6)
        self.assertEqual(self.account._synchronize().changed_count, 0)

    def test_a_changed_transaction_that_ponto_lists_on_top_then_is_no_other_one(self):
        row = self.add(-40, "rent", '2026-01-02', shared=False)
        self.fill(5, '2026-01-02')
        self.simulator.set_page_size(4)
        self.account._synchronize()
        self.simulator.change_transaction(row.id, amount=-41)
        self.simulator.reorder(self.online, key=lambda other: other.id != row.id)
        run = self.account._synchronize()
        self.assertEqual((run.new_count, run.changed_count), (0, 1))
        self.assertEqual(self.amounts(), ([-41], []))

    def test_a_changed_transaction_is_found_by_runs_that_read_a_page_each(self):
        row = self.add(-40, "rent", shared=False)
        self.fill(9)
        self.simulator.set_page_size(4)
        self.account._synchronize()
        self.simulator.change_transaction(row.id, amount=-41)
        self.simulator.reorder(self.online, key=lambda other: other.id != row.id)
        for _run in range(12):
            self.account._synchronize(at_most=1)
        self.assertEqual(self.amounts(), ([-41], []))
        self.assertFalse(self.account.transaction_ids.filtered('missing_since'))

    def test_rows_of_one_id_are_recognized_after_the_account_was_issued_anew(self):
        self.add(-40, "rent")
        self.add(-7.5, "coffee")
        self.read_again()
        before = self.amounts()
        self.account.transaction_ids.account_ponto_id = 'the-id-before'
        for row in self.simulator.account(self.online).transactions:
            row.id = 'new'
        self.read_again()
        self.assertEqual(self.amounts(), before)
        self.assertEqual(set(self.account.transaction_ids.mapped('ponto_id')), {'new'})
