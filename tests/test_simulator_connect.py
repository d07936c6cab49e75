"""The simulator's Ponto Connect: consent pages, webhooks, and all of it on a socket by mutual TLS."""

import contextlib
import logging
import tempfile
from datetime import datetime, timezone
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests

from odoo.tests import BaseCase

from ..ponto import (
    AuthorizationCodeAuth,
    HttpSignature,
    MemoryTokenStore,
    PontoConnectClient,
    PontoConnectionError,
    PontoError,
    PontoGrantError,
    PontoResponseError,
    PontoWebhookError,
    Token,
    authorization_url,
    new_connect_session,
    pkce_pair,
    signature,
    webhook,
)
from ..ponto.signature import digest
from .simulator import Connect, Simulator
from .simulator.authority import Authority
from .simulator.connect import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI
from .simulator.server import Server
from .simulator.visitor import Visitor
from .test_ponto_connect import STATE, ConnectCase
from .test_ponto_transport import SEND, answer
from .test_ponto_transport import Server as Acts


class TestApplication(ConnectCase):
    """What only the application itself asks for, and what all answers carry."""

    def call(self, method, path, token='', **kwargs):
        request = requests.Request(method, f'https://api.ibanity.com{path}', **kwargs)
        if token:
            request.headers['Authorization'] = f'Bearer {token}'
        self.connect.certificate_required = False
        return self.simulator.send(request.prepare())

    def token(self):
        return self.connect.issue_to_application()['access_token']

    def test_every_answer_carries_the_id_of_the_request(self):
        good, refused = self.call('GET', '/ponto-connect'), self.call('GET', '/ponto-connect/userinfo')
        self.assertTrue(good.headers['ibanity-request-id'])
        self.assertEqual(refused.json()['errors'][0]['meta']['requestId'], refused.headers['ibanity-request-id'])

    def test_the_root_documents_name_what_there_is(self):
        links = self.call('GET', '/ponto-connect').json()['links']
        self.assertLessEqual({'onboardingDetails', 'integrationAccounts', 'userinfo'}, set(links))
        self.assertEqual(set(links['organizations']), {'integration', 'usage'})
        keys = self.call('GET', '/webhooks').json()['links']['keys']
        self.assertEqual(set(self.call('GET', urlsplit(keys).path).json()), {'keys'})

    def test_the_details_of_a_customer_who_signs_up_are_taken(self):
        body = {'data': {'type': 'onboardingDetails', 'attributes': {'email': 'jsmith@example.com'}}}
        answer = self.call('POST', '/ponto-connect/onboarding-details', self.token(), json=body)
        self.assertEqual((answer.status_code, answer.json()['data']['type']), (201, 'onboardingDetails'))
        body['data']['attributes'] = {'firstName': 'Jo'}
        answer = self.call('POST', '/ponto-connect/onboarding-details', self.token(), json=body)
        self.assertEqual(answer.status_code, 400)

    def test_usage_and_accounts_of_all_customers_are_told_to_the_application_alone(self):
        tokens = self.connect.give_consent()
        usage = f'/ponto-connect/organizations/{self.connect.organization.id}/usage/2026-04'
        self.assertEqual(self.call('GET', usage, self.token()).json()['data']['attributes']['accountCount'], 2)
        self.assertEqual(self.call('GET', f'{usage[:-2]}13', self.token()).status_code, 404)
        accounts = self.call('GET', '/ponto-connect/integration-accounts?page[limit]=1', self.token()).json()
        [first] = accounts['data']
        self.assertEqual(first['relationships']['account']['data']['id'], self.account.id)
        self.assertIn('next', accounts['links'])
        for path in (usage, '/ponto-connect/integration-accounts'):
            self.assertEqual(self.call('GET', path, tokens['access_token']).status_code, 403)

    def test_signatures_as_the_ruby_client_makes_them_are_right(self):
        certificate_id, private_key = self.connect.add_signature_certificate()
        base64url = str.maketrans('+/', '-_')

        def url_safe_digest(body):
            return 'SHA-512=' + digest(body).removeprefix('SHA-512=').translate(base64url)

        data = {'grant_type': 'client_credentials'}
        request = requests.Request('POST', 'https://api.ibanity.com/ponto-connect/oauth2/token', data=data).prepare()
        with patch.object(signature, 'digest', url_safe_digest):
            HttpSignature(certificate_id=certificate_id, private_key=private_key)(request)
        head, mark, value = request.headers['Signature'].partition(',signature=')
        request.headers['Signature'] = head + mark + value.translate(base64url)
        # Its credentials are added to the token call once it is signed.
        request.prepare_auth((CLIENT_ID, CLIENT_SECRET))
        self.connect.certificate_required = False
        self.assertEqual(self.simulator.send(request).status_code, 200)
        request.body += '&scope=ai'
        self.assertEqual(self.simulator.send(request).status_code, 400)


class TestPages(ConnectCase):
    """The simulator's consent pages."""

    def url(self, **overrides):
        return authorization_url(
            **(
                {'client_id': CLIENT_ID, 'redirect_uri': REDIRECT_URI, 'state': STATE, 'code_challenge': pkce_pair()[1]}
                | overrides
            )
        )

    def returned(self, url):
        self.assertTrue(url.startswith(f'{REDIRECT_URI}?'), url)
        return dict(parse_qsl(urlsplit(url).query))

    def test_a_person_who_refuses_is_sent_back(self):
        returned = self.returned(Visitor(self.simulator).refuse(self.url()))
        self.assertEqual((returned['error'], returned['state']), ('access_denied', STATE))

    def test_an_address_that_is_not_registered_is_not_returned_to(self):
        for wrong in (
            {'redirect_uri': 'https://evil.test/'},
            {'redirect_uri': f'{REDIRECT_URI}/'},
            {'client_id': 'unknown'},
        ):
            visitor = Visitor(self.simulator)
            self.assertEqual(visitor.open(self.url(**wrong)), '')
            self.assertIn('not registered', visitor.error)

    def test_mistakes_of_the_application_are_told_to_it(self):
        for wrong, error in (({'scope': 'ai everything'}, 'invalid_scope'), ({'scope': 'name'}, 'invalid_scope')):
            self.assertEqual(self.returned(Visitor(self.simulator).open(self.url(**wrong)))['error'], error)
        for old, new, error in (
            ('S256', 'plain', 'invalid_request'),
            ('response_type=code', 'response_type=token', 'unsupported_response_type'),
            (STATE, 'short', 'invalid_state'),
            ('&code_challenge=', '&language=', 'invalid_request'),
        ):
            visited = Visitor(self.simulator).open(self.url().replace(old, new))
            self.assertEqual(self.returned(visited)['error'], error)

    def test_parameters_that_ponto_does_not_know_are_ignored(self):
        visited = Visitor(self.simulator).refuse(self.url() + '&response_mode=query&prompt=login')
        self.assertEqual(self.returned(visited)['state'], STATE)

    def test_the_bank_wants_its_login_and_code(self):
        visitor = Visitor(self.simulator)
        visitor.open(self.url())
        visitor.press('choose-bank')
        self.assertEqual(visitor.error, 'Choose a bank.')
        visitor.press('choose-bank', institution=self.kadebank.id)
        for fields in ({}, {'login': 'me'}, {'login': 'me', 'code': '000000'}):
            visitor.press('log-in', **fields)
            self.assertIn('does not accept', visitor.error)
        visitor.open(visitor.url.replace('/login', '/accounts'))
        self.assertIn('log-in', visitor.page.forms)

    def test_the_accounts_of_the_chosen_bank_come_first_and_what_is_covered_is_ticked(self):
        self.connect.give_consent(accounts=[self.other])
        visitor = Visitor(self.simulator)
        visitor.open(self.url(language='nl'))
        visitor.press('choose-bank', institution=self.kadebank.id)
        visitor.press('log-in', login='me', code='123456')
        boxes = visitor.page.inputs
        self.assertEqual(list(boxes), ['account-BE68539007547034-EUR', 'account-BE07626550616261-EUR'])
        ticked = [element for element, box in boxes.items() if 'checked' in box]
        self.assertEqual(ticked, ['account-BE07626550616261-EUR'])

    def test_what_is_ticked_now_replaces_what_was_covered_before(self):
        client, _store = self.connected()
        Visitor(self.simulator).consent(self.url(), [self.account])
        self.assertEqual([account.id for account in client.iter_accounts()], [self.account.id])
        Visitor(self.simulator).consent(self.url(), [], institution=self.kadebank)
        self.assertEqual(list(client.iter_accounts()), [])

    def test_a_consent_ends_with_its_answer_and_with_time(self):
        visitor = Visitor(self.simulator)
        visitor.consent(self.url(), [self.account])
        visitor.open(visitor.url)
        self.assertIn('is over', visitor.error)
        visitor.open(self.url())
        self.simulator.advance(minutes=30)
        visitor.open(visitor.url)
        self.assertIn('is over', visitor.error)

    def test_each_organisation_has_its_own_accounts_and_grant(self):
        second = self.connect.add_organization('Second SRL', accounts=[self.other])
        self.connect.visitor = second
        returned = self.returned(Visitor(self.simulator).consent(self.url(), [self.other]))
        self.assertTrue(returned['code'])
        self.assertEqual(self.connect.grant_of(second).account_ids, [self.other.id])
        self.assertIsNone(self.connect.grant_of())
        self.connect.visitor = self.connect.organization
        Visitor(self.simulator).consent(self.url(), [self.account, self.other], institution=self.kadebank)
        self.assertEqual(self.connect.grant_of().account_ids, [self.account.id])

    def test_a_renewal_link_works_once(self):
        client, _store = self.connected()
        url = client.create_reauthorization_request(
            account_id=self.account.id, redirect_uri='https://odoo.example.com/renewed'
        )
        visitor = Visitor(self.simulator)
        visitor.open(url)
        visitor.press('renew', login='me', code='1')
        self.assertIn('does not accept', visitor.error)
        visitor.renew(url)
        visitor.open(url)
        self.assertIn('is over', visitor.error)


class TestWebhook(ConnectCase):
    def setUp(self):
        super().setUp()
        self.keys = webhook.KeySet(self.make_client().get_webhook_keys)

    def verify(self, body, signature):
        return webhook.verify(body, signature, keys=self.keys, audience=self.connect.application_id, now=self.now())

    def test_an_event_is_verified_with_the_keys_that_ponto_publishes(self):
        event = self.connect.event('account.transactionsCreated', account=self.account, count=3)
        received = self.verify(*self.connect.sign_webhook(event))
        self.assertEqual(received['type'], 'pontoConnect.account.transactionsCreated')
        self.assertEqual(webhook.related_id(received, 'account'), self.account.id)
        self.assertEqual(webhook.related_id(received, 'organization'), self.connect.organization.id)
        self.assertEqual([call.path for call in self.calls('/keys')], ['/keys'])
        self.verify(*self.connect.sign_webhook(self.connect.event('integration.revoked')))
        self.assertEqual(len(self.calls('/keys')), 1)
        self.assertNotIn('Authorization', self.sent[0].headers)

    def test_an_old_event_is_refused(self):
        body, signature = self.connect.sign_webhook(self.connect.event('integration.revoked'))
        self.simulator.advance(seconds=91)
        with self.assertRaises(PontoWebhookError) as caught:
            self.verify(body, signature)
        self.assertEqual(caught.exception.reason, 'expired')

    def test_keys_that_are_no_keys_are_no_answer(self):
        client = self.make_client(retries=0)
        for body in ({}, {'keys': None}, {'keys': {}}):
            self.simulator.fail(path='^/keys$', body=body)
            with self.assertRaises(PontoResponseError):
                client.get_webhook_keys()
        self.simulator.fail(path='^/keys$', body={'keys': [None, 'x', {'kid': 'k'}]})
        self.assertEqual(client.get_webhook_keys(), ({'kid': 'k'},))


class TestOnSocket(BaseCase):
    """The whole of it on real connections: the API by mutual TLS, the pages beside it."""

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        return SEND(session, request, **kwargs)

    def setUp(self):
        super().setUp()
        self.simulator = Simulator(real_clock=True)
        self.connect = Connect(self.simulator)
        self.account = self.simulator.add_account('BE68539007547034')
        self.api = self.enterContext(Server(self.simulator, authority=self.connect.authority)).url
        self.pages = self.enterContext(Server(self.simulator)).url
        certificate_id, private_key = self.connect.add_signature_certificate()
        self.sign = HttpSignature(certificate_id=certificate_id, private_key=private_key)
        self.addCleanup(self.simulator.assert_expected)
        authority = self.enterContext(tempfile.NamedTemporaryFile(suffix='.pem'))
        authority.write(self.connect.authority.certificate)
        authority.flush()
        self.enterContext(patch.dict('os.environ', {'REQUESTS_CA_BUNDLE': authority.name}))

    def make_client(self, store=None, credentials=None):
        credentials = credentials or self.connect.client_credentials
        session = new_connect_session(
            certificate=credentials.certificate, private_key=credentials.private_key, sign=self.sign
        )
        base_url = f'{self.api}/ponto-connect'
        auth = AuthorizationCodeAuth(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            token_url=f'{base_url}/oauth2/token',
            store=store or MemoryTokenStore(),
        )
        return PontoConnectClient(base_url=base_url, auth=auth, session=session, sleep=lambda seconds: None)

    def give_consent(self):
        """Return code, verifier and token of a consent that a person has given on the pages."""
        verifier, challenge = pkce_pair()
        url = authorization_url(
            endpoint=f'{self.pages}/oauth2/auth',
            client_id=CLIENT_ID,
            redirect_uri=REDIRECT_URI,
            state=STATE,
            code_challenge=challenge,
        )
        returned = Visitor(self.simulator).consent(url, [self.account])
        code = dict(parse_qsl(urlsplit(returned).query))['code']
        token = self.make_client().exchange_code(code=code, code_verifier=verifier, redirect_uri=REDIRECT_URI)
        return code, verifier, token

    def test_from_the_consent_to_its_end(self):
        _code, _verifier, token = self.give_consent()
        store = MemoryTokenStore(Token('stale', datetime(2020, 1, 1, tzinfo=timezone.utc), token.refresh_token))
        client = self.make_client(store)
        self.assertEqual([account.id for account in client.iter_accounts()], [self.account.id])
        self.assertEqual(client.get_userinfo().organization_id, self.connect.organization.id)
        link = client.create_reauthorization_request(
            account_id=self.account.id, redirect_uri='https://odoo.example.com/renewed'
        )
        self.assertTrue(link.startswith(f'{self.api}/organizations/'))
        event = self.connect.event('integration.revoked')
        self.assertTrue(
            webhook.verify(
                *self.connect.sign_webhook(event),
                keys=webhook.KeySet(client.get_webhook_keys),
                audience=self.connect.application_id,
                now=datetime.now(timezone.utc),
            )
        )
        client.delete_integration(organization_id=self.connect.organization.id)
        with self.assertRaises(PontoGrantError):
            client.get_userinfo()

    def test_with_all_logs_at_debug_level_no_secret_is_logged(self):
        with self.assertLogs(level=logging.DEBUG) as logs:
            code, verifier, token = self.give_consent()
            store = MemoryTokenStore(Token('stale', datetime(2020, 1, 1, tzinfo=timezone.utc), token.refresh_token))
            list(self.make_client(store).iter_accounts())
        text = '\n'.join(logs.output)
        self.assertIn('urllib3', text)
        for secret in (
            CLIENT_SECRET,
            code,
            verifier,
            token.access_token,
            token.refresh_token,
            store.load().access_token,
        ):
            self.assertNotIn(secret, text)

    def test_without_certificate_of_the_authority_nothing_arrives(self):
        with self.assertRaises(PontoConnectionError):
            self.make_client(credentials=Authority().issue_client()).get_webhook_keys()
        self.assertEqual(self.simulator.requests, [])

    def test_a_page_on_this_machine_is_of_ponto_only_if_its_api_is_here(self):
        body = b'{"data": {"id": "r", "links": {"redirect": "%s"}}}'
        for link, expected in (
            (b'http://127.0.0.1:99/x', True),
            (b'http://[::1]/x', True),
            (b'https://authorize.myponto.com/x', True),
            (b'ftp://127.0.0.1/', False),
            (b'http://evil.test/x', False),
        ):
            with Acts(answer(body % link, '201 Created')) as server:
                store = MemoryTokenStore(Token('t', datetime(2199, 1, 1, tzinfo=timezone.utc)))
                auth = AuthorizationCodeAuth(
                    client_id='i', client_secret='s', token_url=f'{server.url}/oauth2/token', store=store
                )
                client = PontoConnectClient(base_url=server.url, auth=auth)
                outcome = contextlib.nullcontext() if expected else self.assertRaises(PontoResponseError)
                with self.subTest(link), outcome:
                    client.create_reauthorization_request(account_id='a', redirect_uri='https://odoo.example.com/')

    def test_the_file_of_a_proxy_is_honoured_by_the_session_of_the_certificate(self):
        with (
            patch.dict('os.environ', {'HTTPS_PROXY': 'http://127.0.0.1:9', 'NO_PROXY': ''}),
            self.assertRaises(PontoError) as caught,
        ):
            self.make_client().get_webhook_keys()
        self.assertIsInstance(caught.exception, PontoConnectionError)
        self.assertEqual(self.simulator.requests, [])
