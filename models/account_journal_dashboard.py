"""What the journal's dashboard card says of its bank feed."""

from odoo import fields, models
from odoo.tools import format_date, formatLang

from .rights import may_book, may_connect, may_look


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        super()._fill_bank_cash_dashboard_data(dashboard_data)
        for journal in self:
            count = dashboard_data[journal.id].get('number_to_reconcile')
            dashboard_data[journal.id]['to_reconcile_label'] = count and self.env._(
                "%(count)s to reconcile", count=count
            )
        accounts = self.env['ponto.account']
        if not may_look(self.env):
            return
        feeds = accounts.search([('journal_id', 'in', self.ids)])
        for feed, vals in feeds._prepare_cards_vals().items():
            dashboard_data[feed.journal_id.id]['ponto'] = vals
        if may_connect(self.env):
            for journal in self:
                dashboard_data[journal.id]['can_connect_ponto'] = (
                    journal.type in ('bank', 'credit')
                    and journal.company_id == self.env.company
                    and journal.bank_statements_source != 'ponto'
                )


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _prepare_cards_vals(self):
        """Return `{account: what its card shows}`; amounts are texts in the user's language, moments in UTC."""
        rights = {'can_fetch': may_book(self.env), 'can_reconnect': may_connect(self.env)}
        feeds = self.sudo()
        stages = feeds._fetch_stages()
        return {
            feed: {**feed._prepare_card_vals(), **feed._prepare_progress_vals(stages[feed]), **rights} for feed in feeds
        }

    def _prepare_card_vals(self):
        """Return what the card shows of this account itself."""
        self.ensure_one()
        is_equal = self.currency_id.is_zero(self.balance_difference)
        return {
            'link_id': self.link_id.id,
            'has_balance': self.has_balance,
            'bank_balance': self._card_amount(self.current_balance),
            'balance_date': format_date(self.env, self._balance_day()) if self.has_balance else '',
            'journal_balance': self._card_amount(self.journal_balance),
            'difference': self._card_amount(abs(self.balance_difference)),
            'is_bank_more': self.balance_difference > 0,
            'is_equal': is_equal,
            # Most of a card's queries are those of the explanation.
            'reasons': [] if is_equal else self.balance_reasons or [],
            'note': self.balance_note or '',
            'bank_data_at': self._card_moment(self.data_as_of),
            'last_read': self._card_moment(self.last_read_at),
            'next_read': self._card_moment(self.next_read_at),
            'is_automatic': self.link_id.auto_synchronize,
            'is_withdrawn': self.state == 'withdrawn',
            'problems': self.problems or [],
            'error': '\n'.join(
                problem['sentence']
                for problem in self.problems or ()
                if problem['code'] in ('failed', 'consent_refused', 'bank')
            ),
        }

    def _card_amount(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _card_moment(self, moment):
        return fields.Datetime.to_string(moment) or ''
