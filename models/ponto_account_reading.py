"""Stage 1: what Ponto lists becomes inbox rows.

Ponto lists the newest transaction first, in an order of its own that is not the order of dates. A run reads *stretches*
of that list, each without a gap::

    top ┌───────────────────┐
        │ new and changed   │  Each run begins at the top. It has read *enough* with the first page that brings nothing
        │ lookback window   │  new or changed and lies before the lookback window.
        ├───────────────────┤
        │ known rows        │  A *sweep* reads on to the *end*: the first read of an account, then one a week, and one
        │                   │  when a known row is not where it was.
        ├── resume_after ───┤  Here the *budget* of a run was spent. The next run reads what is new on top, which is
        │ the rest          │  enough then, and goes on from here.
    end └───────────────────┘

Sweeps are numbered, and each row carries the number of the last sweep that has listed it. At the end of a sweep the
rows with a lower number are gone from Ponto's list. Between two runs of one sweep a row can move up to where no run
looks again. So at the end of a sweep in several runs only those rows are gone that the sweep before has not listed
either.

Ponto may list a known row under a new id. So a known row that a new one resembles is *doubtful* until it is listed
again or gone. Meanwhile booking takes its line for the new row's. A run that has read enough while a row is doubtful
begins a sweep.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from ..ponto.errors import PontoApiError
from . import budget
from .conversions import naive_utc
from .matching import candidates, near
from .moments import noted
from .ordering import places
from .ponto_transaction_suspects import DUPLICATE_DAYS

# A bank may list a transaction late, below known ones: each run reads back this far before the last successful read.
LOOKBACK = timedelta(days=30)


@dataclass
class Stretch:
    """A part of Ponto's list that one run has read without a gap.

    `keys` are those of its rows (Ponto id, number), newest first. `after` is the id right above them, None where they
    begin at the top of the list. `ended` says why the run stopped there: `end` (of the list), `enough` or `budget`.
    """

    after: str | None = None
    keys: list[tuple[str, int]] = field(default_factory=list)
    ended: str = ''

    @property
    def last(self):
        """The id after which the list goes on; None at its top."""
        return self.keys[-1][0] if self.keys else self.after


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    # -------------------------------------------------------------------------
    # Runs
    # -------------------------------------------------------------------------

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

        :param limit: book at most so many, and begin no further batch after `budget.STEP` seconds
        :param domain: book these only
        """
        end = budget.step_end()
        for batch in self._batches_to_book(limit, domain):
            run._count(batch._book())
            if limit and time.monotonic() > end:
                break
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
        return account._note_run('done', trigger, started_at, **counts)

    def _read_details(self):
        """Read balance and consent of the account."""
        resource = self.integration_id._client().get_account(account_id=self.ponto_id)
        self._mirror(self._prepare_account_vals(resource))

    def _batches_to_book(self, limit=None, domain=None):
        """Yield the rows that may be booked now in batches: first corrections, then new rows, then held ones."""
        inbox = self._inbox()
        own = Domain('account_id', '=', self.id) & Domain(domain or inbox._to_book_domain())
        rows = inbox.search(own & Domain('is_behind', '=', True), limit=limit, order='date, rank, id')
        # `new` before `held`: many held ones must not keep the others waiting.
        others = inbox.search(own & Domain('state', '!=', 'booked'), limit=limit, order='state desc, date, rank, id')
        rows = (rows + others)[:limit]
        yield from rows._in_batches()

    # -------------------------------------------------------------------------
    # Stretches
    # -------------------------------------------------------------------------

    def _read_transactions(self, at_most=None):
        """Read Ponto's transactions into the inbox; booking is another step. Does not commit.

        :param at_most: read so many pages of each stretch; the next call goes on where this one has stopped
        :return: `{'read_count', 'new_count', 'changed_count'}`
        :raises PontoError: when a page cannot be read
        """
        self.ensure_one()
        account = self.sudo()
        counts = Counter(read_count=0, new_count=0, changed_count=0)
        if not account.resume_after and account._is_full_read_due():
            account._begin_sweep()
        stretch = account._read_on(Stretch(), counts, at_most)
        if account.resume_after and stretch.ended == 'enough':
            account._place(stretch)
            stretch = account._resume(counts, at_most)
        if account.last_full_read_at and not account._is_complete(stretch):
            stretch = account._sweep_on(stretch, counts, at_most)
        account._place(stretch)
        account.resume_after = stretch.ended == 'budget' and stretch.last
        if stretch.ended == 'end':
            account._end_list(stretch)
        account.last_read_at = fields.Datetime.now()
        return dict(counts)

    def _resume(self, counts, at_most):
        """Return the stretch below `resume_after`, where an earlier run has stopped."""
        try:
            return self._read_on(Stretch(after=self.resume_after), counts, at_most)
        except PontoApiError as error:
            # Ponto does not document its answer when that row is gone. Then the list is read from its top.
            if error.status not in (400, 404):
                raise
            self._begin_sweep()
            return self._read_on(Stretch(), counts, at_most)

    def _sweep_on(self, stretch, counts, at_most):
        """Begin a sweep with this stretch, or with one from the top, and return it.

        A known row is gone or has moved, and only the whole list tells which.
        """
        if stretch.after:
            self._place(stretch)
            stretch = Stretch(ended='enough')
        self._begin_sweep()
        return self._read_on(stretch, counts, at_most) if stretch.ended == 'enough' else stretch

    def _read_on(self, stretch, counts, at_most):
        """Read the pages below `stretch` into the inbox, add what they hold to `counts`, and return the stretch."""
        pages = self.integration_id._client().iter_transaction_pages(account_id=self.ponto_id, after=stretch.last)
        end = budget.step_end()
        stretch.ended = 'end'
        for number, page in enumerate(pages, 1):
            if not stretch.keys and not stretch.after:
                self._note_list(page)
            items = self._tell_apart(page.items, set(stretch.keys))
            new, changed = self._upsert(items)
            counts.update(read_count=len(page.items), new_count=new, changed_count=changed)
            stretch.keys += items
            if not page.next_url:
                break
            if page.items and not new and not changed and self._is_enough(stretch, page.items):
                stretch.ended = 'enough'
                break
            if at_most and (number == at_most or time.monotonic() > end):
                stretch.ended = 'budget'
                break
        if self._further_rows():
            counts.update(self._follow_changes(stretch, self._passed_over(stretch)))
        self._doubt(stretch)
        return stretch

    def _is_enough(self, stretch, items):
        """Return whether a page of known rows is the last that this run needs."""
        if self.resume_after and not stretch.after:
            # An earlier run has read what lies below.
            return True
        return bool(self.last_full_read_at) and not self._is_in_lookback(items)

    def _is_in_lookback(self, items):
        last_read_at = noted(self.last_read_at)
        if not last_read_at:
            return True
        start = last_read_at - LOOKBACK
        return any(
            moment and naive_utc(moment) >= start for item in items for moment in (item.execution_date, item.value_date)
        )

    # -------------------------------------------------------------------------
    # Sweeps: reads of the whole list
    # -------------------------------------------------------------------------

    def _is_complete(self, stretch):
        """Return whether no more of the list is needed to know what this stretch means."""
        if self._has_open_changes(stretch) or self._passed_over(stretch, limit=1):
            return False
        doubtful = [('account_id', '=', self.id), ('is_doubtful', '=', True)]
        return stretch.ended == 'budget' or not self._inbox().search_count(doubtful, limit=1)

    def _passed_over(self, stretch, limit=None):
        """Return the known rows, `limit` at most, that should be in this stretch by their rank, and are not."""
        listed = self._listed(stretch)
        # New rows have no rank yet.
        ranks = [row.rank for row in listed if row.rank]
        if not ranks and stretch.ended != 'end':
            return listed.browse()
        domain = [
            ('account_id', '=', self.id),
            ('rank', '>', 0 if stretch.ended == 'end' else min(ranks)),
            ('missing_since', '=', False),
            ('id', 'not in', listed.ids),
        ]
        ceiling = self._ceiling(stretch)
        if ceiling:
            domain.append(('rank', '<', ceiling))
        return self._inbox().search(domain, limit=limit)

    def _doubt(self, stretch):
        """Doubt the known rows that resemble a new row of this stretch, and that it does not hold."""
        listed = self._listed(stretch)
        listed.filtered('is_doubtful').is_doubtful = False
        # New rows have no rank yet.
        new = listed.filtered(lambda row: row.date and not row.rank)
        others = new and self._inbox().search(
            [
                *new._about_same_domain(),
                ('account_id', '=', self.id),
                ('missing_since', '=', False),
                ('id', 'not in', listed.ids),
                # This sweep has listed the others.
                *([('sweep_number', '<', self.sweep_number)] if not self.last_full_read_at else []),
            ]
        )
        if others:
            found = candidates(
                {row: row._payment() for row in others}, {row: row._payment() for row in new}, near(DUPLICATE_DAYS)
            )
            others.browse(row.id for row in found).is_doubtful = True

    def _end_list(self, stretch):
        """The list has been read to its end: note the rows that it does not hold any more. The books keep them."""
        if self.last_full_read_at:
            # There is no sweep. Nothing was missing, unless several runs have read down to here in the lookback window.
            if not stretch.after:
                self.last_full_read_at = fields.Datetime.now()
            return
        left = self._inbox().search(
            [('account_id', '=', self.id), ('missing_since', '=', False), ('sweep_number', '<', self.sweep_number)]
        )
        gone = left.filtered(lambda row: row.sweep_number < self.sweep_number - bool(stretch.after))
        gone._note_missing()
        gone.filtered(lambda row: row.state == 'booked').filtered_domain(self._gone_domain())._withdraw()
        if left - gone:
            # Another sweep must tell whether they have only moved.
            self._begin_sweep()
        else:
            self.last_full_read_at = fields.Datetime.now()

    # -------------------------------------------------------------------------
    # The place of a row in the list
    # -------------------------------------------------------------------------

    def _place(self, stretch):
        """Give the rows of a stretch their ranks, where they are new or have moved, and in a sweep its number."""
        listed = self._listed(stretch)
        rows = {row._key(): row for row in listed}
        ceiling = self._ceiling(stretch)
        ranks = {key: rows[key].rank for key in stretch.keys if key in rows}
        floor = 0 if stretch.ended == 'end' else self._rank_of_the_next(listed, ceiling)
        for key, rank in places(ranks, floor, ceiling).items():
            rows[key].rank = rank
        if not self.last_full_read_at:
            listed._note_listed(self.sweep_number)

    def _ceiling(self, stretch):
        """Return the rank of what stands right above the stretch; None where it begins at the top of the list."""
        above = self._rows([stretch.after]) if stretch.after else self._inbox()
        return max(above.mapped('rank'), default=0) or None

    def _rank_of_the_next(self, listed, ceiling):
        """Return the greatest rank of the known rows that follow `listed` in Ponto's list, 0 without any."""
        known = [rank for rank in (*listed.mapped('rank'), ceiling) if rank]
        domain = [('account_id', '=', self.id), ('id', 'not in', listed.ids), ('missing_since', '=', False)]
        if known:
            domain.append(('rank', '<', min(known)))
        return self._inbox().search(domain, order='rank desc', limit=1).rank

    def _listed(self, stretch):
        """Return the inbox rows of a stretch."""
        keys = set(stretch.keys)
        return self._rows([ponto_id for ponto_id, _number in keys]).filtered(lambda row: row._key() in keys)
