from datetime import timedelta

from odoo import Command, fields
from odoo.addons.account_online_ponto.models.error_sentences import failure_of
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCard(PontoCase):
    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)

    def data(self, journal, user=None):
        user = user or self.accountant
        journal = journal.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
        journal.env.invalidate_all()
        return journal._get_journal_dashboard_data_batched()[journal.id]

    def card(self, account, user=None):
        return self.data(account.journal_id, user)['ponto']

    def told(self, card):
        return [(problem['code'], problem['sentence']) for problem in card['problems']]

    def user(self, *groups, company=None):
        company = company or self.company
        return new_test_user(
            self.env,
            f'ponto_{len(self.env["res.users"].search([]))}',
            groups=','.join(groups),
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def test_a_healthy_feed_shows_equal_balances_and_nothing_to_worry_about(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        account.authorization_expires_at = False
        card = self.card(account)
        self.assertTrue(card['is_equal'])
        self.assertEqual((card['error'], card['stage'], card['problems']), ('', 'done', []))
        self.assertTrue(card['last_read'] and card['next_read'] and card['bank_balance'])

    def test_a_difference_held_rows_and_an_error_are_on_the_card(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        account = self.link()
        account._synchronize()
        account._set_failed(failure_of(UserError("Ponto cannot be reached")), 1)
        card = self.card(account)
        self.assertFalse(card['is_equal'])
        self.assertEqual(card['error'], "Ponto cannot be reached")
        self.assertIn(('held', "To review: 1."), self.told(card))
        self.assertEqual([reason['code'] for reason in card['reasons']], ['uncounted'])

    def test_an_ended_consent_is_said_once(self):
        account = self.link()
        account.write(
            {
                'authorization_expires_at': fields.Datetime.now() - timedelta(days=2),
                'bank_error_code': 'authorizationInvalid',
            }
        )
        card = self.card(account)
        self.assertEqual([code for code, _sentence in self.told(card)], ['consent_ended'])
        self.assertEqual((card['problems'][0]['remedy'], card['error']), ('reconnect', ''))
        self.assertIn("Nothing new has come in", card['problems'][0]['sentence'])
        self.assertEqual(account.link_id.state, 'attention')
        self.assertEqual(account.link_id.error_message, f"{account.reference}: {card['problems'][0]['sentence']}")

    def test_an_account_that_ponto_shows_no_more_needs_a_new_consent(self):
        account = self.link()
        account._set_withdrawn()
        card = self.card(account)
        self.assertEqual((card['is_withdrawn'], card['problems'][0]['remedy']), (True, 'fetch_accounts'))

    def test_an_account_that_is_withdrawn_after_a_failure_promises_no_next_run(self):
        account = self.link()
        self.simulator.fail(None, status=503, path=f'/accounts/{self.online.id}')
        account.action_fetch_transactions()
        self.assertIn("next automatic run", self.card(account)['error'])
        self.simulator.clear_faults()
        self.simulator.untick(self.online)
        self.integration._fetch_accounts()
        card = self.card(account)
        self.assertEqual((card['error'], card['next_read']), ('', ''))
        self.assertEqual([code for code, _sentence in self.told(card)], ['withdrawn'])
        self.simulator.tick(self.online)
        self.integration._fetch_accounts()
        self.assertFalse(self.card(account)['problems'])

    def test_card_health_and_online_synchronization_say_the_same_words(self):
        account = self.link()
        account._set_failed(failure_of(UserError("Ponto cannot be reached")), 1)
        account.authorization_expires_at = fields.Datetime.now() - timedelta(days=2)
        sentences = [sentence for _code, sentence in self.told(self.card(account))]
        self.assertEqual(len(sentences), 2)
        self.assertEqual(account.health_message, '\n'.join(sentences))
        self.assertEqual(
            account.link_id.error_message, '\n'.join(f'{account.reference}: {sentence}' for sentence in sentences)
        )
        health = self.env['ponto.account'].with_user(self.accountant).get_health()
        told = [row['message'] for rows in health.values() if isinstance(rows, list) for row in rows]
        self.assertEqual(set(told), set(sentences))

    def test_a_bank_that_was_disconnected_in_odoo_does_not_blame_ponto(self):
        account = self.link()
        self.integration.with_user(self.accountant).action_disconnect()
        [problem] = self.card(account)['problems']
        self.assertEqual((problem['code'], problem['remedy']), ('disconnected', 'connect'))
        self.assertNotIn("Ponto", problem['sentence'])

    def test_who_may_only_look_gets_no_remedy_but_a_look(self):
        account = self.link()
        account.authorization_expires_at = fields.Datetime.now() - timedelta(days=2)
        [problem] = self.card(account, self.user('account.group_account_readonly'))['problems']
        self.assertEqual((problem['code'], problem['remedy']), ('consent_ended', ''))

    def test_who_may_only_look_gets_no_buttons(self):
        account = self.link()
        looking = self.card(account, self.user('account.group_account_readonly'))
        self.assertEqual((looking['can_fetch'], looking['can_reconnect']), (False, False))
        booking = self.card(account, self.user('account.group_account_user'))
        self.assertEqual((booking['can_fetch'], booking['can_reconnect']), (True, False))
        deciding = self.card(account, self.user('account.group_account_manager'))
        self.assertEqual((deciding['can_fetch'], deciding['can_reconnect']), (True, True))

    def test_who_may_not_see_bank_feeds_gets_the_card_without(self):
        account = self.link()
        self.assertNotIn('ponto', self.data(account.journal_id, self.user('account.group_account_invoice')))

    def test_journals_without_a_feed_have_no_such_card_and_can_be_connected(self):
        cash, bank = self.env['account.journal'].create(
            [
                {'name': "Kas", 'type': 'cash', 'company_id': self.company.id},
                {'name': "Bank", 'type': 'bank', 'company_id': self.company.id},
            ]
        )
        self.assertNotIn('ponto', self.data(cash))
        self.assertFalse(self.data(cash)['can_connect_ponto'])
        self.assertNotIn('ponto', self.data(bank))
        self.assertTrue(self.data(bank)['can_connect_ponto'])
        self.assertFalse(self.data(self.link().journal_id)['can_connect_ponto'])
        self.assertNotIn('can_connect_ponto', self.data(bank, self.user('account.group_account_user')))

    def test_feeds_of_other_companies_stay_unseen(self):
        account = self.link()
        branch = self.env['res.company'].create({'name': "Elders", 'parent_id': self.company.id})
        data = self.data(account.journal_id, self.user('account.group_account_manager', company=branch))
        self.assertNotIn('ponto', data)
        self.assertFalse(data['can_connect_ponto'])

    def test_twenty_feeds_cost_few_queries_more_than_one_unless_they_differ(self):
        for number in range(20):
            online = self.simulator.add_account(f'BE{number:014}', institution=self.bank)
            self.simulator.add_transaction(online, 10, '2026-03-02')
        self.integration._fetch_accounts()
        accounts = self.env['ponto.account'].search([('reference', 'like', 'BE000')]).with_user(self.accountant)
        for account in accounts.sudo():
            account._link_to_new_journal()
        accounts.sudo()._synchronize()
        self.queries(accounts)  # fills the caches
        self.assertLessEqual(self.queries(accounts), self.queries(accounts[0]) + 2)
        equal = self.queries(accounts)
        accounts.sudo().write({'current_balance': 11})
        self.assertLessEqual(self.queries(accounts) - equal, 10 * len(accounts))

    def queries(self, accounts):
        """Return how many queries the cards of these accounts make."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        accounts.search([('id', 'in', accounts.ids)])._prepare_cards_vals()
        return self.env.cr.sql_log_count - before
