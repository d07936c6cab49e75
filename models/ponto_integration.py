import logging
import time

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..ponto.auth import ClientCredentialsAuth
from ..ponto.client import PontoClient
from ..ponto.errors import PontoCredentialsError, PontoGrantError
from .encryption import decrypt, encrypt
from .messages import failure
from .odoo_names import get_parameter, set_parameter
from .ponto_token import TokenStore

_logger = logging.getLogger(__name__)

DIRECT_API_URL = 'https://api.myponto.com'
CONNECT_SECRET = 'account_online_ponto.connect_client_secret'  # noqa: S105 a parameter's name


class PontoIntegration(models.Model):
    """The grant by which one Ponto organization lets one company read its accounts."""

    _name = 'ponto.integration'
    _inherit = 'ponto.mirror'
    _description = "Ponto Integration"
    _order = 'company_id, id'

    name = fields.Char(compute='_compute_name')
    company_id = fields.Many2one('res.company', required=True, index=True, default=lambda self: self.env.company)
    connection = fields.Selection(
        [('direct', "Own integration (client ID and secret)")],
        required=True,
        default='direct',
        help="Own integration: your company makes an integration in its Ponto dashboard and gives Odoo its client ID"
        " and client secret.",
    )
    client_id = fields.Char(string="Client ID", copy=False)
    client_secret = fields.Char(
        compute='_compute_client_secret', inverse='_inverse_client_secret', copy=False, groups='base.group_system'
    )
    client_secret_stored = fields.Char(
        copy=False,
        groups='base.group_system',
        help="The secret as it lies in the database, encrypted if there is a key.",
    )
    organization_id = fields.Char(string="Ponto Organization ID", readonly=True, copy=False)
    organization_name = fields.Char(string="Ponto Organization", readonly=True, copy=False)
    state = fields.Selection(
        [('draft', "Not Connected"), ('connected', "Connected"), ('refused', "Refused by Ponto")],
        required=True,
        default='draft',
        readonly=True,
        copy=False,
    )
    link_ids = fields.One2many('ponto.link', 'integration_id')
    account_ids = fields.One2many('ponto.account', 'integration_id')

    _client_id_uniq = models.UniqueIndex(
        '(company_id, client_id) WHERE client_id IS NOT NULL',
        "This client ID is already in use in this company. Use Update Credentials on the existing connection.",
    )

    # -------------------------------------------------------------------------
    # Computes and constraints
    # -------------------------------------------------------------------------

    @api.depends('connection', 'client_id', 'company_id')
    def _compute_name(self):
        for integration in self:
            integration.name = self.env._("Ponto (%(company)s)", company=integration.company_id.display_name)

    @api.depends('client_secret_stored')
    def _compute_client_secret(self):
        for integration in self:
            integration.client_secret = decrypt(self.env, integration.client_secret_stored)

    def _inverse_client_secret(self):
        for integration in self:
            integration.client_secret_stored = encrypt(integration.client_secret)

    @api.constrains('company_id')
    def _check_company(self):
        for integration in self:
            if any(
                account.journal_id
                for account in integration.account_ids
                if account.journal_id.company_id != integration.company_id
            ):
                raise ValidationError(self.env._("A connection with linked journals cannot move to another company."))

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Give each integration the row in which workers share its token."""
        integrations = super().create(vals_list)
        self.env['ponto.token'].sudo().create([{'integration_id': integration.id} for integration in integrations])
        return integrations

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_fetch_accounts(self):
        """Start the flow that offers the grant's accounts which have no journal yet."""
        self.ensure_one()
        self.check_access('write')
        return self.env['ponto.connect']._open_to_fetch(self)

    def action_connect_again(self):
        """Connect again: ask for a client id and secret, or for another consent; nothing else changes."""
        self.ensure_one()
        self.check_access('write')
        return self.env['ponto.connect']._open_for_credentials(self)

    def action_disconnect(self):
        """End the grant: no more transactions come in. Journals, books and inbox stay as they are.

        Odoo forgets the credentials in any case; if Ponto could not be told, the person hears why.
        """
        self.ensure_one()
        self.check_access('unlink')
        integration = self.sudo()
        reason = integration._revoke()
        integration._set_disconnected()
        return not reason or failure(
            self.env._(
                "Disconnected in Odoo, but Ponto could not be informed: %(reason)s End the integration in your Ponto"
                " dashboard as well.",
                reason=reason,
            )
        )

    # -------------------------------------------------------------------------
    # Named transitions: the only writers of `state`. What belongs to a state is left with it
    # -------------------------------------------------------------------------

    def _set_connected(self):
        """Ponto accepts these grants. What has failed while it did not is tried again at once."""
        returned = self.filtered(lambda integration: integration.state != 'connected')
        returned.state = 'connected'
        failed = returned.account_ids.filtered(lambda account: account.journal_id and account.state != 'withdrawn')
        if failed:
            failed._plan_read(fields.Datetime.now())

    def _set_refused(self):
        """Ponto no longer accepts these grants. One that somebody has disconnected stays so."""
        self.filtered(lambda integration: integration.state == 'connected').state = 'refused'

    def _set_disconnected(self):
        """Somebody has ended these grants: Odoo forgets the credentials, and their accounts are no longer read."""
        self.write({'state': 'draft', 'client_id': False, 'client_secret': False})
        self.env['ponto.token'].sudo().search([('integration_id', 'in', self.ids)])._write_texts(
            False, False, issued_for=False, expires_at=False
        )
        self.account_ids._set_withdrawn()

    def _revoke(self):
        """End the grant at Ponto. One of a direct integration can only be ended on Ponto's site.

        :return: a sentence that says why Ponto does not know, '' if it does
        """
        return ''

    # -------------------------------------------------------------------------
    # Talking to Ponto
    # -------------------------------------------------------------------------

    def _client(self):
        """Return a `PontoClient` that signs in as this integration; its tokens are shared by all workers."""
        self.ensure_one()
        integration = self.sudo()
        base_url = self._api_url()
        auth = ClientCredentialsAuth(
            client_id=integration.client_id or '',
            client_secret=integration.client_secret or '',
            token_url=f'{base_url}/oauth2/token',
            store=integration._token_store(),
        )
        return PontoClient(base_url=base_url, auth=auth, sleep=self._sleep, end=self.env.context.get('ponto_end'))

    def _token_store(self):
        """Return the store of this integration's token, which all workers share."""
        integration = self.sudo()
        return TokenStore(integration, integration._credentials())

    # Between the client's attempts; a name of its own so that no test waits.
    _sleep = staticmethod(time.sleep)

    def _credentials(self):
        """Return the texts whose change makes a stored token useless."""
        return [self.connection, self.client_id or '', self.client_secret or '']

    @api.model
    def _public_client(self):
        """Return a `PontoClient` for what everybody may read: the catalogue of institutions."""
        return PontoClient(base_url=self._api_url(), sleep=self._sleep)

    @api.model
    def _api_url(self):
        """Return the base URL of the direct API, without a trailing slash."""
        return get_parameter(self.env, 'account_online_ponto.direct_api_url', DIRECT_API_URL).rstrip('/')

    @api.model
    def _reencrypt_secrets(self):
        """Encrypt all stored secrets and tokens with the first key of the configuration file; see `encryption`."""
        for integration in self.sudo().search([('client_secret_stored', '!=', False)]):
            integration.client_secret = integration.client_secret
        for token in self.env['ponto.token'].sudo().search([('access_token', '!=', False)]):
            token._write_texts(*token._texts())
        secret = get_parameter(self.env, CONNECT_SECRET)
        if secret:
            set_parameter(self.sudo().env, CONNECT_SECRET, encrypt(decrypt(self.env, secret)))

    def _record_error(self, error):
        """Remember on the grant that Ponto refuses it. Any other error concerns the account that was read, or passes.

        Only the token endpoint speaks of the grant as a whole; 401 and 403 elsewhere are about what was asked for.
        """
        if isinstance(error, (PontoCredentialsError, PontoGrantError)):
            self._set_refused()

    def _record_success(self):
        """Forget an earlier refusal: Ponto has just let this grant read."""
        if self.state == 'refused':
            self._set_connected()
