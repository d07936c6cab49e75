from odoo import models


class AccountMove(models.Model):
    _inherit = 'account.move'

    # For `account.bank.statement.line._matching_invoices`: open invoices are few among all journal entries.
    _ponto_open_amount_idx = models.Index(
        "(company_id, amount_residual) WHERE state = 'posted' AND payment_state IN ('not_paid', 'partial')"
    )
