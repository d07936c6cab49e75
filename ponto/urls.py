"""Which addresses may be called, followed or opened. Pure.

Ponto's answers hold addresses: of a next page, of a page for a person, of a logo. A token or a person goes where they
lead. So each is checked by one of these functions before it is used.
"""

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from .errors import PontoResponseError

# Where a person may be sent on Ponto's word: Ponto's own pages and those of Ibanity, whose API gives that word.
PONTO_DOMAINS = ('myponto.com', 'ibanity.com')


def checked_url(url: str) -> str:
    """Return ``url`` without its last slash.

    :raise ValueError: it is not https (http only towards this very machine), or has more than host, port and path
    """
    parts = urlsplit(url)
    if parts.scheme != 'https' and not (parts.scheme == 'http' and is_loopback(parts.hostname)):
        raise ValueError('the address of the Ponto API must start with https://')
    if not parts.hostname or '@' in parts.netloc or parts.query or parts.fragment or re.search(r'[\s\\]', url):
        raise ValueError('the address of the Ponto API must consist of a host name and a path')
    return url.rstrip('/')


def is_loopback(host: str | None) -> bool:
    """Return whether the host is this very machine."""
    try:
        return host == 'localhost' or ipaddress.ip_address(host or '').is_loopback
    except ValueError:
        return False


def join_path(*segments: str) -> str:
    """Join segments into a path.

    :raise ValueError: a segment is empty or `.` or `..`: it cannot be the id of a resource
    """
    if not all(segment.strip('.') for segment in segments):
        raise ValueError('an empty id')
    return '/'.join(quote(segment, safe='') for segment in segments)


def link_path(url: str, base_url: str) -> str:
    """Return path and query of a link that Ponto gave, relative to the base URL.

    The token goes where the link goes, so only its path and query are taken over: whatever a link may look like,
    the request is sent to the configured host.

    :raise PontoResponseError: the link leaves the configured scheme, host, port or path
    """
    base = urlsplit(base_url)
    try:
        link = urlsplit(url)
        same_origin = (link.scheme, link.hostname, _port(link)) == (base.scheme, base.hostname, _port(base))
    except ValueError:
        raise PontoResponseError(200, 'foreign_link') from None
    inside = link.path.startswith(f'{base.path}/')
    if '@' in link.netloc or not same_origin or not inside or not _is_plain(url, link.path):
        raise PontoResponseError(200, 'foreign_link')
    path = link.path.removeprefix(f'{base.path}/')
    return f'{path}?{link.query}' if link.query else path


def is_page_of_ponto(url: str, base_url: str) -> bool:
    """Return whether a person may be sent there: https on a host of Ponto's.

    Where the API itself is on this very machine, a page on this machine may be opened as well, also by http.
    """
    try:
        link = urlsplit(url)
        host = (link.hostname or '').lower()
        if '@' in link.netloc or not _is_plain(url, link.path):
            return False
        if is_loopback(host):
            return link.scheme in ('http', 'https') and is_loopback(urlsplit(base_url).hostname)
        is_pontos = host in PONTO_DOMAINS or host.endswith(tuple(f'.{domain}' for domain in PONTO_DOMAINS))
        return link.scheme == 'https' and is_pontos and link.port in (None, 443)
    except ValueError:
        return False


def is_public_https(url: str) -> bool:
    """Return whether this is https on the usual port of a host with a name, not of an address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or '', parts.port
    except ValueError:
        return False
    # A last label that begins with a digit would be an address.
    return parts.scheme == 'https' and not port and '.' in host and host.rpartition('.')[2][:1].isalpha()


def _port(url: SplitResult) -> int | None:
    return url.port or {'https': 443, 'http': 80}.get(url.scheme)


def _is_plain(url: str, path: str) -> bool:
    """Return whether a link can be read in one way only, and its path does not climb."""
    segments = unquote(path).split('/')
    return not re.search(r'[^\x21-\x7e]|\\', url) and '\\' not in unquote(path) and not {'.', '..'} & set(segments)
