"""Pictures that Ponto's catalogue points to. They lie on a file server, not on the API's host, and ask for no token."""

import ipaddress
from urllib.parse import urlsplit

import requests

from .errors import PontoConnectionError, PontoResponseError

MAX_BYTES = 512 * 1024
TIMEOUT = (5, 10)


def fetch_logo(url: str, *, session: requests.Session | None = None) -> bytes:
    """Return the picture at ``url``.

    :raise PontoResponseError: the address is not one of a public web server, or no picture of a sensible size is there
    :raise PontoConnectionError: the server cannot be reached
    """
    if not _is_public_https(url):
        raise PontoResponseError(0, 'the address of the logo is not https')
    try:
        with (session or requests).get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
            kind = response.headers.get('Content-Type', '')
            if response.status_code != 200 or not kind.startswith('image/'):
                raise PontoResponseError(response.status_code, 'no picture')
            body = response.raw.read(MAX_BYTES + 1, decode_content=True)
    except requests.RequestException as error:
        raise PontoConnectionError(type(error).__name__) from error
    if not body or len(body) > MAX_BYTES:
        raise PontoResponseError(200, 'no picture of a sensible size')
    return body


def _is_public_https(url: str) -> bool:
    parts = urlsplit(url)
    try:
        ipaddress.ip_address(parts.hostname or '')
    except ValueError:
        return parts.scheme == 'https' and '.' in (parts.hostname or '') and not parts.port
    return False
