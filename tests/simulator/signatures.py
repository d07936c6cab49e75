"""Signatures of both directions, written apart from the client's: of its calls, checked, and of webhooks, made."""

import base64
import functools
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import errors
from .authority import private_pem

__all__ = ['private_pem', 'signature_key', 'verify', 'webhook_body', 'webhook_keys', 'webhook_signature']

HOST = 'api.ibanity.com'
WEBHOOK_KEY_ID = 'simulated_events_signature_1'
# The Ruby client writes base64url.
BASE64 = str.maketrans('-_', '+/')
ALWAYS_SIGNED = {'(request-target)', 'host', 'digest', '(created)'}


@functools.cache
def signature_key():
    """The key of the application's signature certificate; making one takes a while, so all simulators share it."""
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def _webhook_key():
    return rsa.generate_private_key(65537, 2048)


def verify(call, keys):
    """Check the HTTP signature of a call (draft-cavage-http-signatures-12, hs2019) against the known certificates.

    Ibanity's code for a bad signature is not known; `invalidSignature` is this simulator's.
    """
    parameters = dict(re.findall(r'(\w+)="?([^",]*)"?', call.headers.get('Signature', '')))
    key = keys.get(parameters.get('keyId'))
    if key is None or parameters.get('algorithm') != 'hs2019' or not parameters.get('created', '').isdigit():
        raise _refused('is missing, incomplete, or of an unknown certificate')
    digest = base64.b64encode(hashlib.sha512(call.body).digest()).decode()
    kind, _equals, given = call.headers.get('Digest', '').partition('=')
    if (kind, given.translate(BASE64)) != ('SHA-512', digest):
        raise _refused('is of another body')
    names = parameters.get('headers', '').split()
    present = {name.lower(): value for name, value in call.headers.items()}
    needed = ALWAYS_SIGNED | {name for name in present if name == 'authorization' or name.startswith('ibanity-')}
    # The Ruby client signs the token call before it is given its credentials.
    if call.path == '/oauth2/token' and 'authorization' not in names:
        needed.discard('authorization')
    if set(names) != needed or len(names) != len(needed):
        raise _refused('does not cover the headers that it must')
    values = {
        **present,
        '(request-target)': f'{call.method.lower()} {call.target}',
        'host': HOST,
        '(created)': parameters['created'],
    }
    text = '\n'.join(f'{name}: {values[name]}' for name in names)
    try:
        key.verify(
            base64.b64decode(parameters.get('signature', '').translate(BASE64)),
            text.encode(),
            padding.PSS(padding.MGF1(hashes.SHA256()), 32),
            hashes.SHA256(),
        )
    except (InvalidSignature, ValueError):
        raise _refused('is not right') from None


def _refused(why):
    return errors.ApiError(400, 'invalidSignature', f'The HTTP signature {why}.')


def webhook_keys():
    """The key set that Ponto publishes."""
    numbers = _webhook_key().public_key().public_numbers()
    return {
        'keys': [
            {
                'alg': 'RS512',
                'e': _base64url(numbers.e.to_bytes(3, 'big')),
                'kid': WEBHOOK_KEY_ID,
                'kty': 'RSA',
                'n': _base64url(numbers.n.to_bytes(256, 'big')),
                'status': 'ACTIVE',
                'use': 'sig',
            }
        ]
    }


def webhook_body(event):
    return json.dumps({'data': event}, separators=(',', ':'), ensure_ascii=False).encode()


def webhook_signature(body, claims):
    """A JWS over the claims and the digest of the body."""
    digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
    header = {'alg': 'RS512', 'kid': WEBHOOK_KEY_ID}
    signed = '.'.join(
        _base64url(json.dumps(part).encode()).rstrip('=') for part in (header, {'digest': digest, **claims})
    )
    signature = _webhook_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA512())
    return f'{signed}.{_base64url(signature).rstrip("=")}'


def _base64url(content):
    return base64.urlsafe_b64encode(content).decode()
