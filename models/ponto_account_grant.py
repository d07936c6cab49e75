"""Which accounts a grant covers: recognize, update, withdraw."""

from odoo import api, models

from .conversions import naive_utc


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def _update_from_grant(self, integration, links, resources):
        """Create or update the accounts of `integration` from all account `resources` that Ponto lists for it.

        - An account that Ponto lists under a new id stays the same record if what Ponto tells leaves no doubt (see
          `identity`). Nothing of it is imported again.
        - If there is a doubt, it becomes an account of its own, without a journal, and the wizard asks.
        - An account that Ponto no longer lists is marked as not authorized.
        - An account that another connected integration of the company reads stays with that integration.

        :param links: `{Ponto institution id or None: ponto.link}`
        :return: the accounts that this integration reads
        """
        known = self.search([('company_id', '=', integration.company_id.id)])
        elsewhere = known.filtered(lambda account: account.integration_id != integration and account._is_authorized())
        by_ponto_id = {account.ponto_id: account for account in known}
        listed = {resource.id: resource for resource in resources}
        lost = (known - elsewhere).filtered(lambda account: account.ponto_id not in listed)
        unknown = {ponto_id: resource for ponto_id, resource in listed.items() if ponto_id not in by_ponto_id}
        by_ponto_id.update(lost._recognize(integration, links, unknown))
        accounts = self.browse()
        for resource in resources:
            account = by_ponto_id.get(resource.id, self.browse())
            if account in elsewhere:
                continue
            accounts += account._update_or_create(links[resource.institution_id or None], resource)
        (integration.account_ids - accounts)._set_withdrawn()
        return accounts

    def _update_or_create(self, link, resource):
        """Return this account, or a new one if there is none yet, as `resource` describes it at `link`."""
        vals = {**self._prepare_account_vals(resource), 'link_id': link.id}
        if not self:
            return self.create({**vals, 'time_zone': link.institution_id._local_zone()})
        if self.ponto_id != resource.id:
            # Ponto gives the transactions of such an account new ids as well.
            self._begin_sweep()
        self._mirror(vals)
        self._set_authorized()
        return self

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
            'internal_reference': resource.internal_reference,
            'currency_code': resource.currency,
            'has_balance': resource.current_balance is not None,
            'current_balance': float(resource.current_balance or 0),
            'balance_date': naive_utc(balance_date),
            'balance_changed_at': naive_utc(resource.current_balance_changed_at),
            'bank_data_at': naive_utc(resource.synchronized_at),
            'authorized_at': naive_utc(resource.authorized_at),
            'authorization_expires_at': naive_utc(resource.authorization_expires_at),
            'availability': resource.availability,
            'deprecated': resource.deprecated,
            'bank_error_code': error and (error.code or 'error'),
            'bank_error_detail': error and error.detail,
        }
