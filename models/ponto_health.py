"""Is everything well? One look for the administrator, the same as data for a monitoring system, and an activity for
whoever is responsible for a feed that has fallen silent. Two models share the subject."""

import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime

from .ponto_consent import AGAIN_AFTER
from .rights import check_may_look

_logger = logging.getLogger(__name__)

SILENT_AFTER = timedelta(days=1)
ACTIVITY = 'account_online_ponto.mail_activity_type_silence'


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    needs_attention = fields.Boolean(compute='_compute_health', search='_search_needs_attention')
    health_message = fields.Text(string="What is the Matter", compute='_compute_health')
    is_silence_told = fields.Boolean(
        readonly=True, copy=False, help="The responsible person has been told that nothing comes in."
    )

    @api.depends_context('lang', 'tz')
    @api.depends(
        'journal_id',
        'state',
        'error_message',
        'bank_error_message',
        'last_read_at',
        'bank_data_at',
        'consent_state',
        'consent_message',
        'transaction_ids.state',
    )
    def _compute_health(self):
        held = dict(
            self.env['ponto.transaction']._read_group(
                [('state', '=', 'held'), ('account_id', 'in', self.ids)], ['account_id'], ['__count']
            )
        )
        for account in self:
            sentences = account._health_sentences(held.get(account, 0)) if account.journal_id else []
            account.needs_attention = bool(sentences)
            account.health_message = '\n'.join(sentences)

    def _search_needs_attention(self, operator, value):
        if operator != 'in':
            return NotImplemented
        feeds = self.search([('journal_id', '!=', False)])
        return [('id', 'in', feeds.filtered('needs_attention').ids)]

    def _health_sentences(self, held):
        """Return what is the matter with this feed, of which `held` transactions are to review."""
        return list(
            filter(
                None,
                [
                    self._silence_message(),
                    self.error_message if self.state == 'error' else False,
                    self.env._("Odoo may no longer read this account. Use Fetch Accounts to give the permission again.")
                    if self.state == 'withdrawn'
                    else False,
                    self.consent_message,
                    self.bank_error_message,
                    self.env._("To review: %(held)s.", held=held) if held else False,
                ],
            )
        )

    def _silent_since(self):
        """Return since when nothing comes in from this feed, naive in UTC; False if something does, or nobody waits.

        A bank that Ponto has not reached for so long is silent as well, and one that Ponto has not asked for twice as
        long, whatever the reason: it does so four times a day (API reference, section 1.5). Without automatic
        synchronization nothing comes in by itself anyway.
        """
        if not self.journal_id or not self.link_id.auto_synchronize:
            return False
        heard_at = self.last_read_at or self.create_date
        is_asked = self.bank_data_at and self.bank_data_at >= fields.Datetime.now() - 2 * SILENT_AFTER
        if self.bank_data_at and (self.bank_error_code or not is_asked):
            heard_at = min(heard_at, self.bank_data_at)
        return heard_at < fields.Datetime.now() - SILENT_AFTER and heard_at

    def _silence_message(self):
        since = self._silent_since()
        return since and self.env._(
            "Nothing has come in since %(moment)s.", moment=format_datetime(self.env, since, dt_format='short')
        )

    @api.model
    def get_health(self):
        """Tell how the feeds of the caller's companies are, for a monitoring system over JSON-RPC.

        :return: `{'is_healthy': bool, 'feeds': number of linked accounts, 'silent', 'failed', 'consents_ending',
            'consents_ended', 'withdrawn': lists of `{'id', 'account', 'company', 'since' or 'until', 'message'}` with
            moments in UTC as ISO text, 'held': number of transactions to review}`
        """
        check_may_look(self.env)
        feeds = self.search([('journal_id', '!=', False)])
        health = {
            'silent': [
                feed._health_vals(since=feed._silent_since(), message=feed._silence_message())
                for feed in feeds
                if feed._silent_since()
            ],
            'failed': [
                feed._health_vals(since=feed.last_read_at, message=feed.error_message)
                for feed in feeds
                if feed.state == 'error'
            ],
            'withdrawn': [feed._health_vals() for feed in feeds if feed.state == 'withdrawn'],
            'consents_ending': [
                feed._health_vals(until=feed.authorization_expires_at, message=feed.consent_message)
                for feed in feeds
                if feed.consent_state == 'ending'
            ],
            'consents_ended': [
                feed._health_vals(since=feed.authorization_expires_at, message=feed.consent_message)
                for feed in feeds
                if feed.consent_state == 'ended'
            ],
        }
        held = self.env['ponto.transaction'].search_count([('state', '=', 'held'), ('account_id', 'in', feeds.ids)])
        return {'is_healthy': not any(health.values()) and not held, 'feeds': len(feeds), 'held': held, **health}

    def _health_vals(self, message=False, **moments):
        return {
            'id': self.id,
            'account': self.reference or self.name,
            'company': self.company_id.name,
            'message': message or '',
            **{name: moment.isoformat() + 'Z' if moment else None for name, moment in moments.items()},
        }

    # -------------------------------------------------------------------------
    # Telling somebody of a silence, once
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Whatever ends a silence takes its activity away."""
        res = super().write(vals)
        if vals.get('last_read_at'):
            over = self.filtered(lambda account: account.is_silence_told and not account._silent_since())
            over.is_silence_told = False
            over.link_id._show_silence()
        return res

    def _is_silence_to_tell(self):
        """Return whether somebody should hear that nothing comes in who has not heard it in another way.

        Who has withdrawn the account, disconnected the bank, or let the consent end, knows or has been told. In a
        neutralized copy everything is disconnected.
        """
        return bool(
            self.state != 'withdrawn'
            and self.integration_id.state != 'draft'
            and self.consent_state != 'ended'
            and self._silent_since()
        )


class PontoLink(models.Model):
    _inherit = 'ponto.link'

    @api.model
    def _cron_tell_silence(self):
        """Tell the responsible people which feeds have fallen silent, once for each silence; never raises."""
        cron = self.env['ir.cron']
        links = self.search(
            [('account_ids', 'any', ['|', ('journal_id', '!=', False), ('is_silence_told', '=', True)])]
        )
        cron._commit_progress(remaining=len(links))
        for link in links:
            try:
                if link._lock_with_accounts():
                    link.with_company(link.company_id)._tell_silence()
                else:
                    self.env.ref('account_online_ponto.ir_cron_tell_silence')._trigger(
                        at=fields.Datetime.now() + AGAIN_AFTER
                    )
            except Exception:  # one must not keep others from being told
                self.env.cr.rollback()
                _logger.exception("Telling of the silence of online synchronization %s failed", link.id)
            # No look at the clock: whoever comes back would begin anew with the same, and each takes an instant.
            cron._commit_progress(1)

    def _tell_silence(self):
        changed = self.account_ids.filtered(lambda account: account.is_silence_told != account._is_silence_to_tell())
        for account in changed:
            account.is_silence_told = not account.is_silence_told
        if changed:
            self._show_silence()

    def _show_silence(self):
        """Leave one activity on each link that names the accounts whose silence is told, and none without any."""
        self.activity_unlink([ACTIVITY])
        for link in self:
            silent = link.account_ids.filtered('is_silence_told')
            if silent:
                user = link._responsible()
                silent = silent.with_context(lang=user.lang, tz=user.tz)
                # An activity is enough: no mail about it.
                link.with_context(lang=user.lang, mail_activity_quick_update=True).activity_schedule(
                    ACTIVITY,
                    user_id=user.id,
                    summary=silent.env._("No news from the bank"),
                    note=Markup('<ul>%s</ul>')
                    % Markup().join(
                        Markup('<li>%s: %s %s</li>')
                        % (
                            account.name,
                            account._silence_message(),
                            account.error_message or account.bank_error_message or '',
                        )
                        for account in silent
                    ),
                )
