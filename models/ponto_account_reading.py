"""Stage 1: what Ponto lists becomes inbox rows."""

import time
from collections import Counter
from datetime import timedelta

from odoo import fields, models

from ..ponto.errors import PontoApiError
from .conversions import naive_utc

# A bank may list a transaction late, below known ones: each run reads back this far before the last successful read.
OVERLAP = timedelta(days=30)
# ... and this often the whole list, so that nothing stays missed wherever Ponto puts it.
FULL_WALK_EVERY = timedelta(days=7)
# A run reads so many pages of an account (of 100 rows) before it commits, so that a history of years is read in steps,
# and no further page after so many seconds: with Odoo's default limits a worker is ended after 120.
PAGES_AT_ONCE = 30
SECONDS_AT_ONCE = 20
# Statement lines are booked in batches of this size, so that a killed worker loses little work.
BOOKING_BATCH = 200


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _synchronize(self, trigger='manual', limit=None, at_most=None):
        """Read each account, then book what can be booked. Does not commit.

        :param limit: book at most so many transactions of each account; the next run books the rest
        :param at_most: read at most so many pages of each account; the next run reads the rest
        :return: one `ponto.synchronization` for each account
        :raises PontoError: when an account cannot be read
        """
        runs = self.env['ponto.synchronization']
        for account in self:
            runs += account._book_into(account._read(trigger, at_most), limit)
        return runs

    def _book_into(self, run, limit=None, domain=None):
        """Book what waits in the inbox of one account, count it in `run` and return `run`. Does not commit.

        :param limit: book at most so many
        :param domain: book these only
        """
        for batch in self._batches_to_book(limit, domain):
            run._count(batch._book())
        return run

    def _read(self, trigger, at_most=None):
        """Read the account's details and transactions, `at_most` so many pages, into the inbox; return the run."""
        self.ensure_one()
        account = self.sudo().with_company(self.company_id)
        started_at = fields.Datetime.now()
        account._read_details()
        counts = account._read_transactions(at_most)
        account.integration_id._record_success()
        account._set_active()
        account._plan_read(account._next_read_after(fields.Datetime.now()))
        return (
            self.env['ponto.synchronization']
            .sudo()
            .create(
                {
                    'account_id': account.id,
                    'journal_id': account.journal_id.id,
                    'trigger': trigger,
                    'state': 'done',
                    'started_at': started_at,
                    'ended_at': fields.Datetime.now(),
                    **counts,
                }
            )
        )

    def _last_run(self):
        """Return the newest history row of the account."""
        return self.env['ponto.synchronization'].sudo().search([('account_id', '=', self.id)], limit=1)

    def _read_details(self):
        """Read balance and consent of the account."""
        resource = self.integration_id._client().get_account(account_id=self.ponto_id)
        self._write_changes(self._prepare_account_vals(resource))

    def _read_transactions(self, at_most=None):
        """Read Ponto's transactions into the inbox; booking is another step. Does not commit.

        Ponto lists newest first in an order of its own, which is not that of the dates, so nothing stops at a date or
        at a known id: reading goes on past every page that holds something new or changed, past everything of the last
        `OVERLAP` days, and every `FULL_WALK_EVERY` to the end of the list.

        :param at_most: read so many pages; the next call goes on where this one has stopped, after what is new on top
        :return: `{'read_count', 'new_count', 'changed_count'}`
        :raises PontoError: when a page cannot be read
        """
        self.ensure_one()
        account = self.sudo()
        counts = Counter(read_count=0, new_count=0, changed_count=0)
        if account.walk_cursor:
            whole = account._walk(counts, at_most=at_most) or account._go_on(counts, at_most)
        else:
            whole = account._walk(counts, full=account._full_walk_due(), at_most=at_most)
        if whole:
            account.last_full_walk_at = fields.Datetime.now()
        account.last_read_at = fields.Datetime.now()
        return dict(counts)

    def _go_on(self, counts, at_most):
        """Go on with the walk that an earlier run has left unfinished; return whether the list's end was reached."""
        try:
            return self._walk(counts, full=self._full_walk_due(), at_most=at_most, after=self.walk_cursor)
        except PontoApiError as error:
            # What Ponto answers when the row to go on from is gone is not documented; then the walk begins anew.
            if error.status not in (400, 404):
                raise
            self.walk_cursor = False
            return self._walk(counts, full=True, at_most=at_most)

    def _walk(self, counts, *, full=False, at_most=None, after=None):
        """Read pages into the inbox, add what they hold to `counts`, and return whether the whole list is known now.

        :param full: go on to the end of the list, else until nothing can be new
        :param at_most: stop after so many pages, or earlier if they take long; `walk_cursor` then says where to go on
        :param after: the row below which to begin; by default at the top
        """
        inbox = self.env['ponto.transaction'].sudo().with_company(self.company_id)
        pages = self.integration_id._client().iter_transaction_pages(account_id=self.ponto_id, after=after)
        end = time.monotonic() + SECONDS_AT_ONCE
        seen = [after] if after else []
        in_steps = bool(self.walk_cursor)
        # Above a walk to go on with there is only what has come since: it has read the overlap itself.
        on_top = in_steps and not after
        is_end = True
        for number, page in enumerate(pages, 1):
            new, changed = inbox._take_in(self, page.items)
            counts.update(read_count=len(page.items), new_count=new, changed_count=changed)
            seen += [item.id for item in page.items]
            if page.items and not (full or new or changed or (not on_top and self._in_overlap(page.items))):
                if in_steps or inbox._is_complete(self, seen):
                    self.walk_cursor = on_top and self.walk_cursor
                    is_end = False
                    break
                # A known row is gone, or has moved: only the whole list tells which, in however many steps.
                full = True
                self.last_full_walk_at = False
            if at_most and page.next_url and (number == at_most or time.monotonic() > end):
                if not in_steps:
                    in_steps = True
                    self.walk_number += 1
                self.walk_cursor = seen[-1]
                is_end = False
                break
        inbox._rank(self, seen, after, is_end)
        if in_steps:
            inbox._note_listed(self, seen)
        if is_end:
            self.walk_cursor = False
            is_end = inbox._note_missing(self, None if after else seen)
        return is_end

    def _full_walk_due(self):
        return not self.last_full_walk_at or self.last_full_walk_at + FULL_WALK_EVERY <= fields.Datetime.now()

    def _in_overlap(self, items):
        start = self.last_read_at - OVERLAP
        return any(
            moment and naive_utc(moment) >= start for item in items for moment in (item.execution_date, item.value_date)
        )

    def _batches_to_book(self, limit=None, domain=None):
        """Yield the rows that may be booked now in batches, the oldest first; held ones are tried again."""
        inbox = self.env['ponto.transaction'].sudo()
        inbox._note_removed(self)
        # The untried ones go first (`new` before `held`): many held ones must not keep them waiting.
        rows = inbox.search(
            [('account_id', '=', self.id), *(domain or inbox._to_book_domain())],
            limit=limit,
            order='is_changed desc, state desc, date, rank, id',
        )
        for start in range(0, len(rows), BOOKING_BATCH):
            yield rows[start : start + BOOKING_BATCH].with_company(self.company_id)
