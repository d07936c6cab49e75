"""The turns of the accounts in the scheduled actions, and what follows a failure."""

import logging
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..ponto.errors import PontoError
from . import budget
from .database_errors import cause, is_passing
from .error_sentences import error_code, failure_of
from .turns import LostWorkerError, for_all_companies, in_turns, wait_briefly

_logger = logging.getLogger(__name__)

CRON = 'account_online_ponto.ir_cron_synchronize'
# After a conflict with another transaction.
AGAIN_AFTER = timedelta(minutes=1)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    turn_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the account had its last turn in a scheduled action. In the future: a worker has just claimed it.",
    )
    work = fields.Json(
        readonly=True,
        copy=False,
        help="What a worker has begun: {'read': the row to go on from} or {'rows': [ids of transactions to book]}."
        " If it is still here when the account is free again, that worker was lost.",
    )
    lost_count = fields.Integer(readonly=True, copy=False, help="How many workers were lost while they read here.")
    lost_at = fields.Char(readonly=True, copy=False, help="The row from which the lost workers have read.")

    # -------------------------------------------------------------------------
    # Scheduled action
    # -------------------------------------------------------------------------

    @api.model
    @for_all_companies
    def _cron_synchronize(self):
        """Read every account that is due and book what waits, the accounts in turns; never raises.

        Any number of workers may run this at once: an account that another one has is left to that one.
        """
        self._come_back_for_lost_workers(CRON)
        if not self.env['ponto.event']._apply_all():
            return
        due = self.search(self._due_domain())
        held = due._held_batches()
        accounts = self.search(self._work_domain(), order='turn_at nulls first, id')
        if len(accounts) > 1:
            self._wake_lanes()
        if accounts._in_turns(lambda account: account._take_turn()):
            self._retry_held(held)

    def _in_turns(self, step):
        """Call `step(account)` for each account in turns, see `turns.in_turns`."""
        return in_turns(
            self.env,
            self,
            step,
            lock=lambda account: account._lock_turn(),
            failed=lambda account, error: account._turn_failed(error),
        )

    @api.model
    def _wake_lanes(self):
        """Have the other jobs that run this very method work too, each in a worker of its own."""
        cron = self.env.ref(CRON).sudo()
        lanes = cron.search([('model_id', '=', cron.model_id.id), ('code', '=', cron.code)])
        for lane in lanes.filtered(lambda lane: lane.id != self.env.context.get('cron_id')):
            lane._trigger()

    @api.model
    def _come_back_for_lost_workers(self, cron):
        """Have the scheduled action `cron` come back when the claims of now are over: their workers may be lost."""
        claimed = self.search([('turn_at', '>', fields.Datetime.now())], order='turn_at desc', limit=1)
        planned = [('cron_id', '=', self.env.ref(cron).id), ('call_at', '>=', claimed.turn_at)]
        if claimed and not self.env['ir.cron.trigger'].sudo().search_count(planned, limit=1):
            self.env.ref(cron).sudo()._trigger(claimed.turn_at + timedelta(seconds=1))

    @api.model
    def _work_domain(self):
        """Return the domain of the accounts of which something is to be read or booked, and that nobody has claimed."""
        return self._unclaimed_domain() & (
            Domain(self._due_domain())
            | (
                Domain('journal_id', '!=', False)
                & Domain('transaction_ids', 'any', self.env['ponto.transaction']._untried_domain())
            )
        )

    # -------------------------------------------------------------------------
    # A turn
    # -------------------------------------------------------------------------

    def _take_turn(self):
        """Read the account, if it is due, or book some of what waits; return whether more is to be done at once."""
        self.ensure_one()
        account = self.with_context(ponto_end=budget.ponto_end(self.env))
        account._note_lost_worker()
        if account._is_due():
            account._read_step()
        else:
            account._book_step(account._next_rows())
        return account._is_due() or account._has_untried()

    def _booking_turn(self):
        """Book some of what waits; return whether more does."""
        self._note_lost_worker()
        self._book_step(self._next_rows())
        return self._has_untried()

    def _is_due(self):
        return bool(self.filtered_domain(self._due_domain()))

    def _has_untried(self):
        rows = self.env['ponto.transaction'].sudo()
        return bool(rows.search_count([('account_id', '=', self.id), *rows._untried_domain()], limit=1))

    def _claim(self, work, **vals):
        """Commit that this worker begins `work`, so that others know it if the worker does not come back.

        :return: whether the account is locked again
        """
        self.write({'work': work, 'turn_at': fields.Datetime.now() + budget.CLAIM, **vals})
        self.env['ir.cron']._commit_progress()
        wait_briefly(self.env)
        return bool(self.try_lock_for_update(allow_referencing=True))

    def _release(self):
        """End the turn of this worker."""
        vals = {'work': False, 'turn_at': fields.Datetime.now()}
        if self.lost_count and not self.resume_after and 'read' in (self.work or {}):
            vals |= {'lost_count': 0, 'lost_at': False}
        self.write(vals)

    def _read_step(self):
        """Read some pages.

        The time of the next attempt is committed before the first request to Ponto. If Odoo ends this worker during
        that request, the other accounts have their turn before this one is tried again.
        """
        next_read_at = fields.Datetime.now() + self._back_off(self.failure_count + 1)
        if not self._claim({'read': self.resume_after or ''}, next_read_at=next_read_at):
            return
        if self.pending_synchronization_ids and self._is_bank_still_asked():
            self._plan_read(fields.Datetime.now() + timedelta(minutes=1))
        else:
            self._read('cron', 1 if self.lost_count else budget.PAGES)
        self._release()

    def _next_rows(self):
        """Return the rows to book in the next step. A row whose last step was interrupted is booked alone."""
        inbox = self.env['ponto.transaction'].sudo()
        rows = inbox.search(
            [('account_id', '=', self.id), *inbox._untried_domain()],
            # `booked` before `new`: corrections first.
            order='attempts, state, date, rank, id',
            limit=budget.BOOKING.size,
        )
        return (rows.filtered(lambda row: not row.attempts) or rows[:1]).with_company(self.company_id)

    def _book_step(self, rows):
        """Book `rows`, which are untried, or held and tried again."""
        if not rows or not self._claim({'rows': rows.ids}):
            return
        began = time.monotonic()
        # Another worker may have booked some of them since they were listed.
        self._last_done_run()._count(rows.filtered_domain(rows._to_book_domain())._book())
        budget.BOOKING.note(len(rows), time.monotonic() - began)
        rows.filtered_domain(rows._untried_domain())._note_attempt()
        self._release()

    def _turn_failed(self, error):
        """Record why the turn of this worker has failed, after the rollback.

        If another worker has the account by now, nothing is recorded: the result of that worker counts.
        """
        if not self.try_lock_for_update(allow_referencing=True):
            return
        work = self.work or {}
        self._release()
        if is_passing(error):
            _logger.info("Online account %s is tried again in a minute: %s", self.id, cause(error))
            self._come_back(work)
        elif 'rows' in work:
            _logger.error("Booking the transactions of online account %s failed", self.id, exc_info=error)
            self._note_attempt(work['rows'])
            self._come_back(work)
        else:
            self._record_failure('cron', fields.Datetime.now(), error)

    def _come_back(self, work):
        moment = fields.Datetime.now() + AGAIN_AFTER
        if 'read' in work:
            self._plan_read(moment)
        else:
            self.env.ref(CRON).sudo()._trigger(moment)

    # -------------------------------------------------------------------------
    # Held rows are tried again
    # -------------------------------------------------------------------------

    def _held_batches(self):
        """Return what is held on these accounts in batches, each with rows of one account."""
        rows = self.env['ponto.transaction'].sudo()
        held = rows.search(
            [('account_id', 'in', self.ids), ('state', '=', 'held'), ('hold_reason', '!=', 'unprocessable')],
            order='attempts, date, rank, id',
        )
        return [batch for account_rows in held.grouped('account_id').values() for batch in account_rows._in_batches()]

    @api.model
    def _retry_held(self, batches):
        """Book the held rows whose reason is gone. The next run tries those for which no time is left."""
        in_turns(
            self.env,
            batches,
            lambda rows: rows.account_id._retry_step(rows),
            lock=lambda rows: rows.account_id._lock_turn(),
            failed=lambda rows, error: rows.account_id._turn_failed(error),
            may_wait=True,
        )

    def _retry_step(self, rows):
        self._note_lost_worker()
        rows = rows.filtered(lambda row: row.state == 'held' and row.hold_reason != 'unprocessable')
        # A row that has just turned out to be suspicious is tried alone, by the next run.
        rows = rows if len(rows) == 1 else rows.filtered(lambda row: not row.attempts)
        self._book_step(rows.with_company(self.company_id))

    # -------------------------------------------------------------------------
    # Lost workers
    # -------------------------------------------------------------------------

    def _note_lost_worker(self):
        """Count what a worker had begun that was lost: ended by Odoo, killed, or short of memory.

        Work that has cost `budget.LOST_WORKERS` workers is not tried again by itself.
        """
        work = self.work
        if not work:
            return
        self.work = False
        if 'rows' in work:
            self._note_attempt(work['rows'])
            return
        is_same = self.lost_count and (self.lost_at or '') == work['read']
        self.write({'lost_count': self.lost_count + 1 if is_same else 1, 'lost_at': work['read']})
        if self.lost_count >= budget.LOST_WORKERS:
            self._set_aside()

    def _note_attempt(self, row_ids):
        """Note that a step has not come to an end with those of these rows that are still to be booked or corrected."""
        rows = self.env['ponto.transaction'].sudo().browse(row_ids).exists()
        rows.filtered_domain(rows._to_book_domain())._note_attempt()

    def _set_aside(self):
        """Leave the account alone until a person fetches it."""
        _logger.warning("Online account %s is set aside: workers were lost while they read it", self.id)
        self._record_failure('cron', fields.Datetime.now(), LostWorkerError())
        self.next_read_at = False

    # -------------------------------------------------------------------------
    # Failures
    # -------------------------------------------------------------------------

    def _record_failure(self, trigger, started_at, error):
        """Remember on the account and in the history why a run failed. Called after a rollback."""
        self.ensure_one()
        account = self.sudo()
        if not isinstance(error, (PontoError, UserError, LostWorkerError)):
            _logger.error("Synchronization of online account %s failed", account.id, exc_info=error)
        failure = failure_of(error, is_about_account=True)
        account.integration_id._record_error(error)
        # A withdrawn account is not tried again by itself: somebody has to give the permission again.
        if account.state != 'withdrawn':
            # A person who tries again and again does not put off the next automatic run.
            failures = account.failure_count + (trigger == 'cron' or not account.failure_count)
            account._set_failed(failure, failures)
            account._plan_read(fields.Datetime.now() + self._back_off(failures, error))
        return account._note_run('error', trigger, started_at, error_code=error_code(error), failure=failure)


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    @api.model
    @for_all_companies
    def _cron_book(self):
        """Book what waits in the inbox of every linked account, so that no slow bank delays booking. Never raises.

        What is held is tried again afterwards, as far as there is time; the next run tries the rest.
        """
        accounts = self.env['ponto.account']
        accounts._come_back_for_lost_workers('account_online_ponto.ir_cron_book')
        linked = Domain('journal_id', '!=', False)
        held = accounts.search(linked)._held_batches()
        untried = linked & accounts._unclaimed_domain() & Domain('transaction_ids', 'any', self._untried_domain())
        if accounts.search(untried, order='turn_at nulls first, id')._in_turns(lambda account: account._booking_turn()):
            accounts._retry_held(held)
