from datetime import date, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.addons.account_online_ponto.models.error_sentences import failure_of
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestInbox(PontoCase):
    """What the inbox holds and the books do not: found, told, and brought in on a person's word."""

    def setUp(self):
        super().setUp()
        for day in (1, 10, 20):
            self.simulator.add_transaction(self.online, day, f'2026-01-{day:02}')
        self.account = self.link(start_date='2026-01-15')
        self.account._synchronize()

    def amounts(self):
        return self.lines(self.account).mapped('amount')

    def backfill(self, **vals):
        action = self.account.with_user(self.accountant).action_backfill()
        wizard = self.env['ponto.backfill'].with_user(self.accountant).browse(action['res_id'])
        wizard.write(vals)
        return wizard.action_fetch()

    def test_a_range_before_the_start_date_is_fetched_and_nothing_twice(self):
        self.backfill(date_from='2026-01-05', date_to='2026-01-12')
        self.assertEqual(self.amounts(), [10, 20])
        self.backfill(date_from='2026-01-01')
        self.assertEqual(self.amounts(), [1, 10, 20])
        self.backfill(date_from='2026-01-01')
        self.assertEqual(self.amounts(), [1, 10, 20])
        self.assertEqual(self.account._last_run().trigger, 'backfill')

    def test_a_range_of_a_list_too_long_for_one_request_comes_in_completely(self):
        self.patch(budget, 'PAGES', 1)
        self.simulator.set_page_size(2)
        for day in range(2, 9):
            self.simulator.insert_transaction(self.online, 100 + day, f'2026-01-{day:02}', below=-1)
        self.assertIn(
            "read in the background", self.backfill(date_from='2026-01-05', date_to='2026-01-12')['params']['message']
        )
        self.run_cron()
        self.assertEqual(self.amounts(), [105, 106, 107, 108, 10, 20])

    def test_a_fetched_range_stays_in_the_books_when_the_start_date_moves(self):
        self.backfill(date_from='2026-01-05')
        self.account.start_date = '2026-01-18'
        self.account._synchronize()
        self.assertEqual(self.amounts(), [10, 20])

    def test_a_start_date_that_moves_lets_nothing_in_that_was_not_older_when_a_range_was_asked_for(self):
        self.backfill(date_from='2026-01-05')
        self.account.start_date = '2026-02-01'
        self.simulator.add_transaction(self.online, 16, '2026-01-16')
        self.simulator.add_transaction(self.online, 12, '2026-01-12')
        self.account._synchronize()
        self.assertEqual(self.amounts(), [10, 12, 20])

    def test_a_range_asked_for_ends_with_the_journal_that_it_was_asked_for(self):
        self.backfill(date_from='2026-01-05')
        journal = self.account.journal_id
        self.account.action_unlink_journal()
        self.simulator.add_transaction(self.online, 12, '2026-01-12')
        self.simulator.add_transaction(self.online, 25, '2026-01-25')
        self.account._link_to_journal(journal, date(2026, 2, 1))
        self.account._synchronize()
        self.assertEqual(self.amounts(), [10, 20])

    def test_a_range_that_ends_before_it_begins_is_refused(self):
        with self.assertRaises(UserError):
            self.backfill(date_from='2026-01-05', date_to='2026-01-01')

    def test_an_earlier_start_date_lets_older_rows_in(self):
        self.account.start_date = False
        self.account._synchronize()
        self.assertEqual(self.amounts(), [1, 10, 20])

    def test_find_missing_shows_both_sides_with_what_to_do(self):
        gone = self.simulator.accounts.get(self.online.id).transactions[0]
        self.simulator.remove_transaction(gone.id)
        action = self.account.with_user(self.accountant).action_find_missing_transactions()
        rows = self.env['ponto.transaction'].search(action['domain'])
        self.assertEqual(sorted(rows.mapped('amount')), [1, 10, 20])
        self.assertIn("no longer lists", rows.filtered(lambda row: row.amount == 20).advice)
        self.assertIn("before the start date", rows.filtered(lambda row: row.amount == 1).advice)
        rows.filtered(lambda row: row.amount == 1).with_user(self.accountant).action_import_skipped()
        self.assertEqual(self.amounts(), [1, 20])

    def test_find_missing_says_which_accounts_it_could_not_read_because_somebody_else_is_at_work(self):
        accounts = type(self.account)
        with patch.object(accounts, 'try_lock_for_update', lambda records, **kwargs: records.browse()):
            action = self.account.with_user(self.accountant).action_find_missing_transactions()
        self.assertIn(f"{self.account.reference}: somebody else is fetching", action['params']['message'])
        self.assertEqual(action['params']['next']['res_model'], 'ponto.transaction')

    def test_a_row_that_ponto_lists_again_is_missing_no_more(self):
        row = self.account.transaction_ids[0]
        row.missing_since = fields.Datetime.now()
        self.account._synchronize()
        self.assertFalse(row.missing_since)

    def test_a_feed_from_ponto_cannot_be_ticked_without_an_online_account(self):
        journal = self.env['account.journal'].create({'name': "By hand", 'type': 'bank', 'code': 'HAND'})
        with self.assertRaisesRegex(ValidationError, "Add a Bank Account"):
            journal.bank_statements_source = 'ponto'
        self.account.journal_id.bank_statements_source = 'ponto'

    def test_a_copied_journal_has_no_feed(self):
        self.assertEqual(self.account.journal_id.bank_statements_source, 'ponto')
        self.assertEqual(self.account.journal_id.copy().bank_statements_source, 'undefined')

    def test_a_line_entered_from_a_journals_list_belongs_to_that_journal(self):
        journal = self.account.journal_id
        self.assertEqual(journal.open_action()['context']['default_journal_id'], journal.id)
        both = journal + journal.copy()
        self.assertNotIn('default_journal_id', both._action_ponto_transactions()['context'])

    def test_old_history_is_forgotten_and_the_rest_kept(self):
        old = self.account.synchronization_ids.copy(
            {'started_at': fields.Datetime.now() - timedelta(days=500), 'state': 'done'}
        )
        self.env['ponto.synchronization']._gc_history()
        self.assertFalse(old.exists())
        self.assertTrue(self.account.synchronization_ids)

    def test_the_health_tells_what_needs_attention_and_nothing_else(self):
        accounts = self.env['ponto.account'].with_user(self.accountant)
        self.simulator.reauthorize(self.online, days=3650)
        self.set_pontos_clock()
        self.account._synchronize()
        self.account.authorization_expires_at = False
        self.assertEqual(
            accounts.get_health(),
            {
                'is_healthy': True,
                'feeds': 1,
                'held': 0,
                'silent': [],
                'late': [],
                'failed': [],
                'withdrawn': [],
                'withdrawn_transactions': [],
                'consents_ending': [],
                'consents_ended': [],
                'refused_by_bank': [],
                'differences': [],
                'others': [],
            },
        )
        self.account.write(
            {
                'last_read_at': fields.Datetime.now() - timedelta(days=2),
                'state': 'error',
                'failure': failure_of(UserError("Broken")),
                'authorization_expires_at': fields.Datetime.now() - timedelta(days=3),
            }
        )
        health = accounts.get_health()
        self.assertFalse(health['is_healthy'])
        self.assertEqual([len(health[name]) for name in ('silent', 'failed', 'consents_ended')], [1, 1, 1])
        self.assertEqual(health['failed'][0]['message'], "Broken")
        with self.assertRaises(AccessError):
            accounts.with_user(self.env.ref('base.public_user')).get_health()
