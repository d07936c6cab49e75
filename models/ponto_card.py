"""What the journal's dashboard card says of its bank feed."""
from odoo import models
from odoo.tools import format_date, format_datetime, formatLang


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        super()._fill_bank_cash_dashboard_data(dashboard_data)
        accounts = self.env['ponto.account'].search([('journal_id', 'in', self.ids)])
        for account in accounts:
            dashboard_data[account.journal_id.id]['ponto'] = account.sudo().with_context(
                tz=self.env.user.tz)._prepare_card_vals()


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _prepare_card_vals(self):
        """Return what the card shows; amounts and moments as texts in the user's language and time zone."""
        self.ensure_one()
        held = self.env['ponto.transaction'].search_count([('account_id', '=', self.id), ('state', '=', 'held')])
        return {
            'account_id': self.id,
            'link_id': self.link_id.id,
            'has_balance': self.has_balance,
            'bank_balance': self._card_amount(self.current_balance),
            'balance_date': format_date(self.env, self._balance_day()) if self.has_balance else '',
            'journal_balance': self._card_amount(self.journal_balance),
            'difference': self._card_amount(self.balance_difference),
            'is_equal': self.currency_id.is_zero(self.balance_difference),
            'explanation': self.balance_explanation or '',
            'bank_data_at': self._card_moment(self.bank_data_at),
            'last_read': self._card_moment(self.last_read_at),
            'next_read': self._card_moment(self.next_read_at if self.link_id.auto_synchronize else False),
            'consent_state': self.consent_state or '',
            'consent_message': self.consent_message or '',
            'error': self.error_message or self.bank_error_message or '',
            'is_withdrawn': self.state == 'withdrawn',
            'held_count': held,
            **self._fetch_progress_vals(),
        }

    def _card_amount(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _card_moment(self, moment):
        return format_datetime(self.env, moment, dt_format='short') if moment else ''
