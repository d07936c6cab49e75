"""What the bank has announced and not booked yet: shown when somebody asks for it, never kept, never booked."""

from itertools import islice

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang

from ..ponto.errors import PontoError
from . import budget
from .conversions import local_date
from .error_sentences import error_sentence
from .labels import payment_reference
from .rights import check_may_look

# An account has a handful of them.
MAX_PENDING = 200


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def get_pending_transactions(self):
        """Read from Ponto the transactions of this account that the bank has not booked yet.

        :return: `{'summary': sentence with number and sum, 'rows': [{'date', 'label', 'amount'}]}`, texts in the user's
            language
        :raises UserError: Ponto cannot be read
        """
        self.ensure_one()
        check_may_look(self.env)
        self.check_access('read')
        account = self.sudo().with_context(ponto_end=budget.ponto_end(self.env))
        client = account.integration_id._client()
        try:
            pending = list(islice(client.iter_pending_transactions(account_id=account.ponto_id), MAX_PENDING))
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        rows = [row for row in pending if row.amount is not None and row.currency in ('', account.currency_code)]
        return {'summary': account._pending_summary(rows), 'rows': [account._prepare_pending_vals(row) for row in rows]}

    def _pending_summary(self, rows):
        if not rows:
            return self.env._("No pending transactions.")
        amount = self._pending_amount(sum(row.amount for row in rows))
        if len(rows) == 1:
            return self.env._("1 pending transaction: %(amount)s", amount=amount)
        return self.env._("%(count)s pending transactions: %(amount)s", count=len(rows), amount=amount)

    def _prepare_pending_vals(self, row):
        moment = row.execution_date or row.value_date
        label = ' · '.join(filter(None, (row.counterpart_name, payment_reference(row))))
        return {
            'date': format_date(self.env, local_date(moment, self.time_zone)) if moment else '',
            'label': label or self.env._("Bank transaction"),
            'amount': self._pending_amount(row.amount),
        }

    def _pending_amount(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)
