from odoo.tests import tagged

from .browser import BrowserCase

TO_REVIEW = '/odoo/bank-to-review'


@tagged('post_install', '-at_install')
class TestBrowserReview(BrowserCase):
    """Whatever waits under *To Review* can be settled there."""

    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 1, '2026-03-01')
        self.account = self.link()

    def hold_dollars(self):
        self.env.ref('base.USD').active = True
        self.simulator.add_transaction(
            self.online, -11, '2026-03-02', extra={'currency': 'USD'}, remittance_information="Hosting"
        )
        self.account._synchronize()

    def open_row(self, person, name):
        person.open(TO_REVIEW)
        person.click('.o_data_row .o_data_cell', name)

    def test_a_withdrawn_batch_is_compared_with_its_items_and_its_line_deleted(self):
        batch = self.simulator.add_transaction(self.online, 100, '2026-03-02', remittance_information="Batch of 2")
        self.account._synchronize()
        self.simulator.remove_transaction(batch.id)
        for amount in (30, 70):
            self.simulator.add_transaction(
                self.online, amount, '2026-03-02', remittance_information=f"Item of {amount}"
            )
        self.account._synchronize()
        with self.person() as person:
            self.open_row(person, "Batch of 2")
            person.see('.alert-warning', "In its place Ponto lists transactions with the same total")
            person.see('div[name=replacement_ids] .o_data_row', "Item of 30")
            person.see('div[name=replacement_ids] .o_data_row', "Item of 70")
            person.click('button[name=action_delete_line]')
            person.click('.modal footer .btn-primary')
            person.see('.alert-info', "Its line was deleted in Odoo")
            person.open(TO_REVIEW)
            person.see('.o_nocontent_help', "Nothing to review")
        self.assertEqual(self.lines(self.account).mapped('amount'), [1, 30, 70])

    def test_a_withdrawn_row_is_kept_from_the_list(self):
        row = self.simulator.add_transaction(self.online, 100, '2026-03-02', remittance_information="Withdrawn")
        self.account._synchronize()
        self.simulator.remove_transaction(row.id)
        self.account._synchronize()
        with self.person() as person:
            person.open(TO_REVIEW)
            person.see('.o_data_row', "Withdrawn by the bank")
            person.click('.o_data_row button[name=action_keep]')
            person.see('.o_nocontent_help', "Nothing to review")
        self.assertEqual(self.lines(self.account).mapped('amount'), [1, 100])

    def test_a_payment_in_dollars_is_entered_with_the_amount_that_a_person_types(self):
        self.hold_dollars()
        with self.person() as person:
            self.open_row(person, "Hosting")
            person.see('.o_statusbar_buttons:not(:has(button[name=action_book]))')
            person.click('button[name=action_enter_amount]')
            person.see('.modal div[name=original_amount]', '11')
            person.enter('.modal div[name=amount] input', '-10.2' if self.lang == 'en_US' else '-10,2')
            person.click('.modal button[name=action_settle]', "Enter It")
            person.see('div[name=statement_line_id]', 'BNK')
        self.assertRecordValues(
            self.lines(self.account).sorted('amount'),
            [{'amount': -10.2, 'amount_currency': -11}, {'amount': 1, 'amount_currency': 0}],
        )

    def test_a_payment_is_told_to_be_a_line_of_the_journal(self):
        self.hold_dollars()
        line = self.env['account.bank.statement.line'].create(
            {
                'journal_id': self.account.journal_id.id,
                'date': '2026-03-02',
                'amount': -10.2,
                'payment_ref': "Hosting, by hand",
            }
        )
        with self.person() as person:
            self.open_row(person, "Hosting")
            person.click('button[name=action_choose_line]')
            person.click('.modal div[name=line_id] input')
            person.click('.o-autocomplete--dropdown-item a', "Hosting, by hand")
            person.click('.modal button[name=action_settle]', "It Is This Line")
            person.see('div[name=statement_line_id]', 'BNK')
        self.assertEqual(self.account.transaction_ids.filtered(lambda row: row.amount == -11).statement_line_id, line)

    def test_a_payment_is_set_aside_with_a_reason_and_brought_back(self):
        self.hold_dollars()
        with self.person() as person:
            self.open_row(person, "Hosting")
            person.click('button[name=action_set_aside]')
            person.enter('.modal div[name=reason] input', 'Paid by another company')
            person.click('.modal button[name=action_settle]', "Set It Aside")
            person.see('.alert-info', 'Paid by another company')
            person.click('button[name=action_import_again]')
            person.click('.modal footer .btn-primary')
            person.see('.alert-warning', 'USD')


@tagged('post_install', '-at_install')
class TestBrowserReviewInFrench(TestBrowserReview):
    lang = 'fr_BE'
    chart = 'be_comp'
