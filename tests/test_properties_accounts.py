"""Whatever Ponto calls the accounts, and whoever links them again: each journal has its account's payments, once."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from odoo.tests import tagged

from .drawn_checks import DrawnChecks
from .drawn_histories import DrawnHistoriesCase

NUMBER = 'BE71096123456769'
# What each account tells of itself: two of one number, one of another, two cards without any.
ACCOUNTS = (
    (NUMBER, {'subtype': 'checking', 'description': "Main"}),
    (NUMBER, {'subtype': 'savings', 'description': "Reserve"}),
    ('BE43068999999501', {'subtype': 'checking'}),
    ('', {'subtype': 'card', 'description': "Card 1"}),
    ('', {'subtype': 'card', 'description': "Card 2"}),
)
# An amount tells whose it is: account 2 has 2001, 2002 ...
OF_ACCOUNT = 1000

whose = st.integers(0, len(ACCOUNTS) - 1)
some = st.sets(whose, min_size=1)


class Accounts(RuleBasedStateMachine):
    """The accounts of a company at one or two banks, Ponto, and an accountant who answers truly when asked."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        case.start_over()

    def teardown(self):
        self.case.settle()
        self.case.check_books_equal_bank()

    @initialize(dates=st.lists(st.integers(0, 40), min_size=2, max_size=4))
    def a_past(self, dates):
        for which in range(len(ACCOUNTS)):
            for number in dates:
                self.case.pay(which, number)

    # -------------------------------------------------------------------------
    # At the banks and at Ponto
    # -------------------------------------------------------------------------

    # After the past: what is older than an opening line stays out of the books, see `test_opening`.
    @rule(which=whose, number=st.integers(41, 60))
    def a_payment(self, which, number):
        self.case.pay(which, number)

    @rule(which=some)
    def accounts_under_new_ids(self, which):
        for each in which:
            self.case.reissue(each)

    @rule(which=some, moved=st.booleans())
    def banks_merge(self, which, moved):
        for each in which:
            self.case.reissue(each)
            self.case.simulator.account(self.case.online[each]).institution_id = self.case.banks[moved].id

    @rule(which=whose)
    def a_bank_tells_less(self, which):
        self.case.simulator.change_account(
            self.case.online[which], extra={'description': None, 'internalReference': None}
        )

    @rule(which=whose)
    def an_account_is_not_ticked_any_more(self, which):
        if self.case.online[which] in self.case.simulator.integration.account_ids:
            self.case.simulator.untick(self.case.online[which])

    @rule(number=st.integers(1, 20))
    def time_passes(self, number):
        self.case.let_days_pass(number, self.case.online)

    # -------------------------------------------------------------------------
    # In Odoo
    # -------------------------------------------------------------------------

    @rule()
    def the_scheduled_run(self):
        self.case.run_cron()

    @rule()
    def a_run_with_a_clock_that_is_years_off(self):
        self.case.run_years_ahead()

    @rule()
    def accounts_are_fetched(self):
        self.case.integration._fetch_accounts()

    @rule()
    def accounts_are_linked_as_proposed(self):
        self.case.connect()

    @rule(which=whose)
    def a_journal_is_unlinked(self, which):
        if self.case.journals.get(which):
            self.case.journals[which].ponto_account_ids.action_unlink_journal()

    # -------------------------------------------------------------------------
    # What must always hold
    # -------------------------------------------------------------------------

    @invariant()
    def no_journal_has_a_payment_of_another_account_or_one_twice(self):
        self.case.check_lines()

    @invariant()
    def each_reason_is_what_the_records_tell_and_health_hides_nothing(self):
        self.case.check_reasons()


@tagged('post_install', '-at_install')
class TestPropertiesOfAccounts(DrawnChecks, DrawnHistoriesCase):
    def test_any_sequence_of_events_leaves_each_payment_in_its_own_journal(self):
        self.draw(Accounts, examples=5, steps=12)

    # -------------------------------------------------------------------------
    # What happens
    # -------------------------------------------------------------------------

    def begin(self):
        self.banks = [self.simulator.add_institution(name) for name in ("Kadebank", "Nieuwe Kadebank")]
        self.online = [
            self.simulator.add_account(number, institution=self.banks[0], balance=50 * which, **traits).id
            for which, (number, traits) in enumerate(ACCOUNTS)
        ]
        self.paid = dict.fromkeys(range(len(ACCOUNTS)), 0)
        self.journals = {}

    def pay(self, which, number):
        self.paid[which] += 1
        self.simulator.add_transaction(
            self.online[which],
            Decimal(OF_ACCOUNT * (which + 1) + self.paid[which]),
            date(2026, 3, 1) + timedelta(days=number),
        )

    def reissue(self, which):
        was_ticked = self.online[which] in self.simulator.integration.account_ids
        self.online[which] = self.simulator.reissue_account(self.online[which])
        if not was_ticked:
            self.simulator.tick(self.online[which])

    def connect(self, everything=False):
        """Link what the wizard offers as it proposes; a question is answered as it is.

        :param everything: also what the wizard proposes to leave
        """
        wizard = self.env['ponto.connect']._create_for(self.integration)
        wizard._fetch_accounts()
        for line in wizard.line_ids:
            if line.predecessor_ids or (everything and line.action == 'skip'):
                self.answer(line)
        if all(line.action == 'skip' for line in wizard.line_ids):
            return
        wizard.action_link_accounts()
        if wizard.step == 'opening':
            wizard.action_finish()
        for account in self.env['ponto.account'].search([('journal_id', '!=', False)]):
            if account.ponto_id in self.online:
                self.journals.setdefault(self.online.index(account.ponto_id), account.journal_id)
        self.env.invalidate_all()

    def answer(self, line):
        journal = self.journals.get(self.online.index(line.account_id.ponto_id))
        feeds = journal.ponto_account_ids if journal else self.env['ponto.account']
        if feeds and not feeds._is_replaceable():
            line.action = 'skip'
            return
        line.write({'action': 'existing' if journal else 'new', 'journal_id': journal and journal.id})
        line._onchange_journal()

    # -------------------------------------------------------------------------
    # What must hold
    # -------------------------------------------------------------------------

    def lines_of(self, which):
        journal = self.journals.get(which)
        lines = self.env['account.bank.statement.line']
        return lines.search([('journal_id', '=', journal.id)]) if journal else lines

    def check_lines(self):
        for which in range(len(ACCOUNTS)):
            amounts = self.lines_of(which).filtered(lambda line: not line.is_ponto_opening).mapped('amount')
            self.assertEqual({int(amount) // OF_ACCOUNT for amount in amounts} - {which + 1}, set(), which)
            self.assertEqual(len(amounts), len(set(amounts)), amounts)

    def check_reasons(self):
        for account in self.env['ponto.account'].search([('journal_id', '!=', False)]):
            self.check_told(account)

    def settle(self):
        """Give back all permissions, let the future come, and link everything."""
        for online in self.online:
            self.simulator.tick(online)
        self.let_days_pass(90, self.online)
        for _round in range(2):
            self.connect(everything=True)
            self.run_cron()
        self.env.invalidate_all()

    def check_books_equal_bank(self):
        self.check_lines()
        self.check_reasons()
        for which, online in enumerate(self.online):
            account = self.journals[which].ponto_account_ids
            self.assertEqual((account.ponto_id, account.state), (online, 'active'))
            lines = self.lines_of(which)
            amounts = sorted(line.amount for line in lines if not line.is_ponto_opening)
            expected = [OF_ACCOUNT * (which + 1) + number for number in range(1, self.paid[which] + 1)]
            held = account.transaction_ids.filtered(lambda row: row.state == 'held')
            self.assertEqual(amounts, expected, held.mapped('hold_message'))
            opening = sum(line.amount for line in lines if line.is_ponto_opening)
            self.assertIn(opening, (0, 50 * which))
            self.assertAlmostEqual(account.balance_difference, 50 * which - opening, 2)
            unexplained = account._unexplained_difference()
            self.assertAlmostEqual(unexplained, account.balance_difference, 2)
