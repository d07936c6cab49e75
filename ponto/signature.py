"""HTTP signatures as Ibanity reads them: draft-cavage-http-signatures-12, algorithm hs2019 (section 4.4 of the API)."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .auth import utcnow
from .certificates import load_private_key

# Signed as the host whatever host is called: Ibanity checks it behind proxies, its own and ours.
HOST = 'api.ibanity.com'
SALT_LENGTH = 32


class HttpSignature:
    """Signs a prepared request, its body included, so nothing of it may be changed afterwards.

    :param certificate_id: of the signature certificate at Ibanity, which is another one than that of the connection
    :param private_key: of that certificate: RSA, in PEM
    :param password: of the private key, if it is encrypted
    :raise ValueError: the key cannot be used
    """

    def __init__(
        self,
        *,
        certificate_id: str,
        private_key: bytes,
        password: bytes | None = None,
        clock: Callable[[], datetime] = utcnow,
    ):
        if not re.fullmatch(r'[\w.-]+', certificate_id, re.ASCII):
            raise ValueError('the id of the signature certificate is not one')
        key = load_private_key(private_key, password)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError('the key of the signature certificate must be an RSA key')
        self._certificate_id = certificate_id
        self._key = key
        self._clock = clock

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        created = int(self._clock().timestamp())
        request.headers['Digest'] = digest(request.body)
        fields = signed_fields(request, created)
        text = signing_string(fields)
        signature = self._key.sign(
            text.encode(), padding.PSS(padding.MGF1(hashes.SHA256()), SALT_LENGTH), hashes.SHA256()
        )
        request.headers['Signature'] = ','.join(
            [
                f'keyId="{self._certificate_id}"',
                f'created={created}',
                'algorithm="hs2019"',
                f'headers="{" ".join(fields)}"',
                f'signature="{base64.b64encode(signature).decode()}"',
            ]
        )
        return request


def digest(body: object) -> str:
    """Return the ``Digest`` header of a body: text, bytes or None.

    :raise TypeError: the body is a stream, which cannot be read twice
    """
    content = body.encode() if isinstance(body, str) else b'' if body is None else body
    if not isinstance(content, bytes):
        raise TypeError('a stream cannot be signed')
    return f'SHA-512={base64.b64encode(hashlib.sha512(content).digest()).decode()}'


def signed_fields(request: requests.PreparedRequest, created: int) -> dict[str, str]:
    """Return what is signed of a request that has its digest, in the order in which it is signed."""
    headers = {str(name).lower(): str(value) for name, value in request.headers.items()}
    further = [name for name in sorted(headers) if name == 'authorization' or name.startswith('ibanity-')]
    return {
        '(request-target)': f'{(request.method or "").lower()} {request.path_url}',
        'host': HOST,
        'digest': headers['digest'],
        '(created)': str(created),
        **{name: headers[name] for name in further},
    }


def signing_string(fields: dict[str, str]) -> str:
    """Return the text that the signature is made of."""
    return '\n'.join(f'{name}: {value}' for name, value in fields.items())
