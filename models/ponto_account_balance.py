from datetime import date
from itertools import accumulate

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount

from .conversions import local_date
from .ordering import FIRST_SEQUENCE


class PontoAccount(models.Model):
    """The proof: the bank's balance against the journal's, and what explains a difference."""

    _inherit = 'ponto.account'

    journal_balance = fields.Monetary(
        string="Odoo Balance", compute='_compute_balance', help="The journal's balance on the day of the bank's."
    )
    balance_difference = fields.Monetary(compute='_compute_balance', help="The bank's balance less Odoo's.")
    balance_explanation = fields.Text(compute='_compute_balance_explanation')
    lacks_opening_line = fields.Boolean(compute='_compute_lacks_opening_line', compute_sudo=True)

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

    @api.depends('balance_difference')
    def _compute_balance_explanation(self):
        for account in self:
            explained = account._explain_difference() if account.journal_id and account.has_balance else []
            account.balance_explanation = '\n'.join(
                f'{label}: {format_amount(self.env, amount, account.currency_id)}'
                for label, amount in sorted(explained, key=lambda part: -abs(part[1]))
            )

    def _balance_day(self):
        """Return the day of which the bank's balance is the end."""
        moment = self.balance_date or self.bank_data_at or fields.Datetime.now()
        return local_date(moment, self.time_zone)

    def _explain_difference(self):
        """Return `[(label, amount)]` whose amounts add up to `balance_difference`, to the cent; zeros are left out.

        What Ponto has and the books have not counts for the bank, what only the books have counts against it. What is
        left is what happened at the bank before the first transaction that Ponto knows, and what cannot be counted.
        """
        self.ensure_one()
        day = self._balance_day()
        states = dict(self._group_rows(day, [('missing_since', '=', False)], ['state']))
        elsewhere = self._sum_rows(day, [('missing_since', '=', False), *self._elsewhere_domain()])
        gone = self._gone_domain()
        opening = self._sum_lines(day, [('is_ponto_opening', '=', True)])
        parts = [
            (self.env._("Waiting under To Review"), states.get('held', 0)),
            (self.env._("Not booked yet"), states.get('new', 0)),
            (self.env._("Before the start date"), 0 if opening else states.get('skipped', 0)),
            (self.env._("Removed from the books by hand"), states.get('removed', 0)),
            (self.env._("In the books of another journal"), elsewhere),
            (
                self.env._("Lines that differ from the bank's amount or date"),
                states.get('booked', 0) - elsewhere - self._sum_lines(day, self._own_lines_domain()),
            ),
            (
                self.env._("In the books, but no longer listed by Ponto"),
                -self._sum_lines(day, [('ponto_transaction_ids', 'any', gone)]),
            ),
            (
                self.env._("Lines entered by hand or imported from a file"),
                -self._sum_lines(
                    day,
                    [
                        ('ponto_transaction_ids', 'not any', [('account_id', '=', self.id)]),
                        ('is_ponto_opening', '=', False),
                    ],
                ),
            ),
            (self.env._("Other journal entries on the bank account"), -self._sum_other_entries(day)),
        ]
        rest = self.balance_difference - sum(amount for _label, amount in parts)
        parts.append((self._rest_label(opening), rest))
        return [
            (label, self.currency_id.round(amount)) for label, amount in parts if not self.currency_id.is_zero(amount)
        ]

    def _unexplained_difference(self):
        """Return the part of `balance_difference` that no transaction explains which still waits to be booked.

        Held transactions that cannot be counted, because of their currency or because they cannot be read, explain
        whatever is left. Those dated ahead may be in the bank's balance already, the earliest ones before the others.
        """
        self.ensure_one()
        if self.currency_id.is_zero(self.balance_difference) or self._has_uncounted_rows():
            return 0
        listed = [('missing_since', '=', False), ('state', 'in', ('new', 'held'))]
        rest = self.balance_difference - self._sum_rows(self._balance_day(), listed)
        ahead = (
            self.env['ponto.transaction']
            .sudo()
            .search([*self._rows_domain(), *listed, ('date', '>', self._balance_day())], order='date, rank, id')
        )
        sums = accumulate(ahead.mapped('amount'), initial=0)
        return 0 if any(self.currency_id.is_zero(rest - amount) for amount in sums) else self.currency_id.round(rest)

    def _has_uncounted_rows(self):
        """Return whether transactions are held whose amount in the account's currency nobody knows."""
        return bool(
            self.env['ponto.transaction']
            .sudo()
            .search_count(
                [
                    ('account_id', '=', self.id),
                    ('state', '=', 'held'),
                    ('hold_reason', 'in', ('currency', 'unreadable')),
                ],
                limit=1,
            )
        )

    def _rows_domain(self):
        return [('account_id', '=', self.id), ('currency_id', '=', self.currency_id.id)]

    def _rest_label(self, opening):
        if self._has_uncounted_rows():
            return self.env._("Under To Review in another currency or unreadable, and before the first transaction")
        if opening:
            return self.env._("Before the start date or the first transaction that Ponto has, less the opening line")
        return self.env._("Before the first transaction that Ponto has")

    def _own_lines_domain(self):
        return [('ponto_transaction_ids', 'any', [('account_id', '=', self.id), ('missing_since', '=', False)])]

    def _elsewhere_domain(self):
        return [('state', '=', 'booked'), ('statement_line_id.journal_id', '!=', self.journal_id.id)]

    def _gone_domain(self):
        """Return the domain of the rows that the bank has withdrawn.

        What is older than Ponto's list, as after a new consent, is not: the bank's balance still holds it.
        """
        rows = self.env['ponto.transaction'].sudo()
        [[first]] = rows._read_group([('account_id', '=', self.id), ('missing_since', '=', False)], [], ['date:min'])
        return [('account_id', '=', self.id), ('missing_since', '!=', False), ('date', '>=', first or date.max)]

    def _sum_rows(self, day, domain):
        [[total]] = self._group_rows(day, domain, [])
        return total

    def _group_rows(self, day, domain, groupby):
        return (
            self.env['ponto.transaction']
            .sudo()
            ._read_group([*self._rows_domain(), ('date', '<=', day), *domain], groupby, ['amount:sum'])
        )

    def _sum_lines(self, day, domain):
        """Return the sum of those of the journal's statement lines up to `day` that `domain` names."""
        [[total]] = (
            self.env['account.bank.statement.line']
            .sudo()
            ._read_group(
                [('journal_id', '=', self.journal_id.id), ('state', '=', 'posted'), ('date', '<=', day), *domain],
                [],
                ['amount:sum'],
            )
        )
        return total

    def _sum_other_entries(self, day):
        domain = [*self._bank_items_domain(), ('move_id.statement_line_ids', '=', False)]
        [[total]] = self._bank_items()._read_group(domain, [], ['amount_currency:sum'])
        return total

    # -------------------------------------------------------------------------
    # The opening line of a journal that nothing else has touched
    # -------------------------------------------------------------------------

    @api.depends('balance_difference')
    def _compute_lacks_opening_line(self):
        for account in self:
            account.lacks_opening_line = bool(account._prepare_opening_line_vals())

    def action_add_opening_line(self):
        """Show the opening line that the account's journal lacks, to be made or not."""
        self.ensure_one()
        self.check_access('write')
        return self.env['ponto.connect']._open_for_opening_line(self)

    def _prepare_opening_line_vals(self):
        """Return the values of the line that makes the journal's balance equal to the bank's once all is booked.

        Empty when the journal has entries from elsewhere, the bank tells no balance, nothing is missing, or the list
        of transactions could not be read, to its end and row by row: what comes in later would be counted twice.
        """
        self.ensure_one()
        journal, day = self.journal_id, self._balance_day()
        is_read = self.state == 'active' and self.last_full_read_at and not self.resume_after
        if not (journal and self.has_balance and is_read) or self._has_unreadable_rows() or self._has_other_entries():
            return {}
        waiting = self._sum_rows(day, [('state', 'in', ('new', 'held')), ('missing_since', '=', False)])
        # Where the bank's balance is older than the start date.
        between = self._sum_rows(
            date.max, [('state', '=', 'skipped'), ('date', '>', day), ('missing_since', '=', False)]
        )
        amount = self.currency_id.round(self.current_balance + between - self._journal_balances()[self] - waiting)
        if self.currency_id.is_zero(amount):
            return {}
        [[first]] = (
            self.env['ponto.transaction']
            .sudo()
            ._read_group(
                Domain([('account_id', '=', self.id), ('state', 'in', ('new', 'held', 'booked')), ('date', '<=', day)])
                & ~Domain(self._elsewhere_domain()),
                [],
                ['date:min'],
            )
        )
        first_day = self.start_date or first or day
        first_open = self._first_open_day(journal)
        return {
            'journal_id': journal.id,
            'date': max(first_day, first_open) if first_open else first_day,
            'amount': amount,
            'payment_ref': self.env._("Opening balance (%(account)s)", account=self.reference or self.name),
            'is_ponto_opening': True,
            # Before everything else of its day.
            'sequence': FIRST_SEQUENCE + 1,
        }

    def _has_unreadable_rows(self):
        return bool(
            self.env['ponto.transaction']
            .sudo()
            .search_count(
                [
                    ('account_id', '=', self.id),
                    ('state', 'in', ('new', 'held')),
                    ('missing_since', '=', False),
                    '|',
                    ('problem', '!=', False),
                    ('date', '=', False),
                ],
                limit=1,
            )
        )

    def _has_other_entries(self):
        """Return whether the journal's bank account holds anything else than this account's own transactions."""
        own = [('move_id.statement_line_ids', 'any', self._own_lines_domain())]
        return bool(self._bank_items().search_count([*self._ledger_domain(), '!', *own], limit=1))

    def _book_opening_line(self):
        """Make the opening line if there is reason for one, and return it, or nothing."""
        lines = self.env['account.bank.statement.line'].sudo().with_company(self.company_id)
        vals = self._prepare_opening_line_vals()
        return lines.create(vals) if vals else lines
