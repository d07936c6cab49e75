from cryptography.fernet import Fernet

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import config

from .common import PontoCase
from .simulator import CLIENT_SECRET


@tagged('post_install', '-at_install')
class TestEncryption(PontoCase):
    def use_keys(self, *keys):
        self.addCleanup(config.options.pop, 'ponto_encryption_keys', None)
        config['ponto_encryption_keys'] = ','.join(keys)
        self.env.invalidate_all()

    def stored(self):
        """Return everything secret as it lies in the database."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT i.client_secret_stored, t.access_token FROM ponto_integration i
              JOIN ponto_token t ON t.integration_id = i.id WHERE i.id = %s""",
            [self.integration.id],
        )
        return self.env.cr.fetchone()

    def test_with_a_key_neither_secret_nor_token_is_readable_in_the_database(self):
        self.use_keys(Fernet.generate_key().decode())
        self.integration.client_secret = CLIENT_SECRET
        self.integration._fetch_accounts()
        secret, token = self.stored()
        self.assertTrue(secret.startswith('fernet:'))
        self.assertTrue(token.startswith('fernet:'))
        self.assertNotIn(CLIENT_SECRET, secret)
        self.env.invalidate_all()
        self.assertEqual(self.integration.client_secret, CLIENT_SECRET)

    def test_what_was_stored_before_there_was_a_key_still_works_and_is_encrypted_on_request(self):
        self.integration._fetch_accounts()
        self.assertEqual(self.stored()[0], CLIENT_SECRET)
        self.use_keys(Fernet.generate_key().decode())
        self.integration._fetch_accounts()
        self.env['ponto.integration']._reencrypt_secrets()
        self.assertTrue(all(text.startswith('fernet:') for text in self.stored()))
        self.integration._fetch_accounts()

    def test_a_key_is_rotated_without_entering_anything_again(self):
        old, new = (Fernet.generate_key().decode() for _key in range(2))
        self.use_keys(old)
        self.integration.client_secret = CLIENT_SECRET
        self.integration._fetch_accounts()
        self.env['res.config.settings'].create({'ponto_connect_client_secret': "the application's"}).execute()
        before = self.everything_encrypted()
        self.use_keys(new, old)
        self.env['ponto.integration']._reencrypt_secrets()
        self.assertFalse(before & self.everything_encrypted())
        self.use_keys(new)
        self.assertEqual(self.integration.client_secret, CLIENT_SECRET)
        self.assertEqual(self.env['ponto.integration']._connect_secret(), "the application's")
        asked = len([call for call in self.simulator.requests if call.path == '/oauth2/token'])
        self.integration._fetch_accounts()
        self.assertEqual(len([call for call in self.simulator.requests if call.path == '/oauth2/token']), asked)

    def everything_encrypted(self):
        """Return all that lies encrypted in the database: secrets, a token, and the secret of the application."""
        parameter = self.env['ir.config_parameter'].get_param('account_online_ponto.connect_client_secret')
        found = {*self.stored(), parameter}
        self.assertEqual(len([text for text in found if text.startswith('fernet:')]), 3)
        return found

    def test_a_lost_key_is_told_in_a_sentence(self):
        self.use_keys(Fernet.generate_key().decode())
        self.integration.client_secret = CLIENT_SECRET
        self.env.flush_all()
        for keys in ((), (Fernet.generate_key().decode(),)):
            self.use_keys(*keys)
            with self.assertRaisesRegex(UserError, "Update Credentials"):
                self.integration._client()
