"""The entry of a reconciled line is the one that core makes for a payment of the same documents."""

from collections import defaultdict

from odoo import Command
from odoo.tests import tagged

from .test_reconciliation import ReconciliationCase

COLUMNS = (
    'amount_currency', 'balance', 'amount_residual', 'amount_residual_currency', 'tax_base_amount',
)  # fmt: skip
KEYS = (
    'account_id', 'partner_id', 'currency_id', 'date', 'reconciled', 'tax_line_id', 'tax_repartition_line_id',
    'tax_ids', 'tax_tag_ids', 'display_type', 'analytic_distribution', 'parent_state',
)  # fmt: skip


@tagged('post_install', '-at_install')
class TestReconciliationCore(ReconciliationCase):
    """Core's payments go to the bank account itself here, so that their entries can be compared item by item."""

    def setUp(self):
        super().setUp()
        self.dollar = self.env.ref('base.USD')
        self.dollar.active = True
        self.env['res.currency.rate'].create(
            [
                {'name': day, 'rate': rate, 'currency_id': self.dollar.id, 'company_id': self.company.id}
                for day, rate in (('2026-01-01', 2.0), ('2026-03-04', 1.6))
            ]
        )

    def bank_journal(self, currency=None):
        journal = self.env['account.journal'].create(
            {
                'name': "Bank", 'type': 'bank', 'company_id': self.company.id,
                'currency_id': currency.id if currency else False,
            }
        )  # fmt: skip
        for method in journal.inbound_payment_method_line_ids + journal.outbound_payment_method_line_ids:
            method.payment_account_id = journal.default_account_id
        return journal

    def pay_by_core(self, journal, items, amount=None, **vals):
        wizard = (
            self.env['account.payment.register']
            .with_context(active_model='account.move.line', active_ids=items.ids)
            .create(
                {'journal_id': journal.id, 'payment_date': '2026-03-05', 'group_payment': True,
                 'currency_id': (journal.currency_id or self.company.currency_id).id}
            )
        )  # fmt: skip
        if amount is not None:
            wizard.amount = amount
        wizard.write(vals)
        return wizard._create_payments().move_id

    def pay_by_line(self, journal, amount, counterparts, **vals):
        self.journal = journal
        line = self.line(amount, **vals)
        line.reconcile_with(counterparts)
        self.assertTrue(line.is_reconciled)
        return line.move_id

    def columns(self, move):
        """Return the sums of the entry's columns by what tells items apart: core has one item for many documents."""
        sums = defaultdict(lambda: [0.0] * len(COLUMNS))
        for item in move.line_ids:
            key = tuple(str(item[name].ids if name.endswith(('_id', '_ids')) else item[name]) for name in KEYS)
            sums[key] = [round(total + item[name], 2) for total, name in zip(sums[key], COLUMNS, strict=True)]
        return dict(sums)

    def documents(self, documents):
        return [
            (
                document.payment_state,
                document.amount_residual,
                [(item.amount_residual, item.amount_residual_currency, item.reconciled) for item in document.line_ids],
                sorted(
                    (item.account_id.id, item.balance, item.amount_currency, str(item.date))
                    for partial in document.line_ids.matched_credit_ids + document.line_ids.matched_debit_ids
                    for item in partial.exchange_move_id.line_ids
                ),
            )
            for document in documents
        ]

    def compare(self, journal, make, amount, counterparts=lambda items: items, paid=None, chosen=slice(None), **core):
        """Pay the documents of `make()` once by core and once by a line, and compare all that comes of it.

        :param amount: that of the line
        :param counterparts: makes those of the line out of `[{'item_id': …}, …]`
        :param paid: what core's window is told to pay, if that is not all
        :param chosen: which of the open items are paid
        """
        theirs, ours = make(), make()
        entry = self.pay_by_core(journal, self.open_items(theirs)[chosen], paid, **core)
        items = [{'item_id': item.id} for item in self.open_items(ours)[chosen]]
        line_entry = self.pay_by_line(journal, amount, counterparts(items))
        self.maxDiff = None
        self.assertEqual(self.columns(line_entry), self.columns(entry))
        self.assertEqual(self.documents(ours), self.documents(theirs))

    def open_items(self, moves):
        return self.env['account.move.line'].union(*(self.open_item(move) for move in moves))

    def test_a_customer_pays_an_invoice(self):
        self.compare(self.bank_journal(), lambda: self.invoice(121), 121)

    def test_a_bill_is_paid(self):
        self.compare(self.bank_journal(), lambda: self.invoice(121, move_type='in_invoice'), -121)

    def test_a_credit_note_is_paid_back(self):
        self.compare(self.bank_journal(), lambda: self.invoice(121, move_type='out_refund'), -121)

    def test_a_part_is_paid(self):
        self.compare(
            self.bank_journal(), lambda: self.invoice(121), 50, lambda items: [{**items[0], 'amount': 50}], paid=50
        )

    def test_two_invoices_are_paid_at_once(self):
        self.compare(self.bank_journal(), lambda: self.invoice(121) + self.invoice(79), 200)

    def test_an_invoice_less_a_credit_note_is_paid(self):
        self.compare(self.bank_journal(), lambda: self.invoice(121) + self.invoice(21, move_type='out_refund'), 100)

    def test_a_fee_is_written_off(self):
        self.compare(
            self.bank_journal(),
            lambda: self.invoice(121),
            119,
            lambda items: [*items, {'account_id': self.expense.id, 'partner_id': self.customer.id}],
            paid=119,
            payment_difference_handling='reconcile',
            writeoff_account_id=self.expense.id,
        )

    def test_an_invoice_in_dollars_is_paid_in_dollars(self):
        self.compare(self.bank_journal(self.dollar), lambda: self.invoice(100, currency_id=self.dollar.id), 100)

    def test_a_part_of_an_invoice_in_dollars_is_paid_in_dollars(self):
        self.compare(
            self.bank_journal(self.dollar),
            lambda: self.invoice(100, currency_id=self.dollar.id),
            40,
            lambda items: [{**items[0], 'amount': 40}],
            paid=40,
        )

    def test_the_bank_tells_the_dollars_that_a_payment_in_euro_was(self):
        journal = self.bank_journal()
        ours = self.invoice(100, currency_id=self.dollar.id)
        move = self.pay_by_line(
            journal, 60, [{'item_id': self.open_item(ours).id}], foreign_currency_id=self.dollar.id, amount_currency=100
        )
        self.assertEqual(ours.amount_residual, 0)
        exchange = ours.line_ids.matched_credit_ids.exchange_move_id
        # 100 dollars were 50 euro on the invoice and are 60 at the bank.
        self.assertEqual(sorted(exchange.line_ids.mapped('balance')), [-10, 10])
        self.assertEqual(sorted(move.line_ids.mapped('balance')), [-60, 60])

    def test_an_invoice_in_dollars_is_paid_in_euro_at_the_rate_of_the_day(self):
        self.compare(self.bank_journal(), lambda: self.invoice(100, currency_id=self.dollar.id), 62.5)

    def test_an_invoice_in_dollars_is_paid_in_euro_at_the_rate_of_the_bank(self):
        ours = self.invoice(100, currency_id=self.dollar.id)
        item = self.open_item(ours)
        move = self.pay_by_line(self.bank_journal(), 63, [{'item_id': item.id, 'line_amount': 63}])
        self.assertEqual(ours.amount_residual, 0)
        self.assertEqual(sorted(move.line_ids.mapped('balance')), [-63, 63])
        exchange = ours.line_ids.matched_credit_ids.exchange_move_id
        self.assertEqual(sorted(exchange.line_ids.mapped('balance')), [-13, 13])

    def test_an_invoice_in_euro_is_paid_in_dollars(self):
        self.compare(self.bank_journal(self.dollar), lambda: self.invoice(100), 160)

    def test_an_invoice_in_euro_is_paid_with_a_little_more_in_dollars(self):
        ours = self.invoice(100)
        item = self.open_item(ours)
        move = self.pay_by_line(self.bank_journal(self.dollar), 161, [{'item_id': item.id, 'line_amount': 161}])
        self.assertEqual(ours.amount_residual, 0)
        gain = move.line_ids.filtered(lambda item: item.account_id == self.company.income_currency_exchange_account_id)
        self.assertEqual(gain.balance, -0.63)

    def test_a_document_with_cash_rounding_is_paid(self):
        rounding = self.env['account.cash.rounding'].create(
            {
                'name': "5 cents", 'rounding': 0.05, 'rounding_method': 'HALF-UP', 'strategy': 'add_invoice_line',
                'profit_account_id': self.account('income').id, 'loss_account_id': self.expense.id,
            }
        )  # fmt: skip
        self.compare(self.bank_journal(), lambda: self.invoice(99.98, invoice_cash_rounding_id=rounding.id), 100)

    def test_the_parts_of_payment_terms_are_paid(self):
        term = self.env['account.payment.term'].create(
            {
                'name': "30/70",
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': part, 'nb_days': days})
                    for part, days in ((30, 0), (70, 30))
                ],
            }
        )

        def make():
            return self.invoice(100, invoice_payment_term_id=term.id)

        self.compare(self.bank_journal(), make, 100, paid=100)
        self.compare(self.bank_journal(), make, 30, chosen=slice(1))

    def discount_case(self, computation, move_type='out_invoice', amount=None):
        term = self.env['account.payment.term'].create(
            {
                'name': "2 %", 'early_discount': True, 'discount_percentage': 2, 'discount_days': 10,
                'early_pay_discount_computation': computation,
                'line_ids': [Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})],
            }
        )  # fmt: skip
        use = 'sale' if move_type == 'out_invoice' else 'purchase'
        tax = self.env['account.tax'].search(
            [('company_id', '=', self.company.id), ('type_tax_use', '=', use), ('amount', '>', 0)], limit=1
        )
        lines = [Command.create({'name': "Brood", 'price_unit': 100, 'tax_ids': [Command.set(tax.ids)]})]

        def make():
            return self.invoice(0, move_type=move_type, invoice_line_ids=lines, invoice_payment_term_id=term.id)

        discounted = self.open_item(make()).discount_amount_currency
        self.compare(
            self.bank_journal(), make, discounted, lambda items: [{**item, 'early_discount': True} for item in items]
        )

    def test_the_discount_for_early_payment_is_deducted_with_its_tax(self):
        self.discount_case('included')

    def test_the_discount_for_early_payment_is_deducted_without_tax(self):
        self.discount_case('excluded')

    def test_the_discount_for_early_payment_is_deducted_in_belgiums_way(self):
        self.discount_case('mixed')

    def test_the_discount_of_a_bill_is_deducted(self):
        self.discount_case('included', 'in_invoice')
