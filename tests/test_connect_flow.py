import base64
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from freezegun import freeze_time

from odoo.addons.account_online_ponto.controllers.main import PontoController
from odoo.addons.account_online_ponto.controllers.rate_limit import LIMIT, RateLimit
from odoo.tests import HttpCase, new_test_user, tagged

from ..ponto import AUTHORIZATION_URL
from .common import PATIENCE, PontoCase
from .simulator.connect import APPLICATION_ID, CLIENT_ID, CLIENT_SECRET, Connect
from .simulator.visitor import Visitor


def set_up_application(env, connect):
    """Enter the simulated application at Ibanity into the settings."""
    credentials = connect.client_credentials
    key = env['certificate.key'].create({'name': "Application", 'content': base64.b64encode(credentials.private_key)})
    certificate = env['certificate.certificate'].create(
        {'name': "Application", 'content': base64.b64encode(credentials.certificate), 'private_key_id': key.id}
    )
    for name, value in {
        'connect_client_id': CLIENT_ID,
        'connect_client_secret': CLIENT_SECRET,
        'connect_application_id': APPLICATION_ID,
        'connect_certificate_id': certificate.id,
    }.items():
        env['ir.config_parameter'].set_param(f'account_online_ponto.{name}', str(value))


class ConnectCase(PontoCase, HttpCase):
    """A database with an application at Ibanity, before anybody has given it a consent."""

    def setUp(self):
        super().setUp()
        PontoController.rate_limit = RateLimit()
        self.integration.unlink()
        self.connect = Connect(self.simulator, redirect_uris=[f'{self.base_url()}/ponto/consent/return'])
        self.env['ir.config_parameter'].set_param('web.base.url', self.base_url())
        set_up_application(self.env, self.connect)
        self.simulator.add_transaction(self.online, 100, '2026-03-02')
        self.authenticate(self.accountant.login, self.accountant.login)

    def call(self, model, method, ids=()):
        return self.make_jsonrpc_request(
            '/web/dataset/call_kw',
            {'model': model, 'method': method, 'args': [list(ids)] if ids else [], 'kwargs': {}},
            timeout=PATIENCE,
        )

    def go_to_ponto(self):
        """Click Connect and return the address of Ponto's consent page."""
        wizard = self.env['ponto.connect'].with_user(self.accountant).create({})
        action = self.call('ponto.connect', 'action_connect', wizard.ids)
        self.assertEqual((action['type'], action['target']), ('ir.actions.act_url', 'self'))
        return action['url']

    def come_back(self, address, **kw):
        """Open the address that Ponto sends the browser to."""
        return self.url_open(address, allow_redirects=False, timeout=PATIENCE, **kw)

    def consent_without_browser(self, *accounts):
        """Give consent for `accounts` and return the wizard in which Odoo goes on."""
        address = Visitor(self.simulator).consent(self.go_to_ponto(), list(accounts or [self.online]))
        response = self.come_back(address)
        self.assertEqual(response.status_code, 303, response.text[:500])
        shown = self.call('ponto.connect', 'action_continue')
        return self.env['ponto.connect'].browse(shown['params']['dialog']['res_id'])

    def renew_at_ponto(self, account):
        """Renew the consent for `account` on Ponto's page and return the address that Ponto sends the browser to."""
        opened = self.call('ponto.link', 'action_reauthorize', account.link_id.ids)
        action = self.call('ponto.reauthorize', 'action_renew', [opened['res_id']])
        return Visitor(self.simulator).renew(action['url'])

    def message(self, response):
        self.assertIn('ponto_message', response.text)
        return response.text.split('id="ponto_message"')[1].split('>', 1)[1].split('<')[0]


@tagged('post_install', '-at_install')
class TestConnectFlow(ConnectCase):
    def test_a_consent_brings_the_accounts_and_their_transactions(self):
        wizard = self.consent_without_browser()
        self.assertEqual(wizard.line_ids.reference, self.online.reference)
        wizard.with_user(self.accountant).action_link_accounts()
        integration = wizard.integration_id
        self.assertRecordValues(
            integration,
            [{'connection': 'connect', 'state': 'connected', 'organization_id': self.connect.organization.id}],
        )
        self.assertEqual(self.lines(wizard.line_ids.account_id).amount, 100)

    def test_the_address_of_the_consent_page_has_what_ponto_wants_and_no_secret(self):
        query = parse_qs(urlsplit(self.go_to_ponto()).query)
        self.assertEqual(query['scope'], ['ai offline_access name'])
        self.assertEqual(query['code_challenge_method'], ['S256'])
        self.assertEqual(query['redirect_uri'], [f'{self.base_url()}/ponto/consent/return'])
        self.assertNotIn(CLIENT_SECRET, str(query))

    def test_a_second_consent_of_the_same_organization_updates_the_same_connection(self):
        first = self.consent_without_browser().integration_id
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        wizard = self.consent_without_browser(self.online, savings)
        self.assertEqual(wizard.integration_id, first)
        self.assertEqual(len(wizard.line_ids), 2)

    def test_a_refused_consent_says_so_and_offers_to_go_on(self):
        response = self.come_back(Visitor(self.simulator).refuse(self.go_to_ponto()))
        self.assertIn("have not given Odoo permission", self.message(response))
        self.assertIn("Connect Again", response.text)
        self.assertFalse(self.env['ponto.integration'].search([]))

    def test_a_forged_stolen_or_replayed_return_is_refused(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        genuine = parse_qs(urlsplit(address).query)['state'][0]
        for state in ('', 'forged', genuine[:-2], genuine + 'A', 'x' * 5000):
            response = self.come_back(address.replace(f'state={genuine}', f'state={state}'))
            self.assertEqual(response.status_code, 400, state[:20])
            self.assertIn("cannot match this return", self.message(response))
        self.assertEqual(self.come_back(address).status_code, 303)
        self.assertEqual(self.come_back(address).status_code, 400)

    def test_no_header_leads_the_browser_or_the_consent_elsewhere(self):
        headers = {'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', 'Forwarded': 'host=evil.example'}
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        response = self.come_back(address, headers=headers)
        self.assertEqual(response.status_code, 303)
        self.assertNotIn('evil', response.headers['Location'])
        response = self.come_back('/ponto/consent/return?state=forged&code=x', headers=headers)
        self.assertEqual(response.status_code, 400)
        self.assertNotIn('evil', response.text)

    def test_what_a_forged_return_carries_is_not_repeated_on_the_page(self):
        markup = '%3Cscript%3Ealert(1)%3C/script%3E'
        for parameters in (f'state={markup}', f'state=x&error={markup}', f'state=x&code={markup}&{markup}={markup}'):
            response = self.come_back(f'/ponto/consent/return?{parameters}')
            self.assertEqual(response.status_code, 400)
            self.assertNotIn('alert(1)', response.text)

    def test_a_flood_of_returns_hears_to_wait_and_keeps_no_genuine_one_out(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        for path in ('consent', 'reauthorization'):
            for _time in range(LIMIT // 2):
                self.assertEqual(self.come_back(f'/ponto/{path}/return?state=forged').status_code, 400)
        response = self.come_back('/ponto/consent/return?state=forged')
        self.assertEqual(response.status_code, 429)
        self.assertGreater(int(response.headers['Retry-After']), 0)
        self.assertEqual(self.come_back(address).status_code, 303)

    def test_a_return_in_another_users_session_is_refused(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        other = new_test_user(
            self.env, 'ponto_other', groups='account.group_account_manager', company_id=self.company.id
        )
        self.authenticate(other.login, other.login)
        response = self.come_back(address)
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.env['ponto.integration'].search([]))

    def test_a_state_stolen_into_another_session_of_the_same_user_is_refused(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        started_in = self.session
        self.authenticate(self.accountant.login, self.accountant.login)
        self.assertNotEqual(self.session.sid, started_in.sid)
        response = self.come_back(address)
        self.assertEqual(response.status_code, 400)
        self.assertIn("in another browser", self.message(response))
        self.assertFalse(self.env['ponto.integration'].search([]))

    def test_a_redirect_uri_elsewhere_gets_no_code(self):
        query = dict(parse_qsl(urlsplit(self.go_to_ponto()).query))
        ours = query['redirect_uri']
        for elsewhere in ('https://evil.test/ponto/consent/return', f'{ours}/..', f'{ours}?to=https://evil.test'):
            visitor = Visitor(self.simulator)
            self.assertEqual(visitor.open(f'{AUTHORIZATION_URL}?{urlencode(query | {"redirect_uri": elsewhere})}'), '')
            self.assertIn("not registered", visitor.error)

    def test_a_code_that_was_given_for_a_redirect_uri_elsewhere_is_refused(self):
        # Another address of the same application, as that of a second Odoo.
        self.connect.redirect_uris.append('https://other.example.com/ponto/consent/return')
        address = self.go_to_ponto()
        query = dict(parse_qsl(urlsplit(address).query), redirect_uri=self.connect.redirect_uris[1])
        elsewhere = Visitor(self.simulator).consent(f'{AUTHORIZATION_URL}?{urlencode(query)}', [self.online])
        response = self.come_back(f'/ponto/consent/return?{urlsplit(elsewhere).query}')
        self.assertEqual(response.status_code, 400)
        self.assertIn("came too late or was used already", self.message(response))
        self.assertFalse(self.env['ponto.integration'].search([]))

    def test_a_replayed_return_is_refused_and_leaves_what_the_first_has_connected(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        self.assertEqual(self.come_back(address).status_code, 303)
        response = self.come_back(address)
        self.assertEqual(response.status_code, 400)
        self.assertIn("used already", self.message(response))
        integration = self.env['ponto.integration'].search([])
        integration._fetch_accounts()
        self.assertEqual(integration.state, 'connected')

    def test_a_window_closed_at_ponto_leaves_nothing_and_connecting_again_works(self):
        visitor = Visitor(self.simulator)
        visitor.open(self.go_to_ponto())
        visitor.press('choose-bank', institution=self.bank.id)
        self.assertFalse(self.env['ponto.integration'].search([]))
        self.assertEqual(self.consent_without_browser().line_ids.reference, self.online.reference)
        self.assertEqual(len(self.env['ponto.integration'].search([])), 1)

    def test_a_refresh_token_used_twice_ends_the_consent_and_a_new_one_loses_nothing(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        token = self.env['ponto.token'].search([])
        old = token.read(['access_token', 'refresh_token'])[0]
        self.connect.revoke_access_tokens()
        self.call('ponto.account', 'action_fetch_transactions', account.ids)
        self.assertNotEqual(token.refresh_token, old['refresh_token'])
        # As a copy of the database that is restored, or somebody who has stolen it, would.
        token.write({'access_token': old['access_token'], 'refresh_token': old['refresh_token']})
        notification = self.call('ponto.account', 'action_fetch_transactions', account.ids)
        self.assertIn("Update Credentials", notification['params']['message'])
        self.assertEqual((account.state, account.integration_id.state), ('error', 'refused'))
        self.consent_without_browser()
        self.run_cron()
        self.assertEqual((account.state, account.integration_id.state), ('active', 'connected'))
        self.assertEqual(self.lines(account).amount, 100)

    def test_a_return_that_comes_too_late_is_refused(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        self.simulator.advance(minutes=5)
        response = self.come_back(address)
        self.assertIn("came too late or was used already", self.message(response))
        self.assertFalse(self.env['ponto.integration'].search([]))

    def test_a_code_without_its_verifier_is_refused(self):
        first, second = self.go_to_ponto(), self.go_to_ponto()
        stolen = parse_qs(urlsplit(Visitor(self.simulator).consent(first, [self.online])).query)['code'][0]
        state = parse_qs(urlsplit(second).query)['state'][0]
        response = self.come_back(f'/ponto/consent/return?code={stolen}&state={state}')
        self.assertIn("Please connect once more", self.message(response))

    def test_only_an_administrator_may_come_back_with_a_consent(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        self.accountant.group_ids -= self.env.ref('account.group_account_manager')
        self.assertEqual(self.come_back(address).status_code, 403)

    def test_ponto_out_of_reach_at_the_return_is_told_in_a_sentence(self):
        address = Visitor(self.simulator).consent(self.go_to_ponto(), [self.online])
        self.simulator.fail(None, kind='reset', path='/oauth2/token')
        response = self.come_back(address)
        self.assertEqual(response.status_code, 502)
        self.assertIn("cannot be reached", self.message(response))

    def test_refresh_tokens_rotate_and_the_newest_is_kept(self):
        integration = self.consent_without_browser().integration_id
        for _time in range(3):
            self.connect.revoke_access_tokens()
            self.env.invalidate_all()
            integration._fetch_accounts()
        self.assertEqual(integration.state, 'connected')

    def test_a_consent_that_has_ended_at_ponto_is_told_and_a_new_one_imports_nothing_again(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        self.connect.end(self.connect.grant_of())
        self.run_cron()
        self.assertEqual((account.state, account.integration_id.state), ('error', 'refused'))
        self.assertIn("Update Credentials", account.error_message)
        self.consent_without_browser()
        self.run_cron()
        self.assertEqual((account.state, account.integration_id.state), ('active', 'connected'))
        self.assertEqual(self.lines(account).amount, 100)

    def test_disconnect_ends_the_consent_at_ponto_and_leaves_the_books(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        wizard.integration_id.with_user(self.accountant).action_disconnect()
        self.assertIsNone(self.connect.grant_of())
        self.assertEqual(account.state, 'withdrawn')
        self.assertEqual(self.lines(account).amount, 100)

    def test_disconnect_works_whatever_is_missing_and_says_that_ponto_does_not_know(self):
        def without_certificate():
            self.env['ir.config_parameter'].set_param('account_online_ponto.connect_certificate_id', '0')

        def with_a_wrong_address():
            self.env['ir.config_parameter'].set_param('account_online_ponto.connect_api_url', 'http://ponto.example')

        def without_encryption_key():
            self.env['ir.config_parameter'].set_param('account_online_ponto.connect_client_secret', 'fernet:lost')

        def refused():
            self.simulator.fail(None, status=403, path='/oauth2/')

        def out_of_reach():
            self.simulator.fail(None, kind='reset')

        integration = self.consent_without_browser().integration_id
        for trouble in (without_certificate, with_a_wrong_address, without_encryption_key, refused, out_of_reach):
            with self.subTest(trouble.__name__), self.env.cr.savepoint() as savepoint:
                trouble()
                shown = integration.with_user(self.accountant).action_disconnect()
                self.assertIn("Ponto could not be informed", shown['params']['message'])
                self.assertEqual(
                    (integration.state, set(integration.account_ids.mapped('state'))), ('draft', {'withdrawn'})
                )
                self.assertFalse(self.env['ponto.token'].search([]).access_token)
                savepoint.rollback()
                self.simulator.clear_faults()

    def test_one_consent_that_cannot_be_kept_leaves_the_others_alone(self):
        second = self.consent_without_browser().integration_id
        first = self.env['ponto.integration'].create(
            {'connection': 'connect', 'company_id': self.company.id, 'organization_id': 'another', 'state': 'connected'}
        )
        self.env['ir.config_parameter'].set_param('account_online_ponto.connect_api_url', 'http://ponto.example')
        self.connect.revoke_access_tokens()
        with self.assertLogs('odoo.addons.account_online_ponto', 'WARNING') as logs:
            self.run_cron('ir_cron_keep_consents')
        self.assertEqual(len([line for line in logs.output if "could not be kept alive" in line]), 2)
        self.env['ir.config_parameter'].set_param('account_online_ponto.connect_api_url', False)
        self.run_cron('ir_cron_keep_consents')
        self.assertEqual((first.state, second.state), ('refused', 'connected'))

    def test_all_consents_are_kept_however_long_the_first_one_takes_and_none_while_ponto_is_out_of_reach(self):
        second = self.consent_without_browser().integration_id
        first = self.env['ponto.integration'].create(
            {'connection': 'connect', 'company_id': self.company.id, 'organization_id': 'another', 'state': 'connected'}
        )
        self.simulator.fail(None, kind='reset')
        self.connect.revoke_access_tokens()
        requests = len(self.simulator.requests)
        self.run_cron('ir_cron_keep_consents')
        tried = {request.path for request in self.simulator.requests[requests:]}
        self.assertEqual(len(tried), 1, tried)
        self.simulator.clear_faults()
        for _run in range(2):
            self.end_jobs_after(1)
            self.run_cron('ir_cron_keep_consents')
        self.assertEqual((first.state, second.state), ('refused', 'connected'))

    def test_a_renewal_through_pontos_page_says_until_when(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        before = account.authorization_expires_at
        self.simulator.advance(days=20)
        response = self.come_back(self.renew_at_ponto(account))
        self.assertEqual(response.status_code, 303)
        shown = self.call('ponto.reauthorize', 'action_continue')
        renewal = self.env['ponto.reauthorize'].browse(shown['params']['dialog']['res_id'])
        self.assertIn("consent was renewed until", renewal.message)
        self.assertGreater(account.authorization_expires_at, before)

    def test_the_return_of_a_renewal_is_refused_as_the_return_of_a_consent(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        state = urlsplit(self.renew_at_ponto(wizard.line_ids.account_id)).query
        response = self.come_back(f'/ponto/consent/return?{state}&code=x')
        self.assertEqual(response.status_code, 400)
        self.assertIn("cannot match this return", self.message(response))

    def test_a_renewal_by_somebody_who_may_not_change_the_link_any_more_is_refused(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        address = self.renew_at_ponto(wizard.line_ids.account_id)
        self.accountant.group_ids -= self.env.ref('account.group_account_manager')
        response = self.come_back(address)
        self.assertEqual(response.status_code, 400)
        self.assertIn("a renewal that you have started", self.message(response))

    def test_every_call_is_signed_when_there_is_a_signature_certificate(self):
        key_id, private_key = self.connect.add_signature_certificate()
        certificate = self.connect.authority.issue_client('signature', key=load_pem_private_key(private_key, None))
        key = self.env['certificate.key'].create({'name': "Signature", 'content': base64.b64encode(private_key)})
        record = self.env['certificate.certificate'].create(
            {'name': "Signature", 'content': base64.b64encode(certificate.certificate), 'private_key_id': key.id}
        )
        parameters = self.env['ir.config_parameter']
        parameters.set_param('account_online_ponto.connect_signature_certificate_id', str(record.id))
        parameters.set_param('account_online_ponto.connect_signature_key_id', key_id)
        with freeze_time(self.simulator.clock.replace(tzinfo=None)):
            wizard = self.consent_without_browser()
        self.assertEqual(wizard.line_ids.reference, self.online.reference)

    def test_a_missing_certificate_is_told_in_a_sentence(self):
        wizard = self.consent_without_browser()
        self.env['ir.config_parameter'].set_param('account_online_ponto.connect_certificate_id', '0')
        with self.assertRaisesRegex(Exception, "certificate of Ponto Connect"):
            wizard.integration_id._client()
