from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCard(PontoCase):

    def card(self, account):
        journal = account.journal_id.with_user(self.accountant)
        return journal._get_journal_dashboard_data_batched()[journal.id]['ponto']

    def test_a_healthy_feed_shows_equal_balances_and_nothing_to_worry_about(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        account.authorization_expires_at = False
        card = self.card(account)
        self.assertTrue(card['is_equal'])
        self.assertEqual(
            (card['error'], card['consent_message'], card['held_count'], card['stage']), ('', '', 0, 'done'))
        self.assertTrue(card['last_read'] and card['next_read'] and card['bank_balance'])

    def test_a_difference_held_rows_and_an_error_are_on_the_card(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        account = self.link()
        account._synchronize()
        account.error_message = "Ponto cannot be reached"
        card = self.card(account)
        self.assertFalse(card['is_equal'])
        self.assertEqual((card['held_count'], card['error']), (1, "Ponto cannot be reached"))
        self.assertTrue(card['explanation'])

    def test_journals_without_a_feed_have_no_such_card(self):
        journal = self.env['account.journal'].create({'name': "Kas", 'type': 'cash', 'company_id': self.company.id})
        self.assertNotIn('ponto', journal._get_journal_dashboard_data_batched()[journal.id])
