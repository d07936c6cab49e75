import logging
import time
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date, html2plaintext

from .conversions import local_date, naive_utc
from .labels import payment_reference, remittance_text, structured_communication
from .ordering import places

_logger = logging.getLogger(__name__)

# How far a line entered by hand or imported from a file may lie from a transaction to be suspected as the same.
DUPLICATE_DAYS = 3
# A batch of which Odoo refuses many rows is tried for so long, see `_create_lines`.
SECONDS_OF_HALVING = 10
# Lines of one day are ordered by a sequence that counts down from here as the bank goes on (`_sequences`).
FIRST_SEQUENCE = 100_000
# The inbox fields that tell one payment from another, whatever id Ponto gives it.
FINGERPRINT = (
    'amount', 'currency_code', 'execution_date', 'value_date', 'remittance_information', 'counterpart_reference',
    'end_to_end_id')


def _name_key(name):
    """Return a partner's name as it is compared: accents count, capitals and the number of spaces do not."""
    return ' '.join((name or '').split()).casefold()


class PontoTransaction(models.Model):
    """One booked transaction as Ponto reported it: the inbox. Its statement line is what the books made of it."""
    _name = 'ponto.transaction'
    _description = "Bank Transaction from Ponto"
    _order = 'date desc, rank desc, id desc'
    _rec_name = 'payment_ref'

    account_id = fields.Many2one('ponto.account', required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    journal_id = fields.Many2one(related='account_id.journal_id', string="Journal")

    # What Ponto says
    ponto_id = fields.Char(string="Ponto ID", required=True, readonly=True)
    account_ponto_id = fields.Char(
        readonly=True, help="The account's Ponto id under which this row was listed last.")
    rank = fields.Float(readonly=True, help="The place in Ponto's list: the greater, the newer.")
    amount = fields.Monetary(readonly=True)
    currency_code = fields.Char(readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    execution_date = fields.Datetime(readonly=True)
    value_date = fields.Datetime(readonly=True)
    description = fields.Char(readonly=True)
    remittance_information = fields.Text(readonly=True)
    remittance_information_type = fields.Char(readonly=True)
    counterpart_name = fields.Char(readonly=True)
    counterpart_reference = fields.Char(string="Counterpart Account", readonly=True)
    additional_information = fields.Text(readonly=True)
    end_to_end_id = fields.Char(string="End-to-end ID", readonly=True)
    mandate_reference = fields.Char(string="Mandate", readonly=True)
    creditor_reference = fields.Char(string="Creditor ID", readonly=True)
    purpose_code = fields.Char(readonly=True)
    bank_transaction_code = fields.Char(readonly=True)
    proprietary_bank_transaction_code = fields.Char(readonly=True)
    card_reference = fields.Char(readonly=True)
    fee = fields.Monetary(readonly=True)
    attributes = fields.Json(readonly=True, help="All that Ponto said, unchanged.")
    problem = fields.Char(readonly=True, help="What Odoo cannot read in what Ponto said.")

    # What Odoo makes of it
    date = fields.Date(readonly=True, help="The day in the bank's time zone on which it is booked.")
    payment_ref = fields.Char(string="Label", compute='_compute_payment_ref')
    advice = fields.Char(string="What to Do", compute='_compute_advice')
    state = fields.Selection(
        [
            ('new', "To Book"),
            ('held', "To Review"),
            ('booked', "In the Books"),
            ('skipped', "Before the Start Date"),
            ('removed', "Removed"),
        ], required=True, default='new', readonly=True)
    hold_reason = fields.Selection(
        [
            ('unreadable', "Unreadable"),
            ('currency', "Other currency"),
            ('future', "Dated in the future"),
            ('locked', "Locked period"),
            ('duplicate', "Suspected duplicate"),
            ('missing', "No longer listed by Ponto"),
            ('refused', "Refused by Odoo"),
        ], readonly=True)
    hold_message = fields.Char(string="Why", readonly=True)
    suspect_line_id = fields.Many2one('account.bank.statement.line', readonly=True, index='btree_not_null')
    suspect_date = fields.Date(related='suspect_line_id.date', string="Date in the books")
    suspect_payment_ref = fields.Char(related='suspect_line_id.payment_ref', string="Label in the books")
    suspect_amount = fields.Monetary(related='suspect_line_id.amount', string="Amount in the books")
    suspect_partner_name = fields.Char(related='suspect_line_id.partner_name', string="Partner in the books")
    suspect_account_number = fields.Char(related='suspect_line_id.account_number', string="Account in the books")
    is_checked = fields.Boolean(
        readonly=True, help="Somebody has looked at the suspected duplicate and wants it imported.")
    statement_line_id = fields.Many2one('account.bank.statement.line', readonly=True)
    change = fields.Json(
        readonly=True, help="What the bank has changed since it was booked and is not in the books yet:"
                            " for each field of the statement line, the value before and the value now.")
    is_changed = fields.Boolean(
        readonly=True, help="The bank has changed it and its statement line is not corrected yet.")
    is_wanted = fields.Boolean(readonly=True, help="Somebody has asked for it although it lies before the start date.")
    walk_number = fields.Integer(readonly=True, help="The last walk in steps that has come past it.")
    missing_since = fields.Datetime(readonly=True, help="When Ponto's whole list was first read without it.")

    _ponto_id_uniq = models.UniqueIndex('(account_id, ponto_id)', "This transaction is already in the inbox.")
    _statement_line_uniq = models.UniqueIndex(
        '(statement_line_id) WHERE statement_line_id IS NOT NULL',
        "This statement line already belongs to another transaction.")
    _to_book_idx = models.Index("(account_id, date) WHERE state IN ('new', 'held') OR is_changed")

    @api.depends('remittance_information', 'description', 'additional_information', 'end_to_end_id')
    def _compute_payment_ref(self):
        for row in self:
            row.payment_ref = payment_reference(row) or self.env._("Bank transaction")

    @api.depends('state', 'hold_message', 'missing_since')
    def _compute_advice(self):
        for row in self:
            row.advice = row._advice()

    def _advice(self):
        if self.missing_since and self.state == 'booked':
            return self.env._(
                "Ponto no longer lists it. Compare with the bank's own statement; delete the line if the bank has"
                " withdrawn the transaction.")
        return {
            'held': self.hold_message,
            'new': self.env._("It is booked with the next run, or with Book Now."),
            'skipped': self.env._("It lies before the start date. Import it if it is not in the books otherwise."),
            'removed': self.env._("Somebody has deleted its line. Import it again if that was a mistake."),
        }.get(self.state, False)

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_book(self):
        """Book the selected rows now where their reason to be held is gone; tell what became of them."""
        self._check_bookkeeper()
        counts = self.sudo().filtered(lambda row: row.state in ('new', 'held'))._book()
        return self.env['ponto.synchronization']._notification(self.env._(
            "%(booked)s booked, %(held)s still to review.", booked=counts['booked_count'], held=counts['held_count']))

    def action_import_anyway(self):
        """Book suspected duplicates, and what Ponto lists no more: somebody has compared and says that it is right."""
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.hold_reason in ('duplicate', 'missing')).is_checked = True
        return self.action_book()

    def action_same_as_suspect(self):
        """Tie each row to the line that it was suspected to repeat; that line is its entry in the books."""
        self._check_bookkeeper()
        for row in self.sudo().filtered(lambda row: row.hold_reason == 'duplicate' and row.suspect_line_id):
            earlier = row.suspect_line_id.ponto_transaction_ids
            if not earlier:
                row._mark_booked(row.suspect_line_id)
            elif earlier.missing_since or earlier.account_ponto_id != row.account_ponto_id:
                row._take_over(earlier)

    def action_import_skipped(self):
        """Book transactions that lie before the start date."""
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.state == 'skipped')._want()
        return self.action_book()

    def action_import_again(self):
        """Bring back transactions whose statement line somebody has deleted."""
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.state == 'removed').state = 'new'
        return self.action_book()

    @api.model
    def _to_book_domain(self):
        """Return the domain of the rows with which booking has something to do."""
        return ['|', ('state', 'in', ('new', 'held')), ('is_changed', '=', True)]

    @api.model
    def _untried_domain(self):
        """Return the domain of those rows among them that booking has not decided about yet."""
        return ['|', ('state', '=', 'new'), ('is_changed', '=', True)]

    def _check_bookkeeper(self):
        """Booking is for whoever may write statement lines, and for Invoicing's administrators (who may not, alone)."""
        self.check_access('read')
        user = self.env.user
        if not (user.has_group('account.group_account_basic') or user.has_group('account.group_account_manager')):
            raise AccessError(self.env._("You may look at bank transactions, but not bring them into the books."))

    # -------------------------------------------------------------------------
    # Runner: the only place that commits
    # -------------------------------------------------------------------------

    @api.model
    def _cron_book(self):
        """Book what waits in the inbox of every linked account, so that no slow bank delays booking. Never raises.

        Accounts that have only held rows come last, and what is not tried again of them in time waits for the next run.
        """
        cron, accounts = self.env['ir.cron'], self.env['ponto.account']
        linked = Domain('journal_id', '!=', False)
        untried = accounts.search(linked & Domain('transaction_ids', 'any', self._untried_domain()))
        others = accounts.search(linked & Domain('transaction_ids', 'any', self._to_book_domain())) - untried
        remaining = len(untried)
        cron._commit_progress(remaining=remaining)
        for account in untried + others:
            # An account that is not finished remains, so that the scheduler comes back soon.
            if account._cron_book_one() and account in untried:
                remaining -= 1
            if not cron._commit_progress(1, remaining=remaining):
                break

    # -------------------------------------------------------------------------
    # Read: what Ponto said becomes inbox rows
    # -------------------------------------------------------------------------

    @api.model
    def _take_in(self, account, items):
        """Upsert the `Transaction` resources of one page for `account`; the same page twice changes nothing.

        :return: `(number of new rows, number of changed rows)`
        """
        items = {item.id: item for item in items}
        rows = self.search([('account_id', '=', account.id), ('ponto_id', 'in', list(items))])
        # Listed under the account's present id, they are nobody's earlier self.
        rows.filtered(lambda row: row.account_ponto_id != account.ponto_id).account_ponto_id = account.ponto_id
        known = {row.ponto_id: row for row in rows}
        adopted = self._adopt(account, [item for item in items.values() if item.id not in known])
        known.update(adopted)
        changed = self.browse()
        for ponto_id, row in known.items():
            if row._differs(items[ponto_id]):
                changed += row._update(items[ponto_id])
            if row.missing_since:
                # Listed again, so others below it may be as well: as a changed row it has reading go on.
                row.missing_since = False
                changed |= row
        new = self.create([
            {'account_id': account.id, 'walk_number': account.walk_number, **self._prepare_row_vals(account, item)}
            for ponto_id, item in items.items() if ponto_id not in known])
        new._apply_dates()
        return len(new), len(changed)

    @api.model
    def _note_listed(self, account, ponto_ids):
        """Note that the walk through the list that is going on in steps has come past these rows."""
        self.search([
            ('account_id', '=', account.id), ('ponto_id', 'in', ponto_ids), ('walk_number', '!=', account.walk_number),
        ]).walk_number = account.walk_number

    @api.model
    def _note_missing(self, account, ponto_ids=None):
        """Note the rows that Ponto's list, just read to its end, does not hold any more. The books keep them.

        :param ponto_ids: all that the list holds; None if it was read in steps, between which a row can move up to
            where it is not come past. Then only what two walks running have not come past is gone.
        :return: whether no row is left of which another walk must tell
        """
        known = Domain([('account_id', '=', account.id), ('missing_since', '=', False)])
        gone = Domain('ponto_id', 'not in', ponto_ids) if ponto_ids is not None else Domain(
            'walk_number', '<', account.walk_number - 1)
        self.search(known & gone).missing_since = fields.Datetime.now()
        return ponto_ids is not None or not self.search_count(
            known & Domain('walk_number', '<', account.walk_number), limit=1)

    @api.model
    def _is_complete(self, account, ponto_ids):
        """Return whether the rows that Ponto has listed so far are all known ones that should be among them."""
        listed = self.search([('account_id', '=', account.id), ('ponto_id', 'in', ponto_ids)])
        # New ones have no rank yet.
        lowest = min(row.rank for row in listed if row.rank)
        return not self.search_count([
            ('account_id', '=', account.id), ('rank', '>', lowest), ('missing_since', '=', False),
            ('id', 'not in', listed.ids)], limit=1)

    def _differs(self, item):
        """Return whether Ponto now says other things about this row; only the time of Ponto's own update is no news."""
        own, other = dict(self.attributes or {}), dict(item.attributes)
        own.pop('updatedAt', None)
        other.pop('updatedAt', None)
        # Text and number look the same in the attributes, but not to who must read an amount.
        return own != other or (self.problem or '') != item.problem

    def _update(self, item):
        """Take over what Ponto says now, and note for a booked row what this changes in its statement line."""
        # By the account's present choice of date and zone, so that only what the bank has changed differs.
        self._apply_dates()
        before = self._prepare_comparable_vals()
        self.write(self._prepare_row_vals(self.account_id, item))
        self._apply_dates()
        if self.state == 'booked':
            self._note_change(before)
        return self

    def _note_change(self, before):
        """Note what the bank has changed since `before`, comparable values, for the statement line to follow."""
        noted = self.change or {}
        change = {
            name: [noted.get(name, [before[name]])[0], value] for name, value in self._prepare_comparable_vals().items()
            if value != noted.get(name, [before[name]])[0]}
        self.write({'change': change, 'is_changed': True})

    def _take_over(self, earlier):
        """Stand for `earlier`, a row that Ponto lists under this row's id now: take its line, and let that follow."""
        line, before = earlier.statement_line_id, earlier._prepare_comparable_vals()
        if earlier.account_id == self.account_id:
            earlier.unlink()
        else:
            # Should its own account ever be read again, it must not come back.
            earlier.write({'state': 'removed', 'statement_line_id': False})
        self._mark_booked(line)
        self._note_change(before)
        self._book()

    def _prepare_comparable_vals(self):
        """Return the values of the statement line in a form that JSON keeps."""
        vals = {**self._prepare_statement_line_vals(), 'currency': self.currency_code}
        return {name: fields.Date.to_string(value) if name == 'date' else value for name, value in vals.items()
                if name not in ('journal_id', 'transaction_details')}

    @api.model
    def _adopt(self, account, items):
        """Recognise known rows that Ponto lists under new ids since it gave the account itself a new one.

        Rows are matched by content, each at most once: two equal payments stay two.

        :return: `{Ponto id: row}` of the recognised rows, which have taken over the new ids
        """
        adopted = {}
        if not items:
            return adopted
        orphans = defaultdict(list)
        candidates = [self.new(self._prepare_row_vals(account, item)) for item in items]
        for row in self.search([
            ('account_id', '=', account.id), ('account_ponto_id', '!=', account.ponto_id),
            ('amount', 'in', list({candidate.amount for candidate in candidates})),
        ], order='rank desc'):
            orphans[row._fingerprint()].append(row)
        for item, candidate in zip(items, candidates, strict=True):
            same = orphans.get(candidate._fingerprint())
            if same:
                row = same.pop(0)
                row.write({'ponto_id': item.id, 'account_ponto_id': account.ponto_id, 'attributes': item.attributes})
                adopted[item.id] = row
        return adopted

    def _fingerprint(self):
        return tuple(self[name] or '' for name in FINGERPRINT)

    @api.model
    def _prepare_row_vals(self, account, item):
        """Return the inbox values of a `Transaction` resource of `account`."""
        return {
            'ponto_id': item.id,
            'account_ponto_id': account.ponto_id,
            'amount': float(item.amount or 0),
            'currency_code': item.currency,
            'currency_id': self._currency(account, item.currency).id,
            'execution_date': naive_utc(item.execution_date),
            'value_date': naive_utc(item.value_date),
            'description': item.description,
            'remittance_information': item.remittance_information,
            'remittance_information_type': item.remittance_information_type,
            'counterpart_name': item.counterpart_name,
            'counterpart_reference': item.counterpart_reference,
            'additional_information': item.additional_information,
            'end_to_end_id': item.end_to_end_id,
            'mandate_reference': item.mandate_id,
            'creditor_reference': item.creditor_id,
            'purpose_code': item.purpose_code,
            'bank_transaction_code': item.bank_transaction_code,
            'proprietary_bank_transaction_code': item.proprietary_bank_transaction_code,
            'card_reference': item.card_reference,
            'fee': float(item.fee or 0),
            'attributes': item.attributes,
            'problem': item.problem,
        }

    @api.model
    def _currency(self, account, code):
        if code == account.currency_code:
            return account.currency_id
        # A search cuts what it looks for to the length of a code: EUR0 would be found as EUR.
        return self.env['res.currency'].with_context(active_test=False).search(
            [('name', '=', code)], limit=1).filtered(lambda currency: currency.name == code)

    def _apply_dates(self):
        """Set the booking day by the account's choice of date and zone, and skip what lies before its start date."""
        for account, rows in self.grouped('account_id').items():
            for day, rows_of_day in rows.grouped(lambda row: row._booking_day()).items():
                rows_of_day.filtered(lambda row, day=day: row.date != day).date = day
            waiting = rows.filtered(lambda row: row.state in ('new', 'held', 'skipped'))
            start = account.start_date
            early = waiting.filtered(lambda row, start=start: start and row.date and row.date < start)
            # They stay wanted when another range is asked for later.
            early.filtered(lambda row, account=account: account._is_wanted(row.date)).is_wanted = True
            skipped = early.filtered(lambda row: not row.is_wanted)
            skipped.filtered(lambda row: row.state != 'skipped').write({'state': 'skipped', **self._no_hold()})
            (waiting - skipped).filtered(lambda row: row.state == 'skipped').state = 'new'

    def _booking_day(self):
        account = self.account_id
        first, second = self.execution_date, self.value_date
        if account.date_basis == 'value':
            first, second = second, first
        return local_date(first or second, account.time_zone)

    def _want(self):
        """Let these rows into the books although they lie before the start date."""
        self.is_wanted = True
        self._apply_dates()

    @api.model
    def _rank(self, account, ponto_ids, after=None, is_end=True):
        """Give each row its place in Ponto's list, where it has none yet or the list has moved it.

        :param ponto_ids: ids as Ponto lists them, newest first, without a gap
        :param after: the id right above them, None where they are the top of the list
        :param is_end: whether they are the end of the list
        """
        rows = {row.ponto_id: row for row in self.search(
            [('account_id', '=', account.id), ('ponto_id', 'in', [*ponto_ids, after])])}
        ceiling = (after in rows and rows[after].rank) or None
        ranks = {ponto_id: rows[ponto_id].rank for ponto_id in ponto_ids if ponto_id in rows and ponto_id != after}
        floor = 0 if is_end else self._rank_of_the_next(account, ranks, ceiling)
        for ponto_id, rank in places(ranks, floor, ceiling).items():
            row = rows[ponto_id]
            # A line in the books follows when booking is next at it.
            row.write({'rank': rank, 'is_changed': row.is_changed or bool(row.rank and row.statement_line_id)})

    @api.model
    def _rank_of_the_next(self, account, ranks, ceiling):
        """Return the greatest rank of the known rows that follow those of `ranks` in Ponto's list, 0 without any."""
        known = [rank for rank in (*ranks.values(), ceiling) if rank]
        domain = [('account_id', '=', account.id), ('ponto_id', 'not in', list(ranks)), ('missing_since', '=', False)]
        if known:
            domain.append(('rank', '<', min(known)))
        return self.search(domain, order='rank desc', limit=1).rank

    # -------------------------------------------------------------------------
    # Book: inbox rows become statement lines
    # -------------------------------------------------------------------------

    def _book(self):
        """Book those of these rows that may enter the books, and hold the others with the reason. Does not commit.

        :return: `Counter` with `booked_count` and `held_count`
        """
        counts = Counter(booked_count=0, held_count=0)
        for account, rows in self.grouped('account_id').items():
            rows = rows.sudo().with_company(account.company_id).with_context(
                lang=account.company_id.partner_id.lang or 'en_US')
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
        self.search([
            ('account_id', '=', account.id), ('state', '=', 'booked'), ('statement_line_id', '=', False),
        ]).state = 'removed'

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
            raise UserError(self.env._(
                "it would be booked on %(date)s with %(amount)s instead of its own date and amount.",
                date=format_date(self.env, line.date), amount=format_amount(self.env, line.amount, line.currency_id)))

    def _mark_booked(self, line):
        self.write({'state': 'booked', 'statement_line_id': line.id, **self._no_hold()})

    def _hold(self, reason, message, suspect=None):
        vals = {'state': 'held', 'hold_reason': reason, 'hold_message': message,
                'suspect_line_id': suspect.id if suspect else False}
        current = self._convert_to_write({name: self[name] for name in vals})
        if vals != current:
            self.write(vals)

    @api.model
    def _no_hold(self):
        return {'hold_reason': False, 'hold_message': False, 'suspect_line_id': False}

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
                line = suspects[row]
                reason = ('duplicate', self.env._(
                    "%(line)s of %(date)s has the same amount. Is it the same payment?",
                    line=line.payment_ref or line.name, date=format_date(self.env, line.date)), line)
            if reason:
                reasons[row] = reason
        return reasons

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
                journal=journal.name)
        if not all(ledgers.mapped('active')):
            return self.env._(
                "The account %(account)s of the journal %(journal)s is archived.", journal=journal.name,
                account=ledgers.filtered(lambda ledger: not ledger.active)[0].display_name)
        if not currency.active:
            return self.env._("The currency %(currency)s is not active.", currency=currency.name)
        if journal.restrict_mode_hash_table:
            return self.env._(
                "The journal %(journal)s secures posted entries with a hash, and Odoo then takes nothing that is still"
                " to be reconciled. Switch that off in its configuration.", journal=journal.name)
        return None

    def _own_reason_to_hold(self, account):
        """Return `(reason, sentence)` if this row by itself must wait, else None."""
        if self.problem or not self.date:
            return 'unreadable', self.env._(
                "Odoo cannot read what Ponto sent: %(problem)s.", problem=self.problem or self.env._("no date"))
        if not self.currency_id or self.currency_id != account.currency_id:
            return 'currency', self.env._(
                "It is in %(currency)s but the account is in %(other)s.",
                currency=self.currency_code or '?', other=account.currency_code or '?')
        if self._has_odd_decimals():
            return 'currency', self.env._(
                "Its amount %(amount)s has more decimals than %(currency)s allows.",
                amount=self.attributes.get('amount'), currency=self.currency_code)
        if self.missing_since and not self.is_checked:
            return 'missing', self.env._(
                "Ponto no longer lists it. Import it only if it is on the bank's own statement.")
        if self.date > fields.Date.context_today(self.with_context(tz=account.time_zone)):
            return 'future', self.env._("It is dated in the future: it is booked on its day.")
        locks = account.company_id._get_violated_lock_dates(self.date, False, account.journal_id)
        if locks:
            lock_date, field = locks[-1]
            return 'locked', self.env._(
                "%(date)s lies in a closed period (%(lock)s: %(lock_date)s). Open it, and the transaction is booked on"
                " its own date.",
                date=format_date(self.env, self.date), lock_date=format_date(self.env, lock_date),
                lock=self.env['res.company']._fields[field]._description_string(self.env))
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
        lines = self.env['account.bank.statement.line'].search([
            '|', ('journal_id', '=', account.journal_id.id), ('ponto_transaction_ids.account_id', '=', account.id),
            ('ponto_transaction_ids', 'not any', [
                ('account_id', '=', account.id), ('account_ponto_id', '=', account.ponto_id),
                ('missing_since', '=', False)]),
            ('date', '>=', min(rows.mapped('date')) - days),
            ('date', '<=', max(rows.mapped('date')) + days),
            ('amount', 'in', list(set(rows.mapped('amount')))),
            ('state', '!=', 'cancel'),
            ('is_ponto_opening', '=', False),
        ])
        # ... nor of one that waits in another batch.
        lines -= self.search([
            ('account_id', '=', account.id), ('suspect_line_id', 'in', lines.ids), ('id', 'not in', self.ids),
            ('missing_since', '=', False),
        ]).suspect_line_id
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
        own, other = sanitize_account_number(self.counterpart_reference), sanitize_account_number(line.account_number)
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
            counterparts or line.statement_id
            or (line.is_reconciled and not line.currency_id.is_zero(line.amount))
            or any(line.company_id._get_violated_lock_dates(day, False, line.journal_id)
                   for day in (line.date, self.date) if day))

    def _tell_change(self, line):
        labels = {'currency': self.env._("Currency")}
        note = Markup('<p>%s</p><ul>%s</ul>') % (
            self.env._("The bank has changed this transaction after it was closed in the books. Nothing was touched:"
                       " please check whether an entry has to be corrected."),
            Markup().join(
                Markup('<li>%s: <s>%s</s> → %s</li>') % (
                    labels.get(name) or line._fields[name]._description_string(self.env),
                    html2plaintext(str(old or '—')), html2plaintext(str(new or '—')))
                for name, (old, new) in self.change.items()),
        )
        line.move_id.activity_schedule(
            'mail.mail_activity_data_warning', user_id=self.account_id.link_id.user_id.id or self.env.uid,
            summary=self.env._("Changed by the bank"), note=note)

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
            'partner_name': self.counterpart_name or False,
            'account_number': sanitize_account_number(self.counterpart_reference) or False,
            'transaction_type': self.bank_transaction_code or self.proprietary_bank_transaction_code or False,
            'transaction_details': self.attributes,
            'narration': remittance_text(self),
        }

    def _find_partners(self):
        """Return `{row: partner id}`: by counterpart account number, then by a name that only one partner has.

        A contact stands for its company. Archived partners and those of other companies are not considered.
        """
        numbers = {row: sanitize_account_number(row.counterpart_reference) for row in self}
        names = {row: _name_key(row.counterpart_name) for row in self}
        banks = self.env['res.partner.bank'].search(
            [('sanitized_acc_number', 'in', list(filter(None, numbers.values())))])
        namesakes = self._namesakes(list(set(filter(None, names.values()))))
        partners = (banks.partner_id + namesakes).filtered('active').commercial_partner_id
        usable = partners.filtered_domain([
            ('active', '=', True), *partners._check_company_domain(self.company_id)])
        by_number = self._unique(
            (bank.sanitized_acc_number, bank.partner_id.commercial_partner_id.id) for bank in banks
            if bank.partner_id.active and bank.partner_id.commercial_partner_id in usable)
        by_name = self._unique(
            (_name_key(partner.name), partner.commercial_partner_id.id) for partner in namesakes
            if partner.commercial_partner_id in usable)
        found = {row: by_number.get(numbers[row]) or by_name.get(names[row]) for row in self}
        return {row: partner for row, partner in found.items() if partner}

    @api.model
    def _namesakes(self, names):
        """Return the active partners with one of these names, whatever is written in capitals."""
        partners = self.env['res.partner']
        if not names:
            return partners
        partners.flush_model(['name', 'active'])
        return partners.browse(row[0] for row in self.env.execute_query(SQL(
            "SELECT id FROM res_partner WHERE active AND lower(name) IN (SELECT lower(name) FROM unnest(%s) AS name)",
            names)))

    @api.model
    def _unique(self, pairs):
        """Return `{key: value}` of the pairs whose key has one value only."""
        values = defaultdict(set)
        for key, value in pairs:
            values[key].add(value)
        return {key: next(iter(group)) for key, group in values.items() if len(group) == 1}

    # -------------------------------------------------------------------------
    # The bank's order within a day
    # -------------------------------------------------------------------------

    def _sequences(self):
        """Return `{row: sequence}` for all inbox rows of the days of these rows of one account.

        Core shows a day's lines by falling sequence, the first of the day having the greatest.
        """
        rows = self.search([
            ('account_id', 'in', self.account_id.ids), ('date', 'in', list(set(self.mapped('date')))),
        ], order='rank, id')
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
