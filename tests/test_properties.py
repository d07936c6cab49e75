"""Whatever happens at the bank, on the way and in Odoo, and in whatever order: the books end up right."""

import contextlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from unittest.mock import patch
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from odoo import Command
from odoo.addons.account_online_ponto.models import budget, ordering
from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from ..ponto.errors import PontoError
from .drawn_checks import DrawnChecks
from .drawn_histories import DrawnHistoriesCase

FIRST_DAY = date(2026, 3, 1)
BEFORE_PONTO = 100  # what the account held before its first row
BY_HAND = "entered by hand"


def day(number):
    return FIRST_DAY + timedelta(days=number)


# Few values, so that equal payments, and lines that look like them, are frequent.
amounts = st.sampled_from([Decimal(text) for text in ('10.00', '10.00', '-3.33', '0.07', '1234.56', '0')])
days = st.integers(0, 70)
texts = st.sampled_from(["Invoice 1", "Invoice 2", "+++090/9337/55493+++", None])
counterparts = st.sampled_from([None, 'BE71096123456769', 'NL91ABNA0417164300'])
picks = st.integers(0, 99)


def payments_of(numbers):
    return st.fixed_dictionaries(
        {
            'amount': amounts,
            'execution_date': numbers.map(day),
            # At most banks both days are the same.
            'value_date': st.one_of(st.none(), st.none(), numbers.map(day)),
            'remittance_information': texts,
            'counterpart_reference': counterparts,
        }
    ).map(lambda row: {**row, 'value_date': row['value_date'] or row['execution_date']})


payments = payments_of(days)
past_payments = payments_of(st.integers(0, 40))
changes = st.one_of(
    st.fixed_dictionaries({'amount': amounts}),
    st.fixed_dictionaries({'remittance_information': texts}),
    st.fixed_dictionaries({'execution_date': days.map(day), 'value_date': days.map(day)}),
)
# Nine times: the client does not get round it.
faults = st.sampled_from(
    [
        {'kind': 'html'},
        {'kind': 'truncated'},
        {'kind': 'empty'},
        {'kind': 'wrong_type'},
        {'kind': 'reset'},
        *({'times': 9, **fault} for fault in ({'kind': 'reset'}, {'kind': 'slow'}, {'status': 500}, {'status': 429})),
    ]
)


@tagged('post_install', '-at_install')
class TestPlaces(BaseCase):
    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.one_of(st.just(0), st.integers(1, 30), st.floats(1, 1.0000001)), max_size=30))
    def test_ranks_fall_along_any_list(self, ranks):
        found = ordering.places(dict(enumerate(ranks)))
        result = [found.get(place, rank) for place, rank in enumerate(ranks)]
        self.assertTrue(all(above > below for above, below in pairwise(result)), result)
        self.assertTrue(all(rank > 0 for rank in result))

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 20), st.integers(1, 20))
    def test_ranks_stay_between_what_is_above_and_below(self, ranks, floor, height):
        found = ordering.places(dict(enumerate(ranks)), floor, floor + height)
        result = [floor + height, *(found.get(place, rank) for place, rank in enumerate(ranks)), floor]
        self.assertTrue(all(above > below for above, below in pairwise(result)), result)

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.integers(1, 10**6), unique=True).map(lambda ranks: sorted(ranks, reverse=True)))
    def test_a_list_in_order_moves_nothing(self, ranks):
        self.assertFalse(ordering.places(dict(enumerate(ranks))))

    def test_only_what_has_left_its_place_gets_another_one(self):
        self.assertEqual(ordering.places({'moved': 50, 'kept': 5}, floor=0, ceiling=10), {'moved': 7.5})

    def test_a_list_without_ranks_is_spread_once_however_long_it_is(self):
        with patch.object(ordering, '_spread', wraps=ordering._spread) as spread:
            ordering.places(dict.fromkeys(range(1000), 0), floor=1)
        self.assertEqual(spread.call_count, 1)

    def test_a_thousand_late_rows_at_one_place_find_room(self):
        ranks = {'newest': 2, 'oldest': 1}
        for number in range(1000):
            listed = {
                'newest': ranks['newest'],
                number: 0,
                **{key: ranks[key] for key in sorted(ranks, key=ranks.get, reverse=True) if key != 'newest'},
            }
            ranks.update(ordering.places(listed))
            self.assertEqual(sorted(listed, key=ranks.get, reverse=True), list(listed))
            self.assertEqual(len(set(ranks.values())), len(ranks))


class BankFeed(RuleBasedStateMachine):
    """One account, its bank, its accountant, and what stands between them. The simulator is the truth."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        case.start_over()

    def teardown(self):
        self.case.settle()
        self.case.check_books_equal_bank()

    # -------------------------------------------------------------------------
    # At the bank
    # -------------------------------------------------------------------------

    @initialize(rows=st.lists(past_payments, min_size=2, max_size=8), number=st.integers(-20, 40))
    def the_account_has_a_past(self, rows, number):
        self.transactions(rows)
        # Every third time it is linked without an opening line, and from the first row on.
        if number >= 0:
            self.another_start_date(number)
            self.the_first_run_with_an_opening_line()

    @rule(rows=st.lists(payments, min_size=1, max_size=4))
    def transactions(self, rows):
        for row in rows:
            self.case.simulator.add_transaction(self.case.bank_id, **row)

    @precondition(lambda self: self.case.bank_rows())
    @rule(pick=picks, row=payments)
    def a_late_transaction(self, pick, row):
        self.case.simulator.insert_transaction(self.case.bank_id, below=pick % len(self.case.bank_rows()), **row)

    @precondition(lambda self: self.case.account._opening_line().ponto_opening_from)
    @rule(rows=st.lists(st.tuples(amounts, st.integers(1, 40), st.booleans()), min_size=1, max_size=3))
    def rows_before_the_opening_line(self, rows):
        for amount, number, is_late in rows:
            self.case.list_before_opening_line(amount, number, is_late)

    @rule(amount=amounts, number=st.integers(1, 20))
    def a_row_dated_ahead_that_the_balance_holds_on_its_day_only(self, amount, number):
        self.case.announce(amount, self.case.today() + timedelta(days=number))

    @precondition(lambda self: self.case.bank_rows())
    @rule(pick=picks, change=changes)
    def a_change(self, pick, change):
        rows = self.case.bank_rows()
        row = rows[pick % len(rows)]
        self.case.changed.add(row.attributes['internalReference'])
        self.case.simulator.change_transaction(row.id, **change)

    @precondition(lambda self: self.case.bank_rows())
    @rule(pick=picks, again=st.booleans())
    def a_row_is_withdrawn_and_perhaps_listed_under_another_id(self, pick, again):
        rows = self.case.bank_rows()
        place = pick % len(rows)
        row = rows[place]
        self.case.simulator.remove_transaction(row.id)
        if again:
            attributes = {name: row.attributes[name] for name in row.attributes.keys() - {'createdAt', 'updatedAt'}}
            self.case.simulator.insert_transaction(
                self.case.bank_id, row.amount, row.attributes['executionDate'], below=place - 1, extra=attributes
            )

    @rule(seed=st.integers(1, 1000))
    def another_order(self, seed):
        self.case.simulator.reorder(self.case.bank_id, key=lambda row: crc32(f'{seed} {row.id}'.encode()))

    @rule(size=st.sampled_from([1, 2, 5, None]))
    def pages_of_another_size(self, size):
        self.case.simulator.set_page_size(size)

    @rule(known=st.booleans())
    def the_account_under_a_new_id(self, known):
        self.case.bank_id = self.case.simulator.reissue_account(self.case.bank_id)
        if known:
            self.fetch_accounts()

    @rule(known=st.booleans())
    def the_bank_merges_with_another(self, known):
        self.the_account_under_a_new_id(known=False)
        self.case.simulator.account(self.case.bank_id).institution_id = self.case.other_bank.id
        if known:
            self.fetch_accounts()

    # -------------------------------------------------------------------------
    # Between
    # -------------------------------------------------------------------------

    @rule(fault=faults, after=st.integers(0, 3))
    def a_fault(self, fault, after):
        self.case.faults_to_come.append((after, fault))

    @rule(number=st.integers(1, 20))
    def time_passes(self, number):
        self.case.pass_days(number)

    @rule()
    def fetch_accounts(self):
        self.case.attempt(self.case.integration._fetch_accounts)

    @rule(turns=st.integers(1, 6))
    def the_scheduled_run(self, turns):
        self.case.end_jobs_after(turns)
        self.case.run_cron()

    @rule()
    def a_run_with_a_clock_that_is_years_off(self):
        self.case.run_years_ahead()

    @precondition(lambda self: self.case.account.journal_id)
    @rule(number=st.integers(-40, 70))
    def older_ones_are_fetched(self, number):
        self.case.attempt(lambda: self.case.fetch_older(day(number)))

    @precondition(lambda self: self.case.account.journal_id)
    @rule()
    def a_click(self):
        self.case.attempt(self.case.account._synchronize)

    @precondition(lambda self: self.case.account.journal_id)
    @rule()
    def a_run_that_is_killed_between_reading_and_booking(self):
        self.case.attempt(lambda: self.case.account._read('manual', 1))

    # -------------------------------------------------------------------------
    # In odoo
    # -------------------------------------------------------------------------

    @rule()
    def the_first_run_with_an_opening_line(self):
        self.case.attempt(lambda: self.case.account._read('manual') and self.case.account._book_opening_line())

    @precondition(lambda self: self.case.doubtful())
    @rule(pick=picks)
    def a_row_before_the_opening_line_is_decided(self, pick):
        rows = self.case.doubtful()
        self.case.attempt(lambda: self.case.decide_about_opening(rows[pick % len(rows)]))

    @rule(basis=st.sampled_from(['execution', 'value']))
    def another_choice_of_date(self, basis):
        self.case.choose_date(basis)

    @precondition(lambda self: self.case.all_lines())
    @rule(pick=picks)
    def a_line_is_deleted(self, pick):
        lines = self.case.all_lines()
        self.case.attempt(lines[pick % len(lines)].unlink)

    @rule()
    def removed_ones_are_asked_back(self):
        self.case.attempt(self.case.rows('removed').action_import_again)

    @rule()
    def those_before_the_start_date_are_wanted(self):
        self.case.attempt(self.case.rows('skipped').action_import_skipped)

    @rule(number=days)
    def a_period_is_closed(self, number):
        self.case.close(day(number))

    @rule()
    def it_is_opened_again(self):
        self.case.company.fiscalyear_lock_date = False

    @precondition(lambda self: self.case.open_lines())
    @rule(pick=picks)
    def a_line_is_reconciled(self, pick):
        lines = self.case.open_lines()
        self.case.attempt(lambda: self.case.reconcile(lines[pick % len(lines)]))

    @rule(pick=st.sampled_from([0, 1]))
    def the_account_moves_to_a_journal(self, pick):
        self.case.account.action_unlink_journal()
        self.case.account._link_to_journal(self.case.journals[pick])

    @rule()
    def the_journal_is_unlinked(self):
        self.case.account.action_unlink_journal()

    @precondition(lambda self: not self.case.account.journal_id)
    @rule()
    def the_account_is_linked_again_as_proposed(self):
        journal = self.case.account._propose_journal() or self.case.journals[0]
        self.case.account._link_to_journal(journal, self.case.account._propose_start_date(journal))

    @rule(number=st.one_of(st.none(), days))
    def another_start_date(self, number):
        self.case.account.start_date = False if number is None else day(number)

    @precondition(lambda self: self.case.account.journal_id)
    @rule(amount=amounts, number=days)
    def a_line_by_hand(self, amount, number):
        self.case.attempt(lambda: self.case.enter_by_hand(amount, day(number)))

    @precondition(lambda self: self.case.suspected())
    @rule(pick=picks, same=st.booleans())
    def a_suspect_is_decided(self, pick, same):
        suspected = self.case.suspected()
        row = suspected[pick % len(suspected)]
        self.case.attempt(row.action_same_as_suspect if same else row.action_import_anyway)

    # -------------------------------------------------------------------------
    # What must always hold
    # -------------------------------------------------------------------------

    @invariant()
    def every_line_is_of_one_row_or_of_a_person(self):
        self.case.check_lines()

    @invariant()
    def each_reason_is_what_the_records_tell_and_health_hides_nothing(self):
        self.case.check_told(self.case.account)

    @invariant()
    def no_payment_is_in_the_books_twice_without_a_question(self):
        self.case.check_no_double()

    @invariant()
    def the_opening_line_is_lowered_by_what_leaves_it_and_by_nothing_else(self):
        self.case.check_opening_line()


@tagged('post_install', '-at_install')
class TestProperties(DrawnChecks, DrawnHistoriesCase):
    faults_to_come = []

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        # A fault may strike in the middle of a list, not only at the next request.
        for after, fault in cls.faults_to_come:
            if not after:
                cls.simulator.fail(**fault)
        cls.faults_to_come[:] = [(after - 1, fault) for after, fault in cls.faults_to_come if after]
        return super()._request_handler(session, request, **kw)

    def setUp(self):
        super().setUp()
        # Even these short lists are read in steps.
        self.patch(budget, 'PAGES', 2)
        self.account = self.link()
        self.journals = self.account.journal_id + self.env['account.journal'].create(
            {'name': "Second Bank", 'type': 'bank', 'code': 'BNK9', 'company_id': self.company.id}
        )
        self.income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1
        )

    def test_any_sequence_of_events_ends_with_the_banks_own_books(self):
        self.draw(BankFeed, examples=20, steps=25)

    # -------------------------------------------------------------------------
    # What happens
    # -------------------------------------------------------------------------

    def begin(self):
        """Begin with an account without transactions."""
        self.faults_to_come.clear()
        self.uncounted = []
        # The internal references of the payments that the bank has changed.
        self.changed = set()
        self.older = set()
        # The opening line and what it held after the step before, and by how much it was wrong; None if nobody knows.
        self.known_line, self.held, self.gap = None, {}, None
        self.seen_lines = self.env['account.bank.statement.line']
        self.has_changed_basis = False
        bank = self.simulator.add_institution("Kadebank", bic='KADEBEBB')
        self.other_bank = self.simulator.add_institution("Nieuwe Kadebank", bic='NKADEBEB')
        online = self.simulator.add_account(
            'BE68539007547034', institution=bank, balance=BEFORE_PONTO, holder_name="De Kade"
        )
        self.bank_id = online.id

    def attempt(self, step):
        """Do what may be refused: then nothing of it is done."""
        with contextlib.suppress(UserError, PontoError), self.env.cr.savepoint():
            step()
        self.env.invalidate_all()

    def pass_days(self, number):
        self.let_days_pass(number, [self.bank_id])
        for day_counted, amount in list(self.uncounted):
            if day_counted <= self.today():
                self.uncounted.remove((day_counted, amount))
                self.change_balance(amount)

    def fetch_older(self, first):
        self.env['ponto.backfill'].create({'account_ids': self.account.ids, 'date_from': first}).action_fetch()

    def today(self):
        return datetime.now().date()  # noqa: DTZ005 the frozen clock is UTC

    def change_balance(self, amount):
        self.simulator.change_account(
            self.bank_id, current_balance=self.simulator.account(self.bank_id).balance + amount
        )

    def announce(self, amount, ahead):
        """List a row that is dated ahead; the bank's balance holds it from its day on."""
        self.simulator.add_transaction(self.bank_id, amount, ahead)
        self.change_balance(-amount)
        self.uncounted.append((ahead, amount))

    def list_before_opening_line(self, amount, number, is_late):
        """List a row dated before the opening line.

        :param number: so many days before the line
        :param is_late: the bank has booked it just now; otherwise its balance has held it all the time
        """
        day_before = self.account._opening_line().ponto_opening_from - timedelta(days=number)
        row = self.simulator.insert_transaction(self.bank_id, amount, day_before, below=len(self.bank_rows()) - 1)
        if not is_late:
            self.older.add(row.attributes['internalReference'])
            self.change_balance(-amount)

    def before_ponto(self):
        """Return what the bank's balance holds beside the rows of Ponto's list."""
        listed = sum(row.amount for row in self.bank_rows()) - sum(amount for _day, amount in self.uncounted)
        return float(self.simulator.account(self.bank_id).balance - listed)

    def bank_rows(self):
        """Return Ponto's list, newest first."""
        return list(self.simulator.account(self.bank_id).transactions)

    def rows(self, state=None):
        return self.account.transaction_ids.filtered(lambda row: not state or row.state == state)

    def suspected(self):
        return self.rows().filtered(lambda row: row.hold_reason == 'duplicate')

    def doubtful(self):
        return self.rows().filtered(lambda row: row.hold_reason == 'before_opening')

    def choose_date(self, basis):
        self.has_changed_basis |= basis != self.account.date_basis
        self.account.date_basis = basis

    def all_lines(self):
        return self.env['account.bank.statement.line'].search([('journal_id', 'in', self.journals.ids)])

    def open_lines(self):
        return self.all_lines().filtered(lambda line: not line.is_reconciled)

    def close(self, day):
        """Reconcile everything up to `day`, as core asks for, and lock it."""
        for line in self.open_lines():
            if line.date <= day:
                self.reconcile(line)
        self.attempt(lambda: self.company.write({'fiscalyear_lock_date': day}))

    def reconcile(self, line):
        _liquidity, suspense, _other = line._seek_for_lines()
        line.with_context(skip_readonly_check=True).line_ids = [
            Command.update(suspense.id, {'account_id': self.income.id})
        ]

    def enter_by_hand(self, amount, day):
        self.env['account.bank.statement.line'].create(
            {
                'journal_id': self.account.journal_id.id,
                'date': day,
                'amount': float(amount),
                'payment_ref': "My label",
                'ref': BY_HAND,
            }
        )

    # -------------------------------------------------------------------------
    # The end
    # -------------------------------------------------------------------------

    def settle(self):
        """Take away all that hinders: faults, locks, start date, removals, doubts; and let the bank's day come."""
        self.simulator.clear_faults()
        self.faults_to_come.clear()
        self.company.fiscalyear_lock_date = False
        self.account.start_date = False
        self.choose_date('execution')
        if not self.account.journal_id:
            self.account._link_to_journal(self.journals[0])
        self.pass_days(90)
        self.simulator.synchronize(self.bank_id)
        self.integration._fetch_accounts()
        self.run_until_read()
        self.rows('removed').action_import_again()
        for _round in range(3):
            for row in self.doubtful():
                self.decide_about_opening(row)
            self.decide_suspects()
            self.check_no_double()
            # What the bank has withdrawn, its statement does not have either.
            self.rows().filtered('missing_since').statement_line_id.unlink()
            self.run_until_read()
        self.assertEqual((self.account.state, self.account.error_message), ('active', False))

    def run_until_read(self):
        for _run in range(50):
            self.end_jobs_after(50)
            self.run_cron()
            if not self.account.resume_after:
                return
        self.fail("Reading in steps comes to no end.")

    def decide_about_opening(self, row):
        """Say what a person sees in the bank's own statements: whether the balance of the first day has held it."""
        reference = row.attributes['internalReference']
        others = self.rows().filtered(
            lambda other: other.in_opening and other.attributes['internalReference'] == reference
        )
        if reference in (self.in_opening() if others else self.older):
            row.action_is_in_opening()
        else:
            row.action_import_anyway()

    def decide_suspects(self):
        """Say what a person sees: a line under an id that Ponto lists no more is the same, one by hand another."""
        for row in self.suspected():
            if row.suspect_line_id.ponto_transaction_ids:
                row.action_same_as_suspect()
            else:
                row.action_import_anyway()

    def check_lines(self):
        lines = self.all_lines()
        for line in lines:
            self.assertTrue(line.ponto_transaction_ids or line.is_ponto_opening or line.ref == BY_HAND)
            self.assertLessEqual(len(line.ponto_transaction_ids), 1)
        booked = self.rows('booked')
        self.assertEqual(booked.statement_line_id, booked.statement_line_id & lines)
        self.assertEqual(len(booked.statement_line_id), len(booked.filtered('statement_line_id')))

    def check_books_equal_bank(self):
        truth = {row.id: row for row in self.bank_rows()}
        rows = self.rows().filtered(lambda row: not row.missing_since)
        self.assertEqual(sorted(rows.mapped('ponto_id')), sorted(truth))
        self.assertEqual(set(rows.mapped('state')) - {'booked'}, set(), rows.mapped('hold_message'))
        self.assertFalse((self.rows() - rows).statement_line_id)
        self.check_lines()
        for row in rows:
            self.check_row(row, truth[row.ponto_id])
        differences = sum(row.amount - row.statement_line_id.amount for row in rows)
        self.assertAlmostEqual(
            float(self.simulator.account(self.bank_id).balance),
            self.before_ponto() + sum(rows.statement_line_id.mapped('amount')) + differences,
            2,
        )
        self.check_explanation(rows)
        self.check_order(rows, list(truth))

    def check_row(self, row, truth):
        line = row.statement_line_id
        self.assertEqual(line.state, 'posted')
        self.assertEqual(row.amount, float(truth.amount))
        names = ('executionDate', 'valueDate') if self.has_changed_basis else ('executionDate',)
        self.assertIn(row.date, [truth.attributes[name].date() for name in names])
        # What was closed in the books when the bank changed it stays as it was, and somebody is told.
        told = bool(line.move_id.activity_ids)
        self.assertTrue(line.amount == row.amount or told, (line.amount, row.amount))
        # Another choice of date changes nothing that is in the books.
        kept = told or line.ref == BY_HAND or self.has_changed_basis
        self.assertTrue(line.date == row.date or kept, (line.date, row.date))

    def check_explanation(self, rows):
        """Each part of the difference is the one that the lines themselves tell, to the cent."""
        # The opening line of a journal to which the feed has moved holds what the journal before has.
        before = self.account._opening_line().ponto_opening_journal_id
        transferred = rows.filtered(lambda row: row.statement_line_id.journal_id == before) if before else rows.browse()
        elsewhere = rows.filtered(lambda row: row.statement_line_id.journal_id != self.account.journal_id) - transferred
        lines = self.all_lines().filtered(lambda line: line.journal_id == self.account.journal_id)
        opening = lines.filtered('is_ponto_opening')
        others = lines - rows.statement_line_id - opening
        # A row that has come into the other journal is no difference of this one, whose opening line holds it.
        held = elsewhere.filtered(lambda row: opening and row.in_opening == 'yes')
        parts = [
            sum((elsewhere - held).mapped('amount')),
            sum((rows - elsewhere - transferred).mapped('amount')) - sum((lines - others - opening).mapped('amount')),
            -sum(others.mapped('amount')),
            self.before_ponto() + sum((transferred + held).mapped('amount')) - sum(opening.mapped('amount')),
        ]
        self.assertAlmostEqual(self.account.balance_difference, sum(parts), 2)
        explained = [round(amount, 2) for _label, amount in self.account._explain_difference()]
        # Without a difference there is nothing to explain, even if two causes cancel each other.
        expected = [part for part in (round(part, 2) for part in parts) if part] if round(sum(parts), 2) else []
        self.assertEqual(sorted(explained), sorted(expected))

    def check_no_double(self):
        # By another choice of date an id that Ponto gives anew may lie days away from the one before.
        if not self.has_changed_basis:
            self.check_once(self.account, self.changed)

    def check_opening_line(self):
        """The opening line is what the account held before its rows, with those that say that they are in it.

        It is so when it is made, and stays so as long as the feed stays in its journal. An amount that the bank changes
        while the line holds it is not followed. What Odoo cannot know yet counts afterwards, and so does a row that is
        read but not booked yet: booking asks about it.
        """
        line = self.account._opening_line().filtered(lambda line: not line.ponto_opening_journal_id)
        held = self.in_opening()
        if line != self.known_line or self.has_changed(held):
            self.gap = 0 if line not in self.seen_lines else None
        self.known_line, self.held = line, held
        if line and self.is_read() and not (self.doubtful() or self.rows('new')._missed_by_opening()):
            gap = line.amount - line.ponto_opening_excess - sum(held.values()) - self.before_ponto()
            self.assertAlmostEqual(gap, gap if self.gap is None else self.gap, 2)
            self.gap = gap
            self.seen_lines |= line

    def in_opening(self):
        """Return `{internal reference: amount}` of what the opening line holds; Ponto may list it under several ids."""
        rows = self.rows().grouped(lambda row: row.in_opening)
        out = {row.attributes['internalReference'] for row in rows.get('no', ())}
        held = {row.attributes['internalReference']: row.amount for row in rows.get('yes', ())}
        return {reference: amount for reference, amount in held.items() if reference not in out}

    def has_changed(self, held):
        """Return whether the bank has changed an amount that the opening line holds or has held until now."""
        now = held | {
            row.attributes['internalReference']: row.amount
            for row in self.rows()
            if row.in_opening == 'no' and not row.missing_since
        }
        return any(now.get(reference, amount) != amount for reference, amount in self.held.items())

    def is_read(self):
        """Return whether the inbox has what Ponto lists."""
        rows = self.rows().filtered(lambda row: not row.missing_since)
        return {row.ponto_id: row.amount for row in rows} == {row.id: float(row.amount) for row in self.bank_rows()}

    def check_order(self, rows, newest_first):
        for lines in rows.statement_line_id.grouped(lambda line: (line.journal_id, line.date)).values():
            own = lines.filtered(lambda line: line.ponto_transaction_ids.date == line.date).sorted('internal_index')
            positions = [newest_first.index(line.ponto_transaction_ids.ponto_id) for line in own]
            self.assertEqual(positions, sorted(positions, reverse=True))
