from ast import literal_eval
from datetime import date

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import PontoCase


class ReviewCase(PontoCase):
    def setUp(self):
        super().setUp()
        self.account = self.link()

    def rows(self, reason=None):
        return self.account.transaction_ids.filtered(
            lambda row: row.hold_reason == reason if reason else row.hold_reason
        )

    def to_review(self):
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.ponto_transaction_to_review_action'
        )
        return self.env['ponto.transaction'].search(literal_eval(action['domain']))

    def enter(self, day, amount, **vals):
        return self.env['account.bank.statement.line'].create(
            {'journal_id': self.account.journal_id.id, 'date': day, 'amount': amount, 'payment_ref': "By hand", **vals}
        )

    def cancel(self, line):
        line.move_id.button_draft()
        line.move_id.button_cancel()

    def settle(self, action, **vals):
        wizard = self.env[action['res_model']].with_user(self.accountant).browse(action['res_id'])
        wizard.write(vals)
        return wizard.action_settle()


@tagged('post_install', '-at_install')
class TestWithdrawn(ReviewCase):
    """A booked row that the bank withdraws is told, and a person decides about its line."""

    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 1, '2026-03-01')
        self.row = self.simulator.add_transaction(self.online, 100, '2026-03-02', remittance_information="Batch of 2")
        self.account._synchronize()
        self.line = self.lines(self.account).filtered(lambda line: line.amount == 100)

    def withdraw(self):
        self.simulator.remove_transaction(self.row.id)
        self.account._synchronize()
        return self.rows('withdrawn').with_user(self.accountant)

    def activities(self):
        kind = self.env.ref('account_online_ponto.mail_activity_type_withdrawn_rows')
        return self.account.link_id.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def test_it_is_told_under_to_review_in_health_and_by_an_activity(self):
        row = self.withdraw()
        self.assertEqual(row.statement_line_id, self.line)
        self.assertEqual(self.to_review(), row.with_env(self.env))
        self.assertIn("delete it if the bank has withdrawn", row.hold_message)
        health = self.env['ponto.account'].with_user(self.accountant).get_health()
        self.assertFalse(health['is_healthy'])
        self.assertEqual(health['held'], 1)
        [withdrawn] = health['withdrawn_transactions']
        self.assertEqual((withdrawn['id'], withdrawn['count']), (self.account.id, 1))
        self.assertEqual(withdrawn['since'], row.missing_since.isoformat() + 'Z')
        self.assertIn("the bank has withdrawn: 1", withdrawn['message'])
        self.assertIn("the bank has withdrawn: 1", self.account.health_message)
        self.account.link_id._tell_problems()
        self.assertIn("the bank has withdrawn: 1", self.activities().note)
        self.account.link_id._tell_problems()
        self.assertEqual(len(self.activities()), 1)

    def test_keep_it_leaves_the_line_and_says_no_more(self):
        row = self.withdraw()
        self.account.link_id._tell_problems()
        row.action_keep()
        self.assertFalse(self.to_review())
        self.assertFalse(self.activities())
        self.assertTrue(self.line.exists())
        self.account._synchronize()
        self.assertFalse(self.to_review())

    def test_delete_its_line_takes_it_out_of_the_books(self):
        self.withdraw().action_delete_line()
        self.assertEqual(self.lines(self.account).mapped('amount'), [1])
        self.assertFalse(self.to_review())
        self.account._synchronize()
        self.assertEqual(self.account.balance_difference, 0)

    def test_delete_its_line_takes_a_reconciled_one_out_of_the_books_as_well(self):
        self.reconcile(self.line)
        self.withdraw().action_delete_line()
        self.assertEqual(self.lines(self.account).mapped('amount'), [1])
        self.assertFalse(self.to_review())

    def test_a_line_in_a_closed_period_stays(self):
        row = self.withdraw()
        self.reconcile(self.line)
        self.reconcile(self.lines(self.account) - self.line)
        self.company.fiscalyear_lock_date = '2026-03-31'
        with self.assertRaises(UserError), self.env.cr.savepoint():
            row.action_delete_line()
        self.assertTrue(self.line.exists())

    def test_what_ponto_lists_again_is_to_review_no_more(self):
        self.simulator.remove_transaction(self.row.id)
        self.account._synchronize()
        row = self.rows('withdrawn')
        row._note_listed(self.account.sweep_number)
        self.assertFalse(self.to_review())
        self.assertEqual((row.state, row.missing_since, row.hold_message), ('booked', False, False))

    def test_a_list_that_begins_later_withdraws_nothing(self):
        oldest = self.simulator.accounts.get(self.online.id).transactions[-1]
        self.simulator.remove_transaction(oldest.id)
        self.account._synchronize()
        self.assertFalse(self.to_review())

    def test_a_batch_is_shown_beside_the_items_that_come_in_its_place(self):
        self.simulator.remove_transaction(self.row.id)
        for amount in (30, 5, 70):
            self.simulator.add_transaction(self.online, amount, '2026-03-02')
        self.account._synchronize()
        row = self.rows('withdrawn')
        self.assertEqual(sorted(row.replacement_ids.mapped('amount')), [30, 70])
        self.assertIn("transactions with the same total", row.hold_message)
        self.assertEqual(row.replacement_ids.mapped('state'), ['booked'] * 2)
        row.with_user(self.accountant).action_delete_line()
        self.account._synchronize()
        self.assertEqual(self.account.balance_difference, 0)

    def test_a_payment_that_gets_another_day_and_id_is_shown_beside_what_came_instead(self):
        self.simulator.remove_transaction(self.row.id)
        self.simulator.add_transaction(self.online, 100, '2026-03-10', remittance_information="Batch of 2")
        self.account._synchronize()
        row = self.rows('withdrawn')
        self.assertEqual(row.replacement_ids.date, date(2026, 3, 10))
        row.with_user(self.accountant).action_delete_line()
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [1, 100])
        self.assertEqual(self.account.balance_difference, 0)


@tagged('post_install', '-at_install')
class TestWaysOut(ReviewCase):
    """Every held row can be settled."""

    def hold(self, amount=-11, day='2026-03-02', currency='USD', **vals):
        self.simulator.add_transaction(self.online, amount, day, extra={'currency': currency}, **vals)
        self.account._synchronize()
        return self.rows().with_user(self.accountant)

    def test_a_row_in_dollars_can_be_told_to_be_a_line_that_was_entered_by_hand(self):
        row = self.hold()
        line = self.enter('2026-03-02', -10.2)
        self.settle(row.action_choose_line(), line_id=line.id)
        self.assertRecordValues(row, [{'state': 'booked', 'statement_line_id': line.id, 'hold_reason': False}])
        self.account._synchronize()
        self.assertEqual(self.lines(self.account), line)
        self.simulator.change_account(self.online, current_balance=-10.2)
        self.account._synchronize()
        self.assertFalse(self.account._explain_difference())

    def test_the_line_entered_by_hand_that_names_amount_and_currency_is_shown_beside_the_row(self):
        for label, found in (("11 USD", True), ("Card 11,00 usd", True), ("11", False), ("110 USD", False)):
            with self.subTest(label), self.env.cr.savepoint() as savepoint:
                row = self.hold()
                line = self.enter('2026-03-03', -10.2, payment_ref=label)
                self.account._synchronize()
                self.assertEqual(bool(row.suspect_line_id), found)
                row.action_same_as_suspect()
                self.assertEqual(row.statement_line_id, line if found else line.browse())
                savepoint.rollback()
                self.env.invalidate_all()
                for left in list(self.online.transactions):
                    self.simulator.remove_transaction(left.id)

    def test_the_amount_that_a_person_types_is_booked_beside_the_rows_own_amount_and_currency(self):
        self.env.ref('base.USD').active = True
        row = self.hold(remittance_information="Hosting")
        action = row.action_enter_amount()
        self.assertEqual(action['name'], "Enter in EUR")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.settle(action, amount=0)
        self.settle(action, amount=-10.2)
        self.assertRecordValues(
            self.lines(self.account),
            [
                {
                    'amount': -10.2,
                    'amount_currency': -11,
                    'foreign_currency_id': self.env.ref('base.USD').id,
                    'payment_ref': "Hosting",
                    'date': date(2026, 3, 2),
                }
            ],
        )
        self.assertEqual(row.state, 'booked')

    def test_what_the_bank_changes_later_in_dollars_is_told_and_not_written(self):
        row = self.hold()
        self.settle(row.action_enter_amount(), amount=-10.2)
        self.simulator.change_transaction(row.ponto_id, amount=-12)
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).amount, -10.2)
        self.assertTrue(self.lines(self.account).move_id.activity_ids)

    def test_what_is_entered_from_before_the_opening_line_is_taken_out_of_it(self):
        self.env.ref('base.USD').active = True
        row = self.hold()
        opening = self.env['account.bank.statement.line'].create(
            {
                'journal_id': self.account.journal_id.id, 'date': '2026-03-03', 'amount': 500,
                'payment_ref': "Opening", 'is_ponto_opening': True,
            }
        )  # fmt: skip
        self.account.start_date = '2026-03-03'
        self.account._note_what_opening_holds()
        row.sudo()._want()
        row.sudo()._book()
        self.settle(row.action_enter_amount(), amount=-10)
        self.assertEqual(row.statement_line_id.amount, -10)
        self.assertEqual(opening.amount, 510)

    def test_a_person_enters_nothing_into_a_closed_period(self):
        row = self.hold()
        self.company.fiscalyear_lock_date = '2026-03-31'
        with self.assertRaisesRegex(UserError, "locked period"):
            self.settle(row.action_enter_amount(), amount=-10.2)
        self.assertFalse(self.lines(self.account))

    def test_what_is_set_aside_is_counted_in_the_explanation_and_not_in_health(self):
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.add_transaction(self.online, 7, '2026-03-02')
        self.account._synchronize()
        row = self.rows().with_user(self.accountant)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.settle(row.action_set_aside(), reason=" ")
        self.settle(row.action_set_aside(), reason="A test of the bank")
        self.assertRecordValues(row, [{'state': 'aside', 'aside_reason': "A test of the bank", 'hold_reason': False}])
        self.assertIn(("Set aside by hand", 7), self.account._explain_difference())
        self.assertFalse(self.account.needs_attention)
        self.company.fiscalyear_lock_date = False
        self.account._synchronize()
        self.assertFalse(self.lines(self.account))
        row.action_import_again()
        self.assertEqual(self.lines(self.account).amount, 7)
        self.assertFalse(row.aside_reason)

    def test_a_line_of_another_row_or_journal_is_refused(self):
        self.simulator.add_transaction(self.online, 5, '2026-03-02')
        row = self.hold()
        taken = self.lines(self.account)
        other = self.enter('2026-03-02', 1, journal_id=self.account.journal_id.copy().id)
        for line in taken, other:
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.settle(row.action_choose_line(), line_id=line.id)
        self.assertEqual(row.state, 'held')

    def test_a_row_that_seems_to_be_nothing_else_is_not_the_same_as_anything(self):
        row = self.hold()
        row.action_same_as_suspect()
        self.assertEqual((row.state, row.hold_reason), ('held', 'currency'))

    def test_a_cancelled_line_is_nobodys_entry(self):
        line = self.enter('2026-03-02', -10.2, payment_ref="11 USD")
        row = self.hold()
        self.cancel(line)
        with self.assertRaisesRegex(UserError, "cancelled"), self.env.cr.savepoint():
            self.settle(row.action_choose_line(), line_id=line.id)
        with self.assertRaisesRegex(UserError, "cancelled"), self.env.cr.savepoint():
            row.action_same_as_suspect()
        self.assertEqual(row.state, 'held')

    def test_somebody_of_another_company_settles_nothing(self):
        row = self.hold()
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env,
            'ponto_stranger',
            groups='account.group_account_manager,account.group_account_user',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        wizard = self.env['ponto.settlement'].create(
            {'way': 'aside', 'transaction_ids': row.ids, 'reason': "Mine", 'create_uid': stranger.id}
        )
        with self.assertRaises(AccessError):
            wizard.with_user(stranger).action_settle()
        with self.assertRaises(AccessError):
            row.with_user(stranger).action_set_aside()
        self.assertEqual(row.state, 'held')

    def test_whoever_may_only_look_settles_nothing_and_is_told_why(self):
        row = self.hold()
        reader = new_test_user(
            self.env, 'ponto_reader', groups='account.group_account_readonly', company_id=self.company.id
        )
        wizard = self.env['ponto.settlement'].create({'way': 'aside', 'transaction_ids': row.ids, 'reason': "Mine"})
        with self.assertRaisesRegex(AccessError, "You may look at bank transactions"):
            wizard.with_user(reader).action_settle()
        self.assertEqual(row.state, 'held')

    def test_what_waits_without_a_journal_says_so_instead_of_doing_nothing(self):
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        self.account._synchronize()
        row = self.rows().with_user(self.accountant)
        self.account.action_unlink_journal()
        for act in (row.action_book, row.action_choose_line, row.action_enter_amount):
            with self.assertRaisesRegex(UserError, "No journal is linked .* Fetch Accounts"):
                act()
        row.action_set_aside()
        row.sudo()._queue()
        self.assertIn("Fetch Accounts", row.advice)

    def test_book_now_is_offered_only_where_it_can_succeed(self):
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.add_transaction(self.online, 7, '2026-03-02')
        row = self.hold()
        dollars = row.filtered(lambda row: row.amount == -11)
        self.assertEqual((row - dollars).can_book, False)
        self.company.fiscalyear_lock_date = False
        row.invalidate_recordset()
        self.assertEqual((row - dollars).can_book, True)
        self.assertEqual(dollars.can_book, False)
        (row - dollars).action_book()
        self.assertEqual((row - dollars).can_book, False)

    def test_noise_of_floating_point_is_the_cent_that_it_means(self):
        for amount in ('1190.4499999999998', '0.30000000000000004', '-19.990000000000002'):
            self.simulator.add_transaction(self.online, 1, '2026-03-02', extra={'amount': float(amount)})
        self.simulator.add_transaction(self.online, 1, '2026-03-02', extra={'amount': 1.005})
        self.account._synchronize()
        self.assertEqual(sorted(self.lines(self.account).mapped('amount')), [-19.99, 0.3, 1190.45])
        self.assertEqual(self.rows().mapped('hold_reason'), ['currency'])
        self.assertIn('1.005', self.rows().hold_message)

    @freeze_time('2026-03-10 10:00')
    def test_the_reason_is_told_in_the_language_of_the_reader(self):
        self.env['res.lang']._activate_lang('fr_FR')
        row = self.hold()
        self.assertEqual(row.hold_values, {'kind': 'other_currency', 'currency': 'USD', 'other': 'EUR'})
        self.assertIn("but the journal is in EUR", row.hold_message)
