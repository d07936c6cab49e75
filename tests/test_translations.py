import io
from pathlib import Path

import polib

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import BaseCase, Form, TransactionCase, tagged
from odoo.tools.translate import trans_export

from .browser import PLACEHOLDER
from .common import PontoCase

FOLDER = Path(__file__).parent.parent / 'i18n'
# A word that only the translation has, for each thing that is tried.
WORDS = {
    'fr_BE': {
        'wizard': "Ajouter un compte bancaire",
        'credentials': "Saisissez",
        'failure': "Rien n'est perdu",
        'booked': "Comptabilisées",
        'locked': "période clôturée",
        'currency': "mais le journal est en",
        'future': "datée dans le futur",
        'duplicate': "même paiement",
        'feed': "Aucun compte en ligne",
        'button': "Comptabiliser maintenant",
        # A space that does not break stands before a French colon.
        'colon': "\N{NO-BREAK SPACE}: ",
    },
    'nl_BE': {
        'wizard': "Bankrekening toevoegen",
        'credentials': "clientgeheim",
        'failure': "Er gaat niets verloren",
        'booked': "geboekt",
        'locked': "afgesloten periode",
        'currency': "maar het dagboek is in",
        'future': "datum ligt in de toekomst",
        'duplicate': "dezelfde betaling",
        'feed': "Geen online rekening",
        'button': "Nu boeken",
        'colon': ": ",
    },
}


@tagged('post_install', '-at_install')
class TestTerms(BaseCase):
    def test_every_term_is_translated_with_the_same_placeholders_and_markup(self):
        terms = {entry.msgid for entry in polib.pofile(FOLDER / 'account_online_ponto.pot')}
        for name in ('de.po', 'fr.po', 'nl.po'):
            entries = polib.pofile(FOLDER / name)
            self.assertEqual({entry.msgid for entry in entries}, terms, name)
            for entry in entries:
                self.assertTrue(entry.msgstr and not entry.fuzzy, f'{name}: {entry.msgid}')
                self.assertEqual(
                    sorted(PLACEHOLDER.findall(entry.msgstr)), sorted(PLACEHOLDER.findall(entry.msgid)), name
                )


@tagged('post_install', '-at_install')
class TestTemplate(TransactionCase):
    def test_the_template_has_the_terms_of_the_code_and_no_others(self):
        """`scripts/odoo i18n export -d NAME -l pot -- account_online_ponto` writes it anew."""
        exported = io.BytesIO()
        trans_export(None, ['account_online_ponto'], exported, 'po', self.env)
        terms = {entry.msgid for entry in polib.pofile(exported.getvalue().decode())}
        known = {entry.msgid for entry in polib.pofile(FOLDER / 'account_online_ponto.pot')}
        self.assertEqual(sorted(terms - known), [], "not in the template")
        self.assertEqual(sorted(known - terms), [], "in the template only")


@tagged('post_install', '-at_install')
class TestLanguages(PontoCase):
    """What people do works in their language, and they are answered in it or in their company's."""

    def setUp(self):
        super().setUp()
        for lang in WORDS:
            self.env['res.lang']._activate_lang(lang)
        self.env['ir.module.module']._load_module_terms(['account_online_ponto'], list(WORDS))

    def each_language(self):
        """Yield an environment and its words; what is recorded for everybody is in the company's language."""
        for lang, words in WORDS.items():
            self.accountant.lang = lang
            self.company.partner_id.lang = lang
            yield self.env(user=self.accountant, context={**self.env.context, 'lang': lang}), words

    def test_the_wizard_opens_and_says_what_is_missing(self):
        for env, words in self.each_language():
            action = env['ponto.connect'].action_add_bank_account()
            self.assertIn(words['wizard'], action['name'])
            wizard = env['ponto.connect'].browse(action['res_id'])
            with Form(wizard) as form:
                form.client_id = "Half"
            with self.assertRaisesRegex(UserError, words['credentials']):
                wizard.action_connect()

    def test_a_failing_ponto_is_told(self):
        account = self.link()
        for env, words in self.each_language():
            for fault in ({'status': 503}, {'kind': 'slow'}):
                self.simulator.fail(None, path='/transactions', **fault)
                notification = account.with_env(env).action_fetch_transactions()
                self.simulator.clear_faults()
                self.assertIn(words['failure'], notification['params']['message'])
                self.assertIn(words['failure'], account.with_env(env).error_message)

    def test_the_reasons_to_review_are_told(self):
        # Late in the evening, tomorrow has begun at the bank.
        later = fields.Date.add(fields.Date.today(), days=2)
        self.simulator.add_transaction(self.online, 1, '2026-01-10')
        self.simulator.add_transaction(self.online, 2, '2026-03-02', extra={'currency': 'USD'})
        self.simulator.add_transaction(self.online, 3, str(later))
        self.simulator.add_transaction(self.online, 4, '2026-03-02')
        account = self.link()
        self.company.fiscalyear_lock_date = '2026-01-31'
        self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-02', 'payment_ref': "By hand", 'amount': 4}
        )
        for env, words in self.each_language():
            account.with_env(env).action_fetch_transactions()
            rows = account.transaction_ids.with_env(env)
            self.assertEqual(sorted(rows.mapped('hold_reason')), ['currency', 'duplicate', 'future', 'locked'])
            for row in rows:
                self.assertIn(words[row.hold_reason], row.hold_message)
                self.assertTrue(row.advice)
            self.assertIn(words['booked'], rows.action_book()['params']['message'])

    def test_the_reason_to_review_is_told_in_the_readers_language_whatever_the_companys(self):
        self.simulator.add_transaction(self.online, 2, '2026-03-02', extra={'currency': 'USD'})
        account = self.link()
        for env, words in self.each_language():
            self.company.partner_id.lang = 'en_US'
            account._synchronize()
            self.assertIn(words['currency'], account.transaction_ids.with_env(env).hold_message)

    def test_amounts_and_colons_are_written_as_the_reader_does(self):
        self.simulator.add_transaction(self.online, '10.005', '2026-03-02')
        self.simulator.add_transaction(self.online, '1234.5', '2026-03-02', extra={'currency': 'USD'})
        account = self.link()
        account._synchronize()
        for env, words in self.each_language():
            rows = account.transaction_ids.with_env(env).sorted('amount')
            self.assertIn("10,005", rows[0].hold_message)
            amounts = [
                env['ponto.settlement'].browse(row.action_choose_line()['res_id']).original_amount for row in rows
            ]
            self.assertEqual(amounts[0], "10,005 EUR")
            self.assertIn("1.234,50", amounts[1])
            sentence = account.link_id.with_env(env).problems[0]['sentence']
            self.assertEqual(sentence.removeprefix(account.reference)[: len(words['colon'])], words['colon'])

    def test_a_feed_ticked_by_hand_is_refused(self):
        journal = self.env['account.journal'].create({'name': "By hand", 'type': 'bank', 'code': 'HAND'})
        for env, words in self.each_language():
            with self.assertRaisesRegex(ValidationError, words['feed']):
                journal.with_env(env).bank_statements_source = 'ponto'

    def test_every_view_of_ours_is_rendered(self):
        views = self.env['ir.ui.view'].search(
            [('model', '=like', 'ponto.%'), ('type', 'in', ('form', 'list', 'kanban', 'search'))]
        )
        self.assertGreater(len(views), 10)
        for env, words in self.each_language():
            archs = [env[view.model].get_view(view.id, view.type)['arch'] for view in views]
            self.assertTrue(any(words['button'] in arch for arch in archs))
