from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.be import ogm_vcs

from odoo.tests import BaseCase, tagged

from ..models.labels import payment_reference, remittance_text, structured_communication
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

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(st.integers(1, 10**10 - 1), st.integers(0, 99))
    def test_check_digits_are_judged_as_python_stdnum_does(self, number, check):
        text = f'{number:010}{check:02}'
        self.assertEqual(bool(structured_communication(text)), ogm_vcs.is_valid(text))
        right = f'{number:010}{ogm_vcs.calc_check_digits(f"{number:010}")}'
        self.assertEqual(structured_communication(right), f'+++{ogm_vcs.format(right)}+++')


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

    def test_an_end_to_end_id_that_says_that_there_is_none_is_no_label(self):
        for none in ('NOTPROVIDED', 'NOT PROVIDED'):
            self.assertEqual(payment_reference(self.row(end_to_end_id=none)), '')

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

    def test_a_very_long_text_is_kept_in_full(self):
        text = ' '.join(f'word{number}' for number in range(3000))
        line = self.book(remittance_information=text)
        self.assertEqual(line.payment_ref, text)
        self.assertIn(text, line.narration)

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
