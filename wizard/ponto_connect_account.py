from odoo import api, fields, models
from odoo.exceptions import UserError


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
        domain="[('company_id', '=', company_id), ('type', 'in', ('bank', 'credit')),"
        " ('ponto_account_ids', '=', False)]",
    )
    start_date = fields.Date(
        string="Transactions from", help="Empty: as far back as Ponto has. Never in a locked period."
    )

    # The line that makes an empty journal equal to the bank, shown before it is made.
    opening_date = fields.Date(readonly=True)
    opening_label = fields.Char(readonly=True)
    opening_amount = fields.Monetary(readonly=True)
    make_opening_line = fields.Boolean(string="Make it")
    transaction_count = fields.Integer(readonly=True)

    @api.depends('account_id')
    def _compute_label(self):
        for line in self:
            account = line.account_id
            line.label = account.description or account.product or account.holder_name or account.subtype

    @api.constrains('account_id')
    def _check_account_access(self):
        """Linking sees the account with all rights: who makes a line must have some of their own."""
        self.account_id.with_user(self.env.user).check_access('read')

    @api.onchange('action', 'journal_id')
    def _onchange_journal(self):
        self._check_account_access()
        if self.action != 'existing':
            self.journal_id = False
        self.start_date = self.account_id.sudo()._propose_start_date(self.journal_id)

    def _link(self):
        """Carry out the choice."""
        self.ensure_one()
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
                "The opening line of %(journal)s was not made: balance or entries have changed meanwhile. The page of"
                " the online account offers it again if it is still needed.",
                journal=self.journal_id.display_name,
            )
        self.account_id.sudo()._book_opening_line()
        return None
