"""Working off bank transactions at the screen, by mouse and by keyboard."""

import os
from pathlib import Path

from odoo import Command
from odoo.tests import new_test_user, tagged

from .browser import BrowserCase
from .test_reconciliation import ReconciliationCase

LIST = '/odoo/bank-transactions'
PANEL = '.o_ponto_panel'
SEARCH = f'{PANEL} .o_ponto_search'
REST = f'{PANEL} .o_ponto_rest'
LAST = f'{PANEL} .o_ponto_last'
NOTE = '.o_notification'
# PICTURES=folder takes pictures of what the tests go through.
SIZES = ((1280, 800), (400, 800))


class BrowserReconcileCase(BrowserCase, ReconciliationCase):
    """Somebody works off bank transactions.

    What a test reads of records it reads before the browser opens, or after `rest`.
    """

    def setUp(self):
        super().setUp()
        self.code, self.who = self.expense.code, self.accountant.name

    def look_at(self, person, line):
        person.open(f'{LIST}/{line.id}')
        person.see(PANEL)

    def picture(self, person, name, ready=PANEL, address=''):
        """Take pictures of what is shown, or of what an address shows that looks different on a phone."""
        if os.environ.get('PICTURES'):
            for width, height in SIZES:
                person.resize(width, height)
                if address:
                    person.open(address)
                person.see(ready)
                Path(os.environ['PICTURES'], f'{name}_{width}.png').write_bytes(person.screenshot())
            person.resize(*SIZES[0])

    def books(self, line):
        """Return on which accounts a line is booked, beside the bank's."""
        items = line.move_id.line_ids.filtered(lambda item: item.account_id != self.journal.default_account_id)
        return {item.account_id: item.balance for item in items}


@tagged('post_install', '-at_install')
class TestBrowserReconcile(BrowserReconcileCase):
    # -------------------------------------------------------------------------
    # The panel
    # -------------------------------------------------------------------------

    def test_a_proposal_is_accepted_and_the_next_transaction_comes(self):
        self.invoice(121, '+++090/9337/55493+++')
        line, other = self.line(121, '+++090/9337/55493+++'), self.line(50, 'something else')
        with self.person() as person:
            person.open(LIST)
            person.see('.o_data_row [name=proposal_reason]', "structured communication")
            self.picture(person, 'list', '.o_data_row, .o_kanban_record', LIST)
            person.open(LIST)
            person.click('.o_data_row [name=payment_ref]', '+++090/9337/55493+++')
            person.see(f'{PANEL} .o_ponto_proposals', "Sure")
            self.picture(person, 'proposal')
            person.see(f'{SEARCH}:focus')
            person.press('Enter')
            person.see(LAST, '+++090/9337/55493+++')
            person.see(REST, '50')
            person.see(f'{SEARCH}:focus')
            self.picture(person, 'next')
        self.assertTrue(line.is_reconciled)
        self.assertEqual(line.matched_uid, self.accountant)
        self.assertFalse(other.is_reconciled)

    def test_two_documents_that_fit_are_not_taken_by_enter(self):
        self.invoice(121), self.invoice(121)
        line = self.line(121, "Payment", partner_id=self.customer.id)
        with self.person() as person:
            self.look_at(person, line)
            person.see(f'{SEARCH}:focus')
            person.press('Enter')
            person.see(NOTE, "More than one document fits.")
        self.assertFalse(line.is_reconciled)

    def test_a_part_of_an_invoice_is_paid_and_undone(self):
        invoice, line = self.invoice(121, 'INV-A'), self.line(100, 'Voorschot')
        number = invoice.name
        with self.person() as person:
            self.look_at(person, line)
            person.enter(SEARCH, number)
            person.click(f'{PANEL} .o_ponto_item', number)
            person.see(REST, "Nothing is left")
            self.picture(person, 'chosen')
            person.click(f'{PANEL} .o_ponto_reconcile:enabled')
            person.see(f'{PANEL} .o_ponto_done', number)
            person.see(f'{PANEL} .o_ponto_who', self.who)
            self.picture(person, 'done')
            person.rest()
            self.env.invalidate_all()
            self.assertEqual(invoice.amount_residual, 21)
            person.click(f'{PANEL} .o_ponto_undo')
            person.see(REST, '100')
        self.assertEqual(invoice.amount_residual, 121)
        self.assertFalse(line.is_reconciled)

    def test_an_edited_amount_is_paid_and_the_rest_stays_open(self):
        invoice, line = self.invoice(80, 'INV-A'), self.line(100, 'Voorschot')
        number = invoice.name
        with self.person() as person:
            self.look_at(person, line)
            person.click(f'{PANEL} .o_ponto_item', number)
            person.enter(f'{PANEL} .o_ponto_part', '30.50')
            person.see(REST, '69.50')
            person.click(f'{PANEL} .o_ponto_reconcile:enabled', "leave the rest open")
            person.see(LAST, 'Voorschot')
            person.see(REST, '69.50')
        self.assertEqual(invoice.amount_residual, 49.5)
        self.assertFalse(line.is_reconciled)

    def test_what_an_invoice_leaves_is_written_off_on_an_account(self):
        invoice, line = self.invoice(97, 'INV-A'), self.line(100, 'a little more')
        number = invoice.name
        with self.person() as person:
            self.look_at(person, line)
            person.click(f'{PANEL} .o_ponto_item', number)
            person.click(f'{PANEL} .o_ponto_book:enabled', "Book the rest")
            person.enter(f'{PANEL} .o_ponto_account input', self.code)
            person.click('.o-autocomplete--dropdown-item', self.code)
            person.see(REST, "Nothing is left")
            self.picture(person, 'write_off')
            person.click(f'{PANEL} .o_ponto_reconcile:enabled')
            person.see(f'{PANEL} .o_ponto_done', number)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(self.books(line)[self.expense], -3)

    def test_the_bank_has_kept_a_fee(self):
        fees = self.account('expense_direct_cost') or self.expense
        self.journal.ponto_fee_account_id = fees
        invoice, line = self.invoice(250, 'INV-A'), self.line(100, 'less a fee')
        number = invoice.name
        with self.person() as person:
            self.look_at(person, line)
            person.click(f'{PANEL} .o_ponto_item', number)
            person.enter(f'{PANEL} .o_ponto_part', '103')
            person.see(REST, '3.00')
            person.click(f'{PANEL} .o_ponto_fee', "bank fee")
            person.see(REST, "Nothing is left")
            person.click(f'{PANEL} .o_ponto_reconcile:enabled')
            person.see(f'{PANEL} .o_ponto_done', number)
        self.assertEqual(invoice.amount_residual, 147)
        self.assertEqual(self.books(line)[fees], 3)

    def test_a_transaction_is_booked_with_a_tax_and_always_so_for_its_counterpart(self):
        self.env['account.tax'].create(
            {'name': "Tax of 21", 'amount': 21, 'type_tax_use': 'purchase', 'company_id': self.company.id}
        )
        following = self.line(-12.1, "Rent April", partner_name="Lessor")
        line = self.line(-12.1, "Rent March", partner_name="Lessor")
        with self.person() as person:
            person.open(LIST)
            person.click('.o_data_row [name=payment_ref]', "Rent March")
            person.click(f'{PANEL} .o_ponto_book:enabled')
            person.enter(f'{PANEL} .o_ponto_account input', self.code)
            person.click('.o-autocomplete--dropdown-item', self.code)
            person.enter(f'{PANEL} .o_ponto_taxes input', 'Tax of 21')
            person.click('.o-autocomplete--dropdown-item', 'Tax of 21')
            person.see(f'{PANEL} .o_ponto_taxes', 'Tax of 21')
            self.picture(person, 'account')
            person.click(f'{PANEL} .o_ponto_reconcile:enabled')
            person.see(LAST, "Rent March")
            person.click(f'{PANEL} .o_ponto_rule', "Always for this counterpart")
            person.see('.modal .o_form_view [name=match_label_param]')
            self.picture(person, 'rule_of_line', '.modal')
            person.click('.modal .o_form_button_save, .modal .btn-close')
            person.open(f'{LIST}/{following.id}')
            person.see(f'{PANEL} .o_ponto_proposals', "The rule Lessor applies.")
            person.see(f'{SEARCH}:focus')
            person.press('Enter')
            person.see(f'{PANEL} .o_ponto_done', self.code)
            person.open('/odoo/bank-rules')
            person.see('.o_data_row', "Lessor")
            self.picture(person, 'rules', '.o_content')
            person.click('.o_data_row .o_data_cell', "Lessor")
            person.see('button[name=action_show_open_lines]')
            self.picture(person, 'rule', '.o_form_view')
        self.assertEqual(sorted(line.move_id.line_ids.mapped('balance')), [-12.1, 2.1, 10])
        self.assertEqual(sorted(following.move_id.line_ids.mapped('balance')), [-12.1, 2.1, 10])
        self.assertEqual(following.match_kind, 'rule')

    def test_everything_goes_by_keyboard(self):
        first, second = self.invoice(40, 'INV-A'), self.invoice(60, 'INV-B')
        charge, both = self.line(-7, 'charge'), self.line(100, 'two at once')
        numbers = (first + second).mapped('name')
        with self.person() as person:
            person.open(LIST)
            person.click('.o_data_row [name=payment_ref]', 'two at once')
            # The newest is on top.
            for number in numbers:
                person.see(f'{PANEL} .o_ponto_item:nth-child(2)')
                person.see(f'{SEARCH}:focus')
                person.press('ArrowDown')
                if number == numbers[0]:
                    person.press('ArrowDown')
                person.see(f'{PANEL} .o_ponto_reached')
                person.press('Enter')
                person.see(f'{PANEL} [role=option][aria-selected=true]', number)
            person.see(REST, "Nothing is left")
            person.press('Enter')
            person.see(LAST, 'two at once')
            person.see(REST, '7')
            person.see(f'{SEARCH}:focus')
            person.press('a', alt=True)
            person.see(f'{PANEL} .o_ponto_account input:focus')
            person.type(self.code)
            person.see('.o-autocomplete--dropdown-item', self.code)
            person.press('Enter')
            person.see(f'{SEARCH}:focus')
            person.press('Enter')
            person.see(f'{PANEL} .o_ponto_done', self.code)
            person.press('w', alt=True)
            person.see(REST, '7')
        self.assertTrue(both.is_reconciled)
        self.assertEqual((first + second).mapped('amount_residual'), [0, 0])
        self.assertFalse(charge.is_reconciled)
        self.assertTrue(charge.is_match_undone)

    def test_who_may_only_read_sees_no_button(self):
        reader = new_test_user(
            self.env,
            'ponto_reader',
            groups='account.group_account_readonly',
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        invoice, line, done = self.invoice(121, 'ABC-12345'), self.line(121, 'ABC-12345'), self.line(5, "Done")
        done.reconcile_with([{'account_id': self.expense.id}])
        number = invoice.name
        with self.person(reader) as person:
            person.open(LIST)
            person.see('.o_data_row [name=proposal_reason]', number)
            person.click('.o_data_row .o_list_record_selector input')
            person.see('.o_selection_box, .o_list_selection_box')
            for name in ('action_accept_proposals', 'action_undo_matches'):
                self.assertEqual(person.evaluate(f"document.querySelectorAll('button[name={name}]').length"), '0')
            self.look_at(person, done)
            person.see(f'{PANEL} .o_ponto_done', self.code)
            self.assertEqual(person.evaluate(f"document.querySelectorAll('{PANEL} .o_ponto_undo').length"), '0')
            self.look_at(person, line)
            self.assertEqual(person.evaluate(f"document.querySelectorAll('{PANEL} button').length"), '0')
        self.assertFalse(line.is_reconciled)

    # -------------------------------------------------------------------------
    # The list and the card
    # -------------------------------------------------------------------------

    def test_the_list_does_what_it_can_and_says_how_much(self):
        self.invoice(121, '+++090/9337/55493+++'), self.invoice(33, 'ABC-12345')
        lines = self.line(121, '+++090/9337/55493+++') + self.line(33, 'ABC-12345')
        left = self.line(17, 'nobody knows')
        with self.person() as person:
            person.open(LIST)
            person.see('.o_data_row:nth-child(3)')
            person.click('thead .o_list_record_selector input')
            person.click('button[name=action_accept_proposals]', "Reconcile as Proposed")
            person.see(NOTE, "2 of 3 reconciled.")
            self.picture(person, 'list_done', '.o_content')
            person.rest()
            self.env.invalidate_all()
            self.assertEqual(lines.mapped('is_reconciled'), [True, True])
            person.open(LIST)
            person.see('.o_data_row:nth-child(3)')
            person.click('thead .o_list_record_selector input')
            person.click('button[name=action_undo_matches]', "Undo")
            person.see(NOTE, "The reconciliation of 2 transactions was undone.")
        self.assertFalse(any((lines + left).mapped('is_reconciled')))

    def test_the_check_mark_in_a_row_reconciles_it_and_matches_are_filtered(self):
        self.invoice(121, '+++090/9337/55493+++')
        line, other = self.line(121, '+++090/9337/55493+++'), self.line(17, 'nobody knows')
        with self.person() as person:
            person.open(LIST)
            person.see('.o_data_row', 'nobody knows')
            person.click('.o_searchview_dropdown_toggler')
            person.click('.o_filter_menu .o_menu_item', "With Proposal")
            person.see('.o_searchview_facet', "With Proposal")
            person.see('.o_list_view:not(:has(.o_data_row:nth-child(2))) .o_data_row', '+++090/9337/55493+++')
            person.click('.o_data_row button[name=action_accept_proposals]')
            person.see(NOTE, "1 of 1 reconciled.")
            person.see('.o_view_nocontent, .o_list_view:not(:has(.o_data_row))')
        self.assertTrue(line.is_reconciled)
        self.assertFalse(other.is_reconciled)

    def test_the_card_says_how_many_are_to_reconcile_and_leads_there(self):
        names = ['first open one', 'second open one']
        for name in names:
            self.line(5, name)
        done = self.line(7, 'the done one')
        done.reconcile_with([{'account_id': self.expense.id}])
        with self.person() as person:
            person.open('/odoo/accounting')
            person.see('.o_ponto_to_reconcile', "2 to reconcile")
            self.picture(person, 'card', '.o_ponto_to_reconcile')
            person.click('.o_ponto_to_reconcile')
            person.see('.o_searchview_facet', "To Reconcile")
            for name in names:
                person.see('.o_data_row', name)
            self.assertEqual(person.evaluate("document.querySelectorAll('.o_data_row').length"), '2')


@tagged('post_install', '-at_install')
class TestBrowserReconcileInFrench(BrowserReconcileCase):
    lang = 'fr_BE'
    chart = 'be_comp'

    test_a_proposal_is_accepted = TestBrowserReconcile.test_a_proposal_is_accepted_and_the_next_transaction_comes


@tagged('post_install', '-at_install')
class TestBrowserReconcileInDutch(BrowserReconcileCase):
    lang = 'nl_BE'
    chart = 'be_comp'

    test_a_part_of_an_invoice_is_paid_and_undone = TestBrowserReconcile.test_a_part_of_an_invoice_is_paid_and_undone
