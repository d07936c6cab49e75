"""What open lines are proposed to be reconciled with, from the database to the sentence."""

from odoo.tests import tagged

from .test_reconciliation import ReconciliationCase


@tagged('post_install', '-at_install')
class TestProposals(ReconciliationCase):
    def first(self, line):
        return next(iter(line.get_proposals()[line.id]), None)

    def test_the_structured_communication_of_an_open_invoice_is_sure(self):
        invoice, line = self.invoice(121, '+++090/9337/55493+++'), self.line(121, '090933755493')
        first = self.first(line)
        self.assertEqual((first['grade'], first['kind']), ('sure', 'structured_communication'))
        self.assertEqual(first['counterparts'], [{'item_id': self.open_item(invoice).id}])
        self.assertEqual(first['reason'], f"The structured communication is that of {invoice.name}.")
        self.assertEqual(line.proposal_reason, first['reason'])
        line.reconcile_with(first['counterparts'], first['kind'], first['facts'])
        self.assertEqual(line.match_reason, first['reason'])
        self.assertEqual(invoice.amount_residual, 0)

    def test_a_structured_communication_inside_of_a_longer_text_finds_its_invoice(self):
        for reference, text in (
            ('+++090/9337/55493+++', "Betaling +++090/9337/55493+++ bedankt"),
            ('RF18539007547034', "Rechnung RF18 5390 0754 7034 vom Mai"),
        ):
            invoice, line = self.invoice(121, reference), self.line(121, text)
            first = self.first(line)
            self.assertEqual((first['grade'], first['kind']), ('sure', 'structured_communication'), text)
            self.assertEqual(first['counterparts'], [{'item_id': self.open_item(invoice).id}])
            self.assertEqual(line.payment_ref, text)

    def test_two_invoices_with_the_same_reference_are_not_sure(self):
        self.invoice(121, 'ABC-12345')
        self.invoice(121, 'ABC 12345')
        found = self.line(121, 'ABC12345')
        self.assertEqual({item['grade'] for item in found.get_proposals()[found.id]}, {'likely'})

    def test_a_document_number_within_a_text_is_sure(self):
        bill = self.invoice(50, 'FACT-2026-778', 'in_invoice')
        line = self.line(-50, 'betaling fact 2026/778 bedankt')
        self.assertEqual(self.first(line)['kind'], 'document_number')
        self.assertEqual(line.action_accept_proposals()['params']['message'], "1 of 1 reconciled.")
        self.assertEqual(bill.amount_residual, 0)

    def test_the_amount_of_a_known_partner_is_likely(self):
        self.invoice(77)
        line = self.line(77, 'thanks', partner_id=self.customer.id)
        first = self.first(line)
        self.assertEqual((first['grade'], first['kind']), ('likely', 'only_open_item'))

    def test_several_documents_add_up(self):
        first, second = self.invoice(70), self.invoice(30)
        line = self.line(100, f'{first.name} + {second.name}')
        self.assertEqual(self.first(line)['kind'], 'several_documents')
        self.assertEqual(self.first(line)['grade'], 'sure')

    def test_a_payment_made_in_odoo_is_sure_when_it_is_named(self):
        invoice = self.invoice(121, 'ABC-12345')
        self.env['account.payment.register'].with_context(active_model='account.move', active_ids=invoice.ids).create(
            {'journal_id': self.journal.id}
        ).action_create_payments()
        line = self.line(121, 'ABC-12345')
        first = self.first(line)
        self.assertEqual((first['grade'], first['kind']), ('sure', 'outstanding_payment'))
        line.action_accept_proposals()
        self.assertTrue(invoice.matched_payment_ids.is_matched)

    def test_looking_takes_the_same_queries_for_many_lines(self):
        for number in range(20):
            self.invoice(100 + number, f'INV-REF-{number:04}')
            self.line(100 + number, f'INV-REF-{number:04}')
        lines = self.env['account.bank.statement.line'].search([('journal_id', '=', self.journal.id)])
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(15):
            proposals = lines._proposals()
        self.assertEqual({found[0].grade for found in proposals.values()}, {'sure'})
        # Their sentences name the records of all of them at once.
        with self.assertQueryCount(20):
            self.assertEqual(len(lines.get_proposals()), 20)
