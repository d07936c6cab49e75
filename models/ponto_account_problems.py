"""What is the matter with a feed: the one answer for the card, forms, Health, monitoring, activities and mails."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_amount, format_date, format_datetime

from .conversions import local_date
from .moments import is_over, noted
from .problem import OBSTACLES, REFUSALS, REMEDIES, REMEDY_OF_FAILURE, Problem

# Nothing has come in for so long: the feed is silent.
SILENT_AFTER = timedelta(days=1)
# A difference between the balances that nothing explains is told once it has lasted for so long.
DIFFERENCE_AFTER = timedelta(days=1)
# From so many days before the end of a consent on, screens tell when it ends.
SHOWN_DAYS = 30


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    needs_attention = fields.Boolean(compute='_compute_problems', search='_search_needs_attention')
    health_message = fields.Text(string="Problem", compute='_compute_problems')
    problems = fields.Json(
        compute='_compute_problems', help="What the component `ponto_problems` shows, see `_prepare_problems_vals`."
    )
    held_count = fields.Integer(compute='_compute_held_count', compute_sudo=True)
    withdrawn_count = fields.Integer(compute='_compute_held_count', compute_sudo=True)
    consent_state = fields.Selection(
        [('valid', "Valid"), ('ending', "Ending"), ('ended', "Ended")], compute='_compute_consent'
    )
    consent_message = fields.Char(compute='_compute_consent')
    unexplained_since = fields.Datetime(
        readonly=True, copy=False, help="Since when the balances differ and no waiting transaction explains it."
    )

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends_context('lang', 'tz', 'uid')
    @api.depends(
        'journal_id',
        'state',
        'integration_id.state',
        'failure',
        'bank_error_code',
        'bank_error_detail',
        'list_error_code',
        'list_error_detail',
        'last_read_at',
        'next_read_at',
        'waiting_since',
        'data_as_of',
        'authorization_expires_at',
        'held_count',
        'unexplained_since',
        'balance_difference',
        'deprecated',
        'availability',
        'former_reference',
        'journal_id.bank_account_id',
    )
    def _compute_problems(self):
        for account in self:
            problems = account._problems()
            account.needs_attention = any(problem.severity != 'info' for problem in problems)
            account.health_message = '\n'.join(problem.sentence for problem in problems if problem.severity != 'info')
            account.problems = account._prepare_problems_vals(problems)

    def _search_needs_attention(self, operator, value):
        if operator != 'in':
            return NotImplemented
        feeds = self.search([('journal_id', '!=', False)])
        return [('id', 'in', feeds.filtered('needs_attention').ids)]

    @api.depends('transaction_ids.hold_reason')
    def _compute_held_count(self):
        rows = self.env['ponto.transaction']
        domain = [*rows._to_review_domain(), ('account_id', 'in', self.ids)]
        counts = {
            (account, reason): count
            for account, reason, count in rows._read_group(domain, ['account_id', 'hold_reason'], ['__count'])
        }
        for account in self:
            account.held_count = sum(count for (of, _reason), count in counts.items() if of == account)
            account.withdrawn_count = sum(
                count for (of, reason), count in counts.items() if of == account and reason == 'withdrawn'
            )

    @api.depends_context('lang')
    @api.depends('authorization_expires_at', 'time_zone')
    def _compute_consent(self):
        for account in self:
            days = account._consent_days_left()
            account.consent_state = (
                False
                if days is None
                else 'ended'
                if days <= 0 and account.authorization_expires_at <= fields.Datetime.now()
                else 'ending'
                if days <= SHOWN_DAYS
                else 'valid'
            )
            account.consent_message = account._consent_message(days)

    # -------------------------------------------------------------------------
    # Problems
    # -------------------------------------------------------------------------

    def _problems(self):
        """Return what is the matter with this account, as a list of `Problem`, causes before what follows.

        Nobody waits for the transactions of an account without a journal, so its problems are of severity `info`.
        """
        self.ensure_one()
        if not self.journal_id:
            return [self._unlinked_problem()]
        found = [
            self._connection_problem(),
            self._silence_problem(),
            self._late_problem(),
            self._failure_problem(),
            self._consent_problem(),
            self._bank_problem(),
            self._opening_problem(),
            self._difference_problem(),
            self._held_problem(),
            self._withdrawn_rows_problem(),
            *self._identity_problems(),
        ]
        return [problem for problem in found if problem]

    def _unlinked_problem(self):
        if self.state == 'withdrawn':
            return self._connection_problem()._replace(severity='info')
        return Problem(
            'unlinked',
            'info',
            self.env._("No journal receives this account's transactions. Use Fetch Accounts to choose one."),
            'fetch_accounts',
        )

    def _connection_problem(self):
        if self.integration_id.state == 'draft':
            return Problem(
                'disconnected',
                'warning',
                self.env._(
                    "This bank was disconnected in Odoo, so no transactions come in. Use Connect to receive them again."
                    " Nothing is imported twice."
                ),
                'connect',
            )
        if self.integration_id.state == 'refused':
            return Problem('refused', 'danger', self._refusal_sentence(), 'update_credentials')
        if self.state == 'withdrawn':
            return Problem(
                'withdrawn',
                'danger',
                self.env._(
                    "Odoo may no longer read this account, so nothing new comes in. Use Fetch Accounts to give the"
                    " permission again."
                ),
                'fetch_accounts',
            )
        return None

    def _refusal_sentence(self):
        if (self.failure or {}).get('kind') in REFUSALS:
            return self.error_message
        return self.env._(
            "Ponto no longer accepts this connection, so no transactions come in. Use Update Credentials to connect"
            " again."
        )

    def _silence_problem(self):
        since = self._silent_since()
        return since and Problem(
            'silent',
            'danger',
            self.env._(
                "Nothing has come in since %(moment)s.", moment=format_datetime(self.env, since, dt_format='short')
            ),
        )

    def _silent_since(self):
        """Return since when nothing comes in from this feed, naive in UTC; False if something does, or nobody waits.

        A feed is silent if Odoo has read nothing for `SILENT_AFTER`, or if Ponto could not reach the bank for as long.
        It is silent too if Ponto has not asked the bank for twice as long, whatever the reason: Ponto does so four
        times a day (API reference, section 1.5). Without automatic synchronization nobody waits.
        """
        if not self.journal_id or not self.link_id.auto_synchronize:
            return False
        heard_at = noted(self.last_read_at) or noted(self.create_date) or fields.Datetime.now()
        code, _detail = self._bank_error()
        if self.data_as_of and (code or is_over(self.data_as_of, 2 * SILENT_AFTER)):
            heard_at = min(heard_at, self.data_as_of)
        return heard_at < fields.Datetime.now() - SILENT_AFTER and heard_at

    def _failure_problem(self):
        kind, connection = (self.failure or {}).get('kind'), self.integration_id.state
        is_told = connection == 'draft' or (connection == 'refused' and kind in REFUSALS)
        if self.state != 'error' or is_told:
            return None
        return Problem('failed', 'danger', self.error_message, REMEDY_OF_FAILURE.get(kind, ''))

    def _consent_problem(self):
        if self.state == 'withdrawn' or not self.consent_message:
            return None
        severity = 'danger' if self.consent_state == 'ended' else 'warning'
        return Problem(f'consent_{self.consent_state}', severity, self.consent_message, 'reconnect')

    def _consent_days_left(self):
        """Return the days until the consent ends, 0 on its last day, negative afterwards; None without an end."""
        if not self.authorization_expires_at:
            return None
        today = fields.Date.context_today(self.with_context(tz=self.time_zone))
        return (local_date(self.authorization_expires_at, self.time_zone) - today).days

    def _consent_message(self, days):
        if self.consent_state == 'ended':
            return self.env._(
                "The bank's consent ended on %(date)s. Nothing new has come in since then.",
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

    def _bank_problem(self):
        """Ponto's last attempt to ask the bank has failed. What Ponto has can be read none the less."""
        code, detail = self._bank_error()
        if not code:
            return None
        if not code.startswith('authorization'):
            return Problem(
                'bank',
                'warning',
                self.env._(
                    "Ponto could not ask the bank (%(detail)s). This is often over within hours; if it lasts for a day,"
                    " use Reconnect.",
                    detail=detail or code,
                ),
                'reconnect',
            )
        # The end of the consent says it already.
        return self.consent_state != 'ended' and Problem(
            'consent_refused',
            'danger',
            self.env._("The bank no longer accepts the consent, so nothing new comes in. Use Reconnect."),
            'reconnect',
        )

    def _held_problem(self):
        held = self.held_count - self.withdrawn_count
        return held and Problem('held', 'warning', self.env._("To review: %(held)s.", held=held), 'review')

    def _withdrawn_rows_problem(self):
        return self.withdrawn_count and Problem(
            'withdrawn_rows',
            'danger',
            self.env._("Transactions in the books that the bank has withdrawn: %(count)s.", count=self.withdrawn_count),
            'review',
        )

    def _obstacles(self):
        """Return why nothing new comes from the bank although Ponto can be read, each sentence once."""
        found = [problem for account in self for problem in account._problems() if problem.code in OBSTACLES]
        return list(dict.fromkeys(problem.sentence for problem in found))

    def _difference_problem(self):
        is_lasting = self.unexplained_since and is_over(self.unexplained_since, DIFFERENCE_AFTER)
        amount = is_lasting and self._unexplained_difference()
        if not amount:
            return None
        return Problem(
            'difference',
            'danger',
            self.env._(
                "%(amount)s of the difference between the bank's balance and Odoo's is not explained by transactions"
                " that wait.",
                amount=format_amount(self.env, amount, self.currency_id),
            ),
            'add_opening_line' if self.lacks_opening_line else 'explain',
        )

    def _note_differences(self):
        """Remember since when the balances of these feeds differ without explanation; forget it once they do not."""
        for account in self:
            is_unexplained = bool(account.journal_id and account._unexplained_difference())
            if is_unexplained != bool(account.unexplained_since):
                account.unexplained_since = is_unexplained and fields.Datetime.now()

    # -------------------------------------------------------------------------
    # As data
    # -------------------------------------------------------------------------

    def _prepare_problems_vals(self, problems):
        """Return `problems` for the component `ponto_problems`; a remedy that the user may not use is left out.

        :return: `[{'code', 'severity', 'sentence', 'remedy', 'label' of its button, 'account_id'}]`
        """
        return [
            {
                'account_id': self.id,
                'code': problem.code,
                'severity': problem.severity,
                'sentence': problem.sentence,
                **self._prepare_remedy_vals(problem.remedy),
            }
            for problem in problems
        ]

    @api.model
    def _prepare_remedy_vals(self, remedy):
        label, may_use = REMEDIES.get(remedy, ('', None))
        return (
            {'remedy': remedy, 'label': self.env._(label)}
            if may_use and may_use(self.env)
            else {'remedy': '', 'label': ''}
        )

    def action_remedy(self, remedy='explain'):
        """Return the action behind the button of a problem.

        :param remedy: a key of `REMEDIES`; the actions check the user's rights themselves
        """
        self.ensure_one()
        self.check_access('read')
        return {
            'connect': self.link_id.action_update_credentials,
            'update_credentials': self.link_id.action_update_credentials,
            'fetch_accounts': self.link_id.action_fetch_accounts,
            'reconnect': self.link_id.action_reauthorize,
            'add_opening_line': self.action_add_opening_line,
            'use_new_number': self.action_use_new_number,
            'show_opening_line': self.action_show_opening_line,
            'explain': self._action_open,
            'review': self._action_review,
        }[remedy]()

    def _action_open(self):
        """Open the page of this online account."""
        self.ensure_one()
        return {'type': 'ir.actions.act_window', 'res_model': self._name, 'res_id': self.id, 'views': [(False, 'form')]}

    def _action_review(self):
        """Open what waits under *To Review* for this account."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.ponto_transaction_to_review_action'
        )
        return {**action, 'context': {'search_default_account_id': self.id}}
