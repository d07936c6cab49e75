from odoo import api, fields, models

from .messages import about
from .problem import CONNECTION_PROBLEMS


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
        help="Is informed when the bank's consent is about to end and when something needs a decision.",
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
        compute='_compute_problems',
    )
    problems = fields.Json(compute='_compute_problems', help="What the component `ponto_problems` shows.")
    error_message = fields.Text(compute='_compute_problems', help="Why nothing comes in, for each account.")

    _integration_institution_uniq = models.UniqueIndex(
        '(integration_id, institution_id)', "This institution is already connected through this integration."
    )

    @api.depends('institution_id')
    def _compute_name(self):
        for link in self:
            link.name = link.institution_id.name or self.env._("Ponto")

    @api.depends_context('lang', 'tz', 'uid')
    @api.depends('integration_id.state', 'account_ids.problems')
    def _compute_problems(self):
        for link in self:
            problems = link._prepare_problems_vals()
            alarms = [problem['sentence'] for problem in problems if problem['severity'] == 'danger']
            link.problems = problems
            link.error_message = '\n'.join(alarms)
            if link.integration_id.state != 'connected':
                link.state = link.integration_id.state
            else:
                link.state = 'attention' if alarms else 'connected'

    def _prepare_problems_vals(self):
        """Return the problems of the linked accounts, each with its account's number; that of the connection once."""
        self.ensure_one()
        problems = []
        for account in self.account_ids.filtered('journal_id'):
            for problem in account.problems or ():
                if problem['code'] not in CONNECTION_PROBLEMS:
                    sentence = about(self.env, account.reference or account.name, problem['sentence'])
                    problems.append({**problem, 'sentence': sentence})
                elif problem['code'] not in [known['code'] for known in problems]:
                    problems.append(problem)
        return problems

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
        that could be renewed, they must be authorized anew.
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

    def _responsible(self):
        """Return the user to tell: the link's own while of its company, else an Invoicing administrator of it."""
        if self.user_id.active and self.user_id.share is False and self.company_id in self.user_id.company_ids:
            return self.user_id
        return (
            self.env['res.users'].search(
                [
                    ('all_group_ids', 'in', self.env.ref('account.group_account_manager').ids),
                    ('company_ids', 'in', self.company_id.ids),
                ],
                limit=1,
            )
            or self.env.user
        )
