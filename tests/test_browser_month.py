"""A month of a company from its connection with the bank until its books are locked."""

import json

from odoo import fields
from odoo.exceptions import RedirectWarning
from odoo.tests import tagged

from .test_browser_connect import BrowserConnectCase
from .test_browser_reconcile import LAST, LIST, PANEL, REST, SEARCH, BrowserReconcileCase

MONTH_END = '2026-03-31'
LABEL = '.o_form_view [name=payment_ref] input, .o_form_view [name=payment_ref] span'
# Resolves with the label of the transaction that the form shows, once it is another one than before.
NEXT_LABEL = """new Promise((resolve) => {
    const look = () => {
        const field = document.querySelector(%s);
        const label = field && (field.value || field.textContent);
        label && label !== %s ? resolve(label) : setTimeout(look, 50);
    };
    look();
})"""


@tagged('post_install', '-at_install')
class TestBrowserMonth(BrowserConnectCase, BrowserReconcileCase):
    def setUp(self):
        super().setUp()
        for number in range(4):
            self.invoice(100 + number, f'KAD-1000{number}')
            self.happens(100 + number, f"Invoice KAD-1000{number}", "Bakkerij Smit")
        # The documents of each transaction that is left to a person; none where it is booked on an account.
        self.work = {"Wire transfer": [self.invoice(100)]}
        for number in range(4):
            self.work[f"Flour of week {number}"] = [self.invoice(50 + number, move_type='in_invoice')]
            self.happens(-50 - number, f"Flour of week {number}", "Meelhandel Claes")
        self.partly = self.invoice(400)
        self.work["All of it later"] = [self.partly]
        self.happens(150, "All of it later", "Somebody")
        self.work["Two at once"] = [self.invoice(31), self.invoice(32)]
        self.happens(63, "Two at once", "Somebody else")
        for number in range(3):
            self.work[f"Rent of shop {number}"] = []
            self.happens(-900, f"Rent of shop {number}", "Lessor")

    def numbers(self):
        """Return `{label: numbers of its documents}` of the work."""
        return {label: [document.name for document in documents] for label, documents in self.work.items()}

    def happens(self, amount, text, name):
        self.simulator.add_transaction(
            self.online, amount, '2026-03-10', remittance_information=text, counterpart_name=name
        )

    def lock(self):
        self.company.fiscalyear_lock_date = MONTH_END

    def next_label(self, person, before=''):
        return person.evaluate(NEXT_LABEL % (json.dumps(LABEL), json.dumps(before)))

    def choose(self, person, numbers):
        """Do what one transaction needs, without a mouse."""
        if not numbers:
            if self.is_rent_known:
                return
            self.is_rent_known = True
            person.press('a', alt=True)
            person.see(f'{PANEL} .o_ponto_account input:focus')
            person.type(self.code)
            person.see('.o-autocomplete--dropdown-item', self.code)
            person.press('Enter')
            person.see(f'{SEARCH}:focus')
        else:
            for number in numbers:
                person.type(number)
                person.press('Enter')
                person.see(f'{PANEL} .o_ponto_chosen', number)
        person.see(REST, "Nothing is left")

    def test_a_month_is_connected_matched_worked_off_by_keyboard_and_locked(self):
        self.is_rent_known = False
        self.simulator.synchronize(self.online)
        numbers = self.numbers()
        with self.person() as person:
            self.pick(person, "Kadebank")
            person.click('button[name=action_connect]')
            self.consent(person, self.online)
            person.see('td[name=reference]', self.online.reference)
            person.see('[name=match_automatically] input:checked')
            self.picture(person, 'connect', '[name=match_automatically]')
            person.click('button[name=action_link_accounts]')
            person.see('td[name=payment_ref]')
            person.rest()
            self.run_cron('ir_cron_book')
            self.run_cron('ir_cron_match')
            account = self.env['ponto.account'].search([])
            lines = self.lines(account)
            self.assertEqual(len(lines), 4 + len(self.work))
            self.assertEqual(len(lines.filtered('is_matched_by_itself')), 4)
            with self.assertRaises(RedirectWarning):
                self.lock()
            person.open(LIST)
            person.click('.o_searchview_dropdown_toggler')
            person.click('.o_filter_menu .o_menu_item', "To Reconcile")
            person.see('.o_searchview_facet', "To Reconcile")
            person.see(f'.o_data_row:nth-child({len(self.work)})')
            person.click('.o_data_row [name=payment_ref]')
            label = ''
            for _transaction in self.work:
                label = self.next_label(person, label)
                person.see(f'{SEARCH}:focus')
                self.choose(person, numbers[label])
                person.press('Enter')
                person.see(LAST, label)
            person.see(f'{PANEL} .o_ponto_done')
        self.assertTrue(all(lines.mapped('is_reconciled')))
        self.assertEqual(self.partly.amount_residual, 250)
        self.lock()
        self.assertEqual(self.company.fiscalyear_lock_date, fields.Date.to_date(MONTH_END))
