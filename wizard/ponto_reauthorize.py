from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from ..models.conversions import local_date
from ..models.error_sentences import error_sentence
from ..ponto.errors import PontoError
from .ponto_connect import PONTO_URL

# Whoever comes back from Ponto has renewed a consent within this time.
JUST_NOW = timedelta(hours=1)


class PontoReauthorize(models.TransientModel):
    """Reconnect: renew the bank's consent, and see whether it was renewed."""

    _name = 'ponto.reauthorize'
    _description = "Renew a Bank's Consent"

    link_id = fields.Many2one('ponto.link', required=True, readonly=True, ondelete='cascade')
    connection = fields.Selection(related='link_id.integration_id.connection')
    account_ids = fields.Many2many('ponto.account', compute='_compute_account_ids')
    message = fields.Text(readonly=True)
    is_renewed = fields.Boolean(readonly=True)

    @api.depends('link_id')
    def _compute_account_ids(self):
        for wizard in self:
            wizard.account_ids = wizard.link_id.account_ids.filtered('journal_id') or wizard.link_id.account_ids

    @api.model
    def _open_for(self, link):
        return self.create({'link_id': link.id})._open()

    @api.model
    def action_continue(self):
        """Say, after the return from Ponto, what the renewal has brought."""
        link = self.env['ponto.link'].browse(request.session.pop('ponto_renewed_link', False) or []).exists()
        link.check_access('write')
        if not link:
            return self.env['ir.actions.act_window']._for_xml_id('account_online_ponto.ponto_link_action')
        dialog = self.create({'link_id': link.id}).action_check()
        return {
            'type': 'ir.actions.client',
            'tag': 'account_online_ponto.return_from_ponto',
            'params': {'behind': 'account_online_ponto.ponto_link_action', 'dialog': dialog},
        }

    def _open(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Reconnect %(institution)s", institution=self.link_id.name),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_open_ponto(self):
        """Open Ponto's site, where the consent of a direct integration is renewed, in a new tab."""
        return {'type': 'ir.actions.act_url', 'url': PONTO_URL, 'target': 'new'}

    def action_renew(self):
        """Go to Ponto's page where the consent that ends first is renewed (Ponto Connect)."""
        self.ensure_one()
        self.link_id.check_access('write')
        if self.link_id.integration_id.connection != 'connect':
            return self.action_open_ponto()
        due = self.account_ids.filtered(lambda account: not self._is_valid(account)) or self.account_ids
        account = due.sorted(lambda account: account.authorization_expires_at or fields.Datetime.now())[:1]
        try:
            url = self.link_id.integration_id._reauthorization_url(account, self.link_id)
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        return {'type': 'ir.actions.act_url', 'url': url, 'target': 'self'}

    def action_check(self):
        """Read the accounts again, say of each whether its consent is valid, and fetch what was missed."""
        self.ensure_one()
        self.link_id.check_access('write')
        before = {account: account.authorization_expires_at for account in self.account_ids}
        try:
            self.link_id.integration_id._fetch_accounts()
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        accounts = self.account_ids
        moved = accounts.filtered(
            lambda account: account.authorization_expires_at and account.authorization_expires_at != before[account]
        )
        self.message = '\n'.join(self._outcome(account, account in moved) for account in accounts)
        self.is_renewed = all(account in moved or self._is_valid(account) for account in accounts)
        self.link_id.sudo()._tell_problems()
        # The gap since the old consent ended is filled by the next run.
        linked = accounts.filtered(lambda account: account.journal_id and account.state != 'withdrawn')
        linked.sudo()._plan_read(fields.Datetime.now())
        return self._open()

    @api.model
    def _is_valid(self, account):
        """Return whether this account's consent needs no renewal, as one that was given a moment ago."""
        given_at = account.authorized_at
        is_fresh = given_at and given_at >= fields.Datetime.now() - JUST_NOW
        return account.state != 'withdrawn' and (is_fresh or account.consent_state not in ('ending', 'ended'))

    def _outcome(self, account, moved):
        name = self._tell_apart(account)
        if account.state == 'withdrawn':
            return self.env._("%(account)s: Odoo may not read it any more. Use Fetch Accounts.", account=name)
        if not account.authorization_expires_at:
            return self.env._("%(account)s: the bank's consent has no end date.", account=name)
        day = format_date(self.env, local_date(account.authorization_expires_at, account.time_zone))
        if moved:
            return self.env._("%(account)s: the consent was renewed until %(date)s.", account=name, date=day)
        if self._is_valid(account):
            return self.env._("%(account)s: the consent is valid until %(date)s.", account=name, date=day)
        return self.env._(
            "%(account)s: the consent was not renewed and still ends on %(date)s.", account=name, date=day
        )

    def _tell_apart(self, account):
        """Return the account's number, with what else it tells where another account here has the same one."""
        shares = len(self.account_ids.filtered(lambda other: other.reference == account.reference)) > 1
        return account.name if shares or not account.reference else account.reference
