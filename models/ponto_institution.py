import base64
import logging
import re
from collections import deque
from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.tools import format_datetime, remove_accents
from odoo.tools.image import image_process

from ..ponto.errors import PontoConnectionError, PontoError, PontoNotFoundError
from ..ponto.logo import fetch_logo
from .conversions import naive_utc
from .error_sentences import error_sentence
from .moments import over_domain
from .turns import EndTurns, for_all_companies, in_turns

_logger = logging.getLogger(__name__)

LOGO_SIZE = 128  # pixels
LOGO_RETRY = timedelta(days=30)
# So many file servers out of reach one after the other: it is our own network.
UNREACHABLE_IN_A_ROW = 3


def plain(text):
    """Return the text as a search compares it: "Crédit" is found as "credit"."""
    return (remove_accents(text) or '').casefold()


class PontoInstitution(models.Model):
    """A financial institution in Ponto's catalogue; shared by all companies."""

    _name = 'ponto.institution'
    _inherit = 'ponto.mirror'
    _description = "Ponto Financial Institution"
    _order = 'name, id'

    ponto_id = fields.Char(string="Ponto ID", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    bic = fields.Char(string="BIC", readonly=True)
    country_id = fields.Many2one('res.country', readonly=True)
    status = fields.Selection([('stable', "Stable"), ('beta', "Beta"), ('experimental', "Experimental")], readonly=True)
    deprecated = fields.Boolean(readonly=True)
    logo_url = fields.Char(string="Logo URL", readonly=True)
    primary_color = fields.Char(readonly=True)
    time_zone = fields.Char(readonly=True)
    consent_days = fields.Integer(
        readonly=True, help="For how many days the bank's consent is expected to last; 0 where Ponto does not say."
    )
    maintenance_from = fields.Datetime(readonly=True)
    maintenance_to = fields.Datetime(readonly=True)
    maintenance_type = fields.Selection(
        [('internal', "No data access"), ('financialInstitution', "Existing data only")], readonly=True
    )
    active = fields.Boolean(default=True)
    logo = fields.Image(max_width=LOGO_SIZE, max_height=LOGO_SIZE, readonly=True)
    logo_tried_at = fields.Datetime(readonly=True, help="When the logo was last asked for.")

    search_key = fields.Char(compute='_compute_search_key', store=True, help="Name and BIC as a search compares them.")

    _ponto_id_uniq = models.UniqueIndex('(ponto_id)', "This institution is already in the catalogue.")

    @api.depends('name', 'bic')
    def _compute_search_key(self):
        for institution in self:
            # The tab sorts before all letters: "KBC" comes before "KBC Brussels", whatever their BICs.
            institution.search_key = plain(f"{institution.name}\t{institution.bic or ''}")

    # -------------------------------------------------------------------------
    # Pick
    # -------------------------------------------------------------------------

    @api.model
    def action_pick(self):
        """Open the window in which a person searches the catalogue and picks the bank to connect."""
        self.env['ponto.connect']._check_administrator()
        return {
            'type': 'ir.actions.client',
            'tag': 'account_online_ponto.institution_selector',
            'name': self.env._("Add a Bank Account"),
            'target': 'new',
            'context': {'dialog_size': 'large', 'footer': False},
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
            'logo': self._logo_address(),
            'color': self.primary_color if re.fullmatch(r'#[0-9a-fA-F]{6}', self.primary_color or '') else '',
        }

    def _logo_address(self):
        """Return where the copy of the logo is served, under another address after each change; '' without a copy."""
        if not (self.logo_tried_at and self.with_context(bin_size=True).logo):
            return ''
        return f'/web/image/{self._name}/{self.id}/logo?unique={self.logo_tried_at:%Y%m%d%H%M%S}'

    def _maintenance_sentence(self):
        """Return what to say while the institution is under maintenance, '' otherwise."""
        now = fields.Datetime.now()
        if (
            not self.maintenance_from
            or self.maintenance_from > now
            or (self.maintenance_to and self.maintenance_to <= now)
        ):
            return ''
        if not self.maintenance_to:
            return self.env._("Under maintenance")
        return self.env._(
            "Under maintenance until %(moment)s",
            moment=format_datetime(self.env, self.maintenance_to, dt_format='d MMMM HH:mm'),
        )

    # -------------------------------------------------------------------------
    # Catalogue
    # -------------------------------------------------------------------------

    @api.model
    def action_refresh_catalogue(self):
        """Read Ponto's catalogue now."""
        self.env['ponto.connect']._check_administrator()
        cron = self.env.ref('account_online_ponto.ir_cron_refresh_catalogue').sudo()
        try:
            # The scheduler holds this lock while it reads the catalogue.
            cron.lock_for_update(allow_referencing=True)
            self.sudo()._refresh_catalogue()
        except LockError as error:
            raise UserError(
                self.env._("The list of banks is being read at this moment. Wait a minute, then look again.")
            ) from error
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error

    @api.model
    @for_all_companies
    def _cron_refresh_catalogue(self):
        """Read Ponto's catalogue; never raises."""

        def failed(_catalogue, error):
            # What there is serves until the next time.
            _logger.warning("Ponto's catalogue of institutions could not be read", exc_info=error)

        in_turns(self.env, [self.browse()], lambda catalogue: catalogue._refresh_catalogue(), failed=failed)

    @api.model
    @for_all_companies
    def _cron_fetch_logos(self):
        """Keep copies of the logos that are missing; never raises.

        One that was not to be had is asked for again after a month. None is asked for while our own network is down.
        """
        waiting = self.search(
            Domain('logo_url', '!=', False)
            & (
                Domain('logo_tried_at', '=', False)
                | (Domain('logo', '=', False) & over_domain('logo_tried_at', LOGO_RETRY))
            )
        )
        last = deque(maxlen=UNREACHABLE_IN_A_ROW)

        def fetch(institution):
            last.append(institution._fetch_logo())
            if len(last) == UNREACHABLE_IN_A_ROW and not any(last):
                raise EndTurns

        in_turns(self.env, waiting, fetch)

    @api.model
    def _refresh_catalogue(self):
        """Bring the catalogue up to what Ponto lists now; what it lists no more is archived, unless it is in use."""
        resources = {
            resource.id: resource for resource in self.env['ponto.integration']._public_client().iter_institutions()
        }
        countries = self._countries_by_code()
        known = {institution.ponto_id: institution for institution in self.with_context(active_test=False).search([])}
        self.create(
            [
                self._prepare_institution_vals(resource, countries)
                for ponto_id, resource in resources.items()
                if ponto_id not in known
            ]
        )
        for ponto_id, institution in known.items():
            if ponto_id in resources:
                institution._update(self._prepare_institution_vals(resources[ponto_id], countries))
        gone = self.union(*(institution for ponto_id, institution in known.items() if ponto_id not in resources))
        in_use = self.env['ponto.link'].search([('institution_id', 'in', gone.ids)]).institution_id
        (gone - in_use).active = False
        self.env.ref('account_online_ponto.ir_cron_fetch_logos').sudo()._trigger()

    def _update(self, vals):
        if vals['logo_url'] != self.logo_url:
            vals = {**vals, 'logo_tried_at': False}
        self._write_changes({**vals, 'active': True})

    def _fetch_logo(self):
        """Keep a copy of the logo; without one the card shows an initial.

        :return: whether its server could be reached
        """
        self.logo_tried_at = fields.Datetime.now()
        try:
            picture = image_process(fetch_logo(self.logo_url), size=(LOGO_SIZE, LOGO_SIZE), verify_resolution=True)
        except PontoConnectionError as error:
            _logger.info("The logo of %s is out of reach: %s", self.name, error)
            return False
        except Exception as error:  # noqa: BLE001 - a broken picture makes the decoder raise whatever it stumbles on
            _logger.info("No logo of %s: %s", self.name, type(error).__name__)
            return True
        self.logo = base64.b64encode(picture)
        return True

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
            'time_zone': resource.time_zone,
            'consent_days': resource.authorization_days or 0,
            'maintenance_from': naive_utc(resource.maintenance_from),
            'maintenance_to': naive_utc(resource.maintenance_to),
            'maintenance_type': resource.maintenance_type
            if resource.maintenance_type in dict(self._fields['maintenance_type'].selection)
            else False,
        }

    def _local_zone(self):
        """Return the zone whose midnights are this bank's: as Ponto says, its country's only one, or Brussels'."""
        zones = pytz.country_timezones.get(self.country_id.code or '', [])
        guesses = [self.time_zone, *(zones if len(zones) == 1 else [])]
        return next((zone for zone in guesses if zone in pytz.common_timezones_set), 'Europe/Brussels')

    def _res_bank(self):
        """Return Odoo's bank with this institution's BIC, made if it is missing; empty without a BIC."""
        banks = self.env['res.bank'].sudo()
        if not self.bic:
            return banks
        return banks.search([('bic', '=', self.bic)], limit=1) or banks.create(
            {'name': self.name, 'bic': self.bic, 'country': self.country_id.id}
        )
