"""A person's own click on Fetch Transactions: the bank is asked, what Ponto has is read at once, the rest follows."""

import logging
import time

import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import UserError

from ..ponto.errors import PontoError
from . import budget
from .database_errors import cause
from .turns import wait_briefly

_logger = logging.getLogger(__name__)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    fetch_started_at = fields.Datetime(
        readonly=True, copy=False, help="When a person has last clicked Fetch Transactions."
    )

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_fetch_transactions(self):
        """Have the bank asked, read and book what Ponto has by now, and tell the person what came in.

        The bank's answer takes its time: `fetch_progress` or the next scheduled run reads it. What is too much for one
        click is booked by them as well.
        """
        self.check_access('read')
        self.env['ponto.transaction']._check_bookkeeper()
        accounts = self.sudo().filtered('journal_id')
        if not accounts:
            raise UserError(self.env._("No journal is linked to this online account yet. Use Fetch Accounts first."))
        free = accounts.try_lock_for_update(allow_referencing=True)
        runs = free._apart(lambda account: account._fetch(), 'manual')
        self.env.ref('account_online_ponto.ir_cron_book').sudo()._trigger()
        return runs._notify(
            busy=accounts - free,
            left=free - runs.account_id,
            # A failed fetch has read nothing, whoever was asked.
            remarks=runs.filtered(lambda run: run.state == 'done').account_id._remarks_on_asking(),
        )

    def action_backfill(self):
        """Ask from which date on older transactions are wanted."""
        self.check_access('read')
        self.env['ponto.transaction']._check_bookkeeper()
        return self.env['ponto.backfill']._open_for(self)

    def action_find_missing_transactions(self):
        """Read Ponto's whole list and show what it has and the books have not, and the other way round."""
        self.check_access('read')
        self.env['ponto.transaction']._check_bookkeeper()
        accounts = self.sudo().filtered('journal_id')
        free = accounts.try_lock_for_update(allow_referencing=True)
        free._request_full_read()
        runs = free._apart(lambda account: account._synchronize(limit=budget.ROWS, at_most=budget.PAGES), 'manual')
        action = self.env['ir.actions.act_window']._for_xml_id('account_online_ponto.ponto_transaction_action_missing')
        action['domain'] = [
            ('account_id', 'in', self.ids),
            '|',
            ('state', '!=', 'booked'),
            ('missing_since', '!=', False),
        ]
        unread = accounts - runs.account_id
        if unread or any(run.state == 'error' or run.account_id.resume_after for run in runs):
            return runs._notify(busy=accounts - free, left=free - runs.account_id, next_action=action)
        return action

    def fetch_progress(self):
        """Take the next short step of a fetch that goes on, and tell how far each of these accounts is.

        :return: `[{'id', 'stage', 'booked', 'to_book', 'failed', 'message'}]`; the stage is `asking` (the bank),
            `reading`, `booking` or `done`, the numbers and the message are of the whole fetch
        """
        self.check_access('read')
        self.env['ponto.transaction']._check_bookkeeper()
        feeds = self.sudo().filtered('journal_id')
        free = feeds.try_lock_for_update(allow_referencing=True)
        stages = free._fetch_stages()
        free.filtered(lambda account: stages[account] != 'done')._apart(lambda account: account._fetch_on(), 'manual')
        stages = feeds._fetch_stages()
        # A worker that holds the account is at work on it, and shows nothing of that before it commits.
        stages.update({account: 'reading' for account in feeds - free if stages[account] == 'done'})
        return [
            {**account._prepare_progress_vals(stages[account]), **account._prepare_outcome_vals()} for account in feeds
        ]

    # -------------------------------------------------------------------------
    # Steps
    # -------------------------------------------------------------------------

    def _apart(self, step, trigger):
        """Call `step(account)`, which returns a run, for each account; a failing one leaves the others alone.

        A person waits: after `budget.CLICK` seconds no further account is begun, and one whose books somebody else has
        locked is left as it was.

        :return: one `ponto.synchronization` for each of the other accounts; that of a failure says why
        """
        wait_briefly(self.env)
        end = time.monotonic() + budget.CLICK
        runs = self.env['ponto.synchronization']
        # The person goes before a worker that has claimed an account.
        self.filtered('work').work = False
        for account in self:
            if time.monotonic() > end:
                break
            started_at = fields.Datetime.now()
            try:
                with self.env.cr.savepoint():
                    account._check_connected()
                    runs += step(account.with_context(ponto_end=budget.ponto_end(self.env)))
            except psycopg2.errors.LockNotAvailable as error:
                # The history could not be written either.
                _logger.info("Online account %s cannot be fetched now: %s", account.id, cause(error))
            except (PontoError, UserError) as error:
                runs += account._record_failure(trigger, started_at, error)
        return runs

    def _check_connected(self):
        """:raises UserError: the bank was disconnected in Odoo, so there are no credentials to read it with"""
        if self.integration_id.state == 'draft':
            raise UserError(self._connection_problem().sentence)

    def _fetch(self):
        self.fetch_started_at = fields.Datetime.now()
        self._ask_bank()
        return self._synchronize(limit=budget.ROWS, at_most=budget.PAGES)

    def _fetch_on(self):
        """Read again if the bank has answered, else book some of what waits; return the run."""
        run = self._last_run()
        if self.resume_after or (self.pending_synchronization_ids and not self._is_bank_still_asked()):
            return self._synchronize(limit=budget.ROWS, at_most=budget.PAGES)
        # The read has tried the held rows already.
        return self._book_into(run, budget.ROWS, self.env['ponto.transaction']._untried_domain())

    def _fetch_stages(self):
        """Return `{account: stage}`; a failed fetch is over, the scheduled action tries again later."""
        booking = {
            account
            for [account] in self.env['ponto.transaction']._read_group(
                [('account_id', 'in', self.ids), ('state', '=', 'new')], ['account_id']
            )
        }
        return {
            account: 'done'
            if account.state != 'active'
            else 'reading'
            if account.resume_after
            else 'asking'
            if account.pending_synchronization_ids
            else 'booking'
            if account in booking
            else 'done'
            for account in self
        }

    def _prepare_progress_vals(self, stage):
        """Return how far this account's fetch is, which is at `stage`; only one that goes on is counted."""
        booked = waiting = 0
        if stage != 'done':
            booked = sum(self._fetch_runs().mapped('booked_count'))
            waiting = self.env['ponto.transaction'].search_count([('account_id', '=', self.id), ('state', '=', 'new')])
        return {'id': self.id, 'stage': stage, 'booked': booked, 'to_book': booked + waiting}

    def _prepare_outcome_vals(self):
        """Return what this account's fetch has brought by now."""
        runs = self._fetch_runs()
        if runs[:1].state == 'error':
            return {'failed': True, 'message': runs[:1].message}
        obstacles = self._obstacles()
        sentences = [runs._outcome(runs), *obstacles, *self._remarks_on_asking()]
        return {'failed': bool(obstacles), 'message': ' '.join(sentences)}

    def _fetch_runs(self):
        """Return the runs of the last fetch, the newest first."""
        started_at = self.fetch_started_at
        return (
            self.env['ponto.synchronization']
            .sudo()
            .search([('account_id', '=', self.id), ('started_at', '>=', started_at)])
            if started_at
            else self._last_run()
        )
