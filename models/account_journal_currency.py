from odoo import models


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    def _ponto_currency(self):
        """Return the currency in which this journal keeps the bank account."""
        return self.currency_id or self.company_id.currency_id
