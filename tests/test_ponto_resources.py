import json
from dataclasses import FrozenInstanceError
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from odoo.tests import BaseCase

from ..ponto.deciphering import parse_json
from ..ponto.resources import Account, Institution, Page, SyncError, Synchronization, Transaction
from ..ponto.values import clean_text, one_line, parse_amount, parse_datetime, to_json

DATA = Path(__file__).parent / 'data'
GENERATIONS = ('spec_2022', 'java_2019', 'oca_2019')


def recorded(generation, name):
    """The only resource of a recorded list body."""
    [path] = (DATA / generation).glob(f'{name}*.json')
    [resource] = parse_json(path.read_text())['data']
    return resource


def transaction(**attributes):
    """A sound transaction but for the attributes given, read from JSON as it would arrive. `...` leaves one out."""
    sound = {'amount': 1, 'currency': 'EUR', 'executionDate': '2026-01-02T00:00:00.000Z'}
    given = {name: value for name, value in (sound | attributes).items() if value is not ...}
    return Transaction.from_api(parse_json(json.dumps({'id': 't1', 'type': 'transaction', 'attributes': given})))


class TestParseDatetime(BaseCase):
    def test_every_form_that_ponto_writes_is_read(self):
        for text, expected in {
            '2022-09-26T13:12:40.746Z': datetime(2022, 9, 26, 13, 12, 40, 746000, timezone.utc),
            '2022-09-26T13:12:38.896417Z': datetime(2022, 9, 26, 13, 12, 38, 896417, timezone.utc),
            '2020-05-22T00:00:00Z': datetime(2020, 5, 22, tzinfo=timezone.utc),
            '2020-05-22': datetime(2020, 5, 22, tzinfo=timezone.utc),
            '2020-05-22T00:00:00+02:00': datetime(2020, 5, 21, 22, tzinfo=timezone.utc),
            '2020-05-22T00:00:00.000-0130': datetime(2020, 5, 22, 1, 30, tzinfo=timezone.utc),
            '2020-05-22T00:00:00': datetime(2020, 5, 22, tzinfo=timezone.utc),
            '2024-02-29T23:59:59.999999999Z': datetime(2024, 2, 29, 23, 59, 59, 999999, timezone.utc),
        }.items():
            with self.subTest(text):
                self.assertEqual(parse_datetime(text), expected)
                self.assertIs(parse_datetime(text).tzinfo, timezone.utc)

    def test_no_date_is_none(self):
        self.assertIsNone(parse_datetime(None))
        self.assertIsNone(parse_datetime(''))

    def test_what_is_no_date_is_refused(self):
        for value in (
            'yesterday',
            '22/05/2020',
            '2020-02-30',
            '2020-05-22T24:00:00Z',
            '2020-05',
            '20200522',
            '2020-W21-5',
            '0000-00-00',
            '0001-01-01T00:00:00Z',
            '9999-12-31T23:59:59-10:00',
            '2020-05-22T00:00:00Z trailing',
            ' 2020-05-22',
            '２０２０-05-22',
            Decimal(20200522),
            True,
            [],
            {},
            b'2020-05-22',
        ):
            with self.subTest(value), self.assertRaises(ValueError):
                parse_datetime(value)


class TestParseAmount(BaseCase):
    def test_every_digit_is_kept(self):
        for text in (
            '-527.34',
            '84.42',
            '-100.0',
            '0',
            '1308.5',
            '0.1',
            '12345678901234.99',
            '1e3',
            '0.30000000000000004',
        ):
            with self.subTest(text):
                amount = parse_json(f'{{"amount": {text}}}')['amount']
                self.assertEqual(parse_amount(amount), Decimal(text))
                self.assertEqual(str(parse_amount(amount)), str(Decimal(text)))

    def test_numbers_never_pass_through_float(self):
        self.assertEqual(parse_json('[{"a": 9007199254740993.01}]')[0]['a'], Decimal('9007199254740993.01'))

    def test_null_is_none(self):
        self.assertIsNone(parse_amount(None))

    def test_what_is_no_amount_of_money_is_refused(self):
        for text in (
            'NaN',
            'Infinity',
            '-Infinity',
            '1e999999',
            '1e-999999',
            '1e99999999999999999999',
            '1000000000000000',
            '"12.34"',
            '"12,34"',
            '""',
            'true',
            '[]',
            '{}',
            '9' * 5000,
        ):
            with self.subTest(text[:30]), self.assertRaises(ValueError):
                parse_amount(parse_json(f'{{"amount": {text}}}')['amount'])


class TestTexts(BaseCase):
    def test_text_is_storable(self):
        self.assertEqual(clean_text('a\x00b\ud800c'), 'abc')
        self.assertEqual(clean_text('Zoë\n💶'), 'Zoë\n💶')
        self.assertEqual(clean_text(['a', None, 'b', ['c'], Decimal(1)]), 'a\nb\n1')
        for nothing in (None, True, {}, {'a': 'b'}, []):
            self.assertEqual(clean_text(nothing), '')

    def test_foreign_text_is_one_bounded_line(self):
        self.assertEqual(one_line('  a\r\n\tb\u2028c\x1b[31m '), 'a b c [31m')
        self.assertEqual(len(one_line('x' * 100_000)), 500)
        self.assertTrue(one_line('x' * 501).endswith('…'))

    def test_raw_attributes_can_be_stored(self):
        raw = parse_json(r'{"a\u0000": 1.50, "b": [true, null, {"c": "x\u0000\ud800"}], "d": NaN}')
        self.assertEqual(to_json(raw), {'a': '1.50', 'b': [True, None, {'c': 'x'}], 'd': 'NaN'})
        nested = current = {}
        for _level in range(900):
            current['a'] = current = {}
        json.dumps(to_json(nested), allow_nan=False)


class TestTransaction(BaseCase):
    def test_the_sample_of_2022_is_read(self):
        row = Transaction.from_api(recorded('spec_2022', 'transactions'))
        self.assertEqual(row.id, '3e883ad5-9d60-4896-834b-70897a6f2236')
        self.assertEqual((row.amount, row.currency), (Decimal('-100.0'), 'EUR'))
        self.assertEqual(row.execution_date, datetime(2022, 9, 23, tzinfo=timezone.utc))
        self.assertEqual(row.value_date, datetime(2022, 9, 23, tzinfo=timezone.utc))
        self.assertEqual(row.description, 'Big Cotton JACKET')
        self.assertEqual(row.remittance_information, 'BIGGER NEW JACKET')
        self.assertEqual(row.remittance_information_type, 'unstructured')
        self.assertEqual((row.counterpart_name, row.counterpart_reference), ('', 'BE23732688626491'))
        self.assertEqual(row.end_to_end_id, '028c0a165d57481b90f83e65558eaac3')
        self.assertEqual((row.purpose_code, row.bank_transaction_code), ('CASH', 'PMNT-IRCT-ESCT'))
        self.assertEqual(row.proprietary_bank_transaction_code, '12345')
        self.assertEqual((row.mandate_id, row.creditor_id), ('234', '123498765421'))
        self.assertEqual(row.additional_information, 'Online payment on bestmarket.com')
        self.assertEqual((row.card_reference, row.fee), ('', None))
        self.assertEqual(row.internal_reference, 'a4b13974-6e71-4aff-992e-c52114d3d708')
        self.assertEqual(row.created_at, datetime(2022, 9, 26, 13, 12, 51, 546000, timezone.utc))
        self.assertEqual(row.updated_at, datetime(2022, 9, 26, 13, 13, 3, 72000, timezone.utc))
        self.assertEqual(row.problem, '')

    def test_the_sample_of_2019_has_card_and_fee_but_no_moments(self):
        row = Transaction.from_api(recorded('java_2019', 'transactions'))
        self.assertEqual((row.amount, row.fee), (Decimal('2.76'), Decimal('3.14')))
        self.assertEqual(row.card_reference, '6666')
        self.assertEqual(row.counterpart_name, 'Rice Ltd')
        self.assertEqual((row.created_at, row.updated_at), (None, None))
        self.assertEqual(row.problem, '')

    def test_the_minimal_sample_of_2019_is_read(self):
        row = Transaction.from_api(recorded('oca_2019', 'transactions'))
        self.assertEqual((row.amount, row.currency), (Decimal('6.08'), 'EUR'))
        self.assertEqual(row.execution_date, datetime(2019, 11, 20, tzinfo=timezone.utc))
        self.assertEqual(row.value_date, datetime(2019, 11, 18, tzinfo=timezone.utc))
        self.assertEqual((row.end_to_end_id, row.fee), ('', None))
        self.assertEqual(row.problem, '')

    def test_everything_that_ponto_said_is_kept_for_storage(self):
        row = transaction(amount=12.5, someNewAttribute={'deep': [1, None]})
        self.assertEqual(row.attributes['someNewAttribute'], {'deep': ['1', None]})
        self.assertEqual(row.attributes['amount'], '12.5')
        self.assertEqual(json.loads(json.dumps(row.attributes)), row.attributes)

    def test_a_remittance_in_several_parts_is_joined(self):
        self.assertEqual(transaction(remittanceInformation=['one', 'two']).remittance_information, 'one\ntwo')

    def test_one_date_is_enough(self):
        row = transaction(executionDate=None, valueDate='2026-01-03')
        self.assertIsNone(row.execution_date)
        self.assertEqual(row.problem, '')

    def test_an_unreadable_row_is_kept_and_says_why(self):
        for attributes, problem in (
            ({'amount': ...}, 'amount is missing'),
            ({'amount': None}, 'amount is missing'),
            ({'amount': '12.34'}, 'amount is unreadable: 12.34'),
            ({'amount': 'twelve'}, 'amount is unreadable: twelve'),
            ({'amount': True}, 'amount is unreadable: bool'),
            ({'amount': {'value': 1}}, 'amount is unreadable: dict'),
            ({'amount': float('nan')}, 'amount is unreadable: NaN'),
            ({'amount': float('inf')}, 'amount is unreadable: Infinity'),
            ({'amount': 10**15}, 'amount is unreadable: 1000000000000000'),
            ({'amount': 10**4000}, f'amount is unreadable: 1{"0" * 38}…'),
            ({'amount': 1e300}, 'amount is unreadable: 1E+300'),
            ({'currency': ...}, 'currency is missing'),
            ({'currency': None}, 'currency is missing'),
            ({'currency': ['EUR']}, 'currency is unreadable: list'),
            ({'currency': 'EUR\x00'}, 'currency is unreadable: EUR'),
            ({'currency': 978}, 'currency is unreadable: 978'),
            ({'executionDate': 'soon'}, 'executionDate is unreadable: soon'),
            ({'valueDate': 20260102}, 'valueDate is unreadable: 20260102'),
            ({'valueDate': '0001-01-01'}, 'valueDate is unreadable: 0001-01-01'),
            ({'valueDate': []}, 'valueDate is unreadable: list'),
            ({'executionDate': ...}, 'executionDate and valueDate are missing'),
            ({'executionDate': '', 'valueDate': None}, 'executionDate and valueDate are missing'),
            ({'amount': None, 'currency': ''}, 'amount is missing; currency is missing'),
            ({'fee': 'free', 'createdAt': 'today', 'description': 5}, ''),
        ):
            with self.subTest(attributes=str(attributes)[:80]):
                row = transaction(**attributes)
                self.assertEqual(row.problem, problem)
                self.assertEqual(row.id, 't1')

    def test_attributes_of_a_wrong_kind_are_as_if_missing(self):
        for attributes in (None, [], 'x', Decimal(1)):
            row = Transaction.from_api({'id': 't1', 'attributes': attributes})
            self.assertEqual(row.attributes, {})
            self.assertIn('amount is missing', row.problem)

    def test_without_an_id_there_is_no_resource(self):
        for data in (
            None,
            [],
            'x',
            {},
            {'id': None},
            {'id': ''},
            {'id': '\x00'},
            {'id': {}},
            {'id': ['a']},
            {'id': ' a'},
            {'id': 'a\x00'},
            {'id': 'a\n'},
            {'id': 'a\ud800'},
            {'id': 'x' * 201},
        ):
            for resource in (Transaction, Account, Institution, Synchronization):
                with self.subTest(data=data, resource=resource), self.assertRaises(ValueError):
                    resource.from_api(data)

    def test_a_resource_cannot_be_changed(self):
        with self.assertRaises(FrozenInstanceError):
            transaction().amount = Decimal(2)
        self.assertIsInstance(hash(transaction()), int)


class TestAccount(BaseCase):
    def test_the_sample_of_2022_is_read(self):
        account = Account.from_api(recorded('spec_2022', 'accounts'))
        self.assertEqual(account.id, '0df6d359-a2fb-4f41-bc4c-3c824d8a1a03')
        self.assertEqual(account.institution_id, '9251e765-bfbe-48b0-a082-3b043c386131')
        self.assertEqual((account.reference, account.reference_type), ('BE07626550616261', 'IBAN'))
        self.assertEqual((account.subtype, account.currency), ('checking', 'EUR'))
        self.assertEqual((account.description, account.holder_name), ('Libero nostrum perferendis.', ''))
        self.assertEqual(account.internal_reference, 'c6283304-6c87-49c7-9f67-4b7d8ee71eb8')
        self.assertEqual((account.current_balance, account.available_balance), (Decimal('-527.34'), Decimal('-527.34')))
        self.assertEqual(account.current_balance_reference_date, datetime(2022, 9, 23, tzinfo=timezone.utc))
        self.assertEqual(account.current_balance_changed_at, datetime(2022, 9, 26, 13, 12, 40, 839000, timezone.utc))
        self.assertEqual(account.authorized_at, datetime(2022, 9, 26, 13, 2, 18, 103000, timezone.utc))
        self.assertEqual(account.authorization_expires_at, datetime(2022, 12, 25, 13, 2, 18, 103000, timezone.utc))
        self.assertIs(account.deprecated, False)
        self.assertEqual(account.synchronized_at, datetime(2022, 9, 26, 13, 12, 40, 926000, timezone.utc))
        self.assertEqual(account.availability, 'available')
        self.assertEqual(account.latest_synchronization.subtype, 'accountDetails')

    def test_the_sample_of_2019_lacks_availability(self):
        account = Account.from_api(recorded('java_2019', 'accounts'))
        self.assertEqual(account.availability, '')
        self.assertEqual(account.current_balance, Decimal('2.76'))
        self.assertEqual(account.latest_synchronization.status, 'success')

    def test_the_minimal_sample_has_neither_meta_nor_relationships(self):
        account = Account.from_api(recorded('oca_2019', 'accounts'))
        self.assertEqual((account.reference, account.currency), ('BE68539007547034', 'EUR'))
        self.assertEqual((account.institution_id, account.current_balance), ('', None))
        self.assertEqual((account.synchronized_at, account.latest_synchronization), (None, None))

    def test_members_of_a_wrong_kind_are_as_if_missing(self):
        account = Account.from_api(
            {
                'id': 'a1',
                'meta': [],
                'relationships': {'financialInstitution': {'data': []}},
                'attributes': {'currentBalance': '12', 'authorizedAt': 'once', 'deprecated': 'no'},
            }
        )
        self.assertEqual(account, Account(id='a1'))


class TestOtherResources(BaseCase):
    def test_an_institution_is_read(self):
        institution = Institution.from_api(recorded('spec_2022', 'financial-institutions'))
        self.assertEqual(
            institution,
            Institution(
                id='9251e765-bfbe-48b0-a082-3b043c386131',
                name='Super Sandbox Bank',
                country='BE',
                bic='NBBEBEBB203',
                status='stable',
                primary_color='#7d39ff',
                logo_url='https://ibanity-production-financial-institution-assets.s3.eu-central-1.amazonaws.com/sandbox.svg',
            ),
        )

    def test_an_international_institution_under_maintenance_is_read(self):
        institution = Institution.from_api(
            {
                'id': 'i1',
                'attributes': {
                    'country': None,
                    'maintenanceFrom': '2026-01-02T00:00:00.000Z',
                    'maintenanceTo': '2026-01-03T00:00:00.000Z',
                    'maintenanceType': 'internal',
                    'timeZone': 'Europe/Brussels',
                    'expectedAuthorizationLifetime': Decimal(180),
                    'deprecated': True,
                    'status': 'beta',
                },
            }
        )
        self.assertEqual(institution.country, '')
        self.assertEqual(institution.maintenance_from, datetime(2026, 1, 2, tzinfo=timezone.utc))
        self.assertEqual(institution.maintenance_to, datetime(2026, 1, 3, tzinfo=timezone.utc))
        self.assertEqual((institution.maintenance_type, institution.time_zone), ('internal', 'Europe/Brussels'))
        self.assertTrue(institution.deprecated)
        self.assertEqual(institution.authorization_days, 180)

    def test_an_expected_lifetime_of_a_consent_that_is_none_counts_as_not_told(self):
        for value in (None, 'long', Decimal(0), Decimal(-1), Decimal('1e9'), True):
            institution = Institution.from_api({'id': '1', 'attributes': {'expectedAuthorizationLifetime': value}})
            self.assertIsNone(institution.authorization_days, value)

    def test_a_failed_synchronization_says_why(self):
        synchronization = Synchronization.from_api(
            {
                'id': 's1',
                'attributes': {
                    'status': 'error',
                    'customerOnline': 'true',
                    'errors': [
                        {
                            'code': 'authorizationInvalid',
                            'detail': 'The authorization\nis invalid',
                            'meta': {'financialInstitutionResponse': {'statusCode': Decimal(500), 'body': 'somehtml'}},
                        },
                        'not an error',
                    ],
                },
            }
        )
        self.assertEqual(synchronization.status, 'error')
        self.assertEqual(
            synchronization.errors,
            (SyncError(code='authorizationInvalid', detail='The authorization is invalid'), SyncError()),
        )

    def test_a_synchronization_without_error_list_has_no_errors(self):
        for errors in (None, {}, 'x'):
            self.assertEqual(Synchronization.from_api({'id': 's1', 'attributes': {'errors': errors}}).errors, ())

    def test_a_page_without_meta_is_a_page(self):
        self.assertEqual(Page(items=()).next_url, None)

    def test_every_recorded_generation_is_complete(self):
        for generation in GENERATIONS:
            account = recorded(generation, 'accounts')
            row = recorded(generation, 'transactions')
            self.assertEqual(row['relationships']['account']['data']['id'], account['id'])
            self.assertTrue((DATA / generation / f'transactions-{account["id"]}.json').is_file())
