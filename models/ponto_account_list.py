"""Of when Ponto's list of transactions is.

Balance and transactions are two synchronizations (API reference, section 2.5): one may fail, or come later.
"""

from datetime import timedelta

from odoo import api, fields, models

from .conversions import naive_utc

# Ponto asks for both one after the other, in no documented order.
BETWEEN_BOTH = timedelta(minutes=2)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    list_synchronized_at = fields.Datetime(
        string="Transactions as of", readonly=True, copy=False, help="When the bank last gave Ponto its transactions."
    )
    list_error_code = fields.Char(readonly=True, copy=False)
    list_error_detail = fields.Char(readonly=True, copy=False)
    balance_changed_at = fields.Datetime(readonly=True, copy=False, help="When Ponto last saw the balance change.")

    data_as_of = fields.Datetime(
        string="Bank Data as of",
        compute='_compute_data_as_of',
        help="When the bank last gave Ponto both the balance and the transactions: the older of the two.",
    )

    @api.depends('bank_data_at', 'list_synchronized_at')
    def _compute_data_as_of(self):
        for account in self:
            moments = [moment for moment in (account.bank_data_at, account.list_synchronized_at) if moment]
            account.data_as_of = min(moments, default=False)

    def _bank_error(self):
        """Return `(code, detail)` of the error with which the bank has answered Ponto last, ('', '') without any.

        A bank may refuse its transactions and answer for the balance all the same.
        """
        if self.bank_error_code:
            return self.bank_error_code, self.bank_error_detail or ''
        return self.list_error_code or '', self.list_error_detail or ''

    def _note_list(self, page):
        """Keep what a page of the list says of the bank's last answer for transactions.

        Recordings of older answers say nothing of it; then nothing is known, as before.
        """
        synchronization = page.latest_synchronization
        error = next(iter(synchronization.errors), None) if synchronization else None
        failed = bool(synchronization and synchronization.status == 'error')
        # A transaction that Ponto has made later than it says is in the list all the same.
        moments = [moment for moment in (page.synchronized_at, *(item.created_at for item in page.items)) if moment]
        self._write_changes(
            {
                'list_synchronized_at': page.synchronized_at and naive_utc(max(moments)),
                'list_error_code': failed and ((error and error.code) or 'error'),
                'list_error_detail': failed and error and error.detail,
            }
        )

    def _is_list_behind(self):
        """Return whether the list may lack transactions that the balance already holds.

        So it is when the bank has refused its transactions, has not given any yet, or has given them before the balance
        has changed. Where Ponto tells nothing of the list, it counts as complete.
        """
        self.ensure_one()
        if self.list_error_code:
            return True
        if not self.list_synchronized_at:
            # An account that Ponto has just asked for has no list yet.
            return bool(self.bank_data_at and not self.transaction_ids)
        told_at = self.balance_changed_at or self.bank_data_at
        return bool(told_at and told_at > self.list_synchronized_at + BETWEEN_BOTH)
