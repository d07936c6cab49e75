from odoo.tests import tagged

from .browser import BrowserCase
from .simulator import CLIENT_ID, CLIENT_SECRET


@tagged('post_install', '-at_install')
class TestBrowser(BrowserCase):
    """*Add a Bank Account* with a company's own integration."""

    def open_selector(self, person):
        person.open('/odoo')
        person.click('.o_navbar_apps_menu button')
        person.click('.o_app[data-menu-xmlid="account.menu_finance"]')
        person.click('button[data-menu-xmlid="account.menu_finance_configuration"]')
        person.click('a[data-menu-xmlid="account_online_ponto.ponto_connect_menu"]')

    def search(self, person, text):
        person.enter('.modal .o_ponto_search input:focus', text)

    def pick(self, person, name):
        person.click('.modal li:only-child .o_ponto_institution_card', name)

    def link_account(self, person, account, label):
        person.see('.modal td[name=reference]', account.reference)
        person.click('.modal button[name=action_link_accounts]')
        person.see('.o_list_view td[name=payment_ref]', label)

    def test_an_accountant_goes_from_add_a_bank_account_to_a_visible_statement_line(self):
        self.integration.unlink()
        self.simulator.add_institution("Amstelbank", country='NL')
        self.simulator.add_transaction(
            self.online, 121, '2026-03-02', counterpart_name="Bakkerij Smit", remittance_information="Invoice 2026/17"
        )
        with self.person() as person:
            self.open_selector(person)
            person.click('.modal .o_ponto_no_catalogue .o_ponto_refresh')
            person.see('.modal .o_ponto_institution_card', "Amstelbank")
            person.enter('.modal .o_ponto_search input', 'kade')
            self.pick(person, "Kadebank")
            person.enter('.modal div[name=client_id] input', CLIENT_ID)
            person.enter('.modal div[name=client_secret] input', CLIENT_SECRET)
            person.click('.modal button[name=action_connect]')
            self.link_account(person, self.online, "Invoice 2026/17")
        line = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        self.assertRecordValues(line, [{'amount': 121, 'payment_ref': "Invoice 2026/17"}])

    def test_a_beta_bank_is_added_after_it_was_said_who_supports_it(self):
        bank = self.simulator.add_institution("Amstelbank", country='NL', status='beta')
        account = self.simulator.add_account('NL91ABNA0417164300', institution=bank)
        self.simulator.add_transaction(account, -850, '2026-03-03', remittance_information="Huur")
        self.env['ponto.institution']._refresh_catalogue()
        self.integration._fetch_accounts()
        netherlands = self.env.ref('base.nl').with_context(lang=self.lang).name[:5]
        with self.person() as person:
            self.open_selector(person)
            self.search(person, f'amstel beta {netherlands}')
            person.see('.o_ponto_no_hit')
            self.search(person, f'amstel {netherlands}')
            self.pick(person, "Amstelbank")
            person.see('.modal:not(.o_inactive_modal) .modal-body', "as a beta version. Ponto itself supports it")
            person.click('.modal:not(.o_inactive_modal) .modal-footer .btn-secondary')
            self.pick(person, "Amstelbank")
            person.click('.modal:not(.o_inactive_modal) .modal-footer .btn-primary')
            person.see('.modal .alert', "Ponto")
            self.link_account(person, account, "Huur")
        line = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        self.assertRecordValues(line, [{'amount': -850, 'payment_ref': "Huur"}])

    def test_a_bank_that_is_not_listed_is_set_up_by_hand(self):
        # Odoo's own set-up makes a bank account of the company's contact.
        self.accountant.group_ids |= self.env.ref('base.group_partner_manager')
        self.env['ponto.institution']._refresh_catalogue()
        with self.person() as person:
            self.open_selector(person)
            person.see('.modal .o_ponto_institution_card')
            person.see('.modal .o_ponto_not_listed')
            self.search(person, 'no such name')
            person.click('.modal .o_ponto_no_hit .o_ponto_not_listed', "My bank is not listed")
            person.enter('.modal div[name=acc_number] input', 'BE71096123456769')
            person.click('.modal button[name=validate]')
            person.see('body:not(:has(.modal))')
        self.assertTrue(
            self.env['account.journal'].search(
                [
                    ('company_id', '=', self.company.id),
                    ('bank_account_id.sanitized_acc_number', '=', 'BE71096123456769'),
                ]
            )
        )


@tagged('post_install', '-at_install')
class TestBrowserInFrench(TestBrowser):
    lang = 'fr_BE'
    chart = 'be_comp'
