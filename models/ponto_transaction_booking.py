"""Booking: inbox rows become statement lines, or are held with the reason, and follow what the bank changes later."""

import logging
import time
from collections import Counter
from decimal import Decimal, InvalidOperation

from odoo import api, fields, models
from odoo.exceptions import UserError

from . import budget
from .database_errors import is_passing
from .ponto_transaction_line import BentLineError

_logger = logging.getLogger(__name__)

# Less than this is noise of floating point: 1190.4499999999998 is meant to be 1190.45.
NOISE = Decimal('0.000001')


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _book(self):
        """Book those of these rows that may enter the books, and hold the others with the reason. Does not commit.

        :return: `Counter` with `booked_count` and `held_count`
        """
        counts = Counter(booked_count=0, held_count=0)
        for account, rows in self.grouped('account_id').items():
            rows = (
                rows.sudo()
                .with_company(account.company_id)
                .with_context(lang=account.company_id.partner_id.lang or 'en_US')
            )
            changed = rows.filtered('is_behind')
            changed._correct_lines()
            to_book = rows.filtered(lambda row: row.state in ('new', 'held') and row.account_id.journal_id)
            to_book -= to_book._tie_imported_lines()
            suspected = to_book.suspect_line_id
            reasons = to_book._reasons_to_hold(account)
            held = to_book.browse(row.id for row in reasons)
            for row in held:
                row._hold(**reasons[row])
            booked = (to_book - held)._create_lines()
            account._lower_opening_line(booked)
            (changed + booked)._order_within_day()
            changed._mark_followed()
            # A line that a row no longer seems to repeat may repeat another row, which was booked meanwhile.
            (suspected - to_book.suspect_line_id)._find_repeated()
            if booked and account.journal_id.ponto_match_automatically:
                self.env.ref('account_online_ponto.ir_cron_match').sudo()._trigger()
            counts['booked_count'] += len(booked)
            counts['held_count'] += len(to_book.filtered(lambda row: row.state == 'held'))
        return counts

    def _create_lines(self, end=None):
        """Create the statement lines of these rows of one account, hold those that Odoo refuses, return the booked.

        A batch with a refused row is halved until that row stands alone, so the others are booked none the less. Where
        many are refused, those that are not tried within `budget.STEP` seconds stay as they are for the next run.

        :param end: when that time is over, by the monotonic clock
        """
        end = end or budget.step_end()
        if not self:
            return self
        try:
            with self.env.cr.savepoint():
                vals_list = self._prepare_statement_lines_vals()
                lines = self.env['account.bank.statement.line'].with_context(ponto_feed=True)._create_on_lane(vals_list)
                lines = lines.with_env(self.env)
                for row, line in zip(self, lines, strict=True):
                    line._check_values({'date': row.date, 'amount': row.amount})
                self._mark_booked(lines)
            return self
        except Exception as error:  # whatever Odoo, the database or another addon objects to, the row says it
            if is_passing(error):
                # Not the fault of a row, and this transaction is over.
                raise
            if len(self) > 1:
                half = len(self) // 2
                booked = self[:half]._create_lines(end)
                return booked + self[half:]._create_lines(end) if time.monotonic() < end else booked
            if not isinstance(error, (UserError, BentLineError)):
                _logger.warning("Transaction %s cannot be booked", self.id, exc_info=True)
            if isinstance(error, BentLineError):
                self._hold('bent', **error.values)
            else:
                self._hold('refused', message=str(error)[:500])
            return self.browse()

    def _in_batches(self):
        """Return these rows in batches that fit into a step. A row with an unfinished attempt stands alone."""
        size, alone = budget.BOOKING.size, self.filtered('attempts')
        rows = self - alone
        return [*(rows[start : start + size] for start in range(0, len(rows), size)), *alone]

    def _note_attempt(self):
        """Note that a step with these rows has not come to an end. After the second time a person looks at them."""
        for attempts, rows in self.grouped('attempts').items():
            if attempts + 1 < budget.LOST_WORKERS:
                rows.attempts = attempts + 1
                continue
            for row in rows:
                _logger.warning("Transaction %s is left to a person: steps with it have not come to an end", row.id)
                if row.state == 'booked':
                    row._tell_interruption()
                    row._mark_followed()
                else:
                    row._hold('interrupted')

    def _reasons_to_hold(self, account):
        """Return `{row: arguments of _hold}` for the rows of `account` that must not be booked now."""
        suspects = self._suspects(account)
        doubts = self._doubts_about_opening()
        obstacle = self._obstacle(account.journal_id)
        obstacles = {day: self._day_obstacle(account, day) for day in {row.date for row in self} if day}
        reasons = {}
        for row in self:
            reason = doubts.get(row) or row._own_reason_to_hold(account) or obstacles.get(row.date) or obstacle
            if reason and reason['kind'] == 'other_currency':
                reason['suspect'] = row._entered_by_hand(account)
            if not reason and row in suspects:
                reason = suspects[row]._prepare_suspicion_vals()
            if reason:
                reasons[row] = reason
        return reasons

    @api.model
    def _obstacle(self, journal):
        """Return the arguments of `_hold` if Odoo takes no transaction at all in `journal`, else None."""
        currency = journal._ponto_currency()
        ledgers = journal.default_account_id + journal.suspense_account_id
        archived = ledgers.filtered(lambda ledger: not ledger.active)
        if not journal.active:
            return {'kind': 'journal_archived', 'journal': journal.name}
        if not (journal.default_account_id and journal.suspense_account_id):
            return {'kind': 'journal_incomplete', 'journal': journal.name}
        if archived:
            return {'kind': 'ledger_archived', 'journal': journal.name, 'ledger': archived[0].display_name}
        if not currency.active:
            return {'kind': 'currency_archived', 'currency': currency.name}
        if journal.restrict_mode_hash_table:
            return {'kind': 'journal_hashed', 'journal': journal.name}
        return None

    def _own_reason_to_hold(self, account):
        """Return the arguments of `_hold` if this row by itself must wait, else None."""
        if self.problem:
            return {'kind': 'unreadable', 'problem': self.problem}
        if not self.date:
            return {'kind': 'undated'}
        currency = account.journal_id._ponto_currency()
        if not self.currency_id or self.currency_id != currency:
            return {'kind': 'other_currency', 'currency': self.currency_code or '?', 'other': currency.name}
        if self._has_odd_decimals():
            return {'kind': 'decimals', 'figure': str(self.attributes.get('amount')), 'currency': self.currency_code}
        if self.missing_since and not self.is_checked:
            return {'kind': 'missing'}
        if self.is_doubtful and not self.is_checked:
            return {'kind': 'doubtful'}
        if self.number > 1 and not self.is_checked:
            return {'kind': 'same_id', 'id': self.ponto_id}
        return None

    @api.model
    def _day_obstacle(self, account, day):
        """Return the arguments of `_hold` if nothing may be booked on that day now, else None."""
        if day > fields.Date.context_today(self.with_context(tz=account.time_zone)):
            return {'kind': 'future'}
        locks = account.company_id._get_violated_lock_dates(day, False, account.journal_id)
        if locks:
            # What is locked for good cannot be opened, whatever else is locked.
            hard = [lock for lock in locks if lock[1] == 'hard_lock_date']
            lock_date, lock = (hard or locks)[-1]
            return {
                'kind': 'locked_for_good' if hard else 'locked',
                'date': fields.Date.to_string(day),
                'lock_date': fields.Date.to_string(lock_date),
                'lock': lock,
            }
        return None

    def _has_odd_decimals(self):
        """Return whether the amount is no whole number of the currency's smallest unit."""
        try:
            exact = Decimal(str(self.attributes.get('amount')))
        except InvalidOperation:
            return False
        return abs(exact - Decimal(str(self.currency_id.round(float(exact))))) > NOISE
