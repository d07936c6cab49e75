"""Booked rows that Ponto no longer lists, and what Ponto lists in their place."""

from datetime import timedelta

from odoo import fields, models

from .matching import near, pair, parts
from .ponto_account_sweep import FULL_READ_EVERY
from .ponto_transaction_suspects import DUPLICATE_DAYS

# A payment that the bank lists anew, under another id, may have got another day up to so far away.
REDATED_DAYS = 14


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _withdraw(self):
        """Let these booked rows, which Ponto no longer lists, wait for a person, with the rows that came instead."""
        for row in self:
            row._mark_withdrawn(row._replacements())

    def _replacements(self):
        """Return the rows that Ponto lists in place of this one: one like it, or several that add up to it."""
        days = timedelta(days=REDATED_DAYS)
        recent = fields.Datetime.now() - FULL_READ_EVERY
        rows = self.search(
            [
                ('account_id', '=', self.account_id.id),
                ('currency_code', '=', self.currency_code),
                ('missing_since', '=', False),
                ('replaced_id', '=', False),
                ('date', '>=', self.date - days),
                ('date', '<=', self.date + days),
                '|',
                ('state', '=', 'new'),
                '&',
                ('create_date', '>', self.create_date),
                ('create_date', '>', recent),
            ]
        )
        payments = {row: row._payment() for row in rows.sorted(lambda row: abs(row.date - self.date))}
        [found] = pair(payments, {self: self._payment()}, near(REDATED_DAYS)).values() or [None]
        if found:
            return found
        close = {
            row: payment for row, payment in payments.items() if abs((row.date - self.date).days) <= DUPLICATE_DAYS
        }
        return rows.browse(row.id for row in parts(self.amount, close))
