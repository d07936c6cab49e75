"""The API client of Ponto (https://myponto.com): plain Python without Odoo, typed, and without texts for people."""

from .auth import ClientCredentialsAuth, MemoryTokenStore, Token, TokenStore, utcnow
from .certificates import new_connect_session
from .client import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS, ACCOUNT_TRANSACTIONS_WITH_UNSETTLED, PontoClient
from .connect import CONNECT_URL, PontoConnectClient
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
    PontoWebhookError,
)
from .oauth import (
    AUTHORIZATION_URL,
    SANDBOX_AUTHORIZATION_URL,
    AuthorizationCodeAuth,
    authorization_url,
    pkce_challenge,
    pkce_pair,
)
from .resources import Account, Institution, Page, SyncError, Synchronization, Transaction, Userinfo
from .signature import HttpSignature
from .values import parse_datetime

__all__ = [
    'ACCOUNT_DETAILS',
    'ACCOUNT_TRANSACTIONS',
    'ACCOUNT_TRANSACTIONS_WITH_UNSETTLED',
    'AUTHORIZATION_URL',
    'CONNECT_URL',
    'SANDBOX_AUTHORIZATION_URL',
    'Account',
    'AuthorizationCodeAuth',
    'ClientCredentialsAuth',
    'HttpSignature',
    'Institution',
    'MemoryTokenStore',
    'Page',
    'PontoApiError',
    'PontoAuthError',
    'PontoClient',
    'PontoConnectClient',
    'PontoConnectionError',
    'PontoCredentialsError',
    'PontoError',
    'PontoGrantError',
    'PontoNotFoundError',
    'PontoRateLimitError',
    'PontoRecentlySynchronizedError',
    'PontoResponseError',
    'PontoServerError',
    'PontoTimeoutError',
    'PontoTlsError',
    'PontoWebhookError',
    'SyncError',
    'Synchronization',
    'Token',
    'TokenStore',
    'Transaction',
    'Userinfo',
    'authorization_url',
    'new_connect_session',
    'parse_datetime',
    'pkce_challenge',
    'pkce_pair',
    'utcnow',
]
