"""Sending: one call in, parsed JSON or a typed error out, after as many attempts as it takes.

It knows no endpoint and no resource. What an answer says is read by :mod:`.deciphering`.
"""

import logging
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
import urllib3.exceptions
from requests.auth import AuthBase

from .deciphering import MEDIA_TYPE, Answer, decipher, request_id, secrets_of, token_error
from .errors import (
    PontoApiError,
    PontoConnectionError,
    PontoError,
    PontoRateLimitError,
    PontoResponseError,
    PontoServerError,
    PontoTimeoutError,
    PontoTlsError,
)
from .urls import checked_url

_logger = logging.getLogger(__name__)

USER_AGENT = 'account_online_ponto'
# What an answer may be encoded in beside UTF. Some of Python's codecs take time with the square of the length.
CHARSETS = frozenset(('iso-8859-1', 'iso-8859-15', 'windows-1252'))
MAX_BYTES = 20 * 1024 * 1024
# A wait that a worker can afford. What Ponto asks beyond it is for the caller to plan.
MAX_WAIT = 30
# No further attempt begins so many seconds after the first: Odoo ends a worker that takes 120.
PATIENCE = 40
CHUNK = 64 * 1024
# Innermost faults after which it is certain that nothing was sent.
NOT_SENT = {'ConnectionRefusedError', 'NameResolutionError', 'NewConnectionError', 'gaierror'}

Params = Mapping[str, str]


class _Authorization(AuthBase):
    """Sets this very header, or none. Without an ``auth``, requests would put in what ~/.netrc says of the host."""

    def __init__(self, value: str | None):
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop('Authorization', None)
        if self._value:
            request.headers['Authorization'] = self._value
        return request


def new_session(session: requests.Session | None = None) -> requests.Session:
    """Return a session that keeps connections, not cookies: it can serve several threads."""
    session = session or requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


class Transport:
    """Sends requests with time limits, repeats the idempotent ones, and turns every outcome into JSON or a typed error.

    :param timeout: seconds for connecting and for each read
    :param retries: how often an idempotent request is repeated at most
    :param jitter: returns a number from 0 to 1; waits are spread by it, so that many workers do not come back as one
    :param clock: returns the seconds by which the patience with one request is measured
    :param end: when that clock shows it, no request begins or waits any longer; by default only each request has limits
    """

    def __init__(
        self,
        *,
        timeout: tuple[float, float] = (10, 30),
        session: requests.Session | None = None,
        sleep: Callable[[float], object] = time.sleep,
        retries: int = 4,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        end: float | None = None,
    ):
        self._clock = clock
        self._timeout = timeout
        self._end = math.inf if end is None else end
        self._session = session or new_session()
        self._sleep = sleep
        self._retries = retries
        self._jitter = jitter

    def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        authorization: str,
        idempotent: bool = True,
        may_be_empty: bool = False,
    ) -> Mapping[str, Any]:
        """Ask an endpoint of OAuth 2.

        :raise PontoCredentialsError: client id or secret refused
        :raise PontoGrantError: code or refresh token refused
        """
        try:
            return self.request(
                'POST',
                checked_url(url),
                form=form,
                authorization=authorization,
                idempotent=idempotent,
                may_be_empty=may_be_empty,
            )
        except PontoApiError as error:
            if kind := token_error(error):
                raise kind(error.status, error.code, error.detail, error.request_id) from error
            raise

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        form: Mapping[str, str] | None = None,
        payload: Mapping[str, Any] | None = None,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        may_be_empty: bool = False,
    ) -> Mapping[str, Any]:
        """Send a request and return the JSON object of the answer, its numbers as Decimal.

        :param idempotent: whether it may be repeated; by default a GET may. Others are repeated only if they were not
            sent at all, because no connection was made
        :param may_be_empty: whether success may say nothing; it is an empty object then
        :raise PontoError: anything else than a JSON object in a successful answer
        """
        repeatable = method == 'GET' if idempotent is None else idempotent
        end = min(self._clock() + PATIENCE, self._end)
        for attempt in range(self._retries + 1):
            try:
                answer = self._send(
                    method,
                    url,
                    params=params,
                    data=form,
                    json=payload,
                    auth=_Authorization(authorization),
                    headers={'Accept': MEDIA_TYPE, 'User-Agent': USER_AGENT, **(headers or {})},
                )
                return decipher(answer, secrets_of(authorization, form or {}), may_be_empty=may_be_empty)
            except PontoError as error:
                wait = self._wait(error, attempt, repeatable)
                if wait is None or self._clock() + wait > end:
                    raise
                _logger.info('%s %s: %s; again in %.1f s', method, urlsplit(url).path, type(error).__name__, wait)
                self._sleep(wait)
        raise AssertionError('unreachable: the last attempt returns or raises')

    def _send(self, method: str, url: str, **kwargs: Any) -> Answer:
        path = urlsplit(url).path
        left = self._end - self._clock()
        if left <= 0:
            raise PontoTimeoutError('no time is left for this request')
        connect, read = (min(seconds, left) for seconds in self._timeout)
        try:
            response = self._session.request(
                method, url, timeout=(connect, read), allow_redirects=False, stream=True, **kwargs
            )
            with response:
                answer = Answer(response.status_code, response.headers, self._read(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            _logger.info('%s %s: %s', method, path, type(error).__name__)
            raise _connection_error(error) from error
        _logger.debug('%s %s: %s (request %s)', method, path, answer.status, request_id(answer) or '-')
        return answer

    def _read(self, response: requests.Response) -> bytes:
        # By default urllib3 1.26 takes a body that is shorter than announced for complete.
        if isinstance(response.raw, urllib3.HTTPResponse):
            response.raw.enforce_content_length = True
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > MAX_BYTES:
                raise PontoResponseError(response.status_code, 'too_large')
            if self._clock() > self._end:
                raise PontoTimeoutError('no answer in time')
        return bytes(body)

    def _wait(self, error: PontoError, attempt: int, repeatable: bool) -> float | None:
        """Return how many seconds to wait before the next attempt, None for no further attempt."""
        if attempt >= self._retries or not ((repeatable and _is_transient(error)) or _was_not_sent(error)):
            return None
        if isinstance(error, PontoRateLimitError) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= MAX_WAIT else None
        return min(MAX_WAIT, 2.0**attempt) * (0.5 + self._jitter() / 2)


def _connection_error(error: Exception) -> PontoError:
    """Name a fault without quoting it: requests puts the whole URL into its messages."""
    cause = _cause(error)
    if isinstance(error, requests.exceptions.ContentDecodingError | urllib3.exceptions.DecodeError):
        return PontoResponseError(200, 'encoding')
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return PontoTlsError(f'no secure connection ({cause})')
    if isinstance(error, requests.Timeout) or cause in ('ReadTimeoutError', 'ConnectTimeoutError', 'TimeoutError'):
        return PontoTimeoutError('no answer in time')
    return PontoConnectionError(f'no connection ({cause})')


def _cause(error: BaseException) -> str:
    """Return the name of the innermost exception that requests and urllib3 have wrapped."""
    for _depth in range(6):
        inner = [item for item in (getattr(error, 'reason', None), *error.args) if isinstance(item, BaseException)]
        if not inner:
            break
        error = inner[0]
    return type(error).__name__


def _is_transient(error: PontoError) -> bool:
    # Neither their certificate nor what they say of ours (an alert) changes within seconds; a handshake that was cut
    # off may well succeed.
    if isinstance(error, PontoTlsError):
        return not re.search('certificate|alert', str(error.__cause__), re.IGNORECASE)
    return isinstance(error, PontoConnectionError | PontoRateLimitError | PontoServerError)


def _was_not_sent(error: PontoError) -> bool:
    cause = error.__cause__
    return (
        isinstance(error, PontoConnectionError)
        and cause is not None
        and (isinstance(cause, requests.ConnectTimeout) or _cause(cause) in NOT_SENT)
    )
