"""The statement line of a row: its values, the check that core has kept them, and its place within the day."""

import logging

from odoo import fields, models
from odoo.exceptions import UserError

from .database_errors import is_passing
from .labels import account_number, clean_line, remittance_text
from .ordering import FIRST_SEQUENCE

_logger = logging.getLogger(__name__)

# Core indexes a partner's name with a B-tree, which holds at most 2,704 bytes. The whole text stays in the inbox.
MAX_PARTNER_NAME = 500


class BentLineError(Exception):
    """Core has given a statement line another date or amount than it was asked for; `values` are those of the line."""

    def __init__(self, **values):
        super().__init__(values)
        self.values = values


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _prepare_statement_lines_vals(self):
        """Return the values of the statement lines of these rows of one account; partners are looked up in one go."""
        partners = self._find_partners()
        sequences = self._sequences()
        return [
            {**row._prepare_statement_line_vals(), 'partner_id': partners.get(row), 'sequence': sequences[row]}
            for row in self
        ]

    def _prepare_statement_line_vals(self):
        """Return the values of this row's statement line. A hook for other addons; touches no database.

        The partner and the place within the day are added for the whole batch.
        """
        self.ensure_one()
        return {
            'journal_id': self.account_id.journal_id.id,
            'date': self.date,
            'amount': self.amount,
            'payment_ref': self.payment_ref,
            'partner_name': clean_line(self.counterpart_name)[:MAX_PARTNER_NAME] or False,
            'account_number': account_number(self.counterpart_reference) or False,
            'transaction_type': clean_line(self.bank_transaction_code or self.proprietary_bank_transaction_code)
            or False,
            'transaction_details': self.attributes,
            'narration': remittance_text(self),
        }

    # -------------------------------------------------------------------------
    # The bank's order within a day
    # -------------------------------------------------------------------------

    def _sequences(self):
        """Return `{row: sequence}` for all inbox rows of the days of these rows of one account.

        Core shows a day's lines by falling sequence, the first of the day having the greatest.
        """
        rows = self.search(
            [('account_id', 'in', self.account_id.ids), ('date', 'in', list(set(self.mapped('date'))))],
            order='rank, id',
        )
        sequences = {}
        for day_rows in rows.grouped('date').values():
            sequences.update({row: FIRST_SEQUENCE - place for place, row in enumerate(day_rows)})
        return sequences

    def _order_within_day(self):
        """Move lines that were booked earlier where a late row has come between; usually there are none."""
        if not self:
            return
        for row, sequence in self._sequences().items():
            if row.statement_line_id and row.statement_line_id.sequence != sequence:
                row.statement_line_id.sequence = sequence


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    def _check_values(self, vals):
        """Compare date and amount of this line with those of `vals`.

        :raises BentLineError: core has silently given it another date or amount
        """
        is_moved = self.date != vals.get('date', self.date)
        if is_moved or self.currency_id.compare_amounts(self.amount, vals.get('amount', self.amount)):
            raise BentLineError(
                date=fields.Date.to_string(self.date), amount=self.amount, currency_id=self.currency_id.id
            )

    def _is_open(self, *days):
        """Return whether Odoo may change this line by itself: nobody has worked on it, and none of `days` is locked.

        Core would undo the part of a reconciliation that is there already. A line of nothing counts as reconciled
        with core.
        """
        _liquidity, _suspense, counterparts = self._seek_for_lines()
        return not (
            counterparts
            or self.statement_id
            or (self.is_reconciled and not self.currency_id.is_zero(self.amount))
            or any(self.company_id._get_violated_lock_dates(day, False, self.journal_id) for day in days if day)
        )

    def _write_exactly(self, vals):
        """Return whether Odoo takes these values for this line as they are; if not, nothing is written."""
        # Core numbers entries by year: one that moves to another gets a new number.
        return self._try_to_write(vals) or ('date' in vals and self._try_to_write(vals, renumber=True))

    def _try_to_write(self, vals, renumber=False):
        try:
            with self.env.cr.savepoint():
                if renumber:
                    self.move_id.button_draft()
                    self.move_id.name = False
                self.write(vals)
                if renumber:
                    self.move_id.action_post()
                self._check_values(vals)
            return True
        except Exception as error:  # whatever Odoo or another addon objects to, the caller tells a person
            if is_passing(error):
                raise
            if not isinstance(error, (UserError, BentLineError)):
                _logger.warning("Statement line %s cannot be changed", self.id, exc_info=True)
            return False
