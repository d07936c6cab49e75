from odoo import api, fields, models


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    ponto_transaction_ids = fields.One2many('ponto.transaction', 'statement_line_id')
    is_ponto_opening = fields.Boolean(
        string="Opening Line",
        readonly=True,
        copy=False,
        help="Made with the first import, so that Odoo's balance equals the bank's.",
    )
    reconciliation_state = fields.Selection(
        [('open', "To Reconcile"), ('done', "Reconciled")], string="State", compute='_compute_reconciliation_state'
    )
    line_source = fields.Selection(
        [('ponto', "Ponto"), ('other', "Other")], string="Source", compute='_compute_line_source', compute_sudo=True
    )

    @api.depends('is_reconciled')
    def _compute_reconciliation_state(self):
        for line in self:
            line.reconciliation_state = 'done' if line.is_reconciled else 'open'

    @api.depends('ponto_transaction_ids', 'is_ponto_opening')
    def _compute_line_source(self):
        for line in self:
            line.line_source = 'ponto' if line.ponto_transaction_ids or line.is_ponto_opening else 'other'

    def _suspense_items(self):
        """Return the items that hold what is left of these lines to be reconciled."""
        return self.env['account.move.line'].union(*(line._seek_for_lines()[1] for line in self))

    def unlink(self):
        """Let the inbox know what the user removes."""
        self._note_deleted()
        return super().unlink()

    def _note_deleted(self):
        """Remember that somebody deletes these lines: they never come back by themselves."""
        self.sudo().ponto_transaction_ids._remove()
