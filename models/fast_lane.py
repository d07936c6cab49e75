"""The fast lane: core creates a batch of statement lines, and what it does for each line is done once for the batch.

Core does all of the work, with its own numbers, locks and checks. The methods below only spare repetitions:

============================  =========================================================================================
core, for each line           in the lane
============================  =========================================================================================
writes line, note and name    one write for the batch (`_write_ties`)
writes the partner            it is given when the entry is created
looks up the last number      for the first entry of a batch and period, and for the second, which proves that the first
                              is the last one now. The others follow; core's lock on the first keeps others waiting
writes prefix and number      they are set together with the number
computes what many share      for the first of those that agree in what it follows from (`fast_lane_alike.py`)
looks for each currency       once for each environment in which it rounds an amount
looks for locks               once for each day
synchronizes with the entry   only lines that differ from their entry (`_is_in_step`)
synchronizes taxes and terms  not at all: entries with taxes leave the lane
searches analytic models      not where there are none
checks constraints            once for the batch, at its end
============================  =========================================================================================

What the lane does not cover leaves it by itself (`LeaveLane`), and core creates it.
"""

from collections import defaultdict

from odoo import models

# The context key that opens the lane, and the only value that does: nothing that comes over RPC is this object.
LANE = 'ponto_fast_lane'
OPEN = object()
# Values of a statement line with which core takes other ways.
NOT_ON_LANE = {'line_ids', 'counterpart_account_id', 'foreign_currency_id', 'amount_currency'}
# What core writes on each new entry by itself.
TIES = {'statement_line_id', 'narration', 'name'}


class LeaveLane(Exception):
    """Raised when a batch turns out to be none for the lane; core then creates it."""


class Lane:
    """What the lane knows about the one batch that is on it.

    :ivar partners: the partner of each line of the batch, in its order
    :ivar move_ids: the ids of the batch's entries; None as long as they are not created
    :ivar ties: `{entry: values that core wants to write on it}`
    :ivar last_numbered: the entry that has got its number last
    :ivar resets: `{journal: when its numbers begin anew}`, False where core looks up each number
    :ivar formats: `{(journal, period): what core found for the next number}`
    :ivar defaults: `{(model, names of given values): (defaults, whether two records have got the same)}`
    :ivar unchecked: `{model: {name of a field: ids}}`, whose constraints are checked at the end; None once it has come
    :ivar has_analytic_models: None as long as nobody has asked
    :ivar is_untaxed: whether no item of the batch has to do with a tax; False as long as that is not known
    :ivar paths: `{field: paths of the values that it follows from}`, None where each record is computed
    :ivar environments: `{environment: the one in which it looks at a record's currency}`
    :ivar currencies: `{(field, currency id): new record that has it}`
    :ivar locks: `{(company, name of a lock, date): the lock date that it violates, if any}`
    """

    def __init__(self, partners):
        self.partners = partners
        self.move_ids = None
        self.ties = {}
        self.last_numbered = None
        self.resets = {}
        self.formats = {}
        self.defaults = {}
        self.unchecked = defaultdict(lambda: defaultdict(set))
        self.has_analytic_models = None
        self.is_untaxed = False
        self.paths = {}
        self.environments = {}
        self.currencies = {}
        self.locks = {}


class FastLane(models.AbstractModel):
    """What the models that are created on the lane share."""

    _name = 'ponto.fast.lane'
    _description = "Fast Lane for Statement Lines"

    def _lane(self):
        """Return the `Lane` that these records are on; None outside of it."""
        return self.env.cr.cache.get(LANE) if self.env.context.get(LANE) is OPEN else None

    def _validate_fields(self, field_names, excluded_names=()):
        lane = self._lane()
        if not lane or lane.unchecked is None:
            return super()._validate_fields(field_names, excluded_names)
        # Core names a field once for each record of a batch.
        for name in set(field_names):
            lane.unchecked[self._name][name].update(self._ids)
        return None

    def _check_at_the_end(self, lane):
        """Check the constraints that were put off, each for the records of which it concerns a field."""
        unchecked, lane.unchecked = lane.unchecked, None
        for model_name, ids_by_name in unchecked.items():
            names_by_ids = defaultdict(set)
            for name, ids in ids_by_name.items():
                names_by_ids[frozenset(ids)].add(name)
            for ids, names in names_by_ids.items():
                self.env[model_name].browse(ids)._validate_fields(names)

    def _check_company(self, fnames=None):
        return None if self._lane() and self._agree_on_company(fnames) else super()._check_company(fnames)

    def _agree_on_company(self, fnames):
        """Return whether core's check would find nothing; core looks at one record after the other."""
        names = self._fields if fnames is None or 'company_id' in fnames else fnames
        fields = [field for field in map(self._fields.get, names) if field.relational and field.check_company]
        return len(self.company_id) == 1 and all(
            not field.company_dependent and self._is_of_company(self.sudo().mapped(field.name)) for field in fields
        )

    def _is_of_company(self, records):
        domain = records and records._check_company_domain(self.company_id)
        return not domain or records == records.with_context(active_test=False).filtered_domain(domain)

    def _add_missing_default_values(self, values):
        """Ask for the defaults of the first two records only, if they are the same."""
        lane = self._lane()
        if not lane:
            return super()._add_missing_default_values(values)
        key = self._name, tuple(values)
        known, is_sure = lane.defaults.get(key, (None, False))
        if is_sure:
            return {**known, **values}
        completed = super()._add_missing_default_values(values)
        defaults = {name: value for name, value in completed.items() if name not in values}
        is_plain = all(not isinstance(value, (list, dict, set)) for value in defaults.values())
        lane.defaults[key] = defaults, is_plain and defaults == known
        return completed


class AccountBankStatementLine(models.Model):
    _name = 'account.bank.statement.line'
    _inherit = ['account.bank.statement.line', 'ponto.fast.lane']

    def _create_on_lane(self, vals_list):
        """Create the statement lines of one journal: the same records as `create` makes, in less than half of the time.

        :raises: whatever `create` raises
        """
        if not self._may_go_on_lane(vals_list):
            return self.create(vals_list)
        try:
            with self.env.cr.savepoint():
                return self._go_on_lane([dict(vals) for vals in vals_list])
        except LeaveLane:
            return self.create(vals_list)

    def _may_go_on_lane(self, vals_list):
        """Return whether the lane covers this batch, as far as can be known beforehand."""
        journals = self.env['account.journal'].browse({vals['journal_id'] for vals in vals_list})
        ledgers = journals.default_account_id + journals.suspense_account_id
        return not (
            len(journals) != 1
            or journals.sequence_override_regex
            or journals.restrict_mode_hash_table
            or ledgers.tax_ids
            or any(NOT_ON_LANE & vals.keys() for vals in vals_list)
        )

    def _go_on_lane(self, vals_list):
        partners = [self.env['res.partner'].browse(vals.get('partner_id') or ()) for vals in vals_list]
        lane = self.env.cr.cache[LANE] = Lane(partners)
        try:
            return self.with_context(**{LANE: OPEN})._create_batch(lane, vals_list).with_env(self.env)
        finally:
            del self.env.cr.cache[LANE]

    def _create_batch(self, lane, vals_list):
        journal = self.env['account.journal'].browse(vals_list[0]['journal_id'])
        partners = self.env['res.partner'].union(*lane.partners)
        # Core asks for the fiscal position of each partner by itself.
        partners.with_company(journal.company_id).fetch(['property_account_position_id'])
        lines = self.create(vals_list).with_env(self.env)
        if lane.move_ids != set(lines.move_id._ids):
            raise LeaveLane
        self.env.flush_all()
        self._check_at_the_end(lane)
        return lines

    def _synchronize_from_moves(self, changed_fields):
        if self._lane():
            # Core looks at the items only when they have changed.
            behind = 'line_ids' in changed_fields and self.filtered(lambda line: not line._is_in_step())
            self = behind or self.browse()  # noqa: PLW0642
        return super()._synchronize_from_moves(changed_fields)

    def _is_in_step(self):
        """Return whether this line says what its entry says, so that core would find nothing to synchronize."""
        journal, move = self.journal_id, self.move_id
        items = {item.account_id: item for item in move.line_ids}
        liquidity, suspense = items.get(journal.default_account_id), items.get(journal.suspense_account_id)
        if not liquidity or not suspense or len(move.line_ids) != 2:
            return False
        currency = journal._ponto_currency()
        own_amount = 'balance' if currency == journal.company_id.currency_id else 'amount_currency'
        return (
            not self.foreign_currency_id
            and not self.amount_currency
            and self.amount == liquidity[own_amount]
            and self.payment_ref == liquidity.name
            and self.partner_id == liquidity.partner_id == move.partner_id
            and currency == liquidity.currency_id == suspense.currency_id == move.currency_id
        )
