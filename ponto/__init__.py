"""The API client of Ponto (https://myponto.com): plain Python without Odoo, typed, and without texts for people."""

from .auth import ClientCredentialsAuth, MemoryTokenStore, Token, TokenStore, utcnow
from .client import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS, ACCOUNT_TRANSACTIONS_WITH_UNSETTLED, PontoClient
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
from .resources import Account, Institution, Page, SyncError, Synchronization, Transaction, parse_datetime

__all__ = [
    'ACCOUNT_DETAILS',
    'ACCOUNT_TRANSACTIONS',
    'ACCOUNT_TRANSACTIONS_WITH_UNSETTLED',
    'Account',
    'ClientCredentialsAuth',
    'Institution',
    'MemoryTokenStore',
    'Page',
    'PontoApiError',
    'PontoAuthError',
    'PontoClient',
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
    'SyncError',
    'Synchronization',
    'Token',
    'TokenStore',
    'Transaction',
    'parse_datetime',
    'utcnow',
]
