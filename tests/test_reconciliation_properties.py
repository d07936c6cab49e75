"""Whatever is open, whatever is paid, and in whatever order: nothing that has two explanations is matched by itself."""

import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.addons.account_online_ponto.models.reconciliation_facts import Evidence, OpenItem, Transaction
from odoo.addons.account_online_ponto.models.reconciliation_grading import grade
from odoo.addons.account_online_ponto.models.reconciliation_keys import keys_in
from odoo.addons.account_online_ponto.models.reconciliation_ranking import without_rivals
from odoo.tests import BaseCase, tagged

from .test_reconciliation import ReconciliationCase

# To hunt for defects, name a number in the environment: each run then makes up other examples.
EXAMPLES = os.environ.get('PONTO_PROPERTY_EXAMPLES')
START = date(2026, 3, 1)
OWN = ('BE68539007547034', 'BE43068999999501')

# Few values, so that equal amounts, equal references and shared partners are frequent.
amounts = st.sampled_from([Decimal(text) for text in ('100', '100', '-100', '70', '30', '-30', '130', '200', '0.05')])
references = st.sampled_from(['090933755493', 'abc12345', 'abc12346', '20260305', 'rf18539007547034', ''])
partners = st.sampled_from([None, 7, 8])
days = st.integers(0, 12).map(lambda number: START + timedelta(days=number))
currencies = st.sampled_from([1, 1, 1, 2])
numbers = st.sampled_from(['', '', *OWN, 'BE71096123456769'])

texts = st.lists(references, max_size=3).map(' and '.join)
transactions = st.builds(
    Transaction,
    id=st.just(0), company_id=st.sampled_from([1, 1, 2]), journal_id=st.sampled_from([1, 2]), currency_id=currencies,
    amount=amounts, date=days, text=texts, end_to_end_id=references, partner_id=partners,
    partner_name=st.sampled_from(['', "Smit"]), account_number=numbers, is_partner_certain=st.booleans(),
)  # fmt: skip
items = st.builds(
    OpenItem,
    id=st.just(0), document_id=st.integers(1, 6), document=st.just('Document'), company_id=st.sampled_from([1, 1, 2]),
    journal_id=st.sampled_from([1, 9]), currency_id=currencies, residual=amounts, due=days,
    nature=st.sampled_from(['document', 'document', 'payment', 'transfer', 'other']), partner_id=partners,
    partner=st.just("Smit"), keys=st.frozensets(references.filter(bool), max_size=2),
    batch=st.sampled_from(['', 'abc12346']),
).map(lambda item: item if item.nature == 'payment' else replace(item, batch=''))  # fmt: skip


def numbered(found):
    return [replace(one, id=number) for number, one in enumerate(found, 1)]


def examples(default):
    return settings(
        max_examples=int(EXAMPLES or default),
        deadline=None,
        derandomize=not EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.target, Phase.shrink],
    )


def certain(found_transactions, found_items):
    evidence = Evidence(
        items=found_items,
        transfers=found_transactions,
        own_journals={(company, number): journal for company in (1, 2) for journal, number in enumerate(OWN, 1)},
    )
    return without_rivals(grade(found_transactions, evidence))


@tagged('post_install', '-at_install')
class TestReconciliationGradingProperties(BaseCase):
    """Of facts alone, judged by rules that are written here once more, and more simply."""

    @examples(1500)
    @given(st.lists(transactions, min_size=1, max_size=5), st.lists(items, max_size=7))
    def test_what_is_certain_has_one_explanation(self, found_transactions, found_items):
        found_transactions, found_items = numbered(found_transactions), numbered(found_items)
        by_id = {item.id: item for item in found_items}
        taken = []
        for line_id, proposal in certain(found_transactions, found_items).items():
            one = found_transactions[line_id - 1]
            paid = [by_id[part['item_id']] for part in proposal.counterparts if part.get('item_id')]
            taken += [item.id for item in paid]
            if paid:
                self.check_items(one, paid, found_items)
            else:
                self.check_transfer(
                    one, found_transactions[proposal.counterparts[0]['line_id'] - 1], found_transactions
                )
        self.assertEqual(len(taken), len(set(taken)), "an item is taken twice")

    def check_items(self, one, paid, found_items):
        self.assertEqual(sum(item.residual for item in paid), one.amount)
        self.assertEqual({(item.company_id, item.currency_id) for item in paid}, {(one.company_id, one.currency_id)})
        by_transfer = len(paid) == 1 and paid[0].nature == 'transfer' and one.account_number in OWN
        is_batch = len(paid) > 1 and len({item.batch for item in paid}) == 1 and bool(paid[0].batch)
        partners = {item.partner_id for item in paid if item.partner_id and not by_transfer}
        self.assertTrue(len(partners) < 2 or is_batch)
        self.assertTrue(not one.partner_id or not partners or partners == {one.partner_id})
        named = set(keys_in(one.text)) | set(keys_in(one.end_to_end_id))
        # Something in the text, or the partner's own account number, speaks for it; amount and name alone never do.
        by_payment = len(paid) == 1 and paid[0].nature == 'payment' and one.is_partner_certain
        documents = {item.document_id for item in paid}
        speaking = [named & (item.keys | {item.batch}) for item in found_items if item.document_id in documents]
        self.assertTrue(any(speaking) or by_payment or by_transfer)
        # No other document with the same reference would do as well.
        if len(documents) == 1 and not by_payment and not by_transfer:
            for other in {item.document_id for item in found_items} - documents:
                rivals = [item for item in found_items if item.document_id == other and self.is_reachable(one, item)]
                fits = sum(item.residual for item in rivals) == one.amount and all(
                    not one.partner_id or not item.partner_id or item.partner_id == one.partner_id for item in rivals
                )
                shared = {key for item in rivals for key in item.keys} & named
                self.assertFalse(fits and shared, "another document that is named fits as well")

    def is_reachable(self, one, item):
        return (item.company_id, item.currency_id) == (one.company_id, one.currency_id)

    def check_transfer(self, one, other, found_transactions):
        self.assertEqual(
            (one.amount, one.currency_id, one.company_id), (-other.amount, other.currency_id, other.company_id)
        )
        rivals = [
            third for third in found_transactions
            if (third.journal_id, third.amount, third.account_number, third.currency_id, third.company_id)
            == (other.journal_id, other.amount, other.account_number, other.currency_id, other.company_id)
            and abs((third.date - one.date).days) <= 5
        ]  # fmt: skip
        self.assertEqual(rivals, [other])

    @examples(500)
    @given(st.data(), st.lists(transactions, min_size=2, max_size=6), st.lists(items, max_size=6))
    def test_the_order_does_not_matter(self, data, found_transactions, found_items):
        found_transactions, found_items = numbered(found_transactions), numbered(found_items)
        before = certain(found_transactions, found_items)
        after = certain(data.draw(st.permutations(found_transactions)), data.draw(st.permutations(found_items)))
        self.assertEqual(after, before)


# What is in the database: kind of document, amount, reference, partner, currency, and whether it was paid from Odoo.
documents = st.lists(
    st.tuples(
        st.sampled_from(['out_invoice', 'out_invoice', 'in_invoice', 'out_refund', 'in_refund']),
        st.sampled_from([100, 100, 70, 30]),
        st.sampled_from(['+++090/9337/55493+++', 'ABC-12345', 'ABC-12346', '']),
        st.integers(0, 1),
        st.sampled_from(['EUR', 'EUR', 'USD']),
        st.booleans(),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
payments = st.lists(
    st.tuples(
        st.sampled_from([100, 100, -100, 70, 30, 130, 40, -30]),
        st.sampled_from(['090933755493', 'abc 12345', 'ABC12345 and ABC12346', 'ABC-12346', 'thanks']),
        st.integers(-1, 1),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@tagged('post_install', '-at_install')
class TestReconciliationProperties(ReconciliationCase):
    """Of documents, payments and statement lines in Odoo."""

    def setUp(self):
        super().setUp()
        self.journal.ponto_match_automatically = True
        self.env.ref('base.USD').active = True
        self.env['res.currency.rate'].create(
            {'name': '2026-01-01', 'rate': 2, 'currency_id': self.env.ref('base.USD').id, 'company_id': self.company.id}
        )

    def make(self, kind, amount, reference, partner, currency, is_paid):
        document = self.env['account.move'].create(
            {
                'move_type': kind,
                'partner_id': (self.customer, self.supplier)[partner].id,
                'currency_id': self.env.ref(f'base.{currency}').id,
                'invoice_date': '2026-03-01',
                'payment_reference': reference or False,
                'invoice_line_ids': [Command.create({'name': "Brood", 'price_unit': amount, 'tax_ids': False})],
            }
        )
        document.action_post()
        if is_paid and currency == 'EUR':
            self.env['account.payment.register'].with_context(
                active_model='account.move', active_ids=document.ids
            ).create({'journal_id': self.journal.id, 'payment_date': '2026-03-02'})._create_payments()
        return document

    def books(self):
        """Return every column that undoing must bring back: of entries, of open items, and the balances."""
        lines = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        entries = {line.id: (self.entry(line), line.partner_id.id, line.amount_residual) for line in lines}
        found = self.env['account.move.line'].search([('company_id', '=', self.company.id)])
        exchange = found.filtered(lambda item: item.journal_id == self.company.currency_exchange_journal_id)
        residuals = {
            item.id: (item.amount_residual, item.amount_residual_currency)
            for item in found - exchange - lines.move_id.line_ids
        }
        balances = {}
        for item in found:
            balances[item.account_id.id] = round(balances.get(item.account_id.id, 0) + item.balance, 2)
        states = {move.id: move.payment_state for move in found.move_id if move.is_invoice()}
        return entries, residuals, {account: balance for account, balance in balances.items() if balance}, states

    def match(self):
        self.env.invalidate_all()
        lines = self.env['account.bank.statement.line']
        return lines._match_certain(lines._certain_matches(self.company))

    def paid_by(self, lines):
        """Return what each line is reconciled with, told without ids of lines."""
        found = []
        for line in lines:
            items = line._seek_for_lines()[2]
            partners = items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id
            found.append((line.amount, line.payment_ref, line.partner_id.id, tuple(sorted(partners.ids))))
        return sorted(found)

    @examples(12)
    @given(documents, payments)
    def test_undo_brings_all_back_and_the_order_of_lines_does_not_matter(self, found_documents, found_payments):
        with self.env.cr.savepoint() as savepoint:
            for document in found_documents:
                self.make(*document)
            outcomes = []
            for order in (found_payments, found_payments[::-1]):
                lines = self.env['account.bank.statement.line'].union(
                    *(self.line(amount, text, partner_id=self.partner(partner)) for amount, text, partner in order)
                )
                before = self.books()
                matched = self.match()
                self.check(matched)
                outcomes.append(self.paid_by(matched))
                matched.action_undo_reconciliation()
                self.assertEqual(self.books(), before)
                lines.unlink()
            self.assertEqual(outcomes[0], outcomes[1])
            savepoint.rollback()

    def partner(self, number):
        return (self.customer.id, self.supplier.id, False)[number]

    def check(self, matched):
        """Each line that was matched by itself has paid whole items, and each item was paid by one line."""
        taken = []
        for line in matched:
            self.assertTrue(line.is_reconciled)
            items = line._seek_for_lines()[2]
            partners = items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id
            self.assertTrue(all(partners.mapped('reconciled')))
            taken += partners.ids
        self.assertEqual(len(taken), len(set(taken)))
