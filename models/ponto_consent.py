"""The bank's consent: how long it lasts, and who is told before it ends. Two models share the subject."""
import logging

from odoo import api, fields, models
from odoo.tools import format_date

from .conversions import local_date

_logger = logging.getLogger(__name__)

ACTIVITY = 'account_online_ponto.mail_activity_type_consent'
MAIL_TEMPLATE = 'account_online_ponto.mail_template_consent'
# Days before the end at which somebody is told, unless a system parameter says otherwise.
REMINDER_DAYS = '14,3,0'
# From so many days before the end on, screens tell when the consent ends.
SHOWN_DAYS = 30


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    consent_state = fields.Selection(
        [('valid', "Valid"), ('ending', "Ending"), ('ended', "Ended")], compute='_compute_consent')
    consent_message = fields.Char(compute='_compute_consent')

    @api.depends('authorization_expires_at', 'time_zone')
    def _compute_consent(self):
        for account in self:
            days = account._consent_days_left()
            account.consent_state = (
                False if days is None else 'ended' if days <= 0 and account._is_consent_over()
                else 'ending' if days <= SHOWN_DAYS else 'valid')
            account.consent_message = account._consent_message(days)

    def _consent_days_left(self):
        """Return the days until the consent ends, 0 on its last day, negative afterwards; None without an end."""
        if not self.authorization_expires_at:
            return None
        today = fields.Date.context_today(self.with_context(tz=self.time_zone))
        return (local_date(self.authorization_expires_at, self.time_zone) - today).days

    def _is_consent_over(self):
        return self.authorization_expires_at <= fields.Datetime.now()

    def _consent_message(self, days):
        if self.consent_state == 'ended':
            return self.env._(
                "The bank's consent ended on %(date)s: nothing new comes in since then.",
                date=format_date(self.env, local_date(self.authorization_expires_at, self.time_zone)))
        if self.consent_state == 'ending':
            return self.env._("The bank's consent ends today.") if days == 0 else self.env._(
                "The bank's consent ends tomorrow.") if days == 1 else self.env._(
                "The bank's consent ends in %(days)s days.", days=days)
        return False


class PontoLink(models.Model):
    _inherit = 'ponto.link'

    consent_reminder = fields.Char(readonly=True, copy=False, help="The reminder that was given last: end and days.")

    @api.model
    def _cron_remind_consent(self):
        """Tell the responsible people which consents are about to end, once for each reminder; never raises."""
        cron = self.env['ir.cron']
        links = self.search([('account_ids.journal_id', '!=', False)])
        cron._commit_progress(remaining=len(links))
        for link in links:
            if link.try_lock_for_update(allow_referencing=True):
                try:
                    link.with_company(link.company_id)._remind_consent()
                except Exception:  # a mail server that fails must not keep others from being told
                    self.env.cr.rollback()
                    _logger.exception("Reminding of the consent of online synchronization %s failed", link.id)
            if not cron._commit_progress(1):
                break

    def _remind_consent(self):
        """Give the reminder that is due for this link, take back the one that a renewal has made needless."""
        self.ensure_one()
        ending = self._ending_account()
        due = ending and self._due_reminder(ending._consent_days_left())
        reminder = f'{ending.authorization_expires_at}/{due}' if ending and due is not None else False
        if reminder == self.consent_reminder:
            return
        self.consent_reminder = reminder
        self.activity_unlink([ACTIVITY])
        if reminder:
            user = self._responsible()
            # One mail, ours: without the quick update the activity would send another about itself.
            link = self.with_context(lang=user.lang, mail_activity_quick_update=True)
            link.activity_schedule(
                ACTIVITY, user_id=user.id, date_deadline=ending.authorization_expires_at.date(),
                summary=link.env._("Renew the bank's consent"),
                note=ending.with_context(lang=user.lang).consent_message)
            self.env.ref(MAIL_TEMPLATE).send_mail(self.id, email_values={'email_to': user.email_formatted})

    def _ending_account(self):
        """Return the linked account whose consent ends first; one that was withdrawn has none to renew."""
        accounts = self.account_ids.filtered(
            lambda account: account.journal_id and account.authorization_expires_at and account.state != 'withdrawn')
        return accounts.sorted('authorization_expires_at')[:1]

    @api.model
    def _due_reminder(self, days_left):
        """Return the least number of days of a reminder that is reached, or None."""
        parameter = self.env['ir.config_parameter'].sudo().get_param(
            'account_online_ponto.consent_reminder_days', REMINDER_DAYS)
        reached = [int(days) for days in parameter.split(',') if days.strip().isdigit() and days_left <= int(days)]
        return min(reached, default=None)

    def _responsible(self):
        """Return the user to tell: the link's own, else an Invoicing administrator of the company."""
        if self.user_id.active and self.user_id.share is False:
            return self.user_id
        return self.env['res.users'].search([
            ('all_group_ids', 'in', self.env.ref('account.group_account_manager').ids),
            ('company_ids', 'in', self.company_id.ids)], limit=1) or self.env.user
