"""Ponto Connect from the consent to its end, against the simulator in process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests

from odoo.tests import BaseCase

from ..ponto import (
    AUTHORIZATION_URL,
    CONNECT_URL,
    AuthorizationCodeAuth,
    HttpSignature,
    MemoryTokenStore,
    PontoApiError,
    PontoAuthError,
    PontoClient,
    PontoConnectClient,
    PontoConnectionError,
    PontoCredentialsError,
    PontoGrantError,
    PontoNotFoundError,
    PontoRateLimitError,
    PontoResponseError,
    PontoServerError,
    PontoTimeoutError,
    PontoTlsError,
    Token,
    authorization_url,
    new_connect_session,
    pkce_challenge,
    pkce_pair,
)
from .simulator import Connect, Simulator
from .simulator.authority import Authority
from .simulator.connect import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI
from .simulator.visitor import Visitor

STATE = 'a-state-that-nobody-guesses'


class TestAuthorizationUrl(BaseCase):
    def make(self, **overrides):
        return authorization_url(
            **(
                {'client_id': CLIENT_ID, 'redirect_uri': REDIRECT_URI, 'state': STATE, 'code_challenge': 'challenge'}
                | overrides
            )
        )

    def test_it_has_the_parameters_that_ponto_documents(self):
        parts = urlsplit(self.make())
        self.assertEqual(f'{parts.scheme}://{parts.netloc}{parts.path}', AUTHORIZATION_URL)
        self.assertEqual(
            dict(parse_qsl(parts.query)),
            {
                'client_id': CLIENT_ID,
                'redirect_uri': REDIRECT_URI,
                'response_type': 'code',
                'scope': 'ai offline_access name',
                'state': STATE,
                'code_challenge': 'challenge',
                'code_challenge_method': 'S256',
            },
        )
        self.assertIn('scope=ai%20offline_access%20name', parts.query)

    def test_the_language_is_optional(self):
        query = parse_qs(urlsplit(self.make(language='nl')).query)
        self.assertEqual(query['language'], ['nl'])

    def test_the_endpoint_must_be_safe_and_the_state_unguessable(self):
        for wrong in (
            {'endpoint': 'http://authorization.myponto.com/oauth2/auth'},
            {'state': 'short'},
            {'state': ''},
            {'endpoint': 'javascript:alert(1)'},
            {'endpoint': 'https://user@host/'},
        ):
            with self.subTest(wrong), self.assertRaises(ValueError):
                self.make(**wrong)
        self.assertTrue(self.make(endpoint='http://127.0.0.1:8000/oauth2/auth'))

    def test_the_challenge_is_that_of_rfc_7636(self):
        self.assertEqual(
            pkce_challenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
        )

    def test_verifiers_are_long_and_never_the_same(self):
        pairs = [pkce_pair() for _number in range(50)]
        self.assertEqual(len(set(pairs)), 50)
        for verifier, challenge in pairs:
            self.assertRegex(verifier, r'^[\w-]{43,128}$')
            self.assertEqual(pkce_challenge(verifier), challenge)


class ConnectCase(BaseCase):
    """An organisation with one account at each of two banks, and an application that may ask for a consent."""

    simulator = None
    sent = []

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        cls.sent.append(request)
        return cls.simulator.send(request, session=session, **kwargs)

    def setUp(self):
        super().setUp()
        type(self).simulator, type(self).sent = Simulator(), []
        self.connect = Connect(self.simulator)
        self.kadebank = self.simulator.add_institution('Kadebank')
        self.account = self.simulator.add_account('BE68539007547034', institution=self.kadebank)
        self.other = self.simulator.add_account('BE07626550616261')
        self.simulator.add_transaction(self.account, 12, '2026-03-01')
        self.waits = []
        self.addCleanup(self.simulator.assert_expected)

    def now(self):
        return self.simulator.clock

    def make_store(self, token=None):
        return MemoryTokenStore(token, clock=self.now)

    def make_auth(self, store, **overrides):
        return AuthorizationCodeAuth(
            **(
                {
                    'client_id': CLIENT_ID,
                    'client_secret': CLIENT_SECRET,
                    'token_url': f'{CONNECT_URL}/oauth2/token',
                    'store': store,
                    'clock': self.now,
                }
                | overrides
            )
        )

    def make_session(self, sign=None):
        credentials = self.connect.client_credentials
        return new_connect_session(certificate=credentials.certificate, private_key=credentials.private_key, sign=sign)

    def make_client(self, store=None, auth=None, **overrides):
        auth = auth or self.make_auth(store or self.make_store())
        values = {'session': self.make_session(), 'sleep': self.waits.append, 'jitter': lambda: 1.0}
        return PontoConnectClient(auth=auth, **(values | overrides))

    def token_of_consent(self, **kwargs):
        """Return the token of a consent that has been given."""
        data = self.connect.give_consent(**kwargs)
        return Token(data['access_token'], self.now() + timedelta(seconds=1799), data['refresh_token'], data['scope'])

    def connected(self, **overrides):
        """Return a client of a consent that has been given, and its store."""
        store = self.make_store(self.token_of_consent())
        return self.make_client(store, **overrides), store

    def authorize(self, **overrides):
        """Return what the browser brings back after the consent, and the verifier."""
        verifier, challenge = pkce_pair()
        url = authorization_url(
            **(
                {'client_id': CLIENT_ID, 'redirect_uri': REDIRECT_URI, 'state': STATE, 'code_challenge': challenge}
                | overrides
            )
        )
        returned = Visitor(self.simulator).consent(url, [self.account])
        return dict(parse_qsl(urlsplit(returned).query)), verifier

    def calls(self, path, method=None):
        return [call for call in self.simulator.requests if call.path == path and method in (None, call.method)]

    def token_calls(self, grant_type):
        return [call for call in self.calls('/oauth2/token') if call.body['grant_type'] == grant_type]


class TestConsent(ConnectCase):
    def test_a_code_becomes_tokens_that_read_what_was_ticked(self):
        returned, verifier = self.authorize()
        self.assertEqual(returned['state'], STATE)
        client = self.make_client()
        token = client.exchange_code(code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI)
        self.assertEqual(token.scope, 'ai offline_access name')
        self.assertEqual(token.expires_at, self.now() + timedelta(seconds=1799))
        self.assertTrue(token.refresh_token)
        client = self.make_client(self.make_store(token))
        self.assertEqual([account.id for account in client.iter_accounts()], [self.account.id])
        self.assertEqual([bank.id for bank in client.iter_institutions()], [self.kadebank.id])
        [page] = client.iter_transaction_pages(account_id=self.account.id)
        self.assertEqual([row.amount for row in page.items], [12])
        self.assertEqual(self.token_calls('refresh_token'), [])

    def test_the_exchange_leaves_the_store_alone(self):
        returned, verifier = self.authorize()
        store = self.make_store()
        self.make_client(store).exchange_code(code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI)
        self.assertIsNone(store.load())

    def test_userinfo_names_the_organisation(self):
        info = self.connected()[0].get_userinfo()
        self.assertEqual(info.organization_id, self.connect.organization.id)
        self.assertEqual(info.name, 'Brouwerij De Kade')

    def test_userinfo_without_organisation_is_no_answer(self):
        for body in ({}, {'sub': None}, {'sub': {'id': 'x'}}, {'sub': ''}):
            self.simulator.fail(path='^/userinfo$', body=body)
            with self.assertRaises(PontoResponseError) as caught:
                self.connected()[0].get_userinfo()
            self.assertEqual(caught.exception.reason, 'structure')

    def test_a_code_is_refused_but_to_whom_it_was_given(self):
        for wrong in (
            {'code': 'unknown'},
            {'code_verifier': pkce_pair()[0]},
            {'code_verifier': ''},
            {'redirect_uri': 'https://evil.test/'},
        ):
            returned, verifier = self.authorize()
            right = {'code': returned['code'], 'code_verifier': verifier, 'redirect_uri': REDIRECT_URI}
            with self.subTest(wrong), self.assertRaises(PontoGrantError) as caught:
                self.make_client().exchange_code(**(right | wrong))
            self.assertEqual((caught.exception.status, caught.exception.code), (400, 'invalid_grant'))

    def test_a_code_works_once_and_soon(self):
        returned, verifier = self.authorize()
        right = {'code': returned['code'], 'code_verifier': verifier, 'redirect_uri': REDIRECT_URI}
        token = self.make_client().exchange_code(**right)
        with self.assertRaises(PontoGrantError):
            self.make_client().exchange_code(**right)
        with self.assertRaises(PontoGrantError):  # the second use has ended what the first one gave
            self.make_client(self.make_store(token)).get_userinfo()
        returned, verifier = self.authorize()
        self.simulator.advance(minutes=1)
        with self.assertRaises(PontoGrantError):
            self.make_client().exchange_code(code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI)

    def test_a_code_whose_answer_is_lost_is_not_sent_again(self):
        for fault, expected in (
            ({'kind': 'slow'}, PontoTimeoutError),
            ({'kind': 'reset'}, PontoConnectionError),
            ({'status': 503}, PontoServerError),
            ({'status': 429}, PontoRateLimitError),
        ):
            returned, verifier = self.authorize()
            before = len(self.calls('/oauth2/token'))
            self.simulator.fail(path='^/oauth2/token$', carried_out=True, **fault)
            with self.subTest(fault), self.assertRaises(expected):
                self.make_client().exchange_code(
                    code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI
                )
            self.assertEqual(len(self.calls('/oauth2/token')) - before, 1)
        self.assertEqual(self.waits, [])

    def test_a_consent_that_cannot_be_renewed_is_no_answer(self):
        returned, verifier = self.authorize(scope='ai name')
        with self.assertRaises(PontoResponseError) as caught:
            self.make_client().exchange_code(code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI)
        self.assertEqual(caught.exception.reason, 'structure')

    def test_wrong_credentials_of_the_application_are_told_apart(self):
        for wrong in ({'client_secret': 'wrong'}, {'client_id': 'unknown'}):
            auth = self.make_auth(self.make_store(), **wrong)
            with self.subTest(wrong), self.assertRaises(PontoCredentialsError):
                self.make_client(auth=auth).exchange_code(code='c', code_verifier='v', redirect_uri=REDIRECT_URI)

    def test_the_catalogue_needs_a_certificate_and_no_consent(self):
        client = PontoClient(base_url=CONNECT_URL, session=self.make_session())
        self.assertIn('Kadebank', [bank.name for bank in client.iter_institutions()])
        with self.assertRaises(PontoAuthError):
            next(client.iter_accounts())

    def test_secrets_that_an_error_repeats_are_masked(self):
        client, store = self.connected()
        self.simulator.advance(hours=1)
        secrets = [store.load().refresh_token, 'the-code-of-the-consent', 'the-code-verifier', CLIENT_SECRET]
        self.simulator.fail(3, path='^/oauth2/', status=400, code='invalid_grant', detail=' '.join(secrets))
        for call, own in (
            (client.get_userinfo, {0, 3}),
            (
                lambda: client.exchange_code(code=secrets[1], code_verifier=secrets[2], redirect_uri=REDIRECT_URI),
                {1, 2, 3},
            ),
            (client.revoke, {0, 3}),
        ):
            with (
                self.assertLogs('odoo.addons.account_online_ponto', 'DEBUG') as logs,
                self.assertRaises(PontoGrantError) as caught,
            ):
                call()
            for text in (str(caught.exception), caught.exception.detail):
                self.assertFalse([secret for index, secret in enumerate(secrets) if index in own and secret in text])
            self.assertFalse([secret for secret in secrets if secret in '\n'.join(logs.output)])


class TestRefresh(ConnectCase):
    def test_a_token_is_renewed_in_time_and_the_new_refresh_token_kept(self):
        client, store = self.connected()
        first = store.load()
        client.get_userinfo()
        self.assertEqual(store.load(), first)
        self.simulator.advance(seconds=1799 - 60)
        client.get_userinfo()
        second = store.load()
        self.assertNotEqual((second.access_token, second.refresh_token), (first.access_token, first.refresh_token))
        self.simulator.advance(hours=1)
        client.get_userinfo()
        self.assertNotIn(store.load().refresh_token, (first.refresh_token, second.refresh_token))
        self.assertEqual(
            [call.body['refresh_token'] for call in self.token_calls('refresh_token')],
            [first.refresh_token, second.refresh_token],
        )

    def test_a_refused_token_is_renewed_once(self):
        client, _store = self.connected()
        self.connect.revoke_access_tokens()
        client.get_userinfo()
        self.assertEqual([call.status for call in self.calls('/userinfo')], [401, 200])
        self.simulator.fail(None, status=401, path='^/userinfo$')
        with self.assertRaises(PontoAuthError):
            client.get_userinfo()
        self.assertEqual(len(self.token_calls('refresh_token')), 2)

    def test_the_new_token_is_stored_before_it_is_used(self):
        stored = []

        store = self.make_store(self.token_of_consent())
        renew = store.renew

        def spy(stale, request):
            token = renew(stale, request)
            stored.append([call.path for call in self.simulator.requests])
            return token

        store.renew = spy
        client = self.make_client(store)
        self.simulator.advance(hours=1)
        client.get_userinfo()
        self.assertEqual(stored, [['/oauth2/token']])

    def test_a_renewal_whose_answer_is_lost_is_not_sent_again(self):
        for fault, expected in (
            ({'kind': 'slow'}, PontoTimeoutError),
            ({'kind': 'reset'}, PontoConnectionError),
            ({'kind': 'truncated'}, PontoResponseError),
            ({'kind': 'html'}, PontoResponseError),
            ({'status': 500}, PontoServerError),
            ({'status': 429}, PontoRateLimitError),
        ):
            client, _store = self.connected()
            self.simulator.advance(hours=1)
            before = len(self.token_calls('refresh_token'))
            self.simulator.fail(path='^/oauth2/token$', **fault)
            with self.subTest(fault), self.assertRaises(expected):
                client.get_userinfo()
            self.assertEqual(len(self.token_calls('refresh_token')) - before, 1)
        self.assertEqual(self.waits, [])

    def test_a_renewal_that_was_never_sent_is_repeated(self):
        client, _store = self.connected()
        self.simulator.advance(hours=1)
        self.simulator.fail(2, path='^/oauth2/token$', kind='refused')
        self.assertTrue(client.get_userinfo())
        self.assertEqual(self.waits, [1, 2])

    def test_after_a_lost_renewal_that_ponto_did_not_see_the_next_one_works(self):
        client, _store = self.connected()
        self.simulator.advance(hours=1)
        self.simulator.fail(path='^/oauth2/token$', kind='slow')
        with self.assertRaises(PontoTimeoutError):
            client.get_userinfo()
        self.assertTrue(client.get_userinfo())

    def test_after_a_lost_renewal_that_ponto_did_see_only_a_new_consent_helps(self):
        client, store = self.connected()
        self.simulator.advance(hours=1)
        self.simulator.fail(path='^/oauth2/token$', kind='slow', carried_out=True)
        with self.assertRaises(PontoTimeoutError):
            client.get_userinfo()
        old = store.load()
        for _attempt in range(2):
            with self.assertRaises(PontoGrantError):
                client.get_userinfo()
        self.assertEqual(store.load(), old)

    def test_a_store_that_another_worker_has_filled_meanwhile_is_asked_again(self):
        token = self.token_of_consent()
        mine, theirs = self.make_store(token), self.make_store(token)
        client = self.make_client(mine)
        self.simulator.advance(hours=1)
        self.simulator.fail(path='^/oauth2/token$', kind='reset')
        with self.assertRaises(PontoConnectionError):
            client.get_userinfo()
        self.make_client(theirs).get_userinfo()
        mine._token = theirs.load()
        self.assertTrue(client.get_userinfo())
        self.assertEqual(len(self.token_calls('refresh_token')), 2)

    def test_a_refresh_token_used_twice_ends_the_consent(self):
        token = self.token_of_consent()
        first, second = (self.make_client(self.make_store(token)) for _number in range(2))
        self.simulator.advance(hours=1)
        self.assertTrue(first.get_userinfo())
        for client in (second, first):
            with self.assertRaises(PontoGrantError):
                client.get_userinfo()

    def test_ponto_may_be_kinder_to_a_refresh_token_used_twice(self):
        self.connect.reuse_revokes = False
        token = self.token_of_consent()
        first, second = (self.make_client(self.make_store(token)) for _number in range(2))
        self.simulator.advance(hours=1)
        first.get_userinfo()
        with self.assertRaises(PontoGrantError):
            second.get_userinfo()
        self.assertTrue(first.get_userinfo())

    def test_a_refresh_token_dies_of_age(self):
        client, _store = self.connected()
        self.simulator.advance(days=28)
        with self.assertRaises(PontoGrantError):
            client.get_userinfo()

    def test_without_refresh_token_ponto_is_not_asked(self):
        for token in (None, Token('expired', self.now() - timedelta(days=1))):
            with self.assertRaises(PontoGrantError):
                self.make_client(self.make_store(token)).get_userinfo()
        self.assertEqual(self.simulator.requests, [])

    def test_a_refresh_token_that_ponto_does_not_replace_is_kept(self):
        client, store = self.connected()
        self.simulator.advance(hours=1)
        access_token = self.connect.give_consent()['access_token']
        self.simulator.fail(path='^/oauth2/token$', body={'access_token': access_token, 'expires_in': 1799})
        before = store.load()
        client.get_userinfo()
        self.assertEqual(store.load().access_token, access_token)
        self.assertEqual(store.load().refresh_token, before.refresh_token)

    def test_many_at_once_renew_once(self):
        _client, store = self.connected()
        self.simulator.advance(hours=1)
        start = threading.Barrier(8)

        def run(_number):
            start.wait()
            return self.make_client(store).get_userinfo().name

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(run, range(8))), {'Brouwerij De Kade'})
        self.assertEqual(len(self.token_calls('refresh_token')), 1)

    def test_nothing_that_is_printed_shows_a_secret(self):
        auth = self.make_auth(self.make_store(self.token_of_consent()))
        for text in (repr(auth), repr(auth.application), repr(self.token_of_consent())):
            for secret in (CLIENT_SECRET, 'refresh-', 'access-'):
                self.assertNotIn(secret, text)


class TestEnd(ConnectCase):
    def test_revoking_ends_the_integration(self):
        client, store = self.connected()
        client.revoke()
        self.assertIsNone(self.connect.grant_of())
        self.assertEqual(self.calls('/oauth2/revoke')[0].body, {'token': store.load().refresh_token})
        with self.assertRaises(PontoGrantError):
            client.get_userinfo()
        client.revoke()  # and again, as after a lost answer

    def test_without_refresh_token_there_is_nothing_to_revoke(self):
        for token in (None, Token('access', self.now())):
            self.make_client(self.make_store(token)).revoke()
        self.assertEqual(self.simulator.requests, [])

    def test_a_revocation_is_repeated_until_it_arrives(self):
        client, _store = self.connected()
        self.simulator.fail(2, path='^/oauth2/revoke$', kind='slow', carried_out=True)
        client.revoke()
        self.assertEqual(len(self.calls('/oauth2/revoke')), 3)

    def test_wrong_credentials_revoke_nothing(self):
        auth = self.make_auth(self.make_store(self.token_of_consent()), client_secret='wrong')
        with self.assertRaises(PontoCredentialsError):
            self.make_client(auth=auth).revoke()
        self.assertTrue(self.connect.grant_of())

    def test_an_integration_is_deleted_although_its_tokens_are_lost(self):
        self.connect.give_consent()
        client = self.make_client()
        client.delete_integration(organization_id=self.connect.organization.id)
        self.assertIsNone(self.connect.grant_of())
        [call] = self.calls('/oauth2/token')
        self.assertEqual(call.body, {'grant_type': 'client_credentials'})
        for organization_id in (self.connect.organization.id, 'unknown'):
            with self.assertRaises(PontoNotFoundError):
                client.delete_integration(organization_id=organization_id)
        self.assertEqual(len(self.calls('/oauth2/token')), 1)

    def test_an_integration_is_not_deleted_by_the_path_of_another(self):
        client, _store = self.connected()
        for organization_id in ('', '..'):
            with self.assertRaises(ValueError):
                client.delete_integration(organization_id=organization_id)

    def test_only_a_deletion_may_say_nothing(self):
        client, _store = self.connected()
        self.simulator.fail(path='^/userinfo$', kind='empty')
        with self.assertRaises(PontoResponseError):
            client.get_userinfo()
        self.simulator.fail(path='^/organizations/.*/integration$', status=200, kind='empty')
        client.delete_integration(organization_id=self.connect.organization.id)

    def test_the_tokens_of_the_two_apis_are_worlds_apart(self):
        client, store = self.connected()
        direct = PontoClient(base_url='https://api.myponto.com', session=requests.Session())
        with self.assertRaises(PontoAuthError):
            direct._send(store.load().access_token, 'GET', 'accounts', None, None)
        token = self.simulator.issue_token(self.simulator.integration).value
        with self.assertRaises(PontoAuthError):
            client._send(token, 'GET', 'accounts', None, None)


class TestReauthorization(ConnectCase):
    return_uri = 'https://odoo.example.com/renewed'

    def ask(self, client=None, **kwargs):
        client = client or self.connected(**kwargs)[0]
        return client.create_reauthorization_request(account_id=self.account.id, redirect_uri=self.return_uri)

    def test_a_person_renews_the_permission_of_an_account(self):
        client, _store = self.connected()
        self.simulator.advance(days=20)
        before = client.get_account(account_id=self.account.id).authorization_expires_at
        url = self.ask(client)
        self.assertTrue(url.startswith('https://authorize.myponto.com/organizations/'))
        self.assertEqual(Visitor(self.simulator).renew(url), self.return_uri)
        after = client.get_account(account_id=self.account.id).authorization_expires_at
        self.assertEqual(after - before, timedelta(days=20))

    def test_a_person_who_refuses_comes_back_too(self):
        client, _store = self.connected()
        before = client.get_account(account_id=self.account.id)
        visitor = Visitor(self.simulator)
        visitor.open(self.ask(client))
        self.assertEqual(visitor.press('refuse'), self.return_uri)
        self.assertEqual(client.get_account(account_id=self.account.id), before)

    def test_only_pages_of_ponto_are_handed_on(self):
        good = (
            'https://authorize.myponto.com/organizations/1/x?y=z',
            'https://myponto.com/',
            'https://MyPonto.com:443/a',
            'https://sandbox.ibanity.com/a',
        )
        bad = (
            'http://authorize.myponto.com/a',
            'https://myponto.com.evil.test/a',
            'https://notmyponto.com/a',
            'https://evil.test/myponto.com',
            'https://authorize.myponto.com@evil.test/a',
            'javascript:alert(1)',
            'https://authorize.myponto.com:8443/a',
            '//authorize.myponto.com/a',
            '/a',
            '',
            'https://',
            'https://authorize.myponto.com\\@evil.test/',
            'https://evil.test\\.myponto.com/',
            'http://127.0.0.1/a',
            'https://localhost/a',
            'https://authorize.myponto.com/\nx',
            'https://authorize.myponto.com:x/',
            'https://[authorize.myponto.com/',
            'https://.myponto.com/../..',
            'data:text/html,x',
        )
        client, _store = self.connected()
        for url in (*good, *bad):
            body = {'data': {'type': 'reauthorizationRequest', 'id': 'r', 'links': {'redirect': url}}}
            self.simulator.fail(path='reauthorization-requests$', status=201, body=body)
            with self.subTest(url):
                if url in good:
                    self.assertEqual(self.ask(client), url)
                    continue
                with self.assertRaises(PontoResponseError) as caught:
                    self.ask(client)
                self.assertEqual(caught.exception.reason, 'foreign_link')

    def test_an_answer_without_link_is_no_answer(self):
        client, _store = self.connected()
        for body in (
            {},
            {'data': None},
            {'data': []},
            {'data': {'links': None}},
            {'data': {'links': {}}},
            {'data': {'links': {'redirect': ['x']}}},
        ):
            self.simulator.fail(path='reauthorization-requests$', body=body)
            with self.subTest(body), self.assertRaises(PontoResponseError) as caught:
                self.ask(client)
            self.assertEqual(caught.exception.reason, 'structure')

    def test_a_request_is_not_repeated_once_it_was_sent(self):
        client, _store = self.connected()
        self.simulator.fail(path='reauthorization-requests$', status=503)
        with self.assertRaises(PontoServerError):
            self.ask(client)
        self.assertEqual(self.waits, [])

    def test_each_post_has_an_idempotency_key_of_its_own(self):
        client, _store = self.connected()
        self.simulator.fail(1, path='reauthorization-requests$', kind='refused')
        for _number in range(2):
            self.ask(client)
        client.get_userinfo()
        posts = [request for request in self.sent if request.method == 'POST']
        keys = [request.headers.get('Ibanity-Idempotency-Key') for request in posts]
        self.assertEqual(len(keys), 3)
        self.assertRegex(keys[0], '^[0-9a-f-]{36}$')
        self.assertEqual(keys[0], keys[1])  # the first one was never sent
        self.assertNotEqual(keys[1], keys[2])
        self.assertEqual(self.connect.idempotency_keys, keys[1:])

    def test_an_unknown_account_is_not_found(self):
        with self.assertRaises(PontoNotFoundError):
            self.connected()[0].create_reauthorization_request(account_id='unknown', redirect_uri=self.return_uri)


class TestWhoCalls(ConnectCase):
    """Certificate and signature, as far as they show in process."""

    def test_a_session_without_the_certificate_gets_no_connection(self):
        other = Authority().issue_client()
        for session in (None, new_connect_session(certificate=other.certificate, private_key=other.private_key)):
            client, _store = self.connected(session=session)
            for call in (client.get_userinfo, client.get_webhook_keys, client.revoke):
                with self.assertRaises(PontoTlsError):
                    call()
        self.assertEqual((self.simulator.requests, self.waits), ([], []))
        self.connect.certificate_required = False
        self.assertTrue(self.connected(session=None)[0].get_userinfo())

    def test_every_call_is_signed_when_there_is_a_signature_certificate(self):
        certificate_id, private_key = self.connect.add_signature_certificate()
        returned, verifier = self.authorize()
        sign = HttpSignature(certificate_id=certificate_id, private_key=private_key)
        session = self.make_session(sign)
        client = self.make_client(session=session)
        token = client.exchange_code(code=returned['code'], code_verifier=verifier, redirect_uri=REDIRECT_URI)
        client = self.make_client(self.make_store(token), session=session)
        self.simulator.set_page_size(1)
        for _number in range(3):
            self.simulator.add_transaction(self.account, 1, '2026-03-02')
        self.assertEqual(len(list(client.iter_transaction_pages(account_id=self.account.id))), 4)
        self.simulator.advance(hours=1)
        client.create_reauthorization_request(account_id=self.account.id, redirect_uri='https://odoo.example.com/r')
        client.get_webhook_keys()
        client.delete_integration(organization_id=self.connect.organization.id)
        with self.assertRaises(PontoGrantError):
            client.get_userinfo()
        self.assertTrue(all('Signature' in request.headers for request in self.sent))

    def test_an_unsigned_or_wrongly_signed_call_is_refused(self):
        certificate_id, private_key = self.connect.add_signature_certificate()
        sign = HttpSignature(certificate_id=certificate_id, private_key=private_key)

        def without_authorization(request):
            authorization = request.headers.pop('Authorization', None)
            sign(request)
            request.headers['Authorization'] = authorization
            return request

        def for_another_target(request):
            url, request.url = request.url, 'https://api.ibanity.com/ponto-connect/accounts'
            sign(request)
            request.url = url
            return request

        unknown = HttpSignature(certificate_id='another', private_key=private_key)
        for wrong in (None, unknown, without_authorization, for_another_target):
            client, _store = self.connected(session=self.make_session(wrong))
            with self.subTest(wrong), self.assertRaises(PontoApiError) as caught:
                client.get_userinfo()
            self.assertEqual(caught.exception.code, 'invalidSignature')
        self.assertTrue(self.connected(session=self.make_session(sign))[0].get_userinfo())

    def test_without_signature_certificate_nothing_is_signed(self):
        self.connected()[0].get_userinfo()
        self.assertFalse({'Signature', 'Digest'} & set(self.sent[0].headers))
