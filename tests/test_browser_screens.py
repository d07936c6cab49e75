from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .browser import BrowserCase
from .simulator import CLIENT_SECRET

CARD = '.o_kanban_record:has(.o_ponto_card)'
SYNCHRONIZATION = '/odoo/action-account_online_ponto.ponto_link_action?debug=1'


@tagged('post_install', '-at_install')
class TestBrowserScreens(BrowserCase):
    """What a screen says is so, and what it offers leads somewhere."""

    def setUp(self):
        super().setUp()
        self.consent_ends(days=90)
        self.set_pontos_clock()
        self.simulator.add_transaction(self.online, 100, '2026-03-02', remittance_information="First")
        self.accountant.group_ids |= self.env.ref('base.group_no_one')

    def consent_ends(self, days, online=None):
        ends = fields.Datetime.now() + timedelta(days=days)
        given = ends - timedelta(days=90)
        self.simulator.change_account(
            online or self.online,
            authorized_at=f'{given.isoformat()}Z',
            authorization_expiration_expected_at=f'{ends.isoformat()}Z',
        )

    def linked(self, **vals):
        account = self.link(**vals)
        account._synchronize()
        return account

    def open_link(self, person):
        person.open(SYNCHRONIZATION)
        person.click('.o_data_row .o_data_cell', "Kadebank")

    def open_account(self, person, account):
        person.open(f'/odoo/ponto.account/{account.id}')

    def test_a_bank_transaction_is_entered_by_hand(self):
        account = self.linked()
        with self.person() as person:
            person.open('/odoo/accounting')
            person.click(f'{CARD} a.fw-bolder, {CARD} .o_kanban_card_header a, {CARD} a[name=open_action]')
            person.click('.o_list_button_add')
            person.enter('.o_form_view div[name=payment_ref] input', 'Bank charges')
            person.enter('.o_form_view div[name=amount] input', '12')
            person.click('.o_form_button_save')
            person.see('.o_form_view div[name=move_id] a, .o_form_view div[name=move_id] span')
        self.assertIn(12, self.lines(account).mapped('amount'))

    def test_bank_transactions_are_not_doubled_from_their_list(self):
        self.linked()
        with self.person() as person:
            person.open('/odoo/bank-transactions')
            person.click('.o_list_record_selector input')
            person.click('.o_cp_action_menus .dropdown-toggle')
            person.see('.o-dropdown--menu:not(:has(.fa-clone))', "Delete")

    def test_a_consent_that_was_renewed_before_the_question_is_valid(self):
        self.linked()
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_reauthorize]')
            person.click('.modal button[name=action_check]')
            person.see('.modal .alert-success', f"{self.online.reference}: the consent is valid until")
            person.click('.modal footer button.btn-primary', "Done")
            person.see('body:not(:has(.modal))')

    def test_two_currencies_of_one_number_are_told_apart_when_their_consent_is_renewed(self):
        self.env.ref('base.USD').active = True
        dollars = self.simulator.add_account(self.online.reference, institution=self.bank, currency='USD')
        self.consent_ends(days=2, online=dollars)
        self.linked()
        self.link(dollars)
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_reauthorize]')
            person.see('.modal td[name=currency_code]', "USD")
            person.click('.modal button[name=action_check]')
            message = person.see('.modal .alert-warning', "consent was not renewed")
        self.assertRegex(message, r"EUR: .* USD: ")

    def test_updated_credentials_and_a_renewal_are_told_as_success(self):
        self.linked()
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_update_credentials]')
            person.enter('.modal div[name=client_secret] input', CLIENT_SECRET)
            person.click('.modal button[name=action_connect]')
            person.see('.modal .alert-success', "Ponto accepts these credentials, and Odoo has kept them.")
            person.click('.modal footer button.btn-primary', "Done")

    def test_a_fetch_after_the_end_of_the_consent_is_not_told_as_success(self):
        self.consent_ends(days=-2)
        self.linked()
        with self.person() as person:
            person.open('/odoo/accounting')
            person.click(f'{CARD} .o_ponto_fetch')
            person.see('.o_notification:has(.bg-danger)', "The bank's consent ended on")

    def test_after_disconnecting_the_card_does_not_blame_ponto(self):
        self.linked()
        self.integration.action_disconnect()
        with self.person() as person:
            person.open('/odoo/accounting')
            person.see(f'{CARD} .o_ponto_problem_disconnected', "This bank was disconnected in Odoo")

    def test_adding_an_opening_line_later_tells_of_that_line_only(self):
        self.simulator.add_transaction(self.online, 900, '2026-02-01')
        self.simulator.synchronize(self.online)
        account = self.linked(start_date='2026-03-01')
        with self.person() as person:
            self.open_account(person, account)
            person.click('button[name=action_add_opening_line]')
            person.click('.modal footer button', "Add Opening Line")
            message = person.see('.o_notification', "the line of")
        self.assertIn(self.account_number(), message)
        self.assertNotIn("New transactions", message)
        self.assertEqual(self.lines(account).mapped('amount'), [900, 100])

    def account_number(self):
        return self.online.reference

    def test_what_is_missing_is_not_drowned_in_what_lies_before_the_start_date(self):
        for number in range(1, 8):
            self.simulator.add_transaction(self.online, number, f'2026-01-0{number}', remittance_information="Long ago")
        account = self.linked(start_date='2026-03-01')
        self.lines(account).unlink()
        with self.person() as person:
            self.open_account(person, account)
            person.click('button[name=action_find_missing_transactions]')
            person.see('.o_list_view .o_data_row', "First")
            person.see('.o_list_view:not(:has(.o_data_row:nth-child(2)))')
            person.click('.o_facet_remove')
            person.see('.o_list_view .o_data_row', "Long ago")

    def test_what_the_bank_withdrew_is_settled_beside_it_and_then_stays_in_the_books(self):
        row = self.simulator.add_transaction(self.online, 7, '2026-03-03', remittance_information="Gone")
        account = self.linked()
        self.simulator.remove_transaction(row.id)
        account._synchronize()
        with self.person() as person:
            self.open_account(person, account)
            person.click('button[name=action_find_missing_transactions]')
            person.click('.o_data_row:has(button[name=action_delete_line]) button[name=action_keep]')
            person.see('.o_data_row:not(:has(button[name=action_keep]))', "Its line stays in the books.")
            person.resize(400, 800)
            person.open('/odoo/accounting')
            person.click(f'{CARD} .o_dropdown_kanban button')
            person.click('.o-dropdown--menu [name=action_ponto_find_missing_transactions]')
            person.see('.o_kanban_record', "Its line stays in the books.")

    def test_where_nothing_is_found_the_screens_say_what_was_looked_for(self):
        self.linked(start_date='2026-04-01')
        with self.person() as person:
            for name, words in (
                ('find_missing_transactions', "from the start date on"),
                ('find_duplicates', "No duplicates found"),
            ):
                person.open('/odoo/accounting')
                person.click(f'{CARD} .o_dropdown_kanban button')
                person.click(f'.o-dropdown--menu [name=action_ponto_{name}]')
                person.see('.o_view_nocontent', words)

    def test_what_lies_before_the_start_date_is_imported_from_its_page(self):
        account = self.linked(start_date='2026-04-01')
        with self.person() as person:
            person.open(f'/odoo/ponto.transaction/{account.transaction_ids.id}')
            person.see('.alert-info', "lies before the start date")
            person.click('button[name=action_import_skipped]')
            person.see('.o_notification')
        self.assertEqual(self.lines(account).mapped('amount'), [100])

    def test_after_disconnecting_the_page_leads_back_and_nobody_is_to_renew_a_consent(self):
        self.consent_ends(days=3)
        account = self.linked()
        account.link_id._tell_problems()
        self.assertTrue(account.link_id.activity_ids)
        with self.person() as person:
            self.open_link(person)
            person.click('[name=integration_id] a')
            person.click('button[name=action_disconnect]')
            person.click('.modal footer .btn-primary')
            person.click('button[name=action_connect_again]', "Connect")
            person.see('.modal div[name=client_secret]')
        self.assertFalse(account.link_id.activity_ids)

    def test_the_wizard_asks_which_account_it_is_and_proposes_the_journal(self):
        account = self.linked()
        journal = account.journal_id
        new = self.simulator.account(self.simulator.reissue_account(self.online))
        self.simulator.change_account(new, subtype='savings', extra={'internalReference': None})
        self.simulator.remove_transaction(new.transactions[0].id)
        self.simulator.add_transaction(new, 50, '2026-04-02')
        with self.person() as person:
            self.open_link(person)
            person.click('button[name=action_fetch_accounts]')
            person.see('.modal .alert-info', "Is this the account whose transactions went to")
            # Nor does it say beside the question that the same account is lost.
            person.see('.modal:not(:has(.alert-warning))')
            person.see('.modal td[name=journal_id]', journal.name)
            person.click('.modal button[name=action_link_accounts]')
            person.see('td[name=payment_ref]')
        self.assertEqual(self.lines(journal.ponto_account_ids).mapped('amount'), [100, 50])

    def test_on_a_phone_the_card_of_an_account_says_from_when_on_its_transactions_come_in(self):
        account = self.linked(start_date='2026-03-01')
        account.action_unlink_journal()
        with self.person() as person:
            person.resize(400, 800)
            person.open(SYNCHRONIZATION)
            person.click('.o_kanban_record', "Kadebank")
            person.click('.o_form_sheet button', "Fetch Accounts")
            person.see('.modal .o_kanban_record footer', "From 03/01/2026")

    def test_a_changed_number_is_given_to_the_journal_with_a_click(self):
        account = self.linked()
        self.simulator.change_account(self.online, reference='BE43068999999501')
        account._synchronize()
        with self.person() as person:
            self.open_account(person, account)
            person.see('.o_ponto_problem_number', "The bank has changed the number of this account")
            person.click('.o_form_view button', "Use the New Number")
            person.see('.o_notification', "has the account number")
        self.assertEqual(account.journal_id.bank_account_id.sanitized_acc_number, 'BE43068999999501')
