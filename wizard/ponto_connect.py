from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_amount, format_datetime

from ..models import budget, messages
from ..models.encryption import decrypt, encrypt
from ..models.error_sentences import error_sentence
from ..models.rights import check_may_connect
from ..ponto.errors import PontoError

PONTO_URL = 'https://dashboard.myponto.com'


class PontoConnect(models.TransientModel):
    """Add a Bank Account: credentials, then the accounts found, each to a journal, then their opening lines."""

    _name = 'ponto.connect'
    _description = "Add a Bank Account"

    step = fields.Selection(
        [('credentials', "Connect"), ('accounts', "Accounts"), ('opening', "Opening Balance")],
        required=True,
        default='credentials',
    )
    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    integration_id = fields.Many2one('ponto.integration', readonly=True)
    institution_id = fields.Many2one('ponto.institution', readonly=True)
    institution_status = fields.Selection(related='institution_id.status')
    consent_days = fields.Integer(related='institution_id.consent_days')
    connection = fields.Selection(
        [('connect', "Sign in at Ponto"), ('direct', "Client ID and secret of our own integration")],
        string="How",
        required=True,
        default=lambda self: self._default_connection(),
    )
    has_application = fields.Boolean(compute='_compute_has_application')
    client_id = fields.Char(string="Client ID")
    client_secret = fields.Char(compute='_compute_client_secret', inverse='_inverse_client_secret')
    # The secret waits here between two clicks, out of everybody's sight, and is gone once it is used.
    entered_secret = fields.Char(groups='base.group_system')
    message = fields.Text(readonly=True)
    is_settled = fields.Boolean(readonly=True, help="The message is good news: there is nothing left to do.")
    is_opening_only = fields.Boolean(readonly=True, help="The accounts were linked earlier.")
    hints = fields.Text(compute='_compute_hints')
    line_ids = fields.One2many('ponto.connect.account', 'wizard_id')
    other_account_count = fields.Integer(readonly=True)
    match_automatically = fields.Boolean(string="Reconcile automatically what is certain", default=True)

    @api.model
    def _default_connection(self):
        return 'connect' if self.env['ponto.integration']._has_connect_application() else 'direct'

    def _compute_has_application(self):
        self.has_application = self.env['ponto.integration']._has_connect_application()

    @api.depends('line_ids.hint')
    def _compute_hints(self):
        for wizard in self:
            wizard.hints = '\n'.join(
                f'{line.reference or line.label}: {line.hint}' for line in wizard.line_ids if line.hint
            )

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for wizard in self.filtered('client_secret'):
            wizard.sudo().entered_secret = encrypt(wizard.client_secret.strip())
        self.invalidate_recordset(['client_secret'])

    # -------------------------------------------------------------------------
    # Ways in
    # -------------------------------------------------------------------------

    @api.model
    def action_add_bank_account(self, institution_id=False):
        """Open the wizard: at the accounts when this company has a working connection, else at the credentials.

        :param institution_id: id of the `ponto.institution` that the person has picked, if any
        """
        self._check_administrator()
        integration = self.env['ponto.integration'].search(
            [('company_id', '=', self.env.company.id), ('state', '=', 'connected')], limit=1
        )
        institution = self.env['ponto.institution'].browse(institution_id or [])
        if integration:
            return self._open_for_integration(integration, institution)
        return self.create({'institution_id': institution.id})._open()

    @api.model
    def _open_for_integration(self, integration, institution=None):
        """Read the grant's accounts now and open the wizard at the choice of accounts."""
        wizard = self._create_for(integration, institution)
        wizard._fetch_accounts()
        return wizard._open()

    @api.model
    def _open_to_fetch(self, integration, institution=None):
        """Open the wizard for new accounts: with Ponto Connect these need another consent, else they are just read."""
        if integration.connection == 'connect':
            return self._open_for_credentials(integration, institution)
        return self._open_for_integration(integration, institution)

    @api.model
    def _open_for_credentials(self, integration, institution=None):
        """Open the wizard at the credentials of an existing integration."""
        return self._create_for(integration, institution)._open()

    @api.model
    def _open_for_opening_line(self, account):
        """Open the wizard at the opening line that the journal of `account` still lacks."""
        wizard = self._create_for(account.integration_id, account.institution_id)
        wizard.write(
            {
                'step': 'opening',
                'is_opening_only': True,
                'line_ids': [
                    Command.create(
                        {'account_id': account.id, 'action': 'existing', 'journal_id': account.journal_id.id}
                    )
                ],
            }
        )
        wizard.line_ids._propose_opening_line()
        if not wizard.line_ids.opening_amount:
            raise UserError(
                account.sudo()._opening_remark()
                or self.env._(
                    "The journal of this account needs no opening line, or has entries from another source. The"
                    " account's page explains the difference between its balance and the bank's."
                )
            )
        return {**wizard._open(), 'name': self.env._("Opening Balance")}

    @api.model
    def _create_for(self, integration, institution=None):
        self._check_administrator()
        return self.create(
            {
                'company_id': integration.company_id.id,
                'integration_id': integration.id,
                'institution_id': institution.id if institution else False,
                'connection': integration.connection,
                'client_id': integration.client_id,
            }
        )

    @api.model
    def action_continue(self):
        """Go on, after the return from Ponto, where this person has left the newest wizard."""
        self._check_administrator()
        wizard = self.search(
            [('create_uid', '=', self.env.uid), ('integration_id', '!=', False)], order='id desc', limit=1
        )
        if not wizard:
            return self.action_add_bank_account()
        wizard._fetch_accounts()
        return wizard._open_after_return()

    def _open_after_return(self):
        """Open the wizard above Online Synchronization: the browser comes from Ponto and shows nothing of Odoo yet."""
        return {
            'type': 'ir.actions.client',
            'tag': 'account_online_ponto.return_from_ponto',
            'params': {'behind': 'account_online_ponto.ponto_link_action', 'dialog': self._open()},
        }

    def _open(self):
        title = self.env._("Add a Bank Account")
        return {
            'type': 'ir.actions.act_window',
            'name': messages.about(self.env, title, self.institution_id.name) if self.institution_id else title,
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_connect(self):
        """Try the credentials at Ponto, keep them if they work and show the accounts, else say what is wrong.

        With Ponto Connect the person goes to Ponto's pages instead, and comes back to the return controller.
        """
        self.ensure_one()
        self._check_administrator()
        if self.connection == 'connect':
            url = self.env['ponto.integration']._consent_url(self.company_id, self.institution_id)
            return {'type': 'ir.actions.act_url', 'url': url, 'target': 'self'}
        secret = decrypt(self.env, self.sudo().entered_secret)
        if not (self.client_id and secret):
            raise UserError(self.env._("Enter both the client ID and the client secret of your Ponto integration."))
        vals = {'client_id': self.client_id.strip(), 'client_secret': secret}
        integrations = self.env['ponto.integration'].sudo()
        integration = self.integration_id.sudo() or integrations.search(
            [('company_id', '=', self.company_id.id), ('client_id', '=', vals['client_id'])]
        )
        if integration:
            integration.write(vals)
        else:
            integration = integrations.create({**vals, 'company_id': self.company_id.id})
        self.integration_id = integration
        self._fetch_accounts()
        if self.is_settled:
            self.message = self.env._("Ponto accepts these credentials, and Odoo has kept them.") + '\n' + self.message
        self.sudo().entered_secret = False
        return self._open()

    def action_fetch_accounts(self):
        """Read the accounts again, after the person has ticked some at Ponto."""
        self.ensure_one()
        self._check_administrator()
        self._fetch_accounts()
        return self._open()

    def action_open_ponto(self):
        """Open Ponto's site, where accounts are authorised, in a new tab."""
        return {'type': 'ir.actions.act_url', 'url': PONTO_URL, 'target': 'new'}

    def action_add_other_accounts(self):
        """Offer the accounts of all institutions instead of only those of the picked one."""
        self.ensure_one()
        self._check_administrator()
        self.institution_id = False
        self._offer(self.integration_id.account_ids.filtered(lambda account: account.state != 'withdrawn'))
        return self._open()

    def action_link_accounts(self):
        """Link the chosen accounts to their journals and read them; go on to the opening lines if any is due."""
        self.ensure_one()
        self._check_administrator()
        (self.line_ids.filtered(lambda line: line.action == 'skip')).unlink()
        if not self.line_ids:
            raise UserError(self.env._("Choose a journal for at least one account, or close this window."))
        for line in self.line_ids:
            line._link()
        self.line_ids.journal_id.sudo().ponto_match_automatically = self.match_automatically
        # The scheduled action reads what a person cannot wait for.
        self.line_ids.account_id.sudo()._apart(lambda account: account._read('manual', budget.PAGES), 'manual')
        for line in self.line_ids:
            line._propose_opening_line()
        if any(line.opening_amount for line in self.line_ids):
            self.step = 'opening'
            return self._open()
        return self.action_finish()

    def action_finish(self):
        """Make the opening lines that are wanted, book a first part now, and show what came in."""
        self.ensure_one()
        self._check_administrator()
        if self.is_opening_only:
            return self._finish_opening_line()
        accounts = self.line_ids.account_id.sudo()
        remarks = [line._make_opening_line() for line in self.line_ids if line.make_opening_line]
        for account in accounts:
            # The run that has just read the account, or has failed to.
            account._book_into(account._last_run(), limit=budget.ROWS)
        self.env.ref('account_online_ponto.ir_cron_synchronize').sudo()._trigger()
        self.env.ref('account_online_ponto.ir_cron_book').sudo()._trigger()
        runs = self.env['ponto.synchronization'].sudo().union(*(account._last_run() for account in accounts))
        remarks += [self._summary(accounts), *self.line_ids.mapped('remark')]
        remarks += [account._opening_remark() for account in accounts]
        return runs._notify(remarks=filter(None, remarks), next_action=accounts.journal_id._action_ponto_transactions())

    def _summary(self, accounts):
        """Return what is true of the accounts that were just linked: how many, whether they agree with the bank, and
        when they are read next."""
        sentences = [self.env._("Accounts connected: %(count)s.", count=len(accounts))]
        if all(account.has_balance and account.currency_id.is_zero(account.balance_difference) for account in accounts):
            sentences.append(self.env._("Odoo's balances equal the bank's."))
        planned = [moment for moment in accounts.mapped('next_read_at') if moment and moment > fields.Datetime.now()]
        if planned:
            moment = format_datetime(self.env, min(planned), dt_format='short')
            sentences.append(self.env._("Next fetch: %(moment)s.", moment=moment))
        return ' '.join(sentences)

    def _finish_opening_line(self):
        """Make the opening line of accounts that were linked earlier, and tell only that."""
        wanted = self.line_ids.filtered('make_opening_line')
        refusals = list(filter(None, [line._make_opening_line() for line in wanted]))
        if refusals:
            return messages.failure('\n'.join(refusals))
        if not wanted:
            return {'type': 'ir.actions.act_window_close'}
        return messages.success(
            '\n'.join(
                self.env._(
                    "%(label)s: the line of %(amount)s is in %(journal)s.",
                    label=line.opening_label,
                    amount=format_amount(self.env, line.opening_amount, line.currency_id),
                    journal=line.journal_id.display_name,
                )
                for line in wanted
            )
        )

    # -------------------------------------------------------------------------
    # Helpers
    # -------------------------------------------------------------------------

    @api.model
    def _check_administrator(self):
        """Connecting a bank makes journals and reads accounts: it is the invoicing administrator's."""
        check_may_connect(self.env)

    def _fetch_accounts(self):
        """Read the accounts of the grant and offer those that have no journal yet."""
        before = self.integration_id.account_ids.filtered(lambda account: account.state != 'withdrawn')
        try:
            accounts = self.integration_id._fetch_accounts()
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        self.step = 'accounts'
        self._offer(accounts, lost=before - accounts)

    def _offer(self, accounts, lost=None):
        """Make the lines of the accounts to choose from, and say what there is to say about the others."""
        own = accounts
        if self.institution_id:
            own = accounts.filtered(lambda account: account.institution_id == self.institution_id)
        offered = own.filtered(lambda account: not account.journal_id)
        self.other_account_count = len((accounts - own).filtered(lambda account: not account.journal_id))
        self.line_ids = [Command.clear(), *map(Command.create, self._prepare_lines_vals(offered))]
        # The question whether an offered account is a lost one says more of that.
        lost = (lost or accounts.browse()) - self.line_ids.predecessor_ids
        self.message = '\n'.join(self._remarks(accounts, own, offered, lost))
        self.is_settled = bool(own) and not offered and not lost

    def _remarks(self, accounts, own, offered, lost):
        remarks = []
        if not accounts:
            remarks.append(
                self.env._(
                    "Ponto accepts these credentials, but lets Odoo read no account yet. At Ponto, tick the accounts"
                    " for this integration, then try again."
                )
            )
        elif not own:
            remarks.append(
                self.env._(
                    "No account of %(institution)s appears, because none was authorized for Odoo at Ponto. Accounts of"
                    " these institutions were: %(others)s. At Ponto, tick the accounts of %(institution)s for this"
                    " integration, then try again.",
                    institution=self.institution_id.name,
                    others=', '.join(sorted(set(accounts.link_id.mapped('name')))),
                )
            )
        elif not offered:
            remarks.append(
                self.env._(
                    "All accounts that Odoo may read here are linked to a journal already. To add others, tick them for"
                    " this integration at Ponto, then try again."
                )
            )
        if lost:
            remarks.append(
                self.env._(
                    "No longer authorized at Ponto: %(accounts)s. Their transactions stop coming in until they are"
                    " ticked again.",
                    accounts=', '.join(account.reference or account.name for account in lost),
                )
            )
        return remarks

    def _prepare_lines_vals(self, accounts):
        accounts = accounts.sudo()
        predecessors = accounts._predecessors()
        proposals, vals_list = {}, []
        for account in accounts:
            former = predecessors.get(account, account.browse())
            twin = account.browse() if former else account._twin()
            journal = former.journal_id if former else account._propose_journal()
            # Where several are possible only a person knows, and two cannot share one.
            proposals[account] = (
                journal if len(journal) == 1 and journal not in proposals.values() else journal.browse()
            )
            vals_list.append(
                {
                    'account_id': account.id,
                    'action': self._propose_action(account, former, twin, proposals[account]),
                    'journal_id': proposals[account].id,
                    'start_date': account._propose_start_date(proposals[account]),
                    'predecessor_ids': [Command.set(former.ids)],
                    'twin_id': twin.id,
                }
            )
        return vals_list

    @api.model
    def _propose_action(self, account, former, twin, journal):
        if account.deprecated or twin:
            return 'skip'
        return 'existing' if journal or former else 'new'
