"""The fast lane computes what many records share for the first of them (`fast_lane.py`).

Entries and items of one batch agree in most of what core computes: journal, company, currency, state, quantity. Records
that agree in all that such a value follows from have the same value. What it follows from is what the field declares
(`@api.depends`, of other addons' overrides as well), and what core looks at besides (`FOLLOWS`).
"""

from collections import defaultdict
from itertools import repeat

from odoo import api, models

MISSING = object()
# What core looks at besides what the field declares: `{model: {name of the field: names}}`. Other fields are computed
# for each record, except related ones, which have the value that they are related to.
FOLLOWS = {
    'account.bank.statement.line': {'currency_id': ('company_id',)},
    'account.move': {'company_id': (), 'currency_id': ()},
    'account.move.line': {
        'display_type': ('account_id',),
        'no_followup': (),
        'product_uom_id': ('parent_state', 'company_id'),
        'quantity': (),
        'sequence': (),
        'tax_ids': ('account_id', 'company_id', 'display_type', 'is_imported'),
    },
}
# Every entry of the batch is an entry of a statement line, so core's computations above look no further at it.
ENTRY = 'move_id'


def _cached(records, name):
    """Return the cached values of a field of records, which is computed or read where it has to be."""
    values = _kept(records, name)
    if MISSING in values or records.env.transaction.tocompute.get(records._fields[name]):
        records.mapped(name)
        values = _kept(records, name)
    return values


def _kept(records, name):
    return list(map(records._fields[name]._get_cache(records.env).get, records._ids, repeat(MISSING)))


class FastLane(models.AbstractModel):
    _inherit = 'ponto.fast.lane'

    def _compute_field_value(self, field):
        alike = self._alike(field) if len(self) > 1 and self._lane() else None
        if not alike:
            return super()._compute_field_value(field)
        super(FastLane, self.browse(ids[0] for ids in alike))._compute_field_value(field)
        names = [each.name for each in self.pool.field_computed[field]]
        for first, *others in alike:
            for name in names if others else ():
                self.browse(others)[name] = self.browse((first,))[name]
        if field.store:
            self.filtered('id')._validate_fields(names)
        return None

    def _alike(self, field):
        """Return the ids of these records in groups that have the same value of `field`; None where all may differ."""
        lane = self._lane()
        if field not in lane.paths:
            lane.paths[field] = self._follows_from(field)
        paths = lane.paths[field]
        # Some of core's computations keep a value that is there already.
        columns = paths and [*(self._values(path) for path in paths), _kept(self, field.name)]
        if not columns or None in columns:
            return None
        groups = defaultdict(list)
        try:
            for record_id, key in zip(self._ids, zip(*columns, strict=True), strict=True):
                groups[key].append(record_id)
        except TypeError:
            # Values that cannot be compared quickly.
            return None
        return list(groups.values()) if len(groups) < len(self._ids) else None

    def _follows_from(self, field):
        declared = self.pool.field_depends.get(field) or ()
        if field.related:
            return declared
        besides = FOLLOWS.get(self._name, {}).get(field.name)
        return None if besides is None else [*(path for path in declared if path != ENTRY), *besides]

    def _values(self, path):
        """Return the cached values of a path for each of these records; None where it goes through nothing or many."""
        *relations, name = path.split('.')
        records = self
        for relation in relations:
            ids = _cached(records, relation)
            if records._fields[relation].type != 'many2one' or not all(ids):
                return None
            records = records.env[records._fields[relation].comodel_name].browse(ids)
        return _cached(records, name)

    # -------------------------------------------------------------------------
    # Currencies, for which core asks whenever it rounds an amount
    # -------------------------------------------------------------------------

    @api.private
    def with_context(self, ctx=None, /, **overrides):
        lane = ctx is None and overrides == {'prefetch_fields': False} and self._lane()
        if not lane:
            return super().with_context(*(() if ctx is None else (ctx,)), **overrides)
        env = lane.environments.get(self.env)
        if not env:
            env = lane.environments[self.env] = super().with_context(**overrides).env
        return self.with_env(env)

    @api.private
    def new(self, values=None, origin=None, ref=None):
        lane = self._lane()
        if not lane or origin or ref or not values or len(values) != 1:
            return super().new(values, origin, ref)
        [(name, value)] = values.items()
        field = self._fields[name]
        if field.comodel_name != 'res.currency':
            return super().new(values, origin, ref)
        record = lane.currencies.get((field, value))
        if not record or field._get_cache(self.env).get(record.id) != value:
            record = lane.currencies[field, value] = super().new(values)
        return record
