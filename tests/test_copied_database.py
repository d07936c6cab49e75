"""A copy of a database beside the original, which must keep its consents."""

from odoo.tests import tagged

from .test_connect_flow import ConnectCase


@tagged('post_install', '-at_install')
class TestCopiedDatabase(ConnectCase):
    def copy_database(self):
        """Let this database be a copy: its tokens were issued for another one."""
        self.env['ponto.token'].search([]).database = 'another-uuid/production'
        self.env.flush_all()

    def test_a_copied_database_leaves_the_consent_of_the_original_alone(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        self.copy_database()
        calls = len(self.simulator.requests)
        self.run_cron()
        self.run_cron('ir_cron_keep_consents')
        self.assertEqual([call.path for call in self.simulator.requests[calls:] if 'financial' not in call.path], [])
        self.assertEqual((account.state, account.integration_id.state), ('error', 'refused'))
        self.assertIn("copy of another one", account.error_message)
        shown = account.integration_id.with_user(self.accountant).action_disconnect()
        self.assertIn("Ponto could not be informed", shown['params']['message'])
        self.assertTrue(self.connect.grant_of())

    def test_a_copied_database_works_with_a_consent_of_its_own(self):
        wizard = self.consent_without_browser()
        wizard.with_user(self.accountant).action_link_accounts()
        account = wizard.line_ids.account_id
        self.copy_database()
        self.run_cron()
        self.consent_without_browser()
        self.run_cron()
        self.assertEqual((account.state, account.integration_id.state), ('active', 'connected'))

    def test_a_token_of_before_names_its_database_with_the_next_renewal(self):
        integration = self.consent_without_browser().integration_id
        token = self.env['ponto.token'].search([])
        token.database = False
        self.env.flush_all()
        self.connect.revoke_access_tokens()
        integration._fetch_accounts()
        self.env.invalidate_all()
        self.assertTrue(token.database.endswith(f'/{self.env.cr.dbname}'))
