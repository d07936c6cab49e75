"""Fetch Accounts: which banks and accounts a grant covers."""

import logging

from odoo import models
from odoo.exceptions import UserError

from ..ponto.errors import PontoError

_logger = logging.getLogger(__name__)


class PontoIntegration(models.Model):
    _inherit = 'ponto.integration'

    def _fetch_accounts(self):
        """Read the institutions and accounts of the grant; create or update links and accounts.

        :return: the `ponto.account` records that Ponto lets this grant read now
        :raises PontoError: when Ponto cannot be read; nothing is changed then
        """
        self.ensure_one()
        integration = self.sudo()
        client = integration._client()
        resources = list(client.iter_accounts())
        institutions = (
            self.env['ponto.institution']
            .sudo()
            ._ensure(client, {resource.institution_id for resource in resources if resource.institution_id})
        )
        integration._set_connected()
        links = integration._ensure_links(institutions, resources)
        integration._integrations_with(resources)._note_refusals()
        return self.env['ponto.account'].sudo()._update_from_grant(integration, links, resources).with_env(self.env)

    def _integrations_with(self, resources):
        """Return the company's other grants that count as accepted and read one of the account `resources` as well."""
        accounts = self.env['ponto.account'].search(
            [
                ('company_id', '=', self.company_id.id),
                ('integration_id', '!=', self.id),
                '|',
                ('ponto_id', 'in', [resource.id for resource in resources]),
                ('reference', 'in', [resource.reference for resource in resources if resource.reference]),
            ]
        )
        return accounts.integration_id.filtered(lambda integration: integration.state == 'connected')

    def _note_refusals(self):
        """Ask Ponto whether it still accepts these grants, and note those that it does not.

        An integration that was made anew at Ponto reads the accounts of the one before, which nobody has ended here.
        """
        for integration in self:
            try:
                next(iter(integration._client().iter_accounts()), None)
            except PontoError as error:
                integration._record_error(error)
            except UserError:
                # Certificates of Ponto Connect that cannot be used say nothing of the grant.
                _logger.info("Whether Ponto accepts integration %s could not be asked.", integration.id)

    def _ensure_links(self, institutions, resources):
        """Return `{Ponto institution id or None: ponto.link}` for all institutions of the account `resources`."""
        by_ponto_id = {institution.ponto_id: institution for institution in institutions}
        links = {link.institution_id.ponto_id or None: link for link in self.link_ids}
        missing = {resource.institution_id or None for resource in resources} - set(links)
        created = self.env['ponto.link'].create(
            [
                {'integration_id': self.id, 'institution_id': by_ponto_id[ponto_id].id if ponto_id else False}
                for ponto_id in sorted(missing, key=str)
            ]
        )
        return {**links, **{link.institution_id.ponto_id or None: link for link in created}}
