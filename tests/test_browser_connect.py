from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .browser import BrowserCase
from .simulator.server import Server
from .test_connect_flow import ConnectCase

ADD = '/odoo/action-account_online_ponto.ponto_connect_action'
SYNCHRONIZATION = '/odoo/action-account_online_ponto.ponto_link_action?debug=1'


class BrowserConnectCase(BrowserCase, ConnectCase):
    """A bank is connected in a browser, through Ponto's own (simulated) pages."""

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        if cls.ponto and request.url.startswith(cls.ponto):
            # Without TLS there is no certificate to present.
            return cls.simulator.send(request, **kw)
        return super()._request_handler(session, request, **kw)

    ponto = ''

    def setUp(self):
        super().setUp()
        server = self.enterContext(Server(self.simulator))
        type(self).ponto = server.url
        self.addCleanup(setattr, type(self), 'ponto', '')
        parameters = self.env['ir.config_parameter']
        parameters.set_param('account_online_ponto.authorization_url', f'{server.url}/oauth2/auth')
        parameters.set_param('account_online_ponto.connect_api_url', f'{server.url}/ponto-connect')
        self.accountant.group_ids |= self.env.ref('base.group_no_one')
        self.env['ponto.institution']._refresh_catalogue()

    def pick(self, person, name):
        person.open(ADD)
        person.enter('.o_ponto_search input', name)
        person.click('.o_ponto_institution_card', name)

    def consent(self, person, *accounts):
        """Go through Ponto's pages and tick these accounts, besides those that are covered already."""
        person.click(f'#institution-{self.bank.id}')
        person.click('#choose-bank')
        person.enter('#login', 'me')
        person.enter('#code', '123456')
        person.click('#log-in')
        for account in accounts:
            person.click(f'#account-{account.reference}-EUR:not(:checked)')
        person.click('#allow')

    def connected(self):
        """Return the account of a company that is connected and has its first transaction in the books."""
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        return wizard.line_ids.account_id


@tagged('post_install', '-at_install')
class TestBrowserConnect(BrowserConnectCase):
    """The flows of Odoo's manual with Ponto Connect, clicked."""

    def test_link_the_first_account(self):
        with self.person() as person:
            self.pick(person, "Kadebank")
            person.click('button[name=action_connect]')
            self.consent(person, self.online)
            person.see('td[name=reference]', self.online.reference)
            person.click('button[name=action_link_accounts]')
            person.see('td[name=payment_ref]')
        self.assertEqual(self.lines(self.env['ponto.account'].search([])).amount, 100)

    def test_update_credentials_loses_nothing(self):
        account = self.connected()
        with self.person() as person:
            person.open(SYNCHRONIZATION)
            person.click('.o_data_row .o_data_cell', "Kadebank")
            person.click('button[name=action_update_credentials]')
            person.click('.modal button[name=action_connect]')
            self.consent(person)
            person.see('div[name=message]', "linked to a journal already")
        self.assertEqual(self.env['ponto.account'].search([]), account)
        self.assertEqual((account.state, self.lines(account).amount), ('active', 100))

    def test_fetch_new_accounts(self):
        account = self.connected()
        fresh = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(fresh, 55, '2026-03-05')
        with self.person() as person:
            person.open(SYNCHRONIZATION)
            person.click('.o_data_row .o_data_cell', "Kadebank")
            person.click('button[name=action_fetch_accounts]')
            person.see('.modal', "also those that it already reads")
            person.click('.modal button[name=action_connect]')
            self.consent(person, fresh)
            person.see('td[name=reference]', fresh.reference)
            person.click('button[name=action_link_accounts]')
            person.see('td[name=payment_ref]')
        self.assertEqual(len(self.env['ponto.account'].search([])), 2)
        self.assertEqual(self.lines(account).amount, 100)

    def test_no_account_appears(self):
        self.simulator.add_institution("Heidebank")
        self.env['ponto.institution']._refresh_catalogue()
        with self.person() as person:
            self.pick(person, "Heidebank")
            person.click('button[name=action_connect]')
            self.consent(person, self.online)
            message = person.see('div[name=message]', "No account of %(institution)s appears")
            self.assertIn("Kadebank", message)
            person.see('button[name=action_connect]')

    def test_a_refused_consent_leads_back_to_odoo(self):
        with self.person() as person:
            self.pick(person, "Kadebank")
            person.click('button[name=action_connect]')
            person.click('#refuse')
            person.see('#ponto_message', "have not given Odoo permission")
            person.click('a.btn-primary', "Connect Again")
            person.see('.o_ponto_search input')

    def test_an_expired_authorization_is_renewed(self):
        account = self.connected()
        ended = fields.Datetime.now() - timedelta(days=2)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=ended.isoformat() + 'Z')
        account.integration_id._fetch_accounts()
        self.assertEqual(account.consent_state, 'ended')
        before = account.authorization_expires_at
        # The simulator renews from its own clock on.
        self.simulator.advance(days=20)
        with self.person() as person:
            person.open(SYNCHRONIZATION)
            person.click('.o_data_row .o_data_cell', "Kadebank")
            person.click('button[name=action_reauthorize]')
            person.click('.modal button[name=action_renew]')
            person.enter('#login', 'me')
            person.enter('#code', '123456')
            person.click('#renew')
            person.see('div[name=message]', self.online.reference)
        self.assertNotEqual(account.authorization_expires_at, before)
        self.assertEqual(self.env['ponto.account'].search_count([]), 1)

    def test_a_beta_institution_says_who_supports_it(self):
        bank = self.simulator.add_institution("Proefbank", status='beta')
        self.simulator.add_account('BE02001234567840', institution=bank)
        self.env['ponto.institution']._refresh_catalogue()
        with self.person() as person:
            self.pick(person, "Proefbank")
            person.see('.modal:not(.o_inactive_modal) .modal-body', "as a beta version. Ponto itself supports it")
            person.click('.modal:not(.o_inactive_modal) .modal-footer .btn-primary')
            person.click('button[name=action_connect]')
            person.see(f'#institution-{bank.id}')


@tagged('post_install', '-at_install')
class TestBrowserConnectInDutch(TestBrowserConnect):
    lang = 'nl_BE'
    chart = 'be_comp'
