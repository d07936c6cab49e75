"""Messages that Ponto Connect sends by itself, and how to tell that they are Ponto's (section 4.9 of the API).

The signature is a JSON Web Signature with one fixed algorithm, checked with ``cryptography``, which Odoo needs anyway.
A JWT library would be one more thing to install, and would still leave time, key and digest to us.
"""

import base64
import hashlib
import hmac
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .deciphering import parse_json
from .errors import PontoConnectionError, PontoWebhookError
from .values import clean_text, one_line, parse_datetime, to_json

ISSUER = 'https://api.ibanity.com'
ALGORITHM = 'RS512'
# Seconds by which clocks may differ.
LEEWAY = 30
MAX_SIGNATURE = 8 * 1024
MAX_NAME = 200
MIN_KEY_BITS = 2048
MAX_KEY_BITS = 16 * 1024

Jwk = Mapping[str, Any]


class Keys(Protocol):
    """Where :func:`verify` finds a key: a :class:`KeySet`, or a dict."""

    def get(self, kid: str, /) -> Jwk | None:
        """Return the key of that id, None if there is none."""


def verify(
    body: bytes, signature_header: str | None, *, keys: Keys, audience: str, now: datetime, issuer: str = ISSUER
) -> dict[str, Any]:
    """Return the event that Ponto sent: its ``data`` object, with ``type`` and ``id`` for certain, numbers as text.

    Each event is genuine and fresh; whether it was handled before is for the caller to know, by its ``id``.

    :param body: exactly as received
    :param signature_header: the value of the header ``Signature``
    :param audience: the id of our application at Ibanity
    :param now: aware
    :raise PontoWebhookError: it must be ignored
    :raise PontoError: the keys could not be fetched, so nothing is known of it; Ponto may send it again
    """
    header, claims, signed, signature = _parts(signature_header or '')
    if header.get('alg') != ALGORITHM:
        raise PontoWebhookError('algorithm')
    key = _public_key(keys, header.get('kid'))
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature:
        raise PontoWebhookError('signature') from None
    _check_claims(_json_object(claims, 'claims'), body, audience, now.timestamp(), issuer)
    return _event(body)


def related_id(event: Mapping[str, Any], name: str) -> str:
    """Return the id of the ``account``, ``organization`` or ``synchronization`` of an event, else ``''``."""
    value: Any = event
    for step in ('relationships', name, 'data', 'id'):
        value = value.get(step) if isinstance(value, Mapping) else None
    return one_line(value, 200)


def created_at(event: Mapping[str, Any]) -> datetime | None:
    """Return when Ponto made an event, which it may send again later; None if it does not tell."""
    attributes = event.get('attributes')
    try:
        return parse_datetime(attributes.get('createdAt')) if isinstance(attributes, Mapping) else None
    except ValueError:
        return None


class KeySet:
    """Ponto's keys, fetched when they are asked for and kept for a while.

    :param fetch: returns all keys, as :meth:`.connect.PontoConnectClient.get_webhook_keys` does
    :param lifetime: seconds after which they are fetched again, so that a key that was withdrawn ends being used
    :param floor: seconds between two fetches at least, however many messages name unknown keys
    :param clock: seconds, monotonic
    """

    def __init__(
        self,
        fetch: Callable[[], Iterable[Jwk]],
        *,
        lifetime: float = 600,
        floor: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._fetch = fetch
        self._lifetime = lifetime
        self._floor = floor
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Jwk] = {}
        self._fetched_at = self._tried_at = -math.inf

    def get(self, kid: str, /) -> Jwk | None:
        """Return the key of that id, None if Ponto has none.

        :raise PontoError: the keys could not be fetched, now or less than ``floor`` seconds ago
        """
        # A key that is known does not wait for a request that a message with an unknown one has caused.
        if not self._is_known(kid):
            with self._lock:
                if not self._is_known(kid):
                    self._refresh(self._clock())
        return self._keys.get(kid)

    def _is_known(self, kid: str) -> bool:
        return kid in self._keys and self._clock() - self._fetched_at < self._lifetime

    def _refresh(self, now: float) -> None:
        if now - self._tried_at >= self._floor:
            self._tried_at = now
            keys = self._fetch()
            self._keys = {key['kid']: key for key in keys if isinstance(key.get('kid'), str)}
            self._fetched_at = now
        elif self._fetched_at < self._tried_at:
            raise PontoConnectionError('the keys could not be fetched a moment ago')


def _parts(signature_header: str) -> tuple[Mapping[str, Any], bytes, bytes, bytes]:
    """Return protected header, claims, what is signed, and the signature."""
    segments = signature_header.split('.') if len(signature_header) <= MAX_SIGNATURE else []
    if len(segments) != 3:
        raise PontoWebhookError('header')
    try:
        header, claims, signature = (_decode(segment) for segment in segments)
    except ValueError:
        raise PontoWebhookError('header') from None
    protected = _json_object(header, 'header')
    # Extensions that must be understood (RFC 7515, section 4.1.11); there is none that we do.
    if 'crit' in protected:
        raise PontoWebhookError('header')
    return protected, claims, '.'.join(segments[:2]).encode(), signature


def _decode(text: object) -> bytes:
    """Decode base64url, with padding (as in Ibanity's keys) or without.

    :raise ValueError: it is not base64url
    """
    if not isinstance(text, str) or not re.fullmatch(r'[\w-]+={0,2}', text, re.ASCII):
        raise ValueError('not base64url')
    text = text.rstrip('=')
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def _json_object(content: bytes, reason: str) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise PontoWebhookError(reason) from None
    if not isinstance(value, dict):
        raise PontoWebhookError(reason)
    return value


def _public_key(keys: Keys, kid: object) -> rsa.RSAPublicKey:
    jwk = keys.get(kid) if isinstance(kid, str) else None
    expected = {'kty': 'RSA', 'use': 'sig', 'status': 'ACTIVE'}
    if jwk is None or any(jwk.get(name) != value for name, value in expected.items()):
        raise PontoWebhookError('key')
    if jwk.get('alg', ALGORITHM) != ALGORITHM:
        raise PontoWebhookError('key')
    try:
        modulus, exponent = (int.from_bytes(_decode(jwk.get(name)), 'big') for name in ('n', 'e'))
        if not MIN_KEY_BITS <= modulus.bit_length() <= MAX_KEY_BITS:
            raise ValueError('the size of the key')
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise PontoWebhookError('key') from None


def _check_claims(claims: Mapping[str, Any], body: bytes, audience: str, now: float, issuer: str) -> None:
    issued_at, expires_at, digest = claims.get('iat'), claims.get('exp'), claims.get('digest')
    if not (_is_time(issued_at) and _is_time(expires_at) and isinstance(digest, str)):
        raise PontoWebhookError('claims')
    if claims.get('iss') != issuer:
        raise PontoWebhookError('issuer')
    if not audience or claims.get('aud') != audience:
        raise PontoWebhookError('audience')
    if now > expires_at + LEEWAY:
        raise PontoWebhookError('expired')
    if issued_at > now + LEEWAY:
        raise PontoWebhookError('future')
    expected = base64.b64encode(hashlib.sha512(body).digest())
    if not hmac.compare_digest(expected, digest.encode(errors='replace')):
        raise PontoWebhookError('digest')


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _event(body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(body.decode())
    except (ValueError, RecursionError):
        raise PontoWebhookError('body') from None
    data = value.get('data') if isinstance(value, dict) else None
    if not isinstance(data, dict) or not all(_is_name(data.get(name)) for name in ('type', 'id')):
        raise PontoWebhookError('body')
    event: dict[str, Any] = to_json(data)
    return event


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value == clean_text(value)
