from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .hold_reasons import hold_reason, hold_sentence
from .labels import payment_reference
from .rights import check_may_book

# What belongs to one state only; a row that leaves the state loses it.
COMPANIONS = {
    'attempts': 0,
    'hold_reason': False,
    'hold_values': False,
    'suspect_line_id': False,
    'earlier_id': False,
    'aside_reason': False,
    'statement_line_id': False,
    'booked_attributes': False,
    'booked_rank': 0,
}


# Somebody, or booking, has decided about a row in one of these states.
DECIDED = ('booked', 'removed', 'aside')


class PontoTransaction(models.Model):
    """One booked transaction as Ponto reported it: the inbox. Its statement line is what the books made of it."""

    _name = 'ponto.transaction'
    _inherit = 'ponto.exported'
    _description = "Bank Transaction from Ponto"
    _order = 'date desc, rank desc, id desc'
    _rec_name = 'payment_ref'

    account_id = fields.Many2one('ponto.account', required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    journal_id = fields.Many2one(related='account_id.journal_id', string="Journal")

    # What Ponto says
    ponto_id = fields.Char(string="Ponto ID", required=True, readonly=True)
    number = fields.Integer(
        required=True, default=1, readonly=True, help="Tells several transactions apart to which Ponto gives one id."
    )
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
            ('aside', "Set Aside"),
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
            ('before_opening', "Before the opening line"),
            ('duplicate', "Suspected duplicate"),
            ('missing', "No longer listed by Ponto"),
            ('refused', "Refused by Odoo"),
            ('withdrawn', "Withdrawn by the bank"),
            ('repeated', "In the journal twice"),
            ('unprocessable', "Could not be processed"),
        ],
        readonly=True,
        help="Why a person has to look at it. Empty: there is nothing to review.",
    )
    hold_values = fields.Json(readonly=True, help="The reason in detail: its kind and what its sentence names.")
    hold_message = fields.Char(string="Why", compute='_compute_hold_message', compute_sudo=True)
    suspect_line_id = fields.Many2one('account.bank.statement.line', readonly=True, index='btree_not_null')
    earlier_id = fields.Many2one(
        'ponto.transaction',
        string="Left Out Before",
        readonly=True,
        index='btree_not_null',
        help="The transaction, removed or set aside, that this one seems to be, under another ID.",
    )
    aside_reason = fields.Char(string="Set Aside Because", readonly=True)
    replaced_id = fields.Many2one(
        'ponto.transaction',
        string="Replaces",
        readonly=True,
        index='btree_not_null',
        help="The withdrawn transaction in whose place Ponto lists this one.",
    )
    replacement_ids = fields.One2many('ponto.transaction', 'replaced_id', string="Replaced By")
    can_book = fields.Boolean(compute='_compute_can_book', compute_sudo=True)
    suspect_date = fields.Date(related='suspect_line_id.date', string="Date in the books")
    suspect_payment_ref = fields.Char(related='suspect_line_id.payment_ref', string="Label in the books")
    suspect_amount = fields.Monetary(related='suspect_line_id.amount', string="Amount in the books")
    suspect_partner_name = fields.Char(related='suspect_line_id.partner_name', string="Partner in the books")
    suspect_account_number = fields.Char(related='suspect_line_id.account_number', string="Account in the books")
    attempts = fields.Integer(readonly=True, help="How many steps of booking with it have not come to an end.")
    different_line_ids = fields.Many2many(
        'account.bank.statement.line',
        'ponto_transaction_different_line_rel',
        readonly=True,
        help="Somebody has compared these lines with it: they are other payments.",
    )
    is_checked = fields.Boolean(
        readonly=True,
        help="Somebody wants it imported although Ponto does not list it any more, or gives its ID to others too, or"
        " although one like it was removed from the books or set aside.",
    )
    statement_line_id = fields.Many2one('account.bank.statement.line', readonly=True)
    booked_attributes = fields.Json(
        readonly=True, help="What Ponto said when the statement line was written or corrected last."
    )
    booked_rank = fields.Float(readonly=True, help="The rank by which the statement line got its place in the day.")
    is_behind = fields.Boolean(
        compute='_compute_is_behind',
        search='_search_is_behind',
        help="Ponto has said something else since its statement line was written.",
    )
    is_wanted = fields.Boolean(readonly=True, help="Somebody has asked for it although it lies before the start date.")
    sweep_number = fields.Integer(readonly=True, help="The last read of Ponto's whole list that has listed it.")
    missing_since = fields.Datetime(readonly=True, help="When Ponto's whole list was first read without it.")
    is_doubtful = fields.Boolean(
        readonly=True, help="Ponto lists a new transaction like it, and has not listed this one since."
    )

    _ponto_id_uniq = models.UniqueIndex('(account_id, ponto_id, number)', "This transaction is already in the inbox.")
    _statement_line_uniq = models.UniqueIndex(
        '(statement_line_id) WHERE statement_line_id IS NOT NULL',
        "This statement line already belongs to another transaction.",
    )
    _day_idx = models.Index('(account_id, date)')
    _rank_idx = models.Index('(account_id, rank)')
    _to_review_idx = models.Index("(account_id) WHERE hold_reason IS NOT NULL")
    _further_idx = models.Index("(account_id) WHERE number > 1")
    _to_book_idx = models.Index(
        "(account_id, date) WHERE state IN ('new', 'held') OR state = 'booked' AND"
        " (attributes IS DISTINCT FROM booked_attributes OR rank IS DISTINCT FROM booked_rank)"
    )

    @api.depends('remittance_information', 'description', 'additional_information', 'end_to_end_id')
    def _compute_payment_ref(self):
        for row in self:
            row.payment_ref = payment_reference(row) or self.env._("Bank transaction")

    @api.depends_context('lang')
    @api.depends('hold_reason', 'hold_values')
    def _compute_hold_message(self):
        for row in self:
            row.hold_message = row.hold_values and hold_sentence(self.env, **row.hold_values)

    @api.depends('state', 'attributes', 'rank', 'booked_attributes', 'booked_rank')
    def _compute_is_behind(self):
        for row in self:
            row.is_behind = row.state == 'booked' and (
                row.attributes != row.booked_attributes or row.rank != row.booked_rank
            )

    def _search_is_behind(self, operator, value):
        if operator != 'in':
            return NotImplemented
        behind = Domain.custom(to_sql=self._behind_sql)
        return behind if True in value else ~behind

    @api.model
    def _behind_sql(self, model, alias, query):
        """Return the condition of the index `_to_book_idx`."""
        state, attributes, booked_attributes, rank, booked_rank = (
            model._field_to_sql(alias, name, query)
            for name in ('state', 'attributes', 'booked_attributes', 'rank', 'booked_rank')
        )
        return SQL(
            "(%s = 'booked' AND (%s IS DISTINCT FROM %s OR %s IS DISTINCT FROM %s))",
            state,
            attributes,
            booked_attributes,
            rank,
            booked_rank,
        )

    @api.depends_context('lang')
    @api.depends('state', 'hold_message', 'missing_since', 'journal_id')
    def _compute_advice(self):
        for row in self:
            row.advice = row._advice()

    def _advice(self):
        if self.hold_reason:
            return self.hold_message
        return {
            'booked': self.missing_since and self.env._("Ponto no longer lists it. Its line stays in the books."),
            'aside': self.env._(
                "Somebody has set it aside (%(reason)s). Import it again if that was a mistake.",
                reason=self.aside_reason,
            ),
            'new': self.env._("It is booked in the next automatic run, or at once with Book Now.")
            if self.journal_id
            else self.env._("No journal is linked to its online account. Link one with Fetch Accounts."),
            'skipped': self.env._("It lies before the start date. Import it if it was not booked in another way."),
            'removed': self.env._("Somebody has deleted its line. Import it again if that was a mistake."),
        }.get(self.state, False)

    # -------------------------------------------------------------------------
    # What is to be done
    # -------------------------------------------------------------------------

    @api.model
    def _to_book_domain(self):
        """Return the domain of the rows with which booking has something to do by itself."""
        waiting = Domain('state', '=', 'new') | (
            Domain('state', '=', 'held') & Domain('hold_reason', '!=', 'unprocessable')
        )
        return waiting | Domain('is_behind', '=', True)

    @api.model
    def _untried_domain(self):
        """Return the domain of those rows among them that booking has not decided about yet."""
        return ['|', ('state', '=', 'new'), ('is_behind', '=', True)]

    @api.model
    def _to_review_domain(self):
        """Return the domain of the rows that wait for a person: held ones, and booked ones that the bank withdrew."""
        return [('hold_reason', '!=', False)]

    def _check_bookkeeper(self):
        """:raises AccessError: the user may not see these rows, or not bring them into the books"""
        self.check_access('read')
        check_may_book(self.env)

    # -------------------------------------------------------------------------
    # Read: what stage 1 does to known rows
    # -------------------------------------------------------------------------

    def _key(self):
        """Return what tells this row from the others of its account."""
        return self.ponto_id, self.number

    def _differs(self, item):
        """Return whether Ponto now says other things about this row; only the time of Ponto's own update is no news."""
        own, other = dict(self.attributes or {}), dict(item.attributes)
        own.pop('updatedAt', None)
        other.pop('updatedAt', None)
        # Text and number look the same in the attributes, but not to who must read an amount.
        return own != other or (self.problem or '') != item.problem

    def _note_listed(self, sweep_number):
        """Note that Ponto lists these rows, in the sweep of that number."""
        self.filtered('missing_since').missing_since = False
        self.filtered(lambda row: row.hold_reason == 'withdrawn')._mark_kept()
        self.filtered(lambda row: row.sweep_number != sweep_number).sweep_number = sweep_number

    def _note_missing(self):
        """Note that Ponto's whole list does not hold these rows any more."""
        self.write({'missing_since': fields.Datetime.now(), 'is_doubtful': False})

    def _apply_dates(self):
        """Set the booking day by the account's choice of date and zone, and skip what lies before its start date.

        What also lies before the opening line without being held by it is not skipped: it would be nowhere.
        """
        for account, rows in self.grouped('account_id').items():
            for day, rows_of_day in rows.grouped(lambda row: row._booking_day()).items():
                rows_of_day.filtered(lambda row, day=day: row.date != day).date = day
            waiting = rows.filtered(lambda row: row.state in ('new', 'held', 'skipped'))
            start = account.start_date
            early = waiting.filtered(lambda row, start=start: start and row.date and row.date < start)
            # They stay wanted when another range is asked for later.
            early.filtered_domain(account._wanted_domain()).is_wanted = True
            skipped = early.filtered(lambda row: not row.is_wanted)
            skipped -= skipped._missed_by_opening()
            skipped._skip()
            (waiting - skipped).filtered(lambda row: row.state == 'skipped')._queue()

    def _booking_day(self):
        return self.account_id._booking_day(self.execution_date, self.value_date)

    # -------------------------------------------------------------------------
    # Transitions: the only writers of `state`
    # -------------------------------------------------------------------------

    def _set_state(self, state, **companions):
        """Bring these rows into `state` with what belongs to it; what belonged to the state before is gone."""
        vals = {**COMPANIONS, 'state': state, **companions}
        for row in self:
            # A held row is tried at each run and mostly stays as it is.
            if row._convert_to_write({name: row[name] for name in vals}) != vals:
                row.write(vals)

    def _queue(self):
        """Leave these rows to the next booking."""
        self._set_state('new')

    def _skip(self):
        """Keep these rows out of the books because they lie before the start date."""
        self._set_state('skipped')

    def _want(self):
        """Let these rows into the books although they lie before the start date."""
        self.is_wanted = True
        self._apply_dates()

    def _remove(self):
        """Remember that somebody has deleted the statement lines of these rows: they come back only when asked."""
        self._set_state('removed')

    def _hold(self, kind, suspect=None, earlier=None, **values):
        """Let this row wait under *To Review*.

        :param kind: a key of `hold_reasons.KINDS`
        :param suspect: the statement line that this row seems to repeat
        :param earlier: the row, removed or set aside, that this row seems to be
        :param values: what the sentence of `kind` names, in a form that JSON keeps
        """
        self._set_state(
            'held',
            hold_reason=hold_reason(kind),
            hold_values={'kind': kind, **values},
            suspect_line_id=suspect.id if suspect else False,
            earlier_id=earlier.id if earlier else False,
        )

    def _mark_booked(self, lines):
        """Let each of `lines` be what the books made of the row at its place, by one query for all of them."""
        self.flush_recordset()
        companions = {name: None if value is False else value for name, value in COMPANIONS.items()}
        own = {
            'statement_line_id': SQL("pair.line_id"),
            'booked_attributes': SQL("attributes"),
            'booked_rank': SQL("rank"),
        }
        changes = {**companions, **own, 'state': 'booked', 'write_uid': self.env.uid, 'write_date': self.env.cr.now()}
        self.env.cr.execute(
            SQL(
                "UPDATE ponto_transaction SET %s FROM unnest(%s, %s) AS pair(row_id, line_id) WHERE id = pair.row_id",
                SQL(", ").join(SQL("%s = %s", SQL.identifier(name), value) for name, value in changes.items()),
                self.ids,
                lines.ids,
            )
        )
        self.invalidate_recordset(changes, flush=False)
        lines.invalidate_recordset(['ponto_transaction_ids'], flush=False)
        self.modified(changes)

    def _mark_followed(self):
        """Note that the statement lines of these rows have followed the bank, or that somebody was told otherwise."""
        for row in self:
            row.write({'attempts': 0, 'booked_attributes': row.attributes, 'booked_rank': row.rank})

    def _set_aside(self, reason):
        """Keep these rows out of the books for good, for a `reason` in a person's words."""
        self._set_state('aside', aside_reason=reason)

    def _mark_withdrawn(self, replacements):
        """Let a booked row wait under *To Review* because the bank has withdrawn it.

        :param replacements: the rows that Ponto lists in its place
        """
        self.write({'hold_reason': 'withdrawn', 'hold_values': {'kind': 'replaced' if replacements else 'withdrawn'}})
        replacements.replaced_id = self

    def _mark_kept(self):
        """Let booked rows stand as they are: there is nothing to review about them any more."""
        self.write({'hold_reason': False, 'hold_values': False, 'suspect_line_id': False})
        self.replacement_ids.replaced_id = False
