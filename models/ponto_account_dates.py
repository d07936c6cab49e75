"""Which transactions enter the books and with which of Ponto's two dates, after the account's choice has changed."""

from odoo import models
from odoo.fields import Domain


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def write(self, vals):
        """A changed start date, zone or date basis is applied to the rows that are not in the books yet."""
        res = super().write(vals)
        rows = self.env['ponto.transaction'].sudo()
        if {'date_basis', 'time_zone'} & set(vals):
            rows.search([('account_id', 'in', self.ids), ('state', '!=', 'booked')])._apply_dates()
        elif {'start_date', 'wanted_from', 'wanted_until'} & set(vals):
            for account in self:
                rows.search([('account_id', '=', account.id), *account._misplaced_domain()])._apply_dates()
        return res

    def _misplaced_domain(self):
        """Return the domain of the account's rows that may be on the wrong side of its start date."""
        waiting, skipped = Domain('state', 'in', ('new', 'held')), Domain('state', '=', 'skipped')
        if not self.start_date:
            return skipped
        return (waiting & Domain('date', '<', self.start_date)) | (
            skipped & (Domain('date', '>=', self.start_date) | self._wanted_domain())
        )
