"""Stage 1: which known row is it that Ponto lists under a known id?

Ponto promises an id of its own for each transaction, but some banks give one id to several. The `number` of their rows
tells them apart::

    listed under an id of known rows                            it is
    ─────────────────────────────────────────────────────────   ──────────────────────────────────────────
    1. what Ponto has said of one of them                       that row
    2. the amount and the days of one of them, in other words   that row, changed
    3. another amount or day, and one of them is undecided      that row, changed
    4. anything else                                            a new row, held (`same_id`) unless it goes

A row in the books of which the bank corrects amount or day comes as the fourth at first. It takes over what the new row
says, and the new row goes, as soon as its own place in the list has been read and it was not there.
"""

from collections import defaultdict
from itertools import count

from odoo import models

from ..ponto.resources import Transaction
from .conversions import local_date, naive_utc
from .ponto_transaction import DECIDED


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _tell_apart(self, items, seen=()):
        """Return `{key of the row: item}` for the `Transaction` resources of one page, in their order.

        :param seen: the keys of the pages before. What is listed once more, but otherwise, is another transaction
        """
        items = list(dict.fromkeys(items))
        known = self._rows([item.id for item in items]).grouped('ponto_id')
        groups = defaultdict(list)
        for item in items:
            groups[item.id].append(item)
        numbers = {}
        for ponto_id, group in groups.items():
            numbers.update(self._numbers(group, known.get(ponto_id, self._inbox()), seen))
        return {(item.id, numbers[item]): item for item in items}

    @staticmethod
    def _numbers(items, rows, seen):
        """Return `{item: number of its row}` for `items` with one id, of which the inbox has `rows`."""
        left, numbers = rows.sorted('number'), {}
        for is_row in (
            lambda row, item: not row._differs(item),
            lambda row, item: row._key() not in seen and row._has_core_of(item),
            lambda row, item: row._key() not in seen and (row.missing_since or not row._is_decided()),
        ):
            for item in items:
                found = item not in numbers and next((row for row in left if is_row(row, item)), None)
                if found:
                    numbers[item] = found.number
                    left -= found
        further = count(max(rows.mapped('number'), default=0) + 1)
        return {item: numbers.get(item) or next(further) for item in items}

    def _follow_changes(self, stretch, passed_over):
        """Let rows take over what Ponto lists under their id instead of them.

        :param passed_over: the known rows whose place is in `stretch`, and that Ponto does not list there
        :return: `{'new_count': less these, 'changed_count': these}`
        """
        others = self._further_rows()
        new = changed = 0
        for row in passed_over.filtered(lambda row: row._is_decided()):
            other = others.filtered(lambda other, row=row: other.ponto_id == row.ponto_id)[:1]
            if other:
                # A row of an earlier run has a rank, and was counted there.
                new, changed = new - (not other.rank), changed + 1
                stretch.keys = [row._key() if key == other._key() else key for key in stretch.keys]
                others -= other
                row._become(other)
        return {'new_count': new, 'changed_count': changed}

    def _has_open_changes(self, stretch):
        """Return whether a row that `stretch` has brought may be a known one, changed, whose place lies below it."""
        new = self._further_rows().filtered(lambda row: not row.rank)
        known = self._rows(new.mapped('ponto_id')) if new else new
        return any(row._is_decided() and row._key() not in stretch.keys for row in known)

    def _further_rows(self):
        """Return the rows of which nobody knows yet whether they are known ones, changed."""
        return self._inbox().search(
            [('account_id', '=', self.id), ('number', '>', 1), ('state', 'in', ('new', 'held', 'skipped'))]
        )


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _is_decided(self):
        """Return whether this row has left a trace in the books, so that it cannot just become another transaction."""
        return self.state in DECIDED or self.in_opening == 'yes'

    def _has_core_of(self, item):
        """Return whether Ponto has said the same amount and days of this row as of `item`."""
        return self._core(Transaction.from_json(self.ponto_id, self.attributes or {})) == self._core(item)

    def _core(self, item):
        zone = self.account_id.time_zone
        days = (local_date(naive_utc(moment), zone) for moment in (item.execution_date, item.value_date))
        return item.amount, item.currency, *days

    def _become(self, other):
        """Take over what Ponto says of `other`, which goes; the statement line follows when booking is next at it."""
        names = (*self.account_id._prepare_row_vals(Transaction(id='')), 'rank', 'sweep_number')
        vals = other._convert_to_write({name: other[name] for name in names})
        other.unlink()
        self.write(vals)
        self._apply_dates()
