from odoo import api, fields, models


class PontoLink(models.Model):
    """One integration at one institution: a row of Online Synchronization."""

    _name = 'ponto.link'
    _description = "Online Synchronization"
    _inherit = ['ponto.mirror', 'mail.thread', 'mail.activity.mixin']
    _order = 'company_id, institution_id, id'

    name = fields.Char(compute='_compute_name')
    integration_id = fields.Many2one('ponto.integration', required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='integration_id.company_id', store=True, index=True)
    institution_id = fields.Many2one('ponto.institution', readonly=True, index=True, ondelete='restrict')
    account_ids = fields.One2many('ponto.account', 'link_id')
    user_id = fields.Many2one(
        'res.users',
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
        help="Is told when the bank's consent is about to end and when something needs a decision.",
    )
    auto_synchronize = fields.Boolean(
        string="Automatic synchronization",
        default=True,
        tracking=True,
        help="Read this bank's transactions after each of Ponto's own refreshes. Without it they come in only when"
        " somebody clicks Fetch Transactions.",
    )
    state = fields.Selection(
        [
            ('draft', "Not Connected"),
            ('connected', "Connected"),
            ('attention', "Needs Attention"),
            ('refused', "Refused by Ponto"),
        ],
        compute='_compute_state',
    )
    error_message = fields.Text(compute='_compute_error_message')

    _integration_institution_uniq = models.UniqueIndex(
        '(integration_id, institution_id)', "This institution is already connected through this integration."
    )

    @api.depends('institution_id')
    def _compute_name(self):
        for link in self:
            link.name = link.institution_id.name or self.env._("Ponto")

    @api.depends('integration_id.state', 'account_ids.state', 'account_ids.consent_state')
    def _compute_state(self):
        for link in self:
            if link.integration_id.state != 'connected':
                link.state = link.integration_id.state
            elif any(
                account.state in ('error', 'withdrawn') or account.consent_state == 'ended'
                for account in link.account_ids
                if account.journal_id
            ):
                link.state = 'attention'
            else:
                link.state = 'connected'

    @api.depends('account_ids.error_message', 'account_ids.consent_state')
    def _compute_error_message(self):
        for link in self:
            problems = {
                account: account.error_message or (account.consent_state == 'ended' and account.consent_message)
                for account in link.account_ids
                if account.journal_id
            }
            link.error_message = '\n'.join(
                f'{account.reference or account.name}: {problem}' for account, problem in problems.items() if problem
            )

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_fetch_accounts(self):
        """Start the flow that offers this institution's accounts which have no journal yet."""
        self.ensure_one()
        self.check_access('write')
        action = self.env['ponto.connect']._open_to_fetch(self.integration_id, self.institution_id)
        return {**action, 'name': self.env._("Fetch Accounts: %(institution)s", institution=self.name)}

    def action_update_credentials(self):
        """Ask for a new client id and secret, or for another consent; nothing else changes."""
        self.ensure_one()
        self.check_access('write')
        action = self.env['ponto.connect']._open_for_credentials(self.integration_id, self.institution_id)
        return {**action, 'name': self.env._("Update Credentials: %(institution)s", institution=self.name)}

    def action_reauthorize(self):
        """Renew the bank's consent: say how, and check afterwards that it was renewed.

        Without a working connection to Ponto, that comes first; accounts that Ponto no longer shows have no consent
        that could be renewed, they must be authorised anew.
        """
        self.ensure_one()
        self.check_access('write')
        if self.integration_id.state != 'connected':
            return self.action_update_credentials()
        linked = self.account_ids.filtered('journal_id')
        if linked and all(account.state == 'withdrawn' for account in linked):
            return self.action_fetch_accounts()
        return self.env['ponto.reauthorize']._open_for(self)

    def action_fetch_transactions(self):
        """Fetch the transactions of all linked accounts of this institution now."""
        return self.account_ids.action_fetch_transactions()
