"""Which accounts a grant covers: recognise, update, withdraw."""

from odoo import api, models
from odoo.addons.base.models.res_bank import sanitize_account_number

from .conversions import naive_utc


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def _update_from_grant(self, integration, links, resources):
        """Create or update the accounts of `integration` from all account `resources` that Ponto lists for it.

        An account that Ponto lists under a new id after a renewed consent, or through a new integration after the old
        one has ended, is recognised by its id or by number, currency and institution, and stays the same record:
        nothing is imported again. One that is listed no more is marked as not authorized. One that another live
        integration of the company reads stays with that one.

        :param links: `{Ponto institution id or None: ponto.link}`
        :return: the accounts that this integration reads
        """
        known = self.search([('company_id', '=', integration.company_id.id)])
        elsewhere = known.filtered(lambda account: account.integration_id != integration and account._is_authorized())
        by_ponto_id = {account.ponto_id: account for account in known}
        listed = {resource.id for resource in resources}
        lost = {
            self._identity(account.institution_id, account): account
            for account in known - elsewhere
            if account.ponto_id not in listed
        }
        accounts = self.browse()
        for resource in resources:
            link = links[resource.institution_id or None]
            vals = self._prepare_account_vals(resource)
            identity = self._identity(link.institution_id, vals)
            account = by_ponto_id.get(resource.id) or (identity and lost.pop(identity, None)) or self.browse()
            if account in elsewhere:
                continue
            if account:
                if account.ponto_id != resource.id:
                    # Its rows have new ids as well.
                    account._begin_sweep()
                account._write_changes({**vals, 'link_id': link.id})
                account._set_authorized()
            else:
                account = self.create({**vals, 'link_id': link.id, 'time_zone': link.institution_id._local_zone()})
            accounts += account
        (integration.account_ids - accounts)._set_withdrawn()
        return accounts

    def _is_authorized(self):
        return self.state != 'withdrawn' and self.integration_id.state == 'connected'

    @api.model
    def _identity(self, institution, vals):
        """Return what tells one account of a company from another, whatever id Ponto gives it; None: nothing does."""
        number = sanitize_account_number(vals['reference'])
        return (institution.id, number, vals['currency_code']) if number else None

    @api.model
    def _prepare_account_vals(self, resource):
        """Return the values of a `ponto.account` for an `Account` as Ponto reports it."""
        balance_date = resource.current_balance_reference_date or resource.current_balance_changed_at
        synchronization = resource.latest_synchronization
        error = next(iter(synchronization.errors if synchronization else ()), None)
        return {
            'ponto_id': resource.id,
            'reference': resource.reference,
            'reference_type': resource.reference_type,
            'subtype': resource.subtype,
            'description': resource.description,
            'holder_name': resource.holder_name,
            'product': resource.product,
            'currency_code': resource.currency,
            'has_balance': resource.current_balance is not None,
            'current_balance': float(resource.current_balance or 0),
            'available_balance': float(resource.available_balance or 0),
            'balance_date': naive_utc(balance_date),
            'bank_data_at': naive_utc(resource.synchronized_at),
            'authorized_at': naive_utc(resource.authorized_at),
            'authorization_expires_at': naive_utc(resource.authorization_expires_at),
            'availability': resource.availability,
            'deprecated': resource.deprecated,
            'bank_error_code': error and (error.code or 'error'),
            'bank_error_detail': error and error.detail,
        }
