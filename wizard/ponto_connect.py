from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from ..models.error_sentences import error_sentence
from ..ponto.errors import PontoError


class PontoConnect(models.TransientModel):
    """Add a Bank Account: credentials, then the accounts found, each to a journal."""
    _name = 'ponto.connect'
    _description = "Add a Bank Account"

    step = fields.Selection([('credentials', "Connect"), ('accounts', "Accounts")], required=True, default='credentials')
    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    integration_id = fields.Many2one('ponto.integration', readonly=True)
    institution_id = fields.Many2one('ponto.institution', readonly=True)
    client_id = fields.Char(string="Client ID")
    client_secret = fields.Char(compute='_compute_client_secret', inverse='_inverse_client_secret')
    # The secret waits here between two clicks, out of everybody's sight, and is gone once it is used.
    entered_secret = fields.Char(groups='base.group_system')
    line_ids = fields.One2many('ponto.connect.account', 'wizard_id')
    other_account_count = fields.Integer(compute='_compute_other_account_count')

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for wizard in self.filtered('client_secret'):
            wizard.sudo().entered_secret = wizard.client_secret.strip()
        self.invalidate_recordset(['client_secret'])

    @api.depends('line_ids')
    def _compute_other_account_count(self):
        for wizard in self:
            linked = wizard.integration_id.sudo().account_ids.filtered('journal_id')
            wizard.other_account_count = len(linked)

    # -------------------------------------------------------------------------
    # Ways in
    # -------------------------------------------------------------------------

    @api.model
    def action_add_bank_account(self):
        """Open the wizard: at the accounts when this company has a working connection, else at the credentials."""
        self._check_administrator()
        integration = self.env['ponto.integration'].search(
            [('company_id', '=', self.env.company.id), ('state', '=', 'connected')], limit=1)
        if integration:
            return self._open_for_integration(integration)
        return self.create({})._open()

    @api.model
    def _open_for_integration(self, integration, institution=None):
        """Read the grant's accounts now and open the wizard at the choice of accounts."""
        wizard = self.create({
            'company_id': integration.company_id.id,
            'integration_id': integration.id,
            'institution_id': institution.id if institution else False,
            'client_id': integration.client_id,
        })
        wizard._fetch_accounts()
        return wizard._open()

    @api.model
    def _open_for_credentials(self, integration, institution=None):
        """Open the wizard at the credentials of an existing integration."""
        return self.create({
            'company_id': integration.company_id.id,
            'integration_id': integration.id,
            'institution_id': institution.id if institution else False,
            'client_id': integration.client_id,
        })._open()

    def _open(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Add a Bank Account"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_connect(self):
        """Try the credentials at Ponto; keep them if they work and show the accounts, else say what is wrong."""
        self.ensure_one()
        self._check_administrator()
        secret = self.sudo().entered_secret
        if not (self.client_id and secret):
            raise UserError(self.env._("Enter both the client ID and the client secret of your Ponto integration."))
        vals = {'client_id': self.client_id.strip(), 'client_secret': secret}
        integration = self.integration_id.sudo() or self.env['ponto.integration'].sudo().search(
            [('company_id', '=', self.company_id.id), ('client_id', '=', vals['client_id'])])
        if integration:
            integration.write(vals)
        else:
            integration = integration.create({**vals, 'company_id': self.company_id.id})
        self.integration_id = integration
        self._fetch_accounts()
        self.sudo().entered_secret = False
        return self._open()

    def action_link_accounts(self):
        """Link the chosen accounts to their journals, fetch a first part now, and show what came in."""
        self.ensure_one()
        self._check_administrator()
        chosen = self.line_ids.filtered(lambda line: line.action != 'skip')
        if not chosen:
            raise UserError(self.env._("Choose a journal for at least one account, or close this window."))
        for line in chosen:
            line._link()
        accounts = chosen.account_id
        accounts.action_fetch_transactions()
        return accounts.journal_id._action_ponto_transactions()

    # -------------------------------------------------------------------------
    # Helpers
    # -------------------------------------------------------------------------

    def _check_administrator(self):
        """Connecting a bank makes journals and reads accounts: it is the invoicing administrator's."""
        if not self.env.user.has_group('account.group_account_manager'):
            raise AccessError(self.env._("Only an administrator of Invoicing may connect bank accounts."))

    def _fetch_accounts(self):
        """Read the accounts of the grant and propose what to do with those that have no journal yet."""
        try:
            accounts = self.integration_id._fetch_accounts()
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        if not accounts:
            raise UserError(self.env._(
                "Ponto accepts these credentials, but the integration may not read any account. Tick the accounts for it"
                " in your Ponto dashboard under Integrations, then connect again."))
        offered = accounts.filtered(lambda account: not account.journal_id)
        if self.institution_id:
            offered = offered.filtered(lambda account: account.institution_id == self.institution_id)
        self.step = 'accounts'
        self.line_ids = [Command.clear()] + [
            Command.create(line) for line in self._prepare_lines_vals(offered)]

    def _prepare_lines_vals(self, accounts):
        taken = self.env['account.journal']
        vals_list = []
        for account in accounts.sudo():
            journal = account._propose_journal() - taken
            taken |= journal
            vals_list.append({
                'account_id': account.id,
                'action': 'existing' if journal else 'new',
                'journal_id': journal.id,
                'start_date': account._propose_start_date(journal),
            })
        return vals_list
