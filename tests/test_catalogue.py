from unittest.mock import patch

from odoo.exceptions import LockError, UserError
from odoo.tests import tagged

from ..demo import catalogue
from .common import PontoCase


@tagged('post_install', '-at_install')
class TestCatalogue(PontoCase):
    def refresh(self):
        self.env['ponto.institution']._refresh_catalogue()

    def search(self, text='', **kw):
        return self.env['ponto.institution'].with_user(self.accountant).search_catalogue(text, **kw)

    def names(self, text='', **kw):
        return [card['name'] for card in self.search(text, **kw)['institutions']]

    def test_the_companys_country_comes_first_and_deprecated_ones_are_absent(self):
        for name, vals in (
            ("Amstelbank", {'country': 'NL'}),
            ("Zennebank", {'country': 'BE'}),
            ("Aarbank", {'country': None}),
            ("Oude Bank", {'country': 'BE', 'deprecated': True}),
        ):
            self.simulator.add_institution(name, **vals)
        self.refresh()
        names = self.names()
        self.assertLess(names.index("Zennebank"), names.index("Amstelbank"))
        self.assertIn("Aarbank", names)
        self.assertNotIn("Oude Bank", names)

    def test_every_word_must_be_in_the_name_the_bic_or_the_country(self):
        self.simulator.add_institution("Amstelbank Zakelijk", country='NL', bic='AMSTNL2A')
        self.refresh()
        for text in ("amstel", "zakelijk amstel", "AMSTNL", "amstel netherlands"):
            self.assertEqual(self.names(text), ["Amstelbank Zakelijk"])
        for text in ("amstel belgium", "100%_", "\\", "%"):
            self.assertFalse(self.names(text))

    def test_a_bic_of_eleven_letters_and_an_account_number_find_the_bank(self):
        self.simulator.add_institution("Amstelbank", country='NL', bic='AMSTNL2A')
        self.simulator.add_institution("Commerzbank", country='DE', bic='COBADEFF')
        self.simulator.add_institution("Belfius", country='BE', bic='GKCCBEBB')
        self.refresh()
        for text, name in (
            ("AMSTNL2AXXX", "Amstelbank"),
            ("commerzbank", "Commerzbank"),
            ("BE71 0961 2345 6769", "Belfius"),
            ("nl98amst0123456789", "Amstelbank"),
            ("DE89 3704 0044 0532 0130 00", "Commerzbank"),  # its number tells the country only
        ):
            self.assertEqual(self.names(text), [name], text)
        self.assertFalse(self.names("BE71 0961 2345 6768"), "the check digits are wrong")

    def test_a_typing_error_finds_similar_names_and_says_that_they_are_only_similar(self):
        self.simulator.add_institution("Zennebank Brussel")
        self.simulator.add_institution("Zennebank oud", deprecated=True)
        self.refresh()
        for text in ("zenebank", "Zennebamk", "zennebnak"):
            found = self.search(text)
            self.assertEqual([card['name'] for card in found['institutions']], ["Zennebank Brussel"], text)
            self.assertTrue(found['is_guess'])
        self.assertFalse(self.search("zennebank")['is_guess'])
        self.assertFalse(self.names("quite another word"))

    def test_case_and_accents_do_not_matter(self):
        self.simulator.add_institution("Société d'Épargne", country='FR')
        self.refresh()
        for text in ("societe epargne", "SOCIÉTÉ", "épar"):
            self.assertEqual(self.names(text), ["Société d'Épargne"])

    def test_names_that_begin_with_the_text_come_before_those_that_contain_it(self):
        for name, country in (
            ("Aachening", 'DE'),
            ("ING Deutschland", 'DE'),
            ("Koekelberging", 'BE'),
            ("ING Belgium", 'BE'),
            ("ING", 'BE'),
        ):
            self.simulator.add_institution(name, country=country, bic=None if name == "ING" else 'AAAABE22')
        self.refresh()
        self.assertEqual(self.names("ing"), ["ING", "ING Belgium", "Koekelberging", "ING Deutschland", "Aachening"])

    def test_the_scheduled_refresh_raises_nothing_whatever_is_wrong(self):
        self.env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', 'http://ponto.example')
        with self.assertLogs('odoo.addons.account_online_ponto', 'WARNING') as logs:
            self.run_cron('ir_cron_refresh_catalogue')
        self.assertIn("catalogue of institutions could not be read", logs.output[0])

    def test_pages_of_the_list_hold_each_institution_once(self):
        for number in range(25):
            self.simulator.add_institution(f"Bank {number:02}", country='BE' if number % 2 else 'FR')
        self.refresh()
        names, offset = [], 0
        while True:
            page = self.search(offset=offset, limit=10)
            names += [card['name'] for card in page['institutions']]
            offset += 10
            if not page['has_more']:
                break
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), len(self.simulator.institutions))

    def test_maintenance_and_beta_are_told(self):
        self.simulator.add_institution(
            "Stille Bank",
            maintenance_from='2020-01-01T00:00:00Z',
            maintenance_to='2099-01-01T00:00:00Z',
            maintenance_type='internal',
            status='beta',
        )
        self.refresh()
        [card] = self.search("Stille")['institutions']
        self.assertIn("Under maintenance until", card['maintenance'])
        self.assertEqual(card['status_name'], "Beta")

    def test_a_refresh_changes_archives_and_brings_back(self):
        self.refresh()
        institution = self.env['ponto.institution'].search([('ponto_id', '=', self.bank.id)])
        unused = self.simulator.add_institution("Korte Bank")
        self.refresh()
        self.assertEqual(len(self.names("Korte Bank")), 1)
        self.simulator.institutions.remove(unused.id)
        self.refresh()
        self.assertFalse(self.names("Korte Bank"))
        self.assertTrue(institution.active)

    def test_an_empty_catalogue_is_told_from_a_search_without_result(self):
        self.assertTrue(self.search()['is_empty'])
        self.refresh()
        self.assertFalse(self.search("nothing like this")['is_empty'])

    def test_five_thousand_institutions_are_searched_with_few_queries(self):
        catalogue(self.simulator, 5000)
        self.refresh()
        self.search("bank")
        with self.assertQueryCount(12):
            self.search("bank")

    def test_no_page_is_out_of_bounds(self):
        self.refresh()
        self.assertEqual(len(self.search(limit=-1, offset=-1)['institutions']), 1)
        self.assertFalse(self.search(offset=10**6)['institutions'])

    def test_the_button_reads_the_catalogue(self):
        self.env['ponto.institution'].with_user(self.accountant).action_refresh_catalogue()
        self.assertIn("Kadebank", self.names())

    def test_the_button_says_that_the_catalogue_is_being_read_already(self):
        cron = self.env.ref('account_online_ponto.ir_cron_refresh_catalogue')
        with (
            patch.object(type(cron), 'lock_for_update', side_effect=LockError("locked")),
            self.assertRaisesRegex(UserError, "at this moment"),
        ):
            self.env['ponto.institution'].with_user(self.accountant).action_refresh_catalogue()
        self.assertFalse(self.simulator.requests)
