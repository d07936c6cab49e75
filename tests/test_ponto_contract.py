"""What must hold of the simulator, on a socket, and of Ponto's own sandbox alike. That keeps the simulator honest.

With PONTO_SANDBOX_CLIENT_ID and PONTO_SANDBOX_CLIENT_SECRET in the environment, `scripts/test -m ponto_sandbox` runs
it against the sandbox.
"""

import json
import os
import time
import uuid
from datetime import datetime, timezone
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..ponto import (
    ACCOUNT_TRANSACTIONS,
    ClientCredentialsAuth,
    MemoryTokenStore,
    PontoAuthError,
    PontoClient,
    PontoCredentialsError,
    PontoNotFoundError,
    PontoRecentlySynchronizedError,
    Token,
)
from .marks import by_marker
from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from .simulator.server import Server
from .test_ponto_transport import SEND


class ContractTests:
    """What is true of the direct API, wherever it is. A case says where, with which credentials, and how it waits.

    Nothing here may touch a simulator: the same tests run against Ponto's own sandbox.
    """

    base_url = 'https://api.myponto.com'
    client_id = None
    client_secret = None
    customer_ip = '123.123.123.123'
    pause = 0

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        return SEND(session, request, **kwargs)

    def make_auth(self, **overrides):
        values = {
            'client_id': self.client_id,
            'client_secret': self.client_secret,
            'token_url': f'{self.base_url}/oauth2/token',
            'store': MemoryTokenStore(),
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
        institution = next(client.iter_institutions())
        self.assertTrue(institution.name)
        self.assertEqual(client.get_institution(institution_id=institution.id), institution)

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
        store = MemoryTokenStore(Token('no-such-token', datetime(2199, 1, 1, tzinfo=timezone.utc)))
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


class TestClientOnSocket(ContractTests, BaseCase):
    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def setUp(self):
        super().setUp()
        simulator = Simulator()
        simulator.add_institution('Dutch Bank', 'NL')
        simulator.add_account('BE68539007547034')
        account = simulator.add_account('BE07626550616261')
        for number in range(1, 251):
            simulator.add_transaction(account, Decimal(number) / 100, f'2026-03-{number % 28 + 1:02}')
        simulator.add_pending_transaction(account, -5, '2026-04-15')
        self.base_url = self.enterContext(Server(simulator)).url
        self.addCleanup(simulator.assert_expected)


@by_marker('ponto_sandbox')
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
