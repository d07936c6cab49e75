"""How the feeds are, as data for a monitoring system."""

from odoo import api, models

from .rights import check_may_look

# The lists of `get_health`, and the codes of the problems in each.
HEALTH = {
    'silent': ('silent',),
    'failed': ('failed', 'refused'),
    'withdrawn': ('withdrawn', 'disconnected'),
    'withdrawn_transactions': ('withdrawn_rows',),
    'consents_ending': ('consent_ending',),
    'consents_ended': ('consent_ended',),
    'refused_by_bank': ('consent_refused', 'bank'),
    'differences': ('difference',),
    'late': ('late',),
    'others': ('replaced', 'number', 'opening'),
}


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def get_health(self):
        """Tell how the feeds of the caller's companies are, for a monitoring system over JSON-RPC.

        :return: `{'is_healthy': bool, 'feeds': number of linked accounts, 'held': number of transactions to review,
            and for each key of `HEALTH` a list of `{'id', 'account', 'company', 'message', 'since' or 'until'}` with
            moments in UTC as ISO text, those of `differences` with `'amount'` (the bank's less Odoo's) and
            `'currency'`, those of `withdrawn_transactions` with their `'count'`}`
        """
        check_may_look(self.env)
        feeds = self.search([('journal_id', '!=', False)])
        problems = {feed: feed._problems() for feed in feeds}
        lists = {
            name: [
                feed._prepare_health_vals(problem)
                for feed in feeds
                for problem in problems[feed]
                if problem.code in codes
            ]
            for name, codes in HEALTH.items()
        }
        return {
            'is_healthy': not any(feeds.mapped('needs_attention')),
            'feeds': len(feeds),
            'held': sum(feeds.mapped('held_count')),
            **lists,
        }

    def _prepare_health_vals(self, problem):
        moments = {
            'silent': {'since': self._silent_since()},
            'consent_ending': {'until': self.authorization_expires_at},
            'consent_ended': {'since': self.authorization_expires_at},
            'consent_refused': {'since': self.data_as_of},
            'bank': {'since': self.data_as_of},
            'difference': {'since': self.unexplained_since},
            'withdrawn_rows': {'since': self._withdrawn_since()},
        }.get(problem.code, {'since': self.last_read_at})
        return {
            'id': self.id,
            'account': self.reference or self.name,
            'company': self.company_id.name,
            'message': problem.sentence,
            **{name: moment.isoformat() + 'Z' if moment else None for name, moment in moments.items()},
            **self._prepare_health_figures(problem.code),
        }

    def _prepare_health_figures(self, code):
        if code == 'difference':
            return {'amount': self._unexplained_difference(), 'currency': self.currency_id.name}
        return {'count': self.withdrawn_count} if code == 'withdrawn_rows' else {}

    def _withdrawn_since(self):
        """Return when the first of the transactions that wait as withdrawn was missing from Ponto's list."""
        rows = self._inbox().search([('account_id', 'in', self.ids), ('hold_reason', '=', 'withdrawn')])
        return min(filter(None, rows.mapped('missing_since')), default=False)
