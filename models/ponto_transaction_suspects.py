"""Which rows seem to be in the books already, or to have been left out of them, in another form."""

import re
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import format_amount, format_date

from .conversions import local_date
from .labels import account_number, structured_communication
from .matching import Payment, near, pair

# How far a line entered by hand or imported from a file may lie from a transaction to be suspected as the same.
DUPLICATE_DAYS = 3

# The domain of the rows for which `_is_listed` holds.
LISTED = ('&', ('missing_since', '=', False), ('is_doubtful', '=', False))

_FIGURE = re.compile(r'[0-9]+(?:[.,][0-9]{1,3})?', re.ASCII)


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _payment(self):
        """Return this row in the form in which payments are compared."""
        zone = self.account_id.time_zone
        return Payment(
            amount=self.amount,
            currency=self.currency_code or '',
            day=self.date,
            days=(local_date(self.execution_date, zone), local_date(self.value_date, zone)),
            name=self.counterpart_name or '',
            number=account_number(self.counterpart_reference),
            texts=(self.remittance_information or '', self.description or '', self.additional_information or ''),
            reference=structured_communication(self.remittance_information),
            end_to_end_id=self.end_to_end_id or '',
        )

    def _suspects(self, account):
        """Return `{row: statement line or row left out}` for rows that seem to be known in another form.

        Such a line was entered by hand, came from a file, or came from this feed under an id that Ponto lists no more,
        or from another online account that the journal had before. Each is suspected once: of two equal payments, of
        which one was entered by hand, the other is booked.
        """
        # What Ponto lists no more is held for that: its line must be left for the same payment under a new id.
        rows = self.filtered(lambda row: row.date and row._is_listed())
        if not rows:
            return {}
        known = {line: line._payment() for line in rows._suspected_lines(account)}
        known.update({row: row._payment() for row in rows._suspected_left_out(account)})
        return known and pair(
            known,
            {row: row._payment() for row in rows},
            near(DUPLICATE_DAYS),
            may_be=lambda suspect, row: row._may_be(suspect),
        )

    def _may_be(self, suspect):
        """Return whether nobody has said that `suspect`, a statement line or a row left out, is not this row."""
        return not self.is_checked if suspect._name == self._name else suspect not in self.different_line_ids

    def _note_different(self):
        """Remember that these rows are other payments than the lines that they seemed to be; return those lines."""
        for row in self:
            row.different_line_ids += row.suspect_line_id
        return self.suspect_line_id

    def _suspected_lines(self, account):
        lines = self.env['account.bank.statement.line'].search(
            [
                *self._about_same_domain(),
                '|',
                ('journal_id', '=', account.journal_id.id),
                ('ponto_transaction_ids.account_id', '=', account.id),
                (
                    'ponto_transaction_ids',
                    'not any',
                    [('account_id', '=', account.id), ('account_ponto_id', '=', account.ponto_id), *LISTED],
                ),
                ('state', '!=', 'cancel'),
                ('is_ponto_opening', '=', False),
            ]
        )
        return lines - self._held_for(account, 'suspect_line_id', lines)

    def _suspected_left_out(self, account):
        """Return the rows, removed or set aside, that Ponto does not list any more under the id that they had."""
        rows = self.search(
            [
                *self._about_same_domain(),
                ('account_id', '=', account.id),
                ('state', 'in', ('removed', 'aside')),
                '!',
                '&',
                ('account_ponto_id', '=', account.ponto_id),
                *LISTED,
            ]
        )
        return rows - self._held_for(account, 'earlier_id', rows)

    def _entered_by_hand(self, account):
        """Return the only line of the journal that names this row's amount and currency, which is not the journal's."""
        days = timedelta(days=DUPLICATE_DAYS)
        lines = self.date and self.env['account.bank.statement.line'].search(
            [
                ('journal_id', '=', account.journal_id.id),
                ('date', '>=', self.date - days),
                ('date', '<=', self.date + days),
                ('amount', '<' if self.amount < 0 else '>', 0),
                ('ponto_transaction_ids', '=', False),
                ('is_ponto_opening', '=', False),
                ('state', '!=', 'cancel'),
            ]
        )
        found = lines and lines.filtered(self._is_named_by)
        return found if found and len(found) == 1 else None

    def _is_named_by(self, line):
        if line.foreign_currency_id:
            return line.foreign_currency_id == self.currency_id and line.amount_currency == self.amount
        label = line.payment_ref or ''
        figures = [Decimal(figure.replace(',', '.')) for figure in _FIGURE.findall(label)]
        return (
            bool(self.currency_code)
            and self.currency_code in label.upper()
            and Decimal(str(abs(self.amount))) in figures
        )

    def _about_same_domain(self):
        """Return the domain of all that has the amount of one of these rows, on a day about theirs."""
        days = timedelta(days=DUPLICATE_DAYS)
        return [
            ('date', '>=', min(self.mapped('date')) - days),
            ('date', '<=', max(self.mapped('date')) + days),
            ('amount', 'in', list(set(self.mapped('amount')))),
        ]

    def _held_for(self, account, name, suspects):
        """Return which of `suspects` rows of other batches are held for already, by their field `name`."""
        return self.search(
            [('account_id', '=', account.id), (name, 'in', suspects.ids), ('id', 'not in', self.ids), *LISTED]
        )[name]

    def _is_listed(self):
        """Return whether Ponto lists this row, as far as is known."""
        return not (self.missing_since or self.is_doubtful)

    def _prepare_suspicion_vals(self):
        """Return the arguments of `_hold` for a row that seems to be this one, removed or set aside."""
        return {
            'kind': f'{self.state}_before',
            'earlier': self,
            'line': self.payment_ref,
            'date': fields.Date.to_string(self.date),
        }


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    @api.depends_context('ponto_describe_line', 'lang')
    @api.depends('date', 'amount', 'payment_ref')
    def _compute_display_name(self):
        """Where a person chooses a line, its date, amount and label tell more than its number."""
        result = super()._compute_display_name()
        if self.env.context.get('ponto_describe_line'):
            for line in self:
                amount = format_amount(self.env, line.amount, line.currency_id)
                line.display_name = f'{format_date(self.env, line.date)} · {amount} · {line.payment_ref or line.name}'
        return result

    def _free_lines(self):
        """Return those of these lines that may be the entry of a row: posted or draft, and nothing else's already."""
        return self.filtered(
            lambda line: not (line.state == 'cancel' or line.is_ponto_opening or line.sudo().ponto_transaction_ids)
        )

    def _payment(self):
        """Return this line in the form in which payments are compared."""
        return Payment(
            amount=self.amount,
            currency=self.currency_id.name,
            day=self.date,
            name=self.partner_name or self.partner_id.name or '',
            number=account_number(self.account_number),
            texts=(self.payment_ref or '',),
            reference=structured_communication(self.payment_ref),
        )

    def _prepare_suspicion_vals(self):
        """Return the arguments of `_hold` for a row that seems to repeat this line."""
        return {
            'kind': 'duplicate',
            'suspect': self,
            'line': self.payment_ref or self.name,
            'date': fields.Date.to_string(self.date),
        }
