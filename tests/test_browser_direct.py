from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .browser import BrowserCase
from .simulator import CLIENT_SECRET

ADD = '/odoo/action-account_online_ponto.ponto_connect_action'
SYNCHRONIZATION = '/odoo/action-account_online_ponto.ponto_link_action?debug=1'


@tagged('post_install', '-at_install')
class TestBrowserDirect(BrowserCase):
    """The manual's flows with a company's own integration; *Add a Bank Account* is in `test_browser`."""

    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 100, '2026-03-02')
        self.account = self.link()
        self.account._synchronize()
        self.accountant.group_ids |= self.env.ref('base.group_no_one')
        self.env['ponto.institution']._refresh_catalogue()

    def open_link(self, person):
        person.open(SYNCHRONIZATION)
        person.click('.o_data_row .o_data_cell', "Kadebank")

    def test_update_credentials_keeps_the_old_ones_until_the_new_ones_work(self):
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_update_credentials]')
            person.enter('.modal div[name=client_secret] input', 'wrong')
            person.click('.modal button[name=action_connect]')
            person.see('.o_error_dialog, .o_notification', "does not accept this client ID")
            person.click('.o_error_dialog footer button, .o_notification_close')
            person.enter('.modal div[name=client_secret] input', CLIENT_SECRET)
            person.click('.modal button[name=action_connect]')
            person.see('.modal div[name=message]', "linked to a journal already")
        self.assertEqual(self.integration.client_secret, CLIENT_SECRET)
        self.assertEqual(self.lines(self.account).amount, 100)

    def test_fetch_new_accounts(self):
        fresh = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(fresh, 55, '2026-03-05')
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_fetch_accounts]')
            person.see('.modal td[name=reference]', fresh.reference)
            person.click('.modal button[name=action_link_accounts]')
            person.see('td[name=payment_ref]')
        amounts = [self.lines(account).amount for account in self.env['ponto.account'].search([], order='id')]
        self.assertEqual(amounts, [100, 55])

    def test_no_account_appears(self):
        bank = self.simulator.add_institution("Heidebank")
        self.env['ponto.institution']._refresh_catalogue()
        with self.person() as person:
            person.open(ADD)
            person.enter('.o_ponto_search input', 'Heidebank')
            person.click('.o_ponto_institution_card', 'Heidebank')
            self.assertIn("Kadebank", person.see('.modal div[name=message]', "No account of %(institution)s appears"))
            person.see('.modal button[name=action_open_ponto]')
            self.simulator.add_account('BE02001234567840', institution=bank)
            person.click('.modal button[name=action_fetch_accounts]')
            person.see('.modal td[name=reference]', 'BE02001234567840')

    def test_an_expired_authorization_is_renewed_at_ponto_and_checked(self):
        soon = fields.Datetime.now() + timedelta(days=1)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=soon.isoformat() + 'Z')
        self.integration._fetch_accounts()
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_reauthorize]')
            person.see('.modal button[name=action_open_ponto]')
            person.click('.modal button[name=action_check]')
            person.see('.modal div[name=message]', "consent was not renewed")
            later = soon + timedelta(days=180)
            self.simulator.change_account(self.online, authorization_expiration_expected_at=later.isoformat() + 'Z')
            person.click('.modal button[name=action_check]')
            person.see('.modal div[name=message]', "consent was renewed until")


@tagged('post_install', '-at_install')
class TestBrowserDirectInFrench(TestBrowserDirect):
    lang = 'fr_BE'
    chart = 'be_comp'
