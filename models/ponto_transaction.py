from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from .conversions import local_date, naive_utc
from .labels import payment_reference
from .messages import success
from .ordering import places
from .rights import check_may_book

# The inbox fields that tell one payment from another, whatever id Ponto gives it.
FINGERPRINT = (
    'amount',
    'currency_code',
    'execution_date',
    'value_date',
    'remittance_information',
    'counterpart_reference',
    'end_to_end_id',
)


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
    account_ponto_id = fields.Char(readonly=True, help="The account's Ponto id under which this row was listed last.")
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
        ],
        required=True,
        default='new',
        readonly=True,
    )
    hold_reason = fields.Selection(
        [
            ('unreadable', "Unreadable"),
            ('currency', "Other currency"),
            ('future', "Dated in the future"),
            ('locked', "Locked period"),
            ('duplicate', "Suspected duplicate"),
            ('missing', "No longer listed by Ponto"),
            ('refused', "Refused by Odoo"),
        ],
        readonly=True,
    )
    hold_detail = fields.Char(readonly=True, help="The reason as it was noted, in the language of the company.")
    hold_message = fields.Char(string="Why", compute='_compute_hold_message', compute_sudo=True)
    suspect_line_id = fields.Many2one('account.bank.statement.line', readonly=True, index='btree_not_null')
    suspect_date = fields.Date(related='suspect_line_id.date', string="Date in the books")
    suspect_payment_ref = fields.Char(related='suspect_line_id.payment_ref', string="Label in the books")
    suspect_amount = fields.Monetary(related='suspect_line_id.amount', string="Amount in the books")
    suspect_partner_name = fields.Char(related='suspect_line_id.partner_name', string="Partner in the books")
    suspect_account_number = fields.Char(related='suspect_line_id.account_number', string="Account in the books")
    is_checked = fields.Boolean(
        readonly=True, help="Somebody has looked at the suspected duplicate and wants it imported."
    )
    statement_line_id = fields.Many2one('account.bank.statement.line', readonly=True)
    change = fields.Json(
        readonly=True,
        help="What the bank has changed since it was booked and is not in the books yet:"
        " for each field of the statement line, the value before and the value now.",
    )
    is_changed = fields.Boolean(
        readonly=True, help="The bank has changed it and its statement line is not corrected yet."
    )
    is_wanted = fields.Boolean(readonly=True, help="Somebody has asked for it although it lies before the start date.")
    walk_number = fields.Integer(readonly=True, help="The last walk in steps that has come past it.")
    missing_since = fields.Datetime(readonly=True, help="When Ponto's whole list was first read without it.")

    _ponto_id_uniq = models.UniqueIndex('(account_id, ponto_id)', "This transaction is already in the inbox.")
    _statement_line_uniq = models.UniqueIndex(
        '(statement_line_id) WHERE statement_line_id IS NOT NULL',
        "This statement line already belongs to another transaction.",
    )
    _to_book_idx = models.Index("(account_id, date) WHERE state IN ('new', 'held') OR is_changed")

    @api.depends('remittance_information', 'description', 'additional_information', 'end_to_end_id')
    def _compute_payment_ref(self):
        for row in self:
            row.payment_ref = payment_reference(row) or self.env._("Bank transaction")

    @api.depends_context('lang')
    @api.depends('hold_reason', 'hold_detail', 'suspect_line_id')
    def _compute_hold_message(self):
        for row in self:
            row.hold_message = row._hold_sentence()

    @api.depends_context('lang')
    @api.depends('state', 'hold_message', 'missing_since')
    def _compute_advice(self):
        for row in self:
            row.advice = row._advice()

    def _advice(self):
        if self.missing_since and self.state == 'booked':
            return self.env._(
                "Ponto no longer lists it. Compare with the bank's own statement; delete the line if the bank has"
                " withdrawn the transaction."
            )
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
        return success(
            self.env._(
                "%(booked)s booked, %(held)s still to review.", booked=counts['booked_count'], held=counts['held_count']
            )
        )

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
        """:raises AccessError: the user may not see these rows, or not bring them into the books"""
        self.check_access('read')
        check_may_book(self.env)

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
        new = self.create(
            [
                {'account_id': account.id, 'walk_number': account.walk_number, **self._prepare_row_vals(account, item)}
                for ponto_id, item in items.items()
                if ponto_id not in known
            ]
        )
        new._apply_dates()
        return len(new), len(changed)

    @api.model
    def _note_listed(self, account, ponto_ids):
        """Note that the walk through the list that is going on in steps has come past these rows."""
        self.search(
            [('account_id', '=', account.id), ('ponto_id', 'in', ponto_ids), ('walk_number', '!=', account.walk_number)]
        ).walk_number = account.walk_number

    @api.model
    def _note_missing(self, account, ponto_ids=None):
        """Note the rows that Ponto's list, just read to its end, does not hold any more. The books keep them.

        :param ponto_ids: all that the list holds; None if it was read in steps, between which a row can move up to
            where it is not come past. Then only what two walks running have not come past is gone.
        :return: whether no row is left of which another walk must tell
        """
        known = Domain([('account_id', '=', account.id), ('missing_since', '=', False)])
        gone = (
            Domain('ponto_id', 'not in', ponto_ids)
            if ponto_ids is not None
            else Domain('walk_number', '<', account.walk_number - 1)
        )
        self.search(known & gone).missing_since = fields.Datetime.now()
        return ponto_ids is not None or not self.search_count(
            known & Domain('walk_number', '<', account.walk_number), limit=1
        )

    @api.model
    def _is_complete(self, account, ponto_ids):
        """Return whether the rows that Ponto has listed so far are all known ones that should be among them."""
        listed = self.search([('account_id', '=', account.id), ('ponto_id', 'in', ponto_ids)])
        # New ones have no rank yet.
        lowest = min(row.rank for row in listed if row.rank)
        return not self.search_count(
            [
                ('account_id', '=', account.id),
                ('rank', '>', lowest),
                ('missing_since', '=', False),
                ('id', 'not in', listed.ids),
            ],
            limit=1,
        )

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
            name: [noted.get(name, [before[name]])[0], value]
            for name, value in self._prepare_comparable_vals().items()
            if value != noted.get(name, [before[name]])[0]
        }
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
        return {
            name: fields.Date.to_string(value) if name == 'date' else value
            for name, value in vals.items()
            if name not in ('journal_id', 'transaction_details')
        }

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
        for row in self.search(
            [
                ('account_id', '=', account.id),
                ('account_ponto_id', '!=', account.ponto_id),
                ('amount', 'in', list({candidate.amount for candidate in candidates})),
            ],
            order='rank desc',
        ):
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
        return (
            self.env['res.currency']
            .with_context(active_test=False)
            .search([('name', '=', code)], limit=1)
            .filtered(lambda currency: currency.name == code)
        )

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
        rows = {
            row.ponto_id: row
            for row in self.search([('account_id', '=', account.id), ('ponto_id', 'in', [*ponto_ids, after])])
        }
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
