"""Pictures that Ponto's catalogue points to. They lie on a file server, not on the API's host, and ask for no token."""

from typing import NoReturn
from xml.parsers import expat

import requests
import urllib3

from .errors import PontoConnectionError, PontoResponseError
from .urls import is_public_https

MAX_BYTES = 512 * 1024
TIMEOUT = (5, 10)

SVG = 'http://www.w3.org/2000/svg svg'
ACTIVE_ELEMENTS = frozenset(
    ('script', 'foreignobject', 'handler', 'listener', 'set', 'animate', 'iframe', 'embed', 'object')
)


def fetch_logo(url: str, *, session: requests.Session | None = None) -> bytes:
    """Return the file at ``url``: a drawing (SVG) in which nothing is active, else what is to be decoded as a bitmap.

    :raise PontoResponseError: the address is not one of a public web server, or no picture of a sensible size is there
    :raise PontoConnectionError: the server cannot be reached
    """
    if not is_public_https(url):
        raise PontoResponseError(0, 'the address of the logo is not https')
    try:
        with (session or requests).get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
            if response.status_code != 200:
                raise PontoResponseError(response.status_code, 'no picture')
            body: bytes = response.raw.read(MAX_BYTES + 1, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise PontoConnectionError(type(error).__name__) from error
    if not body or len(body) > MAX_BYTES:
        raise PontoResponseError(200, 'no picture of a sensible size')
    body = body.removeprefix(b'\xef\xbb\xbf').lstrip()
    if body.startswith(b'<'):
        _check_drawing(body)
    return body


def _check_drawing(body: bytes) -> None:
    """Raise PontoResponseError unless this is well-formed SVG without scripts and links to elsewhere.

    A browser runs nothing inside of an ``<img>``, and Odoo serves pictures under a policy that forbids it where one is
    opened alone. But that policy is lost where a web server sends Odoo's files itself, and of all people Odoo lets only
    system administrators upload SVG: what the scheduler takes from the net must not get around that.
    """
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if not depth and name != SVG:
            raise PontoResponseError(200, 'no picture')
        depth += 1
        if _local(name) in ACTIVE_ELEMENTS or any(map(_is_active, attributes.items())):
            raise PontoResponseError(200, 'an active picture')

    def refuse(*_arguments: object) -> NoReturn:
        raise PontoResponseError(200, 'an active picture')

    def instruct(target: str, _data: str) -> None:
        if target == 'xml-stylesheet':
            refuse()

    parser = expat.ParserCreate(namespace_separator=' ')
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    parser.ProcessingInstructionHandler = instruct
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise PontoResponseError(200, 'no picture') from error


def _is_active(attribute: tuple[str, str]) -> bool:
    name, value = _local(attribute[0]), attribute[1].strip().lower()
    return name.startswith('on') or (name in ('href', 'src') and not value.startswith(('#', 'data:image/')))


def _local(name: str) -> str:
    return name.rpartition(' ')[2].lower()
