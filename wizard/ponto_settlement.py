from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..models.hold_reasons import figure
from ..models.messages import success
from ..models.rights import check_may_book


class PontoSettlement(models.TransientModel):
    """What a person says about held transactions: it is this line, it enters with this amount, or it stays out."""

    _name = 'ponto.settlement'
    _description = "Settle Bank Transactions"

    way = fields.Selection(
        [('line', "It is this line"), ('amount', "Enter it with this amount"), ('aside', "Set it aside")],
        required=True,
        readonly=True,
    )
    transaction_ids = fields.Many2many('ponto.transaction', required=True, readonly=True, string="Transactions")
    journal_id = fields.Many2one(related='transaction_ids.journal_id')
    label = fields.Char(compute='_compute_what')
    date = fields.Date(compute='_compute_what')
    original_amount = fields.Char(string="Amount at the Bank", compute='_compute_what')
    line_id = fields.Many2one(
        'account.bank.statement.line',
        string="Line in the Journal",
        domain="[('journal_id', '=', journal_id), ('ponto_transaction_ids', '=', False),"
        " ('is_ponto_opening', '=', False), ('state', '!=', 'cancel')]",
    )
    currency_id = fields.Many2one('res.currency', compute='_compute_what')
    amount = fields.Monetary(help="As the bank's own statement has it: negative where money went out.")
    reason = fields.Char(help="For whoever wonders later why it is not in the books.")

    @api.depends('transaction_ids')
    def _compute_what(self):
        for wizard in self:
            row = wizard.transaction_ids[:1]
            wizard.label = row.payment_ref
            wizard.date = row.date
            wizard.original_amount = wizard._original_amount(row)
            wizard.currency_id = row.account_id.journal_id._ponto_currency()

    def _original_amount(self, row):
        if row.currency_id and (row.hold_values or {}).get('kind') not in ('decimals', 'unreadable'):
            return format_amount(self.env, row.amount, row.currency_id)
        return f"{figure(self.env, (row.attributes or {}).get('amount') or row.amount)} {row.currency_code or ''}"

    @api.model
    def _open_for(self, rows, way):
        """Return the action that asks about held `rows`; one at a time, except for setting them aside.

        :param way: a value of the field `way`
        """
        rows = rows.filtered(lambda row: row.state == 'held')
        if not rows or (way != 'aside' and len(rows) > 1):
            raise UserError(self.env._("Choose a transaction that waits under To Review."))
        wizard = self.create({'way': way, 'transaction_ids': rows.ids, 'line_id': rows[:1].suspect_line_id.id})
        titles = {
            'line': self.env._("It Is This Line"),
            'amount': self.env._("Enter in %(currency)s", currency=wizard.currency_id.name),
            'aside': self.env._("Set It Aside"),
        }
        return {
            'type': 'ir.actions.act_window',
            'name': titles[way],
            'res_model': self._name,
            'res_id': wizard.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_settle(self):
        """Do what the person says; other transactions of a batch that somebody has settled meanwhile are left alone."""
        self.ensure_one()
        check_may_book(self.env)
        self.transaction_ids.check_access('read')
        rows = self.transaction_ids.sudo().filtered(lambda row: row.state == 'held')
        suspects = rows.suspect_line_id
        if rows:
            {'line': self._tie, 'amount': self._enter, 'aside': self._set_aside}[self.way](rows)
        # Where they are none of these rows, they may be others.
        suspects._find_repeated()
        return success(self.env._("Settled: %(count)s.", count=len(rows)))

    def _tie(self, row):
        line = self.line_id
        if not line:
            raise UserError(self.env._("Choose the line that corresponds to this transaction."))
        line.check_access('read')
        if line.journal_id != row.journal_id or not line._free_lines():
            raise UserError(
                self.env._("This line is cancelled, or belongs to another transaction or journal. Choose another one.")
            )
        row._tie(line.sudo())

    def _enter(self, row):
        if self.currency_id.is_zero(self.amount):
            raise UserError(self.env._("Enter the amount that the bank's own statement has."))
        row._enter(self.amount)

    def _set_aside(self, rows):
        if not (self.reason or '').strip():
            raise UserError(self.env._("Explain in a few words why this transaction must stay out of the books."))
        rows._set_aside(self.reason.strip())
