"""The addon's own screens without barriers: names, roles, contrast and order, on a wide screen and on a phone."""

from datetime import timedelta
from unittest import skipUnless

from odoo import Command, fields
from odoo.tests import tagged

from .accessibility import barriers, has_axe
from .browser import BrowserCase
from .screens import CONNECT

CARD = '.o_kanban_record:has(.o_ponto_card)'
SIZES = ((1280, 800), (400, 800))


@skipUnless(has_axe(), "axe-core is not at hand: scripts/test gets it")
@tagged('post_install', '-at_install')
class TestBrowserAccessibility(BrowserCase):
    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.today = fields.Date.today()
        self.simulator.add_transaction(self.online, 121, self.today, remittance_information="Advance")

    def linked(self):
        account = self.link()
        account._synchronize()
        return account

    def troubled(self):
        """An account with something of everything: held rows, a difference, a consent about to end."""
        self.simulator.add_transaction(self.online, 5, self.today, currency='USD', remittance_information="In dollars")
        ends = fields.Datetime.now() + timedelta(days=5)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=f'{ends.isoformat()}Z')
        return self.linked()

    def look(self, person, address, selector, *steps):
        """Go to a screen in both sizes, do the steps there, and look for barriers in what the selector matches."""
        for size in SIZES:
            person.resize(*size)
            person.open('about:blank')
            person.open(address)
            for step in steps:
                person.click(*step) if isinstance(step, tuple) else person.click(step)
            person.see(selector)
            with self.subTest(address, selector=selector, width=size[0]):
                self.assertFalse(barriers(person, selector), "barriers")

    def test_the_card_of_a_feed(self):
        self.linked()
        with self.person() as person:
            self.look(person, '/odoo/accounting', '.o_ponto_card')

    def test_the_card_of_a_feed_with_problems(self):
        self.troubled()
        with self.person() as person:
            self.look(person, '/odoo/accounting', '.o_ponto_card:has(.o_ponto_problem)')
            self.look(person, '/odoo/bank-health', '.o_list_renderer, .o_kanban_renderer')

    def test_the_progress_of_a_fetch_is_said_to_screen_readers(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.linked()
        with self.person() as person:
            person.open('/odoo/accounting')
            person.click(f'{CARD} .o_ponto_fetch')
            person.see(f'{CARD} .o_ponto_progress[role=status]')
            self.assertFalse(barriers(person, '.o_ponto_card'), "barriers")

    def test_the_choice_of_a_bank_and_its_credentials(self):
        self.integration.unlink()
        self.simulator.add_institution("Betabank", bic='BETABEBB', status='beta')
        self.env['ponto.institution']._refresh_catalogue()
        with self.person() as person:
            self.look(person, CONNECT, '.o_ponto_institution_selector')
            self.look(person, CONNECT, '.modal .o_form_view', ('.o_ponto_institution_card', "Kadebank"))

    def test_the_accounts_that_a_bank_offers(self):
        self.env['ponto.institution']._refresh_catalogue()
        self.integration._fetch_accounts()
        with self.person() as person:
            card = ('.o_ponto_institution_card', "Kadebank")
            self.look(person, CONNECT, '.modal .o_form_view', card)

    def test_what_is_to_review(self):
        row = self.troubled().transaction_ids.filtered('hold_reason')
        with self.person() as person:
            self.look(person, '/odoo/bank-to-review', '.o_list_renderer, .o_kanban_renderer')
            self.look(person, f'/odoo/bank-to-review/{row.id}', '.o_form_view .o_form_sheet')

    def test_the_panel_in_which_a_transaction_is_reconciled(self):
        partner = self.env['res.partner'].create({'name': "Immo Zuidpark BV"})
        invoices = self.env['account.move'].create(
            [
                {
                    'move_type': 'out_invoice',
                    'invoice_date': self.today,
                    'partner_id': partner.id,
                    'invoice_line_ids': [Command.create({'name': "Kast", 'price_unit': amount, 'tax_ids': []})],
                }
                for amount in (55, 60)
            ]
        )
        invoices.action_post()
        reference = invoices[0].payment_reference or invoices[0].name
        self.simulator.add_transaction(self.online, 55, self.today, remittance_information=reference)
        line = self.lines(self.linked()).filtered(lambda line: line.amount == 55)
        address = f'/odoo/bank-transactions/{line.id}'
        with self.person() as person:
            self.look(person, address, '.o_ponto_panel:has(.o_ponto_proposals)')
            self.look(person, address, '.o_ponto_panel', '.o_ponto_item')
            self.look(person, address, '.o_ponto_panel', '.o_ponto_book')
            person.click('.o_ponto_accept')
            self.look(person, address, '.o_ponto_panel:has(.o_ponto_done)')

    def test_the_settings(self):
        self.accountant.group_ids |= self.env.ref('base.group_system')
        with self.person() as person:
            self.look(
                person,
                '/odoo/action-account.action_account_config',
                '.o_settings_container:has([name=ponto_office_ip])',
            )
