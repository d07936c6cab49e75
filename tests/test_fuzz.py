"""Whatever answers in Ponto's place: no exception that nobody handles, and no row in the books that was not as sent.

`PONTO_FUZZ_CASES=10000 scripts/test tests/test_fuzz.py` hunts: so many cases of each kind, other ones in each run.
"""

import dataclasses
import json
import os
import re
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import dateutil.parser
import requests
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.addons.account_online_ponto.controllers.rate_limit import RateLimit
from odoo.addons.account_online_ponto.controllers.webhook import PontoWebhookController
from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from ..ponto import ClientCredentialsAuth, MemoryTokenStore, PontoClient, PontoError
from .common import PATIENCE, PontoCase
from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from .simulator.signatures import webhook_signature
from .spoiled_answers import byte_mutations, mutated, mutations
from .test_connect_flow import ConnectCase

CASES = os.environ.get('PONTO_FUZZ_CASES')
BRUSSELS = ZoneInfo('Europe/Brussels')
UNSTORABLE = re.compile('[\x00\ud800-\udfff]')

spoiled = st.tuples(st.lists(mutations, max_size=3), byte_mutations)


def fuzz(cases):
    """Return hypothesis' settings: `cases` in the suite, always the same ones, and more of others when asked for."""
    return settings(
        max_examples=int(CASES or cases),
        derandomize=not CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def answer(request, status, body, content_type='application/vnd.api+json'):
    """Return a `requests.Response` as a session does."""
    raw = urllib3.HTTPResponse(body=None, headers={'Content-Type': content_type}, status=status, preload_content=False)
    response = requests.adapters.HTTPAdapter().build_response(request, raw)
    response._content, response._content_consumed = body, True
    return response


def read(body):
    """Return the JSON `body` with exact numbers, what is no finite number as None; None if it is no JSON."""

    def number(text):
        try:
            return Decimal(text)
        except InvalidOperation:
            return None

    try:
        return json.loads(body, parse_int=number, parse_float=number, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return None


class Truth:
    """What one transaction, as it was sent, says by itself; written apart from what it judges.

    `verdict`: True if it can be booked as it is, False if it cannot, None where the wire format leaves room.
    """

    def __init__(self, item):
        attributes = item.get('attributes')
        attributes = attributes if isinstance(attributes, dict) else {}
        amount, currency = attributes.get('amount'), attributes.get('currency')
        self.amount = amount if isinstance(amount, Decimal) and amount.is_finite() else None
        self.currency = currency if isinstance(currency, str) else None
        (first, first_verdict), (second, second_verdict) = (
            self._day(attributes.get(name)) for name in ('executionDate', 'valueDate')
        )
        self.date = first or second
        verdicts = [
            self._is_money(),
            first_verdict,
            second_verdict,
            bool(self.date) or None if None in (first_verdict, second_verdict) else bool(self.date),
        ]
        self.verdict = False if False in verdicts else None if None in verdicts else True

    def _is_money(self):
        return (
            self.amount is not None
            and abs(self.amount) < 10**15
            and self.currency == 'EUR'
            and self.amount == round(self.amount, 2)
        )

    @staticmethod
    def _day(value):
        """Return the day in Brussels and a verdict on its form."""
        if value is None or value == '':
            return None, True
        if not isinstance(value, str) or not re.match(r'\d{4}-\d\d-\d\d', value, re.ASCII):
            return None, False
        try:
            moment = dateutil.parser.isoparse(value)
        except ValueError:
            return None, False
        if not 1900 <= moment.year < 2200:
            return None, False
        moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
        day = moment.date() if moment.time() == moment.time().min else moment.astimezone(BRUSSELS).date()
        documented = re.fullmatch(r'.{10}(T\d\d:\d\d:\d\d(\.\d{1,6})?Z)?', value, re.ASCII)
        return day, True if documented else None


class TestFuzzedClient(BaseCase):
    """The client alone, each of its calls: a resource that can be stored, or a `PontoError`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sim = Simulator()
        bank = sim.add_institution("Kadebank", bic='KADEBEBB')
        account = sim.add_account('BE68539007547034', institution=bank)
        sim.add_transaction(account, 10, '2026-03-02', remittance_information="One", counterpart_name="Two")
        sim.add_transaction(account, -2.5, '2026-03-03')
        sim.add_pending_transaction(account, 3, '2026-03-04')
        synchronization = sim.create_synchronization(account, 'accountTransactions', '8.8.8.8')
        sim.advance(hours=1)
        cls.calls = [
            lambda client: list(client.iter_institutions()),
            lambda client: client.get_institution(institution_id=bank.id),
            lambda client: list(client.iter_accounts()),
            lambda client: client.get_account(account_id=account.id),
            lambda client: list(client.iter_transaction_pages(account_id=account.id, limit=1)),
            lambda client: list(client.iter_pending_transactions(account_id=account.id)),
            lambda client: client.get_synchronization(synchronization_id=synchronization.id),
        ]
        cls.sim = sim

    def client(self, path, spoil, status):
        """Return a client that gets the simulator's answers of `path` (all of them if None) spoiled."""

        def send(request, **kwargs):
            response = self.sim.send(request, **kwargs)
            if path is None or path in request.path_url:
                return answer(request, status or response.status_code, spoil(response.content))
            return response

        session = requests.Session()
        session.send = send
        auth = ClientCredentialsAuth(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            token_url='https://api.myponto.com/oauth2/token',
            store=MemoryTokenStore(),
        )
        return PontoClient(
            base_url='https://api.myponto.com', auth=auth, session=session, sleep=lambda seconds: None, retries=1
        )

    @fuzz(1000)
    @given(
        st.integers(0, 6),
        st.sampled_from([None, '/oauth2/token', 'after=', '']),
        spoiled,
        st.sampled_from([None, None, None, None, 200, 204, 302, 400, 401, 403, 404, 429, 500]),
    )
    def test_a_call_returns_what_can_be_stored_or_raises_an_error_of_ours(self, number, path, change, status):
        client = self.client(path, lambda body: mutated(body, *change), status)
        try:
            result = self.calls[number](client)
        except PontoError as error:
            self.assertNotIn(CLIENT_SECRET, str(error))
            self.assertFalse(UNSTORABLE.search(str(error)))
        else:
            self.check_storable(result)

    def check_storable(self, value):
        if isinstance(value, str):
            self.assertFalse(UNSTORABLE.search(value))
        elif isinstance(value, datetime):
            self.assertEqual(value.tzinfo, timezone.utc)
        elif isinstance(value, Decimal):
            self.assertTrue(value.is_finite())
        elif isinstance(value, list | tuple):
            for item in value:
                self.check_storable(item)
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                self.check_storable(getattr(value, field.name))
        elif isinstance(value, dict):
            self.check_storable(json.loads(json.dumps(list(value.items()), allow_nan=False)))


@tagged('post_install', '-at_install')
class TestFuzzedAnswers(PontoCase):
    """From the wire into the books: a sick account, whose answers are spoiled, beside a healthy one."""

    spoil = None
    served = []
    outcomes = Counter()

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        response = super()._request_handler(session, request, **kw)
        target, change, status = cls.spoil or (None, None, None)
        path = request.path_url
        if target and re.search(target, path):
            body = mutated(response.content, *change)
            status = status or response.status_code
            if 200 <= status < 300 and '/transactions' in path:
                cls.served.append(body)
            return answer(request, status, body)
        if f'{cls.sick_id}/transactions' in path and response.status_code == 200:
            cls.served.append(response.content)
        return response

    def setUp(self):
        super().setUp()
        self.simulator.set_page_size(1)
        type(self).sick_id = self.online.id
        for day, amount in ((2, 10), (3, '-3.33')):
            self.simulator.add_transaction(
                self.online,
                Decimal(amount),
                f'2026-03-{day:02}',
                remittance_information=f"Invoice {day}",
                counterpart_name="Bakkerij Smit",
                counterpart_reference='BE71096123456769',
            )
        other = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(other, 7, '2026-03-02')
        self.sick, self.healthy = self.link(), self.link(other)
        self.healthy._synchronize()
        self.targets = {
            'token': '/oauth2/token',
            'account': f'/accounts/{self.online.id}$',
            'first page': f'{self.online.id}/transactions(?!.*after=)',
            'next page': f'{self.online.id}/.*after=',
            'pages': f'{self.online.id}/transactions',
            'accounts': r'/accounts(\?|$)',
            'institutions': r'/financial-institutions(\?|$)',
            'institution': '/financial-institutions/',
            'synchronization': '/synchronizations',
        }
        self.outcomes.clear()
        # With -s, so that one sees what the cases were worth.
        self.addCleanup(self.simulator.unexpected.clear)
        self.addCleanup(lambda: CASES and sys.stderr.write(f'{dict(self.outcomes)}\n'))
        self.pristine = self.env.cr.savepoint()
        self.addCleanup(self.pristine.close)

    def start_over(self):
        self.pristine.rollback()
        self.env.invalidate_all()
        type(self).spoil = None
        self.served.clear()
        # An id that was spoiled makes an address that the simulator does not know.
        self.simulator.unexpected.clear()

    # Pages come most often: they are what becomes bookkeeping.
    @fuzz(120)
    @given(
        st.sampled_from(
            [
                'pages',
                'pages',
                'pages',
                'first page',
                'next page',
                'account',
                'account',
                'accounts',
                'token',
                'institutions',
                'institution',
                'synchronization',
            ]
        ),
        spoiled,
        st.sampled_from([None, None, None, None, None, None, 200, 400, 401, 403, 404, 429, 500]),
        st.booleans(),
    )
    def test_what_is_not_right_is_held_and_everything_arrives_once_in_the_end(self, target, change, status, again):
        self.start_over()
        type(self).spoil = (self.targets[target], change, status)
        step = {
            'accounts': self.fetch_accounts,
            'institution': self.fetch_accounts,
            'institutions': self.fetch_catalogue,
            'synchronization': self.click,
        }.get(target, self.run_cron)
        runs = self.healthy.synchronization_ids
        step()
        if step != self.fetch_accounts:
            self.check_account(self.sick)
        self.outcomes.update(
            [
                'cases',
                self.sick.state,
                *(f'row {row.state} {row.hold_reason or ""}'.strip() for row in self.sick.transaction_ids),
            ]
        )
        if step in (self.run_cron, self.click) and target != 'token':
            self.assertEqual((self.healthy.synchronization_ids - runs).mapped('state')[:1], ['done'])
        # After a run that has left nothing, most times there is nothing to learn from another one.
        if again or self.sick.transaction_ids or target in ('accounts', 'institution'):
            self.recover()

    def test_a_row_is_booked_once_its_amount_is_a_number_again(self):
        row = self.simulator.account(self.online.id).transactions[0]
        self.simulator.change_transaction(row.id, extra={'amount': '10.00'})
        self.run_cron()
        [held] = self.sick.transaction_ids.filtered(lambda item: item.state == 'held')
        self.assertEqual((held.ponto_id, held.hold_reason), (row.id, 'unreadable'))
        self.simulator.change_transaction(row.id, extra={'amount': Decimal('10.00')})
        self.run_cron()
        self.assertEqual(held.state, 'booked')

    def test_a_currency_that_only_begins_like_one_is_none(self):
        row = self.simulator.account(self.online.id).transactions[0]
        self.simulator.change_transaction(row.id, extra={'currency': 'EUR0'})
        self.run_cron()
        [held] = self.sick.transaction_ids.filtered(lambda item: item.state == 'held')
        self.assertEqual((held.ponto_id, held.hold_reason), (row.id, 'currency'))

    # -------------------------------------------------------------------------
    # What happens
    # -------------------------------------------------------------------------

    def fetch_accounts(self):
        """Read the accounts as a person does who is told of what is wrong."""
        self.env['ponto.institution'].search([]).ponto_id = 'known-no-more'
        try:
            with self.env.cr.savepoint():
                self.integration._fetch_accounts()
        except (PontoError, UserError) as error:
            self.assertTrue(str(error))
        self.env.invalidate_all()

    def fetch_catalogue(self):
        self.run_cron('ir_cron_refresh_catalogue')

    def click(self):
        """Have the bank asked by somebody, and look how far it is until it is over."""
        self.patch(type(self.env['ponto.account']), '_customer_ip', lambda *args: '8.8.8.8')
        accounts = (self.sick + self.healthy).with_user(self.accountant)
        accounts.action_fetch_transactions()
        for _look in range(3):
            self.simulator.advance(minutes=2)
            accounts.fetch_progress()
        self.env.invalidate_all()

    def recover(self):
        """Let Ponto answer well again: all it has is in the books, once."""
        type(self).spoil = None
        self.served.clear()
        self.integration._fetch_accounts()
        for _run in range(3):
            (self.sick + self.healthy)._request_full_read()
            self.run_cron()
            # A row that had come under another id as well: a person says that they are the same.
            suspects = self.sick.transaction_ids.filtered(lambda row: row.hold_reason == 'duplicate')
            suspects.action_same_as_suspect()
            if not suspects:
                break
        for account, online in ((self.sick, self.online), (self.healthy, self.simulator.accounts[1])):
            self.assertEqual((account.state, bool(account.error_message)), ('active', False))
            self.check_account(account)
            rows = account.transaction_ids.filtered(lambda row: not row.missing_since)
            truth = {row.id: row for row in self.simulator.account(online.id).transactions}
            self.assertEqual(sorted(rows.mapped('ponto_id')), sorted(truth))
            self.assertEqual(set(rows.mapped('state')), {'booked'}, rows.mapped('hold_message'))
            for row in rows:
                line, real = row.statement_line_id, truth[row.ponto_id]
                self.assertEqual(
                    (line.amount, line.date), (float(real.amount), real.attributes['executionDate'].date())
                )

    # -------------------------------------------------------------------------
    # What must hold
    # -------------------------------------------------------------------------

    def check_account(self, account):
        """Each row is booked just as it was sent, or held with a reason and a sentence; a failed run says why."""
        lines = self.lines(account)
        rows = account.transaction_ids
        self.assertEqual(lines, rows.statement_line_id.sorted('internal_index'))
        self.assertEqual(len(lines), len(rows.filtered('statement_line_id')))
        run = account.synchronization_ids.sorted('id')[-1:]
        if account.state == 'error':
            self.assertTrue(account.error_message and run.message and run.error_code)
        versions = self.versions() if account == self.sick and self.served else None
        for row in rows:
            self.check_row(row, versions and versions.get(row.ponto_id, ()))
        if versions and account.state == 'active':
            self.assertEqual(set(rows.filtered(lambda row: not row.missing_since).mapped('ponto_id')), set(versions))

    def versions(self):
        """Return `{id: what was sent under it}` of all pages of the sick account."""
        versions = defaultdict(list)
        for body in self.served:
            page = read(body)
            items = page.get('data') if isinstance(page, dict) else None
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict):
                    versions[str(item.get('id'))].append(Truth(item))
        return versions

    def check_row(self, row, versions):
        line = row.statement_line_id
        if row.state == 'held':
            self.assertTrue(row.hold_reason and row.hold_message)
            self.assertFalse(line)
        else:
            self.assertEqual(row.state, 'booked')
            self.assertEqual((line.amount, line.date, line.currency_id.name), (row.amount, row.date, 'EUR'))
        # What was listed beside the real one and is listed no more stays, marked as missing.
        if versions is None or row.missing_since:
            return
        today = fields.Date.context_today(row.with_context(tz='Europe/Brussels'))
        may_be_held = any(truth.verdict is not True or truth.date > today for truth in versions)
        may_be_booked = [truth for truth in versions if truth.verdict is not False and truth.date <= today]
        if row.state == 'held':
            self.assertTrue(may_be_held, (row.hold_reason, row.hold_message))
        else:
            self.assertIn((line.amount, line.date), [(float(truth.amount), truth.date) for truth in may_be_booked])


@tagged('post_install', '-at_install')
class TestFuzzedNotices(ConnectCase):
    """The webhook, as Ponto and as anybody else reaches it."""

    KINDS = (
        'account.transactionsCreated',
        'account.detailsUpdated',
        'synchronization.failed',
        'integration.revoked',
        'integration.accountRevoked',
        'integration.accountAdded',
        'organization.blocked',
        'organization.unblocked',
    )

    def setUp(self):
        super().setUp()
        PontoWebhookController.key_sets.clear()
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        self.account = wizard.line_ids.account_id
        self.env.flush_all()
        self.pristine = self.env.cr.savepoint()
        self.addCleanup(self.pristine.close)

    def start_over(self):
        self.pristine.rollback()
        self.env.invalidate_all()
        PontoWebhookController.rate_limit = RateLimit()

    def body(self, kind):
        made_at = datetime.now(timezone.utc).isoformat()
        return json.dumps({'data': self.connect.event(kind, account=self.online, createdAt=made_at)}).encode()

    def post(self, body, signature):
        headers = {'Content-Type': 'application/json', **({} if signature is None else {'Signature': signature})}
        return self.url_open('/ponto/webhook', data=body, headers=headers, method='POST', timeout=PATIENCE).status_code

    def sign(self, body, claims=()):
        now = int(time.time())
        usual = {'aud': self.connect.application_id, 'iss': 'https://api.ibanity.com', 'iat': now, 'exp': now + 60}
        return webhook_signature(body, {**usual, **dict(claims)})

    @fuzz(150)
    @given(st.sampled_from(KINDS), spoiled)
    def test_a_signed_notice_of_any_content_is_kept_if_it_is_one_and_applied(self, kind, change):
        self.start_over()
        body = mutated(self.body(kind), *change)
        status = self.post(body, self.sign(body))
        event = read(body)
        event = event.get('data') if isinstance(event, dict) else None
        kept = self.env['ponto.event'].search([])
        if kept:
            self.assertEqual(status, 204)
            self.assertTrue(isinstance(event, dict) and isinstance(event['id'], str) and isinstance(event['type'], str))
            self.assertEqual(kept.ponto_id, UNSTORABLE.sub('', event['id']))
            self.account.next_read_at = False
            self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
            self.env.invalidate_all()
            self.assertTrue(kept.is_applied)
        else:
            self.assertIn(status, (403, 413))
        # Only who names this organization or this account stops it, and not from before the consent.
        is_late = kept.created_at and kept.created_at < self.account.integration_id.consented_at
        stops = (
            kept.organization_id == self.connect.organization.id
            and not is_late
            and (
                kept.type == 'pontoConnect.integration.revoked'
                or (kept.type == 'pontoConnect.integration.accountRevoked' and kept.account_id == self.online.id)
            )
        )
        self.assertEqual(self.account.state, 'withdrawn' if stops else 'active', kept.type)

    @fuzz(150)
    @given(
        st.one_of(
            st.binary(max_size=300).map(lambda content: content.decode('latin-1')),
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200),
            st.sampled_from(['', '.', '..', 'a.b.c', 'e30.e30.e30', 'x' * 9000, '.' * 9000]),
        ),
        st.sampled_from(['alone', 'before', 'after', 'header', 'claims', 'signature']),
        st.dictionaries(
            st.sampled_from(['aud', 'iss', 'iat', 'exp', 'digest', 'crit']),
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({})
            ),
        ),
        spoiled,
    )
    def test_an_odd_signature_is_refused_and_leaves_nothing(self, odd, place, claims, change):
        self.start_over()
        odd = re.sub('[\r\n\x00]', '', odd).strip()
        body = self.body('integration.revoked')
        genuine = self.sign(body, claims)
        parts = genuine.split('.')
        signature = {
            'alone': odd,
            'before': odd + genuine,
            'after': genuine + odd,
            'header': '.'.join([odd, *parts[1:]]),
            'claims': '.'.join([parts[0], odd, parts[2]]),
            'signature': '.'.join([*parts[:2], odd]),
        }[place]
        sent = mutated(body, *change)
        status = self.post(sent, signature.encode('latin-1'))
        if (sent, signature) == (body, genuine) and not claims:
            self.assertEqual(status, 204)
        elif not (sent == body and place in ('before', 'after')):
            self.assertTrue(400 <= status < 500, status)
        if status != 204:
            self.assertFalse(self.env['ponto.event'].search([]))
