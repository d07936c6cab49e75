"""What can go wrong between us and Ponto, as types.

No message holds a secret, a token, an authorization header, the query of a URL or the body of an answer. Texts that
Ponto wrote (``code``, ``detail``, ``request_id``) are kept, on one line and bounded. Nothing is translated here:
whoever faces a person turns the type and its attributes into a sentence.
"""


class PontoError(Exception):
    """Base of everything that ``ponto`` raises on purpose."""


class PontoConnectionError(PontoError):
    """No answer: the name is unknown, the connection was refused or it broke half-way."""


class PontoTimeoutError(PontoConnectionError):
    """No connection, or no byte of an answer, within the time allowed."""


class PontoTlsError(PontoConnectionError):
    """The secure connection could not be made: certificate or handshake."""


class PontoResponseError(PontoError):
    """An answer came that is not in Ponto's format, typically from something between us and Ponto.

    ``reason`` is one of ``html``, ``empty``, ``wrong_type`` (of content), ``truncated`` (or otherwise invalid JSON),
    ``structure`` (valid JSON, but not the members we need), ``too_large``, ``encoding``, ``redirect``, ``foreign_link``
    (a next page outside the configured API), ``repeated_link`` (a next page that was read already) and
    ``endless_list``.
    """

    def __init__(self, status: int, reason: str):
        super().__init__(f'not an answer in the format of Ponto (HTTP {status}): {reason}')
        self.status = status
        self.reason = reason


class PontoApiError(PontoError):
    """Ponto, or something in front of it, refused the call with an HTTP error.

    ``code`` is the JSON:API or OAuth 2 error code; it is empty when the body had none, as when a proxy answered.
    ``request_id`` is what Ponto's support asks for.
    """

    def __init__(self, status: int, code: str = '', detail: str = '', request_id: str = ''):
        message = ' '.join(filter(None, [f'HTTP {status}', code])) + (f': {detail}' if detail else '')
        super().__init__(f'{message} (request {request_id})' if request_id else message)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id


class PontoAuthError(PontoApiError):
    """401 or 403: the access token is refused, also after one renewal, or does not cover the call."""


class PontoCredentialsError(PontoAuthError):
    """The token endpoint refuses the client id or the client secret."""


class PontoGrantError(PontoAuthError):
    """``invalid_grant``: the authorization code or refresh token was used before, has expired or was revoked.

    Also when there is no refresh token to begin with: only a new consent helps.
    """


class PontoNotFoundError(PontoApiError):
    """404. Only with the code ``resourceNotFound`` did Ponto itself say so; without it, a proxy may have."""


class PontoRateLimitError(PontoApiError):
    """429, and waiting here would take too long. ``retry_after`` is in seconds, None when Ponto did not say."""

    def __init__(
        self, status: int, code: str = '', detail: str = '', request_id: str = '', retry_after: float | None = None
    ):
        super().__init__(status, code, detail, request_id)
        self.retry_after = retry_after


class PontoRecentlySynchronizedError(PontoApiError):
    """``accountRecentlySynchronized``: Ponto's data is fresh, so just read it."""


class PontoServerError(PontoApiError):
    """5xx, also after the retries."""


class PontoWebhookError(PontoError):
    """A message that claims to be Ponto's and is not, not for us, or not for now: it must be ignored.

    ``reason`` is one of ``header`` (no signature, or not in the form of one), ``algorithm``, ``key`` (unknown or not in
    use), ``signature``, ``claims`` (missing or of a wrong type), ``issuer``, ``audience``, ``expired``, ``future``,
    ``digest`` (signed for another body) and ``body`` (genuine, but no event).
    """

    def __init__(self, reason: str):
        super().__init__(f'not a valid message of Ponto: {reason}')
        self.reason = reason
