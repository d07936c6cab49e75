"""What can go wrong between the client and Ponto, and what the client makes of it."""

import gzip
import json
import traceback
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from ..ponto import (
    ACCOUNT_DETAILS,
    PontoApiError,
    PontoAuthError,
    PontoClient,
    PontoConnectionError,
    PontoCredentialsError,
    PontoError,
    PontoNotFoundError,
    PontoRateLimitError,
    PontoRecentlySynchronizedError,
    PontoResponseError,
    PontoServerError,
    PontoTimeoutError,
    PontoTlsError,
    Token,
    transport,
)
from .simulator import CLIENT_SECRET
from .test_ponto_client import BASE_URL, EVERYTHING, SimulatedCase


class TestRetry(SimulatedCase):
    def test_passing_faults_are_waited_out(self):
        for fault in (
            {'status': 500},
            {'status': 503},
            {'status': 429},
            {'status': 502, 'kind': 'html'},
            {'kind': 'reset'},
            {'kind': 'refused'},
            {'kind': 'dns'},
            {'kind': 'slow'},
            {'kind': 'connect_timeout'},
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
                self.simulator.fail(
                    status=429, retry_after=value, path='/accounts', headers={'Date': 'Wed, 15 Apr 2026 10:00:00 GMT'}
                )
                self.get_account()
                self.assertEqual(self.waits, [wait])

    def test_a_long_retry_after_is_left_to_the_caller(self):
        for value, wait in ((31, 31), (3600, 3600), ('Wed, 15 Apr 2026 11:00:00 GMT', 3600)):
            with self.subTest(value):
                self.simulator.fail(
                    status=429, retry_after=value, path='/accounts', headers={'Date': 'Wed, 15 Apr 2026 10:00:00 GMT'}
                )
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
            {},
            {'data': None},
            {'data': {}},
            {'data': [None]},
            {'data': [{'id': 't1'}, {}]},
            {'data': [], 'links': [5]},
            {'data': [], 'links': {'next': 5}},
            {'data': [], 'links': {'next': {'href': 'x'}}},
        ):
            with self.subTest(body):
                self.assertEqual(self.reason(self.read_rows, body=body), 'structure')

    def test_members_of_a_page_may_be_missing(self):
        for members in (
            {},
            {'meta': None},
            {'meta': []},
            {'links': {'next': None}},
            {'links': []},
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
        text = json.dumps({'data': {'id': self.account.id, 'attributes': {'holderName': 'Zoë 💶'}}}, ensure_ascii=False)
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
        for charset in ('nonsense', 'utf-8', 'base64', 'idna', 'punycode'):
            headers = {'Content-Type': f'application/json; charset={charset}'}
            self.assertEqual(self.reason(body=b'{"data": {"id": "\xff\xfe"}}', headers=headers), 'encoding')

    def test_an_unreadable_row_does_not_stop_the_others(self):
        self.simulator.fail(
            path='/transactions',
            body=(
                b'{"data": ['
                b'{"id": "t1", "attributes": {"amount": 1e400, "currency": "EUR", "valueDate": "2026-01-01"}},'
                b' {"id": "t2", "attributes": {"amount": NaN, "currency": "EUR", "valueDate": "2026-01-01"}},'
                b' {"id": "t3", "attributes": null},'
                b' {"id": "t4", "attributes": {"amount": 0.1, "currency": "EUR", "valueDate": "2026-01-01"}}]}'
            ),
        )
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
            b'',
            b'\xff',
            b'<html>',
            b'{}',
            b'[]',
            b'{"error": null}',
            b'{"errors": {}}',
            b'{"errors": []}',
            b'{"errors": [null]}',
            b'{"errors": [{}]}',
            b'{"errors": [{"code": {}, "detail": [], "meta": []}]}',
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
                account_id=self.account.id, subtype=ACCOUNT_DETAILS, customer_ip=''
            )
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
        for url in (
            'http://127.0.0.1:8069',
            'http://localhost/x/',
            'http://[::1]:1',
            'https://api.ibanity.com/ponto-connect',
        ):
            self.assertEqual(PontoClient(base_url=url).base_url, url.rstrip('/'))
        for url in (
            'http://api.myponto.com',
            'api.myponto.com',
            '',
            'https://',
            'ftp://localhost',
            'https://a@api.myponto.com',
            'https://api.myponto.com/?a=b',
            'https://api.myponto.com/#a',
            'https://api.myponto.com\\x',
            'https://a b/',
            'http://localhost.evil.test',
            'http://127.0.0.1.evil.test',
            'http://127.0.0.1@evil.test',
        ):
            with self.subTest(url), self.assertRaises(ValueError):
                PontoClient(base_url=url)


class TestSecrets(SimulatedCase):
    """Neither secret, token nor authorization header shows up where a person or a log could see it."""

    FAULTS = (
        *({'status': status} for status in (400, 401, 403, 404, 429, 500)),
        {'status': 429, 'retry_after': 60},
        *(
            {'kind': kind}
            for kind in (
                'html',
                'truncated',
                'empty',
                'wrong_type',
                'slow',
                'reset',
                'refused',
                'connect_timeout',
                'tls',
                'dns',
            )
        ),
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
                with self.subTest(path=path, fault=fault), self.assertLogs(transport.__package__, 'DEBUG') as logs:
                    try:
                        self.read_rows()
                        self.fail('no error')
                    except PontoError as error:
                        seen = [str(error), repr(error), repr(vars(error)), traceback.format_exc(), *logs.output]
                self.assert_hidden('\n'.join(seen))

    def test_a_good_run_logs_paths_but_no_secret_and_no_query(self):
        with self.assertLogs(transport.__package__, 'DEBUG') as logs:
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

    def test_masking_comes_before_shortening(self):
        self.simulator.fail(status=401, path='/oauth2/token', detail='x' * 490 + CLIENT_SECRET)
        with self.assertRaises(PontoApiError) as caught:
            self.get_account()
        self.assertEqual(caught.exception.detail, 'x' * 490 + '***')

    def test_a_secret_that_is_hardly_one_does_not_hide_what_ponto_says(self):
        for secret in ('', 'in', 'client'):
            with self.assertRaises(PontoCredentialsError) as caught:
                self.get_account(self.make_client(self.make_auth(client_secret=secret)))
            self.assertEqual(caught.exception.code, 'invalid_client')

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
