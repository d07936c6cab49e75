"""How a client proves who it is: tokens, where they are kept, and how they are asked for.

The client-credentials grant of the direct API is here; the one of Ponto Connect, whose refresh token rotates, is in
:mod:`.oauth`.
"""

import base64
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol

from .errors import PontoResponseError
from .values import clean_text

MARGIN = 60
# What is assumed when the token endpoint does not say how long a token lives, and what is believed at most.
DEFAULT_LIFETIME = 300
MAX_LIFETIME = 24 * 3600

# What RFC 6750 allows in a bearer token; anything else could not be sent back in a header.
_TOKEN = re.compile(r'[\x21-\x7e]{1,8000}', re.ASCII)
# What RFC 6749 allows in a refresh token.
_REFRESH_TOKEN = re.compile(r'[\x20-\x7e]{1,8000}', re.ASCII)


def utcnow() -> datetime:
    """Return the aware current time."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Token:
    """An access token and, by our own clock, when it ends. Two tokens are equal when their access token is."""

    access_token: str = field(repr=False)
    expires_at: datetime = field(compare=False)
    refresh_token: str | None = field(default=None, repr=False, compare=False)
    scope: str = field(default='', compare=False)

    def is_fresh(self, now: datetime, margin: float = MARGIN) -> bool:
        """Return whether the token can be used for at least ``margin`` more seconds."""
        return now + timedelta(seconds=margin) < self.expires_at

    @classmethod
    def from_api(cls, data: Mapping[str, Any], requested_at: datetime) -> 'Token':
        """Read an answer of the token endpoint (RFC 6749, section 5.1).

        :param requested_at: when the request was *sent*, by our clock, so that the token never seems to outlive itself
        :raise PontoResponseError: there is no usable access token in it
        """
        access_token, refresh_token = data.get('access_token'), data.get('refresh_token')
        if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
            raise PontoResponseError(200, 'structure')
        lifetime = data.get('expires_in')
        if not isinstance(lifetime, Decimal) or not lifetime.is_finite():
            lifetime = Decimal(DEFAULT_LIFETIME)
        seconds = float(min(max(lifetime, Decimal(0)), Decimal(MAX_LIFETIME)))
        return cls(
            access_token=access_token,
            expires_at=requested_at + timedelta(seconds=seconds),
            refresh_token=refresh_token if _is_refresh_token(refresh_token) else None,
            scope=clean_text(data.get('scope')),
        )


def _is_refresh_token(value: object) -> bool:
    return isinstance(value, str) and bool(_REFRESH_TOKEN.fullmatch(value))


class PostForm(Protocol):
    """How an :class:`Auth` reaches the token endpoint; the client lends it."""

    def __call__(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        authorization: str,
        idempotent: bool = True,
        may_be_empty: bool = False,
    ) -> Mapping[str, Any]:
        """POST a form and return the JSON object of the answer.

        :param idempotent: whether it may be sent again when the answer was lost
        :param may_be_empty: whether success may say nothing; it is an empty object then
        :raise PontoError: a refusal, a fault or an answer that is no JSON object
        """


class Auth(Protocol):
    """What a client needs in order to sign its calls."""

    def access_token(self, transport: PostForm) -> str:
        """Return an access token that is believed to be good, asking for one if there is none."""

    def renew(self, stale: str, transport: PostForm) -> str:
        """Return another access token than ``stale``, which Ponto has just refused."""


class TokenStore(Protocol):
    """Where a token is kept, shared by everybody who acts for the same grant."""

    def load(self) -> Token | None:
        """Return the stored token, fresh or not."""

    def renew(self, stale: Token | None, request: Callable[[Token | None], Token]) -> Token:
        """Replace ``stale``, once however many ask at the same time.

        Under an exclusive lock: if the stored token is another one than ``stale`` and still fresh, return it. Else
        return ``request(stored)`` after having stored it durably. What ``request`` raises passes through.
        """


class MemoryTokenStore:
    """A :class:`TokenStore` for one process."""

    def __init__(self, token: Token | None = None, *, margin: float = MARGIN, clock: Callable[[], datetime] = utcnow):
        self._token = token
        self._margin = margin
        self._clock = clock
        self._lock = threading.Lock()

    def load(self) -> Token | None:
        return self._token

    def renew(self, stale: Token | None, request: Callable[[Token | None], Token]) -> Token:
        with self._lock:
            stored = self._token
            if stored is None or stored == stale or not stored.is_fresh(self._clock(), self._margin):
                stored = self._token = request(stored)
            return stored


class StoredTokenAuth:
    """An :class:`Auth` that keeps its token in a store. Each grant is a subclass, which knows how to ask for one.

    :param token_url: the token endpoint
    :param margin: seconds before its end from which a token counts as stale
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        token_url: str,
        store: TokenStore,
        margin: float = MARGIN,
        clock: Callable[[], datetime] = utcnow,
    ):
        self.client_id = client_id
        self.token_url = token_url
        self._client_secret = client_secret
        self._store = store
        self._margin = margin
        self._clock = clock

    def __repr__(self) -> str:
        return f'{type(self).__name__}(token_url={self.token_url!r})'

    def access_token(self, transport: PostForm) -> str:
        token = self._store.load()
        if token is None or not token.is_fresh(self._clock(), self._margin):
            token = self._store.renew(token, lambda stored: self._request(stored, transport))
        return token.access_token

    def renew(self, stale: str, transport: PostForm) -> str:
        refused = Token(access_token=stale, expires_at=self._clock())
        return self._store.renew(refused, lambda stored: self._request(stored, transport)).access_token

    def _request(self, stored: Token | None, transport: PostForm) -> Token:
        """Ask for another token than ``stored``. Runs under the lock of the store."""
        raise NotImplementedError

    def _ask(self, form: Mapping[str, str], transport: PostForm, *, idempotent: bool) -> Token:
        requested_at = self._clock()
        answer = transport(self.token_url, form, authorization=self._authorization(), idempotent=idempotent)
        return Token.from_api(answer, requested_at)

    def _authorization(self) -> str:
        credentials = base64.b64encode(f'{self.client_id}:{self._client_secret}'.encode()).decode()
        return f'Basic {credentials}'


class ClientCredentialsAuth(StoredTokenAuth):
    """The client-credentials grant: client id and secret against a token of half an hour, as often as needed."""

    def _request(self, stored: Token | None, transport: PostForm) -> Token:
        return self._ask({'grant_type': 'client_credentials'}, transport, idempotent=True)
