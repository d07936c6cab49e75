"""The client of Ponto Connect: what the direct API has, the consent, and the organization behind it."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from .auth import Token
from .client import PontoClient
from .errors import PontoResponseError
from .oauth import AuthorizationCodeAuth
from .resources import Userinfo
from .urls import is_page_of_ponto, join_path

CONNECT_URL = 'https://api.ibanity.com/ponto-connect'


class PontoConnectClient(PontoClient):
    """Calls Ponto Connect, on behalf of the organization that gave its consent.

    The token endpoint is that of ``auth``; the other addresses follow from ``base_url``. Ponto wants a session made by
    :func:`.certificates.new_connect_session`. See :class:`PontoClient` for the other parameters.
    """

    def __init__(self, *, auth: AuthorizationCodeAuth, base_url: str = CONNECT_URL, **kwargs: Any):
        super().__init__(base_url=base_url, auth=auth, **kwargs)
        self._oauth = auth

    # Consent

    def exchange_code(self, *, code: str, code_verifier: str, redirect_uri: str) -> Token:
        """Return the tokens for the code of a consent. It works once, and the client's store is left alone.

        :param code_verifier: the one whose challenge went into the authorization URL
        :param redirect_uri: the one that was in the authorization URL
        :raise PontoGrantError: the code was used before, has expired, or is not for this verifier and address
        """
        return self._oauth.exchange_code(
            self._transport.post_form, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
        )

    def revoke(self) -> None:
        """End the consent by its refresh token. This removes the whole integration from the organization's Ponto."""
        self._oauth.revoke(self._transport.post_form, f'{self.base_url}/oauth2/revoke')

    def delete_integration(self, *, organization_id: str) -> None:
        """End the consent of an organization, also when its tokens are lost.

        :raise PontoNotFoundError: it has ended already
        """
        path = join_path('organizations', organization_id, 'integration')
        self._request('DELETE', path, auth=self._oauth.application)

    def get_userinfo(self) -> Userinfo:
        """Return who gave the consent."""
        try:
            return Userinfo.from_api(self._request('GET', 'userinfo'))
        except ValueError as error:
            raise PontoResponseError(200, 'structure') from error

    # Accounts

    def create_reauthorization_request(self, *, account_id: str, redirect_uri: str) -> str:
        """Return the address to which a person goes, now, to renew the bank's permission for an account.

        Nothing but https on a host of Ponto's is returned (or, from an API on this machine, a page on this machine).

        :param redirect_uri: where the browser comes back to, whatever the outcome; the account tells that
        """
        attributes = {'redirectUri': redirect_uri}
        payload = {'data': {'type': 'reauthorizationRequest', 'attributes': attributes}}
        path = join_path('accounts', account_id, 'reauthorization-requests')
        return self._page_of_ponto(self._request('POST', path, payload=payload))

    # Webhooks

    def get_webhook_keys(self) -> tuple[Mapping[str, Any], ...]:
        """Return the keys with which Ponto signs its messages, as JWKs. They are read without a token."""
        keys = self._transport.request('GET', urljoin(self.base_url, 'webhooks/keys')).get('keys')
        if not isinstance(keys, list):
            raise PontoResponseError(200, 'structure')
        return tuple(key for key in keys if isinstance(key, dict))

    # How they work

    def _headers(self, method: str) -> Mapping[str, str]:
        return {'Ibanity-Idempotency-Key': str(uuid.uuid4())} if method == 'POST' else {}

    def _page_of_ponto(self, body: Mapping[str, Any]) -> str:
        data = body.get('data')
        links = data.get('links') if isinstance(data, dict) else None
        url = links.get('redirect') if isinstance(links, dict) else None
        if not isinstance(url, str):
            raise PontoResponseError(201, 'structure')
        if not is_page_of_ponto(url, self.base_url):
            raise PontoResponseError(201, 'foreign_link')
        return url
