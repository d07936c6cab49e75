"""Who is told what is the matter with a feed: activities, made once and removed with their reason, and mails."""

from datetime import timedelta
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools.translate import LazyTranslate

from .messages import about
from .odoo_names import get_parameter
from .turns import for_all_companies, in_turns

_lt = LazyTranslate(__name__)

MAIL_TEMPLATE = 'account_online_ponto.mail_template_consent'
# Days before the end of a consent at which somebody is told, unless a system parameter says otherwise.
REMINDER_DAYS = '14,3,0'
# What somebody else is busy with is looked at again so much later.
AGAIN_AFTER = timedelta(minutes=2)


class Telling(NamedTuple):
    """An activity: its type, its summary, and the codes of the problems whose sentences are its note."""

    activity_type: str
    summary: str
    codes: tuple


TELLINGS = {
    'consent': Telling(
        'account_online_ponto.mail_activity_type_consent',
        _lt("Renew the bank's consent"),
        ('consent_ending', 'consent_ended'),
    ),
    'silence': Telling(
        'account_online_ponto.mail_activity_type_silence',
        _lt("Nothing new from the bank"),
        ('refused', 'silent', 'late', 'failed', 'consent_refused', 'bank'),
    ),
    'difference': Telling(
        'account_online_ponto.mail_activity_type_difference',
        _lt("The bank's balance differs from Odoo's"),
        ('difference',),
    ),
    'withdrawn_rows': Telling(
        'account_online_ponto.mail_activity_type_withdrawn_rows',
        _lt("The bank has withdrawn transactions"),
        ('withdrawn_rows',),
    ),
}


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    told = fields.Json(
        readonly=True, copy=False, help="What the responsible person has been told: `{key of TELLINGS: occasion}`."
    )

    def write(self, vals):
        """After a read, and when the permission to read ends, take back the activities whose reason is gone."""
        res = super().write(vals)
        if vals.get('last_read_at') or vals.get('state') == 'withdrawn':
            self.link_id._take_back()
        return res

    def _to_tell(self):
        """Return what somebody should have been told of this account by now: `{key of TELLINGS: occasion}`.

        The occasion is a text that differs where the same thing is to be told again.
        """
        occasions = {
            'consent': self._due_reminder(),
            'silence': 'silence' if self._is_silence_to_tell() else '',
            'difference': 'difference' if self.journal_id and self._difference_problem() else '',
            'withdrawn_rows': self._newest_withdrawal(),
        }
        return {kind: occasion for kind, occasion in occasions.items() if occasion}

    def _due_reminder(self):
        """Return the end of the consent and the least number of days before it that has been reached; '' without any.

        A withdrawn account has no consent to renew.
        """
        days_left = self._consent_days_left()
        if days_left is None or not self.journal_id or self.state == 'withdrawn':
            return ''
        days = get_parameter(self.env, 'account_online_ponto.consent_reminder_days', REMINDER_DAYS).split(',')
        reached = [int(day) for day in days if day.strip().isdigit() and days_left <= int(day)]
        return f'{self.authorization_expires_at}/{min(reached)}' if reached else ''

    def _newest_withdrawal(self):
        """Return when the newest withdrawn row to review was found, as text; '' without any."""
        rows = (
            self.journal_id
            and self.withdrawn_count
            and self.env['ponto.transaction']
            .sudo()
            .search(
                [('account_id', '=', self.id), ('hold_reason', '=', 'withdrawn')], order='missing_since desc', limit=1
            )
        )
        return rows.missing_since.isoformat() if rows else ''

    def _is_silence_to_tell(self):
        """Return whether somebody should hear that nothing comes in who has not heard it in another way.

        Whoever has withdrawn the account or disconnected the bank knows it. The end of a consent is told in another
        way. In a neutralized copy all banks are disconnected.
        """
        return bool(
            self.state != 'withdrawn'
            and self.integration_id.state != 'draft'
            and self.consent_state != 'ended'
            and self._silent_since()
        )

    def _told_sentences(self, kind):
        codes = TELLINGS[kind].codes
        return ' '.join(problem.sentence for problem in self._problems() if problem.code in codes)


class PontoLink(models.Model):
    _inherit = 'ponto.link'

    looked_at = fields.Datetime(readonly=True, copy=False, help="When it was last looked at for something to tell.")

    @api.model
    @for_all_companies
    def _cron_tell_problems(self):
        """Tell the responsible people what is the matter with their feeds, each thing once; never raises.

        The links that were looked at longest ago come first. The next run looks at those for which no time is left.
        """
        links = self.search([('account_ids', '!=', False)], order='looked_at nulls first, id')
        in_turns(self.env, links, lambda link: link._look(), may_wait=True)

    def _look(self):
        self.looked_at = fields.Datetime.now()
        if self._lock_with_accounts():
            self.account_ids.journal_id._find_repeated_side_by_side()
            self.with_company(self.company_id)._tell_problems()
        else:
            self.env.ref('account_online_ponto.ir_cron_tell_problems')._trigger(at=fields.Datetime.now() + AGAIN_AFTER)

    def _lock_with_accounts(self):
        """Return whether nobody else is at work on this link or one of its accounts, which are locked then."""
        accounts = self.account_ids
        return bool(self.try_lock_for_update(allow_referencing=True) and accounts._lock_turn() == accounts)

    def _tell_problems(self):
        """Show the activities that are due and remove those that are over; send one mail for all due reminders."""
        self.ensure_one()
        self.account_ids._note_differences()
        changed = set()
        for account in self.account_ids:
            changed |= self._note_told(account, account._to_tell())
        for kind, _occasion in changed:
            self._show_activity(kind)
        if any(kind == 'consent' and occasion for kind, occasion in changed):
            user = self._responsible()
            self.env.ref(MAIL_TEMPLATE).send_mail(self.id, email_values={'email_to': user.email_formatted})

    def _take_back(self):
        """Remove the activities whose reason is over. What is new waits for the scheduled action."""
        for link in self:
            changed = set()
            for account in link.account_ids.filtered('told'):
                to_tell = account._to_tell()
                left = {kind: occasion for kind, occasion in account.told.items() if kind in to_tell}
                changed |= link._note_told(account, left)
            for kind, _occasion in changed:
                link._show_activity(kind)

    @api.model
    def _note_told(self, account, told):
        """Note what of `account` is told from now on; return the pairs `(kind, new occasion or None)` that differ."""
        before = account.told or {}
        changed = {kind for kind in {**before, **told} if before.get(kind) != told.get(kind)}
        if changed:
            account.told = told or False
        return {(kind, told.get(kind)) for kind in changed}

    def _show_activity(self, kind):
        """Leave one activity of this kind that names the accounts of which it tells; none without any."""
        self.ensure_one()
        telling = TELLINGS[kind]
        self.activity_unlink([telling.activity_type])
        accounts = self._told_accounts(kind)
        if not accounts:
            return
        user = self._responsible()
        accounts = accounts.with_context(lang=user.lang, tz=user.tz)
        # The mail about a consent is ours. Without the quick update the activity would send another about itself.
        self.with_context(lang=user.lang, mail_activity_quick_update=True).activity_schedule(
            telling.activity_type,
            user_id=user.id,
            date_deadline=kind == 'consent' and accounts[0].authorization_expires_at.date(),
            summary=accounts.env._(telling.summary),
            note=Markup('<ul>%s</ul>')
            % Markup().join(
                Markup('<li>%s</li>') % about(account.env, account.name, account._told_sentences(kind))
                for account in accounts
            ),
        )

    def _told_accounts(self, kind):
        """Return the accounts of which this kind of thing is told, those whose consent ends first before the others."""
        return self.account_ids.filtered(lambda account: kind in (account.told or {})).sorted(
            lambda account: account.authorization_expires_at or account.create_date
        )

    def _ending_accounts(self):
        """Return the accounts of which a reminder was given, for the mail."""
        return self._told_accounts('consent')
