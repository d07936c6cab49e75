"""The one way to reconcile: what becomes of a statement line's entry."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase


class ReconciliationCase(PontoCase):
    """A company with a bank journal, a customer and a supplier. Lines are made as booking makes them."""

    def setUp(self):
        super().setUp()
        self.customer = self.env['res.partner'].create({'name': "Bakkerij Smit"})
        self.supplier = self.env['res.partner'].create({'name': "Meelhandel Claes"})
        self.journal = self.env['account.journal'].search(
            [('type', '=', 'bank'), ('company_id', '=', self.company.id)], limit=1
        )
        self.expense = self.account('expense')

    def account(self, account_type, **vals):
        return self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', account_type)], limit=1
        )

    def invoice(self, amount, reference=False, move_type='out_invoice', **vals):
        outgoing = move_type in ('out_invoice', 'out_refund')
        invoice = self.env['account.move'].create(
            {
                'move_type': move_type,
                'partner_id': (self.customer if outgoing else self.supplier).id,
                'invoice_date': '2026-03-01',
                'payment_reference': reference,
                'invoice_line_ids': [Command.create({'name': "Brood", 'price_unit': amount, 'tax_ids': False})],
                **vals,
            }
        )
        invoice.action_post()
        return invoice

    def line(self, amount, text="Payment", **vals):
        return self.env['account.bank.statement.line'].create(
            {'journal_id': self.journal.id, 'date': '2026-03-05', 'amount': amount, 'payment_ref': text, **vals}
        )

    def open_item(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type in ('asset_receivable', 'liability_payable') and not item.reconciled
        )

    def entry(self, line):
        """Return the columns of a line's entry, as core's and ours are to be compared."""
        return sorted(
            (
                item.account_id.id, item.partner_id.id, item.currency_id.id, item.amount_currency, item.balance,
                item.amount_residual, item.amount_residual_currency, item.reconciled, item.name, item.date,
                item.date_maturity, item.tax_ids.ids, item.tax_tag_ids.ids, item.tax_line_id.id, item.tax_base_amount,
                item.display_type, item.analytic_distribution,
            )
            for item in line.move_id.line_ids
        )  # fmt: skip


@tagged('post_install', '-at_install')
class TestReconciliation(ReconciliationCase):
    def test_a_line_pays_an_invoice(self):
        invoice, line = self.invoice(121), self.line(121)
        before = self.entry(line)
        line.reconcile_with([{'item_id': self.open_item(invoice).id}])
        self.assertTrue(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(line.partner_id, self.customer)
        line.action_undo_reconciliation()
        self.assertFalse(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 121)
        self.assertEqual(self.entry(line), before)

    def test_a_charge_is_booked_on_an_account_with_its_tax(self):
        tax = self.env['account.tax'].create(
            {'name': "21", 'amount': 21, 'type_tax_use': 'purchase', 'company_id': self.company.id}
        )
        line = self.line(-12.10)
        before = self.entry(line)
        line.reconcile_with([{'account_id': self.expense.id, 'tax_ids': tax.ids}])
        self.assertTrue(line.is_reconciled)
        self.assertEqual(sorted(line.move_id.line_ids.mapped('balance')), [-12.10, 2.10, 10.0])
        line.action_undo_reconciliation()
        self.assertEqual(self.entry(line), before)

    def test_what_is_left_stays_to_be_reconciled(self):
        invoice, line = self.invoice(100), self.line(121)
        line.reconcile_with([{'item_id': self.open_item(invoice).id}])
        self.assertFalse(line.is_reconciled)
        self.assertEqual(line.amount_residual, -21)
        line.reconcile_with([{'account_id': self.expense.id}])
        self.assertTrue(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 0)

    def test_more_than_the_line_is_refused(self):
        invoice, line = self.invoice(122), self.line(121)
        with self.assertRaises(UserError):
            line.reconcile_with([{'item_id': self.open_item(invoice).id}])
