from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class PontoConnectAccount(models.TransientModel):
    """What to do with one online account: a new journal, an existing one, or nothing for now."""

    _name = 'ponto.connect.account'
    _description = "Online Account to Link"

    wizard_id = fields.Many2one('ponto.connect', required=True, ondelete='cascade')
    account_id = fields.Many2one('ponto.account', required=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='wizard_id.company_id')
    # With the person's own rights: an onchange, which anybody may call, comes before any constraint.
    institution_id = fields.Many2one(related='account_id.institution_id', related_sudo=False)
    reference = fields.Char(related='account_id.reference', related_sudo=False)
    label = fields.Char(compute='_compute_label')
    currency_id = fields.Many2one(related='account_id.currency_id', related_sudo=False)
    current_balance = fields.Monetary(related='account_id.current_balance', related_sudo=False)
    action = fields.Selection(
        [('new', "New journal"), ('existing', "Existing journal"), ('skip', "Not now")], required=True, default='new'
    )
    journal_id = fields.Many2one(
        'account.journal',
        # Free, or of an account that another one may continue (`ponto.account._is_replaceable`).
        domain="[('company_id', '=', company_id), ('type', 'in', ('bank', 'credit')), '|', '|', '|',"
        " ('ponto_account_ids', '=', False), ('ponto_account_ids.state', '=', 'withdrawn'),"
        " ('ponto_account_ids.deprecated', '=', True),"
        " ('ponto_account_ids.integration_id.state', '!=', 'connected')]",
    )
    start_date = fields.Date(string="Transactions from", help="Empty: as far back as Ponto has.")
    start_label = fields.Char(compute='_compute_start_label')
    # Of which former accounts it may be the continuation, and which one seems to be read already.
    predecessor_ids = fields.Many2many('ponto.account', readonly=True)
    twin_id = fields.Many2one('ponto.account', readonly=True)
    hint = fields.Text(compute='_compute_hint')
    remark = fields.Char(readonly=True)

    # The line that makes an empty journal equal to the bank, shown before it is made.
    opening_date = fields.Date(readonly=True)
    opening_label = fields.Char(readonly=True)
    opening_amount = fields.Monetary(readonly=True)
    make_opening_line = fields.Boolean(string="Create it")
    transaction_count = fields.Integer(readonly=True)

    @api.depends('account_id')
    def _compute_label(self):
        for line in self:
            account = line.account_id
            line.label = account.description or account.product or account.holder_name or account.subtype

    @api.depends_context('lang')
    @api.depends('start_date')
    def _compute_start_label(self):
        for line in self:
            line.start_label = (
                self.env._("From %(date)s", date=format_date(self.env, line.start_date))
                if line.start_date
                else self.env._("As far back as Ponto has")
            )

    @api.depends('account_id', 'journal_id', 'predecessor_ids', 'twin_id')
    def _compute_hint(self):
        self._check_own_access()
        for line in self:
            line.hint = '\n'.join(filter(None, line._hints())) or False

    def _hints(self):
        """Return what a person should know before this account is linked, in sentences."""
        return [self._continuation_hint(), self._twin_hint(), self._import_hint()]

    def _continuation_hint(self):
        former = self.predecessor_ids.sudo()
        if len(former) > 1:
            return self.env._(
                "Is this one of the accounts whose transactions went to these journals: %(journals)s? If so, choose"
                " that journal: what is in the books is recognized. If not, choose a new journal.",
                journals=', '.join(f'{account.journal_id.display_name} ({account._last_day()})' for account in former),
            )
        if former.deprecated:
            return self.env._(
                "Ponto replaces the connection to this bank. Is this the account whose transactions went to %(journal)s"
                " until %(date)s? If so, keep that journal: what is in the books is recognized. If not, choose a new"
                " journal.",
                journal=former.journal_id.display_name,
                date=former._last_day(),
            )
        return former and self.env._(
            "Is this the account whose transactions went to %(journal)s until %(date)s? If so, keep that journal: what"
            " is in the books is recognized. If not, choose a new journal.",
            journal=former.journal_id.display_name,
            date=former._last_day(),
        )

    def _twin_hint(self):
        if self.account_id.sudo().deprecated:
            return self.env._("Ponto replaces this connection by another one. Use the account of the new connection.")
        return self.twin_id and self.env._(
            "%(journal)s receives the transactions of an account with the same number already.",
            journal=self.twin_id.sudo().journal_id.display_name,
        )

    def _import_hint(self):
        return self.journal_id._active_imports() and self.env._(
            "OCA's bank import feeds %(journal)s. It is switched off when you link the account, or it would book"
            " everything twice. What it has imported is recognized.",
            journal=self.journal_id.display_name,
        )

    @api.constrains('account_id', 'journal_id', 'predecessor_ids', 'twin_id')
    def _check_own_access(self):
        """Hints and linking see these records with all rights: who names them must have some of their own."""
        for records in (self.account_id, self.journal_id, self.predecessor_ids, self.twin_id):
            records._origin.with_user(self.env.user).check_access('read')

    @api.onchange('action', 'journal_id')
    def _onchange_journal(self):
        self._check_own_access()
        if self.action != 'existing':
            self.journal_id = False
        self.start_date = self.account_id.sudo()._propose_start_date(self.journal_id)

    def _link(self):
        """Carry out the choice."""
        self.ensure_one()
        imports = self.journal_id._active_imports()
        if self.account_id.journal_id:
            raise UserError(
                self.env._(
                    "%(account)s is linked to the journal %(journal)s already. Close this window and use"
                    " Fetch Accounts.",
                    account=self.reference or self.label,
                    journal=self.account_id.journal_id.display_name,
                )
            )
        if self.action == 'new':
            self.journal_id = self.account_id._link_to_new_journal(self.start_date)
        elif self.action == 'existing':
            if not self.journal_id:
                raise UserError(
                    self.env._(
                        "Choose the journal for %(account)s, or a new one.", account=self.reference or self.label
                    )
                )
            self.account_id._link_to_journal(self.journal_id, self.start_date)
        self.remark = imports and self.env._(
            "OCA's bank import into %(journal)s was switched off.", journal=self.journal_id.display_name
        )

    def _propose_opening_line(self):
        """Show the opening line that the account's journal would get; the account must have been read."""
        self.ensure_one()
        account = self.account_id.sudo()
        vals = account._prepare_opening_line_vals()
        self.write(
            {
                'opening_date': vals.get('date'),
                'opening_label': vals.get('payment_ref'),
                'opening_amount': vals.get('amount', 0),
                'make_opening_line': bool(vals),
                'transaction_count': self.env['ponto.transaction']
                .sudo()
                .search_count([('account_id', '=', account.id), ('state', 'in', ('new', 'held', 'booked'))]),
            }
        )

    def _make_opening_line(self):
        """Make the opening line if it is still the one that was shown.

        :return: why it was not made, in a sentence, or None
        """
        self.ensure_one()
        vals = self.account_id.sudo()._prepare_opening_line_vals()
        if (vals.get('date'), vals.get('amount')) != (self.opening_date, self.opening_amount):
            return self.env._(
                "The opening line of %(journal)s was not created: balance or entries have changed meanwhile. The page"
                " of the online account offers it again if it is still needed.",
                journal=self.journal_id.display_name,
            )
        self.account_id.sudo()._book_opening_line()
        return None
