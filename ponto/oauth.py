"""The consent of Ponto Connect: OAuth 2 with an authorization code, PKCE and a refresh token that rotates.

Reference: section 4.2 of the API, RFC 6749, RFC 7009 (revocation), RFC 7636 (PKCE).
"""

import base64
import hashlib
import secrets
from dataclasses import replace
from functools import cached_property
from urllib.parse import quote, urlencode

from .auth import ClientCredentialsAuth, MemoryTokenStore, PostForm, StoredTokenAuth, Token
from .errors import PontoGrantError, PontoResponseError
from .urls import checked_url

AUTHORIZATION_URL = 'https://authorization.myponto.com/oauth2/auth'
SANDBOX_AUTHORIZATION_URL = 'https://sandbox-authorization.myponto.com/oauth2/auth'
# Accounts with their transactions, a refresh token, and the organization's name.
SCOPE = 'ai offline_access name'
MIN_STATE = 8


def pkce_pair() -> tuple[str, str]:
    """Return a new code verifier, to be kept secret until the code is exchanged, and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, pkce_challenge(verifier)


def pkce_challenge(verifier: str) -> str:
    """Return the S256 challenge of a code verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b'=').decode()


def authorization_url(
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    code_challenge: str,
    endpoint: str = AUTHORIZATION_URL,
    scope: str = SCOPE,
    language: str = '',
) -> str:
    """Return where the browser goes for the consent.

    :param redirect_uri: exactly as registered for the application at Ibanity
    :param state: comes back with the answer; unguessable, and good for this person once
    :param language: of Ponto's pages, as ``nl``; Ponto's choice by default
    :raise ValueError: the endpoint is not https, or the state too short to be unguessable
    """
    if len(state) < MIN_STATE:
        raise ValueError('the state is too short')
    parameters = {
        'client_id': client_id,
        'redirect_uri': redirect_uri,
        'response_type': 'code',
        'scope': scope,
        'state': state,
        'code_challenge': code_challenge,
        'code_challenge_method': 'S256',
        'language': language,
    }
    query = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote)
    return f'{checked_url(endpoint)}?{query}'


class AuthorizationCodeAuth(StoredTokenAuth):
    """The grant of Ponto Connect: what a consent gave, kept alive by a refresh token that each use replaces.

    An old refresh token is dead, and trying it again may end the whole grant. So a renewal is sent once only: after a
    lost answer the next one starts from what the store holds then, and reaches Ponto or ends in
    :class:`.errors.PontoGrantError`, after which only a new consent helps.
    """

    @cached_property
    def application(self) -> ClientCredentialsAuth:
        """Signs the application's own calls, which need no consent."""
        return ClientCredentialsAuth(
            client_id=self.client_id,
            client_secret=self._client_secret,
            token_url=self.token_url,
            margin=self._margin,
            clock=self._clock,
            store=MemoryTokenStore(margin=self._margin, clock=self._clock),
        )

    def exchange_code(self, transport: PostForm, *, code: str, code_verifier: str, redirect_uri: str) -> Token:
        """Return the tokens for the code that a consent gave. A code works once, and the store is left alone."""
        token = self._ask(
            {
                'grant_type': 'authorization_code',
                'code': code,
                'redirect_uri': redirect_uri,
                'client_id': self.client_id,
                'code_verifier': code_verifier,
            },
            transport,
            idempotent=False,
        )
        if not token.refresh_token:
            raise PontoResponseError(200, 'structure')
        return token

    def revoke(self, transport: PostForm, revoke_url: str) -> None:
        """End the grant at Ponto. The store keeps its dead token. Nothing happens where there is none."""
        token = self._store.load()
        if token and token.refresh_token:
            transport(
                revoke_url, {'token': token.refresh_token}, authorization=self._authorization(), may_be_empty=True
            )

    def _request(self, stored: Token | None, transport: PostForm) -> Token:
        if stored is None or not stored.refresh_token:
            raise PontoGrantError(400, 'invalid_grant', 'there is no refresh token')
        token = self._ask(
            {'grant_type': 'refresh_token', 'refresh_token': stored.refresh_token, 'client_id': self.client_id},
            transport,
            idempotent=False,
        )
        # RFC 6749 lets a server keep the refresh token; it says nothing then.
        return token if token.refresh_token else replace(token, refresh_token=stored.refresh_token)
