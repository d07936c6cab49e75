from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestMatchingInvoice(PontoCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env['res.partner'].create({'name': "Bakkerij Smit"})

    def invoice(self, amount, reference, move_type='out_invoice', **vals):
        invoice = self.env['account.move'].create(
            {
                'move_type': move_type,
                'partner_id': self.partner.id,
                'invoice_date': '2026-03-01',
                'payment_reference': reference,
                'invoice_line_ids': [Command.create({'name': "Brood", 'price_unit': amount, 'tax_ids': False})],
                **vals,
            }
        )
        invoice.action_post()
        return invoice

    def line(self, amount, text):
        self.simulator.add_transaction(self.online, amount, '2026-03-05', remittance_information=text)
        account = self.env['ponto.account'].search([]) or self.link()
        account._synchronize()
        return self.lines(account).filtered(lambda line: line.amount == amount)

    def test_one_click_pays_the_invoice_with_this_reference_and_amount(self):
        invoice = self.invoice(121, '+++090/9337/55493+++')
        line = self.line(121, '090933755493')
        self.assertEqual(line.matching_invoice_id, invoice)
        line.with_user(self.accountant).action_pay_matching_invoice()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertIn(invoice.payment_state, ('paid', 'in_payment'))
        self.assertEqual(line.partner_id, self.partner)
        self.assertFalse(line.matching_invoice_id)

    def test_a_bill_is_paid_by_an_amount_that_goes_out(self):
        bill = self.invoice(50, 'FACT-2026-778', 'in_invoice')
        line = self.line(-50, 'fact 2026/778')
        self.assertEqual(line.matching_invoice_id, bill)
        line.action_pay_matching_invoice()
        self.assertEqual(bill.amount_residual, 0)

    def test_another_amount_direction_or_reference_matches_nothing(self):
        self.invoice(121, '+++090/9337/55493+++')
        self.assertFalse(self.line(120, '090933755493').matching_invoice_id)
        self.assertFalse(self.line(-121, '090933755493').matching_invoice_id)
        self.assertFalse(self.line(121, '+++010/8068/17183+++').matching_invoice_id)

    def test_two_invoices_with_the_same_reference_match_nothing(self):
        self.invoice(121, 'ABC-12345')
        self.invoice(121, 'ABC 12345')
        self.assertFalse(self.line(121, 'ABC12345').matching_invoice_id)

    def test_a_paid_invoice_is_offered_no_more(self):
        self.invoice(121, 'ABC-12345')
        first, second = self.line(121, 'ABC12345'), None
        first.action_pay_matching_invoice()
        self.simulator.add_transaction(self.online, 121, '2026-03-06', remittance_information='ABC12345')
        account = self.env['ponto.account'].search([])
        account._synchronize()
        second = self.lines(account) - first
        self.assertFalse(second.matching_invoice_id)
        with self.assertRaises(UserError):
            second.action_pay_matching_invoice()

    def test_finding_matches_takes_the_same_queries_for_many_lines(self):
        for number in range(20):
            self.invoice(100 + number, f'INV-REF-{number:04}')
            self.simulator.add_transaction(
                self.online, 100 + number, '2026-03-05', remittance_information=f'INV-REF-{number:04}'
            )
        account = self.link()
        account._synchronize()
        lines = self.lines(account)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            self.assertEqual(len(lines.mapped('matching_invoice_id')), 20)
