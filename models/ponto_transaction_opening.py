"""What a row tells of the opening line: whether the line holds it. See `ponto_account_opening_line.py`."""

from odoo import fields, models


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    in_opening = fields.Selection(
        [('yes', "Yes"), ('no', "No")],
        string="In the Opening Line",
        readonly=True,
        help="Whether the opening line holds its amount. Empty: it came later, or there is no such line.",
    )

    def _missed_by_opening(self):
        """Return those of these rows of one account that lie before its opening line without being held by it.

        A row that moves no money is none of them.
        """
        first_day = self.account_id._opening_line().ponto_opening_from if self else None
        return self.filtered(
            lambda row: (
                first_day
                and row.date
                and row.date < first_day
                and row.in_opening != 'yes'
                and (row.amount or row.problem)
            )
        )

    def _doubts_about_opening(self):
        """Return `{row: arguments of _hold}` for those of these rows that the opening line may hold or not."""
        doubtful = self.filtered(lambda row: not (row.in_opening or row.problem))._missed_by_opening()
        return {row: {'kind': 'before_opening'} for row in doubtful}

    def _tie(self, line):
        """Let `line`, which the books have, be this row's entry."""
        self._mark_booked(line)
        self.account_id._lower_opening_line(self)
