import base64
import logging
import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_datetime

from ..ponto.errors import PontoError, PontoNotFoundError
from ..ponto.logo import fetch_logo
from .conversions import naive_utc
from .error_sentences import error_sentence

_logger = logging.getLogger(__name__)


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
    logo = fields.Image(max_width=128, max_height=128, readonly=True)
    logo_tried_at = fields.Datetime(readonly=True, help="When the logo was last asked for.")

    _ponto_id_uniq = models.UniqueIndex('(ponto_id)', "This institution is already in the catalogue.")

    # -------------------------------------------------------------------------
    # Search
    # -------------------------------------------------------------------------

    @api.model
    def search_catalogue(self, text='', offset=0, limit=60):
        """Return the institutions that a person can pick, those of the company's country first.

        :param text: words that must all be in the name, BIC or country
        :return: `{'institutions': [values of a card], 'has_more': bool, 'is_empty': bool}`; empty means that there
            is no catalogue at all yet
        """
        self.check_access('read')
        domain = Domain('deprecated', '=', False) & Domain.AND(
            Domain('name', 'ilike', word) | Domain('bic', 'ilike', word) | Domain('country_id.name', 'ilike', word)
            for word in text.split()[:10])
        own = Domain('country_id', '=', self.env.company.country_id.id)
        limit = min(limit, 200)
        # One more than asked for tells whether there are more.
        found = self.search(domain & own, offset=offset, limit=limit + 1)
        if len(found) <= limit:
            passed = self.search_count(domain & own)
            found += self.search(domain & ~own, offset=max(0, offset - passed), limit=limit + 1 - len(found))
        return {
            'institutions': [institution._prepare_card_vals() for institution in found[:limit]],
            'has_more': len(found) > limit,
            'is_empty': not found and not self.search_count([], limit=1),
        }

    def _prepare_card_vals(self):
        return {
            'id': self.id,
            'name': self.name,
            'country': self.country_id.name or self.env._("International"),
            'bic': self.bic or '',
            'status': self.status or '',
            'status_name': dict(self._fields['status']._description_selection(self.env)).get(self.status, ''),
            'maintenance': self._maintenance_sentence(),
            'has_logo': bool(self.logo_tried_at and self.logo),
            'color': self.primary_color if re.fullmatch(r'#[0-9a-fA-F]{3,8}', self.primary_color or '') else '',
        }

    def _maintenance_sentence(self):
        """Return what to say while the institution is under maintenance, '' otherwise."""
        now = fields.Datetime.now()
        if not self.maintenance_from or self.maintenance_from > now or (
                self.maintenance_to and self.maintenance_to <= now):
            return ''
        if not self.maintenance_to:
            return self.env._("Under maintenance")
        return self.env._("Under maintenance until %(moment)s", moment=format_datetime(self.env, self.maintenance_to))

    # -------------------------------------------------------------------------
    # Catalogue
    # -------------------------------------------------------------------------

    @api.model
    def action_refresh_catalogue(self):
        """Read Ponto's catalogue now."""
        self.env['ponto.connect']._check_administrator()
        try:
            self.sudo()._refresh_catalogue()
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error

    @api.model
    def _cron_refresh_catalogue(self):
        """Read Ponto's catalogue, then the logos that are missing; never raises."""
        cron = self.env['ir.cron']
        try:
            self._refresh_catalogue()
        except PontoError:
            self.env.cr.rollback()
            _logger.warning("Ponto's catalogue of institutions could not be read", exc_info=True)
            return
        without_logo = self.search([('logo_url', '!=', False), ('logo_tried_at', '=', False)])
        if not cron._commit_progress(remaining=len(without_logo)):
            return
        for institution in without_logo:
            institution._fetch_logo()
            if not cron._commit_progress(1):
                break

    @api.model
    def _refresh_catalogue(self):
        """Bring the catalogue up to what Ponto lists now; what it lists no more is archived, unless it is in use."""
        resources = {resource.id: resource for resource in
                     self.env['ponto.integration']._public_client().iter_institutions()}
        countries = self._countries_by_code()
        known = {institution.ponto_id: institution for institution in self.with_context(active_test=False).search([])}
        self.create([self._prepare_institution_vals(resource, countries)
                     for ponto_id, resource in resources.items() if ponto_id not in known])
        for ponto_id, institution in known.items():
            if ponto_id in resources:
                institution._write_changes(self._prepare_institution_vals(resources[ponto_id], countries))
        gone = self.union(*(institution for ponto_id, institution in known.items() if ponto_id not in resources))
        in_use = self.env['ponto.link'].search([('institution_id', 'in', gone.ids)]).institution_id
        (gone - in_use).active = False

    def _write_changes(self, vals):
        vals = {**vals, 'active': True}
        if vals['logo_url'] != self.logo_url:
            vals['logo_tried_at'] = False
        current = self._convert_to_write({name: self[name] for name in vals})
        changed = {name: value for name, value in vals.items() if (current[name] or False) != (value or False)}
        if changed:
            self.write(changed)

    def _fetch_logo(self):
        """Keep a copy of the logo; without one the card shows the name."""
        self.logo_tried_at = fields.Datetime.now()
        try:
            with self.env.cr.savepoint():
                self.logo = base64.b64encode(fetch_logo(self.logo_url))
        except (PontoError, UserError) as error:
            _logger.info("No logo of %s: %s", self.name, type(error).__name__)

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
