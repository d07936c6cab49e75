"""What is matched without a person, what is not, and how it is undone."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from .test_reconciliation import ReconciliationCase


@tagged('post_install', '-at_install')
class TestMatchingByItself(CronMixinCase, ReconciliationCase):
    def setUp(self):
        super().setUp()
        self.journal.ponto_match_automatically = True

    def match(self, company=None):
        """Match by itself, and return the lines that were."""
        lines = self.env['account.bank.statement.line']
        return lines._match_certain(lines._certain_matches(company or self.company))

    def own_journal(self, number):
        return self.env['account.journal'].create(
            {'name': number, 'type': 'bank', 'company_id': self.company.id, 'bank_acc_number': number,
             'ponto_match_automatically': True}
        )  # fmt: skip

    def books(self):
        """Return all that undoing must bring back: entries of lines, open amounts, and the balances of accounts."""
        lines = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        items = self.env['account.move.line'].search([('company_id', '=', self.company.id)])
        balances = {}
        for item in items:
            balances[item.account_id.id] = round(balances.get(item.account_id.id, 0) + item.balance, 2)
        return (
            {line.id: (self.entry(line), line.partner_id.id, line.move_id.partner_id.id, line.is_reconciled,
                       line.amount_residual, line.move_id.checked, line.match_kind) for line in lines},
            {item.id: (item.amount_residual, item.amount_residual_currency, item.reconciled)
             for item in items if not item.statement_line_id},
            {account: balance for account, balance in balances.items() if balance},
        )  # fmt: skip

    def test_what_is_certain_is_matched_and_says_why(self):
        invoice, line = self.invoice(121, '+++090/9337/55493+++'), self.line(121, '+++090/9337/55493+++')
        self.assertEqual(self.match(), line)
        self.assertTrue(line.is_reconciled)
        self.assertTrue(line.is_matched_by_itself)
        self.assertFalse(line.matched_uid)
        self.assertEqual(line.match_reason, f"The structured communication is that of {invoice.name}.")
        self.assertIn(line, line.search([('is_matched_by_itself', '=', True)]))

    def test_what_is_booked_is_matched_by_the_scheduled_action(self):
        self.invoice(121, 'ABC-12345')
        self.simulator.add_transaction(self.online, 121, '2026-03-05', remittance_information='ABC-12345')
        account = self.link()
        account.journal_id.ponto_match_automatically = True
        with self.capture_triggers('account_online_ponto.ir_cron_match') as triggers:
            account._synchronize()
        self.assertTrue(triggers.records)
        self.run_cron('ir_cron_match')
        self.assertTrue(self.lines(account).is_matched_by_itself)

    def test_nothing_is_matched_where_it_is_not_switched_on(self):
        self.journal.ponto_match_automatically = False
        self.invoice(121, 'ABC-12345')
        self.line(121, 'ABC-12345')
        self.assertFalse(self.match())

    def test_what_is_only_likely_is_left_to_a_person(self):
        self.invoice(121)
        line = self.line(121, 'thanks', partner_id=self.customer.id)
        self.assertFalse(self.match())
        self.assertEqual(line.proposal_grade, 'likely')

    def test_two_lines_for_one_invoice_are_left_to_a_person_also_when_one_is_not_automatic(self):
        self.invoice(121, 'ABC-12345')
        first, second = self.line(121, 'ABC-12345'), self.line(121, 'abc 12345')
        self.assertFalse(self.match())
        second.is_match_undone = True
        self.assertFalse(self.match())
        second.unlink()
        self.assertEqual(self.match(), first)

    def test_a_line_that_a_person_has_undone_is_not_matched_again_by_itself(self):
        invoice, line = self.invoice(121, 'ABC-12345'), self.line(121, 'ABC-12345')
        self.match()
        line.with_user(self.accountant).action_undo_reconciliation()
        self.assertFalse(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 121)
        self.assertFalse(self.match())
        line.with_user(self.accountant).action_accept_proposals()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(line.matched_uid, self.accountant)
        self.assertFalse(line.is_matched_by_itself)

    def test_undo_brings_back_all_that_was_before_for_many_lines_at_once(self):
        other = self.own_journal('BE43068999999501')
        self.journal.bank_acc_number = 'BE68539007547034'
        self.invoice(121, 'ABC-12345')
        bill = self.invoice(70, 'ABC-12346', 'in_invoice')
        self.invoice(30, 'ABC-12347', 'in_invoice')
        self.line(121, 'ABC-12345')
        self.line(-100, f'{bill.payment_reference} ABC-12347')
        self.line(-500, 'to savings', account_number='BE43 0689 9999 9501')
        main, self.journal = self.journal, other
        self.line(500, 'from checking', account_number='BE68539007547034')
        self.journal = main
        before = self.books()
        matched = self.match()
        # The two lines of a transfer are matched as one.
        self.assertEqual(len(matched), 3)
        lines = self.env['account.bank.statement.line'].search([('is_matched_by_itself', '=', True)])
        self.assertEqual(len(lines), 4)
        self.assertEqual(set(lines.mapped('is_reconciled')), {True})
        lines.action_undo_reconciliation()
        self.maxDiff = None
        self.assertEqual(self.books(), before)

    def test_both_lines_of_a_transfer_go_through_the_transfer_account_and_are_undone_together(self):
        other = self.own_journal('BE43068999999501')
        self.journal.bank_acc_number = 'BE68539007547034'
        out = self.line(-500, 'to savings', account_number='BE43068999999501')
        self.journal = other
        came = self.line(500, 'from checking', account_number='BE68539007547034', date='2026-03-06')
        self.match()
        transfer = self.company.transfer_account_id
        items = (out + came).move_id.line_ids.filtered(lambda item: item.account_id == transfer)
        self.assertEqual(items.mapped('reconciled'), [True, True])
        self.assertEqual(set((out + came).mapped('match_kind')), {'own_transfer'})
        self.assertIn(out.journal_id.display_name, came.match_reason)
        self.assertIn(other.display_name, out.match_reason)
        came.action_undo_reconciliation()
        self.assertEqual((out + came).mapped('is_reconciled'), [False, False])

    def test_an_automated_rule_books_a_charge_and_a_manual_one_proposes_it(self):
        rule = self.env['account.reconcile.model'].create(
            {
                'name': "Charges", 'trigger': 'auto_reconcile',
                'match_label': 'contains', 'match_label_param': 'kosten',
                'line_ids': [fields.Command.create({'account_id': self.expense.id, 'label': "Bank charges"})],
            }
        )  # fmt: skip
        first = self.line(-6.5, 'Beheerskosten rekening')
        self.assertEqual(self.match(), first)
        self.assertEqual(first.match_reason, "The rule Charges applies.")
        booked = first.move_id.line_ids.filtered(lambda item: item.account_id == self.expense)
        self.assertEqual((booked.balance, booked.name, booked.reconcile_model_id), (6.5, "Bank charges", rule))
        rule.trigger = 'manual'
        second = self.line(-7, 'Kosten')
        self.assertFalse(self.match())
        self.assertEqual(second.proposal_reason, "The rule Charges applies.")

    def test_an_automated_rule_without_condition_matches_nothing(self):
        self.env['account.reconcile.model'].create(
            {
                'name': "All", 'trigger': 'auto_reconcile',
                'line_ids': [fields.Command.create({'account_id': self.expense.id})],
            }
        )  # fmt: skip
        self.line(-6.5, 'Beheerskosten rekening')
        self.assertFalse(self.match())

    def test_the_account_of_the_last_lines_of_a_counterpart_is_proposed(self):
        number = 'BE43068999999501'
        today = fields.Date.today()
        for day in range(2):
            line = self.line(-2400, 'Loon', account_number=number, date=today - timedelta(days=40 - day))
            line.reconcile_with([{'account_id': self.expense.id}])
        line = self.line(-2412, 'Loon 03/2026', account_number=number, date=today)
        self.assertEqual(
            line.proposal_reason,
            f"The last transactions of this counterpart were booked on {self.expense.display_name}.",
        )
        line.action_accept_proposals()
        self.assertEqual(line.move_id.line_ids.filtered(lambda item: item.account_id == self.expense).balance, 2412)

    def test_last_lines_of_a_counterpart_on_different_accounts_propose_none(self):
        today = fields.Date.today()
        for account in (self.expense, self.account('income')):
            line = self.line(-24, 'Divers', account_number='BE43068999999501', date=today - timedelta(days=40))
            line.reconcile_with([{'account_id': account.id}])
        line = self.line(-24, 'Divers', account_number='BE43068999999501', date=today)
        self.assertFalse(line.proposal_reason)

    def test_an_account_number_of_two_partners_tells_neither(self):
        for partner in (self.customer, self.supplier):
            self.env['res.partner.bank'].create({'acc_number': 'BE43068999999501', 'partner_id': partner.id})
        self.invoice(121)
        line = self.line(121, account_number='BE43068999999501')
        self.assertFalse(line.proposal_reason)
        line.partner_id = self.customer
        self.assertTrue(line.proposal_reason)

    def test_of_two_that_fit_equally_well_none_is_accepted_without_a_choice(self):
        invoices = self.invoice(121) + self.invoice(121)
        line = self.line(121, partner_id=self.customer.id)
        self.assertEqual(line.proposal_grade, 'likely')
        line.action_accept_proposals()
        self.assertFalse(line.is_reconciled)
        line.reconcile_with([{'item_id': self.open_item(invoices[1]).id}])
        self.assertEqual(invoices.mapped('payment_state'), ['not_paid', 'paid'])

    def test_what_odoo_refuses_leaves_the_others_alone(self):
        self.invoice(121, 'ABC-12345')
        self.invoice(122, 'ABC-12346')
        locked, free = self.line(121, 'ABC-12345', date='2026-02-05'), self.line(122, 'ABC-12346')
        self.env.flush_all()
        # Core itself does not lock a period with open lines, an administrator's exception or an import may.
        self.env.cr.execute("UPDATE res_company SET hard_lock_date = '2026-02-28' WHERE id = %s", [self.company.id])
        self.env.invalidate_all()
        self.assertEqual(self.match(), free)
        self.assertFalse(locked.is_reconciled)

    def test_another_addons_engine_leaves_the_journals_to_this_one_where_it_is_switched_on(self):
        lines = self.env['account.bank.statement.line']
        reconciled, proposed = [], []

        class Engine:
            """What OCA's account_reconcile_oca calls when lines are created."""

            def _auto_reconcile(self):
                reconciled.extend(self.ids)

            def _do_auto_reconcile(self, reconcile_if_possible=True):
                proposed.extend(self.ids)

        model = type(lines)
        for name in ('_do_auto_reconcile', '_auto_reconcile'):
            self.startPatcher(patch.object(model, name, getattr(Engine, name), create=True))
        lines._register_hook()
        ours = self.line(1)
        self.journal = self.own_journal('BE43068999999501')
        self.journal.ponto_match_automatically = False
        theirs = self.line(2)
        (ours + theirs)._auto_reconcile()
        self.assertEqual((proposed, reconciled), (ours.ids, theirs.ids))

    def test_a_month_whose_lines_are_reconciled_can_be_locked(self):
        self.invoice(121, 'ABC-12345')
        line = self.line(121, 'ABC-12345')
        with self.assertRaises(RedirectWarning):
            self.company.fiscalyear_lock_date = '2026-03-31'
        self.match()
        self.assertTrue(line.is_reconciled)
        self.company.fiscalyear_lock_date = '2026-03-31'

    # -- Rights --------------------------------------------------------------------------------------------------------

    def test_whoever_may_only_look_cannot_match_nor_undo(self):
        invoice, line = self.invoice(121, 'ABC-12345'), self.line(121, 'ABC-12345')
        reader = new_test_user(
            self.env, 'reader', groups='account.group_account_readonly',
            company_id=self.company.id, company_ids=[fields.Command.set(self.company.ids)],
        )  # fmt: skip
        found = line.with_user(reader)
        self.assertEqual(found.proposal_grade, 'sure')
        with self.assertRaises(AccessError):
            found.reconcile_with([{'item_id': self.open_item(invoice).id}])
        with self.assertRaises(AccessError):
            found.action_accept_proposals()
        self.match()
        with self.assertRaises(AccessError):
            found.action_undo_reconciliation()

    def test_a_reason_tells_no_name_of_another_company(self):
        theirs = self.make_company("Andere Zaak")
        secret = self.env['account.account'].search([('company_ids', '=', theirs.id)], limit=1)
        line = self.line(-5).with_user(self.accountant)
        counterparts = [{'account_id': self.expense.id}]
        line.reconcile_with(counterparts, 'last_account', {'account_id': secret.id})
        line.invalidate_recordset()
        self.assertNotIn(secret.with_company(theirs).name, line.match_reason)

    def test_an_administrator_of_invoicing_alone_may_match(self):
        self.invoice(121, 'ABC-12345')
        line = self.line(121, 'ABC-12345')
        manager = new_test_user(
            self.env, 'manager', groups='account.group_account_manager',
            company_id=self.company.id, company_ids=[fields.Command.set(self.company.ids)],
        )  # fmt: skip
        line.with_user(manager).action_accept_proposals()
        self.assertTrue(line.is_reconciled)
        line.with_user(manager).action_undo_reconciliation()
        self.assertFalse(line.is_reconciled)

    def test_nobody_reaches_the_items_accounts_and_lines_of_another_company(self):
        theirs = self.make_company("Andere Zaak")
        self.env.user.company_ids += theirs
        other_env = self.env(context={**self.env.context, 'allowed_company_ids': theirs.ids})
        mine, self.env, self.company = (self.env, self.company), other_env, theirs.with_env(other_env)
        journal, self.journal = (
            self.journal,
            other_env['account.journal'].search([('type', '=', 'bank'), ('company_id', '=', theirs.id)], limit=1),
        )
        invoice, their_line, expense = self.invoice(121, 'ABC-12345'), self.line(-121), self.account('expense')
        item = self.open_item(invoice)
        (self.env, self.company), self.journal = mine, journal
        line = self.line(121, 'ABC-12345')
        self.assertFalse(line.proposal_grade)
        self.assertFalse(self.match())
        for counterpart in ({'item_id': item.id}, {'account_id': expense.id}, {'line_id': their_line.id}):
            with self.assertRaises(AccessError):
                line.with_user(self.accountant).reconcile_with([counterpart])
            # With rights in both companies it is refused as well.
            with self.assertRaises(UserError):
                line.with_context(allowed_company_ids=(self.company + theirs).ids).reconcile_with([counterpart])
