"""Ponto asks the bank for new transactions, on behalf of a person who has clicked and is here."""

import ipaddress
import logging

from odoo import api, fields, models
from odoo.http import request

from ..ponto.errors import PontoError, PontoRecentlySynchronizedError
from . import budget
from .error_sentences import error_sentence
from .moments import is_over

_logger = logging.getLogger(__name__)

# Balance and transactions are two synchronizations (API reference, section 2.5).
SUBTYPES = ('accountDetails', 'accountTransactions')


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    pending_synchronization_ids = fields.Json(
        readonly=True, copy=False, help="Ponto's synchronizations that still ask the bank."
    )
    synchronization_refusal = fields.Text(
        readonly=True, copy=False, help="Why Ponto did not ask the bank at the last click."
    )

    def _ask_bank(self):
        """Have Ponto ask the bank on behalf of the person who is here, with that person's own public address.

        Only for a person: banks allow few unattended requests a day (API reference, section 1.5).
        """
        address = self._customer_ip(self.company_id)
        client = self.integration_id._client()
        # Ponto may refuse a new synchronization because an earlier one still runs: that one is still waited for.
        asked, failure = list(self.pending_synchronization_ids or []), None
        for subtype in SUBTYPES if address else ():
            try:
                asked.append(
                    client.create_synchronization(account_id=self.ponto_id, subtype=subtype, customer_ip=address).id
                )
            except PontoRecentlySynchronizedError:
                _logger.info("The bank was asked about online account %s a moment ago.", self.id)
            except PontoError as error:
                # Odoo can still read what Ponto has.
                failure = error
        self.pending_synchronization_ids = asked or False
        self.synchronization_refusal = failure and self.env._(
            "Ponto did not ask the bank for new transactions: %(reason)s", reason=error_sentence(self.env, failure)
        )

    def _is_bank_still_asked(self):
        """Return whether Ponto still waits for the bank. If the bank has refused, reading the account tells why."""
        asked = []
        client = self.integration_id._client()
        for synchronization_id in self.pending_synchronization_ids or []:
            try:
                synchronization = client.get_synchronization(synchronization_id=synchronization_id)
            except PontoError:
                # The read that follows says better what is the matter.
                continue
            if synchronization.status in ('pending', 'running'):
                asked.append(synchronization_id)
        if asked and not is_over(self.fetch_started_at, budget.BANK_ANSWER):
            return True
        self.pending_synchronization_ids = False
        return False

    @api.model
    def _customer_ip(self, company):
        """Return the public address of the person who is here, else that of the company's office, else ''."""
        addresses = [request.httprequest.remote_addr, company.ponto_office_ip] if request else []
        return next((address for address in addresses if self._is_public(address)), '')

    @api.model
    def _is_public(self, address):
        try:
            return ipaddress.ip_address(address or '').is_global
        except ValueError:
            return False

    def _remarks_on_asking(self):
        """Return what to say about asking the bank: that it takes a while, or why it was not asked."""
        refusals = sorted(set(filter(None, self.mapped('synchronization_refusal'))))
        if any(account.pending_synchronization_ids for account in self):
            return [
                *refusals,
                self.env._("Ponto is asking the bank for new transactions. They come in by themselves within minutes."),
            ]
        if refusals:
            return refusals
        if request and not all(self._customer_ip(company) for company in self.company_id):
            return [
                self.env._(
                    "The bank itself was not asked, because your computer has a private IP address. Odoo has read the"
                    " data that Ponto has, which is at most six hours old. An administrator can enter the office's"
                    " public IP address in the settings."
                )
            ]
        return []
