from odoo import api, fields, models


class PontoAccount(models.Model):
    """The proof: the bank's balance against the journal's."""

    _inherit = 'ponto.account'

    journal_balance = fields.Monetary(
        string="Odoo Balance", compute='_compute_balance', help="The journal's balance on the day of the bank's."
    )
    balance_difference = fields.Monetary(compute='_compute_balance', help="The bank's balance less Odoo's.")

    @api.depends('current_balance', 'balance_date', 'journal_id', 'transaction_ids.state', 'transaction_ids.date')
    def _compute_balance(self):
        balances = self.filtered(lambda account: account.journal_id and account.has_balance)._journal_balances()
        for account in self:
            account.journal_balance = balances.get(account, 0)
            account.balance_difference = (
                account.currency_id.round(account.current_balance - account.journal_balance)
                if account in balances
                else 0
            )

    def _own_lines_domain(self):
        return [('ponto_transaction_ids', 'any', [('account_id', '=', self.id), ('missing_since', '=', False)])]
