"""Is everything well? One look for the administrator, the same as data for a monitoring system."""
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

SILENT_AFTER = timedelta(days=1)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def get_health(self):
        """Tell how the feeds of the caller's companies are, for a monitoring system over JSON-RPC.

        :return: `{'is_healthy': bool, 'feeds': number of linked accounts, 'silent', 'failed', 'consents_ending',
            'consents_ended', 'withdrawn': lists of `{'id', 'account', 'company', 'since' or 'until', 'message'}` with
            moments in UTC as ISO text, 'held': number of transactions to review}`
        """
        user = self.env.user
        if not (user.has_group('account.group_account_readonly') or user.has_group('account.group_account_manager')):
            raise AccessError(self.env._("Only accountants may see how the bank feeds are."))
        feeds = self.search([('journal_id', '!=', False)])
        silent_since = fields.Datetime.now() - SILENT_AFTER
        health = {
            'silent': [feed._health_vals(since=feed.last_read_at) for feed in feeds
                       if not feed.last_read_at or feed.last_read_at < silent_since],
            'failed': [feed._health_vals(since=feed.last_read_at, message=feed.error_message)
                       for feed in feeds if feed.state == 'error'],
            'withdrawn': [feed._health_vals() for feed in feeds if feed.state == 'withdrawn'],
            'consents_ending': [feed._health_vals(until=feed.authorization_expires_at, message=feed.consent_message)
                                for feed in feeds if feed.consent_state == 'ending'],
            'consents_ended': [feed._health_vals(since=feed.authorization_expires_at, message=feed.consent_message)
                               for feed in feeds if feed.consent_state == 'ended'],
        }
        held = self.env['ponto.transaction'].search_count([('state', '=', 'held'), ('account_id', 'in', feeds.ids)])
        return {'is_healthy': not any(health.values()) and not held, 'feeds': len(feeds), 'held': held, **health}

    def _health_vals(self, message=False, **moments):
        return {
            'id': self.id, 'account': self.reference or self.name, 'company': self.company_id.name,
            'message': message or '',
            **{name: moment.isoformat() + 'Z' if moment else None for name, moment in moments.items()},
        }
