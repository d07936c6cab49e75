import json
import tempfile
from datetime import date
from pathlib import Path

from odoo.tests import tagged

from .common import PontoCase
from .simulator import Simulator

ACCOUNT = '6a2f8a0e-3a3d-4f3a-9a57-0c8d1b8f0001'
BANK = '6a2f8a0e-3a3d-4f3a-9a57-0c8d1b8f0002'


@tagged('post_install', '-at_install')
class TestRecordings(PontoCase):
    """Answers as banks are known to give them, served as they are recorded: `{name: list body}` in files."""

    def feed(self, *rows, balance, **attributes):
        """Return the account that has these rows (attributes, newest first), linked and read."""
        bank = {'type': 'financialInstitution', 'id': BANK, 'attributes': {'name': "Lagelandenbank", 'country': 'BE'}}
        account = {
            'type': 'account',
            'id': ACCOUNT,
            'relationships': {'financialInstitution': {'data': {'type': 'financialInstitution', 'id': BANK}}},
            'attributes': {'reference': 'BE68539007547034', 'referenceType': 'IBAN', 'currency': 'EUR', **attributes},
        }
        account['attributes']['currentBalance'] = balance
        transactions = [
            {'type': 'transaction', 'id': f'row-{number}', 'attributes': {'currency': 'EUR', **row}}
            for number, row in enumerate(rows)
        ]
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (
                ('financial-institutions', [bank]),
                ('accounts', [account]),
                (f'transactions-{ACCOUNT}', transactions),
            ):
                Path(folder, f'{name}.json').write_text(json.dumps({'data': data, 'links': {}, 'meta': {}}))
            type(self).simulator = Simulator.from_directory(folder)
        self.addCleanup(self.simulator.assert_expected)
        online = self.link(self.simulator.accounts[0])
        online._synchronize()
        self.env.invalidate_all()
        return online

    def test_dates_without_fraction_and_a_counterpart_that_is_no_iban(self):
        row = {
            'amount': 7.49,
            'valueDate': '2017-05-22T00:00:00Z',
            'executionDate': '2017-05-25T00:00:00Z',
            'remittanceInformation': "NIEUWE LAMPEN",
            'counterpartReference': 'BE1832277133817274',
            'counterpartName': "LICHT EN ZO",
        }
        account = self.feed({**row, 'fee': 0.35, 'endToEndId': 'e2e-1'}, row, balance=14.98)
        self.assertRecordValues(
            self.lines(account),
            [
                {
                    'date': date(2017, 5, 25),
                    'amount': 7.49,
                    'payment_ref': "NIEUWE LAMPEN",
                    'partner_name': "LICHT EN ZO",
                    'account_number': 'BE1832277133817274',
                }
            ]
            * 2,
        )
        self.assertEqual(account.balance_difference, 0)

    def test_texts_of_several_banks_give_the_words_of_the_payer(self):
        day = {'executionDate': '2026-02-23T23:00:00.000Z'}
        texts = {
            "Naam: Jan Smit<br>Omschrijving: Factuur 17<br>IBAN: NL02ABNA0123456789<br>Valutadatum: 24-02-2026": (
                "Factuur 17"
            ),
            '/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/NAME/Smit BV/REMI/Factuur 2026-0117/EREF/NOTPROVIDED': (
                "Factuur 2026-0117"
            ),
            'mandatereference:0xABC?DEF,creditorid:DE98ZZZ09999999999,remittanceinformation:D01-625 Boeken GmbH': (
                "D01-625 Boeken GmbH"
            ),
            'EREF+NOTPROVIDED SVWZ+Miete April ABWA+Schmidt': "Miete April",
            ("BEA, Betaalpas", "Bakker Smit,PAS123", "NR:123A4B, 24.02.26/15:43", "GENT"): (
                "BEA, Betaalpas Bakker Smit,PAS123 NR:123A4B, 24.02.26/15:43 GENT"
            ),
            "BETALING MET DEBETKAART NUMMER 4999 04XX XXXX 1234 BANKREFERENTIE : 26022700 VALUTADATUM : 27/02/2026": (
                "BETALING MET DEBETKAART NUMMER 4999 04XX XXXX 1234 BANKREFERENTIE : 26022700 VALUTADATUM : 27/02/2026"
            ),
        }
        account = self.feed(
            *({'amount': number, 'remittanceInformation': text, **day} for number, text in enumerate(texts, 1)),
            balance=21,
        )
        lines = self.lines(account).sorted('amount')
        self.assertEqual(lines.mapped('payment_ref'), list(texts.values()))
        self.assertEqual(set(lines.mapped('date')), {date(2026, 2, 24)})
        self.assertEqual(account.balance_difference, 0)

    def test_a_remittance_of_a_dash_leaves_the_label_to_the_description(self):
        account = self.feed(
            {
                'amount': -9.75,
                'executionDate': '2022-07-15',
                'remittanceInformation': '-',
                'additionalInformation': '11111111-0000-4d43-a799-000000000002',
                'description': "Kartenzahlung Laden A",
            },
            balance=-9.75,
        )
        self.assertEqual(self.lines(account).payment_ref, "Kartenzahlung Laden A")

    def test_amounts_as_text_are_held_and_not_guessed_at(self):
        account = self.feed({'amount': '-26.00', 'fee': '1.50', 'executionDate': '2026-03-16'}, balance='1234.56')
        self.assertFalse(self.lines(account))
        self.assertEqual(account.transaction_ids.hold_reason, 'unreadable')
        self.assertIn('-26.00', account.transaction_ids.hold_message)
        self.assertFalse(account.has_balance)
