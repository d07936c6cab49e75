from decimal import Decimal

from odoo import Command
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCards(PontoCase):
    """Credit cards: each has a ledger account of its own, or is compared by journal where several share one."""

    def card(self, number, *amounts, balance=None):
        card = self.simulator.add_account(
            f'XXXX XXXX XXXX {number}', institution=self.bank, subtype='card', reference_type='MASKEDPAN'
        )
        if balance is not None:
            self.simulator.change_account(card, current_balance=Decimal(balance))
        for amount in amounts:
            self.simulator.add_transaction(card, amount, '2026-03-02')
        return card

    def feed(self, *cards):
        accounts = sum((self.link(card) for card in cards), self.env['ponto.account'])
        accounts._synchronize()
        self.env.invalidate_all()
        return accounts

    def share(self, accounts):
        """Let the journals of these accounts share one ledger account, as core's own cards do."""
        for journal in accounts.journal_id[1:]:
            journal.default_account_id = accounts.journal_id[0].default_account_id

    def test_each_new_card_has_a_ledger_account_of_its_own(self):
        accounts = self.feed(self.card(1234, -10), self.card(5678, -20))
        ledgers = accounts.journal_id.default_account_id
        self.assertEqual(len(ledgers), 2)
        self.assertEqual(set(ledgers.mapped('account_type')), {'liability_credit_card'})
        self.assertEqual(ledgers.mapped('name'), accounts.journal_id.mapped('name'))
        self.assertEqual(accounts.mapped('journal_balance'), [-10, -20])
        self.assertEqual(accounts.mapped('balance_difference'), [0, 0])
        self.assertEqual(accounts.mapped('balance_note'), [False, False])

    def test_a_card_in_another_currency_has_a_ledger_account_in_it(self):
        card = self.simulator.add_account(
            'XXXX 1', currency='USD', institution=self.bank, subtype='card', reference_type='MASKEDPAN'
        )
        journal = self.link(card).journal_id
        self.assertEqual(journal.default_account_id.currency_id.name, 'USD')

    def test_the_opening_line_of_each_card_is_its_own(self):
        accounts = self.feed(self.card(1234, -10, balance=-500), self.card(5678, -10, balance=-700))
        self.assertEqual([account._book_opening_line().amount for account in accounts], [-500, -700])
        self.env.invalidate_all()
        self.assertEqual(accounts.mapped('balance_difference'), [0, 0])

    def test_journals_that_share_a_ledger_account_are_compared_each_with_its_own_entries(self):
        cards = self.card(1234, balance=-500), self.card(5678, balance=-700)
        accounts = sum((self.link(card) for card in cards), self.env['ponto.account'])
        self.share(accounts)
        for card in cards:
            self.simulator.add_transaction(card, -10, '2026-03-02')
        accounts._synchronize()
        self.env.invalidate_all()
        self.assertEqual(accounts.mapped('journal_balance'), [-10, -10])
        self.assertEqual([account._book_opening_line().amount for account in accounts], [-500, -700])
        self.env.invalidate_all()
        self.assertEqual(accounts.mapped('balance_difference'), [0, 0])
        for account in accounts:
            self.assertIn("Several journals share the account", account.balance_note)

    def test_the_entries_of_a_journal_by_hand_on_the_same_ledger_account_are_not_the_cards(self):
        account = self.link(self.card(1234, -10))
        by_hand = self.env['account.journal'].create(
            {
                'name': "Old card",
                'type': 'credit',
                'company_id': self.company.id,
                'default_account_id': account.journal_id.default_account_id.id,
            }
        )
        self.env['account.bank.statement.line'].create(
            {'journal_id': by_hand.id, 'date': '2026-01-05', 'amount': -33, 'payment_ref': "By hand"}
        )
        by_hand.active = False
        account._synchronize()
        self.env.invalidate_all()
        self.assertEqual((account.journal_balance, account.balance_difference), (-10, 0))
        self.assertFalse(account.balance_explanation)
        self.assertTrue(account.balance_note)

    def test_other_entries_on_a_ledger_account_of_one_journal_count(self):
        account = self.feed(self.card(1234, -10))
        ledger = account.journal_id.default_account_id
        other = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', 'expense')], limit=1
        )
        entry = self.env['account.move'].create(
            {
                'date': '2026-01-05',
                'line_ids': [
                    Command.create({'account_id': ledger.id, 'credit': 5}),
                    Command.create({'account_id': other.id, 'debit': 5}),
                ],
            }
        )
        entry.action_post()
        # A draft is not in the books.
        entry.copy({'date': '2026-01-05'})
        self.env.invalidate_all()
        self.assertEqual((account.journal_balance, account.balance_difference), (-15, 5))
        self.assertEqual([amount for _label, amount in account._explain_difference()], [5])

    def test_the_card_on_the_dashboard_says_that_the_ledger_account_is_shared(self):
        accounts = self.feed(self.card(1234, -10), self.card(5678, -20))
        self.simulator.change_account(accounts[0].ponto_id, current_balance=Decimal(-11))
        self.share(accounts)
        accounts._synchronize()
        self.env.invalidate_all()
        self.assertEqual(accounts[0]._prepare_card_vals()['note'], accounts[0].balance_note)
