"""The demo company and what else the simulator can know to begin with: recorded bodies."""

import json
import re
import tempfile
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

from stdnum.be import vat
from stdnum.eu import at_02
from stdnum.iso7064 import mod_97_10
from stdnum.iso11649 import validate as validate_creditor_reference

from ..demo import demo, letting
from ..demo.entries import brussels_midnight
from ..demo.identifiers import enterprise_number, structured_communication
from .simulator import Simulator
from .test_simulator import BASE, HERE, SimulatorCase

GENERATIONS = ('spec_2022', 'java_2019', 'oca_2019')


class TestDemo(SimulatorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.demo = Simulator()
        cls.accounts = demo(cls.demo)
        cls.rows = [row for account in cls.accounts.values() for row in account.transactions]

    def values(self, name, rows=None):
        return [row.attributes[name] for row in rows or self.rows if row.attributes[name]]

    def test_accounts_at_three_banks_one_number_in_two_currencies_and_a_card(self):
        by_bank = Counter(account.institution_id for account in self.accounts.values())
        self.assertEqual(sorted(by_bank.values()), [1, 2, 3])
        self.assertEqual(self.accounts['dollar'].reference, self.accounts['business'].reference)
        self.assertEqual(self.accounts['dollar'].attributes['currency'], 'USD')
        self.assertEqual(self.accounts['card'].attributes['referenceType'], 'MASKEDPAN')
        euro = [account for account in self.accounts.values() if account.attributes['currency'] == 'EUR']
        self.assertGreaterEqual(sum(len(account.transactions) for account in euro), 2200)

    def test_the_second_company_has_an_integration_of_its_own_with_rents_after_an_opening_balance(self):
        integration = self.demo.integrations[letting.CLIENT_ID]
        [account] = [self.demo.account(account_id) for account_id in integration.account_ids]
        self.assertNotIn(account.id, self.demo.integration.account_ids)
        rows = sum(row.amount for row in account.transactions)
        self.assertEqual(account.balance, letting.OPENING_BALANCE + rows)
        self.assertGreaterEqual(len(account.transactions), 20)
        self.assertLess(max(row.attributes['createdAt'] for row in account.transactions), self.demo.clock)

    def test_the_last_whole_month_has_over_two_thousand_rows_with_equal_ones_and_refunds(self):
        month = [row for row in self.rows if str(row.attributes['executionDate']).startswith('2026-03')]
        self.assertGreaterEqual(len(month), 2000)
        equal = Counter(
            (row.attributes['executionDate'], row.attributes['counterpartName'], row.amount) for row in month
        )
        self.assertGreater(max(equal.values()), 1)
        self.assertTrue([row for row in month if 'Terugbetaling' in str(row.attributes['remittanceInformation'])])

    def test_balances_are_the_sums_of_the_rows(self):
        for account in self.accounts.values():
            self.assertEqual(account.balance, sum(row.amount for row in account.transactions))
            self.assertEqual(account.balance, account.bank.attributes['currentBalance'])
            self.assertEqual(account.balance.as_tuple().exponent, -2)

    def test_account_numbers_and_references_have_valid_check_digits(self):
        for number in self.values('counterpartReference'):
            if '-' not in number:  # an American account has no IBAN
                mod_97_10.validate(number[4:] + number[:4])  # `stdnum.iban` finds no data where Odoo imports it
        for row in self.rows:
            if row.attributes['remittanceInformationType'] == 'structured':
                text = row.attributes['remittanceInformation']
                if text.startswith('RF'):
                    validate_creditor_reference(text)
                else:
                    digits = re.fullmatch(r'\+\+\+(\d{3})/(\d{4})/(\d{5})\+\+\+', text).expand(r'\1\2\3')
                    self.assertEqual(int(digits[10:]), int(digits[:10]) % 97 or 97)
        for number in self.values('creditorId'):
            at_02.validate(number)
            vat.validate(number[7:])
        self.assertEqual(structured_communication(97), '+++000/0000/09797+++')
        vat.validate(enterprise_number(403_1707))

    def test_every_kind_of_row_that_an_accountant_knows(self):
        checking = self.accounts['checking'].transactions
        self.assertEqual(len(self.values('mandateId', checking)), len(self.values('creditorId', checking)))
        self.assertIn('SALA', self.values('purposeCode', checking))
        self.assertIn('MASKEDPAN', self.values('cardReferenceType', checking))
        self.assertTrue(self.values('fee', checking))
        texts = ' '.join(self.values('remittanceInformation'))
        for word in ('+++', 'RF', '<br>', 'Terugbetaling', 'Huur'):
            self.assertIn(word, texts)
        telling = ('counterpartName', 'remittanceInformation', 'additionalInformation')
        self.assertTrue([row for row in checking if not any(row.attributes[name] for name in telling)])
        self.assertTrue([row for row in checking if row.attributes['valueDate'] != row.attributes['executionDate']])
        twins = Counter(
            (row.attributes['executionDate'], row.attributes['counterpartName'], row.amount) for row in checking
        )
        self.assertIn(2, twins.values())

    def test_pontos_order_is_nearly_that_of_the_dates(self):
        dates = self.values('executionDate', self.accounts['checking'].transactions)
        self.assertNotEqual(dates, sorted(dates, reverse=True))
        out_of_order = sum(older > newer for newer, older in pairwise(dates))
        self.assertLess(out_of_order, len(dates) / 10)
        self.assertLessEqual(max(row.attributes['createdAt'] for row in self.rows), self.demo.clock)

    def test_one_bank_sends_local_midnights(self):
        path = f'/accounts/{self.accounts["savings"].id}/transactions?limit=100'
        moments = {row['attributes']['executionDate'] for row in self.get(path, sim=self.demo)['data']}
        self.assertIn('2026-03-28T23:00:00.000Z', moments)
        for day, moment in (
            (date(2026, 3, 29), '2026-03-28 23:00:00+00:00'),
            (date(2026, 3, 30), '2026-03-29 22:00:00+00:00'),
            (date(2026, 10, 25), '2026-10-24 22:00:00+00:00'),
            (date(2026, 10, 26), '2026-10-25 23:00:00+00:00'),
        ):
            self.assertEqual(str(brussels_midnight(day)), moment)


class TestRecorded(SimulatorCase):
    def test_recorded_bodies_of_each_generation_are_served_as_they_were(self):
        for generation in GENERATIONS:
            directory = HERE / 'data' / generation
            with self.subTest(generation):
                sim = Simulator.from_directory(directory)
                for path in sorted(directory.glob('*.json')):
                    name, _dash, account_id = path.stem.partition('-')
                    route = f'/accounts/{account_id}/transactions' if name == 'transactions' else f'/{path.stem}'
                    recorded = json.loads(path.read_text())
                    served = self.get(route, sim=sim)
                    self.assertEqual(served['data'], recorded['data'])
                    self.assertTrue(served['links']['first'].startswith(BASE))
                    for key in set(recorded.get('meta', {})) - {'paging'}:
                        self.assertEqual(served['meta'][key], recorded['meta'][key])

    def recorded(self, **files):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, body in files.items():
            (directory / f'{name.replace("_", "-")}.json').write_text(json.dumps(body))
        return Simulator.from_directory(directory)

    def row(self, number, **attributes):
        return {'type': 'transaction', 'id': f'row-{number}', 'attributes': {'amount': number, **attributes}}

    def test_rows_without_an_account_get_one_made_up(self):
        sim = self.recorded(transactions_a1={'data': [self.row(1, currency='USD'), self.row(2.25)]})
        account = self.get('/accounts/a1', sim=sim)['data']
        self.assertEqual((account['attributes']['currency'], account['attributes']['currentBalance']), ('USD', 3.25))
        institution_id = account['relationships']['financialInstitution']['data']['id']
        self.get(f'/financial-institutions/{institution_id}', sim=sim)
        self.assertEqual(self.ids('/accounts/a1/transactions?limit=1', sim=sim), [['row-1'], ['row-2.25']])

    def test_bare_bodies_and_missing_files_are_tolerated(self):
        related = {'financialInstitution': {'data': {'type': 'financialInstitution', 'id': 'bank'}}}
        accounts = [{'type': 'account', 'id': 'a1'}, {'type': 'account', 'id': 'a2', 'relationships': related}]
        sim = self.recorded(accounts={'data': accounts}, transactions_a1={'data': self.row(1)})
        served = self.get('/accounts', sim=sim)['data']
        self.assertEqual(served, [{'attributes': {}, **account} for account in accounts])
        self.assertEqual(self.ids('/accounts/a1/transactions', sim=sim), [['row-1']])
        self.assertEqual(self.ids('/accounts/a2/transactions', sim=sim), [[]])
        self.get('/financial-institutions/bank', sim=sim, token=False)

    def test_nothing_recorded_is_an_error(self):
        with self.assertRaises(ValueError):
            self.recorded()
