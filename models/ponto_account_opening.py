"""The opening line before it is made: what was on the account before the first transaction that enters the books."""

from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from .conversions import local_date
from .ordering import FIRST_SEQUENCE
from .ponto_account_difference import LINES, ROWS


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    lacks_opening_line = fields.Boolean(compute='_compute_lacks_opening_line', compute_sudo=True)

    @api.depends('balance_difference', 'list_synchronized_at', 'list_error_code', 'is_linked_again')
    def _compute_lacks_opening_line(self):
        for account in self:
            account.lacks_opening_line = bool(account._prepare_opening_line_vals())

    def action_add_opening_line(self):
        """Show the opening line that the account's journal lacks, to be made or not."""
        self.ensure_one()
        self.check_access('write')
        return self.env['ponto.connect']._open_for_opening_line(self)

    # -------------------------------------------------------------------------
    # Propose
    # -------------------------------------------------------------------------

    def _prepare_opening_line_vals(self):
        """Return the values of the opening line that the account's journal lacks, {} if it lacks none or not yet.

        A journal with entries from elsewhere gets none, nor does an account whose transactions were in the books before
        it was linked to this journal: what comes in anew are payments, and must not vanish in an opening balance. Such
        an account, when it moves to another journal, gets the balance of its former one (`_prepare_transfer_vals`).
        """
        self.ensure_one()
        if not self._may_have_opening_line():
            return {}
        if self.is_linked_again:
            return self._prepare_transfer_vals()
        amount = 0 if self._opening_delay() else self._opening_balance()
        if self.currency_id.is_zero(amount):
            return {}
        first_day = self._opening_day()
        return {
            **self._prepare_balance_line_vals(self.journal_id, first_day, amount),
            'payment_ref': self.env._("Opening balance (%(account)s)", account=self.reference or self.name),
            'ponto_opening_from': first_day,
        }

    def _may_have_opening_line(self):
        """Return whether Ponto's list was read to its end, and the journal has nothing but what came from it."""
        is_read = self.state == 'active' and self.last_full_read_at and not self.resume_after
        return bool(self.journal_id and self.has_balance and is_read) and not self._has_other_entries()

    def _opening_balance(self):
        """Return the opening balance: the bank's balance less every transaction that the balance holds.

        Ponto tells a balance and transactions, but no balance before the first of them. So what the journal must begin
        with is what is left once everything is taken out of the bank's balance that enters the books as a transaction,
        has entered them, or was removed by hand (which is a difference of its own). What lies before the start date
        enters the books in no other way, so it stays in. Where the balance is older than the start date, what came
        between is added for the same reason. A withdrawn transaction is not in the balance.
        """
        day = self._balance_day()
        rows = Domain('account_id', '=', self.id) & ~Domain(self._gone_domain())
        counted = rows & Domain('currency_id', '=', self.currency_id.id)
        early = Domain('state', '=', 'skipped')
        # Entered in the journal's currency by a person: the line has the amount.
        converted = rows & Domain('currency_id', '!=', self.currency_id.id) & Domain('state', '=', 'booked')
        return self.currency_id.round(
            self.current_balance
            - self._sum(ROWS, counted & ~early & Domain('date', '<=', day))
            - self._sum(LINES, [('ponto_transaction_ids', 'any', converted & Domain('date', '<=', day))])
            + self._sum(ROWS, counted & early & Domain('date', '>', day))
        )

    def _opening_day(self):
        """Return the first day whose transactions enter the journal."""
        entering = [('account_id', '=', self.id), ('state', '!=', 'skipped'), ('date', '<=', self._balance_day())]
        [[first]] = self.env[ROWS]._read_group(entering, [], ['date:min'])
        return min(filter(None, (self.start_date, first)), default=self._balance_day())

    def _opening_remark(self):
        """Return in a sentence why no opening line is proposed although one will be needed; None if that is not so."""
        may_lack = self._may_have_opening_line() and not self.is_linked_again
        return self._opening_delay() if may_lack and not self.currency_id.is_zero(self._opening_balance()) else None

    def _opening_delay(self):
        """Return in a sentence why the opening balance cannot be told yet; None if it can."""
        if self._is_list_behind():
            return self.env._(
                "%(account)s: no opening line yet, because the bank's balance is newer than Ponto's list of"
                " transactions.",
                account=self.reference or self.name,
            )
        if self._has_uncountable_rows():
            return self.env._(
                "%(account)s: no opening line yet, because a transaction to review has no amount that could be"
                " counted.",
                account=self.reference or self.name,
            )
        ahead = self._first_day_ahead()
        return ahead and self.env._(
            "%(account)s: no opening line yet, because a transaction is dated ahead (%(date)s) and the bank's balance"
            " may hold it already. The account's page offers the line once that is known.",
            account=self.reference or self.name,
            date=format_date(self.env, ahead),
        )

    def _has_uncountable_rows(self):
        """Return whether a row has an amount in the account's currency, or a day, that nobody knows.

        Whoever sets it aside or removes it from the books does not take it out of the bank's balance.
        """
        waiting = [
            ('account_id', '=', self.id),
            ('state', 'in', ('new', 'held', 'aside', 'removed')),
            ('missing_since', '=', False),
        ]
        unknown = (
            Domain('problem', '!=', False)
            | Domain('date', '=', False)
            | Domain('currency_id', '!=', self.currency_id.id)
        )
        return bool(self.env[ROWS].search_count(Domain(waiting) & unknown, limit=1))

    def _first_day_ahead(self):
        """Return the first day of a row that is dated after the bank's balance and may be in it; None without any.

        It may be in the balance if Ponto has listed it by the day of the balance. While its day has not come, nobody
        knows.
        """
        day, today = self._balance_day(), fields.Date.context_today(self.with_context(tz=self.time_zone))
        later = self.env[ROWS].search(
            [
                ('account_id', '=', self.id),
                ('state', '!=', 'skipped'),
                ('missing_since', '=', False),
                ('date', '>', day),
            ],
            order='date',
        )
        ahead = later.filtered(lambda row: row.date > today or (row._listed_day() or date.max) <= day)
        return ahead[:1].date or None

    def _has_other_entries(self):
        """Return whether the journal's bank account holds anything else than this account's own transactions."""
        own = [('move_id.statement_line_ids', 'any', self._own_lines_domain())]
        return bool(self._bank_items().search_count([*self._ledger_domain(), '!', *own], limit=1))

    def _prepare_balance_line_vals(self, journal, day, amount):
        """Return the values of a line that carries a balance, before everything else of the first day that is open."""
        return {
            'journal_id': journal.id,
            'date': max(filter(None, (day, self._first_open_day(journal)))),
            'amount': amount,
            'is_ponto_opening': True,
            'sequence': FIRST_SEQUENCE + 1,
        }

    # -------------------------------------------------------------------------
    # Move to another journal
    # -------------------------------------------------------------------------

    def _prepare_transfer_vals(self):
        """Return the values of the line that brings the balance of the account's former journal into its present one.

        A second opening line would hold the transactions of the former journal once more.
        """
        journal = self._last_journal([('statement_line_id.journal_id', '!=', self.journal_id.id)])
        if not journal or journal.ponto_account_ids:
            return {}
        ledger = journal.default_account_id
        is_shared = journal.search_count([('default_account_id', '=', ledger.id), ('id', '!=', journal.id)], limit=1)
        [[balance, last]] = self._bank_items()._read_group(
            [
                ('account_id', '=', ledger.id),
                ('parent_state', '=', 'posted'),
                *([('journal_id', '=', journal.id)] if is_shared else []),
            ],
            [],
            [f'{self._item_amount()}:sum', 'date:max'],
        )
        # What the opening line of the former journal holds is in its balance.
        first_day = self._opening_line(journal).ponto_opening_from
        entering = self._rows_out_of_opening().mapped('amount') if first_day else ()
        amount = self.currency_id.round((balance or 0) - sum(entering))
        if self.currency_id.is_zero(amount):
            return {}
        return {
            **self._prepare_balance_line_vals(self.journal_id, last, amount),
            'payment_ref': self.env._(
                "Balance transferred from %(former)s to %(journal)s",
                former=journal.display_name,
                journal=self.journal_id.display_name,
            ),
            'ponto_opening_journal_id': journal.id,
            'ponto_opening_from': first_day,
        }

    def _rows_out_of_opening(self):
        """Return the rows that enter the present journal although the former one's opening line holds them."""
        rows = self.transaction_ids.filtered(lambda row: row.in_opening == 'yes')
        return rows.filtered(
            lambda row: row.state in ('new', 'held') or row.statement_line_id.journal_id == row.journal_id
        )

    def _book_counterpart(self, line):
        """Take the balance that `line` brings in out of the former journal, through the company's transfer account."""
        former = line.ponto_opening_journal_id
        counterpart = line.create(
            {
                **self._prepare_balance_line_vals(former, line.date, -line.amount),
                'date': line.date,
                'payment_ref': line.payment_ref,
                # After everything else of its day.
                'sequence': 0,
            }
        )
        transfer = self.company_id.transfer_account_id
        if transfer.reconcile:
            items = self.env['account.move.line']
            for each in line + counterpart:
                _liquidity, suspense, _other = each._seek_for_lines()
                suspense.account_id = transfer
                items += suspense
            items.reconcile()


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _listed_day(self):
        """Return the day on which Ponto has made this row; False where it does not tell."""
        try:
            created_at = fields.Datetime.to_datetime(
                (self.attributes or {}).get('createdAt', '')[:19].replace('T', ' ')
            )
        except (TypeError, ValueError):
            return False
        return created_at and local_date(created_at, self.account_id.time_zone)
