from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from ..models.error_sentences import error_sentence
from ..ponto.errors import PontoError
from .ponto_connect import PONTO_URL


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
        account = self.account_ids.sorted(lambda account: account.authorization_expires_at or fields.Datetime.now())[:1]
        try:
            url = self.link_id.integration_id._reauthorization_url(account, self.link_id)
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        return {'type': 'ir.actions.act_url', 'url': url, 'target': 'self'}

    def action_check(self):
        """Read the accounts again and say for each whether the end of its consent has moved; fetch what was missed."""
        self.ensure_one()
        self.link_id.check_access('write')
        before = {account: account.authorization_expires_at for account in self.account_ids}
        try:
            self.link_id.integration_id._fetch_accounts()
        except PontoError as error:
            raise UserError(error_sentence(self.env, error)) from error
        renewed = self.account_ids.filtered(
            lambda account: (
                (account.authorization_expires_at or before[account])
                and (not before[account] or account.authorization_expires_at > before[account])
            )
        )
        self.message = '\n'.join(self._outcome(account, account in renewed) for account in self.account_ids)
        self.is_renewed = renewed == self.account_ids
        self.link_id.sudo()._tell_problems()
        # The gap since the old consent ended is filled by the next run.
        renewed.filtered('journal_id').sudo().write({'next_read_at': fields.Datetime.now()})
        self.env.ref('account_online_ponto.ir_cron_synchronize').sudo()._trigger()
        return self._open()

    def _outcome(self, account, renewed):
        number = account.reference or account.name
        if not account.authorization_expires_at:
            return self.env._("%(account)s: Ponto tells no end of the consent.", account=number)
        day = format_date(self.env, account.authorization_expires_at)
        if renewed:
            return self.env._("%(account)s: renewed, valid until %(date)s.", account=number, date=day)
        return self.env._("%(account)s: not renewed, it ends on %(date)s as before.", account=number, date=day)
