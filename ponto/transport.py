"""HTTP as Ponto speaks it: one call in, parsed JSON or a typed error out. It knows no endpoint and no resource."""

import base64
import binascii
import contextlib
import ipaddress
import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from .errors import (
    PontoApiError,
    PontoAuthError,
    PontoConnectionError,
    PontoCredentialsError,
    PontoError,
    PontoGrantError,
    PontoNotFoundError,
    PontoRateLimitError,
    PontoRecentlySynchronizedError,
    PontoResponseError,
    PontoServerError,
    PontoTimeoutError,
    PontoTlsError,
)
from .resources import clean_text, one_line

_logger = logging.getLogger(__name__)

USER_AGENT = 'account_online_ponto'
# Both this and `application/vnd.api+json;version=2` are answered. This is what Ponto's own client of the direct API
# sends; `version=2` names the version of Ponto Connect.
MEDIA_TYPE = 'application/json'
MAX_BYTES = 20 * 1024 * 1024
# A wait that a worker can afford. What Ponto asks beyond it is for the caller to plan.
MAX_WAIT = 30
# No further attempt begins so many seconds after the first: Odoo ends a worker that takes 120.
PATIENCE = 40
CHUNK = 64 * 1024
MIN_SECRET = 8
SECRET_FIELDS = ('code', 'code_verifier', 'refresh_token', 'token')

CREDENTIALS_CODES = {
    'invalid_client',
    'unauthorized_client',
    'invalidCredentials',
    'credentialsInvalid',
    'clientIdInvalid',
}

# Innermost faults after which it is certain that nothing was sent.
NOT_SENT = {'ConnectionRefusedError', 'NameResolutionError', 'NewConnectionError', 'gaierror'}

Params = Mapping[str, str]


@dataclass(frozen=True)
class _Answer:
    """An HTTP answer, its body read and decompressed but not parsed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _Authorization(requests.auth.AuthBase):
    """Sets this very header, or none. Without an ``auth``, requests would put in what ~/.netrc says of the host."""

    def __init__(self, value: str | None):
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop('Authorization', None)
        if self._value:
            request.headers['Authorization'] = self._value
        return request


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
    ):
        self._clock = clock
        self._timeout = timeout
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
            if kind := _token_error(error):
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
        end = self._clock() + PATIENCE
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
                return _parse(answer, _secrets(authorization, form or {}), may_be_empty)
            except PontoError as error:
                wait = self._wait(error, attempt, repeatable)
                if wait is None or self._clock() + wait > end:
                    raise
                _logger.info('%s %s: %s; again in %.1f s', method, urlsplit(url).path, type(error).__name__, wait)
                self._sleep(wait)
        raise AssertionError('unreachable: the last attempt returns or raises')

    def _send(self, method: str, url: str, **kwargs: Any) -> _Answer:
        path = urlsplit(url).path
        try:
            response = self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, stream=True, **kwargs
            )
            with response:
                answer = _Answer(response.status_code, response.headers, _read(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            _logger.info('%s %s: %s', method, path, type(error).__name__)
            raise _connection_error(error) from error
        _logger.debug('%s %s: %s (request %s)', method, path, answer.status, _request_id(answer) or '-')
        return answer

    def _wait(self, error: PontoError, attempt: int, repeatable: bool) -> float | None:
        """Return how many seconds to wait before the next attempt, None for no further attempt."""
        if attempt >= self._retries or not ((repeatable and _is_transient(error)) or _was_not_sent(error)):
            return None
        if isinstance(error, PontoRateLimitError) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= MAX_WAIT else None
        return min(MAX_WAIT, 2.0**attempt) * (0.5 + self._jitter() / 2)


def parse_json(text: str) -> Any:
    """Parse JSON so that no number passes through float: all of them become Decimal, also NaN and the infinities.

    :raise ValueError: it is no JSON
    :raise RecursionError: it is nested too deeply
    """
    return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=Decimal)


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise PontoResponseError(response.status_code, 'too_large')
    return bytes(body)


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


def _parse(answer: _Answer, secrets: tuple[str, ...], may_be_empty: bool) -> Mapping[str, Any]:
    if answer.status >= 400:
        raise _api_error(answer, secrets)
    if not 200 <= answer.status < 300:
        raise PontoResponseError(answer.status, 'redirect')
    if may_be_empty and not answer.body.strip():
        return {}
    return _json_object(answer)


def _json_object(answer: _Answer) -> Mapping[str, Any]:
    if not answer.body.strip():
        raise PontoResponseError(answer.status, 'empty')
    content_type = answer.headers.get('Content-Type', MEDIA_TYPE).split(';')[0].strip().lower()
    if content_type == 'text/html':
        raise PontoResponseError(answer.status, 'html')
    if content_type != MEDIA_TYPE and not content_type.endswith('+json'):
        raise PontoResponseError(answer.status, 'wrong_type')
    try:
        value = parse_json(_decode(answer))
    except (UnicodeDecodeError, LookupError) as error:
        raise PontoResponseError(answer.status, 'encoding') from error
    except (ValueError, RecursionError):
        # Not chained: the error of json holds the whole body.
        raise PontoResponseError(answer.status, 'truncated') from None
    if not isinstance(value, dict):
        raise PontoResponseError(answer.status, 'structure')
    return value


def _decode(answer: _Answer) -> str:
    """Decode as JSON has it (UTF-8 or another UTF with its mark); the declared charset only where that fails."""
    try:
        return answer.body.decode(json.detect_encoding(answer.body))
    except UnicodeDecodeError:
        charset = re.search(r'charset="?([\w-]+)', answer.headers.get('Content-Type', ''))
        if not charset:
            raise
        return answer.body.decode(charset[1])


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond what Decimal can hold. As text, the row says that its amount cannot be read.
        return text


def _api_error(answer: _Answer, secrets: tuple[str, ...]) -> PontoApiError:
    code, detail, request_id = (one_line(_redact(text, secrets)) for text in _error_texts(answer))
    status, request_id = answer.status, _request_id(answer) or request_id
    if code == 'accountRecentlySynchronized':
        return PontoRecentlySynchronizedError(status, code, detail, request_id)
    if status == 429:
        return PontoRateLimitError(status, code, detail, request_id, retry_after=_retry_after(answer))
    if status >= 500:
        return PontoServerError(status, code, detail, request_id)
    kind = {401: PontoAuthError, 403: PontoAuthError, 404: PontoNotFoundError}.get(status, PontoApiError)
    return kind(status, code, detail, request_id)


def _error_texts(answer: _Answer) -> tuple[object, object, object]:
    """Return code, detail and request id of a JSON:API or OAuth 2 error body, as far as there are any."""
    try:
        body = _json_object(answer)
    except PontoResponseError:
        return '', '', ''
    errors = body.get('errors')
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        meta = errors[0].get('meta')
        return errors[0].get('code'), errors[0].get('detail'), meta.get('requestId') if isinstance(meta, dict) else ''
    return body.get('error'), body.get('error_description'), ''


def _token_error(error: PontoApiError) -> type[PontoAuthError] | None:
    if error.code == 'invalid_grant':
        return PontoGrantError
    if error.status in (400, 401, 403) and (error.code in CREDENTIALS_CODES or error.status == 401):
        return PontoCredentialsError
    return None


def _request_id(answer: _Answer) -> str:
    return one_line(answer.headers.get('ibanity-request-id') or answer.headers.get('x-request-id') or '', 100)


def _retry_after(answer: _Answer) -> float | None:
    """Read ``Retry-After``: seconds, or a date that is measured against the server's own clock."""
    value = answer.headers.get('Retry-After', '').strip()
    if re.fullmatch(r'\d{1,9}', value, re.ASCII):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(answer.headers['Date']) if 'Date' in answer.headers else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _secrets(authorization: str | None, form: Mapping[str, str]) -> tuple[str, ...]:
    """Return what an answer could echo of the credentials sent."""
    scheme, _space, credentials = (authorization or '').partition(' ')
    secrets = [credentials, *(form[name] for name in SECRET_FIELDS if name in form)]
    if scheme == 'Basic':
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            secrets.append(base64.b64decode(credentials).decode().partition(':')[2])
    return tuple(secrets)


def _redact(value: object, secrets: tuple[str, ...]) -> str:
    text = clean_text(value)
    for secret in secrets:
        # Something shorter was typed in by mistake, and may well be part of a word.
        if len(secret) >= MIN_SECRET:
            text = text.replace(secret, '***')
    return text
