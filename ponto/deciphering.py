"""What an HTTP answer says: bytes in, JSON or a typed error out. Pure: it sends nothing and waits for nothing.

An error never quotes a secret that was sent, nor the body of an answer. It holds Ponto's code, detail and request id.
"""

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import (
    PontoApiError,
    PontoAuthError,
    PontoCredentialsError,
    PontoGrantError,
    PontoNotFoundError,
    PontoRateLimitError,
    PontoRecentlySynchronizedError,
    PontoResponseError,
    PontoServerError,
)
from .values import clean_text, one_line

# Both this and `application/vnd.api+json;version=2` are answered. This is what Ponto's own client of the direct API
# sends; `version=2` names the version of Ponto Connect.
MEDIA_TYPE = 'application/json'
MIN_SECRET = 8
SECRET_FIELDS = ('code', 'code_verifier', 'refresh_token', 'token')
CREDENTIALS_CODES = {
    'invalid_client',
    'unauthorized_client',
    'invalidCredentials',
    'credentialsInvalid',
    'clientIdInvalid',
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, its body read and decompressed but not parsed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def parse_json(text: str) -> Any:
    """Parse JSON so that no number passes through float: all of them become Decimal, also NaN and the infinities.

    :raise ValueError: it is no JSON
    :raise RecursionError: it is nested too deeply
    """
    return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=Decimal)


def decipher(answer: Answer, secrets: tuple[str, ...] = (), *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """Return the JSON object of a successful answer, its numbers as Decimal.

    :param secrets: what was sent and must not stand in an error, even if the answer repeats it
    :param may_be_empty: whether success may say nothing; it is an empty object then
    :raise PontoApiError: the status is 400 or above
    :raise PontoResponseError: anything else that is not a JSON object in a successful answer
    """
    if answer.status >= 400:
        raise _api_error(answer, secrets)
    if not 200 <= answer.status < 300:
        raise PontoResponseError(answer.status, 'redirect')
    if may_be_empty and not answer.body.strip():
        return {}
    return _json_object(answer)


def _json_object(answer: Answer) -> Mapping[str, Any]:
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


def _decode(answer: Answer) -> str:
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


def _api_error(answer: Answer, secrets: tuple[str, ...]) -> PontoApiError:
    code, detail, identifier = (one_line(_redact(text, secrets)) for text in _error_texts(answer))
    identifier = request_id(answer) or identifier
    status = answer.status
    if code == 'accountRecentlySynchronized':
        return PontoRecentlySynchronizedError(status, code, detail, identifier)
    if status == 429:
        return PontoRateLimitError(status, code, detail, identifier, retry_after=_retry_after(answer))
    if status >= 500:
        return PontoServerError(status, code, detail, identifier)
    kind = {401: PontoAuthError, 403: PontoAuthError, 404: PontoNotFoundError}.get(status, PontoApiError)
    return kind(status, code, detail, identifier)


def _error_texts(answer: Answer) -> tuple[object, object, object]:
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


def token_error(error: PontoApiError) -> type[PontoAuthError] | None:
    """Return what an error means that a token endpoint gave; None if it means what it does elsewhere."""
    if error.code == 'invalid_grant':
        return PontoGrantError
    if error.status in (400, 401, 403) and (error.code in CREDENTIALS_CODES or error.status == 401):
        return PontoCredentialsError
    return None


def request_id(answer: Answer) -> str:
    """Return what Ponto's support asks for: the id that an answer gave to the request."""
    return one_line(answer.headers.get('ibanity-request-id') or answer.headers.get('x-request-id') or '', 100)


def _retry_after(answer: Answer) -> float | None:
    """Read ``Retry-After``: seconds, or a date that is measured against the server's own clock."""
    value = answer.headers.get('Retry-After', '').strip()
    if re.fullmatch(r'\d{1,9}', value, re.ASCII):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(answer.headers['Date']) if 'Date' in answer.headers else datetime.now(timezone.utc)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def secrets_of(authorization: str | None, form: Mapping[str, str]) -> tuple[str, ...]:
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
