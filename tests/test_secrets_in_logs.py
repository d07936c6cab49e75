import logging

import psycopg2

from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import PontoCase

TYPED = 'typed-secret-of-a-bank-feed'
# Every logger that may be set to debug level, as `--log-level=debug_rpc` and a `log_handler` do.
LOGGERS = ('odoo.service.model', 'odoo.sql_db', 'odoo.http', 'urllib3', 'requests')


@tagged('post_install', '-at_install')
class TestSecretsInLogs(PontoCase):
    """Core's own log, at whatever level, holds neither a client secret nor a token."""

    def setUp(self):
        super().setUp()
        # The tests' configuration may have set levels of their own.
        for name in LOGGERS:
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)

    def test_a_call_over_rpc_leaves_the_secret_out(self):
        for model, field in (
            ('ponto.connect', 'client_secret'),
            ('ponto.integration', 'client_secret'),
            ('res.config.settings', 'ponto_connect_client_secret'),
        ):
            with self.assertLogs('odoo', 'DEBUG') as logs:
                call_kw(self.env[model], 'web_save', [[], {field: TYPED}], {'specification': {}})
            text = '\n'.join(logs.output)
            self.assertIn("A call is left out here", text)
            self.assertNotIn(TYPED, text)

    def test_a_query_that_fails_or_is_logged_leaves_the_secret_out(self):
        for query in (
            "INSERT INTO ponto_token (access_token, database) VALUES (%s, 1 / 0)",
            'UPDATE "ponto_token" SET "refresh_token" = %s WHERE 1 / 0 = 1',
            'UPDATE "ponto_integration" SET "client_secret_stored" = %s WHERE 1 / 0 = 1',
            "INSERT INTO ponto_connect (entered_secret, step) VALUES (%s, 1 / 0)",
            "INSERT INTO ir_config_parameter (value, key) VALUES (%s, 'account_online_ponto.connect_client_secret', 1)",
        ):
            with (
                self.subTest(query),
                self.assertLogs('odoo.sql_db', 'DEBUG') as logs,
                self.assertRaises(psycopg2.Error),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query, [TYPED])
            text = '\n'.join(logs.output)
            self.assertIn("A query is left out here", text)
            self.assertNotIn(TYPED, text)

    def test_what_is_no_secret_is_logged_as_ever(self):
        with self.assertLogs('odoo.sql_db', 'DEBUG') as logs:
            self.env.cr.execute("SELECT 'client_secret of another addon', %s", ['seen'])
        self.assertIn('seen', logs.output[0])

    def test_a_whole_run_at_debug_level_leaves_all_secrets_out(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        account = self.link()
        self.simulator.revoke_tokens()
        self.env['ponto.token'].search([]).unlink()
        with self.assertLogs('odoo', 'DEBUG') as logs:
            self.run_cron()
            account.with_user(self.accountant).action_fetch_transactions()
        text = '\n'.join(logs.output)
        for secret in (account.integration_id.client_secret, *self.env['ponto.token'].search([])._texts()):
            if secret:
                self.assertNotIn(secret, text)
