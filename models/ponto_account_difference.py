"""What explains a difference between the bank's balance and Odoo's: one reason for each cause, with its records."""

from datetime import date
from itertools import accumulate
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount
from odoo.tools.translate import LazyTranslate

from .messages import about

_lt = LazyTranslate(__name__)

ROWS, LINES, ITEMS = 'ponto.transaction', 'account.bank.statement.line', 'account.move.line'
LABELS = {
    'held': _lt("Waiting under To Review"),
    'uncounted': _lt("Under To Review, in another currency or unreadable"),
    'new': _lt("Not booked yet"),
    'ahead': _lt("Dated ahead, but in the bank's balance already"),
    'skipped': _lt("Before the start date"),
    'removed': _lt("Removed from the books by hand"),
    'aside': _lt("Set aside by hand"),
    'elsewhere': _lt("In the books of another journal"),
    'bent': _lt("Lines that differ from the bank's amount or date"),
    'gone': _lt("In the books, but no longer listed by Ponto"),
    'foreign': _lt("Lines entered by hand or imported from a file"),
    'entries': _lt("Other journal entries on the bank account"),
    'opening': _lt("Opening line that differs from the balance before it"),
    'before': _lt("Before the first transaction that Ponto has"),
}
# What waits is on its way into the books: such a difference ends by itself, or is told as something to review. What a
# person has set aside is known to be missing.
WAITING = {'held', 'uncounted', 'new', 'ahead', 'aside'}
# An amount in another currency explains what is left of a difference that is near it at Odoo's rate.
NEAR = 0.2


class Reason(NamedTuple):
    """One cause of a difference: its `amount` in the account's currency, and the records of `model` that make it up.

    `code` is a key of `LABELS`. What lies before all records has no `model`.
    """

    code: str
    amount: float
    model: str = ''
    domain: tuple = ()


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    balance_explanation = fields.Text(compute='_compute_balance_explanation')
    balance_reasons = fields.Json(
        compute='_compute_balance_explanation', help="What the component `ponto_reasons` shows, the largest first."
    )

    @api.depends_context('lang')
    @api.depends('balance_difference')
    def _compute_balance_explanation(self):
        for account in self:
            account.balance_reasons = [
                {
                    'account_id': account.id,
                    'code': reason.code,
                    'text': account._reason_text(reason),
                    'can_open': bool(reason.model),
                }
                for reason in sorted(account._difference_reasons(), key=lambda reason: -abs(reason.amount))
            ]
            account.balance_explanation = '\n'.join(reason['text'] for reason in account.balance_reasons or ())

    def _reason_text(self, reason):
        amount = format_amount(self.env, reason.amount, self.currency_id)
        return about(self.env, self.env._(LABELS[reason.code]), amount)

    def _explain_difference(self):
        """Return `[(label, amount)]` whose amounts add up to `balance_difference`, to the cent; zeros are left out."""
        return [(self.env._(LABELS[reason.code]), reason.amount) for reason in self._difference_reasons()]

    def action_open_reason(self, code=''):
        """Open exactly the records that make up the reason with this code.

        :raises UserError: the balances do not differ for this reason any more
        """
        self.ensure_one()
        self.check_access('read')
        reason = next((reason for reason in self._difference_reasons() if reason.code == code and reason.model), None)
        if not reason:
            raise UserError(self.env._("The balances no longer differ for this reason."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._(LABELS[code]),
            'res_model': reason.model,
            'domain': list(reason.domain),
            'views': [(False, 'list'), (False, 'form')],
        }

    def _unexplained_difference(self):
        """Return the part of `balance_difference` that no transaction explains which still waits to be booked."""
        self.ensure_one()
        reasons = self._difference_reasons()
        return self.currency_id.round(sum(reason.amount for reason in reasons if reason.code not in WAITING))

    def _difference_reasons(self):
        """Return the reasons, as `Reason`, whose amounts add up to `balance_difference`, to the cent, zeros left out.

        What Ponto has and the books have not counts for the bank, what only the books have counts against it. What is
        left is what happened at the bank before the first transaction that Ponto knows.
        """
        self.ensure_one()
        if not (self.journal_id and self.has_balance) or self.currency_id.is_zero(self.balance_difference):
            return []
        account = self.sudo()
        has_opening = bool(account.env[LINES].search_count(account._opening_lines_domain(), limit=1))
        reasons = [*account._reasons_of_rows(has_opening), *account._reasons_of_lines()]
        rest = self.currency_id.round(self.balance_difference - sum(reason.amount for reason in reasons))
        reasons += account._reasons_of_the_rest(rest, has_opening) if rest else []
        rounded = [reason._replace(amount=self.currency_id.round(reason.amount)) for reason in reasons]
        return [reason for reason in rounded if not self.currency_id.is_zero(reason.amount)]

    # -------------------------------------------------------------------------
    # What Ponto has and the books have not
    # -------------------------------------------------------------------------

    def _reasons_of_rows(self, has_opening):
        # An opening line has what it holds.
        counted = [*self._counted_rows_domain(), *([('in_opening', '!=', 'yes')] if has_opening else ())]
        elsewhere = [*counted, *self._elsewhere_domain()]
        sums = dict(self.env[ROWS]._read_group(counted, ['state'], ['amount:sum']))
        states = ['held', 'new', 'removed', 'aside', 'skipped']
        return [
            *(Reason(state, sums.get(state, 0), ROWS, (*counted, ('state', '=', state))) for state in states),
            Reason('elsewhere', self._sum(ROWS, elsewhere), ROWS, tuple(elsewhere)),
        ]

    def _counted_rows_domain(self):
        """Return the domain of the rows that are listed by Ponto and dated within the bank's balance."""
        return [*self._listed_rows_domain(), ('date', '<=', fields.Date.to_string(self._balance_day()))]

    def _listed_rows_domain(self):
        return [('account_id', '=', self.id), ('currency_id', '=', self.currency_id.id), ('missing_since', '=', False)]

    # -------------------------------------------------------------------------
    # What the books have and Ponto has not
    # -------------------------------------------------------------------------

    def _reasons_of_lines(self):
        lines = self._journal_lines_domain()
        own = [('ponto_transaction_ids', 'any', [('account_id', '=', self.id)])]
        foreign = [*lines, '!', *own, ('is_ponto_opening', '=', False)]
        entries = [*self._bank_items_domain(), ('move_id.statement_line_ids', '=', False)]
        return [
            *self._reasons_of_gone_rows(lines),
            Reason('foreign', -self._sum(LINES, foreign), LINES, tuple(foreign)),
            Reason('entries', -self._sum(ITEMS, entries, self._item_amount()), ITEMS, tuple(entries)),
            self._reason_of_bent_lines(),
        ]

    def _reasons_of_gone_rows(self, lines):
        # Mostly there are none, which one cheap query tells.
        if not self.env[ROWS].search_count([('account_id', '=', self.id), ('missing_since', '!=', False)], limit=1):
            return []
        gone = [*lines, ('ponto_transaction_ids', 'any', self._gone_domain())]
        return [Reason('gone', -self._sum(LINES, gone), LINES, tuple(gone))]

    def _reason_of_bent_lines(self):
        """Return the reason of the lines with another amount than the bank's, or on the other side of the day."""
        for model in (ROWS, LINES, 'account.move'):
            self.env[model].flush_model()
        day = self._balance_day()
        bent = self.env.execute_query(
            SQL(
                """
                SELECT id, at_bank - in_books
                  FROM (SELECT inbox.id,
                               CASE WHEN inbox.date <= %(day)s THEN inbox.amount ELSE 0 END AS at_bank,
                               CASE WHEN move.state = 'posted' AND move.date <= %(day)s
                                    THEN line.amount ELSE 0 END AS in_books
                          FROM ponto_transaction inbox
                          JOIN account_bank_statement_line line ON line.id = inbox.statement_line_id
                          JOIN account_move move ON move.id = line.move_id
                         WHERE inbox.account_id = %(account)s AND inbox.currency_id = %(currency)s
                           AND inbox.state = 'booked' AND inbox.missing_since IS NULL
                           AND line.journal_id = %(journal)s) AS pairs
                 WHERE at_bank != in_books
                """,
                day=day,
                account=self.id,
                currency=self.currency_id.id,
                journal=self.journal_id.id,
            )
        )
        rows = [row_id for row_id, _amount in bent]
        return Reason('bent', float(sum(amount for _row_id, amount in bent)), ROWS, (('id', 'in', rows),))

    # -------------------------------------------------------------------------
    # The rest
    # -------------------------------------------------------------------------

    def _reasons_of_the_rest(self, rest, has_opening):
        """Return the reasons whose amounts add up to `rest`: what cannot be counted, and what no record tells of.

        Transactions dated ahead may be in the bank's balance already, the earliest ones before the others. Held ones
        in another currency explain an amount near theirs at Odoo's rate, and all that is left where an opening line
        holds what was at the bank before.
        """
        ahead, domain = self._rows_ahead(rest)
        if ahead:
            return [Reason('ahead', rest, ROWS, domain)]
        uncounted = self._uncounted_rows_domain()
        rows = self.env[ROWS].search(uncounted)
        estimate = sum(self._estimate(row) for row in rows)
        if rows and (has_opening or abs(rest - estimate) <= NEAR * abs(estimate)):
            estimate = rest
        return [
            Reason('uncounted', estimate, ROWS, tuple(uncounted)),
            Reason('opening', rest - estimate, LINES, tuple(self._opening_lines_domain()))
            if has_opening
            else Reason('before', rest - estimate),
        ]

    def _rows_ahead(self, rest):
        """Return `(rows, their domain)` of the earliest rows dated ahead that add up to `rest`; empty if none do."""
        rows = self.env[ROWS].search(
            [*self._listed_rows_domain(), ('state', 'in', ('new', 'held')), ('date', '>', self._balance_day())],
            order='date, rank, id',
        )
        for number, total in enumerate(accumulate(rows.mapped('amount')), 1):
            if self.currency_id.is_zero(rest - total):
                return rows[:number], (('id', 'in', rows[:number].ids),)
        return rows.browse(), ()

    def _uncounted_rows_domain(self):
        """Return the domain of the held rows whose amount in the account's currency, or whose day, nobody knows."""
        unknown = (
            Domain('currency_id', '!=', self.currency_id.id)
            | Domain('date', '=', False)
            | (Domain('problem', '!=', False) & Domain('amount', '=', 0))
        )
        return list(
            Domain([('account_id', '=', self.id), ('state', '=', 'held'), ('missing_since', '=', False)]) & unknown
        )

    def _estimate(self, row):
        """Return the amount of an inbox row in this account's currency, at Odoo's rate of its day."""
        if not row.currency_id:
            return 0
        day = row.date or fields.Date.context_today(self)
        return row.currency_id._convert(row.amount, self.currency_id, self.company_id, day)

    # -------------------------------------------------------------------------
    # Helpers
    # -------------------------------------------------------------------------

    def _elsewhere_domain(self):
        """Return the domain of the rows whose line is in another journal, unless its balance was transferred."""
        journals = self.journal_id + self._opening_line().ponto_opening_journal_id
        return [('state', '=', 'booked'), ('statement_line_id.journal_id', 'not in', journals.ids)]

    def _gone_domain(self):
        """Return the domain of the rows that the bank has withdrawn.

        What is older than Ponto's list, as after a new consent, is not: the bank's balance still holds it.
        """
        [[first]] = self.env[ROWS]._read_group(
            [('account_id', '=', self.id), ('missing_since', '=', False)], [], ['date:min']
        )
        return [
            ('account_id', '=', self.id),
            ('missing_since', '!=', False),
            ('date', '>=', fields.Date.to_string(first or date.max)),
        ]

    def _journal_lines_domain(self):
        """Return the domain of the journal's statement lines within the bank's balance."""
        return [
            ('journal_id', '=', self.journal_id.id),
            ('state', '=', 'posted'),
            ('date', '<=', fields.Date.to_string(self._balance_day())),
        ]

    def _opening_lines_domain(self):
        return [*self._journal_lines_domain(), ('is_ponto_opening', '=', True)]

    def _sum(self, model, domain, amount='amount'):
        [[total]] = self.env[model]._read_group(domain, [], [f'{amount}:sum'])
        return total
