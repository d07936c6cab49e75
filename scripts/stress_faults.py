"""The fault matrix of `scripts/stress`: every endpoint of a run times every fault, during runs over 20 accounts.

The simulator is in this process, so that faults of the connection come as `requests` raises them; the database is real,
and the runs are those of Odoo's scheduler, with their commits.
"""

import base64
from datetime import datetime, timedelta, timezone

import requests
from stress_workers import (
    DATABASE,
    environment,
    keep_tokens,
    make_due,
    prepare,
    prepare_connect,
    run_scheduler_until_idle,
)

from odoo.addons.account_online_ponto.models.error_sentences import error_sentence
from odoo.addons.account_online_ponto.ponto.errors import PontoError
from odoo.modules.registry import Registry
from simulator import CLIENT_ID, CLIENT_SECRET, Connect, Simulator

ACCOUNTS = 10  # of each of the two integrations, the direct one and that of Ponto Connect
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
# Ponto's clock less ours, in minutes: nobody is sick then.
SKEWS = {'clock 5 minutes slow': 5, 'clock 5 minutes fast': -5}
# Ponto has renewed a refresh token, which works once, and its answer with the new one was lost: nothing can be read
# until somebody gives a new consent.
CONSENT_LOST = {('token (Connect)', fault) for fault in ('truncated', 'empty', 'wrong type')}
# An institution that Ponto does not tell is no reason to do without its accounts. How a question to the bank is getting
# on need not be known either: reading tells.
TOLERATED = {
    ('institution', '404 resourceNotFound'),
    ('synchronizations', '400 accountRecentlySynchronized'),
    *(('synchronization', fault) for fault in FAULTS),
}


def run(answers):
    """Print the table and put a list of sentences that say what was wrong into the queue `answers`."""
    matrix = Matrix()
    print(f'\n{"Endpoint":<22}{"Fault":<33}{"Healthy":>8}{"Sick":>6}{"After":>7}  What the sick says')
    for endpoint in ENDPOINTS:
        for name, fault in FAULTS.items():
            matrix.try_fault(endpoint, name, fault)
    for name, minutes in SKEWS.items():
        matrix.try_skew(name, minutes)
    answers.put(matrix.wrong)


# --- The endpoints: which request is meant, and what else than a run uses it ------------------------------------------


def is_token_request(matrix, request, path, is_first):
    sent = request.headers.get('Authorization', '').removeprefix('Basic ')
    return path == '/oauth2/token' and base64.b64decode(sent).decode().startswith(CLIENT_ID)


def is_connect_token_request(matrix, request, path, is_first):
    return path == '/ponto-connect/oauth2/token'


def is_account_request(matrix, request, path, is_first):
    return path == f'/accounts/{matrix.sick.id}'


def is_first_page_request(matrix, request, path, is_first):
    return path == f'/accounts/{matrix.sick.id}/transactions' and is_first


def is_second_page_request(matrix, request, path, is_first):
    return path == f'/accounts/{matrix.sick.id}/transactions' and not is_first


def is_account_list_request(matrix, request, path, is_first):
    return path == '/accounts'


def is_institution_request(matrix, request, path, is_first):
    return path.startswith('/financial-institutions/')


def is_catalogue_request(matrix, request, path, is_first):
    return path == '/financial-institutions'


def is_synchronization_request(matrix, request, path, is_first):
    return path.startswith('/synchronizations/')


def is_question_to_the_bank(matrix, request, path, is_first):
    return path == '/synchronizations'


def click_fetch(matrix, env):
    """Return what a person hears whose click does not have the bank asked."""
    account = matrix.sick_account(env)
    notification = account.action_fetch_transactions()
    # The next run does not wait for the bank.
    account.pending_synchronization_ids = False
    return {'click': notification['params']['message']} if account.synchronization_refusal else None


def fetch_accounts(matrix, env):
    integration = env['ponto.integration'].search([('client_id', '=', CLIENT_ID)])
    integration._fetch_accounts()


def refresh_catalogue(matrix, env):
    env['ponto.institution']._refresh_catalogue()


ENDPOINTS = {
    'token': (is_token_request, None),
    'token (Connect)': (is_connect_token_request, None),
    'account': (is_account_request, None),
    'transactions, page 1': (is_first_page_request, None),
    'transactions, page 2': (is_second_page_request, None),
    'accounts': (is_account_list_request, fetch_accounts),
    'institution': (is_institution_request, fetch_accounts),
    'institutions': (is_catalogue_request, refresh_catalogue),
    'synchronizations': (is_question_to_the_bank, click_fetch),
    'synchronization': (is_synchronization_request, None),
}


class Matrix:
    """20 accounts, linked in Odoo to a simulated Ponto by two integrations, and what was found wrong."""

    def __init__(self):
        self.wrong = []
        self.fault = self.is_meant = None
        self.sim = Simulator(real_clock=True)
        self.sim.set_page_size(3)
        self.connect = Connect(self.sim)
        self.linked = [self.add_account(number) for number in range(2 * ACCOUNTS)]
        self.sick = self.linked[0]
        for age in range(200, 195, -1):
            self.add_transactions(age)
        requests.Session.send = lambda session, request, **kwargs: self.send(request, session=session, **kwargs)
        registry = Registry(DATABASE)
        registry['ponto.integration']._sleep = staticmethod(lambda seconds: None)
        registry['ponto.account']._customer_ip = lambda account, company: PERSONS_ADDRESS
        for account in self.linked[ACCOUNTS:]:
            self.sim.untick(account)
        prepare('https://api.myponto.com', [(CLIENT_ID, CLIENT_SECRET)])
        credentials = self.connect.client_credentials
        prepare_connect(
            {
                'connect_client_id': self.connect.client_id,
                'connect_client_secret': self.connect.client_secret,
                'certificate': credentials.certificate,
                'private_key': credentials.private_key,
            },
            self.connect.organization.id,
            self.connect.give_consent(accounts=self.linked[ACCOUNTS:]),
        )
        self.link_accounts_of_connect()

    def link_accounts_of_connect(self):
        with environment() as env:
            integration = env['ponto.integration'].search([('connection', '=', 'connect')])
            company = integration.company_id
            for account in integration.with_context(allowed_company_ids=company.ids)._fetch_accounts():
                account._link_to_new_journal()

    def sick_account(self, env):
        return env['ponto.account'].search([('ponto_id', '=', self.sick.id)])

    def add_account(self, number):
        return self.sim.add_account(f'BE{number:014}', institution=self.sim.add_institution(f'Bank {number}'))

    def add_transactions(self, age):
        """Let each linked account have one more transaction."""
        for account in self.linked:
            number = len(account.transactions) + 1
            day = datetime.now(timezone.utc).date() - timedelta(days=age)
            self.sim.add_transaction(account, number, day, remittance_information=f'Transaction {number}')

    def send(self, request, **kwargs):
        path, _mark, parameters = request.path_url.partition('?')
        if self.fault and self.is_meant(self, request, path, 'after' not in parameters):
            self.sim.fail(1, **self.fault)
        return self.sim.send(request, **kwargs)

    # --- One line of the table ----------------------------------------------------------------------------------------

    def try_fault(self, endpoint, name, fault):
        self.where = f'{endpoint}, {name}'
        self.is_meant, action = ENDPOINTS[endpoint]
        sick = {account.reference for account in self.sick_ones(endpoint, action)}
        self.add_transactions(100)
        if 'token' in endpoint:
            self.spoil_tokens()
        if endpoint == 'synchronization':
            self.ask_bank()
        if endpoint == 'institution':
            self.add_account(len(self.sim.accounts))
        self.fault = fault
        make_due()
        said = self.synchronize()
        complete = self.complete_accounts()
        self.expect(said.keys() == sick and all(said.values()), f'the run says {said}')
        self.expect(complete == self.references() - sick, f'only {len(complete)} accounts were imported')
        if action:
            said = self.perform(action)
            self.expect(bool(said) != ((endpoint, name) in TOLERATED), f'{action.__name__} says {said}')
        self.fault = None
        if (endpoint, name) in CONSENT_LOST:
            self.give_consent_again(sick)
        self.recover(sick, action)
        self.report(endpoint, name, complete, sick, said)

    def sick_ones(self, endpoint, action):
        """Return the accounts that a fault of this endpoint must keep from being read."""
        if action or endpoint == 'synchronization':
            return []
        return {'token': self.linked[:ACCOUNTS], 'token (Connect)': self.linked[ACCOUNTS:]}.get(endpoint, [self.sick])

    def try_skew(self, name, minutes):
        """Let Ponto's clock differ from ours while the stored tokens have three minutes left by both."""
        self.where = name
        self.add_transactions(100)
        expiry = datetime.now(timezone.utc) + timedelta(minutes=3)
        for token in (*self.sim.tokens.values(), *self.connect.tokens.values()):
            token.expires_at = expiry
        with environment() as env:
            env['ponto.token'].search([]).expires_at = expiry.replace(tzinfo=None)
        self.sim.advance(minutes=minutes)
        make_due()
        said = self.synchronize()
        complete = self.complete_accounts()
        self.expect(not said, f'the run says {said}')
        self.expect(complete == self.references(), f'only {len(complete)} accounts were imported')
        self.sim.advance(minutes=-minutes)
        self.report('all', name, complete, (), said)

    def give_consent_again(self, sick):
        make_due(references=sick)
        said = self.synchronize()
        self.expect(
            said.keys() == sick and all('connect again' in sentence for sentence in said.values()),
            f'without a consent the run says {said}',
        )
        with environment() as env:
            keep_tokens(
                env['ponto.integration'].search([('connection', '=', 'connect')]),
                self.connect.give_consent(accounts=self.linked[ACCOUNTS:]),
            )

    def recover(self, sick, action):
        """Run again now that everything works: all is there, once, and nothing is said any more. That the healthy ones
        double nothing when they are read again, the next fault shows.
        """
        make_due(references=sick)
        said = self.synchronize()
        if action:
            said.update(self.perform(action))
        self.expect(not said, f'afterwards the run says {said}')
        self.expect(self.complete_accounts() == self.references(), 'afterwards something is missing or doubled')
        with environment() as env:
            states = set(env['ponto.integration'].search([]).mapped('state'))
            count = env['ponto.account'].search_count([])
        self.expect(states == {'connected'}, f'afterwards the connections are {states}')
        if action == fetch_accounts:
            self.expect(count == len(self.sim.accounts), f'afterwards {count} accounts are known')

    def report(self, endpoint, name, complete, sick, said):
        after = len(self.complete_accounts())
        sentence = next(iter(said.values()), '').replace('\n', ' ')
        print(f'{endpoint:<22}{name:<33}{len(complete):>8}{len(sick):>6}{after:>7}  {sentence[:110]}', flush=True)

    def expect(self, condition, sentence):
        if not condition:
            self.wrong.append(f'{self.where}: {sentence}')

    # --- What happens in Odoo -----------------------------------------------------------------------------------------

    def spoil_tokens(self):
        with environment() as env:
            env['ponto.token'].search([]).expires_at = '2000-01-01'

    def ask_bank(self):
        """Leave a question to the bank open, as after a person's click."""
        with environment() as env:
            self.sick_account(env).write(
                {
                    'fetch_started_at': datetime.now(timezone.utc).replace(tzinfo=None),
                    'pending_synchronization_ids': ['some-synchronization'],
                }
            )

    def synchronize(self):
        """Run the scheduler; return `{account number: what an account that failed says}`."""
        run_scheduler_until_idle()
        with environment() as env:
            failed = env['ponto.account'].search([('journal_id', '!=', False), ('state', '!=', 'active')])
            return {account.reference: account.error_message for account in failed}

    def perform(self, action):
        """Return `{name: why}` if an action that a person asks for fails, or says itself that something did."""
        try:
            with environment() as env:
                return action(self, env) or {}
        except PontoError as error:
            with environment() as env:
                return {action.__name__: error_sentence(env, error)}

    def references(self):
        return {account.reference for account in self.linked}

    def complete_accounts(self):
        """Return the numbers of the accounts whose statement lines are Ponto's transactions, each once."""
        with environment() as env:
            lines = dict(
                env['account.bank.statement.line']._read_group(
                    [('journal_id.ponto_account_ids', '!=', False)], ['journal_id'], ['amount:array_agg']
                )
            )
            amounts = {journal.ponto_account_ids.reference: sorted(values) for journal, values in lines.items()}
        return {
            account.reference
            for account in self.linked
            if amounts.get(account.reference) == sorted(float(row.amount) for row in account.transactions)
        }
