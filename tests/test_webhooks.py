import gzip
import logging
import socket
import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.account_online_ponto.controllers.rate_limit import EVERYBODY_ELSE, LIMIT, RateLimit
from odoo.addons.account_online_ponto.controllers.webhook import MAX_BODY, PontoWebhookController
from odoo.tests import BaseCase, tagged

from .common import PATIENCE
from .test_connect_flow import ConnectCase


class TestRateLimit(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 0
        self.rate_limit = RateLimit(clock=lambda: self.now)

    def test_beyond_the_limit_the_rest_of_the_minute_is_to_be_waited(self):
        self.now = 20
        self.assertEqual([self.rate_limit.add('1.1.1.1') for _time in range(LIMIT)], [None] * LIMIT)
        self.assertEqual(self.rate_limit.add('1.1.1.1'), 40)
        self.assertIsNone(self.rate_limit.add('2.2.2.2'))
        self.now = 61
        self.assertIsNone(self.rate_limit.add('1.1.1.1'))

    def test_countless_addresses_fill_no_memory(self):
        with patch(f'{RateLimit.__module__}.MAX_SOURCES', 5):
            waits = [self.rate_limit.add(number) for number in range(LIMIT + 6)]
        self.assertEqual(waits, [None] * (LIMIT + 5) + [60])
        self.assertEqual(len(self.rate_limit._counts), 6)
        self.assertIn(EVERYBODY_ELSE, self.rate_limit._counts)


@tagged('post_install', '-at_install')
class TestWebhooks(ConnectCase):
    def setUp(self):
        super().setUp()
        PontoWebhookController.key_sets.clear()
        PontoWebhookController.rate_limit = RateLimit()
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        self.account = wizard.line_ids.account_id
        self.account.next_read_at = fields.Datetime.now() + timedelta(days=1)
        self.env.flush_all()

    def open(self, body, signature):
        headers = {'Content-Type': 'application/json', **({'Signature': signature} if signature else {})}
        return self.url_open('/ponto/webhook', data=body, headers=headers, method='POST', timeout=PATIENCE)

    def post(self, body, signature):
        return self.open(body, signature).status_code

    def sign(self, event, **claims):
        """Return body and signature of `event`, signed now by this machine's clock."""
        now = int(time.time())
        return self.connect.sign_webhook(event, **{'iat': now, 'exp': now + 60, **claims})

    def send(self, kind='account.transactionsCreated', age=timedelta(), **relations):
        """Send a notice that Ponto has made `age` ago, by this machine's clock."""
        made_at = fields.Datetime.now() - age + timedelta(seconds=1)
        event = self.connect.event(kind, createdAt=made_at.isoformat() + 'Z', **relations)
        return self.post(*self.sign(event))

    def run_scheduler(self):
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.env.invalidate_all()

    def test_a_genuine_notice_has_its_account_read_by_the_runner(self):
        self.simulator.add_transaction(self.online, 200, '2026-03-03')
        self.assertEqual(self.send(account=self.online, count=1), 204)
        self.assertEqual(self.lines(self.account).mapped('amount'), [100])
        self.run_scheduler()
        self.assertEqual(self.lines(self.account).mapped('amount'), [100, 200])

    def test_the_same_notice_twice_is_kept_once(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        self.assertEqual([self.post(body, signature), self.post(body, signature)], [204, 204])
        self.assertEqual(self.env['ponto.event'].search_count([]), 1)

    def test_a_repeated_notice_logs_no_error(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        self.post(body, signature)
        with self.assertNoLogs('odoo.sql_db', logging.ERROR):
            self.assertEqual(self.post(body, signature), 204)

    def test_a_flood_of_forgeries_hears_to_wait_and_keeps_no_genuine_notice_out(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        for _time in range(LIMIT):
            self.assertEqual(self.post(body + b' ', signature), 403)
        with self.assertNoLogs('odoo.addons.account_online_ponto.controllers.webhook', logging.INFO):
            response = self.open(body + b' ', signature)
        self.assertEqual(response.status_code, 429)
        self.assertTrue(0 < int(response.headers['Retry-After']) <= 60)
        self.assertEqual(self.post(body, signature), 204)

    def test_what_is_not_genuine_is_refused_and_leaves_nothing(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        event = self.connect.event('account.detailsUpdated', account=self.online)
        for name, (sent, signed) in {
            'no signature': (body, None),
            'another body': (body + b' ', signature),
            'another audience': self.sign(event, aud='somebody-else'),
            'another issuer': self.sign(event, iss='https://evil.example'),
            'too old': self.sign(event, iat=1, exp=61),
            'nonsense': (b'\x00\xff', 'x.y.z'),
        }.items():
            with self.subTest(name):
                self.assertEqual(self.post(sent, signed), 403)
        self.assertFalse(self.env['ponto.event'].search([]))

    def test_a_compressed_body_is_not_inflated(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        for sent, encoding in ((gzip.compress(body), 'gzip'), (gzip.compress(b'0' * 50_000_000), 'gzip'), (body, 'x')):
            headers = {'Content-Type': 'application/json', 'Signature': signature, 'Content-Encoding': encoding}
            response = self.url_open('/ponto/webhook', data=sent, headers=headers, method='POST', timeout=PATIENCE)
            # What is signed is the bytes as they came: only the last one's are those that Ponto has signed.
            self.assertEqual(response.status_code, 204 if sent == body else 403)

    def test_no_header_gives_a_flood_another_address_or_a_notice_another_target(self):
        body, signature = self.sign(self.connect.event('account.detailsUpdated', account=self.online))
        statuses = []
        for number in range(LIMIT + 1):
            headers = {
                'Signature': 'x.y.z',
                'X-Forwarded-For': f'192.0.2.{number}',
                'X-Real-IP': f'192.0.2.{number}',
                'Forwarded': f'for=192.0.2.{number}',
                'X-HTTP-Method-Override': 'GET',
                'X-Original-URL': '/web/database/drop',
            }
            response = self.url_open('/ponto/webhook', data=body, headers=headers, method='POST', timeout=PATIENCE)
            statuses.append(response.status_code)
        self.assertEqual(statuses, [403] * LIMIT + [429])
        self.assertFalse(self.env['ponto.event'].search([]))
        self.assertEqual(self.post(body, signature), 204)

    def test_only_a_post_reaches_the_webhook(self):
        for method in ('GET', 'PUT', 'DELETE', 'PATCH'):
            response = self.url_open('/ponto/webhook', data=b'{}', method=method, timeout=PATIENCE)
            self.assertEqual(response.status_code, 405)

    def test_a_body_that_is_too_large_is_refused(self):
        self.assertEqual(self.post(b'x' * (MAX_BODY + 1), 'x.y.z'), 413)

    def test_a_body_that_is_cut_off_leaves_nothing(self):
        with socket.create_connection(('127.0.0.1', self.http_port()), timeout=PATIENCE) as connection:
            connection.sendall(
                b'POST /ponto/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nSignature: x.y.z\r\n'
                b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"data":'
            )
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1000)
        self.assertIn(answer[:12], (b'HTTP/1.0 400', b'HTTP/1.1 400', b'HTTP/1.0 403', b'HTTP/1.1 403'))
        self.assertFalse(self.env['ponto.event'].search([]))

    def test_without_an_application_nothing_is_listened_to(self):
        for name in ('application_id', 'client_id', 'client_secret', 'certificate_id'):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.env['ir.config_parameter'].set_param(f'account_online_ponto.connect_{name}', False)
                self.assertEqual(self.send(account=self.online), 404)
                savepoint.rollback()

    def test_a_revoked_integration_stops_and_people_are_told(self):
        self.send('integration.revoked')
        self.run_scheduler()
        self.assertEqual((self.account.state, self.account.integration_id.state), ('withdrawn', 'refused'))
        self.assertIn("Permission ended", self.account.link_id.activity_ids.summary)

    def test_a_revocation_by_ones_own_disconnecting_is_no_news(self):
        self.account.integration_id.with_user(self.accountant).action_disconnect()
        self.send('integration.revoked')
        self.run_scheduler()
        self.assertEqual(self.account.integration_id.state, 'draft')
        self.assertFalse(self.account.link_id.activity_ids)

    def test_a_late_notice_of_a_revocation_does_not_undo_a_newer_consent(self):
        self.assertTrue(self.account.integration_id.consented_at)
        self.send('integration.revoked', age=timedelta(minutes=10))
        self.send('integration.accountRevoked', age=timedelta(minutes=10), account=self.online)
        self.run_scheduler()
        self.assertEqual((self.account.state, self.account.integration_id.state), ('active', 'connected'))
        self.assertFalse(self.account.link_id.activity_ids)

    def test_a_revoked_account_that_is_not_named_is_none(self):
        self.send('integration.accountRevoked')
        self.run_scheduler()
        self.assertEqual(self.account.state, 'active')

    def test_news_do_not_lift_a_back_off_but_a_renewal_does(self):
        later = fields.Datetime.now() + timedelta(hours=3)
        self.account.write({'state': 'error', 'next_read_at': later})
        self.send(account=self.online)
        self.run_scheduler()
        self.assertEqual(self.account.next_read_at, later)
        self.send('account.reauthorized', account=self.online)
        self.run_scheduler()
        self.assertEqual(self.account.state, 'active')

    def test_a_notice_about_a_busy_account_is_tried_again_within_minutes(self):
        self.send(account=self.online)
        triggers = self.env['ir.cron.trigger'].search([])
        accounts = type(self.env['ponto.account'])
        with patch.object(accounts, '_lock_turn', lambda records: records.browse()):
            self.run_scheduler()
        self.assertFalse(self.env['ponto.event'].search([]).is_applied)
        soon = fields.Datetime.now() + timedelta(minutes=2)
        self.assertTrue(
            (self.env['ir.cron.trigger'].search([]) - triggers).filtered(
                lambda trigger: fields.Datetime.now() < trigger.call_at < soon
            )
        )
        self.run_scheduler()
        self.assertTrue(self.env['ponto.event'].search([]).is_applied)

    def test_people_are_told_in_their_language(self):
        self.env['res.lang']._activate_lang('nl_BE')
        self.env['ir.module.module']._load_module_terms(['account_online_ponto'], ['nl_BE'])
        self.account.link_id._responsible().lang = 'nl_BE'
        self.send('integration.revoked')
        self.run_scheduler()
        self.assertIn("Ponto", self.account.link_id.activity_ids.summary)
        self.assertNotIn("Permission ended", self.account.link_id.activity_ids.summary)

    def test_a_revoked_account_is_marked_and_people_are_told(self):
        self.send('integration.accountRevoked', account=self.online)
        self.run_scheduler()
        self.assertEqual(self.account.state, 'withdrawn')
        self.assertIn(self.online.reference, self.account.link_id.activity_ids.note)

    def test_a_notice_about_an_unknown_organization_changes_nothing(self):
        other = self.connect.add_organization("Somebody else")
        self.assertEqual(self.send('integration.revoked', organization=other), 204)
        self.run_scheduler()
        self.assertEqual(self.account.state, 'active')
