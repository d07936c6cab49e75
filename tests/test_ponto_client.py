"""The client's tokens and paging, against a simulator in process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.tests import BaseCase

from ..ponto import (
    ACCOUNT_DETAILS,
    ClientCredentialsAuth,
    MemoryTokenStore,
    PontoApiError,
    PontoAuthError,
    PontoClient,
    PontoCredentialsError,
    PontoGrantError,
    PontoResponseError,
)
from ..ponto import client as client_module
from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator

BASE_URL = 'https://api.myponto.com'
EVERYTHING = 10**6


class SimulatedCase(BaseCase):
    """Sends every request to a simulator of its own, in process, and keeps where it would have gone. No call waits."""

    simulator = None
    sent = []

    @classmethod
    def _request_handler(cls, _session, request, /, **kwargs):
        cls.sent.append(request)
        return cls.simulator.send(request, **kwargs)

    def setUp(self):
        super().setUp()
        self.use_simulator(Simulator())
        self.account = self.simulator.add_account('BE07626550616261')
        self.rows = [
            self.simulator.add_transaction(self.account, Decimal(number) / 100, f'2026-03-{number % 28 + 1:02}')
            for number in range(1, 251)
        ]
        self.waits = []

    def use_simulator(self, simulator):
        type(self).simulator, type(self).sent = simulator, []

    def make_auth(self, **overrides):
        values = {
            'client_id': CLIENT_ID,
            'client_secret': CLIENT_SECRET,
            'token_url': f'{BASE_URL}/oauth2/token',
            'store': MemoryTokenStore(clock=self.now),
            'clock': self.now,
        }
        return ClientCredentialsAuth(**(values | overrides))

    def make_client(self, auth=None, **overrides):
        values = {
            'base_url': BASE_URL,
            'auth': auth or self.make_auth(),
            'sleep': self.waits.append,
            'jitter': lambda: 1.0,
        }
        return PontoClient(**(values | overrides))

    def now(self):
        return self.simulator.clock

    def calls(self, path='', method=None):
        return [call for call in self.simulator.requests if path in call.path and method in (None, call.method)]

    def tokens_asked(self):
        return len(self.calls('/oauth2/token'))

    def get_account(self, client=None):
        return (client or self.make_client()).get_account(account_id=self.account.id)

    def read_rows(self, client=None, **kwargs):
        pages = (client or self.make_client()).iter_transaction_pages(account_id=self.account.id, **kwargs)
        return [row for page in pages for row in page.items]

    def synchronize(self, client=None):
        return (client or self.make_client()).create_synchronization(
            account_id=self.account.id, subtype=ACCOUNT_DETAILS, customer_ip='123.123.123.123'
        )


class TestToken(SimulatedCase):
    def test_one_token_serves_until_a_minute_before_its_end(self):
        client = self.make_client()
        self.get_account(client)
        self.simulator.advance(seconds=1799 - 61)
        self.get_account(client)
        self.assertEqual(self.tokens_asked(), 1)
        self.simulator.advance(seconds=1)
        self.get_account(client)
        self.assertEqual(self.tokens_asked(), 2)
        self.assertEqual([call.status for call in self.calls('/accounts')], [200] * 3)

    def test_clients_that_share_a_store_share_the_token(self):
        auth = self.make_auth()
        self.get_account(self.make_client(auth))
        self.get_account(self.make_client(auth))
        self.assertEqual(self.tokens_asked(), 1)

    def test_a_refused_token_is_renewed_once(self):
        client = self.make_client()
        self.get_account(client)
        self.simulator.revoke_tokens()
        self.get_account(client)
        self.assertEqual([call.status for call in self.calls('/accounts')], [200, 401, 200])
        self.assertEqual(self.tokens_asked(), 2)

    def test_a_token_that_is_always_refused_is_renewed_only_once(self):
        self.simulator.fail(EVERYTHING, status=401, path='/accounts')
        with self.assertRaises(PontoAuthError) as caught:
            self.get_account()
        self.assertNotIsInstance(caught.exception, PontoCredentialsError)
        self.assertEqual(caught.exception.code, 'invalidAccessToken')
        self.assertEqual((len(self.calls('/accounts')), self.tokens_asked(), self.waits), (2, 2, []))

    def test_a_forbidden_call_does_not_cost_a_token(self):
        self.simulator.fail(EVERYTHING, status=403, path='/accounts')
        with self.assertRaises(PontoAuthError):
            self.get_account()
        self.assertEqual((len(self.calls('/accounts')), self.tokens_asked()), (1, 1))

    def test_a_token_refused_in_the_middle_of_a_list_loses_no_page(self):
        pages = self.make_client().iter_transaction_pages(account_id=self.account.id)
        rows = list(next(pages).items)
        self.simulator.revoke_tokens()
        rows += [row for page in pages for row in page.items]
        self.assertEqual([row.id for row in rows], [row.id for row in reversed(self.rows)])

    def test_a_clock_that_is_behind_is_made_up_for_by_renewal(self):
        stopped = self.now()
        store = MemoryTokenStore(clock=lambda: stopped)
        client = self.make_client(self.make_auth(store=store, clock=lambda: stopped))
        self.get_account(client)
        self.simulator.advance(hours=1)
        self.get_account(client)
        self.assertEqual(self.tokens_asked(), 2)

    def test_a_clock_that_is_wrong_costs_no_extra_tokens(self):
        for skew in (timedelta(hours=-5), timedelta(minutes=-5), timedelta(minutes=5), timedelta(days=400)):

            def clock(skew=skew):
                return self.now() + skew

            client = self.make_client(self.make_auth(store=MemoryTokenStore(clock=clock), clock=clock))
            before = self.tokens_asked()
            self.get_account(client)
            self.get_account(client)
            self.assertEqual(self.tokens_asked() - before, 1)

    def test_threads_that_need_a_token_at_once_ask_for_one(self):
        client = self.make_client()
        barrier = threading.Barrier(8)

        def call(_number):
            barrier.wait(10)
            return self.get_account(client)

        for round_number in (1, 2):
            with ThreadPoolExecutor(8) as pool:
                self.assertEqual(len(list(pool.map(call, range(8)))), 8)
            self.assertEqual(self.tokens_asked(), round_number)
            self.simulator.revoke_tokens()

    def test_a_token_renewed_by_somebody_else_is_taken(self):
        auth = self.make_auth()
        self.get_account(self.make_client(auth))
        stale = auth.access_token(None)
        self.simulator.revoke_tokens()
        self.get_account(self.make_client(auth))
        self.assertNotEqual(auth.renew(stale, None), stale)
        self.assertEqual(self.tokens_asked(), 2)

    def test_an_answer_of_the_token_endpoint_is_read_with_care(self):
        for body, lifetime in (
            ({'access_token': 'x', 'expires_in': 1799}, 1799),
            ({'access_token': 'x'}, 300),
            ({'access_token': 'x', 'expires_in': 'soon'}, 300),
            ({'access_token': 'x', 'expires_in': -5}, 0),
            ({'access_token': 'x', 'expires_in': 1e30}, 86400),
            ({'access_token': 'x', 'expires_in': float('nan')}, 300),
        ):
            with self.subTest(body):
                store = MemoryTokenStore(clock=self.now)
                self.simulator.fail(body=body, path='/oauth2/token')
                self.simulator.fail(body={'data': {'id': self.account.id}}, path='/accounts')
                self.get_account(self.make_client(self.make_auth(store=store)))
                self.assertEqual(store.load().expires_at, self.now() + timedelta(seconds=lifetime))

    def test_an_answer_without_usable_token_is_no_answer(self):
        for body in ([], {}, *({'access_token': token} for token in (None, '', 'a b', 'a\r\nX: b', 5, 'é'))):
            self.simulator.fail(body=body, path='/oauth2/token')
            with self.subTest(body), self.assertRaises(PontoResponseError) as caught:
                self.get_account()
            self.assertEqual(caught.exception.reason, 'structure')
        self.assertEqual(self.calls('/accounts'), [])

    def test_refusals_of_the_token_endpoint_are_told_apart(self):
        for status, code, expected in (
            (401, 'invalid_client', PontoCredentialsError),
            (400, 'invalid_client', PontoCredentialsError),
            (400, 'unauthorized_client', PontoCredentialsError),
            (401, 'anything', PontoCredentialsError),
            (400, 'invalid_grant', PontoGrantError),
            (403, 'access_denied', PontoAuthError),
            (400, 'invalid_scope', PontoApiError),
        ):
            self.simulator.fail(status=status, code=code, path='/oauth2/token')
            with self.subTest(status=status, code=code), self.assertRaises(PontoApiError) as caught:
                self.get_account()
            self.assertIs(type(caught.exception), expected)
            self.assertEqual((caught.exception.status, caught.exception.code), (status, code))
        self.simulator.fail(status=401, body=b'<html>', path='/oauth2/token', headers={'Content-Type': 'text/html'})
        with self.assertRaises(PontoCredentialsError):
            self.get_account()
        self.assertEqual((self.calls('/accounts'), self.waits), ([], []))

    def test_a_fault_of_the_token_endpoint_is_waited_out(self):
        self.simulator.fail(status=503, path='/oauth2/token')
        self.simulator.fail(kind='slow', path='/oauth2/token')
        self.get_account()
        self.assertEqual((self.tokens_asked(), self.waits), (3, [1, 2]))

    def test_credentials_are_sent_over_tls_only(self):
        with self.assertRaises(ValueError):
            self.get_account(self.make_client(self.make_auth(token_url='http://api.myponto.com/oauth2/token')))
        self.assertEqual(self.sent, [])


class TestPaging(SimulatedCase):
    def test_an_answer_about_another_account_is_no_answer(self):
        other = self.simulator.add_account('BE43068999999501')
        self.simulator.fail(body={'data': {'id': other.id}}, path='/accounts')
        with self.assertRaises(PontoResponseError) as caught:
            self.get_account()
        self.assertEqual(caught.exception.reason, 'structure')

    def setUp(self):
        super().setUp()
        self.expected = [row.id for row in reversed(self.rows)]

    def read_ids(self, **kwargs):
        return [row.id for row in self.read_rows(**kwargs)]

    def test_pages_are_as_large_as_ponto_allows(self):
        self.assertEqual(self.read_ids(), self.expected)
        self.assertEqual(len(self.calls('/transactions')), 3)

    def test_a_short_page_is_not_the_end(self):
        self.simulator.set_page_size(37)
        self.assertEqual(self.read_ids(), self.expected)

    def test_an_empty_page_is_not_the_end(self):
        link = f'{BASE_URL}/accounts/{self.account.id}/transactions?limit=100'
        self.simulator.fail(body={'data': [], 'links': {'next': link}}, path='/transactions')
        self.assertEqual(self.read_ids(), self.expected)

    def test_a_page_is_asked_for_when_it_is_wanted(self):
        pages = self.make_client().iter_transaction_pages(account_id=self.account.id)
        self.assertEqual(self.sent, [])
        next(pages)
        self.assertEqual(len(self.calls('/transactions')), 1)

    def test_no_next_link_is_the_end_however_it_is_said(self):
        for ending in ({'links': {'next': None}}, {'links': {}}, {'links': None}, {}, {'links': {'next': ''}}):
            self.simulator.fail(body={'data': [{'id': 't1'}], **ending}, path='/transactions')
            self.assertEqual(self.read_ids(), ['t1'])

    def test_a_link_within_the_api_is_followed_as_it_stands(self):
        link = f'/accounts/{self.account.id}/transactions/?after={self.expected[-3]}&limit=100'
        for origin in (BASE_URL, 'https://API.MyPonto.com', 'https://api.myponto.com:443', 'HTTPS://api.myponto.com'):
            with self.subTest(origin):
                self.simulator.foreign_next_link(origin + link)
                self.assertEqual(self.read_ids(), self.expected[:100] + self.expected[-2:])

    def test_a_link_that_leads_elsewhere_is_not_followed(self):
        path = f'/accounts/{self.account.id}/transactions?page[after]={self.expected[99]}'
        for link in (
            f'https://evil.test{path}',
            f'http://api.myponto.com{path}',
            f'https://api.myponto.com:8443{path}',
            f'https://api.myponto.com:443000{path}',
            f'https://api.myponto.com@evil.test{path}',
            f'https://api.myponto.com:secret@evil.test{path}',
            f'https://someone@api.myponto.com{path}',
            f'https://api.myponto.com\\@evil.test{path}',
            f'https://evil.test\\@api.myponto.com{path}',
            f'https://api.myponto.com.evil.test{path}',
            f'https://api.myponto.com%2eevil.test{path}',
            f'https://api.myponto.com.{path}',
            f'https://api.myponto.com /{path}',
            f'https://api.myponto.com\n{path}',
            f'https://аpi.myponto.com{path}',
            f'https://[::1{path}',
            f'//evil.test{path}',
            f'//api.myponto.com{path}',
            f'///evil.test{path}',
            path,
            'javascript:alert(1)',
            'file:///etc/passwd',
            f'https://api.myponto.com/accounts/../../transactions{path}',
            f'https://api.myponto.com/accounts/%2e%2e/x{path}',
            f'https://api.myponto.com/accounts/%2E./x{path}',
            f'https://api.myponto.com/accounts/..%2fx{path}',
            f'https://api.myponto.com/accounts/..\\x{path}',
            f'https://api.myponto.com/accounts/..%5cx{path}',
            f'https://api.myponto.com/./accounts{path}',
            'https://api.myponto.com',
            f'https:api.myponto.com{path}',
        ):
            with self.subTest(link):
                self.simulator.foreign_next_link(link)
                pages = self.make_client().iter_transaction_pages(account_id=self.account.id)
                self.assertEqual(len(next(pages).items), 100)
                with self.assertRaises(PontoResponseError) as caught:
                    next(pages)
                self.assertEqual(caught.exception.reason, 'foreign_link')
                self.assertNotIn('evil', str(caught.exception))
        self.assertEqual({urlsplit(request.url)[:2] for request in self.sent}, {('https', 'api.myponto.com')})

    def test_a_link_outside_the_base_path_is_not_followed(self):
        base_url = 'https://api.ibanity.com/ponto-connect'
        self.use_simulator(Simulator(base_path='/ponto-connect'))
        self.account = self.simulator.add_account('BE07626550616261')
        self.simulator.add_transaction(self.account, 1, '2026-03-01')
        self.simulator.add_transaction(self.account, 2, '2026-03-01')
        client = self.make_client(self.make_auth(token_url=f'{base_url}/oauth2/token'), base_url=f'{base_url}/')
        self.assertEqual(len(self.read_rows(client, limit=1)), 2)
        for path in (
            '/accounts',
            '/ponto-connect-evil/accounts',
            '/ponto-connect',
            '/',
            '',
            '/ponto-connect/../accounts',
            '/PONTO-CONNECT/accounts',
            '//ponto-connect/accounts',
            '/ponto-connect/%2e%2e/accounts',
        ):
            with self.subTest(path):
                self.simulator.foreign_next_link(f'https://api.ibanity.com{path}')
                with self.assertRaises(PontoResponseError) as caught:
                    self.read_rows(client)
                self.assertEqual(caught.exception.reason, 'foreign_link')
        self.assertTrue(all(urlsplit(request.url).path.startswith('/ponto-connect/') for request in self.sent))

    def test_a_list_that_turns_in_circles_is_left(self):
        link = f'{BASE_URL}/accounts/{self.account.id}/transactions?page[after]={self.expected[99]}'
        self.simulator.foreign_next_link(link, times=EVERYTHING)
        with self.assertRaises(PontoResponseError) as caught:
            self.read_rows()
        self.assertEqual(caught.exception.reason, 'repeated_link')
        self.assertEqual(len(self.calls('/transactions')), 2)

    def test_a_list_without_end_is_left(self):
        self.simulator.set_page_size(1)
        for number in range(5):
            self.simulator.add_institution(f'Bank {number}', 'NL')
        self.enterContext(patch.object(client_module, 'MAX_PAGES', 3))
        with self.assertRaises(PontoResponseError) as caught:
            list(self.make_client().iter_institutions())
        self.assertEqual(caught.exception.reason, 'endless_list')
        self.assertEqual(len(self.calls('/financial-institutions')), 3)

    def test_every_list_follows_its_pages(self):
        self.simulator.set_page_size(1)
        self.simulator.add_account('BE68539007547034')
        for number in range(3):
            self.simulator.add_institution(f'Bank {number}', 'NL')
            self.simulator.add_pending_transaction(self.account, number, '2026-04-15')
        client = self.make_client()
        self.assertEqual(len(list(client.iter_accounts())), 2)
        self.assertEqual(len(list(client.iter_institutions())), len(self.simulator.institutions))
        self.assertEqual(len(list(client.iter_pending_transactions(account_id=self.account.id))), 3)
        self.simulator.assert_expected()
