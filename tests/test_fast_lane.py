"""The fast lane keeps the same books as core: every stored column is compared, for the same values."""

import contextlib
import os
from collections import Counter
from datetime import date, timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..models import fast_lane
from .common import PontoCase
from .same_books import SameBooksMixin, Undo

FIRST_DAY = date(2025, 11, 20)
# Names by which people have numbered entries before.
NAMES = ('BNK7/2026/00004', 'BNK7/2025/00019', 'BNK7/2026/02/0009', 'X0099', 'BNK7/25-26/0007', 'OLD-7-bis', 'Y/2026/9')


@tagged('post_install', '-at_install')
class TestFastLane(SameBooksMixin, PontoCase):
    def setUp(self):
        super().setUp()
        self.journal = self.make_journal('BNK7')
        self.partners = self.env['res.partner'].create(
            [{'name': "Van Damme"}, {'name': "Dupont", 'country_id': self.env.ref('base.fr').id}, {'name': "Peeters"}]
        )

    def make_journal(self, code, **vals):
        return self.env['account.journal'].create(
            {'name': code, 'code': code, 'type': 'bank', 'company_id': self.company.id, **vals}
        )

    def vals(self, day, amount=10, **vals):
        return {
            'journal_id': self.journal.id,
            'date': day,
            'amount': amount,
            'payment_ref': f"Payment of {amount}",
            'partner_name': "Van Damme",
            'account_number': 'BE71096123456769',
            'transaction_details': {'amount': amount},
            'narration': "for the\nmoney",
            'partner_id': None,
            'sequence': 100_000,
            **vals,
        }

    def some_vals(self, first=date(2026, 3, 1), count=8, step=1, **vals):
        """Return values of lines, one each `step` days, in and out, with and without a partner."""
        return [
            self.vals(
                first + timedelta(days=number * step),
                (-1) ** number * (number + 1) * 12.34,
                partner_id=(*self.partners.ids, None)[number % 4],
                sequence=100_000 - number,
                **vals,
            )
            for number in range(count)
        ]

    def entries(self, *names, day=date(2026, 2, 1)):
        """Create posted entries with these names in the journal, as people have numbered them."""
        lines = self.env['account.bank.statement.line'].create([self.vals(day) for _name in names])
        for line, name in zip(lines, names, strict=True):
            line.move_id.name = name
        return lines

    # -------------------------------------------------------------------------
    # Dates, partners, amounts
    # -------------------------------------------------------------------------

    def test_lines_with_and_without_partners_over_two_years(self):
        self.assert_same_books(self.some_vals(date(2025, 12, 1), 12, 7), self.some_vals(date(2026, 1, 20), 12, 7))

    def test_first_lines_of_a_journal_in_no_order_of_dates(self):
        self.assert_same_books(list(reversed(self.some_vals(date(2025, 12, 28)))), self.some_vals(date(2025, 12, 27)))

    def test_one_line_and_lines_of_nothing(self):
        self.assert_same_books(
            [self.vals(date(2026, 3, 1))], [self.vals(date(2026, 3, 1), 0), self.vals(date(2026, 3, 2))]
        )

    def test_partners_with_companies_categories_and_fiscal_positions(self):
        position = self.env['account.fiscal.position'].create({'name': "Abroad", 'company_id': self.company.id})
        self.env['account.fiscal.position'].create(
            {
                'name': "France",
                'auto_apply': True,
                'country_id': self.env.ref('base.fr').id,
                'company_id': self.company.id,
            }
        )
        van_damme, _dupont, peeters = self.partners
        peeters.with_company(self.company).property_account_position_id = position
        van_damme.category_id = self.env['res.partner.category'].create({'name': "Customers"})
        contact = self.env['res.partner'].create({'name': "Contact", 'parent_id': peeters.id, 'type': 'delivery'})
        self.env['res.partner.bank'].create({'acc_number': 'BE71096123456769', 'partner_id': van_damme.id})
        self.assert_same_books([*self.some_vals(), self.vals(date(2026, 3, 4), partner_id=contact.id)])

    def test_a_journal_in_another_currency(self):
        usd = self.env.ref('base.USD')
        usd.active = True
        self.env['res.currency.rate'].create(
            [
                {'name': day, 'rate': rate, 'currency_id': usd.id, 'company_id': self.company.id}
                for day, rate in (('2026-01-01', 1.0777), ('2026-03-04', 1.1313))
            ]
        )
        self.journal = self.make_journal('USD7', currency_id=usd.id)
        self.assert_same_books(self.some_vals())

    def test_a_journal_in_a_currency_without_decimals(self):
        jpy = self.env.ref('base.JPY')
        jpy.active = True
        self.journal = self.make_journal('JPY7', currency_id=jpy.id)
        self.assert_same_books([self.vals(date(2026, 3, day), day * 1000) for day in range(1, 5)])

    def test_lines_in_a_foreign_currency_among_others(self):
        usd = self.env.ref('base.USD')
        usd.active = True
        foreign = {'foreign_currency_id': usd.id, 'amount_currency': 11.11}
        self.assert_same_books([*self.some_vals(), self.vals(date(2026, 3, 2), **foreign)], on_lane=False)

    def test_a_company_that_books_negative_amounts(self):
        self.company.account_storno = True
        self.assert_same_books(self.some_vals())

    # -------------------------------------------------------------------------
    # Numbers
    # -------------------------------------------------------------------------

    def test_numbers_that_begin_anew_each_month(self):
        self.entries('BNK7/2026/02/0003')
        self.assert_same_books(self.some_vals(date(2026, 2, 20), 20, 3))

    def test_numbers_that_never_begin_anew(self):
        self.entries('PAID0098')
        self.assert_same_books(self.some_vals(date(2025, 12, 28), 10, 3), self.some_vals(date(2026, 1, 2)))

    def test_numbers_of_years_that_do_not_end_in_december(self):
        self.company.write({'fiscalyear_last_day': 15, 'fiscalyear_last_month': '6'})
        self.assert_same_books(self.some_vals(date(2026, 6, 10), 8, 2), self.some_vals(date(2026, 6, 11)))

    def test_numbers_of_a_range_of_years_by_months(self):
        self.company.write({'fiscalyear_last_day': 30, 'fiscalyear_last_month': '6'})
        self.entries('BNK7/25-26/02/0007')
        self.assert_same_books(self.some_vals(date(2026, 2, 20), 8, 3))

    def test_numbers_with_a_suffix(self):
        self.entries('BNK7/2026/00009bis')
        self.assert_same_books(self.some_vals())

    def test_numbers_with_a_suffix_that_look_like_a_month_or_a_year(self):
        self.entries('OLD-7-bis', day=date(2025, 7, 1))
        self.assert_same_books(self.some_vals(date(2025, 12, 1)), self.some_vals(date(2026, 2, 1)))

    def test_numbers_that_grow_by_a_digit(self):
        self.entries('BNK7/2026/98')
        self.assert_same_books(self.some_vals())

    def test_gaps_and_numbers_beyond_them(self):
        lines = self.entries('BNK7/2026/00001', 'BNK7/2026/00002', 'BNK7/2026/00009')
        lines[0].unlink()
        self.assert_same_books(self.some_vals())

    def test_a_renamed_last_entry(self):
        self.entries('BNK7/2026/00001', 'BNK7/2026/00002')[1].move_id.name = 'XMAS/2026/00041'
        self.assert_same_books(self.some_vals(), self.some_vals(date(2026, 3, 3)))

    def test_an_entry_without_a_number_that_resets_among_those_of_the_batch(self):
        self.entries('BNK7/2026/00001')
        self.entries('ODD0007', day=date(2026, 3, 4))
        self.assert_same_books(self.some_vals())

    def test_a_batch_of_years_before_entries_with_other_numbers(self):
        self.entries('BNK7/2026/02/0001')
        self.entries('BNK7/2027/00001', day=date(2027, 1, 1))
        self.assert_same_books(self.some_vals(date(2025, 12, 1), 14, 40))

    def test_many_kinds_of_names_among_the_neighbors(self):
        self.entries(*(f'K{letter}/2026/0001' for letter in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'), day=date(2026, 3, 4))
        self.assert_same_books(self.some_vals())

    def test_drafts_and_cancelled_entries_among_those_of_the_batch(self):
        lines = self.entries('BNK7/2026/00001', 'BNK7/2026/00002', 'BNK7/2026/00003', day=date(2026, 3, 3))
        lines[1].move_id.button_draft()
        lines[2].move_id.button_draft()
        lines[2].move_id.button_cancel()
        self.assert_same_books(self.some_vals())

    def test_a_pattern_of_the_journal_s_own(self):
        self.journal.sequence_override_regex = (
            r'^(?P<prefix1>.*?)(?P<year>\d{4})(?P<prefix2>\D*)(?P<seq>\d+)(?P<suffix>\D*?)$'
        )
        self.assert_same_books(self.some_vals(), on_lane=False)

    def test_numbers_of_payments_apart(self):
        self.journal.payment_sequence = True
        self.assert_same_books(self.some_vals())

    @settings(
        max_examples=int(os.environ.get('PONTO_PROPERTY_EXAMPLES', '10')),
        deadline=None,
        derandomize='PONTO_PROPERTY_EXAMPLES' not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(
        names=st.lists(
            st.tuples(st.sampled_from(NAMES), st.integers(0, 420)), max_size=3, unique_by=lambda name: name[0]
        ),
        batches=st.lists(
            st.lists(st.tuples(st.integers(0, 420), st.integers(-3, 3)), min_size=1, max_size=9), min_size=1, max_size=2
        ),
    )
    def test_any_order_of_dates_among_any_names(self, names, batches):
        with contextlib.suppress(Undo), self.env.cr.savepoint():
            for name, day in names:
                with contextlib.suppress(UserError, ValidationError), self.env.cr.savepoint():
                    self.entries(name, day=FIRST_DAY + timedelta(days=day))
            self.assert_same_books(
                *(
                    [
                        self.vals(FIRST_DAY + timedelta(days=day), amount, sequence=number)
                        for number, (day, amount) in enumerate(batch)
                    ]
                    for batch in batches
                )
            )
            raise Undo

    # -------------------------------------------------------------------------
    # Journals, companies, settings
    # -------------------------------------------------------------------------

    def test_analytic_models_of_partners_and_accounts(self):
        plans = self.env['account.analytic.plan'].create([{'name': "Projects"}, {'name': "Regions"}])
        accounts = self.env['account.analytic.account'].create(
            [{'name': plan.name, 'plan_id': plan.id, 'company_id': self.company.id} for plan in plans]
        )
        suspense = self.journal.suspense_account_id
        self.env['account.analytic.distribution.model'].create(
            [
                {
                    'analytic_distribution': {accounts[0].id: 60},
                    'partner_id': self.partners[0].id,
                    'company_id': self.company.id,
                },
                {
                    'analytic_distribution': {accounts[1].id: 100},
                    'account_prefix': suspense.with_company(self.company).code[:3],
                    'company_id': self.company.id,
                },
            ]
        )
        self.assert_same_books(self.some_vals())

    def test_dates_in_locked_periods(self):
        for field in ('fiscalyear_lock_date', 'hard_lock_date'):
            with self.subTest(field), contextlib.suppress(Undo), self.env.cr.savepoint():
                self.company[field] = date(2026, 3, 4)
                self.assert_same_books(self.some_vals())
                raise Undo

    def test_dates_in_the_future(self):
        self.assert_same_books(self.some_vals(date(2026, 6, 12)))

    def test_a_journal_that_secures_its_entries_by_a_hash(self):
        self.journal.restrict_mode_hash_table = True
        self.assert_same_books(self.some_vals(), on_lane=False)

    def test_a_company_with_a_restricted_audit_trail(self):
        self.company.restrictive_audit_trail = True
        self.assert_same_books(self.some_vals())

    def test_a_branch(self):
        branch = self.env['res.company'].create(
            {'name': "Branch", 'parent_id': self.company.id, 'country_id': self.company.country_id.id}
        )
        self.env.user.company_ids += branch
        self.env = self.env(context={**self.env.context, 'allowed_company_ids': [branch.id, self.company.id]})
        self.company = branch
        in_parent = self.some_vals()
        self.journal = self.make_journal('BRAN')
        self.assert_same_books(in_parent, self.some_vals())

    def test_journals_that_share_a_ledger(self):
        other = self.journal
        self.journal = self.make_journal('BNK8', default_account_id=other.default_account_id.id)
        self.entries('BNK8/2026/00005')
        self.assert_same_books(self.some_vals(), self.some_vals(date(2026, 3, 3)))

    def test_a_journal_of_a_credit_card_and_one_of_cash(self):
        for kind in ('credit', 'cash'):
            self.journal = self.make_journal(kind[:4].upper(), type=kind)
            self.assert_same_books(self.some_vals())

    def test_lines_of_several_journals(self):
        other = self.make_journal('BNK8')
        vals_list = [{**vals, 'journal_id': other.id} for vals in self.some_vals()]
        self.assert_same_books([*self.some_vals(), *vals_list], on_lane=False)

    def test_a_ledger_with_taxes(self):
        tax = self.env['account.tax'].search([('company_id', '=', self.company.id)], limit=1)
        self.assertTrue(tax)
        self.journal.suspense_account_id.tax_ids = tax
        self.assert_same_books(self.some_vals(), on_lane=False)

    def test_an_archived_ledger_is_refused_as_by_core(self):
        self.journal.suspense_account_id.active = False
        self.assert_same_books(self.some_vals(), on_lane=False)
        self.assertIn("archived", self.books('_create_on_lane', [self.some_vals()]))

    def test_what_a_constraint_forbids_is_refused_as_by_core(self):
        self.assert_same_books([*self.some_vals(), self.vals(date(2026, 3, 5), amount_currency=7)], on_lane=False)
        self.journal.suspense_account_id = self.journal.suspense_account_id.copy({'account_type': 'off_balance'})
        refused = [self.some_vals()]
        self.assertIn("Off-Balance", self.books('create', refused))
        self.assertEqual(self.books('_create_on_lane', refused), self.books('create', refused))

    def test_a_partner_of_another_company_is_refused_as_by_core(self):
        other = self.make_company("Other")
        stranger = self.env['res.partner'].create({'name': "Stranger", 'company_id': other.id})
        with_stranger = [*self.some_vals(), self.vals(date(2026, 3, 5), partner_id=stranger.id)]
        self.assertIn("company", self.books('create', [with_stranger]))
        self.assertIn("Stranger", self.books('_create_on_lane', [with_stranger]))

    def test_a_language_of_the_company(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.env = self.env(context={**self.env.context, 'lang': 'fr_FR'})
        self.assert_same_books(self.some_vals())

    # -------------------------------------------------------------------------
    # Other addons
    # -------------------------------------------------------------------------

    def override(self, model_name, method_name, make):
        """Let `make(original)` stand above the model's method, as an override in another addon does."""
        model = type(self.env[model_name])
        self.patch(model, method_name, make(getattr(model, method_name)))

    def test_overrides_of_other_addons_run(self):
        ran = Counter()

        def counting(name):
            def make(original):
                def method(records, *args, **kwargs):
                    res = original(records, *args, **kwargs)
                    ran[name] += len(res if name.endswith('create') else records)
                    return res

                return method

            return make

        for model_name, method_name in (
            ('account.bank.statement.line', '_prepare_move_line_default_vals'),
            ('account.move', 'create'),
            ('account.move', '_post'),
            ('account.move', '_set_next_sequence'),
            ('account.move.line', 'create'),
        ):
            self.override(model_name, method_name, counting(f'{model_name}.{method_name}'))
        for method_name in ('write', '_compute_name'):
            self.override('account.move', method_name, counting(method_name))
        self.env['account.bank.statement.line']._create_on_lane(self.some_vals())
        self.assertGreaterEqual(ran.pop('write'), 8)
        self.assertGreaterEqual(ran.pop('_compute_name'), 8)
        self.assertEqual(
            ran,
            {
                'account.bank.statement.line._prepare_move_line_default_vals': 8,
                'account.move.create': 8,
                'account.move._post': 8,
                'account.move._set_next_sequence': 8,
                'account.move.line.create': 16,
            },
        )

    def test_what_another_addon_puts_on_an_item_is_kept(self):
        def make(original):
            def method(line, *args, **kwargs):
                liquidity, counterpart = original(line, *args, **kwargs)
                return [{**liquidity, 'name': "Changed"}, {**counterpart, 'partner_id': self.partners[2].id}]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals())

    def test_a_third_item_of_another_addon_is_kept(self):
        fees = self.env['account.account'].search(
            [('account_type', '=', 'expense'), ('company_ids', '=', self.company.id)], limit=1
        )

        def make(original):
            def method(line, *args, **kwargs):
                liquidity, counterpart = original(line, *args, **kwargs)
                fee = {**counterpart, 'account_id': fees.id, 'amount_currency': 0, 'debit': 0, 'credit': 0}
                return [liquidity, counterpart, fee]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals())

    def test_a_note_of_another_addon_has_other_values_than_the_items(self):
        def make(original):
            def method(line, *args, **kwargs):
                note = {'move_id': line.move_id.id, 'display_type': 'line_note', 'partner_id': line.partner_id.id}
                return [*original(line, *args, **kwargs), {**note, 'name': "Note"}]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals())

    def test_an_item_of_another_addon_without_a_partner_leaves_the_lane(self):
        def make(original):
            def method(line, *args, **kwargs):
                note = {'move_id': line.move_id.id, 'display_type': 'line_note', 'name': "Note"}
                return [*original(line, *args, **kwargs), note]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals(), on_lane=False)

    def test_what_another_addon_s_field_follows_from_is_looked_at(self):
        field = self.env['account.move.line']._fields['sequence']

        def compute(items):
            for item in items:
                item.sequence = 7 if item.partner_id else 8

        self.patch(self.registry['account.move.line'], '_compute_sequence', compute)
        with patch.dict(self.registry.field_depends, {field: ('display_type', 'partner_id')}):
            self.assert_same_books(self.some_vals())

    def test_what_another_addon_s_field_follows_from_is_looked_at_beside_what_core_looks_at(self):
        field = self.env['account.move.line']._fields['product_uom_id']
        units = self.env.ref('uom.product_uom_unit'), self.env.ref('uom.product_uom_dozen')

        def compute(items):
            for item in items:
                item.product_uom_id = units[bool(item.partner_id)]

        self.patch(self.registry['account.move.line'], '_compute_product_uom_id', compute)
        with patch.dict(self.registry.field_depends, {field: ('product_id', 'partner_id')}):
            self.assert_same_books(self.some_vals())

    def test_a_tax_tag_of_another_addon_counts_for_the_tax_lock(self):
        tag = self.env['account.account.tag'].create({'name': "Grid 54", 'applicability': 'taxes'})
        self.company.tax_lock_date = date(2026, 3, 4)

        def make(original):
            def method(line, *args, **kwargs):
                liquidity, counterpart = original(line, *args, **kwargs)
                return [liquidity, {**counterpart, 'tax_tag_ids': [Command.set(tag.ids)]}]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals())

    def test_a_tax_of_another_addon_leaves_the_lane(self):
        tax = self.env['account.tax'].search([('company_id', '=', self.company.id)], limit=1)

        def make(original):
            def method(line, *args, **kwargs):
                liquidity, counterpart = original(line, *args, **kwargs)
                return [liquidity, {**counterpart, 'tax_ids': [Command.set(tax.ids)]}]

            return method

        self.override('account.bank.statement.line', '_prepare_move_line_default_vals', make)
        self.assert_same_books(self.some_vals(), on_lane=False)

    def test_an_entry_that_another_addon_makes_on_the_way_is_none_of_the_lane(self):
        other = self.env['account.journal'].search(
            [('type', '=', 'general'), ('company_id', '=', self.company.id)], limit=1
        )

        def make(original):
            def method(moves, soft=True):
                posted = original(moves, soft)
                for move in moves.filtered('statement_line_id'):
                    extra = move.env['account.move'].create(
                        {
                            'journal_id': other.id,
                            'date': move.date,
                            'line_ids': [
                                Command.create({'account_id': item.account_id.id, 'balance': item.balance})
                                for item in move.line_ids
                            ],
                        }
                    )
                    extra.action_post()
                return posted

            return method

        self.override('account.move', '_post', make)
        self.assert_same_books(self.some_vals())

    def test_a_key_in_the_context_does_not_open_the_lane(self):
        for value in (True, 1, 'open', {}):
            lines = self.env['account.bank.statement.line'].with_context(**{fast_lane.LANE: value})
            self.assertIsNone(lines._lane())
        self.assertIsNone(self.env['account.bank.statement.line']._create_on_lane(self.some_vals())._lane())

    def test_a_key_in_the_context_does_not_let_anything_else_onto_an_open_lane(self):
        lanes = []

        def make(original):
            def method(moves, soft=True):
                lanes.extend(moves.with_context(**{fast_lane.LANE: value})._lane() for value in (fast_lane.OPEN, True))
                return original(moves, soft)

            return method

        self.override('account.move', '_post', make)
        self.env['account.bank.statement.line']._create_on_lane(self.some_vals())
        opened, other = lanes
        self.assertTrue(opened)
        self.assertIsNone(other)
