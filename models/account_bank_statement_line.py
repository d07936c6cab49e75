from odoo import fields, models


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    ponto_transaction_ids = fields.One2many('ponto.transaction', 'statement_line_id', string="Ponto Transaction")
    is_ponto_opening = fields.Boolean(
        string="Opening Line", readonly=True, copy=False,
        help="Made with the first import, so that Odoo's balance equals the bank's.")

    def unlink(self):
        """Remember what the user removes: it never comes back by itself."""
        self.sudo().ponto_transaction_ids.write({'state': 'removed'})
        return super().unlink()
