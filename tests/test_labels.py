from types import SimpleNamespace

from odoo.tests import BaseCase, tagged

from ..models import labels
from ..models.labels import clean_line, payment_reference, remittance_text, structured_communication
from .common import PontoCase


@tagged('post_install', '-at_install')
class TestStructuredCommunication(BaseCase):
    def test_a_belgian_one_is_recognised_however_it_is_written(self):
        for text in (
            '+++090/9337/55493+++',
            '***090/9337/55493***',
            '090/9337/55493',
            '090933755493',
            '+++090933755493+++',
            '  +++090/9337/55493+++  ',
            '+++ 090/9337/55493 +++',
        ):
            self.assertEqual(structured_communication(text), '+++090/9337/55493+++', text)

    def test_wrong_check_digits_are_no_structured_communication(self):
        for text in ('+++090/9337/55494+++', '090933755492', '+++090/9337/55400+++'):
            self.assertEqual(structured_communication(text), '', text)

    def test_the_remainder_zero_is_written_97(self):
        self.assertEqual(structured_communication('000000009797'), '+++000/0000/09797+++')
        self.assertEqual(structured_communication('000000009700'), '')

    def test_what_only_contains_one_is_kept_as_text(self):
        for text in (
            'Invoice 090/9337/55493',
            '+++090/9337/55493+++ thanks',
            '1090933755493',
            '0909337554931',
            '090-9337-55493',
            '',
        ):
            self.assertEqual(structured_communication(text), '', text)

    def test_iso_11649_is_recognised_with_and_without_spaces_and_in_small_letters(self):
        for text in ('RF18539007547034', 'RF18 5390 0754 7034', 'rf18 5390 0754 7034'):
            self.assertEqual(structured_communication(text), 'RF18539007547034', text)

    def test_iso_11649_with_wrong_check_digits_or_letters_for_them_is_text(self):
        for text in ('RF19539007547034', 'RF', 'RF18', 'RF18 5390 0754 7034 5390 0754 7034', 'RFID tags'):
            self.assertEqual(structured_communication(text), '', text)


@tagged('post_install', '-at_install')
class TestLabelOrder(BaseCase):
    def row(self, **texts):
        names = ('remittance_information', 'description', 'additional_information', 'end_to_end_id')
        return SimpleNamespace(**{**dict.fromkeys(names, ''), **texts})

    def test_the_label_is_the_first_text_that_says_anything(self):
        texts = {
            'remittance_information': "Invoice 17",
            'description': "Wire transfer",
            'additional_information': "More",
            'end_to_end_id': 'E2E-1',
        }
        for name, label in list(texts.items()):
            self.assertEqual(payment_reference(self.row(**texts)), label)
            texts[name] = '  '
        self.assertEqual(payment_reference(self.row(**texts)), '')

    def test_a_text_that_says_nothing_hides_none_that_does(self):
        nothing = (
            '-',
            '/',
            '...',
            '+++ +++',
            'NOTPROVIDED',
            'Not Provided',
            'NOT_PROVIDED ',
            'NONREF',
            '\u200b',
            '\u2060-',
        )
        for text in nothing:
            row = self.row(remittance_information=text, description=text, additional_information="Delhaize Gent")
            self.assertEqual(payment_reference(row), "Delhaize Gent", text)
            row = self.row(remittance_information=text, end_to_end_id='E2E-1')
            self.assertEqual(payment_reference(row), 'E2E-1', text)
            self.assertEqual(payment_reference(self.row(remittance_information=text, end_to_end_id=text)), '', text)
        self.assertEqual(
            payment_reference(self.row(remittance_information='\U0001f37a', description="B")), '\U0001f37a'
        )

    def test_the_label_is_one_line_without_markup(self):
        row = self.row(remittance_information="Invoice<br>17<BR/>\n of\tJan")
        self.assertEqual(payment_reference(row), "Invoice 17 of Jan")

    def test_the_label_of_a_text_of_dutch_fields_is_what_the_payer_wrote(self):
        for text, label in (
            ("Naam: Jan Smit<br>Omschrijving: Factuur 17<br>IBAN: NL91ABNA0417164300<br>Datum: 2-3-26", "Factuur 17"),
            ("Naam: Jan Smit Omschrijving: Factuur 17 IBAN: NL91ABNA0417164300 Valutadatum: 03-03-2026", "Factuur 17"),
            ("Omschrijving: Rente\n2026\nDatum: 02-03-2026", "Rente 2026"),
            ("Naam: Jan<br/>Omschrijving: Klant 5 Kenmerk: 77<BR>IBAN: NL91ABNA0417164300", "Klant 5 Kenmerk: 77"),
            ("Naam: Jan<br>Omschrijving: 090933755493<br>IBAN: NL91ABNA0417164300", '+++090/9337/55493+++'),
        ):
            self.assertEqual(payment_reference(self.row(remittance_information=text)), label, text)

    def test_the_label_of_a_text_of_banks_fields_is_what_the_payer_wrote(self):
        for text, label in (
            # php-mt940#70: ABN AMRO; #63 and Rabobank: the kind of the remittance before it.
            (
                '/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/NAME/Bakkerij Smit BV/REMI/Factuur 2026/0117/EREF/X',
                "Factuur 2026/0117",
            ),
            ('/EREF/F-2026-55//REMI/USTD//Factuur 55/', "Factuur 55"),
            ('/EREF/F-2026-55//ORDP//NAME/Smit/REMI/STRD/CUR/090933755493/', '+++090/9337/55493+++'),
            ('/CSID/NL13ZZZ332005960000/MARF/1.3/REMI/Abonnement\nmaart', "Abonnement maart"),
            # German banks, with and without white space between the fields.
            ('EREF+NOTPROVIDEDKREF+17SVWZ+Rechnung 2026-17ABWA+Schmidt GmbH', "Rechnung 2026-17"),
            ('EREF+E2E-1 MREF+M-5 CRED+DE98ZZZ09999999999 SVWZ+Miete\nApril', "Miete April"),
            ('SVWZ+RF18 5390 0754 7034', 'RF18539007547034'),
            # A German bank by way of another aggregator.
            (
                'mandatereference:0xABC?DEF,creditorid:DE98ZZZ09999999999,remittanceinformation:D01-625 Boeken, 100AB',
                "D01-625 Boeken, 100AB",
            ),
        ):
            self.assertEqual(payment_reference(self.row(remittance_information=text)), label, text)

    def test_the_banks_own_texts_may_be_made_of_fields_as_well(self):
        text = '/EREF/F-2026-55//REMI/USTD//Factuur 55/'
        self.assertEqual(payment_reference(self.row(description=text)), "Factuur 55")
        self.assertEqual(payment_reference(self.row(additional_information=text)), "Factuur 55")

    def test_fields_without_a_word_of_the_payer_do_not_hide_another_text(self):
        for text in (
            '/TRTP/SEPA INCASSO/REMI/NOTPROVIDED/EREF/E-1',
            'EREF+E-1SVWZ+NOTPROVIDED',
            "Naam: Jan Omschrijving: - IBAN: NL91ABNA0417164300",
        ):
            row = self.row(remittance_information=text, description="Incasso maart")
            self.assertEqual(payment_reference(row), "Incasso maart")
            self.assertEqual(payment_reference(self.row(remittance_information=text)), text)

    def test_a_text_that_only_resembles_fields_of_a_bank_is_kept_whole(self):
        for text in (
            "Factuur /REMI/17/EREF/3",
            "Betaling SVWZ+17",
            "a/REMI/b",
            "/TRTP/SEPA INCASSO/EREF/3",
            "for remittanceinformation:17",
            "REMI/Factuur 17",
        ):
            self.assertEqual(payment_reference(self.row(remittance_information=text)), text)

    def test_a_text_that_only_resembles_dutch_fields_is_kept_whole(self):
        for text in (
            "Omschrijving: Factuur 17",
            "Factuur 17 Omschrijving: hout IBAN: NL91",
            "Naam: Jan IBAN: NL91",
            "Naam: Jan Omschrijving: IBAN: NL91",
            "Mijnomschrijving: 17 IBAN: NL91",
        ):
            self.assertEqual(payment_reference(self.row(remittance_information=text)), text)

    def test_the_narration_has_every_text_once_and_escaped(self):
        row = self.row(
            remittance_information="Tom & Jerry <script>alert(1)</script>",
            description="Wire",
            additional_information="Wire",
        )
        self.assertEqual(remittance_text(row), '<p>Tom &amp; Jerry &lt;script&gt;alert(1)&lt;/script&gt;<br/>Wire</p>')
        self.assertFalse(remittance_text(self.row()))

    def test_addresses_in_a_banks_text_do_not_become_links(self):
        row = self.row(remittance_information="Pay at https://example.com/now <a href='https://example.com'>x</a>")
        self.assertNotIn('<a', remittance_text(row))

    def test_control_bidirectional_and_zero_width_characters_stay_out(self):
        row = self.row(remittance_information="Fac\u200btuur\x07 \x1b[31m17\u202e 71\x00\ufeff\n\u2066x\u2069\ue000")
        self.assertEqual(payment_reference(row), "Factuur [31m17 71 x")
        self.assertEqual(remittance_text(row), '<p>Factuur [31m17 71<br/>x</p>')
        self.assertEqual(clean_line(" Shop\x08\x0bGent\u00a0\u2028B\u00ad "), "Shop Gent B")

    def test_what_a_workbook_would_take_for_a_formula_is_marked_as_text(self):
        for text in ('=1+1', '{=1+1}', ' \u200b=HYPERLINK("https://evil.example")'):
            self.assertTrue(payment_reference(self.row(remittance_information=text)).startswith("'"), text)
        self.assertEqual(clean_line('-12 = x'), '-12 = x')

    def test_of_a_text_without_end_a_bounded_part_is_read(self):
        row = self.row(remittance_information="word " * labels.MAX_TEXT)
        self.assertLessEqual(len(payment_reference(row)), labels.MAX_TEXT)
        self.assertTrue(payment_reference(row).endswith('…'))
        self.assertLessEqual(len(remittance_text(row)), labels.MAX_TEXT + len('<p></p>'))


@tagged('post_install', '-at_install')
class TestLabels(PontoCase):
    def book(self, **attributes):
        """Return the statement line of a transaction with these attributes."""
        self.simulator.add_transaction(self.online, 10, '2026-03-02', **attributes)
        account = self.link()
        account._synchronize()
        self.assertEqual(account.transaction_ids.mapped('hold_message'), [False])
        return self.lines(account)

    def test_a_structured_communication_is_written_as_invoices_print_it(self):
        line = self.book(remittance_information='090933755493', remittance_information_type='structured')
        self.assertEqual(line.payment_ref, '+++090/9337/55493+++')
        self.assertEqual(line.line_ids.mapped('name'), ['+++090/9337/55493+++'] * 2)

    def test_a_very_long_text_is_kept_in_full_up_to_what_the_books_take_and_wholly_in_the_inbox(self):
        text = ' '.join(f'word{number}' for number in range(900))
        line = self.book(remittance_information=text)
        self.assertEqual(line.payment_ref, text)
        self.assertIn(text, line.narration)
        text = ' '.join(f'word{number}' for number in range(9000))
        self.simulator.add_transaction(self.online, 11, '2026-03-03', remittance_information=text)
        row = line.ponto_transaction_ids
        row.account_id._synchronize()
        row = row.account_id.transaction_ids - row
        self.assertEqual(row.remittance_information, text)
        self.assertTrue(text.startswith(row.statement_line_id.payment_ref.removesuffix('…')))

    def test_countless_line_breaks_keep_nobody_waiting(self):
        line = self.book(remittance_information='x' + '\n' * 60_000 + 'x', counterpart_name='Naam: ' * 20_000)
        self.assertEqual(line.payment_ref, 'x …')

    def test_a_list_of_texts_loses_none(self):
        line = self.book(
            description=None, extra={'remittanceInformation': ["Invoice 17", "Invoice 18", "", None, "Invoice 19"]}
        )
        self.assertEqual(line.payment_ref, "Invoice 17 Invoice 18 Invoice 19")
        self.assertEqual(line.narration, '<p>Invoice 17<br>Invoice 18<br>Invoice 19</p>')

    def test_additional_information_is_kept_beside_the_remittance(self):
        line = self.book(remittance_information="Invoice 17", description="Wire", additional_information="Batch 4")
        self.assertEqual(line.payment_ref, "Invoice 17")
        self.assertEqual(line.narration, '<p>Invoice 17<br>Wire<br>Batch 4</p>')

    def test_breaks_of_dutch_banks_become_lines(self):
        line = self.book(
            description=None, remittance_information="Naam: Jan<br>Omschrijving: 17<br>IBAN: NL91ABNA0417164300"
        )
        self.assertEqual(line.payment_ref, "17")
        self.assertEqual(line.narration, '<p>Naam: Jan<br>Omschrijving: 17<br>IBAN: NL91ABNA0417164300</p>')

    def test_markup_in_a_banks_text_is_text(self):
        line = self.book(description=None, remittance_information='<img src=x onerror="alert(1)"> & <b>bold</b>')
        self.assertNotIn('<img', line.narration)
        self.assertNotIn('<b>', line.narration)
        self.assertIn('&lt;img src=x', line.narration)
        self.assertEqual(line.payment_ref, '<img src=x onerror="alert(1)"> & <b>bold</b>')

    def test_control_characters_do_not_keep_a_transaction_out(self):
        line = self.book(
            remittance_information='Invoice\x00 17\x01\x1b\x0b\x0c\x1f\uffff\U0001f37a',
            description="Wire\x02",
            counterpart_name="Smit\x07",
            end_to_end_id='E\x1e1',
            counterpart_reference='BE71 0961\x08 2345 6769',
        )
        self.assertIn("Invoice", line.payment_ref)
        self.assertIn("\U0001f37a", line.payment_ref)
        self.assertEqual(line.account_number, 'BE71096123456769')

    def test_no_control_or_bidirectional_character_enters_the_books(self):
        text = "Invoice\x07 \x1b[31m17 \u202e71\u200b"
        line = self.book(
            remittance_information=text,
            description=text + "x",
            counterpart_name="Shop\x08\x0bGent\u202e",
            bank_transaction_code='PMNT\u202e',
        )
        for value in (
            line.payment_ref,
            line.partner_name,
            line.narration,
            line.transaction_type,
            line.move_id.ref or '',
        ):
            self.assertTrue(value.isprintable(), repr(value))
        self.assertEqual(line.partner_name, "Shop Gent")
        self.assertEqual(line.ponto_transaction_ids.remittance_information, text)

    def test_without_any_text_the_line_has_a_label_all_the_same(self):
        line = self.book(description=None)
        self.assertEqual(line.payment_ref, "Bank transaction")
        self.assertFalse(line.narration)

    def test_codes_of_the_bank_are_kept_and_can_be_searched(self):
        self.book(
            end_to_end_id='E2E-1',
            mandate_id='M-1',
            creditor_id='BE69ZZZ0123456789',
            purpose_code='SALA',
            bank_transaction_code='PMNT-RCDT-ESCT',
            proprietary_bank_transaction_code='0150',
            fee='0.25',
            card_reference='1234XXXXXXXX5678',
        )
        row = self.env['ponto.transaction'].search(
            [
                ('end_to_end_id', '=', 'E2E-1'),
                ('mandate_reference', '=', 'M-1'),
                ('purpose_code', '=', 'SALA'),
                ('creditor_reference', '=', 'BE69ZZZ0123456789'),
                ('bank_transaction_code', '=', 'PMNT-RCDT-ESCT'),
                ('proprietary_bank_transaction_code', '=', '0150'),
                ('card_reference', '=', '1234XXXXXXXX5678'),
                ('fee', '=', 0.25),
            ]
        )
        self.assertEqual(row.statement_line_id.transaction_type, 'PMNT-RCDT-ESCT')
        self.assertEqual(row.statement_line_id.transaction_details['mandateId'], 'M-1')
