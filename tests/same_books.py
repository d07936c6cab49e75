"""Compares what two ways of creating the same statement lines leave in the books, in every stored column."""

import contextlib
from unittest.mock import patch

import freezegun

from odoo.exceptions import UserError

from ..models import fast_lane

MODELS = (
    'account.move',
    'account.move.line',
    'account.bank.statement.line',
    'account.analytic.line',
    'mail.message',
    'mail.tracking.value',
    'mail.followers',
)
# What is random.
RANDOM = {('mail.message', 'message_id')}


class Undo(Exception):
    """Ends a trial, of which nothing shall remain."""


class SameBooksMixin:
    """For test cases with a `company`."""

    def books(self, way, batches):
        """Return all rows of the books once these batches are created by `way`, with the ids made comparable."""
        rows = {}
        try:
            with contextlib.suppress(Undo), self.env.cr.savepoint():
                lines = self.env['account.bank.statement.line'].with_company(self.company)
                before = {name: set(self.env[name].with_context(active_test=False).search([]).ids) for name in MODELS}
                for batch in batches:
                    getattr(lines, way)([dict(vals) for vals in batch])
                self.env.flush_all()
                self.env.cr.precommit.run()
                self.env.flush_all()
                for name in MODELS:
                    rows[name] = self.rows(self.env[name])
                raise Undo
        except UserError as refusal:
            return str(refusal)
        new = {
            name: {row['id']: -place for place, row in enumerate(rows[name], 1) if row['id'] not in before[name]}
            for name in MODELS
        }
        return {name: [self.comparable(self.env[name], row, new) for row in rows[name]] for name in MODELS}

    def rows(self, model):
        self.env.cr.execute(f'SELECT * FROM {model._table} ORDER BY id')
        return self.env.cr.dictfetchall()

    def comparable(self, model, row, new):
        """Return the row with its new ids replaced by the places at which they were created."""
        known = {}
        for column, value in row.items():
            field = model._fields[column]
            target = field.comodel_name if field.type == 'many2one' else None
            if field.type == 'many2one_reference':
                target = row[field.model_field]
            if column == 'id':
                target = model._name
            if (model._name, column) in RANDOM:
                continue
            if column == 'internal_index' and row['id'] in new[model._name]:
                value = value[:-10], new[model._name][row['id']]
            known[column] = new.get(target, {}).get(value, value) if isinstance(value, int) else value
        return known

    def assert_same_books(self, *batches, on_lane=True):
        """Let core and the lane create the same batches after each other, and compare what they leave behind.

        :param on_lane: whether the lane must do it, instead of leaving it to core
        """
        taken = []
        go = fast_lane.AccountBankStatementLine._go_on_lane

        def spy(lines, vals_list):
            created = go(lines, vals_list)
            taken.append(created)
            return created

        with freezegun.freeze_time('2026-06-15 10:00:00'):
            by_core = self.books('create', batches)
            with patch.object(fast_lane.AccountBankStatementLine, '_go_on_lane', spy):
                by_lane = self.books('_create_on_lane', batches)
        self.maxDiff = None
        if isinstance(by_core, str) or isinstance(by_lane, str):
            # Core may object to another line of the batch first.
            self.assertEqual(isinstance(by_lane, str), isinstance(by_core, str), f'{by_core}\n{by_lane}'[:500])
            return
        self.assertEqual(len(taken), len(batches) if on_lane else 0)
        for name in MODELS:
            self.assertEqual(len(by_lane[name]), len(by_core[name]), name)
            for lane, core in zip(by_lane[name], by_core[name], strict=True):
                self.assertEqual(lane, core)
