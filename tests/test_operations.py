from datetime import timedelta
from unittest.mock import patch

import psycopg2
from psycopg2.errors import ForeignKeyViolation, LockNotAvailable

from odoo import Command, fields
from odoo.addons.account_online_ponto.models import budget
from odoo.addons.account_online_ponto.models.ponto_account_late import LATE_AFTER
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PontoCase

# What `SHOW lock_timeout` says of `budget.LOCK`.
BRIEFLY = f'{budget.LOCK}s'
# `errors.DiskFull` and its like have no code unless the server has sent them.
RAISE_DISK_FULL = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"


@tagged('post_install', '-at_install')
class TestOperations(PontoCase):
    """What administrators do to a server, and what happens to it. `scripts/stress operations` does it to real ones."""

    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        self.simulator.add_transaction(self.online, 2, '2026-03-03')

    def lock_timeout(self):
        self.env.cr.execute("SHOW lock_timeout")
        return self.env.cr.fetchone()[0]

    def raise_disk_full(self, *_arguments):
        self.env.cr.execute(RAISE_DISK_FULL, log_exceptions=False)

    def problems(self, account):
        self.env.flush_all()
        self.env.invalidate_all()
        return {problem.code: problem.sentence for problem in account._problems()}

    # -------------------------------------------------------------------------
    # Somebody keeps a record locked
    # -------------------------------------------------------------------------

    def test_no_step_of_a_scheduled_action_waits_for_long_for_a_locked_record(self):
        account, seen = self.link(), {}
        for model, name in (
            ('ponto.account', '_read_details'),
            ('ponto.transaction', '_book'),
            ('ponto.link', '_look'),
            ('ponto.account', '_record_failure'),
            ('account.bank.statement.line', '_match_batch'),
        ):
            method = getattr(type(self.env[model]), name)

            def watched(records, *args, name=name, method=method):
                seen[name] = self.lock_timeout()
                return method(records, *args)

            self.patch(type(self.env[model]), name, watched)
        account.journal_id.ponto_match_automatically = True
        self.run_cron()
        self.run_cron('ir_cron_tell_problems')
        with patch.object(
            type(self.env['account.bank.statement.line']),
            '_certain_matches',
            lambda lines, company: dict.fromkeys(self.lines(account)),
        ):
            self.run_cron('ir_cron_match')
        self.simulator.fail(None, path='/accounts', status=500)
        self.run_cron()
        self.assertEqual(
            seen, dict.fromkeys(('_read_details', '_book', '_look', '_match_batch', '_record_failure'), BRIEFLY)
        )

    def test_a_person_who_clicks_is_told_that_somebody_else_is_changing_the_books(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(savings, 3, '2026-03-02')
        locked, free = self.link(), self.link(savings)
        feeds, waits = type(locked), []
        fetch = feeds._fetch

        def wait_in_vain(account):
            waits.append(self.lock_timeout())
            if account == locked:
                raise LockNotAvailable
            return fetch(account)

        self.patch(feeds, '_fetch', wait_in_vain)
        action = (locked + free).with_user(self.accountant).action_fetch_transactions()
        self.assertRegex(action['params']['message'], f"{locked.reference}: .* somebody else is changing")
        self.assertEqual((len(self.lines(locked)), len(self.lines(free))), (0, 1))
        self.assertEqual(set(waits), {BRIEFLY})

    def test_a_person_who_clicks_is_told_that_somebody_else_keeps_the_token(self):
        account = self.link()
        self.simulator.revoke_tokens()
        with self.env.registry.cursor() as cr:
            cursors = type(cr)
        execute = cursors.execute

        def wait_in_vain(cr, query, *args, **kwargs):
            if 'FROM ponto_token' in str(query) and 'FOR UPDATE' in str(query):
                raise LockNotAvailable
            return execute(cr, query, *args, **kwargs)

        self.patch(cursors, 'execute', wait_in_vain)
        action = account.with_user(self.accountant).action_fetch_transactions()
        self.assertIn("renewing or changing the access to Ponto", action['params']['message'])
        self.assertFalse(self.lines(account))

    # -------------------------------------------------------------------------
    # The server is short of something
    # -------------------------------------------------------------------------

    def test_a_full_disk_is_the_fault_of_no_transaction(self):
        account = self.link()
        with patch.object(
            type(self.env['account.bank.statement.line']), '_create_on_lane', side_effect=self.raise_disk_full
        ):
            self.run_cron()
        self.assertEqual(account.transaction_ids.mapped('state'), ['new', 'new'])
        self.assertFalse(account.work)
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])

    def test_without_a_connection_left_for_the_token_the_account_is_tried_again(self):
        account = self.link()
        with patch.object(
            type(self.env['ponto.token']), 'search', side_effect=psycopg2.pool.PoolError("The Connection Pool Is Full")
        ):
            self.run_cron()
        self.assertEqual(account.state, 'active')
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])

    # -------------------------------------------------------------------------
    # Odoo is late
    # -------------------------------------------------------------------------

    def test_an_account_that_was_to_be_read_long_ago_says_so(self):
        account = self.link()
        self.run_cron()
        self.assertNotIn('late', self.problems(account))
        account.next_read_at = fields.Datetime.now() - LATE_AFTER
        self.assertIn("should have fetched", self.problems(account)['late'])
        health = self.env['ponto.account'].with_user(self.accountant).get_health()
        self.assertEqual([item['id'] for item in health['late']], account.ids)
        account.link_id.auto_synchronize = False
        self.assertNotIn('late', self.problems(account))

    def test_transactions_that_wait_long_to_be_booked_are_told_unless_others_are_booked_meanwhile(self):
        account = self.link()
        account._read('cron')
        account.next_read_at = fields.Datetime.now() + timedelta(hours=1)
        self.assertNotIn('late', self.problems(account))
        self.backdate(account.transaction_ids)
        self.assertIn("waiting to be booked", self.problems(account)['late'])
        account.transaction_ids[0]._book()
        self.assertNotIn('late', self.problems(account))
        self.backdate(account.transaction_ids)
        self.assertIn('late', self.problems(account))
        account.transaction_ids._book()
        self.assertNotIn('late', self.problems(account))

    def backdate(self, rows):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ponto_transaction SET write_date = %s WHERE id = ANY(%s)",
            [fields.Datetime.now() - LATE_AFTER, rows.ids],
        )

    # -------------------------------------------------------------------------
    # What administrators do
    # -------------------------------------------------------------------------

    def test_the_jobs_work_for_all_companies_whoever_they_run_as(self):
        other = self.make_company("Andere Zaak")
        user = new_test_user(self.env, 'job_user', company_id=other.id, company_ids=[Command.set(other.ids)])
        jobs = self.env['ir.cron'].search([('cron_name', '=like', 'Ponto:%')])
        jobs.user_id = user
        account = self.link()
        account.journal_id.ponto_match_automatically = True
        for name in jobs.mapped(lambda job: job.get_external_id()[job.id].partition('.')[2]):
            if name != 'ir_cron_fetch_logos':
                self.run_cron(name)
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])

    def test_a_company_without_chart_of_accounts_holds_nothing_up(self):
        bare = self.env['res.company'].create({'name': "Zonder Rekeningen", 'currency_id': self.company.currency_id.id})
        self.env.user.company_ids += bare
        env = self.env(context={**self.env.context, 'allowed_company_ids': bare.ids})
        self.simulator.add_integration('bare', 'bare-secret', accounts=[self.online])
        integration = env['ponto.integration'].create(
            {'company_id': bare.id, 'client_id': 'bare', 'client_secret': 'bare-secret'}
        )
        fed = self.link()
        integration._fetch_accounts()
        account = env['ponto.account'].search([('company_id', '=', bare.id)])
        self.assertEqual(account.ponto_id, self.online.id)
        account._link_to_new_journal()
        self.run_cron()
        self.assertEqual(self.lines(fed).mapped('amount'), [1, 2])
        self.assertEqual(account.transaction_ids.mapped('state'), ['held', 'held'])

    def test_a_journal_that_is_deleted_ends_the_feed_and_its_transactions_wait_for_another_one(self):
        account = self.link()
        account._read('cron')
        journal = account.journal_id
        with self.assertRaises(ForeignKeyViolation), self.env.cr.savepoint(), mute_logger('odoo.sql_db'):
            journal.unlink()
        account.action_unlink_journal()
        journal.unlink()
        self.run_cron()
        self.assertEqual(account.transaction_ids.mapped('state'), ['new', 'new'])
        account._link_to_new_journal()
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])
