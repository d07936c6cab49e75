"""The client against a Ponto: what must hold of the simulator and of Ponto's own sandbox, then what can go wrong.

With PONTO_SANDBOX_CLIENT_ID and PONTO_SANDBOX_CLIENT_SECRET in the environment, `scripts/test -m ponto_sandbox` runs
the first part against the sandbox, which is how the simulator is kept honest.
"""

import gzip
import json
import os
import threading
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from odoo.tests import BaseCase, tagged

from ..ponto import (
    ACCOUNT_DETAILS,
    ACCOUNT_TRANSACTIONS,
    ClientCredentialsAuth,
    MemoryTokenStore,
    PontoApiError,
    PontoAuthError,
    PontoClient,
    PontoConnectionError,
    PontoCredentialsError,
    PontoError,
    PontoGrantError,
    PontoNotFoundError,
    PontoRateLimitError,
    PontoRecentlySynchronizedError,
    PontoResponseError,
    PontoServerError,
    PontoTimeoutError,
    PontoTlsError,
    Token,
)
from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator

try:
    from pytest import mark
    ponto_sandbox = mark.ponto_sandbox
except ImportError:
    def ponto_sandbox(case):
        return case

BASE_URL = 'https://api.myponto.com'
EVERYTHING = 10 ** 6


class ContractTests:
    """What is true of the direct API, wherever it is. The cases say how to reach it."""

    base_url = BASE_URL
    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    customer_ip = '123.123.123.123'
    pause = 0

    def make_auth(self, **overrides):
        values = {
            'client_id': self.client_id, 'client_secret': self.client_secret,
            'token_url': f'{self.base_url}/oauth2/token', 'store': MemoryTokenStore(),
        }
        return ClientCredentialsAuth(**(values | overrides))

    def make_client(self, auth=None, **overrides):
        return PontoClient(**({'base_url': self.base_url, 'auth': auth or self.make_auth()} | overrides))

    def fullest_account(self, client):
        def length(account):
            return len(next(client.iter_transaction_pages(account_id=account.id)).items)

        return max(client.iter_accounts(), key=length)

    def read_all(self, client, account, **kwargs):
        pages = client.iter_transaction_pages(account_id=account.id, **kwargs)
        return [row for page in pages for row in page.items]

    def test_accounts_are_listed(self):
        accounts = list(self.make_client().iter_accounts())
        self.assertTrue(accounts)
        for account in accounts:
            self.assertTrue(account.reference)
            self.assertRegex(account.currency, '^[A-Z]{3}$')
            self.assertTrue(account.institution_id)
            self.assertIsInstance(account.current_balance, Decimal)
            self.assertLess(account.authorized_at, account.authorization_expires_at)
            self.assertTrue(account.synchronized_at)

    def test_an_account_alone_is_the_account_of_the_list(self):
        client = self.make_client()
        account = next(client.iter_accounts())
        self.assertEqual(client.get_account(account_id=account.id), account)

    def test_an_unknown_account_is_not_found(self):
        client = self.make_client()
        for call in (
            lambda: client.get_account(account_id=str(uuid.UUID(int=0))),
            lambda: next(client.iter_transaction_pages(account_id=str(uuid.UUID(int=0)))),
        ):
            with self.assertRaises(PontoNotFoundError) as caught:
                call()
            self.assertEqual((caught.exception.status, caught.exception.code), (404, 'resourceNotFound'))
            self.assertTrue(caught.exception.detail)

    def test_the_catalogue_needs_no_credentials(self):
        client = PontoClient(base_url=self.base_url)
        belgian = list(client.iter_institutions(country='BE'))
        self.assertTrue(belgian)
        self.assertEqual({institution.country for institution in belgian}, {'BE'})
        self.assertEqual(client.get_institution(institution_id=belgian[0].id), belgian[0])

    def test_the_institution_of_an_account_is_known(self):
        client = self.make_client()
        account = next(client.iter_accounts())
        institution = client.get_institution(institution_id=account.institution_id)
        self.assertEqual(institution.id, account.institution_id)
        self.assertTrue(institution.name)

    def test_transactions_are_the_same_whatever_the_size_of_a_page(self):
        client = self.make_client()
        account = self.fullest_account(client)
        largest = list(client.iter_transaction_pages(account_id=account.id))
        small = list(client.iter_transaction_pages(account_id=account.id, limit=7))
        rows = [row for page in largest for row in page.items]
        self.assertTrue(rows)
        self.assertEqual([row for page in small for row in page.items], rows)
        self.assertEqual(len({row.id for row in rows}), len(rows))
        self.assertLessEqual(max(len(page.items) for page in small), 7)
        self.assertGreater(len(small), len(largest))
        self.assertEqual(largest[0].latest_synchronization.resource_id, account.id)
        self.assertTrue(largest[0].synchronized_at)
        self.assertIsNone(largest[-1].next_url)

    def test_transactions_after_one_are_the_rest_of_the_list(self):
        client = self.make_client()
        account = self.fullest_account(client)
        rows = self.read_all(client, account)
        self.assertEqual(self.read_all(client, account, after=rows[2].id), rows[3:])

    def test_transactions_are_sound(self):
        client = self.make_client()
        account = self.fullest_account(client)
        [page, *_rest] = client.iter_transaction_pages(account_id=account.id)
        for row in page.items:
            self.assertEqual(row.problem, '')
            self.assertEqual(row.currency, account.currency)
            self.assertTrue(row.created_at and row.updated_at)
            json.dumps(row.attributes)
        self.assertEqual(client.get_transaction(account_id=account.id, transaction_id=page.items[0].id), page.items[0])

    def test_pending_transactions_are_a_list_of_their_own(self):
        client = self.make_client()
        account = self.fullest_account(client)
        booked = {row.id for row in self.read_all(client, account)}
        self.assertFalse(booked & {row.id for row in client.iter_pending_transactions(account_id=account.id)})

    def test_wrong_credentials_are_told_apart(self):
        unknown = str(uuid.UUID(int=0))
        for wrong in ({'client_secret': 'wrong'}, {'client_id': unknown}, {'client_secret': 'schlüssel-🔑'}):
            client = self.make_client(self.make_auth(**wrong))
            with self.subTest(wrong), self.assertRaises(PontoCredentialsError) as caught:
                next(client.iter_accounts())
            self.assertIn(caught.exception.status, (400, 401))

    def test_an_invalid_token_is_renewed(self):
        store = MemoryTokenStore(Token('no-such-token', datetime(2199, 1, 1, tzinfo=UTC)))
        self.assertTrue(next(self.make_client(self.make_auth(store=store)).iter_accounts()))
        self.assertNotEqual(store.load().access_token, 'no-such-token')

    def test_without_token_accounts_are_refused(self):
        client = PontoClient(base_url=self.base_url)
        with self.assertRaises(PontoAuthError) as caught:
            next(client.iter_accounts())
        self.assertEqual(caught.exception.status, 401)

    def test_a_synchronization_runs_and_cannot_be_asked_for_twice(self):
        client = self.make_client()
        account = self.fullest_account(client)
        request = {'account_id': account.id, 'subtype': ACCOUNT_TRANSACTIONS, 'customer_ip': self.customer_ip}
        synchronization = client.create_synchronization(**request)
        self.assertEqual((synchronization.resource_id, synchronization.subtype), (account.id, ACCOUNT_TRANSACTIONS))
        with self.assertRaises(PontoRecentlySynchronizedError):
            client.create_synchronization(**request)
        for _attempt in range(60):
            synchronization = client.get_synchronization(synchronization_id=synchronization.id)
            if synchronization.status in ('success', 'error'):
                break
            time.sleep(self.pause)
        self.assertEqual((synchronization.status, synchronization.errors), ('success', ()))
        for row in client.iter_updated_transactions(synchronization_id=synchronization.id):
            self.assertEqual(row.problem, '')


@ponto_sandbox
@tagged('-standard', 'ponto_sandbox')
class TestClientOnPontoSandbox(ContractTests, BaseCase):
    """Needs an integration of Ponto's sandbox with an account that has more than seven transactions."""

    pause = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client_id = os.environ.get('PONTO_SANDBOX_CLIENT_ID')
        cls.client_secret = os.environ.get('PONTO_SANDBOX_CLIENT_SECRET')
        if not cls.client_id or not cls.client_secret:
            raise AssertionError('PONTO_SANDBOX_CLIENT_ID and PONTO_SANDBOX_CLIENT_SECRET must be in the environment')


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
            for number in range(1, 251)]
        self.waits = []

    def use_simulator(self, simulator):
        type(self).simulator, type(self).sent = simulator, []

    def make_auth(self, **overrides):
        values = {
            'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET, 'token_url': f'{BASE_URL}/oauth2/token',
            'store': MemoryTokenStore(clock=self.now), 'clock': self.now,
        }
        return ClientCredentialsAuth(**(values | overrides))

    def make_client(self, auth=None, **overrides):
        values = {
            'base_url': BASE_URL, 'auth': auth or self.make_auth(), 'sleep': self.waits.append, 'jitter': lambda: 1.0,
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
            account_id=self.account.id, subtype=ACCOUNT_DETAILS, customer_ip='123.123.123.123')


class TestClientOnSimulator(ContractTests, SimulatedCase):

    make_auth = SimulatedCase.make_auth
    make_client = SimulatedCase.make_client

    def setUp(self):
        super().setUp()
        self.simulator.add_institution('Dutch Bank', 'NL')
        self.simulator.add_institution('Wide Bank', None)
        self.simulator.add_account('BE68539007547034')
        self.simulator.add_pending_transaction(self.account, -5, '2026-04-15')

    def tearDown(self):
        self.simulator.assert_expected()
        super().tearDown()


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
                self.simulator.fail(body={'data': {'id': 'a1'}}, path='/accounts')
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


class TestRetry(SimulatedCase):

    def test_passing_faults_are_waited_out(self):
        for fault in (
            {'status': 500}, {'status': 503}, {'status': 429}, {'status': 502, 'kind': 'html'}, {'kind': 'reset'},
            {'kind': 'refused'}, {'kind': 'dns'}, {'kind': 'slow'}, {'kind': 'connect_timeout'},
        ):
            with self.subTest(fault):
                self.waits.clear()
                self.simulator.fail(4, path='/accounts', **fault)
                self.assertEqual(self.get_account().id, self.account.id)
                self.assertEqual(self.waits, [1, 2, 4, 8])

    def test_lasting_faults_end_after_a_bounded_number_of_calls(self):
        for fault, expected in (
            ({'status': 500}, PontoServerError),
            ({'status': 599}, PontoServerError),
            ({'status': 429}, PontoRateLimitError),
            ({'status': 502, 'kind': 'html'}, PontoServerError),
            ({'kind': 'reset'}, PontoConnectionError),
            ({'kind': 'refused'}, PontoConnectionError),
            ({'kind': 'dns'}, PontoConnectionError),
            ({'kind': 'slow'}, PontoTimeoutError),
            ({'kind': 'connect_timeout'}, PontoTimeoutError),
        ):
            with self.subTest(fault):
                self.simulator.clear_faults()
                self.simulator.fail(EVERYTHING, path='/accounts', **fault)
                before = len(self.calls('/accounts'))
                with self.assertRaises(PontoError) as caught:
                    self.get_account()
                self.assertIs(type(caught.exception), expected)
                self.assertEqual(len(self.calls('/accounts')) - before, 5)

    def test_what_will_not_pass_is_not_repeated(self):
        for fault, expected in (
            ({'status': 400}, PontoApiError),
            ({'status': 403}, PontoAuthError),
            ({'status': 404}, PontoNotFoundError),
            ({'status': 410}, PontoApiError),
            ({'status': 422}, PontoApiError),
            ({'status': 302, 'headers': {'Location': 'https://evil.test/'}}, PontoResponseError),
            ({'status': 307, 'headers': {'Location': '/accounts'}}, PontoResponseError),
            ({'kind': 'html'}, PontoResponseError),
            ({'kind': 'truncated'}, PontoResponseError),
            ({'kind': 'empty'}, PontoResponseError),
            ({'kind': 'wrong_type'}, PontoResponseError),
            ({'kind': 'tls'}, PontoTlsError),
        ):
            with self.subTest(fault):
                self.simulator.clear_faults()
                self.simulator.fail(EVERYTHING, path='/accounts', **fault)
                before = len(self.calls('/accounts'))
                with self.assertRaises(PontoError) as caught:
                    self.get_account()
                self.assertIs(type(caught.exception), expected)
                self.assertEqual(len(self.calls('/accounts')) - before, 1)
        self.assertEqual(self.waits, [])
        self.assertEqual({urlsplit(request.url).hostname for request in self.sent}, {'api.myponto.com'})

    def test_waits_are_spread(self):
        self.simulator.fail(EVERYTHING, status=500, path='/accounts')
        with self.assertRaises(PontoServerError):
            self.get_account(self.make_client(jitter=lambda: 0.0, retries=6))
        self.assertEqual(self.waits, [0.5, 1, 2, 4, 8, 15])

    def test_retries_can_be_done_without(self):
        self.simulator.fail(status=500, path='/accounts')
        with self.assertRaises(PontoServerError):
            self.get_account(self.make_client(retries=0))
        self.assertEqual(self.waits, [])

    def test_a_short_retry_after_is_waited_for(self):
        later, earlier = 'Wed, 15 Apr 2026 10:00:05 GMT', 'Wed, 15 Apr 2026 09:00:00 GMT'
        for value, wait in ((7, 7), (0, 0), (30, 30), (later, 5), (earlier, 0)):
            with self.subTest(value):
                self.waits.clear()
                self.simulator.fail(status=429, retry_after=value, path='/accounts',
                                    headers={'Date': 'Wed, 15 Apr 2026 10:00:00 GMT'})
                self.get_account()
                self.assertEqual(self.waits, [wait])

    def test_a_long_retry_after_is_left_to_the_caller(self):
        for value, wait in ((31, 31), (3600, 3600), ('Wed, 15 Apr 2026 11:00:00 GMT', 3600)):
            with self.subTest(value):
                self.simulator.fail(status=429, retry_after=value, path='/accounts',
                                    headers={'Date': 'Wed, 15 Apr 2026 10:00:00 GMT'})
                with self.assertRaises(PontoRateLimitError) as caught:
                    self.get_account()
                self.assertEqual(caught.exception.retry_after, wait)
        self.assertEqual(self.waits, [])

    def test_an_unreadable_retry_after_counts_as_none(self):
        for value in ('soon', '-5', 'nan', '1e9', '٣', '99999999999', 'Wed, 99 Apr 2026'):
            with self.subTest(value):
                self.waits.clear()
                self.simulator.fail(status=429, retry_after=value.encode().decode('latin-1'), path='/accounts')
                self.get_account()
                self.assertEqual(self.waits, [1])

    def test_a_synchronization_that_may_have_arrived_is_not_repeated(self):
        for fault, expected in (
            ({'status': 500}, PontoServerError),
            ({'status': 503, 'retry_after': 1}, PontoServerError),
            ({'status': 429, 'retry_after': 1}, PontoRateLimitError),
            ({'kind': 'reset', 'carried_out': True}, PontoConnectionError),
            ({'kind': 'slow', 'carried_out': True}, PontoTimeoutError),
            ({'kind': 'tls'}, PontoTlsError),
            ({'kind': 'truncated'}, PontoResponseError),
        ):
            with self.subTest(fault):
                self.simulator.advance(hours=1)
                self.simulator.fail(path='/synchronizations', **fault)
                before = len(self.calls('/synchronizations'))
                with self.assertRaises(PontoError) as caught:
                    self.synchronize()
                self.assertIs(type(caught.exception), expected)
                self.assertEqual(len(self.calls('/synchronizations')) - before, 1)
        self.assertEqual(self.waits, [])

    def test_a_synchronization_that_was_not_sent_is_repeated(self):
        for kind in ('refused', 'dns', 'connect_timeout'):
            with self.subTest(kind):
                self.simulator.advance(hours=1)
                self.simulator.fail(kind=kind, path='/synchronizations')
                self.assertEqual(self.synchronize().status, 'pending')

    def test_a_synchronization_with_an_old_token_is_sent_again_with_a_new_one(self):
        client = self.make_client()
        self.get_account(client)
        self.simulator.revoke_tokens()
        self.assertEqual(self.synchronize(client).status, 'pending')
        self.assertEqual([call.status for call in self.calls('/synchronizations')], [401, 201])


class TestPaging(SimulatedCase):

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
            '/accounts', '/ponto-connect-evil/accounts', '/ponto-connect', '/', '', '/ponto-connect/../accounts',
            '/PONTO-CONNECT/accounts', '//ponto-connect/accounts', '/ponto-connect/%2e%2e/accounts',
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

    def test_every_list_follows_its_pages(self):
        self.simulator.set_page_size(1)
        self.simulator.add_account('BE68539007547034')
        for number in range(3):
            self.simulator.add_institution(f'Bank {number}', 'NL')
            self.simulator.add_pending_transaction(self.account, number, '2026-04-15')
            self.simulator.add_bank_transaction(self.account, number, '2026-04-15')
        client = self.make_client()
        synchronization = client.create_synchronization(
            account_id=self.account.id, subtype=ACCOUNT_TRANSACTIONS, customer_ip='123.123.123.123')
        self.simulator.advance(minutes=1)
        self.assertEqual(len(list(client.iter_accounts())), 2)
        self.assertEqual(len(list(client.iter_institutions(country='NL'))), 3)
        self.assertEqual(len(list(client.iter_pending_transactions(account_id=self.account.id))), 3)
        self.assertEqual(len(list(client.iter_updated_transactions(synchronization_id=synchronization.id))), 3)
        self.simulator.assert_expected()


class TestBodies(SimulatedCase):

    def reason(self, call=None, **fault):
        """Why a body was refused, None when it was not."""
        self.simulator.fail(path='/accounts', **fault)
        try:
            (call or self.get_account)()
        except PontoResponseError as error:
            return error.reason
        return None

    def test_what_is_not_pontos_is_told_apart(self):
        self.assertEqual(self.reason(kind='html'), 'html')
        self.assertEqual(self.reason(kind='truncated'), 'truncated')
        self.assertEqual(self.reason(kind='empty'), 'empty')
        self.assertEqual(self.reason(body=b' \r\n'), 'empty')
        self.assertEqual(self.reason(status=204, body=b''), 'empty')
        self.assertEqual(self.reason(kind='wrong_type'), 'wrong_type')
        self.assertEqual(self.reason(status=302, headers={'Location': f'{BASE_URL}/accounts'}), 'redirect')
        self.assertEqual(self.reason(body=b'not json'), 'truncated')
        self.assertEqual(self.reason(body=b'{"data": {"id": "a1"}} {}'), 'truncated')
        self.assertEqual(self.reason(body=b'[' * 200_000), 'truncated')
        self.assertEqual(self.reason(body=b'{"data": {"id": "a1", "x": "\xff\xfe"}}'), 'encoding')

    def test_json_of_another_shape_is_told_apart(self):
        for body in ([], 'text', 5, None, {}, {'data': None}, {'data': []}, {'data': {'id': None}}, {'errors': []}):
            with self.subTest(body):
                self.assertEqual(self.reason(body=json.dumps(body).encode()), 'structure')
        for body in (
            {}, {'data': None}, {'data': {}}, {'data': [None]}, {'data': [{'id': 't1'}, {}]},
            {'data': [], 'links': [5]}, {'data': [], 'links': {'next': 5}}, {'data': [], 'links': {'next': {'href': 'x'}}},
        ):
            with self.subTest(body):
                self.assertEqual(self.reason(self.read_rows, body=body), 'structure')

    def test_members_of_a_page_may_be_missing(self):
        for members in (
            {}, {'meta': None}, {'meta': []}, {'links': {'next': None}}, {'links': []},
            {'meta': {'synchronizedAt': 'now', 'latestSynchronization': 5}},
        ):
            with self.subTest(members):
                self.simulator.fail(path='/accounts', body={'data': [], **members})
                [page] = self.make_client().iter_transaction_pages(account_id=self.account.id)
                self.assertEqual((page.synchronized_at, page.latest_synchronization), (None, None))

    def test_an_answer_is_read_up_to_a_limit(self):
        self.assertEqual(self.reason(body=b' ' * (21 * 1024 * 1024)), 'too_large')
        bomb = gzip.compress(b' ' * (50 * 1024 * 1024))
        self.assertEqual(self.reason(body=bomb, headers={'Content-Encoding': 'gzip'}), 'too_large')

    def test_compressed_and_encoded_answers_are_read(self):
        text = json.dumps({'data': {'id': 'a1', 'attributes': {'holderName': 'Zoë 💶'}}}, ensure_ascii=False)
        latin = text.replace('💶', '£')
        for body, headers in (
            (gzip.compress(text.encode()), {'Content-Encoding': 'gzip'}),
            (text.encode(), {'Content-Type': 'application/vnd.api+json;version=2'}),
            (text.encode('utf-8-sig'), {}),
            (text.encode('utf-16'), {}),
            (latin.encode('latin-1'), {'Content-Type': 'application/json; charset=ISO-8859-1'}),
            (text.encode(), {'Content-Type': 'application/json; charset=nonsense'}),
        ):
            with self.subTest(headers):
                self.simulator.fail(path='/accounts', body=body, headers=headers)
                self.assertIn(self.get_account().holder_name, ('Zoë 💶', 'Zoë £'))

    def test_a_wrong_encoding_is_told(self):
        self.assertEqual(self.reason(body=b'not gzip', headers={'Content-Encoding': 'gzip'}), 'encoding')
        for charset in ('nonsense', 'utf-8', 'base64'):
            headers = {'Content-Type': f'application/json; charset={charset}'}
            self.assertEqual(self.reason(body=b'{"data": {"id": "\xff\xfe"}}', headers=headers), 'encoding')

    def test_an_unreadable_row_does_not_stop_the_others(self):
        self.simulator.fail(path='/transactions', body=(
            b'{"data": [{"id": "t1", "attributes": {"amount": 1e400, "currency": "EUR", "valueDate": "2026-01-01"}},'
            b' {"id": "t2", "attributes": {"amount": NaN, "currency": "EUR", "valueDate": "2026-01-01"}},'
            b' {"id": "t3", "attributes": null},'
            b' {"id": "t4", "attributes": {"amount": 0.1, "currency": "EUR", "valueDate": "2026-01-01"}}]}'))
        rows = self.read_rows()
        self.assertEqual([bool(row.problem) for row in rows], [True, True, True, False])
        self.assertEqual(rows[3].amount, Decimal('0.1'))
        self.assertEqual(rows[0].attributes['amount'], '1E+400')

    def test_recorded_bodies_are_read(self):
        for generation in ('spec_2022', 'java_2019', 'oca_2019'):
            folder = Path(__file__).parent / 'data' / generation
            self.simulator.clear_faults()
            for name, path in (('accounts.json', '/accounts$'), ('transactions-*.json', '/transactions$')):
                [file] = folder.glob(name)
                self.simulator.fail(EVERYTHING, path=path, body={**json.loads(file.read_bytes()), 'links': {}})
            client = self.make_client()
            [account] = client.iter_accounts()
            [page] = client.iter_transaction_pages(account_id=account.id)
            self.assertEqual([row.problem for row in page.items], [''])


class TestErrors(SimulatedCase):

    def error(self, call=None, **fault):
        self.simulator.fail(path='/accounts', **fault)
        with self.assertRaises(PontoError) as caught:
            (call or self.get_account)()
        return caught.exception

    def test_an_error_of_ponto_keeps_code_detail_and_request_id(self):
        error = self.error(status=404)
        self.assertEqual((error.status, error.code), (404, 'resourceNotFound'))
        self.assertEqual(error.detail, 'The requested resource was not found.')
        self.assertRegex(error.request_id, '^[0-9A-F]{43}$')
        self.assertEqual(str(error), f'HTTP 404 resourceNotFound: {error.detail} (request {error.request_id})')

    def test_the_request_id_of_the_header_wins(self):
        error = self.error(status=400, headers={'ibanity-request-id': 'from-the-header'})
        self.assertEqual(error.request_id, 'from-the-header')

    def test_an_error_without_usable_body_is_known_by_its_status(self):
        for body in (
            b'', b'\xff', b'<html>', b'{}', b'[]', b'{"error": null}', b'{"errors": {}}', b'{"errors": []}',
            b'{"errors": [null]}', b'{"errors": [{}]}', b'{"errors": [{"code": {}, "detail": [], "meta": []}]}',
            b'{"errors": [{"meta": 5}]}',
        ):
            with self.subTest(body):
                error = self.error(status=404, body=body)
                self.assertIs(type(error), PontoNotFoundError)
                self.assertEqual((error.status, error.code, error.detail), (404, '', ''))
                self.assertEqual(str(error), 'HTTP 404')

    def test_a_recent_synchronization_is_told_apart(self):
        self.synchronize()
        with self.assertRaises(PontoRecentlySynchronizedError) as caught:
            self.synchronize()
        self.assertEqual((caught.exception.status, caught.exception.code), (400, 'accountRecentlySynchronized'))

    def test_a_missing_ip_address_is_an_error_of_ponto(self):
        with self.assertRaises(PontoApiError) as caught:
            self.make_client().create_synchronization(
                account_id=self.account.id, subtype=ACCOUNT_DETAILS, customer_ip='')
        self.assertEqual(caught.exception.status, 400)

    def test_what_ponto_says_is_one_bounded_line(self):
        error = self.error(status=400, code='a\r\nb' * 1000, detail='x\n\x00\x1b[31m' * 10_000)
        self.assertLess(len(str(error)), 1200)
        self.assertTrue(str(error).isprintable())
        error = self.error(status=400, headers={'ibanity-request-id': 'r' * 5000})
        self.assertEqual(len(error.request_id), 100)

    def test_an_id_that_names_nothing_is_refused_before_it_is_sent(self):
        for account_id in ('', '.', '..'):
            with self.assertRaises(ValueError):
                self.make_client().get_account(account_id=account_id)
        self.assertEqual(self.sent, [])

    def test_an_id_cannot_leave_its_place_in_the_path(self):
        for account_id in ('../synchronizations', 'a/b', 'a?limit=1', 'a#b', '%2e%2e', 'a\r\nb', 'é'):
            with self.subTest(account_id), self.assertRaises(PontoNotFoundError):
                self.make_client().get_account(account_id=account_id)
            self.assertRegex(self.sent[-1].url, r'^https://api\.myponto\.com/accounts/[^/?#]+$')

    def test_the_address_must_be_https_unless_it_is_this_machine(self):
        for url in ('http://127.0.0.1:8069', 'http://localhost/x/', 'http://[::1]:1', 'https://api.ibanity.com/ponto-connect'):
            self.assertEqual(PontoClient(base_url=url).base_url, url.rstrip('/'))
        for url in (
            'http://api.myponto.com', 'api.myponto.com', '', 'https://', 'ftp://localhost', 'https://a@api.myponto.com',
            'https://api.myponto.com/?a=b', 'https://api.myponto.com/#a', 'https://api.myponto.com\\x', 'https://a b/',
            'http://localhost.evil.test', 'http://127.0.0.1.evil.test', 'http://127.0.0.1@evil.test',
        ):
            with self.subTest(url), self.assertRaises(ValueError):
                PontoClient(base_url=url)


class TestSecrets(SimulatedCase):
    """Neither secret, token nor authorization header shows up where a person or a log could see it."""

    FAULTS = (
        *({'status': status} for status in (400, 401, 403, 404, 429, 500)),
        {'status': 429, 'retry_after': 60},
        *({'kind': kind} for kind in (
            'html', 'truncated', 'empty', 'wrong_type', 'slow', 'reset', 'refused', 'connect_timeout', 'tls', 'dns')),
    )

    def secrets(self):
        """Everything that must not be seen, with what was sent in the headers of this very test."""
        headers = {request.headers.get('Authorization') for request in self.sent} - {None}
        self.assertTrue(headers)
        return {CLIENT_SECRET, *self.simulator.tokens, *(header.split(' ')[1] for header in headers)}

    def assert_hidden(self, text):
        for secret in self.secrets():
            self.assertNotIn(secret, text)

    def test_errors_and_logs_hold_no_secret(self):
        for path in ('/oauth2/token', '/transactions'):
            for fault in self.FAULTS:
                self.simulator.clear_faults()
                self.simulator.fail(EVERYTHING, path=path, **fault)
                with self.subTest(path=path, fault=fault), self.assertLogs(level='DEBUG') as logs:
                    try:
                        self.read_rows()
                        self.fail('no error')
                    except PontoError as error:
                        seen = [str(error), repr(error), repr(vars(error)), traceback.format_exc(), *logs.output]
                self.assert_hidden('\n'.join(seen))

    def test_a_good_run_logs_paths_but_no_secret_and_no_query(self):
        with self.assertLogs(level='DEBUG') as logs:
            self.read_rows()
        text = '\n'.join(logs.output)
        self.assertIn(f'GET /accounts/{self.account.id}/transactions: 200', text)
        self.assertNotIn('page', text)
        self.assertNotIn(self.rows[0].id, text)
        self.assert_hidden(text)

    def test_an_answer_that_repeats_the_secrets_is_masked(self):
        for path in ('/oauth2/token', '/accounts'):
            auth = self.make_auth()
            if path == '/accounts':
                auth.access_token(self.make_client()._transport.post_form)
            secrets = [CLIENT_SECRET, *self.simulator.tokens]
            echo = f'You sent {" and ".join(secrets)}'
            self.simulator.fail(status=400, path=path, code=secrets[-1], detail=echo)
            with self.assertRaises(PontoApiError) as caught:
                self.get_account(self.make_client(auth))
            sent_here = CLIENT_SECRET if path == '/oauth2/token' else secrets[-1]
            self.assertNotIn(sent_here, str(caught.exception) + repr(vars(caught.exception)))
            self.assertIn('***', caught.exception.detail)

    def test_no_representation_shows_a_secret(self):
        auth = self.make_auth()
        client = self.make_client(auth)
        self.get_account(client)
        token = Token('the-access-token', self.now(), refresh_token='the-refresh-token')
        for item in (auth, client, client._transport, auth._store, auth._store.load(), token):
            for text in (repr(item), str(item), f'{item}'):
                self.assert_hidden(text)
                self.assertNotIn('the-access-token', text)
                self.assertNotIn('the-refresh-token', text)
