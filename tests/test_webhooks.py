import time
from datetime import timedelta

from odoo import fields
from odoo.addons.account_online_ponto.controllers.webhook import MAX_BODY, PontoWebhookController
from odoo.tests import tagged

from .common import PATIENCE
from .test_connect_flow import ConnectCase


@tagged('post_install', '-at_install')
class TestWebhooks(ConnectCase):

    def setUp(self):
        super().setUp()
        PontoWebhookController.key_sets.clear()
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        self.account = wizard.line_ids.account_id
        self.account.next_read_at = fields.Datetime.now() + timedelta(days=1)
        self.env.flush_all()

    def post(self, body, signature):
        headers = {'Content-Type': 'application/json', **({'Signature': signature} if signature else {})}
        return self.url_open('/ponto/webhook', data=body, headers=headers, method='POST', timeout=PATIENCE).status_code

    def sign(self, event, **claims):
        """Return body and signature of `event`, signed now by this machine's clock."""
        now = int(time.time())
        return self.connect.sign_webhook(event, **{'iat': now, 'exp': now + 60, **claims})

    def send(self, kind='account.transactionsCreated', **relations):
        event = self.connect.event(kind, **relations)
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

    def test_a_body_that_is_too_large_is_refused(self):
        self.assertEqual(self.post(b'x' * (MAX_BODY + 1), 'x.y.z'), 413)

    def test_without_an_application_nothing_is_listened_to(self):
        self.env['ir.config_parameter'].set_param('account_online_ponto.connect_application_id', False)
        self.assertEqual(self.send(account=self.online), 404)

    def test_a_revoked_integration_stops_and_people_are_told(self):
        self.send('integration.revoked')
        self.run_scheduler()
        self.assertEqual((self.account.state, self.account.integration_id.state), ('withdrawn', 'refused'))
        self.assertIn("Permission ended", self.account.link_id.activity_ids.summary)

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
