"""Working off bank transactions at the screen, by mouse and by keyboard."""

import os
from pathlib import Path

from odoo.tests import tagged

from .browser import BrowserCase
from .test_reconciliation import ReconciliationCase

PANEL = '.o_ponto_panel'
SEARCH = f'{PANEL} .o_ponto_search'


@tagged('post_install', '-at_install')
class TestBrowserReconcile(BrowserCase, ReconciliationCase):
    def look_at(self, person, line):
        person.open(f'/odoo/bank-transactions/{line.id}')
        person.see(PANEL)

    def press_enter(self, person, selector):
        """Press Enter in a field, as somebody does whose hands stay on the keyboard."""
        person.see(selector)
        person.evaluate(
            f'document.querySelector({selector!r}).dispatchEvent('
            'new KeyboardEvent("keydown", {key: "Enter", bubbles: true})).toString()'
        )

    def picture(self, person, name):
        if os.environ.get('PICTURES'):
            for width, height in ((1280, 900), (400, 800)):
                person.resize(width, height)
                person.see(PANEL)
                Path(os.environ['PICTURES'], f'{name}_{width}.png').write_bytes(person.screenshot())
            person.resize(1280, 900)

    def test_a_proposal_is_accepted_and_the_next_transaction_comes(self):
        self.invoice(121, '+++090/9337/55493+++')
        line, other = self.line(121, '+++090/9337/55493+++'), self.line(50, 'something else')
        with self.person() as person:
            self.look_at(person, line)
            person.see(f'{PANEL} .o_ponto_proposals', "Sure")
            self.picture(person, 'proposal')
            self.press_enter(person, SEARCH)
            person.see(f'{PANEL} .o_ponto_last', '+++090/9337/55493+++')
            self.picture(person, 'next')
            person.see('.o_form_view .o_field_widget[name=payment_ref]')
        self.assertTrue(line.is_reconciled)
        self.assertFalse(other.is_reconciled)

    def test_a_part_of_an_invoice_is_paid_and_undone(self):
        invoice, line = self.invoice(121, 'INV-A'), self.line(100, 'on account')
        with self.person() as person:
            self.look_at(person, line)
            person.enter(SEARCH, invoice.name)
            person.click(f'{PANEL} .o_ponto_item', invoice.name, inside='input')
            person.see(f'{PANEL} .o_ponto_rest', "Nothing is left")
            self.picture(person, 'chosen')
            person.click(f'{PANEL} .o_ponto_reconcile:enabled')
            person.see(f'{PANEL} .o_ponto_done', invoice.name)
            self.picture(person, 'done')
            self.env.invalidate_all()
            self.assertEqual(invoice.amount_residual, 21)
            person.click(f'{PANEL} .o_ponto_undo')
            person.see(f'{PANEL} .o_ponto_rest', '100')
        self.assertEqual(invoice.amount_residual, 121)
        self.assertFalse(line.is_reconciled)
