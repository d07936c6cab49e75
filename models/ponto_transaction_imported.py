"""Rows that another module has imported from Ponto before: their lines carry Ponto's id."""

from odoo import models

from .odoo_names import NUMBER


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _tie_imported_lines(self):
        """Tie those of these rows of one account whose line in the journal carries their Ponto id, and return them.

        That is no guess, so nobody is asked.
        """
        journal, tied = self.account_id.journal_id, self.browse()
        numbers = {self.account_id.reference, journal.bank_account_id[NUMBER]}
        for ponto_id, line in (journal._imported_lines(numbers, self.mapped('ponto_id')) if self else {}).items():
            row = self.filtered(lambda row, ponto_id=ponto_id: row.ponto_id == ponto_id).sorted('number')[:1]
            row._tie(line)
            tied += row
        return tied
