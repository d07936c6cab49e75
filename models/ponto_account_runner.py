"""When an account is read, by whom, and what follows a failure. The crons' methods here are the only that commit."""

import logging
import time
import zlib
from datetime import datetime, timedelta

import pytz
from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..ponto.errors import PontoError
from .error_sentences import error_code, failure_of
from .moments import due_domain
from .ponto_account_reading import PAGES_AT_ONCE

_logger = logging.getLogger(__name__)

# Hours of the day in Brussels at which Ponto asks the banks by itself.
PONTO_REFRESH_HOURS = (2, 8, 14, 20)
# While a person waits no further account is begun once this is over: with Odoo's default limits a worker is ended after
# 120 seconds.
SECONDS_TO_WAIT = 40


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    # -------------------------------------------------------------------------
    # Reading
    # -------------------------------------------------------------------------

    @api.model
    def _cron_synchronize(self):
        """Read every account that is due and book what came in; one account never stops another.

        Any number of workers may run this at once: an account that another one has is skipped.
        """
        cron = self.env['ir.cron']
        self.env['ponto.event']._cron_apply()
        due = self.search(self._due_domain(), order='next_read_at, id')
        cron._commit_progress(remaining=len(due))
        for account in due:
            account._cron_synchronize_one()
            if not cron._commit_progress(1):
                break

    def _cron_synchronize_one(self):
        """Read and book one account if it is still due and free, with commits of its own."""
        self.ensure_one()
        started_at = fields.Datetime.now()
        try:
            if not self._claim():
                return
            if self.pending_synchronization_ids and self._is_bank_still_asked():
                self._plan_read(fields.Datetime.now() + timedelta(minutes=1))
                return
            run = self._read('cron', PAGES_AT_ONCE)
            self.env['ir.cron']._commit_progress()
            if not self._book_with_commits(run):
                self.env.ref('account_online_ponto.ir_cron_book')._trigger()
        except TransactionRollbackError:
            self._give_way()
        except Exception as error:  # noqa: BLE001 whatever it is, the other accounts must go on
            self.env.cr.rollback()
            self._cron_record_failure(started_at, error)

    def _claim(self):
        """Return whether this worker has the account to itself, because it is due and free.

        The time of the next attempt is committed before the first word with Ponto: a worker that Odoo ends while a slow
        Ponto keeps it waiting could not say later that others should have their turn first.
        """
        if not self._lock_if_due().filtered_domain(self._due_domain()):
            return False
        self.next_read_at = fields.Datetime.now() + self._back_off(self.failure_count + 1)
        # The commit ends the lock. Whoever gets it next finds the account no longer due.
        self.env['ir.cron']._commit_progress()
        return bool(self.try_lock_for_update(allow_referencing=True))

    def _lock_if_due(self):
        """Lock this account if it is free and its time has come, and return it, else nothing.

        In one statement: who comes late does not hold the lock, however briefly, that the first one takes again.
        """
        query = self._search(Domain('id', 'in', self.ids) & due_domain('next_read_at'))
        rows = self.env.execute_query(SQL("%s FOR NO KEY UPDATE SKIP LOCKED", query.select()))
        return self.browse(account_id for [account_id] in rows)

    def _cron_record_failure(self, started_at, error):
        """Record why a run failed, with a commit of its own; if somebody else has the account now, theirs counts."""
        try:
            if self.try_lock_for_update(allow_referencing=True):
                self._record_failure('cron', started_at, error)
                self.env['ir.cron']._commit_progress()
        except TransactionRollbackError:
            self._give_way()

    def _give_way(self):
        self.env.cr.rollback()
        _logger.info("Online account %s has just been worked on by somebody else.", self.id)

    # -------------------------------------------------------------------------
    # Booking
    # -------------------------------------------------------------------------

    def _cron_book_one(self):
        """Book what waits in the inbox of one account if it is free, with commits of its own.

        :return: False if something is left that has not been tried
        """
        self.ensure_one()
        try:
            return self._book_with_commits(self.env['ponto.synchronization'])
        except TransactionRollbackError:
            self._give_way()
        except Exception:  # whatever it is, the other accounts must go on
            self.env.cr.rollback()
            _logger.exception("Booking the transactions of online account %s failed", self.id)
        return True

    def _book_with_commits(self, run):
        """Book in batches, each committed, until nothing is left, time is up, or another worker has the account.

        :return: False if something is left that has not been tried: what is held waits for the next run
        """
        rows = self.env['ponto.transaction'].sudo()
        batches = self._batches_to_book()
        # The lock comes first in each transaction, so that nothing is seen that another worker has changed by then.
        while self.try_lock_for_update(allow_referencing=True):
            batch = next(batches, rows)
            # Another worker may have booked some of them since they were listed.
            run._count(batch.filtered_domain(rows._to_book_domain())._book())
            if not self.env['ir.cron']._commit_progress() or not batch:
                return not rows.search_count([('account_id', '=', self.id), *rows._untried_domain()], limit=1)
        # Whoever has it books the rest.
        return True

    # -------------------------------------------------------------------------
    # When
    # -------------------------------------------------------------------------

    @api.model
    def _due_domain(self):
        return [
            ('journal_id', '!=', False),
            *due_domain('next_read_at'),
            ('state', 'in', ('active', 'error')),
            # What a person has begun is finished in any case.
            '|',
            '|',
            ('link_id.auto_synchronize', '=', True),
            ('resume_after', '!=', False),
            ('pending_synchronization_ids', '!=', False),
        ]

    def _plan_read(self, moment):
        """Have the runner read these accounts at `moment`, naive in UTC, to the minute."""
        self.next_read_at = moment
        self.env.ref('account_online_ponto.ir_cron_synchronize').sudo()._trigger(moment)

    def _next_read_after(self, now):
        """Return when to read again after a read at `now`: at once when there is more, soon when the bank was asked."""
        if self.resume_after:
            return now
        return now + timedelta(minutes=1) if self.pending_synchronization_ids else self._next_read_at(now)

    @api.model
    def _next_read_at(self, now):
        """Return when an account read at `now` is due again: soon after Ponto's next own refresh; both naive in UTC.

        Ponto refreshes at about 2, 8, 14 and 20 h (API reference, section 1.5). The half hour and the minutes drawn
        from the database's id give it time, and keep all databases from asking at the same minute.
        """
        database = self.env['ir.config_parameter'].sudo().get_param('database.uuid') or ''
        delay = timedelta(minutes=30 + zlib.crc32(database.encode()) % 60)
        zone = pytz.timezone('Europe/Brussels')
        today = datetime.combine(pytz.utc.localize(now).astimezone(zone), datetime.min.time())
        slots = (
            zone.localize(today + timedelta(days=day, hours=hour)).astimezone(pytz.utc) + delay
            for day in (-1, 0, 1)
            for hour in PONTO_REFRESH_HOURS
        )
        return min(slot.replace(tzinfo=None) for slot in slots if slot.replace(tzinfo=None) > now)

    # -------------------------------------------------------------------------
    # Failures
    # -------------------------------------------------------------------------

    def _apart(self, step, trigger):
        """Call `step(account)`, which returns a run, for each account; a failing one leaves the others alone.

        A person waits: after `SECONDS_TO_WAIT` no further account is begun.

        :return: one `ponto.synchronization` for each account that was begun; that of a failure says why
        """
        end = time.monotonic() + SECONDS_TO_WAIT
        runs = self.env['ponto.synchronization']
        for account in self:
            if time.monotonic() > end:
                break
            started_at = fields.Datetime.now()
            try:
                with self.env.cr.savepoint():
                    runs += step(account)
            except (PontoError, UserError) as error:
                runs += account._record_failure(trigger, started_at, error)
        return runs

    def _record_failure(self, trigger, started_at, error):
        """Remember on the account and in the history why a run failed. Called after a rollback."""
        self.ensure_one()
        account = self.sudo()
        if not isinstance(error, (PontoError, UserError)):
            _logger.error("Synchronization of online account %s failed", account.id, exc_info=error)
        failure = failure_of(error, is_about_account=True)
        account.integration_id._record_error(error)
        # A withdrawn account is not tried again by itself: somebody has to give the permission again.
        if account.state != 'withdrawn':
            # A person who tries again and again does not put off the next automatic run.
            failures = account.failure_count + (trigger == 'cron' or not account.failure_count)
            account._set_failed(failure, failures)
            account._plan_read(fields.Datetime.now() + self._back_off(failures, error))
        return (
            self.env['ponto.synchronization']
            .sudo()
            .create(
                {
                    'account_id': account.id,
                    'journal_id': account.journal_id.id,
                    'trigger': trigger,
                    'state': 'error',
                    'started_at': started_at,
                    'ended_at': fields.Datetime.now(),
                    'error_code': error_code(error),
                    'failure': failure,
                }
            )
        )

    @api.model
    def _back_off(self, failures, error=None):
        """Return how long to wait after so many failures running: as Ponto asks, else 5 minutes doubling to 6 hours."""
        asked = timedelta(seconds=min(getattr(error, 'retry_after', None) or 0, 24 * 3600))
        return max(asked, min(timedelta(minutes=5) * 2 ** min(failures - 1, 10), timedelta(hours=6)))
