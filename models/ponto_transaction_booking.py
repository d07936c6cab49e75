"""Booking: inbox rows become statement lines, or are held with the reason, and follow what the bank changes later."""

import logging
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date, html2plaintext

from .labels import account_number, clean_line, remittance_text, structured_communication
from .ordering import FIRST_SEQUENCE

_logger = logging.getLogger(__name__)

# How far a line entered by hand or imported from a file may lie from a transaction to be suspected as the same.
DUPLICATE_DAYS = 3
# A batch of which Odoo refuses many rows is tried for so long, see `_create_lines`.
SECONDS_OF_HALVING = 10


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
            changed = rows.filtered('is_changed')
            changed._correct_lines()
            to_book = rows.filtered(lambda row: row.state in ('new', 'held') and row.account_id.journal_id)
            reasons = to_book._reasons_to_hold(account)
            held = to_book.browse(row.id for row in reasons)
            for row in held:
                row._hold(*reasons[row])
            booked = (to_book - held)._create_lines()
            (changed + booked)._order_within_day()
            counts['booked_count'] += len(booked)
            counts['held_count'] += len(to_book.filtered(lambda row: row.state == 'held'))
        return counts

    @api.model
    def _note_removed(self, account):
        """Mark the rows whose statement line went with its deleted journal entry: they do not come back alone."""
        self.search(
            [('account_id', '=', account.id), ('state', '=', 'booked'), ('statement_line_id', '=', False)]
        ).state = 'removed'

    def _create_lines(self, end=None):
        """Create the statement lines of these rows of one account, hold those that Odoo refuses, return the booked.

        A batch with a refused row is halved until that row stands alone, so the others are booked none the less. Where
        many are refused, those that are not tried within `SECONDS_OF_HALVING` stay as they are for the next run.

        :param end: when that time is over, by the monotonic clock
        """
        end = end or time.monotonic() + SECONDS_OF_HALVING
        if not self:
            return self
        try:
            with self.env.cr.savepoint():
                vals_list = self._prepare_statement_lines_vals()
                lines = self.env['account.bank.statement.line'].create(vals_list)
                for row, line in zip(self, lines, strict=True):
                    row._check_line(line)
                    row._mark_booked(line)
            return self
        except psycopg2.OperationalError:
            # Another transaction is at the same rows: not the fault of a row, and this transaction is over.
            raise
        except Exception as error:  # whatever Odoo or another addon objects to, the row says it
            if len(self) > 1:
                half = len(self) // 2
                booked = self[:half]._create_lines(end)
                return booked + self[half:]._create_lines(end) if time.monotonic() < end else booked
            if not isinstance(error, UserError):
                _logger.warning("Transaction %s cannot be booked", self.id, exc_info=True)
            self._hold('refused', self.env._("Odoo refuses it: %(message)s", message=str(error)[:500]))
            return self.browse()

    def _check_line(self, line):
        """Refuse a line that core has silently bent: it must carry this row's date and amount."""
        if line.date != self.date or line.currency_id.compare_amounts(line.amount, self.amount):
            raise UserError(
                self.env._(
                    "it would be booked on %(date)s with %(amount)s instead of its own date and amount.",
                    date=format_date(self.env, line.date),
                    amount=format_amount(self.env, line.amount, line.currency_id),
                )
            )

    def _mark_booked(self, line):
        self.write({'state': 'booked', 'statement_line_id': line.id, **self._no_hold()})

    def _hold(self, reason, message, suspect=None):
        vals = {
            'state': 'held',
            'hold_reason': reason,
            'hold_detail': message,
            'suspect_line_id': suspect.id if suspect else False,
        }
        current = self._convert_to_write({name: self[name] for name in vals})
        if vals != current:
            self.write(vals)

    @api.model
    def _no_hold(self):
        return {'hold_reason': False, 'hold_detail': False, 'suspect_line_id': False}

    def _reasons_to_hold(self, account):
        """Return `{row: (reason, sentence[, suspect line])}` for the rows of `account` that must not be booked now."""
        suspects = self._suspects(account)
        obstacle = self._obstacle(account.journal_id)
        reasons = {}
        for row in self:
            reason = row._own_reason_to_hold(account)
            if not reason and obstacle:
                reason = 'refused', obstacle
            if not reason and row in suspects:
                reason = 'duplicate', self._duplicate_sentence(suspects[row]), suspects[row]
            if reason:
                reasons[row] = reason
        return reasons

    @api.model
    def _duplicate_sentence(self, line):
        return self.env._(
            "%(line)s of %(date)s has the same amount. Is it the same payment?",
            line=line.payment_ref or line.name,
            date=format_date(self.env, line.date),
        )

    def _hold_sentence(self):
        """Return why this row is held, in the reader's language; what Odoo or another addon has said stays as it is."""
        if self.suspect_line_id:
            return self._duplicate_sentence(self.suspect_line_id)
        if self.hold_reason == 'refused':
            return self._obstacle(self.journal_id) or self.hold_detail
        reason, sentence = (self.hold_reason and self._own_reason_to_hold(self.account_id)) or (False, False)
        return sentence if reason == self.hold_reason else self.hold_detail

    @api.model
    def _obstacle(self, journal):
        """Return in a sentence why Odoo takes no transaction at all in `journal`; None if nothing is in the way."""
        currency = journal.currency_id or journal.company_id.currency_id
        ledgers = journal.default_account_id + journal.suspense_account_id
        if not journal.active:
            return self.env._("The journal %(journal)s is archived.", journal=journal.name)
        if not (journal.default_account_id and journal.suspense_account_id):
            return self.env._(
                "The journal %(journal)s has no bank account or no suspense account. Set both in its configuration.",
                journal=journal.name,
            )
        if not all(ledgers.mapped('active')):
            return self.env._(
                "The account %(account)s of the journal %(journal)s is archived.",
                journal=journal.name,
                account=ledgers.filtered(lambda ledger: not ledger.active)[0].display_name,
            )
        if not currency.active:
            return self.env._("The currency %(currency)s is not active.", currency=currency.name)
        if journal.restrict_mode_hash_table:
            return self.env._(
                "The journal %(journal)s secures posted entries with a hash, and Odoo then takes nothing that is still"
                " to be reconciled. Switch that off in its configuration.",
                journal=journal.name,
            )
        return None

    def _own_reason_to_hold(self, account):
        """Return `(reason, sentence)` if this row by itself must wait, else None."""
        if self.problem or not self.date:
            return 'unreadable', self.env._(
                "Odoo cannot read what Ponto sent: %(problem)s.", problem=self.problem or self.env._("no date")
            )
        if not self.currency_id or self.currency_id != account.currency_id:
            return 'currency', self.env._(
                "It is in %(currency)s but the account is in %(other)s.",
                currency=self.currency_code or '?',
                other=account.currency_code or '?',
            )
        if self._has_odd_decimals():
            return 'currency', self.env._(
                "Its amount %(amount)s has more decimals than %(currency)s allows.",
                amount=self.attributes.get('amount'),
                currency=self.currency_code,
            )
        if self.missing_since and not self.is_checked:
            return 'missing', self.env._(
                "Ponto no longer lists it. Import it only if it is on the bank's own statement."
            )
        if self.date > fields.Date.context_today(self.with_context(tz=account.time_zone)):
            return 'future', self.env._("It is dated in the future: it is booked on its day.")
        locks = account.company_id._get_violated_lock_dates(self.date, False, account.journal_id)
        if locks:
            lock_date, field = locks[-1]
            return 'locked', self.env._(
                "%(date)s lies in a closed period (%(lock)s: %(lock_date)s). Open it, and the transaction is booked on"
                " its own date.",
                date=format_date(self.env, self.date),
                lock_date=format_date(self.env, lock_date),
                lock=self.env['res.company']._fields[field]._description_string(self.env),
            )
        return None

    def _has_odd_decimals(self):
        try:
            exact = Decimal(str(self.attributes.get('amount')))
        except InvalidOperation:
            return False
        return exact != Decimal(str(self.currency_id.round(float(exact))))

    def _suspects(self, account):
        """Return `{row: statement line}` for rows that seem to be in the books already: by hand, from a file, or from
        this feed under an id that Ponto lists no more, or from another online account that the journal had before.

        A line is suspected once: of two equal payments, of which one was entered by hand, the other is booked.
        """
        # What Ponto lists no more is held for that: its line must be left for the same payment under a new id.
        rows = self.filtered(lambda row: row.date and not row.is_checked and not row.missing_since)
        if not rows:
            return {}
        days = timedelta(days=DUPLICATE_DAYS)
        lines = self.env['account.bank.statement.line'].search(
            [
                '|',
                ('journal_id', '=', account.journal_id.id),
                ('ponto_transaction_ids.account_id', '=', account.id),
                (
                    'ponto_transaction_ids',
                    'not any',
                    [
                        ('account_id', '=', account.id),
                        ('account_ponto_id', '=', account.ponto_id),
                        ('missing_since', '=', False),
                    ],
                ),
                ('date', '>=', min(rows.mapped('date')) - days),
                ('date', '<=', max(rows.mapped('date')) + days),
                ('amount', 'in', list(set(rows.mapped('amount')))),
                ('state', '!=', 'cancel'),
                ('is_ponto_opening', '=', False),
            ]
        )
        # One that a row of another batch is held for is taken.
        lines -= self.search(
            [
                ('account_id', '=', account.id),
                ('suspect_line_id', 'in', lines.ids),
                ('id', 'not in', self.ids),
                ('missing_since', '=', False),
            ]
        ).suspect_line_id
        by_amount = lines.grouped('amount')
        pairs = [(row, line) for row in rows for line in by_amount.get(row.amount, ()) if row._may_be(line)]
        suspects = {}
        # The nearest day first, so that the line of one payment is not taken for another's.
        for row, line in sorted(pairs, key=lambda pair: abs(pair[0].date - pair[1].date)):
            if row not in suspects and line not in suspects.values():
                suspects[row] = line
        return suspects

    def _may_be(self, line):
        """Return whether `line` may be this payment: what both tell must not differ."""
        own, other = account_number(self.counterpart_reference), account_number(line.account_number)
        reference = structured_communication(self.remittance_information)
        other_reference = structured_communication(line.payment_ref)
        return (
            abs(line.date - self.date) <= timedelta(days=DUPLICATE_DAYS)
            and not line.currency_id.compare_amounts(line.amount, self.amount)
            and (not own or not other or own == other)
            and (not reference or not other_reference or reference == other_reference)
        )

    # -------------------------------------------------------------------------
    # What the bank changes afterwards
    # -------------------------------------------------------------------------

    def _correct_lines(self):
        """Bring the bank's changes into lines that are open, and tell somebody about those that are not.

        A reconciled line and one in a closed period stay as they are: an activity on the journal entry says what the
        bank has changed. Raw details are no part of the books and always follow.
        """
        for row in self:
            line = row.statement_line_id
            if line and line.transaction_details != row.attributes:
                line.transaction_details = row.attributes
            if line and row.change and not row._correct_line(line):
                row._tell_change(line)
            row.write({'is_changed': False, 'change': False})

    def _correct_line(self, line):
        """Return whether `line` could take over the change."""
        if self._is_closed(line) or self.problem or not self.date or 'currency' in self.change:
            return False
        vals = {name: values[1] for name, values in self.change.items()}
        if not line.partner_id and {'partner_name', 'account_number'} & set(vals):
            vals['partner_id'] = self._find_partners().get(self, False)
        # Core numbers entries by year: one that moves to another gets a new number.
        return self._write_line(line, vals) or ('date' in vals and self._write_line(line, vals, renumber=True))

    def _write_line(self, line, vals, renumber=False):
        """Return whether Odoo takes these values for `line` as they are; if not, nothing is written."""
        try:
            with self.env.cr.savepoint():
                if renumber:
                    line.move_id.button_draft()
                    line.move_id.name = False
                line.write(vals)
                if renumber:
                    line.move_id.action_post()
                if 'date' in vals or 'amount' in vals:
                    self._check_line(line)
            return True
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # whatever Odoo or another addon objects to, somebody is told of the change
            if not isinstance(error, UserError):
                _logger.warning("Statement line %s cannot follow the bank's change", line.id, exc_info=True)
            return False

    def _is_closed(self, line):
        """Return whether the bank's change must not touch `line`: somebody has worked on it, or its period is over.

        Core would undo the part of a reconciliation that is there already. A line of nothing counts as reconciled
        with core.
        """
        _liquidity, _suspense, counterparts = line._seek_for_lines()
        return bool(
            counterparts
            or line.statement_id
            or (line.is_reconciled and not line.currency_id.is_zero(line.amount))
            or any(
                line.company_id._get_violated_lock_dates(day, False, line.journal_id)
                for day in (line.date, self.date)
                if day
            )
        )

    def _tell_change(self, line):
        labels = {'currency': self.env._("Currency")}
        note = Markup('<p>%s</p><ul>%s</ul>') % (
            self.env._(
                "The bank has changed this transaction after it was closed in the books. Nothing was touched:"
                " please check whether an entry has to be corrected."
            ),
            Markup().join(
                Markup('<li>%s: <s>%s</s> → %s</li>')
                % (
                    labels.get(name) or line._fields[name]._description_string(self.env),
                    html2plaintext(str(old or '—')),
                    html2plaintext(str(new or '—')),
                )
                for name, (old, new) in self.change.items()
            ),
        )
        line.move_id.activity_schedule(
            'mail.mail_activity_data_warning',
            user_id=self.account_id.link_id.user_id.id or self.env.uid,
            summary=self.env._("Changed by the bank"),
            note=note,
        )

    # -------------------------------------------------------------------------
    # Values of a statement line
    # -------------------------------------------------------------------------

    def _prepare_statement_lines_vals(self):
        """Return the values of the statement lines of these rows of one account; partners are looked up in one go."""
        partners = self._find_partners()
        sequences = self._sequences()
        return [
            {**row._prepare_statement_line_vals(), 'partner_id': partners.get(row), 'sequence': sequences[row]}
            for row in self
        ]

    def _prepare_statement_line_vals(self):
        """Return the values of this row's statement line. A hook for other addons; touches no database.

        The partner and the place within the day are added for the whole batch.
        """
        self.ensure_one()
        return {
            'journal_id': self.account_id.journal_id.id,
            'date': self.date,
            'amount': self.amount,
            'payment_ref': self.payment_ref,
            'partner_name': clean_line(self.counterpart_name) or False,
            'account_number': account_number(self.counterpart_reference) or False,
            'transaction_type': clean_line(self.bank_transaction_code or self.proprietary_bank_transaction_code)
            or False,
            'transaction_details': self.attributes,
            'narration': remittance_text(self),
        }

    # -------------------------------------------------------------------------
    # The bank's order within a day
    # -------------------------------------------------------------------------

    def _sequences(self):
        """Return `{row: sequence}` for all inbox rows of the days of these rows of one account.

        Core shows a day's lines by falling sequence, the first of the day having the greatest.
        """
        rows = self.search(
            [('account_id', 'in', self.account_id.ids), ('date', 'in', list(set(self.mapped('date'))))],
            order='rank, id',
        )
        sequences = {}
        for day_rows in rows.grouped('date').values():
            sequences.update({row: FIRST_SEQUENCE - place for place, row in enumerate(day_rows)})
        return sequences

    def _order_within_day(self):
        """Move lines that were booked earlier where a late row has come between; usually there are none."""
        if not self:
            return
        for row, sequence in self._sequences().items():
            if row.statement_line_id and row.statement_line_id.sequence != sequence:
                row.statement_line_id.sequence = sequence
