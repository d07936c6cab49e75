"""The client of Ponto's API: one method per endpoint. See :class:`PontoClient`."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import requests

from .auth import Auth
from .errors import PontoAuthError, PontoResponseError
from .resources import Account, Institution, Page, Synchronization, Transaction
from .transport import Params, Transport
from .urls import checked_url, join_path, link_path
from .values import parse_datetime

PAGE_LIMIT = 100
# No list but that of the transactions is longer, and of that one the reader takes as many pages as it wants.
MAX_PAGES = 1000

# Subtypes of a synchronization: each refreshes one aspect of one account.
ACCOUNT_DETAILS = 'accountDetails'
ACCOUNT_TRANSACTIONS = 'accountTransactions'
ACCOUNT_TRANSACTIONS_WITH_UNSETTLED = 'accountTransactionsWithUnsettled'

R_co = TypeVar('R_co', covariant=True)
R = TypeVar('R')


class Resource(Protocol[R_co]):
    """A class of :mod:`.resources`."""

    @classmethod
    def from_api(cls, data: object) -> R_co:
        """Build it from a JSON:API resource object; ValueError when it is none."""


class PontoClient:
    """Calls Ponto: the direct API, and the endpoints that Ponto Connect shares with it.

    Every method raises :class:`.errors.PontoError` and nothing else, apart from ValueError for an argument that cannot
    be. Lists are generators that ask for a page when its first element is wanted. A client has no state of its own but
    its connections; several threads may use it.

    :param base_url: ``https://host[:port][/path]``; http only towards this machine
    :param auth: None reaches the public endpoints only (the catalogue of institutions)
    :param timeout: seconds for connecting and for each read
    :param session: for connections of another kind, as with a client certificate
    :param sleep: called with seconds between two attempts
    :param retries: how often an idempotent call is repeated after 429, 5xx and connection faults
    :param end: moment of ``time.monotonic`` after which no call begins or waits any longer
    """

    def __init__(
        self,
        *,
        base_url: str,
        auth: Auth | None = None,
        timeout: tuple[float, float] = (10, 30),
        session: requests.Session | None = None,
        sleep: Callable[[float], object] = time.sleep,
        retries: int = 4,
        jitter: Callable[[], float] = random.random,
        end: float | None = None,
    ):
        self.base_url = checked_url(base_url)
        self._auth = auth
        self._transport = Transport(
            timeout=timeout, session=session, sleep=sleep, retries=retries, jitter=jitter, end=end
        )

    # Institutions

    def iter_institutions(self) -> Iterator[Institution]:
        """Yield the institutions: without auth Ponto's catalogue, with auth those of the accounts that it covers."""
        return self._iter_items(Institution, 'financial-institutions')

    def get_institution(self, *, institution_id: str) -> Institution:
        """Return one institution."""
        return self._get(Institution, 'financial-institutions', institution_id)

    # Accounts and their transactions

    def iter_accounts(self) -> Iterator[Account]:
        """Yield the accounts that the integration may read."""
        return self._iter_items(Account, 'accounts')

    def get_account(self, *, account_id: str) -> Account:
        """Return one account."""
        return self._get(Account, 'accounts', account_id)

    def iter_transaction_pages(
        self, *, account_id: str, after: str | None = None, limit: int = PAGE_LIMIT
    ) -> Iterator[Page[Transaction]]:
        """Yield the booked transactions by page, newest first by Ponto's own order, which is not that of any date.

        :param after: id of a transaction; only those that come later in the list, the older ones, are read
        :param limit: 1 to 100 per page; Ponto may give fewer, or none, before the end
        """
        cursor = {'page[after]': after} if after else {}
        return self._iter_pages(Transaction, join_path('accounts', account_id, 'transactions'), cursor, limit)

    def iter_pending_transactions(self, *, account_id: str) -> Iterator[Transaction]:
        """Yield the transactions that are not booked yet. They are information, never bookkeeping."""
        return self._iter_items(Transaction, join_path('accounts', account_id, 'pending-transactions'))

    # Synchronizations

    def create_synchronization(self, *, account_id: str, subtype: str, customer_ip: str) -> Synchronization:
        """Ask Ponto to fetch from the bank, for a person who is there. Never repeated once it was sent.

        :param subtype: ``accountDetails``, ``accountTransactions`` or ``accountTransactionsWithUnsettled``
        :param customer_ip: public IP address of that person
        :raise PontoRecentlySynchronizedError: no need to: the data is fresh
        """
        attributes = {
            'resourceType': 'account',
            'resourceId': account_id,
            'subtype': subtype,
            'customerIpAddress': customer_ip,
        }
        payload = {'data': {'type': 'synchronization', 'attributes': attributes}}
        return self._resource(Synchronization, self._request('POST', 'synchronizations', payload=payload))

    def get_synchronization(self, *, synchronization_id: str) -> Synchronization:
        """Return one synchronization, to see how far it is."""
        return self._get(Synchronization, 'synchronizations', synchronization_id)

    # How all of them work

    def _get(self, resource: type[Resource[R]], *segments: str) -> R:
        """Return the resource that the path names; an answer about another one is none of Ponto's."""
        answer = self._resource(resource, self._request('GET', join_path(*segments)))
        if getattr(answer, 'id', None) != segments[-1]:
            raise PontoResponseError(200, 'structure')
        return answer

    def _iter_items(self, resource: type[Resource[R]], path: str) -> Iterator[R]:
        for number, page in enumerate(self._iter_pages(resource, path, {}, PAGE_LIMIT), 1):
            yield from page.items
            if page.next_url and number >= MAX_PAGES:
                raise PontoResponseError(200, 'endless_list')

    def _iter_pages(self, resource: type[Resource[R]], path: str, params: Params, limit: int) -> Iterator[Page[R]]:
        """Follow ``links.next`` from page to page until there is none."""
        page = self._page(resource, self._request('GET', path, params={**params, 'page[limit]': str(limit)}))
        seen: set[str] = set()
        yield page
        while page.next_url:
            if page.next_url in seen:
                raise PontoResponseError(200, 'repeated_link')
            seen.add(page.next_url)
            page = self._page(resource, self._request('GET', link_path(page.next_url, self.base_url)))
            yield page

    def _page(self, resource: type[Resource[R]], body: Mapping[str, Any]) -> Page[R]:
        data, links, meta = body.get('data'), body.get('links') or {}, body.get('meta')
        if not isinstance(data, list) or not isinstance(links, dict) or not isinstance(links.get('next') or '', str):
            raise PontoResponseError(200, 'structure')
        meta = meta if isinstance(meta, dict) else {}
        return Page(
            items=tuple(self._resource(resource, {'data': item}) for item in data),
            next_url=links.get('next') or None,
            synchronized_at=_datetime_or_none(meta.get('synchronizedAt')),
            latest_synchronization=Synchronization.from_meta(meta),
        )

    @staticmethod
    def _resource(resource: type[Resource[R]], body: Mapping[str, Any]) -> R:
        try:
            return resource.from_api(body.get('data'))
        except ValueError as error:
            raise PontoResponseError(200, 'structure') from error

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        payload: Mapping[str, Any] | None = None,
        auth: Auth | None = None,
    ) -> Mapping[str, Any]:
        """Send one call, with a token if there is an auth, and with another one if that is refused, once.

        :param auth: the client's own by default
        """
        auth = auth or self._auth
        if auth is None:
            return self._send(None, method, path, params, payload)
        token = auth.access_token(self._transport.post_form)
        try:
            return self._send(token, method, path, params, payload)
        except PontoAuthError as error:
            if error.status != 401:
                raise
        token = auth.renew(token, self._transport.post_form)
        return self._send(token, method, path, params, payload)

    def _send(
        self, token: str | None, method: str, path: str, params: Params | None, payload: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        return self._transport.request(
            method,
            f'{self.base_url}/{path}',
            params=params,
            payload=payload,
            headers=self._headers(method),
            authorization=f'Bearer {token}' if token else None,
            may_be_empty=method == 'DELETE',
        )

    def _headers(self, method: str) -> Mapping[str, str]:
        """Return further headers of a call."""
        return {}


def _datetime_or_none(value: object) -> Any:
    try:
        return parse_datetime(value)
    except ValueError:
        return None
