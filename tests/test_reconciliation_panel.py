"""What the panel of a bank transaction is told, and what it may do."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_reconciliation import ReconciliationCase

# A list shows 80 lines. Whatever their number, they are looked at by one set of queries.
QUERIES_OF_A_LIST = 25
QUERIES_OF_A_PANEL = 60


@tagged('post_install', '-at_install')
class TestPanel(ReconciliationCase):
    def documents(self, line, text=''):
        return [item['document'] for item in line.search_open_items(text)]

    def reader(self):
        return new_test_user(
            self.env,
            'ponto_reader',
            groups='account.group_account_readonly',
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_open_items_are_found_by_number_partner_text_and_amount(self):
        invoice, bill = self.invoice(1234.5, 'KOFFIE 7'), self.invoice(80, 'MEEL 9', 'in_invoice', ref='F-2026-3')
        line = self.line(100)
        for text, move in (
            (invoice.name, invoice),
            ("bakkerij", invoice),
            ("koffie", invoice),
            ('1234.50', invoice),
            ('1.234,50', invoice),
            ('1 234,5', invoice),
            ("meelhandel", bill),
            ('f-2026', bill),
            ('80', bill),
        ):
            with self.subTest(text):
                self.assertEqual(self.documents(line, text), [move.name])
        self.assertEqual(self.documents(line, "nothing like it"), [])

    def test_open_items_of_the_partner_and_of_the_amount_come_first(self):
        other = self.env['res.partner'].create({'name': "Andere"})
        far, amount = self.invoice(70, partner_id=other.id), self.invoice(50, partner_id=other.id)
        own = self.invoice(30)
        self.assertEqual(self.documents(self.line(50, partner_id=self.customer.id)), [own.name, amount.name, far.name])

    def test_what_is_paid_or_a_draft_is_no_open_item(self):
        paid = self.invoice(60)
        self.line(60).reconcile_with([{'item_id': self.open_item(paid).id}])
        self.invoice(61).button_draft()
        self.assertEqual(self.documents(self.line(60)), [])

    def test_the_next_line_is_that_of_the_list_and_begins_again_at_its_end(self):
        first, second, third = (self.line(amount) for amount in (1, 2, 3))
        second.reconcile_with([{'account_id': self.expense.id}])
        ids = [first.id, second.id, third.id]
        self.assertEqual(first.find_next_to_reconcile(ids), third.id)
        self.assertEqual(third.find_next_to_reconcile(ids), first.id)
        (first + third)._reconcile_with({line: [{'account_id': self.expense.id}] for line in first + third})
        self.assertFalse(third.find_next_to_reconcile(ids))

    def test_the_panel_says_with_what_why_and_by_whom(self):
        invoice, line = self.invoice(121), self.line(121)
        line.with_user(self.accountant).reconcile_with([{'item_id': self.open_item(invoice).id}])
        panel = line.with_user(self.accountant).get_reconciliation_panel()
        self.assertTrue(panel['is_reconciled'])
        self.assertEqual(
            [(each['model'], each['id'], each['amount']) for each in panel['documents']],
            [('account.move', invoice.id, 121)],
        )
        self.assertIn(self.accountant.name, panel['who'])
        self.assertTrue(panel['reason'])

    def test_the_accounts_used_last_for_this_counterpart_come_with_their_taxes(self):
        tax = self.env['account.tax'].create({'name': "21", 'amount': 21, 'company_id': self.company.id})
        for _month in range(2):
            self.line(-12.1, partner_name="Lessor").reconcile_with(
                [{'account_id': self.expense.id, 'tax_ids': tax.ids}]
            )
        panel = self.line(-12.1, partner_name="Lessor").get_reconciliation_panel()
        self.assertEqual(
            [(each['account_id'], each['tax_ids'], each['count']) for each in panel['accounts']],
            [(self.expense.id, tax.ids, 2)],
        )
        self.assertFalse(self.line(-12.1, partner_name="Other").get_reconciliation_panel()['accounts'])

    # -------------------------------------------------------------------------
    # Rights
    # -------------------------------------------------------------------------

    def test_who_may_only_read_sees_the_panel_and_may_do_nothing(self):
        invoice, line = self.invoice(121), self.line(121)
        mine = line.with_user(self.reader())
        self.assertFalse(mine.get_reconciliation_panel()['may_match'])
        for attempt in (
            lambda: mine.reconcile_with([{'item_id': self.open_item(invoice).id}]),
            mine.action_accept_proposals,
            mine.action_undo_matches,
            mine.action_undo_reconciliation,
            mine.action_create_rule,
        ):
            with self.assertRaises(AccessError):
                attempt()
        self.assertFalse(line.is_reconciled)

    def test_another_companys_records_are_not_found_and_are_refused(self):
        line = self.line(121)
        theirs = self.make_company("Andere Zaak")
        self.env.user.company_ids |= theirs
        there = self.env(context={**self.env.context, 'allowed_company_ids': theirs.ids})
        invoice = self.invoice(77, 'THEIRS', company_id=self.company.id)
        foreign = there['account.move'].create(
            {
                'move_type': 'out_invoice',
                'partner_id': self.customer.id,
                'invoice_date': '2026-03-01',
                'invoice_line_ids': [Command.create({'name': "Brood", 'price_unit': 121, 'tax_ids': False})],
            }
        )
        foreign.action_post()
        account = there['account.account'].search(
            [('account_type', '=', 'expense'), ('company_ids', 'in', theirs.ids)], limit=1
        )
        journal = there['account.journal'].search([('type', '=', 'bank'), ('company_id', '=', theirs.id)], limit=1)
        foreign_line = there['account.bank.statement.line'].create(
            {'journal_id': journal.id, 'date': '2026-03-05', 'amount': 5, 'payment_ref': "Theirs"}
        )
        foreign_line.reconcile_with([{'account_id': account.id}])
        item, self_item = self.open_item(foreign).id, self.open_item(invoice).id
        mine = line.with_user(self.accountant).with_context(allowed_company_ids=self.company.ids)
        self.assertEqual([found['id'] for found in mine.search_open_items()], [self_item])
        for counterpart in ({'item_id': item}, {'account_id': account.id}, {'line_id': foreign_line.id}):
            with self.subTest(counterpart), self.assertRaises(AccessError):
                mine.reconcile_with([counterpart])
        for method in ('get_reconciliation_panel', 'search_open_items', 'action_create_rule', 'action_undo_matches'):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(foreign_line.with_env(mine.env), method)()
        # Nor does it work for somebody who works in both companies at once.
        both = line.with_context(allowed_company_ids=(self.company + theirs).ids)
        self.assertEqual([found['id'] for found in both.search_open_items()], [self_item])
        for counterpart in ({'item_id': item}, {'account_id': account.id}):
            with self.subTest(counterpart), self.assertRaisesRegex(UserError, "belongs to another company"):
                both.reconcile_with([counterpart])

    # -------------------------------------------------------------------------
    # Cost
    # -------------------------------------------------------------------------

    def queries(self, act):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act()
        return self.env.cr.sql_log_count - before

    def list_of(self, count, start=10):
        """Return so many open lines of the customer, every fourth of which has the amount of an invoice."""
        for place in range(0, count, 4):
            self.invoice(start + place)
        return self.env['account.bank.statement.line'].create(
            [
                {
                    'journal_id': self.journal.id,
                    'date': '2026-03-05',
                    'amount': start + place,
                    'payment_ref': f"Payment {place}",
                    'partner_id': self.customer.id,
                }
                for place in range(count)
            ]
        )

    def test_the_proposals_of_a_list_cost_the_same_whatever_its_length(self):
        few = self.list_of(8)
        first = self.queries(lambda: few.mapped('proposal_reason'))
        many = self.list_of(80, start=1000)
        second = self.queries(lambda: many.mapped('proposal_reason'))
        self.assertGreater(len(many.filtered('proposal_reason')), 19)
        self.assertLessEqual(second, first + 2)
        self.assertLess(second, QUERIES_OF_A_LIST)
        found = []
        searched = self.queries(lambda: found.append(many.search([('proposal_grade', '!=', False)])))
        self.assertEqual(found[0], (few + many).filtered('proposal_grade'))
        self.assertLess(searched, QUERIES_OF_A_LIST)

    def test_a_panel_costs_the_same_whatever_is_open(self):
        self.list_of(8)
        line = self.line(14, partner_id=self.customer.id)

        def open_panel():
            line.get_reconciliation_panel()
            line.search_open_items()

        first = self.queries(open_panel)
        self.list_of(80, start=1000)
        second = self.queries(open_panel)
        self.assertLessEqual(second, first + 5)
        self.assertLess(second, QUERIES_OF_A_PANEL)


@tagged('post_install', '-at_install')
class TestRuleOfLine(ReconciliationCase):
    def rule(self, line):
        action = line.action_create_rule()
        return self.env[action['res_model']].browse(action['res_id'])

    def items(self, line):
        return sorted(
            (item.account_id, item.balance, item.tax_ids.ids, item.tax_line_id.id)
            for item in line.move_id.line_ids
            if item.account_id != self.journal.default_account_id
        )

    def proposal(self, line):
        [found] = [proposal for proposal in line.get_proposals()[line.id] if proposal['kind'] == 'rule']
        return found

    def test_the_next_line_of_the_counterpart_is_proposed_to_be_booked_alike(self):
        for counterpart in (
            {'partner_id': self.supplier.id},
            {'account_number': 'BE68 5390 0754 7034', 'partner_name': "Lessor"},
            {'partner_name': "Lessor NV"},
        ):
            with self.subTest(counterpart):
                line = self.line(-50, "Rent March", **counterpart)
                line.reconcile_with([{'account_id': self.expense.id}])
                rule = self.rule(line)
                following = self.line(-60, "Rent April", **counterpart)
                found = self.proposal(following)
                self.assertEqual((found['grade'], found['facts']['rule_id']), ('sure', rule.id))
                following.reconcile_with(found['counterparts'], found['kind'], found['facts'])
                self.assertEqual(
                    following.move_id.line_ids.filtered(lambda item: item.account_id == self.expense).balance, 60
                )
                self.assertEqual(following.move_id.line_ids.mapped('name'), ["Rent April"] * 2)
                self.assertFalse(self.line(-60, "Rent April", partner_name="Somebody").get_proposals().get('rule'))

    def test_several_accounts_taxes_and_labels_are_booked_in_the_same_parts(self):
        tax = self.env['account.tax'].create(
            {'name': "21", 'amount': 21, 'type_tax_use': 'purchase', 'company_id': self.company.id}
        )
        other = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', 'expense'), ('id', '!=', self.expense.id)],
            limit=1,
        )
        line = self.line(-20, "Lease March", partner_id=self.supplier.id)
        line.reconcile_with(
            [
                {'account_id': self.expense.id, 'line_amount': -12.1, 'tax_ids': tax.ids, 'label': "Car"},
                {'account_id': other.id},
            ]
        )
        self.rule(line)
        following = self.line(-20, "Lease April", partner_id=self.supplier.id)
        found = self.proposal(following)
        self.assertEqual(found['grade'], 'sure')
        following.reconcile_with(found['counterparts'], found['kind'], found['facts'])
        self.assertEqual(self.items(following), self.items(line))
        self.assertIn("Car", following.move_id.line_ids.mapped('name'))
        third = self.line(-33.33, "Lease May", partner_id=self.supplier.id)
        found = self.proposal(third)
        third.reconcile_with(found['counterparts'], found['kind'], found['facts'])
        self.assertTrue(third.is_reconciled)

    def test_a_second_rule_for_the_same_counterpart_replaces_the_first(self):
        other = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', 'expense'), ('id', '!=', self.expense.id)],
            limit=1,
        )
        for counterpart in ({'partner_id': self.supplier.id}, {'partner_name': "Lessor"}):
            with self.subTest(counterpart):
                line = self.line(-50, **counterpart)
                line.reconcile_with([{'account_id': self.expense.id}])
                first = self.rule(line)
                self.assertEqual(self.rule(line), first)
                line.action_undo_reconciliation()
                line.reconcile_with([{'account_id': other.id}])
                self.assertEqual(self.rule(line), first)
                self.assertEqual(first.line_ids.account_id, other)

    def test_a_rule_of_another_counterpart_or_with_more_conditions_stays(self):
        rules = self.env['account.reconcile.model']
        kept = rules.create(
            [
                {'name': "A", 'match_partner_ids': (self.supplier + self.customer).ids},
                {'name': "B", 'match_partner_ids': self.supplier.ids, 'match_amount': 'lower', 'match_amount_max': 5},
                {'name': "C", 'match_partner_ids': self.supplier.ids, 'match_journal_ids': self.journal.ids},
            ]
        )
        line = self.line(-50, partner_id=self.supplier.id)
        line.reconcile_with([{'account_id': self.expense.id}])
        self.assertNotIn(self.rule(line), kept)

    def test_what_pays_a_document_or_is_still_open_becomes_no_rule(self):
        invoice, paid, part = self.invoice(100), self.line(110), self.line(110)
        paid.reconcile_with([{'item_id': self.open_item(invoice).id}, {'account_id': self.expense.id}])
        part.reconcile_with([{'account_id': self.expense.id, 'line_amount': 10}])
        for line in (paid, part, self.line(5)):
            with self.assertRaises(UserError):
                line.action_create_rule()

    def test_a_rule_shows_the_open_lines_that_it_would_catch(self):
        line, other = self.line(-5, "Bank charges March"), self.line(-5, "Something else")
        rule = self.env['account.reconcile.model'].create(
            {'name': "Charges", 'match_label': 'contains', 'match_label_param': "charges"}
        )
        action = rule.action_show_open_lines()
        self.assertEqual(self.env[action['res_model']].search(action['domain']), line)
        self.assertFalse(other.is_reconciled)
