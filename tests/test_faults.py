"""Every fault at every endpoint of a run. The healthy accounts are read, the sick ones say why, then all is there once.

Each run of the tests takes some faults of each endpoint; `scripts/test -m faults` takes all of them.
"""

import base64
from datetime import datetime, timedelta, timezone

from odoo import fields
from odoo.addons.account_online_ponto.models.error_sentences import error_sentence
from odoo.tests import tagged

from ..ponto import PontoError, Token
from .common import PontoCase
from .marks import by_marker
from .simulator import CLIENT_ID
from .simulator.connect import Connect
from .test_connect_flow import set_up_application

PERSONS_ADDRESS = '81.82.83.84'
# What the API reference names, what it does not name but HTTP has, and what stands between us and Ponto.
FAULTS = {
    '400 accountRecentlySynchronized': {'status': 400, 'code': 'accountRecentlySynchronized'},
    '400 credentialsInvalid': {'status': 400, 'code': 'credentialsInvalid'},
    '400 authorizationCodeInvalid': {'status': 400, 'code': 'authorizationCodeInvalid'},
    '400 clientIdInvalid': {'status': 400, 'code': 'clientIdInvalid'},
    '400 invalid_grant': {'status': 400, 'code': 'invalid_grant'},
    '400 authorizationExpired': {'status': 400, 'code': 'authorizationExpired'},
    '401 invalidAccessToken': {'status': 401, 'code': 'invalidAccessToken'},
    '401 invalid_client': {'status': 401, 'code': 'invalid_client'},
    '401 invalidCredentials': {'status': 401, 'code': 'invalidCredentials'},
    '403 authorizationInvalid': {'status': 403, 'code': 'authorizationInvalid'},
    '404 resourceNotFound': {'status': 404, 'code': 'resourceNotFound'},
    '429 tooManyRequests': {'status': 429, 'code': 'tooManyRequests'},
    '429 Retry-After: 3600': {'status': 429, 'retry_after': 3600},
    '500': {'status': 500},
    '502 HTML': {'status': 502, 'kind': 'html'},
    '503': {'status': 503},
    '504': {'status': 504},
    'HTML': {'kind': 'html'},
    'truncated': {'kind': 'truncated'},
    'empty': {'kind': 'empty'},
    'wrong type': {'kind': 'wrong_type'},
    'slow': {'kind': 'slow'},
    'connection refused': {'kind': 'refused'},
    'connection reset': {'kind': 'reset'},
    'TLS failure': {'kind': 'tls'},
    'DNS failure': {'kind': 'dns'},
}
SOME_FAULTS = ('401 invalidAccessToken', '429 Retry-After: 3600', 'truncated')
# Ponto has renewed a refresh token, which works once, and its answer with the new one was lost: nothing can be read
# until somebody gives a new consent.
CONSENT_LOST = ('truncated', 'empty', 'wrong type')
# Where a fault is none: Ponto says that it has asked the bank just now.
TOLERATED = {('question', '400 accountRecentlySynchronized')}


class FaultMatrix:
    """Three accounts of a direct integration and two of Ponto Connect, of which some or all are sick for a while."""

    faults = FAULTS

    def setUp(self):
        type(self).current = self
        self.fault = self.is_meant = None
        super().setUp()
        self.simulator.set_page_size(3)
        self.patch(type(self.env['ponto.account']), '_customer_ip', lambda account, company: PERSONS_ADDRESS)
        direct = [self.online, *(self.add_account() for _number in range(2))]
        self.sick = self.online
        for account in direct:
            self.link(account)
        self.of_connect = [self.add_account(), self.add_account()]
        self.of_direct = direct
        for account in self.of_connect:
            self.simulator.untick(account)
        self.connect = Connect(self.simulator)
        set_up_application(self.env, self.connect)
        self.consent = self.env['ponto.integration'].create(
            {'connection': 'connect', 'organization_id': self.connect.organization.id, 'company_id': self.company.id}
        )
        self.give_consent()
        for account in self.consent._fetch_accounts():
            account._link_to_new_journal()
        for _number in range(4):
            self.add_transactions()
        self.run_cron()
        self.assert_complete()

    def add_account(self):
        number = len(self.simulator.accounts)
        return self.simulator.add_account(
            f'BE{number:014}', institution=self.simulator.add_institution(f'Bank {number}')
        )

    def add_transactions(self):
        """Let each linked account have one more transaction."""
        for account in self.of_direct + self.of_connect:
            self.simulator.add_transaction(account, len(account.transactions) + 1, '2026-03-02')

    def give_consent(self):
        tokens = self.connect.give_consent(accounts=self.of_connect)
        ends = datetime.now(timezone.utc) + timedelta(seconds=tokens['expires_in'])
        self.consent._token_store().replace(Token(tokens['access_token'], ends, tokens['refresh_token']))

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        case, (path, _mark, parameters) = cls.current, request.path_url.partition('?')
        if case.fault and case.is_meant(request, path, 'after' not in parameters):
            cls.simulator.fail(1, **case.fault)
        return super()._request_handler(session, request, **kw)

    def try_faults(self, is_meant, sick, prepare=None, action=None, endpoint=''):
        """Run with each fault in turn.

        :param is_meant: tells by request, path and whether it is the first page, which requests have the fault
        :param list sick: the accounts that cannot be read then
        :param prepare: called before the run
        :param action: what a person does beside the run: it returns a sentence, or raises, when it fails
        """
        self.is_meant = is_meant
        for name in self.faults:
            with self.subTest(name):
                self.add_transactions()
                if prepare:
                    prepare()
                self.fault = FAULTS[name]
                self.run_cron()
                self.assert_sick(sick)
                if action:
                    self.assertEqual(not self.perform(action), (endpoint, name) in TOLERATED)
                self.fault = None
                if self.is_consent_lost(sick, name):
                    self.give_consent()
                self.run_cron()
                self.assertFalse(action and self.perform(action))
                self.assert_sick([])
                self.assertEqual(set(self.env['ponto.integration'].search([]).mapped('state')), {'connected'})

    def is_consent_lost(self, sick, name):
        return sick == self.of_connect and name in CONSENT_LOST

    def assert_sick(self, sick):
        """Check that all accounts but these are complete, and that these say why they are not."""
        failed = self.env['ponto.account'].search([('journal_id', '!=', False), ('state', '!=', 'active')])
        self.assertEqual(set(failed.mapped('ponto_id')), {account.id for account in sick})
        self.assertTrue(all(failed.mapped('error_message')))
        self.assert_complete(sick)

    def assert_complete(self, but=()):
        for account in self.of_direct + self.of_connect:
            if account not in but:
                known = self.env['ponto.account'].search([('ponto_id', '=', account.id)])
                amounts = sorted(self.lines(known).mapped('amount'))
                self.assertEqual(amounts, sorted(float(row.amount) for row in account.transactions), account.reference)

    def perform(self, action):
        """Return what a person is told whose action fails."""
        try:
            return action()
        except PontoError as error:
            return error_sentence(self.env, error)

    def spoil_tokens(self):
        self.env['ponto.token'].search([]).expires_at = '2000-01-01'

    def fetch(self):
        """Click *Fetch Transactions*; return what is said where the bank is not asked."""
        account = self.env['ponto.account'].search([('ponto_id', '=', self.sick.id)])
        message = account.action_fetch_transactions()['params']['message']
        # The next run does not wait for the bank.
        account.pending_synchronization_ids = False
        return message if account.synchronization_refusal else ''

    # -------------------------------------------------------------------------
    # The endpoints
    # -------------------------------------------------------------------------

    def test_the_token_of_the_direct_api(self):
        def is_meant(request, path, is_first):
            sent = request.headers.get('Authorization', '').removeprefix('Basic ')
            return path == '/oauth2/token' and base64.b64decode(sent).decode().startswith(CLIENT_ID)

        self.try_faults(is_meant, self.of_direct, self.spoil_tokens)

    def test_the_token_of_ponto_connect(self):
        self.try_faults(
            lambda request, path, is_first: path == '/ponto-connect/oauth2/token', self.of_connect, self.spoil_tokens
        )

    def test_an_account(self):
        self.try_faults(lambda request, path, is_first: path == f'/accounts/{self.sick.id}', [self.sick])

    def test_the_first_page_of_transactions(self):
        pages = f'/accounts/{self.sick.id}/transactions'
        self.try_faults(lambda request, path, is_first: path == pages and is_first, [self.sick])

    def test_the_second_page_of_transactions(self):
        pages = f'/accounts/{self.sick.id}/transactions'
        self.try_faults(lambda request, path, is_first: path == pages and not is_first, [self.sick])

    def test_the_list_of_accounts(self):
        self.try_faults(
            lambda request, path, is_first: path == '/accounts',
            [],
            action=lambda: self.integration._fetch_accounts() and '',
        )

    def test_the_catalogue_of_institutions(self):
        self.try_faults(
            lambda request, path, is_first: path == '/financial-institutions',
            [],
            action=lambda: self.env['ponto.institution']._refresh_catalogue() and '',
        )

    def test_a_question_to_the_bank(self):
        self.try_faults(
            lambda request, path, is_first: path == '/synchronizations', [], action=self.fetch, endpoint='question'
        )

    def test_an_institution_that_ponto_does_not_tell_is_no_reason_to_do_without_its_accounts(self):
        self.is_meant = lambda request, path, is_first: path.startswith('/financial-institutions/')
        for name in self.faults:
            with self.subTest(name):
                self.add_account()
                self.fault = FAULTS[name]
                said = self.perform(lambda: self.integration._fetch_accounts() and '')
                self.fault = None
                self.assertEqual(bool(said), name != '404 resourceNotFound')
                self.integration._fetch_accounts()
                known = self.env['ponto.account'].search_count([])
                self.assertEqual(known, len(self.simulator.accounts))

    def test_how_a_question_to_the_bank_is_getting_on_need_not_be_known(self):
        def ask_bank():
            self.env['ponto.account'].search([('ponto_id', '=', self.sick.id)]).write(
                {'fetch_started_at': fields.Datetime.now(), 'pending_synchronization_ids': ['some-synchronization']}
            )

        self.try_faults(lambda request, path, is_first: path.startswith('/synchronizations/'), [], ask_bank)

    def test_a_clock_that_differs_from_pontos_makes_nobody_sick(self):
        for minutes in (5, -5):
            with self.subTest(minutes):
                self.add_transactions()
                self.set_pontos_clock()
                self.give_consent()
                expiry = datetime.now(timezone.utc) + timedelta(minutes=3)
                for token in (*self.simulator.tokens.values(), *self.connect.tokens.values()):
                    token.expires_at = expiry
                self.env['ponto.token'].search([]).expires_at = expiry.replace(tzinfo=None)
                self.simulator.advance(minutes=minutes)
                self.run_cron()
                self.assert_sick([])


@tagged('post_install', '-at_install')
class TestSomeFaults(FaultMatrix, PontoCase):
    faults = SOME_FAULTS


@by_marker('faults')
@tagged('-standard', 'faults')
class TestAllFaults(FaultMatrix, PontoCase):
    pass
