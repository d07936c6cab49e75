from datetime import date, timedelta

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestSynchronization(PontoCase):
    def test_each_booked_transaction_becomes_one_statement_line(self):
        self.simulator.add_transaction(
            self.online,
            121,
            '2026-03-02',
            counterpart_name="Bakkerij Smit",
            counterpart_reference='BE71096123456769',
            remittance_information="Invoice 2026/17",
        )
        self.simulator.add_transaction(self.online, '-45.30', '2026-03-03', remittance_information="Elektriciteit")
        account = self.link()
        run = account._synchronize()
        lines = self.lines(account)
        self.assertRecordValues(
            lines,
            [
                {
                    'date': date(2026, 3, 2),
                    'amount': 121,
                    'payment_ref': "Invoice 2026/17",
                    'partner_name': "Bakkerij Smit",
                    'account_number': 'BE71096123456769',
                    'state': 'posted',
                },
                {
                    'date': date(2026, 3, 3),
                    'amount': -45.30,
                    'payment_ref': "Elektriciteit",
                    'partner_name': False,
                    'account_number': False,
                    'state': 'posted',
                },
            ],
        )
        self.assertRecordValues(
            run, [{'read_count': 2, 'new_count': 2, 'booked_count': 2, 'held_count': 0, 'changed_count': 0}]
        )
        self.assertEqual(account.current_balance, sum(lines.mapped('amount')))

    def test_a_second_run_imports_nothing(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        run = account._synchronize()
        self.assertEqual(len(self.lines(account)), 1)
        self.assertRecordValues(run, [{'read_count': 1, 'new_count': 0, 'booked_count': 0, 'changed_count': 0}])

    def test_a_late_row_below_known_ones_is_found(self):
        for day in range(1, 29):
            self.simulator.add_transaction(self.online, day, f'2026-03-{day:02}')
        account = self.link()
        account._synchronize()
        self.simulator.insert_transaction(self.online, 500, '2026-02-01', below=20)
        account._synchronize()
        self.assertEqual(sum(self.lines(account).mapped('amount')), sum(range(1, 29)) + 500)

    def test_lines_of_a_day_stand_in_the_banks_order_also_when_one_is_late(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        self.simulator.add_transaction(self.online, 3, '2026-03-02')
        account = self.link()
        account._synchronize()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 3])
        self.simulator.insert_transaction(self.online, 2, '2026-03-02', below=0)
        self.simulator.add_transaction(self.online, 4, '2026-03-02')
        account._synchronize()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2, 3, 4])

    def test_pages_shorter_than_the_limit_lose_nothing(self):
        for number in range(1, 31):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        self.simulator.set_page_size(7)
        account = self.link()
        account._synchronize()
        self.assertEqual(self.lines(account).mapped('amount'), list(range(1, 31)))

    def test_the_scheduled_action_reads_and_books_every_due_account(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank, subtype='savings')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(savings, 20, '2026-03-02')
        accounts = self.link() + self.link(savings)
        self.run_cron()
        self.assertEqual([self.lines(account).amount for account in accounts], [10, 20])
        self.assertEqual(set(accounts.mapped('state')), {'active'})

    def test_one_sick_account_does_not_stop_the_others(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank, subtype='savings')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(savings, 20, '2026-03-02')
        sick, healthy = self.link(), self.link(savings)
        self.simulator.fail(None, kind='html', path=f'/accounts/{self.online.id}/transactions')
        self.run_cron()
        self.assertFalse(self.lines(sick))
        self.assertEqual(self.lines(healthy).amount, 20)
        self.assertEqual(sick.state, 'error')
        self.assertIn("Nothing was imported", sick.error_message)
        self.assertRecordValues(sick.synchronization_ids, [{'state': 'error', 'trigger': 'cron', 'booked_count': 0}])
        self.simulator.clear_faults()
        self.run_cron()
        self.assertEqual(self.lines(sick).amount, 10)
        self.assertEqual(sick.state, 'active')
        self.assertFalse(sick.error_message)

    def test_a_row_in_another_currency_is_held_with_the_reason(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02', currency='USD')
        account = self.link()
        account._synchronize()
        self.assertFalse(self.lines(account))
        self.assertRecordValues(account.transaction_ids, [{'state': 'held', 'hold_reason': 'currency'}])

    def test_a_row_in_a_locked_period_waits_and_is_then_booked_on_its_own_date(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        self.company.fiscalyear_lock_date = '2026-03-31'
        account._synchronize()
        self.assertRecordValues(account.transaction_ids, [{'state': 'held', 'hold_reason': 'locked'}])
        self.company.fiscalyear_lock_date = False
        account._synchronize()
        self.assertRecordValues(self.lines(account), [{'date': date(2026, 3, 2), 'amount': 10}])

    def test_a_deleted_line_stays_away_until_it_is_asked_back(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        self.lines(account).unlink()
        self.assertEqual(account.transaction_ids.state, 'removed')
        account._synchronize()
        self.assertFalse(self.lines(account))
        self.assertEqual(account.transaction_ids.state, 'removed')
        account.transaction_ids.action_import_again()
        self.assertEqual(self.lines(account).amount, 10)

    def test_a_line_entered_by_hand_is_suspected_and_two_equal_payments_survive(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        by_hand = self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-01', 'amount': 10, 'payment_ref': "By hand"}
        )
        account._synchronize()
        self.assertEqual(len(self.lines(account)), 2)
        held = account.transaction_ids.filtered(lambda row: row.state == 'held')
        self.assertRecordValues(held, [{'hold_reason': 'duplicate', 'suspect_line_id': by_hand.id}])
        held.action_same_as_suspect()
        account._synchronize()
        self.assertEqual(len(self.lines(account)), 2)
        self.assertEqual(set(account.transaction_ids.mapped('state')), {'booked'})

    def test_an_account_with_a_new_id_after_renewal_imports_nothing_again(self):
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        new_id = self.simulator.reissue_account(self.online)
        self.integration._fetch_accounts()
        self.simulator.add_transaction(new_id, 10, '2026-03-02')
        account._synchronize()
        self.assertEqual(self.lines(account).mapped('amount'), [10, 10, 10])
        self.assertEqual(len(self.integration.account_ids), 1)

    def test_an_account_whose_number_is_spelled_otherwise_after_renewal_is_the_same(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        self.simulator.reissue_account(self.online)
        account.reference = 'BE68 5390 0754 7034'
        self.integration._fetch_accounts()
        account._synchronize()
        self.assertEqual(self.integration.account_ids, account)
        self.assertEqual(self.lines(account).amount, 10)

    def test_an_equal_payment_is_found_when_only_the_account_has_a_new_id(self):
        for _twice in range(2):
            self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        # As if the account had had another id then, and its transactions the same.
        account.transaction_ids.account_ponto_id = 'the-id-before'
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account._synchronize()
        self.assertEqual(self.lines(account).mapped('amount'), [10, 10, 10])

    def test_another_online_account_in_the_same_journal_books_nothing_twice(self):
        for day in range(1, 4):
            self.simulator.add_transaction(self.online, 100, f'2026-03-0{day}')
        before = self.link()
        before._synchronize()
        journal = before.journal_id
        twin = self.simulator.add_account(self.online.reference, institution=self.bank)
        for day in range(1, 5):
            self.simulator.add_transaction(twin, 100, f'2026-03-0{day}')
        self.simulator.untick(twin)
        self.simulator.add_integration('another-client', 'another-secret', accounts=[twin])
        self.env['ponto.integration'].create(
            {'company_id': self.company.id, 'client_id': 'another-client', 'client_secret': 'another-secret'}
        )._fetch_accounts()
        after = self.env['ponto.account'].search([('ponto_id', '=', twin.id)])
        before.action_unlink_journal()
        after._link_to_journal(journal)
        after._synchronize()
        self.assertEqual(len(self.lines(after)), 4)
        held = after.transaction_ids.filtered(lambda row: row.hold_reason == 'duplicate')
        self.assertEqual(len(held), 3)
        held.action_same_as_suspect()
        for account in before, after:
            account._synchronize()
        self.assertEqual(len(self.lines(after)), 4)
        self.assertEqual(set(after.transaction_ids.mapped('state')), {'booked'})
        self.assertEqual(set(before.transaction_ids.mapped('state')), {'removed'})

    def test_news_on_top_are_no_reason_to_read_the_whole_list(self):
        for number in range(1, 21):
            self.simulator.add_transaction(self.online, number, '2026-01-02')
        self.simulator.set_page_size(1)
        account = self.link()
        account._synchronize()
        self.simulator.add_transaction(self.online, 21, '2026-01-03')
        self.assertEqual(account._synchronize().read_count, 2)

    def test_renewed_and_reworded_rows_are_suspected_before_the_whole_list_has_been_read_again(self):
        for number in range(1, 11):
            self.simulator.add_transaction(self.online, number, '2026-01-02', value_date='2026-01-02')
        self.simulator.set_page_size(1)
        account = self.link()
        account._synchronize()
        self.online = self.simulator.accounts.get(self.simulator.reissue_account(self.online))
        for row in self.online.transactions:
            self.simulator.change_transaction(row.id, value_date='2026-01-03')
        self.integration._fetch_accounts()
        account._synchronize(at_most=3)
        self.assertEqual(len(self.lines(account)), 10)
        self.assertEqual(account.transaction_ids.filtered('suspect_line_id').mapped('hold_reason'), ['duplicate'] * 3)

    def test_wrong_credentials_are_told_in_a_sentence_without_the_secret(self):
        self.integration.client_secret = 'not-the-secret'
        account = self.env['ponto.connect'].create(
            {'company_id': self.company.id, 'client_id': self.integration.client_id, 'client_secret': 'not-the-secret'}
        )
        with self.assertRaises(UserError) as caught:
            account.action_connect()
        self.assertIn("does not accept", str(caught.exception))
        self.assertNotIn('not-the-secret', str(caught.exception))

    def test_a_long_history_is_read_in_steps_and_news_on_top_are_not_missed(self):
        self.patch(budget, 'PAGES', 2)
        for number in range(1, 551):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        account = self.link()
        account._read('cron', budget.PAGES)
        self.assertTrue(account.resume_after)
        self.assertEqual(len(account.transaction_ids), 200)
        for number in range(551, 801):
            self.simulator.add_transaction(self.online, number, '2026-03-03')
        for _run in range(6):
            self.run_cron()
        self.assertFalse(account.resume_after)
        self.assertEqual(self.lines(account).mapped('amount'), list(range(1, 801)))

    def test_an_account_with_more_pages_in_the_overlap_than_a_run_reads_comes_to_an_end(self):
        for number in range(1, 21):
            self.simulator.add_transaction(self.online, number, '2026-01-02')
        for number in range(21, 41):
            self.simulator.add_transaction(self.online, number, fields.Date.today() - timedelta(days=3))
        self.simulator.set_page_size(1)
        account = self.link()

        def read():
            """Read in steps until nothing is left, and return how many rows Ponto has listed."""
            runs = account._read('cron', 5)
            while account.resume_after and len(runs) < 20:
                runs += account._read('cron', 5)
            self.assertFalse(account.resume_after)
            return sum(runs.mapped('read_count'))

        read()
        self.assertEqual(len(account.transaction_ids), 40)
        self.simulator.add_transaction(self.online, 41, fields.Date.today())
        self.assertLess(read(), 30)
        self.simulator.remove_transaction(self.simulator.accounts.get(self.online.id).transactions[3].id)
        account._request_full_read()
        # Only a second sweep tells that it is gone, and has not just moved up past a step.
        self.assertGreaterEqual(read(), 40)
        self.assertGreaterEqual(read(), 40)
        self.assertEqual(len(account.transaction_ids.filtered('missing_since')), 1)
        self.assertLess(read(), 30)
        in_order = account.transaction_ids.filtered(lambda row: not row.missing_since).sorted('rank', reverse=True)
        self.assertEqual(
            in_order.mapped('ponto_id'), [row.id for row in self.simulator.accounts.get(self.online.id).transactions]
        )

    def test_a_history_whose_last_read_row_is_gone_is_read_anew(self):
        self.patch(budget, 'PAGES', 1)
        for number in range(1, 251):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        account = self.link()
        account._read('cron', budget.PAGES)
        self.simulator.remove_transaction(account.resume_after)
        for _run in range(5):
            self.run_cron()
        self.assertFalse(account.resume_after)
        self.assertEqual(len(account.transaction_ids), 250)
