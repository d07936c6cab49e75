from datetime import timedelta

from odoo import Command, fields
from odoo.tests import new_test_user, tagged
from odoo.tools import formatLang

from .browser import BrowserCase

CARD = '.o_kanban_record:has(.o_ponto_card)'
MENU = '.o_dropdown_kanban button'


@tagged('post_install', '-at_install')
class TestBrowserCard(BrowserCase):
    """The card of a journal that Ponto feeds, as people see it."""

    def setUp(self):
        super().setUp()
        self.consent_ends(days=90)
        self.set_pontos_clock()
        self.simulator.add_transaction(self.online, 10, '2026-03-02')

    def consent_ends(self, days):
        ends = fields.Datetime.now() + timedelta(days=days)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=f'{ends.isoformat()}Z')

    def look(self, person):
        person.open('/odoo/accounting')

    def balance(self, amount):
        return formatLang(self.env(context={'lang': self.lang}), amount)

    def test_one_look_tells_that_a_feed_is_healthy(self):
        self.link()._synchronize()
        with self.person() as person:
            self.look(person)
            person.see(f'{CARD} .o_ponto_balance:has(.text-success)', "Equal to the bank's balance of")
            person.see('.o_ponto_card:not(:has(.o_ponto_problem, .o_ponto_problems button))')
            person.see(f'{CARD} .o_ponto_moments', "Bank data as of %s")
            person.click(f'{CARD} {MENU}')
            person.click('.o-dropdown--menu a[name=action_ponto_find_missing_transactions]')
            person.see('.o_nocontent_help', "Nothing is missing")

    def test_a_fetch_shows_its_progress_survives_a_reload_and_ends_with_what_came_in(self):
        self.company.ponto_office_ip = '81.82.83.85'
        account = self.link()
        account._synchronize()
        for _number in range(450):
            self.simulator.add_bank_transaction(self.online, 1, '2026-03-03')
        with self.person() as person:
            self.look(person)
            person.click(f'{CARD} .o_ponto_fetch')
            person.see(f'{CARD} .o_ponto_progress', "Waiting for the bank's answer…")
            person.see(f'{CARD}:has(.o_ponto_fetch:disabled)')
            person.see(f'{CARD} [data-stage=booking] .o_ponto_progress', '450')
            self.look(person)
            person.see(f'{CARD} [data-stage=booking] .o_ponto_progress', '450')
            person.see('.o_notification', "New transactions: %(new)s, booked: %(booked)s.")
            person.see(f'{CARD} .o_ponto_balance:has(.text-success)', self.balance(460))
            person.see(f'{CARD} .o_ponto_fetch:enabled')
        self.assertEqual(len(self.lines(account)), 451)

    def test_an_ended_consent_is_renewed_from_the_card(self):
        self.consent_ends(days=-2)
        self.link()._synchronize()
        self.consent_ends(days=90)
        with self.person() as person:
            self.look(person)
            person.see(f'{CARD} .o_ponto_problem_consent_ended.text-danger', "The bank's consent ended on")
            person.click(f'{CARD} .o_ponto_reconnect')
            person.see('.modal .modal-title', "Reconnect %(institution)s")
            person.see('.modal td[name=reference]', self.online.reference)
            person.click('.modal button[name=action_check]')
            person.see('.modal div[name=message]', "%(account)s: the consent was renewed until %(date)s.")
            person.click('.modal footer button[special=cancel], .modal footer .o_form_button_cancel')
            person.see('.o_ponto_card:not(:has(.o_ponto_problem_consent_ended, .o_ponto_reconnect))')

    def test_what_is_held_is_one_click_away(self):
        self.simulator.add_transaction(
            self.online, 5, '2026-03-03', currency='USD', remittance_information="In dollars"
        )
        self.link()._synchronize()
        with self.person() as person:
            self.look(person)
            person.see(f'{CARD} .o_ponto_difference')
            self.assertIn('1', person.see(f'{CARD} .o_ponto_problem_held'))
            person.click(f'{CARD} .o_ponto_review')
            person.see('.o_searchview_facet', self.online.reference)
            person.see('.o_list_view .o_data_row', "In dollars")

    def test_each_reason_of_a_difference_opens_its_records_on_the_card_and_on_the_page_of_the_account(self):
        self.simulator.add_transaction(self.online, 1000, '2026-02-01', remittance_information="Long ago")
        self.simulator.add_transaction(self.online, 7.77, '2026-03-04', remittance_information="Taken out")
        account = self.link(start_date='2026-03-01')
        account._synchronize()
        self.lines(account).filtered(lambda line: line.amount == 7.77).unlink()
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-05', 'amount': 1, 'payment_ref': "By hand"}
        )
        account.unexplained_since = fields.Datetime.now() - timedelta(days=2)
        with self.person() as person:
            self.look(person)
            person.click(f'{CARD} .o_ponto_difference .o_ponto_reason_skipped')
            person.see('.o_list_view .o_data_row', "Long ago")
            self.look(person)
            person.click(f'{CARD} .o_ponto_all_reasons')
            person.click('.o_popover .o_ponto_reason_removed')
            person.see('.o_list_view .o_data_row', "Taken out")
            self.look(person)
            person.click(f'{CARD} .o_ponto_explain')
            person.see('.o_form_view .o_ponto_alert .o_ponto_problem_difference.text-danger')
            person.click('.o_form_view .o_ponto_reason_removed')
            person.see('.o_list_view .o_data_row', "Taken out")

    def test_a_journal_without_a_feed_is_connected_from_its_card(self):
        self.env['account.journal'].create(
            {'name': "Spaarrekening", 'type': 'bank', 'company_id': self.company.id, 'show_on_dashboard': True}
        )
        with self.person() as person:
            self.look(person)
            person.click('.o_kanban_record', "Spaarrekening", inside=MENU)
            person.click('.o-dropdown--menu a', "Connect bank")
            person.see('.modal .o_ponto_institution_selector')

    def test_who_may_only_look_sees_how_the_feed_is(self):
        self.consent_ends(days=-2)
        self.link()._synchronize()
        reader = new_test_user(
            self.env,
            'ponto_reader',
            groups='account.group_account_readonly',
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
            lang=self.lang,
        )
        with self.person(reader) as person:
            self.look(person)
            person.see(f'{CARD} .o_ponto_problem_consent_ended.text-danger')
            person.see('body:not(:has(.o_ponto_fetch, .o_ponto_reconnect))')
            person.click(f'{CARD} {MENU}')
            person.see('.o-dropdown--menu:not(:has(.o_ponto_fetch_item, [name^=action_ponto]))')


@tagged('post_install', '-at_install')
class TestBrowserCardInDutch(TestBrowserCard):
    lang = 'nl_BE'
    chart = 'be_comp'
