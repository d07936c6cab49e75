"""How sure it is what a transaction pays. Facts only: no database."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from odoo.addons.account_online_ponto.models.reconciliation_facts import Evidence, OpenItem, Proposal, Transaction
from odoo.addons.account_online_ponto.models.reconciliation_grading import grade
from odoo.addons.account_online_ponto.models.reconciliation_keys import keys_in, named_keys
from odoo.addons.account_online_ponto.models.reconciliation_ranking import without_rivals
from odoo.tests import BaseCase, tagged

DAY = date(2026, 3, 5)
OWN, OTHER_OWN = 'BE68539007547034', 'BE43068999999501'


def transaction(amount, text='', transaction_id=1, **vals):
    vals = {'company_id': 1, 'journal_id': 1, 'currency_id': 1, 'date': DAY, 'text': text, **vals}
    return Transaction(id=transaction_id, amount=Decimal(str(amount)), **vals)


def item(item_id, residual, *keys, **vals):
    vals = {
        'document_id': item_id, 'document': f'Document {item_id}', 'company_id': 1, 'journal_id': 9, 'currency_id': 1,
        'due': DAY, 'partner_id': 7, 'partner': "Bakkerij Smit", **vals,
    }  # fmt: skip
    return OpenItem(id=item_id, residual=Decimal(str(residual)), keys=frozenset(keys), **vals)


@tagged('post_install', '-at_install')
class TestReconciliationGrading(BaseCase):
    def graded(self, one, *items, **evidence):
        return grade([one], Evidence(items=list(items), **evidence))[one.id]

    def first(self, one, *items, **evidence):
        found = self.graded(one, *items, **evidence)
        return (found[0].grade, found[0].kind) if found else None

    # -- Keys ----------------------------------------------------------------------------------------------------------

    def test_a_reference_stands_whole_in_the_text(self):
        known = {'inv202600012'}
        self.assertTrue(named_keys('Betaling INV/2026/00012, bedankt', known))
        self.assertTrue(named_keys('inv 2026 00012', known))
        self.assertTrue(named_keys('xINV/2026/00012', {'2026' + '00012'}))
        self.assertFalse(named_keys('INV/2026/000123', known))
        both = {'inv20260001', 'inv202600012'}
        self.assertEqual(named_keys('INV/2026/0001 2 pieces', both), both)

    def test_a_short_reference_within_a_longer_one_is_not_named(self):
        self.assertEqual(named_keys('VF2026/01001', {'vf202601001', '202601001'}), {'vf202601001'})
        self.assertEqual(
            named_keys('VF2026/01001 2026/01001', {'vf202601001', '202601001'}), {'vf202601001', '202601001'}
        )

    def test_words_alone_and_short_numbers_are_no_references(self):
        self.assertFalse(keys_in('thank you very much'))
        self.assertFalse(keys_in('1234'))

    # -- Documents that the text names ---------------------------------------------------------------------------------

    def test_a_reference_with_check_digits_and_the_amount_are_sure(self):
        one = item(1, 121, '090933755493')
        self.assertEqual(
            self.first(transaction(121, '+++090/9337/55493+++'), one), ('sure', 'structured_communication')
        )

    def test_another_direction_is_not_sure(self):
        self.assertIsNone(self.first(transaction(-121, '090933755493'), item(1, 121, '090933755493')))

    def test_another_amount_is_not_sure(self):
        one = item(1, 121, '090933755493')
        self.assertEqual(self.first(transaction(100, '090933755493'), one), ('likely', 'part_payment'))
        self.assertEqual(self.first(transaction(150, '090933755493'), one), ('likely', 'over_payment'))

    def test_another_partner_is_not_sure(self):
        one = item(1, 121, '090933755493')
        self.assertEqual(self.first(transaction(121, '090933755493', partner_id=8), one)[0], 'likely')
        self.assertEqual(self.first(transaction(121, '090933755493', partner_id=7), one)[0], 'sure')

    def test_another_company_is_not_proposed(self):
        self.assertIsNone(self.first(transaction(121, 'ABC12345'), item(1, 121, 'abc12345', company_id=2)))

    def test_a_document_in_another_currency_is_likely_where_it_is_worth_about_as_much(self):
        one = item(1, 200, 'abc12345', currency_id=2, company_residual=Decimal(118))
        found = self.graded(transaction(121, 'ABC12345', balance=Decimal(121)), one)
        self.assertEqual((found[0].grade, found[0].counterparts), ('likely', ({'item_id': 1, 'line_amount': 121.0},)))
        self.assertIsNone(self.first(transaction(121, 'ABC12345', balance=Decimal(60)), one))

    def test_digits_without_check_digits_need_the_partner(self):
        one = item(1, 121, '20260305')
        self.assertEqual(self.first(transaction(121, 'op 2026-03-05'), one), ('likely', 'document_number'))
        self.assertEqual(self.first(transaction(121, '20260305', partner_id=7), one), ('sure', 'document_number'))

    def test_two_documents_with_the_same_reference_are_not_sure(self):
        items = item(1, 121, 'abc12345'), item(2, 121, 'abc12345')
        self.assertEqual({found.grade for found in self.graded(transaction(121, 'ABC-12345'), *items)}, {'likely'})

    def test_of_two_documents_with_the_same_reference_the_one_that_fits_is_sure(self):
        items = item(1, 121, 'abc12345'), item(2, -121, 'abc12345'), item(3, 50, 'abc12345')
        found = self.graded(transaction(121, 'ABC-12345'), *items)
        self.assertEqual((found[0].grade, found[0].counterparts), ('sure', ({'item_id': 1},)))

    def test_several_documents_that_add_up_are_sure(self):
        items = item(1, 70, 'abc12345'), item(2, 80, 'abc12346'), item(3, -50, 'cn00001')
        found = self.graded(transaction(100, 'ABC12345 ABC12346 min CN00001'), *items)
        self.assertEqual((found[0].grade, found[0].kind), ('sure', 'several_documents'))
        self.assertEqual(len(found[0].counterparts), 3)

    def test_one_of_several_documents_that_are_named_is_not_sure(self):
        items = item(1, 70, 'abc12345'), item(2, 80, 'abc12346')
        found = self.graded(transaction(70, 'ABC12345 ABC12346'), *items)
        self.assertEqual({proposal.grade for proposal in found}, {'likely'})
        self.assertEqual(found[0].counterparts, ({'item_id': 1},))

    def test_several_documents_of_different_partners_are_not_sure(self):
        items = item(1, 70, 'abc12345'), item(2, 30, 'abc12346', partner_id=8)
        self.assertEqual(self.first(transaction(100, 'ABC12345 ABC12346'), *items), ('likely', 'several_documents'))

    def test_the_first_part_of_a_document_and_the_whole_are_sure_and_another_part_is_not(self):
        items = [
            item(number, amount, 'abc12345', document_id=1, due=date(2026, number, 1))
            for number, amount in ((1, 30), (2, 70))
        ]
        self.assertEqual(self.graded(transaction(100, 'ABC12345'), *items)[0].grade, 'sure')
        self.assertEqual(self.graded(transaction(30, 'ABC12345'), *items)[0].counterparts, ({'item_id': 1},))
        self.assertEqual(self.graded(transaction(30, 'ABC12345'), *items)[0].grade, 'sure')
        self.assertFalse(self.graded(transaction(70, 'ABC12345'), *items))

    def test_the_discount_for_early_payment_is_to_be_had_until_its_day(self):
        one = item(1, 100, 'abc12345', discounted=Decimal(98), discount_date=DAY)
        found = self.graded(transaction(98, 'ABC12345'), one)
        self.assertEqual(found[0].counterparts, ({'item_id': 1, 'early_discount': True},))
        self.assertEqual(found[0].grade, 'sure')
        late = self.graded(transaction(98, 'ABC12345', date=date(2026, 3, 6)), one)
        self.assertEqual({proposal.grade for proposal in late}, {'likely'})

    def test_an_end_to_end_id_is_sure(self):
        one = transaction(-50, 'thanks', end_to_end_id='BILL-2026-0007')
        self.assertEqual(self.first(one, item(1, -50, 'bill20260007')), ('sure', 'end_to_end_id'))

    def test_label_and_end_to_end_id_that_tell_different_things_are_not_sure(self):
        one = transaction(-50, 'ABC12345', end_to_end_id='BILL-2026-0007')
        found = self.graded(one, item(1, -50, 'bill20260007'), item(2, -50, 'abc12345'))
        self.assertEqual({proposal.grade for proposal in found}, {'likely'})

    # -- Payments made in Odoo -----------------------------------------------------------------------------------------

    def test_a_payment_of_the_journal_is_sure_when_the_account_number_is_the_partners(self):
        payment = item(1, 121, nature='payment', journal_id=1)
        known = transaction(121, partner_id=7, is_partner_certain=True)
        self.assertEqual(self.first(known, payment), ('sure', 'outstanding_payment'))
        self.assertEqual(
            self.first(replace(known, is_partner_certain=False), payment), ('likely', 'outstanding_payment')
        )
        self.assertIsNone(self.first(replace(known, journal_id=2), payment))

    def test_a_payment_beside_an_open_invoice_of_the_same_amount_is_not_sure(self):
        known = transaction(121, partner_id=7, is_partner_certain=True)
        found = self.graded(known, item(1, 121, nature='payment', journal_id=1), item(2, 121))
        self.assertEqual({proposal.grade for proposal in found}, {'likely'})

    def test_payments_made_together_are_sure_when_their_reference_is_named(self):
        items = [item(number, -50, nature='payment', batch='batch001', partner_id=number) for number in (1, 2, 3)]
        self.assertEqual(self.first(transaction(-150, 'BATCH/001'), *items), ('sure', 'outstanding_batch'))
        self.assertIsNone(self.first(transaction(-100, 'BATCH/001'), *items))

    # -- Transfers -----------------------------------------------------------------------------------------------------

    def transfer(self, *transactions):
        own = {(1, OWN): 1, (1, OTHER_OWN): 2}
        return grade(transactions, Evidence(transfers=list(transactions), own_journals=own))

    def test_the_two_lines_of_a_transfer_are_sure_of_each_other(self):
        out = transaction(-500, account_number=OTHER_OWN)
        came = transaction(500, transaction_id=2, journal_id=2, account_number=OWN, date=date(2026, 3, 7))
        proposals = self.transfer(out, came)
        self.assertEqual([found[0].grade for found in proposals.values()], ['sure', 'sure'])
        self.assertEqual(list(without_rivals(proposals)), [1])

    def test_a_transfer_that_two_lines_may_have_received_is_not_sure(self):
        out = transaction(-500, account_number=OTHER_OWN)
        came = [transaction(500, transaction_id=number, journal_id=2, account_number=OWN) for number in (2, 3)]
        proposals = self.transfer(out, *came)
        self.assertFalse(without_rivals(proposals))

    def test_a_transfer_weeks_apart_or_of_another_amount_is_none(self):
        out = transaction(-500, account_number=OTHER_OWN)
        late = transaction(500, transaction_id=2, journal_id=2, account_number=OWN, date=date(2026, 3, 20))
        other = transaction(501, transaction_id=3, journal_id=2, account_number=OWN)
        self.assertFalse(self.transfer(out, late, other)[1])

    # -- By partner and amount -----------------------------------------------------------------------------------------

    def test_amount_and_partner_are_likely_and_two_are_told_apart(self):
        known = transaction(121, partner_id=7, is_partner_certain=True)
        self.assertEqual(self.first(known, item(1, 121)), ('likely', 'only_open_item'))
        found = self.graded(known, item(1, 121), item(2, 121))
        self.assertTrue(all(proposal.facts['is_ambiguous'] for proposal in found))

    def test_amount_and_name_are_likely(self):
        one = transaction(121, partner_name="SMIT Bakkerij BV")
        self.assertEqual(self.first(one, item(1, 121)), ('likely', 'only_open_item'))
        self.assertIsNone(self.first(replace(one, partner_name="Janssens"), item(1, 121)))

    def test_the_oldest_items_that_add_up_are_likely(self):
        items = [item(number, 10 * number, due=date(2026, number, 1)) for number in (1, 2, 3)]
        found = self.graded(transaction(30, partner_id=7), *items)
        self.assertIn(({'item_id': 1}, {'item_id': 2}), [proposal.counterparts for proposal in found])

    def test_a_fee_is_likely_where_there_is_an_account_for_it(self):
        one = transaction(98, partner_id=7)
        found = self.graded(one, item(1, 100), fee_accounts={1: 5})
        self.assertEqual((found[0].grade, found[0].kind), ('likely', 'bank_fee'))
        self.assertEqual(found[0].counterparts, ({'item_id': 1}, {'account_id': 5, 'line_amount': -2.0}))
        self.assertFalse(self.graded(one, item(1, 100)))

    # -- Two explanations ----------------------------------------------------------------------------------------------

    def test_two_kinds_of_explanation_are_not_sure(self):
        rule = Proposal('sure', 'rule', ({'account_id': 3, 'line_amount': 121.0},))
        found = self.graded(transaction(121, 'ABC12345'), item(1, 121, 'abc12345'), rules={1: [rule]})
        self.assertEqual({proposal.grade for proposal in found}, {'likely'})

    def test_two_transactions_that_claim_one_invoice_are_left_to_a_person(self):
        both = [transaction(121, 'ABC12345', transaction_id=number) for number in (1, 2)]
        proposals = grade(both, Evidence(items=[item(1, 121, 'abc12345')]))
        self.assertFalse(without_rivals(proposals))
