"""What of the books is compared with the bank's balance: the journal's ledger account, or the journal's part of it."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from .conversions import local_date


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    shares_ledger = fields.Boolean(compute='_compute_shares_ledger', compute_sudo=True)
    balance_note = fields.Char(compute='_compute_balance_note', compute_sudo=True)

    @api.depends('journal_id.default_account_id')
    def _compute_shares_ledger(self):
        """Tell whether other bank, cash or card journals use the ledger account of this account's journal as well.

        Core gives all credit card journals that are made by hand one account.
        """
        groups = (
            self.env['account.journal']
            .with_context(active_test=False)
            ._read_group(
                [
                    ('default_account_id', 'in', self.journal_id.default_account_id.ids),
                    ('type', 'in', ('bank', 'cash', 'credit')),
                ],
                ['default_account_id'],
                having=[('__count', '>', 1)],
            )
        )
        shared = {ledger for [ledger] in groups}
        for account in self:
            account.shares_ledger = account.journal_id.default_account_id in shared

    @api.depends_context('lang')
    @api.depends('shares_ledger')
    def _compute_balance_note(self):
        for account in self:
            account.balance_note = account.shares_ledger and self.env._(
                "Several journals share the account %(ledger)s, so only the entries of this journal are compared with"
                " the bank. Give each journal an account of its own.",
                ledger=account.journal_id.default_account_id.display_name,
            )

    def _journal_balances(self):
        """Return `{account: balance of its journal at the end of the balance day}`, in the account's currency."""
        balances = {}
        for day, accounts in self.grouped(lambda account: account._balance_day()).items():
            totals = defaultdict(dict)
            for ledger, journal, *amounts in self._bank_items()._read_group(
                [
                    ('account_id', 'in', accounts.journal_id.default_account_id.ids),
                    ('parent_state', '=', 'posted'),
                    ('date', '<=', day),
                ],
                ['account_id', 'journal_id'],
                ['balance:sum', 'amount_currency:sum'],
            ):
                totals[ledger][journal] = dict(zip(('balance', 'amount_currency'), amounts, strict=True))
            for account in accounts:
                journal = account.journal_id
                by_journal = totals[journal.default_account_id]
                counted = [by_journal.get(journal, {})] if account.shares_ledger else by_journal.values()
                balances[account] = sum(amounts.get(account._item_amount(), 0) for amounts in counted)
        return balances

    def _item_amount(self):
        """Return the field of a journal item with its amount in the account's currency.

        A ledger account in the company's currency can hold items in others. Core's dashboard decides in the same way
        (`_get_journal_bank_account_balance`).
        """
        return 'balance' if self.currency_id == self.company_id.currency_id else 'amount_currency'

    def _bank_items(self):
        return self.env['account.move.line'].sudo()

    def _balance_day(self):
        """Return the day of which the bank's balance is the end."""
        moment = self.balance_date or self.bank_data_at or fields.Datetime.now()
        return local_date(moment, self.time_zone)

    def _bank_items_domain(self):
        return [*self._ledger_domain(), ('parent_state', '=', 'posted'), ('date', '<=', self._balance_day())]

    def _ledger_domain(self):
        """Return the domain of the journal items that stand for the bank account: all on the journal's ledger account,
        or the journal's own where several journals share that account."""
        domain = Domain('account_id', '=', self.journal_id.default_account_id.id)
        return domain & Domain('journal_id', '=', self.journal_id.id) if self.shares_ledger else domain

    def _opening_line(self, journal=None):
        """Return the opening line of `journal`, by default the account's own."""
        own = [('journal_id', '=', (journal or self.journal_id).id), ('is_ponto_opening', '=', True)]
        return self.env['account.bank.statement.line'].sudo().search(own, order='date, id', limit=1)
