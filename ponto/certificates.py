"""Connections of Ponto Connect: mutual TLS with a certificate that lies in no file (section 4.1 of the API)."""

import secrets
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from .transport import new_session

if TYPE_CHECKING:
    # Odoo may run with a cryptography that does not have it yet.
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]


def load_private_key(private_key: bytes, password: bytes | None = None) -> 'PrivateKeyTypes':
    """Return a private key from PEM.

    :raise ValueError: it is none, or the password is missing or wrong
    """
    try:
        return serialization.load_pem_private_key(private_key, password or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: nothing of a key in a traceback.
        raise ValueError('the private key cannot be read, or its password is not the right one') from None


def new_connect_session(
    *, certificate: bytes, private_key: bytes, password: bytes | None = None, sign: Sign | None = None
) -> requests.Session:
    """Return a session that presents a client certificate and, with ``sign``, signs all that it sends.

    It is for the API's host alone. Whom it trusts is decided as with any other session of requests.

    :param certificate: in PEM, intermediate ones after it if Ibanity needs them
    :param private_key: in PEM
    :param password: of the private key, if it is encrypted
    :param sign: called with each request, complete and about to be sent
    :raise ValueError: they cannot be read, or do not belong together
    """
    session = _SigningSession(sign) if sign else requests.Session()
    session.mount('https://', _ClientCertificateAdapter(_client_context(certificate, private_key, password)))
    return new_session(session)


def _client_context(certificate: bytes, private_key: bytes, password: bytes | None) -> ssl.SSLContext:
    """Return a TLS context that holds the certificate and its key.

    Python's ssl takes them from files only. The key goes into one encrypted with a password that this call makes up and
    forgets, so the file tells nobody anything, not even when a crash leaves it behind. PyOpenSSL takes them from
    memory, but urllib3 has it as a replacement of all TLS in the process (so does Odoo's ``CertificateAdapter``, which
    moreover hooks into a method that requests has not called since 2.32).
    """
    key = load_private_key(private_key, password)
    once = secrets.token_hex(32).encode()
    encrypted = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(once)
    )
    context = create_urllib3_context()
    with tempfile.TemporaryDirectory() as folder:
        certificate_file, key_file = Path(folder, 'certificate.pem'), Path(folder, 'key.pem')
        certificate_file.write_bytes(certificate)
        key_file.write_bytes(encrypted)
        try:
            context.load_cert_chain(certificate_file, key_file, once)
        except ssl.SSLError:
            raise ValueError('the certificate cannot be read, or the private key is not its own') from None
    return context


class _ClientCertificateAdapter(HTTPAdapter):
    """Makes connections with a TLS context of its own, through a proxy too."""

    def __init__(self, context: ssl.SSLContext):
        super().__init__()
        self._context = context
        self.poolmanager.connection_pool_kw['ssl_context'] = context

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)


class _SigningSession(requests.Session):
    """Signs each request when it is complete, its authorization included."""

    def __init__(self, sign: Sign):
        super().__init__()
        self._sign = sign

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        return self._sign(super().prepare_request(request))
