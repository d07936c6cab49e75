"""Faults that a test asks for; nothing here happens by chance."""

import json
import os
import re
import socket
import struct
import time
from dataclasses import dataclass, field

import requests
import urllib3

from . import errors

CONNECTION_KINDS = ('slow', 'reset', 'refused', 'connect_timeout', 'tls', 'dns')
"""The client gets no answer: an exception in process; on a socket a late answer or a reset connection."""
BODY_KINDS = ('truncated', 'empty', 'wrong_type')
"""The call is carried out and its answer damaged."""
KINDS = (*CONNECTION_KINDS, *BODY_KINDS, 'html')

HTML = (
    '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>'
    '<body><center><h1>502 Bad Gateway</h1></center></body></html>\n'
)

CODES = {
    400: ('invalidParameter', 'The request is invalid.'),
    401: ('invalidAccessToken', 'Your access token is invalid.'),
    403: ('forbidden', 'You are not allowed to access this resource.'),
    404: ('resourceNotFound', 'The requested resource was not found.'),
    429: ('tooManyRequests', 'Too many requests. Try again later.'),
}
OAUTH_CODES = {400: 'invalid_request', 401: 'invalid_client', 403: 'access_denied', 429: 'temporarily_unavailable'}


@dataclass
class Fault:
    """What happens to the next `times` matching calls (None: until cleared).

    `path` is a regular expression searched in the path below the base path; `method` an HTTP method. Either `status`
    answers an error in Ponto's shape (with `code`, `detail`), or `kind` is one of `KINDS`, or `body` is answered as it
    is (bytes, text, or a JSON value). `carried_out`: the call takes effect although the client does not learn of it.
    `delay`: seconds of a slow answer on a socket.
    """

    times: int | None = 1
    status: int | None = None
    kind: str | None = None
    path: str | None = None
    method: str | None = None
    retry_after: int | str | None = None
    code: str | None = None
    detail: str | None = None
    body: object = None
    headers: dict = field(default_factory=dict)
    carried_out: bool = False
    delay: float = 60.0

    def __post_init__(self):
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f'unknown kind of fault {self.kind!r}; there are {", ".join(KINDS)}')
        if self.kind is None and self.status is None and self.body is None:
            raise ValueError('a fault needs a status, a kind or a body')

    @property
    def needs_handler(self):
        return self.carried_out or self.kind in BODY_KINDS

    def matches(self, method, path):
        return (
            self.times != 0
            and (self.method is None or self.method == method)
            and (self.path is None or re.search(self.path, path) is not None)
        )

    def answer(self, path, request_id, answer):
        """The damaged answer as (status, headers, body); `answer` is the genuine one where there is one."""
        status, headers, body = self._answer(path, request_id, answer)
        headers = {**headers, **self.headers}
        if self.retry_after is not None:
            headers['Retry-After'] = str(self.retry_after)
        return status, headers, body

    def _answer(self, path, request_id, answer):
        if self.kind == 'html':
            return self.status or 200, {'Content-Type': 'text/html; charset=utf-8'}, HTML.encode()
        if self.kind in BODY_KINDS:
            return self._damaged(*answer)
        if self.body is not None:
            return self.status or 200, {'Content-Type': 'application/json'}, _encoded(self.body)
        return self._error(path, request_id)

    def _damaged(self, status, headers, body):
        status = self.status or status
        if self.kind == 'empty':
            return status, headers, b''
        if self.kind == 'truncated':
            return status, headers, body[: len(body) // 2]
        return status, {**headers, 'Content-Type': 'text/plain; charset=utf-8'}, body

    def _error(self, path, request_id):
        default_code, default_detail = CODES.get(self.status, ('internalServerError', 'An unexpected error occurred.'))
        detail = self.detail or default_detail
        if path.startswith('/oauth2/'):
            error = errors.OAuthError(self.status, self.code or OAUTH_CODES.get(self.status, 'server_error'), detail)
        else:
            error = errors.ApiError(self.status, self.code or default_code, detail)
        headers = {'Content-Type': 'application/json; charset=utf-8', **error.headers}
        return self.status, headers, json.dumps(error.body(request_id)).encode()


def _encoded(body):
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


class Faults:
    """The faults asked for, first come, first served."""

    def __init__(self):
        self._faults = []

    def add(self, fault):
        self._faults.append(fault)
        return fault

    def clear(self):
        self._faults.clear()

    def take(self, method, path):
        """The fault for this call, counted down, or None."""
        fault = next((fault for fault in self._faults if fault.matches(method, path)), None)
        if fault and fault.times is not None:
            fault.times -= 1
        return fault


def raise_in_process(fault, request):
    """Raise what a `requests` session raises when this happens on a real connection."""
    host = urllib3.util.parse_url(request.url).host
    pool = urllib3.HTTPSConnectionPool(host)
    if fault.kind == 'slow':
        raise requests.exceptions.ReadTimeout(
            urllib3.exceptions.ReadTimeoutError(pool, request.url, 'Read timed out.'), request=request
        )
    if fault.kind == 'connect_timeout':
        raise requests.exceptions.ConnectTimeout(f'Connection to {host} timed out.', request=request)
    if fault.kind == 'tls':
        raise requests.exceptions.SSLError(
            f'{host}: certificate verify failed: unable to get local issuer certificate', request=request
        )
    reason = {
        'reset': ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')),
        'refused': ('Failed to establish a new connection', ConnectionRefusedError(111, 'Connection refused')),
        'dns': ('Failed to resolve the name', socket.gaierror(-2, 'Name or service not known')),
    }[fault.kind]
    raise requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError(*reason), request=request)


def interrupt_on_socket(fault, environ):
    """Keep the client waiting (the answer follows), or reset its connection (raises, nothing follows)."""
    if fault.kind == 'slow':
        time.sleep(fault.delay)
        return
    connection = environ.get('werkzeug.socket')
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        os.close(connection.detach())  # the server's files on the socket would keep it open
    raise ConnectionResetError('reset, as asked for')
