from datetime import timedelta

from odoo import Command, fields
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestBrowserCard(PontoCase, HttpCase):
    """The card of a journal that Ponto feeds, as people see it."""

    def setUp(self):
        super().setUp()
        self.consent_ends(days=90)
        self.simulator.add_transaction(self.online, 10, '2026-03-02')

    def consent_ends(self, days):
        ends = fields.Datetime.now() + timedelta(days=days)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=f'{ends.isoformat()}Z')

    def look(self, tour, user=None):
        self.start_tour(
            '/odoo/accounting', f'account_online_ponto.card_{tour}', login=(user or self.accountant).login, timeout=180)

    def test_one_look_tells_that_a_feed_is_healthy(self):
        self.link()._synchronize()
        self.look('healthy')

    def test_a_fetch_shows_its_progress_survives_a_reload_and_ends_with_what_came_in(self):
        self.company.ponto_office_ip = '81.82.83.85'
        account = self.link()
        account._synchronize()
        for _number in range(450):
            self.simulator.add_bank_transaction(self.online, 1, '2026-03-03')
        self.look('fetch')
        self.assertEqual(len(self.lines(account)), 451)

    def test_an_ended_consent_is_renewed_from_the_card(self):
        self.consent_ends(days=-2)
        self.link()._synchronize()
        self.consent_ends(days=90)
        self.look('reconnect')

    def test_what_is_held_is_one_click_away(self):
        self.simulator.add_transaction(
            self.online, 5, '2026-03-03', currency='USD', remittance_information="In dollars")
        self.link()._synchronize()
        self.look('review')

    def test_a_journal_without_a_feed_is_connected_from_its_card(self):
        self.env['account.journal'].create({
            'name': "Spaarrekening", 'type': 'bank', 'company_id': self.company.id, 'show_on_dashboard': True})
        self.look('connect')

    def test_who_may_only_look_sees_how_the_feed_is(self):
        self.consent_ends(days=-2)
        self.link()._synchronize()
        reader = new_test_user(
            self.env, 'ponto_reader', groups='account.group_account_readonly', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        self.look('readonly', reader)
