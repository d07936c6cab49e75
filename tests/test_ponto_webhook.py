"""Messages that Ponto sends by itself: the genuine one is accepted, and nothing else is."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from odoo.tests import BaseCase

from ..ponto import PontoConnectionError, PontoTimeoutError, PontoWebhookError
from ..ponto.webhook import KeySet, related_id, verify

GENUINE = Path(__file__).parent / 'data' / 'webhook'
GENUINE_AUDIENCE = 'e643b5be-ccb1-4a38-b7b6-36689853bef5'
ISSUED_AT, EXPIRES_AT = 1691670925, 1691670985

AUDIENCE = '0b3d1a7e-54f2-4ad0-9f0f-3a52d0a5c8a1'
NOW = datetime(2026, 4, 15, 10, 0, tzinfo=timezone.utc)
EVENT = {
    'type': 'pontoConnect.account.transactionsCreated',
    'id': '3465fd2f-6c9a-484e-971e-56bf44c9181a',
    'attributes': {'count': 3},
    'relationships': {'account': {'data': {'id': 'a1', 'type': 'account'}}},
}


def moment(timestamp):
    return datetime.fromtimestamp(timestamp, timezone.utc)


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b'=').decode()


def to_base64url(number):
    """As Ibanity writes the numbers of a key: with padding."""
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, 'big')).decode()


class TestGenuineMessage(BaseCase):
    """A message that Ibanity has signed."""

    body = (GENUINE / 'event.json').read_bytes()
    signature = (GENUINE / 'signature.txt').read_text().strip()
    keys = {key['kid']: key for key in json.loads((GENUINE / 'keys.json').read_text())['keys']}

    def verify(self, body=None, signature=None, keys=None, audience=GENUINE_AUDIENCE, now=ISSUED_AT + 1):
        return verify(
            self.body if body is None else body,
            self.signature if signature is None else signature,
            keys=self.keys if keys is None else keys,
            audience=audience,
            now=moment(now),
        )

    def assert_refused(self, reason, **kwargs):
        with self.assertRaises(PontoWebhookError) as caught:
            self.verify(**kwargs)
        self.assertEqual(caught.exception.reason, reason)
        self.assertEqual(str(caught.exception), f'not a valid message of Ponto: {reason}')

    def test_it_is_accepted_as_it_came(self):
        event = self.verify()
        self.assertEqual(event['type'], 'pontoConnect.synchronization.succeededWithoutChange')
        self.assertEqual(event['id'], '3465fd2f-6c9a-484e-971e-56bf44c9181a')
        self.assertEqual(event['attributes']['synchronizationSubtype'], 'accountTransactions')
        self.assertEqual(related_id(event, 'account'), '1d89d411-e310-4802-bbb7-aad7d98371e7')
        self.assertEqual(related_id(event, 'organization'), '9315d6b3-129a-481a-9604-e2a95e0f967d')
        self.assertEqual(related_id(event, 'synchronization'), '178b59a6-679f-43d4-b5ad-28caea0bc08b')
        self.assertEqual(related_id(event, 'integration'), '')

    def test_clocks_may_differ_by_half_a_minute(self):
        for now in (ISSUED_AT - 30, ISSUED_AT, EXPIRES_AT, EXPIRES_AT + 30):
            self.assertTrue(self.verify(now=now))
        self.assert_refused('future', now=ISSUED_AT - 31)
        self.assert_refused('expired', now=EXPIRES_AT + 31)
        self.assert_refused('expired', now=EXPIRES_AT + 365 * 86400)

    def test_a_changed_body_is_refused(self):
        for body in (
            b'',
            b' ' + self.body,
            self.body + b'\n',
            self.body.replace(b'3465', b'3466'),
            json.dumps(json.loads(self.body)).encode(),
        ):
            self.assert_refused('digest', body=body)

    def test_it_is_for_one_application_only(self):
        for audience in ('', AUDIENCE, GENUINE_AUDIENCE.upper()):
            self.assert_refused('audience', audience=audience)

    def test_the_issuer_is_ibanity(self):
        with self.assertRaises(PontoWebhookError) as caught:
            verify(
                self.body,
                self.signature,
                keys=self.keys,
                audience=GENUINE_AUDIENCE,
                now=moment(ISSUED_AT),
                issuer='https://api.example.com',
            )
        self.assertEqual(caught.exception.reason, 'issuer')

    def test_what_is_no_signature_is_refused(self):
        header, claims, signature = self.signature.split('.')
        for text in (
            None,
            '',
            'x',
            '..',
            f'{header}.{claims}',
            f'{header}.{claims}.',
            f'{self.signature}.x',
            f'{header}.{claims}.{signature} ',
            f'{header}.{claims}.{signature[:-2]}é',
            f'{header}.{claims}.{signature[:1]}',
            f'!{self.signature}',
            f'{self.signature}{"A" * 9000}',
            f'{encode(b"[]")}.{claims}.{signature}',
            f'{encode(b"[" * 3000)}.{claims}.{signature}',
            f'{encode(bytes(range(128, 256)))}.{claims}.{signature}',
        ):
            with self.subTest(text), self.assertRaises(PontoWebhookError) as caught:
                verify(self.body, text, keys=self.keys, audience=GENUINE_AUDIENCE, now=moment(ISSUED_AT))
            self.assertEqual(caught.exception.reason, 'header')

    def test_a_truncated_or_changed_signature_is_refused(self):
        header, claims, signature = self.signature.split('.')
        for wrong in (
            signature[:-4],
            signature[4:],
            'A' * len(signature),
            signature[:-8] + 'AAAAAAAA',
            encode(b'\0' * 512),
        ):
            self.assert_refused('signature', signature=f'{header}.{claims}.{wrong}')
        for other in (b'{}', b'{"aud": "other"}'):
            self.assert_refused('signature', signature=f'{header}.{encode(other)}.{signature}')

    def test_only_a_key_in_use_is_taken(self):
        [(kid, key)] = self.keys.items()
        for change in (
            {'status': 'INACTIVE'},
            {'status': None},
            {'use': 'enc'},
            {'kty': 'EC'},
            {'alg': 'RS256'},
            {'n': ''},
            {'n': 'é'},
            {'n': None},
            {'e': None},
            {'n': 'AQAB'},
            {'e': 'Ag=='},
            {'n': to_base64url(2**16400 + 1)},
        ):
            with self.subTest(change):
                self.assert_refused('key', keys={kid: {**key, **change}})
        for name in ('status', 'use', 'kty', 'n', 'e'):
            self.assert_refused('key', keys={kid: {item: key[item] for item in key if item != name}})
        self.assert_refused('key', keys={})
        self.assert_refused('key', keys={'another': key})
        self.assertTrue(self.verify(keys={kid: {item: key[item] for item in key if item != 'alg'}}))

    def test_another_key_of_the_same_name_is_refused(self):
        [(kid, key)] = self.keys.items()
        numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
        self.assert_refused('signature', keys={kid: {**key, 'n': to_base64url(numbers.n)}})


class SignedCase(BaseCase):
    """Signs messages with a key that is Ponto's here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = rsa.generate_private_key(65537, 2048)
        numbers = cls.key.public_key().public_numbers()
        cls.keys = {
            'k1': {
                'kid': 'k1',
                'kty': 'RSA',
                'use': 'sig',
                'status': 'ACTIVE',
                'alg': 'RS512',
                'n': to_base64url(numbers.n),
                'e': to_base64url(numbers.e),
            }
        }
        cls.body = json.dumps({'data': EVENT}).encode()

    def claims(self, body=None, **changes):
        digest = base64.b64encode(hashlib.sha512(self.body if body is None else body).digest()).decode()
        claims = {
            'aud': AUDIENCE,
            'iss': 'https://api.ibanity.com',
            'iat': int(NOW.timestamp()),
            'exp': int(NOW.timestamp()) + 60,
            'digest': digest,
            'jti': '1',
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def rs512(self, signed):
        return self.key.sign(signed, padding.PKCS1v15(), hashes.SHA512())

    def make(self, claims=None, header=None, sign=None):
        """Return a signature; `header` is merged into the usual one, None removes."""
        header = {'alg': 'RS512', 'kid': 'k1', **(header or {})}
        header = json.dumps({name: value for name, value in header.items() if value is not None}).encode()
        claims = json.dumps(self.claims() if claims is None else claims).encode()
        signed = f'{encode(header)}.{encode(claims)}'
        return f'{signed}.{encode((sign or self.rs512)(signed.encode()))}'

    def verify(self, signature, body=None):
        return verify(self.body if body is None else body, signature, keys=self.keys, audience=AUDIENCE, now=NOW)

    def assert_refused(self, reason, signature, body=None):
        with self.assertRaises(PontoWebhookError) as caught:
            self.verify(signature, body)
        self.assertEqual(caught.exception.reason, reason)


class TestForgedMessage(SignedCase):
    """Messages that are each wrong in one thing."""

    def test_a_message_without_fault_is_accepted(self):
        event = self.verify(self.make())
        self.assertEqual((event['type'], event['id']), (EVENT['type'], EVENT['id']))
        self.assertEqual(event['attributes'], {'count': '3'})
        self.assertTrue(self.verify(self.make(header={'typ': 'JWT'})))

    def test_another_algorithm_is_refused(self):
        public = json.dumps(self.keys['k1']).encode()
        hs512 = hmac.new(public, digestmod=hashlib.sha512)

        def hmac_sign(signed):
            mac = hs512.copy()
            mac.update(signed)
            return mac.digest()

        for algorithm, sign in (
            ('none', lambda signed: b'x'),
            ('None', lambda signed: b'x'),
            ('', lambda signed: b'x'),
            ('HS512', hmac_sign),
            ('RS256', lambda signed: self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())),
            (
                'PS512',
                lambda signed: self.key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512()),
            ),
            ('rs512', self.rs512),
            (None, self.rs512),
            (['RS512'], self.rs512),
            ({}, self.rs512),
        ):
            with self.subTest(algorithm):
                self.assert_refused('algorithm', self.make(header={'alg': algorithm}, sign=sign))

    def test_the_algorithm_named_is_the_algorithm_used(self):
        self.assert_refused(
            'signature', self.make(sign=lambda signed: self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))
        )
        self.assert_refused('signature', self.make(sign=lambda signed: hashlib.sha512(signed).digest()))

    def test_an_unsigned_message_is_refused(self):
        header, claims, _signature = self.make(header={'alg': 'none'}).split('.')
        self.assert_refused('header', f'{header}.{claims}.')

    def test_json_nested_without_end_is_refused(self):
        nested = '[' * 3000
        self.assert_refused('header', f'{base64.urlsafe_b64encode(nested.encode()).decode()}.e30.e30')

    def test_the_key_comes_from_ponto_only(self):
        own = rsa.generate_private_key(65537, 2048)
        numbers = own.public_key().public_numbers()
        jwk = {'kty': 'RSA', 'n': to_base64url(numbers.n), 'e': to_base64url(numbers.e)}
        for header in ({'jwk': jwk}, {'jku': 'https://evil.test/keys'}, {'x5u': 'https://evil.test/keys'}):
            self.assert_refused(
                'signature',
                self.make(header=header, sign=lambda signed: own.sign(signed, padding.PKCS1v15(), hashes.SHA512())),
            )

    def test_an_unknown_key_is_refused(self):
        for kid in ('k2', '', None, 1, ['k1'], {'k1': 1}):
            with self.subTest(kid):
                self.assert_refused('key', self.make(header={'kid': kid}))

    def test_an_extension_that_must_be_understood_is_refused(self):
        self.assert_refused('header', self.make(header={'crit': ['b64'], 'b64': False}))

    def test_claims_must_be_there_and_of_their_type(self):
        for name in ('iat', 'exp', 'digest'):
            for value in (None, [], {}, True, float('nan'), float('inf'), 0 if name == 'digest' else '0'):
                with self.subTest((name, value)):
                    self.assert_refused('claims', self.make(self.claims(**{name: value})))
        for claims in ([], 'x', 1):
            self.assert_refused('claims', self.make(claims))

    def test_issuer_and_audience_must_be_exactly_those(self):
        for value in (None, '', 'http://api.ibanity.com', 'https://api.ibanity.com/', ['https://api.ibanity.com']):
            self.assert_refused('issuer', self.make(self.claims(iss=value)))
        for value in (None, '', AUDIENCE + ' ', [AUDIENCE], [AUDIENCE, 'other']):
            self.assert_refused('audience', self.make(self.claims(aud=value)))

    def test_age(self):
        now = int(NOW.timestamp())
        self.assert_refused('expired', self.make(self.claims(iat=now - 91, exp=now - 31)))
        self.assert_refused('future', self.make(self.claims(iat=now + 31, exp=now + 91)))
        self.assertTrue(self.verify(self.make(self.claims(iat=now - 90, exp=now - 30.0))))

    def test_a_digest_of_another_kind_is_refused(self):
        raw = hashlib.sha512(self.body).digest()
        for value in (
            '',
            raw.hex(),
            base64.b64encode(hashlib.sha256(self.body).digest()).decode(),
            'é',
            '\ud800',
            base64.b64encode(raw).decode() + '\n',
        ):
            self.assert_refused('digest', self.make(self.claims(digest=value)))

    def test_a_genuine_message_that_is_no_event_is_refused(self):
        for body in (
            b'',
            b'[]',
            b'null',
            b'{"data": []}',
            b'{"data": null}',
            b'{}',
            b'\xff',
            b'[' * 100_000,
            b'{"data": {"type": "x"}}',
            b'{"data": {"type": "x", "id": ""}}',
            b'{"data": {"type": "x", "id": true}}',
            b'{"data": {"type": ["x"], "id": "1"}}',
            b'{"data": {"type": "x", "id": "\\u0000"}}',
            json.dumps({'data': {'type': 'x', 'id': 'y' * 201}}).encode(),
        ):
            with self.subTest(body[:40]):
                self.assert_refused('body', self.make(self.claims(body)), body)

    def test_an_event_can_be_stored_and_asked_for_anything(self):
        body = json.dumps(
            {
                'data': {
                    **EVENT,
                    'attributes': {'big': 10**40, 'text': '\ud800x'},
                    'relationships': {'account': None, 'organization': {'data': ['x']}},
                }
            }
        ).encode()
        event = self.verify(self.make(self.claims(body)), body)
        self.assertEqual(event['attributes'], {'big': str(10**40), 'text': 'x'})
        self.assertNotIn('\\u0000', json.dumps(event))
        self.assertEqual([related_id(event, name) for name in ('account', 'organization', 'other')], [''] * 3)
        self.assertEqual(related_id({'relationships': []}, 'account'), '')

    def test_an_event_whose_name_could_not_be_kept_as_it_is_is_none(self):
        for name in ('id', 'type'):
            for value in ('a\0b', '\ud800', 5, float('nan'), '', 'x' * 201, ['a'], None):
                body = json.dumps({'data': {**EVENT, name: value}}).encode()
                with self.subTest((name, value)), self.assertRaises(PontoWebhookError) as caught:
                    self.verify(self.make(self.claims(body)), body)
                self.assertEqual(caught.exception.reason, 'body')


class TestKeySet(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.answers = [{'kid': 'k1'}]
        self.fetches = 0
        self.keys = KeySet(self.fetch, lifetime=600, floor=60, clock=lambda: self.now)

    def fetch(self):
        self.fetches += 1
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def test_keys_are_fetched_when_one_is_asked_for(self):
        self.assertEqual(self.fetches, 0)
        self.assertEqual(self.keys.get('k1'), {'kid': 'k1'})
        self.now = 599
        self.assertEqual(self.keys.get('k1'), {'kid': 'k1'})
        self.assertEqual(self.fetches, 1)

    def test_a_withdrawn_key_ends_with_its_lifetime(self):
        self.keys.get('k1')
        self.answers = []
        self.now = 600
        self.assertIsNone(self.keys.get('k1'))
        self.assertEqual(self.fetches, 2)

    def test_an_unknown_key_is_asked_for_at_most_once_a_minute(self):
        self.keys.get('k1')
        self.answers = [{'kid': 'k1'}, {'kid': 'k2'}]
        for self.now in range(60):
            self.assertIsNone(self.keys.get('k2'))
        self.assertEqual(self.fetches, 1)
        self.now = 60
        self.assertEqual(self.keys.get('k2'), {'kid': 'k2'})
        for self.now in range(60, 120):
            self.assertIsNone(self.keys.get('k3'))
        self.assertEqual(self.fetches, 2)

    def test_a_fetch_that_fails_is_not_repeated_within_a_minute(self):
        self.answers = PontoTimeoutError('no answer in time')
        with self.assertRaises(PontoTimeoutError):
            self.keys.get('k1')
        self.now = 59
        with self.assertRaises(PontoConnectionError):
            self.keys.get('k1')
        self.assertEqual(self.fetches, 1)
        self.answers = [{'kid': 'k1'}]
        self.now = 60
        self.assertTrue(self.keys.get('k1'))

    def test_a_fetch_that_fails_takes_no_key_away(self):
        self.keys.get('k1')
        self.answers = PontoTimeoutError('no answer in time')
        self.now = 60
        with self.assertRaises(PontoTimeoutError):
            self.keys.get('k2')
        self.assertTrue(self.keys.get('k1'))
        self.now += 600
        with self.assertRaises(PontoTimeoutError):
            self.keys.get('k1')

    def test_a_clock_that_starts_at_zero_is_a_clock(self):
        self.assertTrue(self.keys.get('k1'))

    def test_keys_without_a_name_are_passed_over(self):
        self.answers = [{}, {'kid': None}, {'kid': ['k1']}, {'kid': 'k1'}]
        self.assertEqual(self.keys.get('k1'), {'kid': 'k1'})

    def test_a_message_whose_keys_cannot_be_fetched_is_not_judged(self):
        self.answers = PontoTimeoutError('no answer in time')
        with self.assertRaises(PontoTimeoutError):
            verify(
                TestGenuineMessage.body,
                TestGenuineMessage.signature,
                keys=self.keys,
                audience=GENUINE_AUDIENCE,
                now=moment(ISSUED_AT) + timedelta(seconds=1),
            )
