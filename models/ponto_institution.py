from odoo import api, fields, models

from ..ponto.errors import PontoNotFoundError
from .conversions import naive_utc


class PontoInstitution(models.Model):
    """A financial institution in Ponto's catalogue; shared by all companies."""
    _name = 'ponto.institution'
    _description = "Ponto Financial Institution"
    _order = 'name, id'

    ponto_id = fields.Char(string="Ponto ID", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    bic = fields.Char(string="BIC", readonly=True)
    country_id = fields.Many2one('res.country', readonly=True)
    status = fields.Selection(
        [('stable', "Stable"), ('beta', "Beta"), ('experimental', "Experimental")], readonly=True)
    deprecated = fields.Boolean(readonly=True)
    logo_url = fields.Char(string="Logo URL", readonly=True)
    primary_color = fields.Char(readonly=True)
    maintenance_from = fields.Datetime(readonly=True)
    maintenance_to = fields.Datetime(readonly=True)
    maintenance_type = fields.Selection(
        [('internal', "No data access"), ('financialInstitution', "Existing data only")], readonly=True)
    active = fields.Boolean(default=True)

    _ponto_id_uniq = models.UniqueIndex('(ponto_id)', "This institution is already in the catalogue.")

    @api.model
    def _ensure(self, client, ponto_ids):
        """Return the institutions with these Ponto ids; those not known yet are read through `client` first.

        An institution that has left Ponto's catalogue is kept under its id, so that its accounts can still be shown.
        """
        known = self.with_context(active_test=False).search([('ponto_id', 'in', list(ponto_ids))])
        missing = sorted(set(ponto_ids) - set(known.mapped('ponto_id')))
        countries = self._countries_by_code() if missing else {}
        return known + self.create([self._read_vals(client, ponto_id, countries) for ponto_id in missing])

    @api.model
    def _countries_by_code(self):
        return {country.code: country.id for country in self.env['res.country'].search([])}

    def _read_vals(self, client, ponto_id, countries):
        try:
            return self._prepare_institution_vals(client.get_institution(institution_id=ponto_id), countries)
        except PontoNotFoundError:
            return {'ponto_id': ponto_id, 'name': self.env._("Bank without a name"), 'deprecated': True}

    def _prepare_institution_vals(self, resource, countries):
        """Return the values of a `ponto.institution` for an `Institution` as Ponto reports it.

        :param countries: `{ISO code: res.country id}`
        """
        return {
            'ponto_id': resource.id,
            'name': resource.name or resource.bic or resource.id,
            'bic': resource.bic,
            'country_id': countries.get(resource.country, False),
            'status': resource.status if resource.status in dict(self._fields['status'].selection) else False,
            'deprecated': resource.deprecated,
            'logo_url': resource.logo_url,
            'primary_color': resource.primary_color,
            'maintenance_from': naive_utc(resource.maintenance_from),
            'maintenance_to': naive_utc(resource.maintenance_to),
            'maintenance_type': resource.maintenance_type
            if resource.maintenance_type in dict(self._fields['maintenance_type'].selection) else False,
        }


    def _res_bank(self):
        """Return Odoo's bank with this institution's BIC, made if it is missing; empty without a BIC."""
        banks = self.env['res.bank'].sudo()
        if not self.bic:
            return banks
        return banks.search([('bic', '=', self.bic)], limit=1) or banks.create({
            'name': self.name, 'bic': self.bic, 'country': self.country_id.id})
