from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain

from .conversions import local_date
from .ordering import FIRST_SEQUENCE


class PontoAccount(models.Model):
    """The proof: the bank's balance against the journal's."""

    _inherit = 'ponto.account'

    journal_balance = fields.Monetary(
        string="Odoo Balance", compute='_compute_balance', help="The journal's balance on the day of the bank's."
    )
    balance_difference = fields.Monetary(compute='_compute_balance', help="The bank's balance less Odoo's.")
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

    def _balance_day(self):
        """Return the day of which the bank's balance is the end."""
        moment = self.balance_date or self.bank_data_at or fields.Datetime.now()
        return local_date(moment, self.time_zone)

    def _own_lines_domain(self):
        return [('ponto_transaction_ids', 'any', [('account_id', '=', self.id), ('missing_since', '=', False)])]

    def _sum_rows(self, day, domain):
        [[total]] = self._group_rows(day, domain, [])
        return total

    def _group_rows(self, day, domain, groupby):
        return (
            self.env['ponto.transaction']
            .sudo()
            ._read_group(
                [('account_id', '=', self.id), ('currency_id', '=', self.currency_id.id), ('date', '<=', day), *domain],
                groupby,
                ['amount:sum'],
            )
        )

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
