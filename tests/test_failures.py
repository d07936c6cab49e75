import logging
from datetime import timedelta

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..ponto import PontoRateLimitError
from .common import PontoCase
from .simulator import CLIENT_SECRET

# What goes wrong on the way to the transactions, and a word of the sentence that tells it.
FAULTS = {
    'an HTML page': ({'kind': 'html'}, "cannot read"),
    'truncated JSON': ({'kind': 'truncated'}, "cannot read"),
    'an empty answer': ({'kind': 'empty'}, "cannot read"),
    'too many requests': ({'status': 429, 'retry_after': 3600}, "limits the number of requests"),
    'a server error': ({'status': 500}, "problem on its side"),
    'a timeout': ({'kind': 'slow'}, "in time"),
    'a reset connection': ({'kind': 'reset'}, "cannot be reached"),
    'a failed DNS lookup': ({'kind': 'dns'}, "cannot be reached"),
    'a TLS failure': ({'kind': 'tls'}, "secure connection"),
    'an unknown account': ({'status': 404}, "does not know this account"),
    'a refused token': ({'status': 401}, "refuses access"),
}


@tagged('post_install', '-at_install')
class TestFailures(PontoCase):
    def setUp(self):
        super().setUp()
        for number in range(1, 121):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        self.account = self.link()

    def transactions_path(self):
        return f'/accounts/{self.online.id}/transactions'

    def test_every_fault_is_told_on_the_record_and_to_the_person_and_nothing_is_half_imported(self):
        for name, (fault, words) in FAULTS.items():
            with self.subTest(name):
                self.simulator.fail(None, path=self.transactions_path(), **fault)
                with self.assertLogs('odoo.addons.account_online_ponto', logging.DEBUG) as logs:
                    notification = self.account.with_user(self.accountant).action_fetch_transactions()
                self.assertIn(words, notification['params']['message'])
                self.assertEqual(notification['params']['type'], 'danger')
                self.assertEqual(self.account.state, 'error')
                self.assertIn(words, self.account.error_message)
                run = self.account.synchronization_ids[0]
                self.assertEqual((run.state, run.message), ('error', self.account.error_message))
                self.assertFalse(self.account.transaction_ids)
                told = '\n'.join([*logs.output, self.account.error_message, notification['params']['message']])
                self.assertNotIn(CLIENT_SECRET, told)
                for token in self.simulator.tokens:
                    self.assertNotIn(token, told)
                self.simulator.clear_faults()
                self.integration._fetch_accounts()

    def test_ponto_s_reference_of_a_refused_request_is_told(self):
        self.simulator.fail(None, path=self.transactions_path(), status=500)
        self.account.action_fetch_transactions()
        self.assertRegex(self.account.error_message, r"\(Ponto reference \w+\)$")

    def test_a_fault_in_the_middle_of_the_list_imports_nothing_and_the_next_run_everything(self):
        self.simulator.foreign_next_link('https://elsewhere.example/accounts')
        self.account.action_fetch_transactions()
        self.assertFalse(self.account.transaction_ids)
        self.simulator.clear_faults()
        self.account.action_fetch_transactions()
        self.assertEqual(sum(self.lines(self.account).mapped('amount')), sum(range(1, 121)))
        self.assertEqual(self.account.state, 'active')

    def test_a_click_on_an_account_that_was_disconnected_does_not_make_the_scheduled_run_try_for_ever(self):
        self.integration.action_disconnect()
        self.account.action_fetch_transactions()
        self.assertEqual(self.account.state, 'withdrawn')
        requests = len(self.simulator.requests)
        self.run_cron()
        self.assertEqual(len(self.simulator.requests), requests)

    def test_many_held_transactions_of_one_account_keep_booking_neither_from_the_others_nor_busy(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(savings, 20, '2026-03-02')
        other = self.link(savings)
        (self.account + other)._apart(lambda account: account._read('manual'), 'manual')
        self.account.company_id.fiscalyear_lock_date = '2026-03-31'
        self.account._book_into(self.account._last_run())
        self.account.company_id.fiscalyear_lock_date = False
        self.patch(budget, 'ROWS', 1)
        self.end_jobs_after(2)
        self.env.flush_all()
        self.env.ref('account_online_ponto.ir_cron_book').method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.lines(other).amount, 20)
        cron = self.env.ref('account_online_ponto.ir_cron_book')
        progress = self.env['ir.cron.progress'].search([('cron_id', '=', cron.id)], order='id')
        self.assertEqual(progress.mapped('remaining'), [0])

    def test_a_person_who_tries_again_and_again_does_not_put_off_the_automatic_run(self):
        self.simulator.fail(None, status=503)
        for _click in range(6):
            self.account.with_user(self.accountant).action_fetch_transactions()
        self.simulator.clear_faults()
        self.assertEqual(self.account.state, 'error')
        self.assertLess(self.account.next_read_at, fields.Datetime.now() + timedelta(minutes=6))

    def test_an_error_waits_longer_each_time_and_as_long_as_ponto_asks(self):
        def seconds(failures, error=None):
            return self.account._back_off(failures, error).total_seconds()

        self.assertEqual([seconds(failures) for failures in (1, 2, 3)], [300, 600, 1200])
        self.assertEqual([seconds(failures) for failures in (8, 40, 10**6)], [6 * 3600] * 3)
        for asked, waits in ((None, 300), (0, 300), (60, 300), (7200, 7200), (10**9, 24 * 3600)):
            error = PontoRateLimitError(429, retry_after=asked)
            self.assertEqual(seconds(1, error), waits, asked)
        self.assertEqual(seconds(40, PontoRateLimitError(429, retry_after=7200)), 6 * 3600)

    def test_the_next_read_is_when_ponto_asks_for_it(self):
        account = self.account
        self.simulator.fail(None, path='/transactions', status=429, retry_after=7200)
        now = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(account.failure_count, 1)
        self.assertAlmostEqual((account.next_read_at - now).total_seconds(), 7200, delta=120)

    def test_a_connection_test_says_what_is_wrong(self):
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            .create({'client_id': 'somebody', 'client_secret': 'wrong-secret'})
        )
        with self.assertRaisesRegex(UserError, "does not accept this client ID"):
            wizard.action_connect()
        for fault, words in (({'kind': 'html'}, "cannot read"), ({'kind': 'slow'}, "in time")):
            self.simulator.fail(None, path='/oauth2/token', **fault)
            with self.assertRaisesRegex(UserError, words):
                wizard.action_connect()
            self.simulator.clear_faults()

    def test_the_entered_secret_is_readable_by_nobody_and_gone_after_use(self):
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            .create({'client_id': self.integration.client_id, 'client_secret': CLIENT_SECRET})
        )
        self.assertFalse(wizard.client_secret)
        self.assertNotIn('entered_secret', wizard.fields_get())
        wizard.action_connect()
        self.assertFalse(wizard.sudo().entered_secret)
        self.assertEqual(wizard.integration_id, self.integration)
