"""The bank's consent: how long it lasts, and who is told before it ends. Two models share the subject."""

import logging
from datetime import timedelta

from markupsafe import Markup

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
# What somebody else is busy with is looked at again so much later.
AGAIN_AFTER = timedelta(minutes=2)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    consent_state = fields.Selection(
        [('valid', "Valid"), ('ending', "Ending"), ('ended', "Ended")], compute='_compute_consent'
    )
    consent_message = fields.Char(compute='_compute_consent')
    consent_reminder = fields.Char(readonly=True, copy=False, help="The reminder that was given last: end and days.")

    @api.depends('authorization_expires_at', 'time_zone')
    def _compute_consent(self):
        for account in self:
            days = account._consent_days_left()
            account.consent_state = (
                False
                if days is None
                else 'ended'
                if days <= 0 and account._is_consent_over()
                else 'ending'
                if days <= SHOWN_DAYS
                else 'valid'
            )
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
                date=format_date(self.env, local_date(self.authorization_expires_at, self.time_zone)),
            )
        if self.consent_state == 'ending':
            return (
                self.env._("The bank's consent ends today.")
                if days == 0
                else self.env._("The bank's consent ends tomorrow.")
                if days == 1
                else self.env._("The bank's consent ends in %(days)s days.", days=days)
            )
        return False

    def _due_reminder(self):
        """Return the reminder that this account has reached, as text that differs for each; False without any.

        It is that of the least number of days. A withdrawn account has no consent to renew.
        """
        days_left = self._consent_days_left()
        if days_left is None or not self.journal_id or self.state == 'withdrawn':
            return False
        parameter = (
            self.env['ir.config_parameter']
            .sudo()
            .get_param('account_online_ponto.consent_reminder_days', REMINDER_DAYS)
        )
        reached = [int(days) for days in parameter.split(',') if days.strip().isdigit() and days_left <= int(days)]
        return f'{self.authorization_expires_at}/{min(reached)}' if reached else False


class PontoLink(models.Model):
    _inherit = 'ponto.link'

    @api.model
    def _cron_remind_consent(self):
        """Tell the responsible people which consents are about to end, once for each reminder; never raises."""
        cron = self.env['ir.cron']
        links = self.search([('account_ids.journal_id', '!=', False)])
        cron._commit_progress(remaining=len(links))
        for link in links:
            try:
                if link._lock_with_accounts():
                    link.with_company(link.company_id)._remind_consent()
                else:
                    self.env.ref('account_online_ponto.ir_cron_remind_consent')._trigger(
                        at=fields.Datetime.now() + AGAIN_AFTER
                    )
            except Exception:  # a mail server that fails must not keep others from being told
                self.env.cr.rollback()
                _logger.exception("Reminding of the consent of online synchronization %s failed", link.id)
            # No look at the clock: whoever comes back would begin anew with the same, and each takes an instant.
            cron._commit_progress(1)

    def _lock_with_accounts(self):
        """Return whether nobody else is at work on this link or one of its accounts, which are locked then."""
        accounts = self.account_ids
        return bool(
            self.try_lock_for_update(allow_referencing=True)
            and accounts.try_lock_for_update(allow_referencing=True) == accounts
        )

    def _remind_consent(self):
        """Give the reminders that are due for this link, all in one, and take back what a renewal has made needless."""
        self.ensure_one()
        reminders = {account: account._due_reminder() for account in self.account_ids}
        changed = {account: reminder for account, reminder in reminders.items() if reminder != account.consent_reminder}
        if not changed:
            return
        for account, reminder in changed.items():
            account.consent_reminder = reminder
        self.activity_unlink([ACTIVITY])
        ending = self._ending_accounts()
        if not ending:
            return
        user = self._responsible()
        # One mail, ours: without the quick update the activity would send another about itself.
        link = self.with_context(lang=user.lang, mail_activity_quick_update=True)
        link.activity_schedule(
            ACTIVITY,
            user_id=user.id,
            date_deadline=ending[0].authorization_expires_at.date(),
            summary=link.env._("Renew the bank's consent"),
            note=link._consent_note(),
        )
        if any(changed.values()):
            self.env.ref(MAIL_TEMPLATE).send_mail(self.id, email_values={'email_to': user.email_formatted})

    def _consent_note(self):
        """Return what to say of the consents that end: of several, which accounts they are for."""
        ending = self._ending_accounts()
        if len(ending) == 1:
            return ending.consent_message
        return Markup('<ul>%s</ul>') % Markup().join(
            Markup('<li>%s: %s</li>') % (account.name, account.consent_message) for account in ending
        )

    def _ending_accounts(self):
        """Return the accounts of which a reminder was given, those whose consent ends first before the others."""
        return self.account_ids.filtered('consent_reminder').sorted('authorization_expires_at')

    def _responsible(self):
        """Return the user to tell: the link's own while of its company, else an Invoicing administrator of it."""
        if self.user_id.active and self.user_id.share is False and self.company_id in self.user_id.company_ids:
            return self.user_id
        return (
            self.env['res.users'].search(
                [
                    ('all_group_ids', 'in', self.env.ref('account.group_account_manager').ids),
                    ('company_ids', 'in', self.company_id.ids),
                ],
                limit=1,
            )
            or self.env.user
        )
