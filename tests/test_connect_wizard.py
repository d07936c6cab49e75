from datetime import date

from lxml import etree

from odoo.addons.account_online_ponto.models import budget
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import PontoCase
from .simulator import CLIENT_ID, CLIENT_SECRET


@tagged('post_install', '-at_install')
class TestConnectWizard(PontoCase):
    def setUp(self):
        super().setUp()
        self.other_bank = self.simulator.add_institution("Duinbank", bic='DUINBEBB')
        self.savings = self.simulator.add_account('BE43068999999501', institution=self.other_bank, subtype='savings')
        self.simulator.add_transaction(self.online, 100, '2026-03-02')
        self.integration.unlink()

    def connect(self, **vals):
        """Return the wizard of a newcomer, connected."""
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            .create({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET, **vals})
        )
        wizard.action_connect()
        return wizard

    def link_without_older_ones(self):
        """Return the wizard at the opening line of 900, which stands for a transaction before the start date."""
        wizard = self.connect()
        wizard.line_ids.filtered(lambda line: line.reference != 'BE68539007547034').action = 'skip'
        self.simulator.add_transaction(self.online, 900, '2026-02-01')
        wizard.line_ids.start_date = date(2026, 3, 1)
        wizard.action_link_accounts()
        return wizard

    def institution(self, bank):
        return self.env['ponto.institution'].create({'ponto_id': bank.id, 'name': bank.attributes['name']})

    def test_every_account_goes_to_a_new_journal_an_existing_one_or_waits(self):
        existing = self.env['account.journal'].create(
            {
                'name': "Kade zicht",
                'type': 'bank',
                'company_id': self.company.id,
                'bank_acc_number': 'BE68 5390 0754 7034',
            }
        )
        wizard = self.connect()
        by_number = {line.reference: line for line in wizard.line_ids}
        self.assertRecordValues(by_number['BE68539007547034'], [{'action': 'existing', 'journal_id': existing.id}])
        self.assertNotEqual(by_number['BE43068999999501'].journal_id, existing)
        by_number['BE43068999999501'].action = 'skip'
        wizard.action_link_accounts()
        accounts = self.env['ponto.account'].search([])
        self.assertEqual(accounts.journal_id, existing)
        self.assertEqual(self.lines(accounts.filtered('journal_id')).amount, 100)
        self.assertEqual(existing.bank_statements_source, 'ponto')

    def test_the_unused_journal_of_the_chart_of_accounts_is_proposed_for_the_first_account(self):
        unused = self.env['account.journal'].search([('company_id', '=', self.company.id), ('type', '=', 'bank')])
        wizard = self.connect()
        self.assertRecordValues(
            wizard.line_ids, [{'action': 'existing', 'journal_id': unused.id}, {'action': 'new', 'journal_id': False}]
        )
        wizard.action_link_accounts()
        number = unused.bank_account_id.sanitized_acc_number
        self.assertEqual(number, wizard.line_ids[0].reference, "later it is found by its number")

    def test_a_journal_that_may_be_another_ones_is_not_proposed(self):
        unused = self.env['account.journal'].search([('company_id', '=', self.company.id), ('type', '=', 'bank')])
        usd = self.env.ref('base.USD')
        for change in (
            lambda: unused.write({'bank_acc_number': 'BE02001234567840'}),
            lambda: unused.copy({'name': "Second"}),
            lambda: unused.write({'currency_id': usd.id}),
            lambda: self.env['account.bank.statement.line'].create(
                {'journal_id': unused.id, 'date': '2026-02-28', 'amount': 900, 'payment_ref': "By hand"}
            ),
        ):
            with self.env.cr.savepoint() as savepoint:
                change()
                self.assertEqual(self.connect().line_ids.mapped('action'), ['new', 'new'])
                savepoint.rollback()

    def test_the_end_tells_what_is_connected_whether_balances_are_equal_and_when_the_next_fetch_is(self):
        self.set_pontos_clock()
        for online in (self.online, self.savings):
            self.simulator.reauthorize(online)
        action = self.connect().action_link_accounts()
        self.assertEqual(action['params']['type'], 'success')
        message = action['params']['message']
        for words in ("Accounts connected: 2.", "Odoo's balances equal the bank's.", "Next fetch: "):
            self.assertIn(words, message)

    def test_no_opening_line_is_offered_while_the_transactions_could_not_be_read(self):
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        self.simulator.fail(None, status=500, path='/transactions$')
        wizard.action_link_accounts()
        self.assertFalse(wizard.line_ids.make_opening_line)
        self.simulator.clear_faults()
        self.run_cron()
        account = self.env['ponto.account'].search([('ponto_id', '=', self.online.id)])
        self.assertEqual(account.journal_balance, 100)

    def test_an_account_that_was_linked_in_another_window_meanwhile_is_not_linked_again(self):
        first, second = self.connect(), self.connect()
        first.action_link_accounts()
        with self.assertRaisesRegex(UserError, "linked to the journal"):
            second.action_link_accounts()

    def test_only_the_picked_institutions_accounts_are_offered_and_one_click_adds_the_others(self):
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        self.assertEqual(wizard.line_ids.mapped('reference'), ['BE68539007547034'])
        self.assertEqual(wizard.other_account_count, 1)
        wizard.action_add_other_accounts()
        self.assertEqual(len(wizard.line_ids), 2)

    def test_no_account_of_the_picked_institution_names_those_that_were_authorized(self):
        third = self.simulator.add_institution("Heidebank")
        wizard = self.connect(institution_id=self.institution(third).id)
        self.assertFalse(wizard.line_ids)
        for name in ("No account of Heidebank", "Kadebank", "Duinbank"):
            self.assertIn(name, wizard.message)
        self.simulator.add_account('BE02001234567840', institution=third)
        wizard.action_fetch_accounts()
        self.assertEqual(wizard.line_ids.reference, 'BE02001234567840')
        self.assertFalse(wizard.message)

    def test_an_integration_without_accounts_says_what_to_do(self):
        self.simulator.untick(self.online)
        self.simulator.untick(self.savings)
        self.assertIn("tick the accounts", self.connect().message)

    def test_the_opening_line_is_shown_before_it_is_made(self):
        wizard = self.link_without_older_ones()
        self.assertEqual(wizard.step, 'opening')
        self.assertRecordValues(
            wizard.line_ids, [{'opening_amount': 900, 'opening_date': date(2026, 3, 1), 'make_opening_line': True}]
        )
        account = wizard.line_ids.account_id
        self.assertFalse(self.lines(account))
        wizard.action_finish()
        self.assertEqual(self.lines(account).mapped('amount'), [900, 100])
        self.assertEqual(account.sudo().balance_difference, 0)

    def test_the_opening_line_that_was_shown_is_made_when_a_scheduled_run_has_booked_meanwhile(self):
        wizard = self.link_without_older_ones()
        self.run_cron()
        account = wizard.line_ids.account_id
        self.assertEqual(self.lines(account).mapped('amount'), [100])
        wizard.action_finish()
        self.assertEqual(self.lines(account).mapped('amount'), [900, 100])

    def test_an_opening_line_that_cannot_be_made_any_more_is_told(self):
        wizard = self.link_without_older_ones()
        account = wizard.line_ids.account_id
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-02-28', 'amount': 900, 'payment_ref': "By hand"}
        )
        self.assertIn("was not created", wizard.action_finish()['params']['message'])
        self.assertEqual(self.lines(account).mapped('amount'), [900, 100])

    def test_an_opening_line_whose_amount_has_changed_since_it_was_shown_is_not_made(self):
        wizard = self.link_without_older_ones()
        account = wizard.line_ids.account_id
        account.sudo().current_balance += 5
        self.assertIn("was not created", wizard.action_finish()['params']['message'])
        self.assertEqual(self.lines(account).mapped('amount'), [100])

    def test_a_history_too_long_for_one_request_is_linked_and_read_in_the_background(self):
        self.patch(budget, 'PAGES', 1)
        self.simulator.set_page_size(5)
        for number in range(20):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        wizard = self.connect()
        wizard.line_ids.filtered(lambda line: line.reference != 'BE68539007547034').action = 'skip'
        action = wizard.action_link_accounts()
        self.assertIn("read in the background", action['params']['message'])
        for _run in range(2):
            self.run_cron()
        self.assertEqual(len(self.lines(wizard.line_ids.account_id)), 21)

    def test_an_opening_line_that_is_not_wanted_is_not_made(self):
        wizard = self.link_without_older_ones()
        wizard.line_ids.make_opening_line = False
        message = wizard.action_finish()['params']['message']
        self.assertNotIn("Odoo's balances equal the bank's.", message)
        self.assertEqual(self.lines(wizard.line_ids.account_id).amount, 100)

    def test_fetch_accounts_offers_new_ones_leaves_known_ones_and_names_the_lost(self):
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        wizard.action_link_accounts()
        account = wizard.line_ids.account_id
        journal = account.journal_id
        self.simulator.untick(self.online)
        fresh = self.simulator.add_account('BE02001234567840', institution=self.bank)
        action = account.link_id.with_user(self.accountant).action_fetch_accounts()
        again = self.env['ponto.connect'].browse(action['res_id'])
        self.assertEqual(again.line_ids.reference, fresh.reference)
        self.assertIn("No longer authorized at Ponto: BE68539007547034", again.message)
        self.assertRecordValues(account, [{'state': 'withdrawn', 'journal_id': journal.id}])
        self.simulator.tick(self.online)
        account.link_id.action_fetch_accounts()
        self.assertRecordValues(account, [{'state': 'active', 'journal_id': journal.id}])

    def test_wrong_new_credentials_leave_the_working_ones(self):
        wizard = self.connect()
        integration = wizard.integration_id
        action = integration.link_ids[0].with_user(self.accountant).action_update_credentials()
        update = self.env['ponto.connect'].with_user(self.accountant).browse(action['res_id'])
        update.client_secret = 'wrong'
        with self.assertRaises(UserError):
            update.action_connect()
        self.assertEqual(integration.sudo().client_secret, CLIENT_SECRET)

    def test_a_bank_that_was_disconnected_says_so_and_reconnect_leads_to_its_credentials(self):
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        wizard.action_link_accounts()
        account, link = wizard.line_ids.account_id, wizard.line_ids.account_id.link_id.with_user(self.accountant)
        wizard.integration_id.with_user(self.accountant).action_disconnect()
        self.assertEqual(link.state, 'draft')
        again = self.env['ponto.connect'].with_user(self.accountant).browse(link.action_reauthorize()['res_id'])
        self.assertEqual(again.step, 'credentials')
        again.write({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET})
        again.action_connect()
        self.run_cron()
        self.assertEqual((account.state, account.integration_id.state), ('active', 'connected'))
        self.assertEqual(self.lines(account).amount, 100)

    def test_reconnect_of_accounts_that_ponto_shows_no_more_says_to_tick_them_again(self):
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        wizard.action_link_accounts()
        account = wizard.line_ids.account_id
        self.simulator.untick(self.online)
        account.integration_id._fetch_accounts()
        opened = account.link_id.with_user(self.accountant).action_reauthorize()
        again = self.env[opened['res_model']].browse(opened['res_id'])
        self.assertIn("tick the accounts of Kadebank", again.message)
        self.simulator.tick(self.online)
        again.with_user(self.accountant).action_fetch_accounts()
        self.assertEqual(account.state, 'active')

    def test_two_accounts_with_one_number_in_two_currencies_get_a_journal_each(self):
        self.simulator.add_account('BE68539007547034', institution=self.bank, currency='USD')
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        wizard.action_link_accounts()
        journals = wizard.line_ids.account_id.journal_id
        self.assertEqual(len(journals), 2)
        self.assertEqual(set(journals.mapped('currency_id.name')) | {'EUR'}, {'USD', 'EUR'})

    def test_a_card_without_an_account_number_gets_a_credit_card_journal(self):
        card = self.simulator.add_account(
            '5123XXXXXXXX1234', institution=self.bank, subtype='card', reference_type='MASKEDPAN'
        )
        wizard = self.connect(institution_id=self.institution(self.bank).id)
        wizard.action_link_accounts()
        journal = wizard.line_ids.account_id.filtered(lambda account: account.ponto_id == card.id).journal_id
        self.assertEqual((journal.type, bool(journal.bank_account_id)), ('credit', False))

    def test_the_window_says_how_long_the_permission_of_the_bank_lasts(self):
        bank = self.simulator.add_institution("Halfjaarbank", expected_authorization_lifetime=180)
        self.env['ponto.institution']._refresh_catalogue()
        institution = self.env['ponto.institution'].search([('ponto_id', '=', bank.id)])
        wizard = self.env['ponto.connect'].create({'institution_id': institution.id})
        self.assertEqual(wizard.consent_days, 180)
        view = etree.fromstring(wizard.get_view(view_type='form')['arch'])
        [field] = view.xpath("//field[@name='consent_days']")
        self.assertIn("not consent_days", field.getparent().get('invisible'))

    def test_only_an_invoicing_administrator_connects_a_bank(self):
        clerk = new_test_user(self.env, 'ponto_clerk', groups='account.group_account_user', company_id=self.company.id)
        with self.assertRaises(AccessError):
            self.env['ponto.connect'].with_user(clerk).action_add_bank_account()
