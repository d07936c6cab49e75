"""Ponto Connect: the application of an integrator who is Ibanity's partner, and the consents that companies give it."""

import base64
import logging
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools.misc import hash_sign, verify_hash_signed
from odoo.tools.urls import urljoin

from ..ponto import (
    AUTHORIZATION_URL,
    CONNECT_URL,
    SANDBOX_AUTHORIZATION_URL,
    AuthorizationCodeAuth,
    HttpSignature,
    MemoryTokenStore,
    PontoConnectClient,
    authorization_url,
    new_connect_session,
    pkce_pair,
)
from ..ponto.errors import PontoConnectionError, PontoError, PontoNotFoundError
from .encryption import decrypt
from .error_sentences import error_sentence
from .moments import over_domain
from .odoo_names import get_parameter
from .ponto_token import CopiedTokenError
from .turns import EndTurns, for_all_companies, in_turns

_logger = logging.getLogger(__name__)

CONSENT_RETURN = '/ponto/consent/return'
REAUTHORIZATION_RETURN = '/ponto/reauthorization/return'
# The OAuth states that a person has not returned with yet are kept in the session under this key; the newest few.
SESSION_KEY = 'ponto_oauth_states'
MAX_OAUTH_STATES = 5
OAUTH_STATE_HOURS = 2
# Less than a day, so that the daily job finds every consent again.
KEEP_EVERY = timedelta(hours=12)


class PontoIntegration(models.Model):
    _inherit = 'ponto.integration'

    connection = fields.Selection(selection_add=[('connect', "Ponto Connect")], ondelete={'connect': 'cascade'})

    kept_at = fields.Datetime(readonly=True, copy=False, help="When the tokens were last renewed only to keep them.")
    consented_at = fields.Datetime(readonly=True, copy=False, help="When a person has last given the permission.")

    _organization_uniq = models.UniqueIndex(
        "(company_id, organization_id) WHERE connection = 'connect' AND organization_id IS NOT NULL",
        "This Ponto organization is already connected with this company.",
    )

    # -------------------------------------------------------------------------
    # The application
    # -------------------------------------------------------------------------

    @api.model
    def _connect_parameter(self, name):
        return get_parameter(self.env, f'account_online_ponto.{name}')

    @api.model
    def _connect_secret(self):
        return decrypt(self.env, self._connect_parameter('connect_client_secret'))

    @api.model
    def _has_connect_application(self):
        """Return whether the settings hold what Ponto Connect needs."""
        return all(
            self._connect_parameter(f'connect_{name}') for name in ('client_id', 'client_secret', 'certificate_id')
        )

    @api.model
    def _connect_url(self):
        return (self._connect_parameter('connect_api_url') or CONNECT_URL).rstrip('/')

    @api.model
    def _authorization_url(self):
        default = SANDBOX_AUTHORIZATION_URL if self._connect_parameter('connect_sandbox') else AUTHORIZATION_URL
        return self._connect_parameter('authorization_url') or default

    @api.model
    def _connect_session(self):
        """Return a session that presents the application's certificate, and signs if it has one to sign with.

        :raises UserError: when a certificate of the settings cannot be used
        """
        try:
            certificate, key, password = self._pem('connect_certificate_id')
            sign = None
            if self._connect_parameter('connect_signature_certificate_id'):
                _certificate, signing_key, signing_password = self._pem('connect_signature_certificate_id')
                sign = HttpSignature(
                    certificate_id=self._connect_parameter('connect_signature_key_id'),
                    private_key=signing_key,
                    password=signing_password,
                )
            return new_connect_session(certificate=certificate, private_key=key, password=password, sign=sign)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "The certificate of Ponto Connect in the settings cannot be used. Ask your administrator to check"
                    " it and its private key."
                )
            ) from error

    @api.model
    def _pem(self, parameter):
        """Return `(certificate, private key, password or None)` of the certificate that a parameter names, as PEM.

        :raises ValueError: when there is no such certificate or it has no private key
        """
        certificates = self.env['certificate.certificate'].sudo().with_context(bin_size=False)
        certificate = certificates.browse(int(self._connect_parameter(parameter) or 0)).exists()
        key = certificate.private_key_id
        if not (certificate.pem_certificate and key.pem_key):
            raise ValueError('certificate or private key is missing')
        return (
            base64.b64decode(certificate.pem_certificate),
            base64.b64decode(key.pem_key),
            key.password.encode() if key.password else None,
        )

    def _credentials(self):
        if self.connection != 'connect':
            return super()._credentials()
        return ['connect', self._connect_parameter('connect_client_id'), self._connect_secret()]

    def _client(self):
        if self.connection != 'connect':
            return super()._client()
        return self._connect_client(self._token_store())

    @api.model
    def _webhook_client(self):
        """Return a client that reads Ibanity's keys while Ponto waits for an answer: with short timeouts, once."""
        return self._connect_client(MemoryTokenStore(), timeout=(5, 5), retries=0)

    @api.model
    def _connect_client(self, store, **kwargs):
        """Return a `PontoConnectClient` of the application whose tokens are in `store`."""
        base_url = self._connect_url()
        auth = AuthorizationCodeAuth(
            client_id=self._connect_parameter('connect_client_id'),
            client_secret=self._connect_secret(),
            token_url=f'{base_url}/oauth2/token',
            store=store,
        )
        return PontoConnectClient(
            base_url=base_url,
            auth=auth,
            session=self._connect_session(),
            sleep=self._sleep,
            end=self.env.context.get('ponto_end'),
            **kwargs,
        )

    # -------------------------------------------------------------------------
    # OAuth state: what ties the return from Ponto's pages to the person and session that went there
    # -------------------------------------------------------------------------

    @api.model
    def _start_oauth_state(self, **data):
        """Remember `data` in this person's session and return the signed state that gives it back, once."""
        nonce = secrets.token_urlsafe(16)
        states = list(request.session.get(SESSION_KEY, []))[-(MAX_OAUTH_STATES - 1) :]
        request.session[SESSION_KEY] = [*states, {**data, 'nonce': nonce, 'user_id': self.env.uid}]
        return hash_sign(self.sudo().env, SESSION_KEY, nonce, expiration_hours=OAUTH_STATE_HOURS)

    @api.model
    def _finish_oauth_state(self, state):
        """Return the data that `_start_oauth_state` has kept for `state`, and forget it.

        :return: None if the state is forged, expired, used before, or of another session or person
        """
        try:
            nonce = verify_hash_signed(self.sudo().env, SESSION_KEY, state)
        except ValueError:
            return None
        states = request.session.get(SESSION_KEY, [])
        found = next((started for started in states if nonce and started['nonce'] == nonce), None)
        request.session[SESSION_KEY] = [started for started in states if started is not found]
        return found if found and found['user_id'] == self.env.uid else None

    # -------------------------------------------------------------------------
    # Consent
    # -------------------------------------------------------------------------

    @api.model
    def _consent_url(self, company, institution):
        """Return the address at Ponto where the person in this request gives consent for `company`."""
        verifier, challenge = pkce_pair()
        state = self._start_oauth_state(verifier=verifier, company_id=company.id, institution_id=institution.id)
        return authorization_url(
            endpoint=self._authorization_url(),
            client_id=self._connect_parameter('connect_client_id'),
            redirect_uri=self._return_url(CONSENT_RETURN),
            state=state,
            code_challenge=challenge,
            language=(self.env.lang or 'en')[:2],
        )

    @api.model
    def _return_url(self, path):
        return urljoin(self.get_base_url(), path)

    @api.model
    def _complete_consent(self, code, started):
        """Exchange the code of a consent and return the integration, new or known, that it is for.

        :raises PontoGrantError: the code was used before or has expired
        :raises PontoError: Ponto cannot be reached or answers something else
        """
        token = self._connect_client(MemoryTokenStore()).exchange_code(
            code=code, code_verifier=started['verifier'], redirect_uri=self._return_url(CONSENT_RETURN)
        )
        userinfo = self._connect_client(MemoryTokenStore(token)).get_userinfo()
        integrations = self.sudo()
        integration = integrations.search(
            [
                ('connection', '=', 'connect'),
                ('company_id', '=', started['company_id']),
                ('organization_id', '=', userinfo.organization_id),
            ]
        )
        if not integration:
            integration = integrations.create(
                {
                    'connection': 'connect',
                    'company_id': started['company_id'],
                    'organization_id': userinfo.organization_id,
                }
            )
        integration.write({'organization_name': userinfo.name, 'consented_at': fields.Datetime.now()})
        integration._set_connected()
        integration._token_store().replace(token)
        return integration

    def _reauthorization_url(self, account, link):
        """Return the address at Ponto where the person in this request renews the consent for `account`."""
        state = self._start_oauth_state(link_id=link.id)
        return self._client().create_reauthorization_request(
            account_id=account.ponto_id, redirect_uri=f'{self._return_url(REAUTHORIZATION_RETURN)}?state={state}'
        )

    # -------------------------------------------------------------------------
    # Disconnect, and keeping the consent alive
    # -------------------------------------------------------------------------

    def _revoke(self):
        """End the consent at Ponto, also when its tokens are lost."""
        if self.connection != 'connect':
            return super()._revoke()
        try:
            self._end_consent(self._client())
        except PontoNotFoundError:
            # It has ended already.
            return ''
        except (PontoError, UserError, ValueError) as error:
            # Ponto refuses or is out of reach, or certificate, key or settings of the application are gone.
            return error_sentence(self.env, error)
        return ''

    def _end_consent(self, client):
        try:
            client.revoke()
        except CopiedTokenError:
            # What the organization has given is the original's.
            raise
        except PontoError:
            if not self.organization_id:
                raise
        if self.organization_id:
            client.delete_integration(organization_id=self.organization_id)

    @api.model
    @for_all_companies
    def _cron_keep_consents(self):
        """Renew tokens daily, so that a refresh token never dies of disuse while nobody synchronizes; never raises.

        The oldest ones first. While Ponto is out of reach, none: there is another day.
        """
        untried = Domain('kept_at', '=', False) | over_domain('kept_at', KEEP_EVERY)
        connected = Domain([('connection', '=', 'connect'), ('state', '=', 'connected')])
        tokens = self.env['ponto.token'].sudo()
        integrations = tokens.search(
            Domain('integration_id', 'any', connected & untried), order='expires_at'
        ).integration_id

        def failed(integration, error):
            _logger.warning("The consent of integration %s could not be kept alive", integration.id, exc_info=error)

        in_turns(self.env, integrations, lambda integration: integration._keep_consent(), failed=failed)

    def _keep_consent(self):
        try:
            next(iter(self._client().iter_accounts()), None)
        except PontoConnectionError as error:
            raise EndTurns from error
        except (PontoError, UserError) as error:
            self._record_error(error)
        self.kept_at = fields.Datetime.now()
