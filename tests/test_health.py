import json
import re
from datetime import timedelta
from pathlib import Path

from odoo import Command, fields
from odoo.addons.account_online_ponto.models.error_sentences import failure_of
from odoo.addons.account_online_ponto.models.ponto_account_monitoring import HEALTH
from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PATIENCE, PontoCase
from .simulator import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS

MODELS = Path(__file__).parents[1] / 'models'


@tagged('post_install', '-at_install')
class TestHealth(PontoCase):
    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)
        self.account = self.link()
        self.account._synchronize()
        self.feed = self.account.link_id
        self.feed.user_id = self.accountant

    def ago(self, **duration):
        return fields.Datetime.now() - timedelta(**duration)

    def tell(self):
        self.env.flush_all()
        self.env.ref('account_online_ponto.ir_cron_tell_problems').method_direct_trigger()
        self.env.invalidate_all()
        return self.silences()

    def silences(self):
        silence = self.env.ref('account_online_ponto.mail_activity_type_silence')
        return self.feed.activity_ids.filtered(lambda activity: activity.activity_type_id == silence)

    def attention(self):
        accounts = self.env['ponto.account'].with_user(self.accountant)
        return accounts.search([('needs_attention', '=', True)])

    def test_the_screen_shows_what_is_the_matter_and_nothing_that_is_well(self):
        self.assertFalse(self.attention())
        self.assertFalse(self.account.health_message)
        for vals, words in (
            ({'last_read_at': self.ago(days=2)}, "Nothing has come in since"),
            ({'state': 'error', 'failure': failure_of(UserError("Broken."))}, "Broken."),
            ({'state': 'withdrawn'}, "may no longer read"),
            ({'authorization_expires_at': self.ago(days=-5)}, "in 5 days"),
            ({'authorization_expires_at': self.ago(days=5)}, "consent ended on"),
            ({'bank_error_code': 'maintenance', 'bank_data_at': self.ago(hours=1)}, "could not ask the bank"),
        ):
            with self.subTest(words), self.env.cr.savepoint() as savepoint:
                self.account.write(vals)
                self.assertIn(words, self.account.health_message)
                self.assertEqual(self.attention(), self.account)
                savepoint.rollback()

    def test_the_worst_problems_come_first_unless_a_person_sorts(self):
        well = self.simulator.add_account('BE43068999999501', institution=self.bank)
        ending = self.simulator.add_account('BE02001234567840', institution=self.bank)
        for online in (well, ending):
            self.link(online)
        well, ending = (self.env['ponto.account'].search([('ponto_id', '=', online.id)]) for online in (well, ending))
        ending.authorization_expires_at = self.ago(days=-5)
        self.account.write({'state': 'error', 'failure': failure_of(UserError("Broken."))})
        health = self.env['ponto.account'].with_context(ponto_by_severity=True)
        linked = [('journal_id', '!=', False)]
        self.assertEqual(health.search(linked), self.account + ending + well)
        self.assertEqual(health.search(linked, offset=1, limit=1), ending)
        read = health.web_search_read(linked, {'problems': {}}, limit=2)
        self.assertEqual([row['id'] for row in read['records']], [self.account.id, ending.id])
        self.assertEqual(read['length'], 3)
        by_number = health.search(linked, order='reference')
        self.assertEqual(by_number, (self.account + ending + well).sorted('reference'))

    def test_held_transactions_are_counted(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02', extra={'currency': 'USD'})
        self.account._synchronize()
        self.assertIn("To review: 1.", self.account.health_message)

    def test_the_search_for_the_well_ones_finds_the_others(self):
        self.assertEqual(
            self.env['ponto.account'].search([('needs_attention', '=', False), ('journal_id', '!=', False)]),
            self.account,
        )

    def test_all_banks_have_their_turn_however_long_the_first_one_takes(self):
        other = self.simulator.add_institution("Andere Bank", bic='ANDEBEBB')
        savings = self.link(self.simulator.add_account('BE43068999999501', institution=other))
        savings.authorization_expires_at = False
        (self.account + savings).write({'last_read_at': self.ago(days=2)})
        for _run in range(2):
            self.end_jobs_after(1)
            self.tell()
        self.assertTrue(self.feed.activity_ids)
        self.assertTrue(savings.link_id.activity_ids)

    def test_each_problem_is_in_a_list_of_the_health_as_data(self):
        source = ''.join(path.read_text() for path in MODELS.glob('ponto_account*.py'))
        codes = set(re.findall(r"Problem\(\s*'(\w+)',\s*'(?:danger|warning)'", source))
        self.assertLess({'silent', 'held', 'opening', 'withdrawn_rows'}, codes)
        # Those that wait are counted.
        self.assertLessEqual(codes - {'held'}, {code for listed in HEALTH.values() for code in listed})

    def test_a_silence_is_told_once_and_no_more_when_it_is_over(self):
        self.assertFalse(self.tell())
        self.account._set_failed(failure_of(UserError("Out of reach.")), 1)
        self.account.last_read_at = self.ago(days=2)
        told = self.tell()
        self.assertEqual((told.summary, told.user_id), ("Nothing new from the bank", self.accountant))
        self.assertIn("Out of reach.", told.note)
        self.assertIn(self.account.reference, told.note)
        self.assertEqual(self.tell(), told)
        told.action_feedback()
        self.assertFalse(self.tell())
        self.account._synchronize()
        self.assertFalse(self.account.told)
        self.account.last_read_at = self.ago(days=2)
        self.assertTrue(self.tell())
        self.account._synchronize()
        self.assertFalse(self.feed.activity_ids)

    def test_a_bank_that_ponto_does_not_reach_is_silent_too(self):
        self.account.write({'bank_error_code': 'unavailable', 'bank_data_at': self.ago(days=3)})
        self.assertIn("Nothing has come in", self.tell().note)
        self.account.write(
            {'bank_error_code': False, 'bank_data_at': self.ago(hours=7), 'last_read_at': fields.Datetime.now()}
        )
        self.assertFalse(self.feed.activity_ids)

    def test_a_bank_that_ponto_does_not_ask_any_more_is_silent_too(self):
        self.account.bank_data_at = self.ago(days=3)
        self.assertIn("Nothing has come in", self.tell().note)

    def refuse_transactions(self):
        """Let the bank refuse its transactions to Ponto and answer for the balance."""
        self.simulator.fail_synchronization(account=self.online, subtype=ACCOUNT_TRANSACTIONS)
        self.simulator.add_bank_transaction(self.online, 100, '2026-03-03')
        self.simulator.synchronize(self.online, ACCOUNT_TRANSACTIONS, ACCOUNT_DETAILS)
        self.account._synchronize()

    def test_a_bank_that_refuses_its_transactions_and_answers_for_the_balance_is_a_failed_feed(self):
        self.refuse_transactions()
        [problem] = self.account._problems()
        self.assertEqual((problem.code, problem.severity, problem.remedy), ('consent_refused', 'danger', 'reconnect'))
        health = self.env['ponto.account'].with_user(self.accountant).get_health()
        self.assertFalse(health['is_healthy'])
        self.assertEqual([row['message'] for row in health['refused_by_bank']], [problem.sentence])
        self.assertEqual(self.account.link_id.state, 'attention')
        # The same words as where the balance is refused.
        self.account.write({'list_error_code': False, 'bank_error_code': 'authorizationInvalid'})
        self.assertEqual(self.account._problems(), [problem])

    def test_what_a_bank_refuses_for_a_day_is_told_by_the_same_activity_whatever_it_is(self):
        before = self.account.data_as_of
        self.simulator.advance(hours=30)
        self.refuse_transactions()
        self.assertGreater(self.account.bank_data_at, before)
        self.assertEqual(self.account.data_as_of, before)
        self.account.list_synchronized_at = self.ago(days=2)
        told = self.tell()
        self.assertEqual(told.summary, "Nothing new from the bank")
        self.assertIn("no longer accepts the consent", told.note)
        self.simulator.synchronize(self.online)
        self.account._synchronize()
        self.assertFalse(self.silences())
        self.assertFalse(self.account.health_message)

    def test_where_ponto_tells_nothing_of_the_list_the_balance_says_how_old_the_data_is(self):
        self.account.write({'list_synchronized_at': False})
        self.assertEqual(self.account.data_as_of, self.account.bank_data_at)

    def test_accounts_of_one_bank_share_the_activity(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.reauthorize(savings, days=3650)
        savings = self.link(savings)
        (self.account + savings).last_read_at = self.ago(days=2)
        [told] = self.tell()
        self.assertIn(savings.reference, told.note)
        savings.last_read_at = fields.Datetime.now()
        [told] = self.feed.activity_ids
        self.assertNotIn(savings.reference, told.note)

    def test_who_knows_it_already_is_not_told(self):
        silent = {'last_read_at': self.ago(days=2)}
        for vals in ({'state': 'withdrawn'}, {'authorization_expires_at': self.ago(days=1)}, {'journal_id': False}):
            with self.env.cr.savepoint() as savepoint:
                self.account.write({**silent, **vals})
                self.assertFalse(self.tell())
                savepoint.rollback()
        with self.env.cr.savepoint() as savepoint:
            self.account.write(silent)
            self.integration._set_disconnected()
            self.assertFalse(self.tell())
            savepoint.rollback()
        self.feed.auto_synchronize = False
        self.account.write(silent)
        self.assertFalse(self.tell())
        self.assertTrue(self.env['ponto.account'].get_health()['is_healthy'])

    def differences(self):
        difference = self.env.ref('account_online_ponto.mail_activity_type_difference')
        return self.feed.activity_ids.filtered(lambda activity: activity.activity_type_id == difference)

    def test_a_difference_that_lasts_is_told_once_with_its_amount_and_goes_with_its_reason(self):
        self.account.current_balance = 12.5
        self.tell()
        self.assertFalse(self.differences())
        self.assertFalse(self.account.health_message)
        self.account.unexplained_since = self.ago(days=1, hours=1)
        self.tell()
        told = self.differences()
        self.assertIn("12.50", told.note)
        health = self.env['ponto.account'].with_user(self.accountant).get_health()
        self.assertFalse(health['is_healthy'])
        [difference] = health['differences']
        self.assertEqual((difference['amount'], difference['currency']), (12.5, 'EUR'))
        self.assertEqual(self.account.problems[0]['remedy'], 'add_opening_line')
        told.action_feedback()
        self.tell()
        self.assertFalse(self.differences())
        self.account.current_balance = 0
        self.tell()
        self.assertFalse(self.account.unexplained_since)
        self.assertFalse(self.account.told)

    def test_a_difference_that_waits_under_to_review_is_no_alarm(self):
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account._synchronize()
        self.account.unexplained_since = self.ago(days=3)
        self.assertEqual(self.account.balance_difference, 10)
        self.assertEqual(self.account.health_message, "To review: 1.")
        self.tell()
        self.assertFalse(self.differences())
        self.assertFalse(self.account.unexplained_since)

    def test_a_silence_that_somebody_has_ended_otherwise_is_taken_back(self):
        self.account.last_read_at = self.ago(days=2)
        self.assertTrue(self.tell())
        self.account.action_unlink_journal()
        self.assertFalse(self.tell())


@tagged('post_install', '-at_install')
class TestMonitoring(PontoCase, HttpCase):
    """As a monitoring system asks, over the two doors that Odoo has for it."""

    def setUp(self):
        super().setUp()
        self.account = self.link()
        self.account.write(
            {'last_read_at': fields.Datetime.now() - timedelta(days=2), 'authorization_expires_at': False}
        )
        self.env.flush_all()

    def test_the_health_is_told_over_jsonrpc(self):
        health = self.make_jsonrpc_request(
            '/jsonrpc',
            {
                'service': 'object',
                'method': 'execute_kw',
                'args': [
                    self.env.cr.dbname,
                    self.accountant.id,
                    self.accountant.login,
                    'ponto.account',
                    'get_health',
                    [],
                ],
            },
            timeout=PATIENCE,
        )
        self.assertEqual((health['is_healthy'], health['feeds'], health['held']), (False, 1, 0))
        self.assertEqual([row['account'] for row in health['silent']], [self.online.reference])
        self.assertRegex(health['silent'][0]['since'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')

    def test_the_health_is_told_over_json2_to_whoever_may_know(self):
        outsider = new_test_user(self.env, 'ponto_outsider', groups='base.group_user')
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env,
            'ponto_stranger',
            groups='base.group_user,account.group_account_readonly',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        answers = {}
        for user in (self.accountant, outsider, stranger):
            key = (
                self.env['res.users.apikeys']
                .with_user(user)
                ._generate('rpc', 'monitoring', fields.Datetime.now() + timedelta(hours=1))
            )
            self.env.flush_all()
            answers[user] = self.url_open(
                '/json/2/ponto.account/get_health',
                data='{}',
                timeout=PATIENCE,
                headers={'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'},
            )
        self.assertEqual([answer.status_code for answer in answers.values()], [200, 403, 200])
        self.assertIn("Only accountants may see the state of the bank feeds", answers[outsider].text)
        self.assertEqual(json.loads(answers[self.accountant].text)['feeds'], 1)
        self.assertEqual(json.loads(answers[stranger].text)['feeds'], 0)
