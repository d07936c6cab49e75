from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestBalance(PontoCase):
    def setUp(self):
        super().setUp()
        self.old = self.simulator.add_transaction(self.online, 1000, '2026-02-01')
        self.simulator.add_transaction(self.online, -30, '2026-03-02')

    def explain(self, account):
        return dict(account._explain_difference())

    def test_equal_balances_have_no_difference_to_explain(self):
        account = self.link()
        account._synchronize()
        self.assertEqual(account.journal_balance, 970)
        self.assertEqual(account.balance_difference, 0)
        self.assertFalse(account.balance_explanation)

    def test_where_the_bank_tells_no_balance_there_is_no_difference(self):
        self.simulator.change_account(self.online, current_balance=None)
        account = self.link()
        account._synchronize()
        self.assertEqual(sum(self.lines(account).mapped('amount')), 970)
        self.assertRecordValues(account, [{'has_balance': False, 'balance_difference': 0}])
        self.assertFalse(account.balance_explanation)

    def test_held_skipped_removed_and_manual_lines_explain_a_difference_to_the_cent(self):
        self.simulator.add_transaction(self.online, 5.5, '2026-03-03', currency='USD')
        self.simulator.add_transaction(self.online, 7.77, '2026-03-04')
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-05', 'amount': 1.11, 'payment_ref': "By hand"}
        )
        self.lines(account).filtered(lambda line: line.amount == 7.77).unlink()
        account.invalidate_recordset()
        explained = account._explain_difference()
        self.assertAlmostEqual(sum(amount for _label, amount in explained), account.balance_difference)
        self.assertIn(1000, [amount for _label, amount in explained])
        self.assertIn(7.77, [amount for _label, amount in explained])
        self.assertIn(-1.11, [amount for _label, amount in explained])

    def opened(self, account, code):
        """Return the records that a click on the reason with this code shows."""
        action = account.with_user(self.accountant).action_open_reason(code)
        return self.env[action['res_model']].search(action['domain'])

    def test_each_reason_is_one_cause_and_opens_exactly_its_records(self):
        self.simulator.add_transaction(self.online, 5.5, '2026-03-03', currency='USD')
        self.simulator.add_transaction(self.online, 7.77, '2026-03-04')
        self.simulator.add_transaction(self.online, 20, '2026-03-04')
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        by_hand = self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-05', 'amount': 1.11, 'payment_ref': "By hand"}
        )
        bent = self.lines(account).filtered(lambda line: line.amount == 20)
        bent.amount = 21
        self.lines(account).filtered(lambda line: line.amount == 7.77).unlink()
        account.invalidate_recordset()
        rows = account.transaction_ids
        self.assertEqual(
            {reason['code'] for reason in account.balance_reasons},
            {'skipped', 'removed', 'bent', 'foreign', 'uncounted'},
        )
        self.assertEqual(self.opened(account, 'skipped'), rows.filtered(lambda row: row.amount == 1000))
        self.assertEqual(self.opened(account, 'removed'), rows.filtered(lambda row: row.amount == 7.77))
        self.assertEqual(self.opened(account, 'uncounted'), rows.filtered(lambda row: row.amount == 5.5))
        self.assertEqual(self.opened(account, 'bent'), bent.ponto_transaction_ids)
        self.assertEqual(self.opened(account, 'foreign'), by_hand)
        with self.assertRaisesRegex(UserError, "no longer differ"):
            account.action_open_reason('entries')

    def test_a_row_dated_ahead_that_the_balance_holds_is_a_reason_of_its_own(self):
        account = self.link()
        account._synchronize()
        self.set_pontos_clock()
        self.simulator.add_transaction(self.online, 70, fields.Date.add(fields.Date.today(), days=2).isoformat())
        self.simulator.add_transaction(self.online, 5, fields.Date.add(fields.Date.today(), days=9).isoformat())
        account._synchronize()
        account.current_balance = 1040
        [reason] = account._difference_reasons()
        self.assertEqual((reason.code, reason.amount), ('ahead', 70))
        self.assertEqual(self.opened(account, 'ahead').mapped('amount'), [70])
        self.assertEqual(account._unexplained_difference(), 0)

    def test_an_entry_in_another_currency_counts_with_its_amount_in_the_journals_currency(self):
        account = self.link()
        account._synchronize()
        dollar = self.env.ref('base.USD')
        dollar.active = True
        journal = account.journal_id
        entry = self.env['account.move'].create(
            {
                'journal_id': self.env['account.journal']
                .search([('type', '=', 'general'), ('company_id', '=', self.company.id)], limit=1)
                .id,
                'date': '2026-03-01',
                'line_ids': [
                    Command.create(
                        {
                            'account_id': ledger.id,
                            'currency_id': dollar.id,
                            'amount_currency': sign * 110,
                            'balance': sign * 100,
                        }
                    )
                    for ledger, sign in ((journal.default_account_id, 1), (journal.suspense_account_id, -1))
                ],
            }
        )
        entry.action_post()
        account.invalidate_recordset()
        self.assertEqual(account.journal_balance, 1070)
        self.assertEqual(account.journal_balance, journal._get_journal_bank_account_balance()[0])
        [reason] = account._difference_reasons()
        self.assertEqual((reason.code, reason.amount), ('entries', -100))

    def test_an_opening_line_that_does_not_fit_is_a_reason_of_its_own(self):
        account = self.link(start_date='2026-03-01')
        account._read_transactions()
        line = account._book_opening_line()
        account._synchronize()
        line.amount = 900
        account.invalidate_recordset()
        [reason] = account._difference_reasons()
        self.assertEqual((reason.code, reason.amount), ('opening', 100))
        self.assertEqual(self.opened(account, 'opening'), line)

    def test_what_no_record_tells_of_lies_before_the_first_transaction_also_beside_another_currency(self):
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        account = self.link()
        account._synchronize()
        account.current_balance = 28765
        self.assertEqual({reason.code for reason in account._difference_reasons()}, {'uncounted', 'before'})
        self.assertAlmostEqual(
            sum(reason.amount for reason in account._difference_reasons()), account.balance_difference
        )
        account.current_balance = 974.6
        [reason] = account._difference_reasons()
        self.assertEqual((reason.code, reason.amount), ('uncounted', 4.6))
