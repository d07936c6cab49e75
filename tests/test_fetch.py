from odoo import Command
from odoo.addons.account_online_ponto.models import budget
from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import config

from .common import PATIENCE, PontoCase


@tagged('post_install', '-at_install')
class TestFetch(PontoCase, HttpCase):
    """A person's own click, over HTTP, as the browser makes it."""

    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account = self.link()
        self.authenticate(self.accountant.login, self.accountant.login)

    def call(self, method, address=None):
        """Call a public method of the account from `address`, as a reverse proxy tells it; None: from this machine."""
        forwarded = {'X-Forwarded-For': address, 'X-Forwarded-Host': '127.0.0.1', 'X-Forwarded-Proto': 'http'}
        return self.make_jsonrpc_request(
            '/web/dataset/call_kw',
            {'model': 'ponto.account', 'method': method, 'args': [self.account.ids], 'kwargs': {}},
            headers=forwarded if address else {},
            timeout=PATIENCE,
        )

    def asked(self):
        return [
            request.body['data']['attributes']
            for request in self.simulator.requests
            if (request.method, request.path) == ('POST', '/synchronizations')
        ]

    def behind_a_proxy(self):
        before = config['proxy_mode']
        config['proxy_mode'] = True
        self.addCleanup(config.__setitem__, 'proxy_mode', before)

    def test_the_bank_is_asked_with_the_persons_own_public_address(self):
        self.behind_a_proxy()
        notification = self.call('action_fetch_transactions', '81.82.83.84')
        self.assertEqual(
            [(item['subtype'], item['customerIpAddress'], item['resourceId']) for item in self.asked()],
            [('accountDetails', '81.82.83.84', self.online.id), ('accountTransactions', '81.82.83.84', self.online.id)],
        )
        self.assertIn("Ponto is asking the bank", notification['params']['message'])
        self.assertEqual(self.lines(self.account).amount, 10)

    def test_a_person_does_not_wait_for_many_slow_accounts(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        accounts = self.account + self.link(savings)
        self.patch(budget, 'CLICK', -1)
        message = accounts.action_fetch_transactions()['params']['message']
        self.assertIn(f"{self.online.reference}, {savings.reference}: not fetched yet", message)

    def test_a_private_address_reads_only_and_says_so(self):
        notification = self.call('action_fetch_transactions')
        self.assertFalse(self.asked())
        self.assertIn("your computer has a private IP address", notification['params']['message'])
        self.assertEqual(self.lines(self.account).amount, 10)

    def test_a_bank_that_was_disconnected_is_told_in_one_sentence_and_ponto_is_not_asked(self):
        self.integration.action_disconnect()
        requests = len(self.simulator.requests)
        for method in ('action_fetch_transactions', 'action_find_missing_transactions'):
            message = self.call(method)['params']['message']
            [problem] = self.account.problems
            self.assertEqual(message, f"{self.account.reference}: {problem['sentence']}")
        self.assertEqual(len(self.simulator.requests), requests)

    def test_the_offices_public_address_stands_for_people_on_its_own_network(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        self.assertEqual({item['customerIpAddress'] for item in self.asked()}, {'81.82.83.85'})
        self.assertFalse(self.simulator.private_ip_addresses)

    def test_a_private_address_does_not_stand_for_the_office(self):
        with self.assertRaisesRegex(ValidationError, "10.0.0.7 is not a public IP address"):
            self.company.ponto_office_ip = '10.0.0.7'

    def test_the_office_is_that_of_the_accounts_company_not_of_the_one_that_is_open(self):
        self.company.ponto_office_ip = '81.82.83.85'
        other = self.make_company("Andere Zaak")
        self.accountant.write({'company_ids': [Command.link(other.id)], 'company_id': other.id})
        self.call('action_fetch_transactions')
        self.assertEqual({item['customerIpAddress'] for item in self.asked()}, {'81.82.83.85'})

    def test_what_the_bank_answers_later_comes_in_while_the_person_watches(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        self.simulator.add_bank_transaction(self.online, 20, '2026-03-03')
        stages = []
        for _look in range(4):
            [progress] = self.call('fetch_progress')
            stages.append(progress['stage'])
        self.assertEqual((stages[0], stages[-1]), ('asking', 'done'))
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])

    def test_what_the_bank_answers_later_comes_in_by_itself_when_nobody_watches(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        self.simulator.add_bank_transaction(self.online, 20, '2026-03-03')
        for _run in range(3):
            self.run_cron()
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])

    def test_a_second_click_does_not_forget_that_the_bank_is_still_asked(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        notification = self.call('action_fetch_transactions')
        self.assertIn("Ponto is asking the bank", notification['params']['message'])
        self.simulator.add_bank_transaction(self.online, 20, '2026-03-03')
        for _look in range(4):
            [progress] = self.call('fetch_progress')
        self.assertEqual(progress['stage'], 'done')
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 20])

    def test_an_account_that_was_asked_a_moment_ago_is_just_read(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        notification = self.call('action_fetch_transactions')
        self.assertEqual(notification['params']['type'], 'success')
        self.assertNotIn("did not ask", notification['params']['message'])

    def test_a_question_to_the_bank_that_is_refused_does_not_keep_from_reading(self):
        self.company.ponto_office_ip = '81.82.83.85'
        for fault in ({'status': 403}, {'status': 429}, {'status': 500}, {'kind': 'html'}):
            self.simulator.clear_faults()
            self.simulator.fail(None, path='^/synchronizations$', **fault)
            notification = self.call('action_fetch_transactions')['params']
            self.assertEqual(notification['type'], 'success', fault)
            self.assertIn("Ponto did not ask the bank for new transactions: ", notification['message'])
        self.assertEqual(self.lines(self.account).amount, 10)

    def test_a_bank_that_refuses_the_consent_is_told_on_the_account(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.simulator.fail_synchronization(2, account=self.online)
        self.call('action_fetch_transactions')
        for _look in range(4):
            [progress] = self.call('fetch_progress')
        self.assertIn("Reconnect", self.account.health_message)
        self.assertEqual((progress['stage'], progress['failed']), ('done', True))
        self.assertIn("Reconnect", progress['message'])

    def test_a_fetch_after_the_end_of_the_consent_does_not_say_in_green_that_there_is_nothing_new(self):
        self.simulator.advance(days=-2)
        self.simulator.reauthorize(self.online, days=1)
        notification = self.call('action_fetch_transactions')['params']
        self.assertEqual((notification['type'], notification['sticky']), ('danger', True))
        self.assertIn("consent ended on", notification['message'])

    def test_the_progress_counts_the_whole_fetch_and_ends_with_what_came_in(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        for number in range(250):
            self.simulator.add_bank_transaction(self.online, number + 1, '2026-03-03')
        looks = []
        while not looks or looks[-1]['stage'] != 'done':
            looks += self.call('fetch_progress')
        booking = [look for look in looks if look['stage'] == 'booking']
        self.assertEqual([(look['booked'], look['to_book']) for look in booking], [(201, 251)])
        self.assertEqual((looks[-1]['failed'], looks[-1]['message']), (False, "New transactions: 251, booked: 251."))

    def test_many_held_transactions_do_not_keep_the_progress_from_its_end(self):
        for _number in range(250):
            self.simulator.add_transaction(self.online, 1, '2025-03-03')
        self.company.fiscalyear_lock_date = '2025-12-31'
        self.account._read('manual')
        looks = []
        while not looks or (looks[-1]['stage'] != 'done' and len(looks) < 10):
            looks += self.call('fetch_progress')
        self.assertEqual(looks[-1]['stage'], 'done')
        self.simulator.add_transaction(self.online, 2, '2026-03-04')
        self.account._read('manual')
        self.assertEqual(self.call('fetch_progress')[0]['stage'], 'done')
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 2])

    def test_a_failure_ends_the_progress_and_says_why(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.call('action_fetch_transactions')
        self.simulator.fail(20, status=503, path='.*')
        [progress] = self.call('fetch_progress')
        self.simulator.clear_faults()
        self.assertEqual((progress['stage'], progress['failed']), ('done', True))
        self.assertIn("Ponto", progress['message'])

    def test_the_nightly_run_never_asks_the_bank(self):
        self.company.ponto_office_ip = '81.82.83.85'
        self.run_cron()
        self.assertFalse(self.asked())
