"""The simulator itself: faithful to the documentation, deterministic, loud about what Ponto would not understand."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import requests

from odoo.tests import BaseCase

from ..demo import catalogue, demo
from .simulator import (
    ACCOUNT_DETAILS,
    ACCOUNT_TRANSACTIONS,
    CLIENT_ID,
    CLIENT_SECRET,
    MISSING,
    WITH_UNSETTLED,
    Simulator,
)

HERE = Path(__file__).parent
BASE = 'https://api.myponto.com'
IBAN = 'BE07626550616261'


class SimulatorCase(BaseCase):
    """A simulator with one account, and the smallest client that can talk to it."""

    def setUp(self):
        super().setUp()
        self.sim = Simulator()
        self.account = self.sim.add_account(IBAN)
        self.transactions = f'/accounts/{self.account.id}/transactions'

    def call(self, method, path, *, token=True, base=BASE, sim=None, **kwargs):
        sim = sim or self.sim
        headers = kwargs.pop('headers', {})
        if token:
            value = token if isinstance(token, str) else sim.issue_token(sim.integration).value
            headers['Authorization'] = f'Bearer {value}'
        url = path if '://' in path else base + path
        return sim.send(requests.Request(method, url, headers=headers, **kwargs).prepare())

    def get(self, path, **kwargs):
        """The body of a successful answer."""
        response = self.call('GET', path, **kwargs)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def error(self, response, status):
        """The only error of an error answer."""
        self.assertEqual(response.status_code, status, response.text)
        [error] = response.json()['errors']
        return error

    def ids(self, path, link='next', **kwargs):
        """Ids of all pages, by following the links."""
        pages = []
        while path:
            body = self.get(path, **kwargs)
            pages.append([item['id'] for item in body['data']])
            path = body['links'].get(link)
        return pages

    def add_rows(self, count, account=None):
        """`count` rows of 1 euro; their ids in Ponto's order."""
        rows = [self.sim.add_transaction(account or self.account, 1, '2026-04-01') for _number in range(count)]
        return [row.id for row in reversed(rows)]

    def synchronization(self, subtype=ACCOUNT_TRANSACTIONS, **attributes):
        """A request body for `POST /synchronizations`; an attribute that is None is left out."""
        values = {
            'resourceType': 'account',
            'resourceId': self.account.id,
            'subtype': subtype,
            'customerIpAddress': '203.0.113.7',
            **attributes,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return {'data': {'type': 'synchronization', 'attributes': given}}

    def synchronize(self, subtype=ACCOUNT_TRANSACTIONS):
        """Create a synchronization over the API and poll it until it is done; its body."""
        body = self.call('POST', '/synchronizations', json=self.synchronization(subtype)).json()
        while body['data']['attributes']['status'] in ('pending', 'running'):
            body = self.get(f'/synchronizations/{body["data"]["id"]}')
        return body['data']


class TestToken(SimulatorCase):
    def token(self, *, auth=(CLIENT_ID, CLIENT_SECRET), query='', **kwargs):
        return self.call('POST', f'/oauth2/token{query}', token=False, auth=auth, **kwargs)

    def test_token_is_given_for_a_grant_in_the_body(self):
        response = self.token(data={'grant_type': 'client_credentials'})
        self.assertEqual(response.status_code, 200)
        body = response.json()
        self.get('/accounts', token=body.pop('access_token'))
        self.assertEqual(body, {'expires_in': 1799, 'scope': 'ai', 'token_type': 'bearer'})

    def test_token_is_given_for_a_grant_in_the_query(self):
        self.assertEqual(self.token(query='?grant_type=client_credentials').status_code, 200)

    def test_wrong_or_missing_credentials_are_an_invalid_client(self):
        for auth in ((CLIENT_ID, 'wrong'), ('unknown', CLIENT_SECRET), None):
            response = self.token(auth=auth, data={'grant_type': 'client_credentials'})
            self.assertEqual(response.status_code, 401)
            self.assertEqual(response.json()['error'], 'invalid_client')

    def test_a_secret_in_the_body_is_not_basic_authorization(self):
        data = {'grant_type': 'client_credentials', 'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET}
        self.assertEqual(self.token(auth=None, data=data).json()['error'], 'invalid_client')

    def test_malformed_basic_header_is_an_invalid_client(self):
        response = self.call('POST', '/oauth2/token', token=False, headers={'Authorization': 'Basic €'.encode()})
        self.assertEqual(response.json()['error'], 'invalid_client')

    def test_missing_and_unknown_grants_are_refused(self):
        self.assertEqual(self.token().json()['error'], 'invalid_request')
        response = self.token(data={'grant_type': 'password'})
        self.assertEqual((response.status_code, response.json()['error']), (400, 'unsupported_grant_type'))

    def test_token_expires_on_the_simulators_clock(self):
        token = self.token(data={'grant_type': 'client_credentials'}).json()['access_token']
        self.sim.advance(seconds=1798)
        self.get('/accounts', token=token)
        self.sim.advance(seconds=1)
        self.assertEqual(self.error(self.call('GET', '/accounts', token=token), 401)['code'], 'invalidAccessToken')

    def test_a_new_token_leaves_the_older_one_valid(self):
        tokens = [self.token(data={'grant_type': 'client_credentials'}).json()['access_token'] for _number in range(2)]
        for token in tokens:
            self.get('/accounts', token=token)

    def test_revoked_missing_and_unknown_tokens_are_refused(self):
        token = self.sim.issue_token(self.sim.integration).value
        self.sim.revoke_tokens()
        for value in (token, False, 'unknown'):
            error = self.error(self.call('GET', '/accounts', token=value), 401)
            self.assertEqual(error['code'], 'invalidAccessToken')
            self.assertEqual(error['detail'], 'Your access token is invalid.')
            self.assertTrue(error['meta']['requestId'])

    def test_an_integration_sees_only_the_accounts_ticked_for_it(self):
        other = self.sim.add_account('BE61240504832967')
        self.sim.add_integration('second', 'secret', accounts=[other])
        token = self.token(auth=('second', 'secret'), data={'grant_type': 'client_credentials'}).json()['access_token']
        self.assertEqual(self.ids('/accounts', token=token), [[other.id]])
        error = self.error(self.call('GET', f'/accounts/{self.account.id}', token=token), 404)
        self.assertEqual((error['code'], error['meta']['resource']), ('resourceNotFound', 'account'))
        self.sim.untick(self.account)
        self.assertEqual(self.ids('/accounts'), [[other.id]])


class TestRoot(SimulatorCase):
    def test_link_templates_need_no_authentication(self):
        links = self.get('/', token=False)['links']
        self.assertEqual(links['accounts'], f'{BASE}/accounts/{{accountId}}')
        self.assertEqual(
            links['account']['transactions'], f'{BASE}/accounts/{{accountId}}/transactions/{{transactionId}}'
        )
        self.assertEqual(links['oauth2'], {'token': f'{BASE}/oauth2/token'})

    def test_collections_of_the_templates_are_called_with_an_empty_id_and_a_trailing_slash(self):
        links = self.get('/', token=False)['links']
        for template in (links['accounts'], links['account']['transactions'], links['financialInstitutions']):
            url = template.replace('{accountId}/', f'{self.account.id}/')
            self.get(re.sub(r'\{\w+\}$', '', url))
        response = self.call('POST', '/synchronizations/', json=self.synchronization())
        self.assertEqual(response.status_code, 201)

    def test_api_below_a_base_path_on_another_host(self):
        sim = Simulator(base_path='/ponto-connect')
        sim.add_account(IBAN)
        base = 'https://api.ibanity.com/ponto-connect'
        self.assertEqual(self.get('', base=base, sim=sim)['links']['accounts'], f'{base}/accounts/{{accountId}}')
        [account] = self.get('/accounts', base=base, sim=sim)['data']
        self.assertTrue(account['relationships']['transactions']['links']['related'].startswith(f'{base}/accounts/'))
        self.error(self.call('GET', '/accounts', base='https://api.ibanity.com', sim=sim), 404)
        self.assertEqual(len(sim.unexpected), 1)


class TestPaging(SimulatorCase):
    def test_a_page_holds_ten_rows_unless_told_otherwise(self):
        ids = self.add_rows(23)
        self.assertEqual(self.ids(self.transactions), [ids[:10], ids[10:20], ids[20:]])

    def test_both_parameter_styles_walk_the_whole_list_in_their_own_style(self):
        ids = self.add_rows(7)
        for style, encoded in (
            ('limit', 'after='),
            ('page[limit]', 'page[after]='),
            ('page%5Blimit%5D', 'page[after]='),
        ):
            path = f'{self.transactions}?{style}=3'
            self.assertIn(f'?{encoded}', self.get(path)['links']['next'])
            self.assertEqual(self.ids(path), [ids[:3], ids[3:6], ids[6:]])

    def test_links_are_absolute_on_the_host_that_was_called_with_unencoded_brackets(self):
        ids = self.add_rows(3)
        links = self.get(f'{self.transactions}?page[limit]=1&page[after]={ids[0]}')['links']
        url = BASE + self.transactions
        self.assertEqual(
            links,
            {
                'first': f'{url}?page[limit]=1',
                'next': f'{url}?page[after]={ids[1]}&page[limit]=1',
                'prev': f'{url}?page[before]={ids[1]}&page[limit]=1',
            },
        )

    def test_before_gives_the_page_immediately_before_the_cursor(self):
        ids = self.add_rows(9)
        body = self.get(f'{self.transactions}?limit=3&before={ids[7]}')
        self.assertEqual([item['id'] for item in body['data']], ids[4:7])
        pages = self.ids(f'{self.transactions}?limit=3&before={ids[7]}', link='prev')
        self.assertEqual(pages, [ids[4:7], ids[1:4], ids[:1]])

    def test_paging_meta_of_transactions_has_null_cursors_and_elsewhere_none(self):
        ids = self.add_rows(2)
        paging = self.get(f'{self.transactions}?limit=1')['meta']['paging']
        self.assertEqual(paging, {'after': ids[0], 'before': None, 'limit': 1})
        paging = self.get(f'{self.transactions}?limit=1&after={ids[0]}')['meta']['paging']
        self.assertEqual(paging, {'after': None, 'before': ids[1], 'limit': 1})
        self.assertEqual(self.get('/accounts?limit=1')['meta']['paging'], {'limit': 1})

    def test_limits_from_1_to_100_are_accepted_and_others_refused(self):
        self.add_rows(101)
        for limit in (1, 100):
            self.assertEqual(len(self.get(f'{self.transactions}?page[limit]={limit}')['data']), limit)
        for limit in ('0', '101', '-1', 'ten', '', '1.5', '٣'):
            for name in ('limit', 'page[limit]'):
                error = self.error(self.call('GET', self.transactions, params={name: limit}), 400)
                self.assertTrue(error['detail'])
                self.assertTrue(error['meta']['requestId'])
        self.sim.assert_expected()

    def test_cursor_that_is_not_in_the_list_is_refused(self):
        [first] = self.add_rows(1)
        other = self.sim.add_account('BE61240504832967')
        self.error(self.call('GET', f'/accounts/{other.id}/transactions?after={first}'), 400)
        self.error(self.call('GET', f'{self.transactions}?page[before]=nonsense'), 400)

    def test_mixed_styles_and_two_cursors_are_refused(self):
        ids = self.add_rows(2)
        self.error(self.call('GET', f'{self.transactions}?limit=1&page[after]={ids[0]}'), 400)
        self.error(self.call('GET', f'{self.transactions}?after={ids[0]}&before={ids[1]}'), 400)

    def test_pages_shorter_than_the_limit_are_not_the_end(self):
        ids = self.add_rows(5)
        self.sim.set_page_size(2)
        body = self.get(f'{self.transactions}?limit=100')
        self.assertEqual(len(body['data']), 2)
        self.assertEqual(body['meta']['paging']['limit'], 100)
        self.assertEqual(self.ids(f'{self.transactions}?limit=100'), [ids[:2], ids[2:4], ids[4:]])

    def test_empty_list_has_no_next_page(self):
        body = self.get(self.transactions)
        self.assertEqual((body['data'], body['links']), ([], {'first': BASE + self.transactions}))

    def test_next_link_leads_elsewhere_when_asked_for(self):
        self.add_rows(3)
        self.sim.foreign_next_link('https://evil.example/accounts')
        self.assertEqual(self.get(f'{self.transactions}?limit=1')['links']['next'], 'https://evil.example/accounts')
        self.assertTrue(self.get(f'{self.transactions}?limit=1')['links']['next'].startswith(BASE))

    def test_a_hundred_pages_of_a_hundred_rows_take_about_a_second(self):
        self.add_rows(10_000)
        started = perf_counter()
        pages = self.ids(f'{self.transactions}?page[limit]=100')
        self.assertLess(perf_counter() - started, 5, 'five times what it may take on a quiet machine')
        self.assertEqual([len(page) for page in pages], [100] * 100)


class TestAccounts(SimulatorCase):
    def test_account_has_every_member_of_pontos_sample(self):
        recorded = json.loads((HERE / 'data/spec_2022/accounts.json').read_text())['data'][0]
        account = self.get(f'/accounts/{self.account.id}')['data']
        self.assertEqual(set(account), set(recorded))
        self.assertEqual(set(account['attributes']), set(recorded['attributes']))
        self.assertEqual(set(account['meta']), set(recorded['meta']))
        self.assertEqual(set(account['meta']['latestSynchronization']), set(recorded['meta']['latestSynchronization']))
        self.assertLessEqual(set(recorded['relationships']), set(account['relationships']))

    def test_balance_follows_the_rows_to_the_cent(self):
        self.sim.add_transaction(self.account, '0.10', '2026-04-01')
        row = self.sim.add_transaction(self.account, '0.20', '2026-04-01')
        self.assertEqual(self.get('/accounts')['data'][0]['attributes']['currentBalance'], 0.3)
        self.sim.change_transaction(row.id, amount='-1.15')
        self.assertEqual(self.account.balance, Decimal('-1.05'))
        self.sim.remove_transaction(row.id)
        self.assertEqual(self.account.balance, Decimal('0.10'))

    def test_an_amount_that_a_json_number_cannot_carry_is_not_rounded_silently(self):
        self.sim.add_transaction(self.account, '12345678901234567.89', '2026-04-01')
        with self.assertRaises(ValueError):
            self.call('GET', self.transactions)

    def test_unknown_balance_stays_unknown(self):
        account = self.sim.add_account('BE61240504832967', balance=None)
        self.sim.add_transaction(account, 5, '2026-04-01')
        self.assertIsNone(self.get(f'/accounts/{account.id}')['data']['attributes']['currentBalance'])

    def test_removed_account_is_not_found(self):
        self.sim.remove_account(self.account)
        self.assertEqual(self.ids('/accounts'), [[]])
        for path in ('', '/transactions', '/pending-transactions'):
            self.error(self.call('GET', f'/accounts/{self.account.id}{path}'), 404)
        self.sim.assert_expected()

    def test_reissued_account_has_the_same_content_under_new_ids(self):
        self.add_rows(3)
        before = self.get(self.transactions)['data']
        new_id = self.sim.reissue_account(self.account)
        self.assertEqual(self.ids('/accounts'), [[new_id]])
        account = self.get(f'/accounts/{new_id}')['data']
        self.assertEqual((account['attributes']['reference'], account['attributes']['currentBalance']), (IBAN, 3.0))
        after = self.get(f'/accounts/{new_id}/transactions')['data']
        self.assertFalse({row['id'] for row in before} & {row['id'] for row in after})
        self.assertEqual(
            [row['attributes']['digest'] for row in before], [row['attributes']['digest'] for row in after]
        )
        self.assertTrue(all(row['relationships']['account']['data']['id'] == new_id for row in after))

    def test_attributes_may_be_changed_unknown_wrong_or_missing(self):
        self.sim.change_account(
            self.account, availability='readonly', deprecated=True, extra={'future': [1], 'product': MISSING}
        )
        account = self.get(f'/accounts/{self.account.id}')['data']
        self.assertEqual((account['attributes']['deprecated'], account['attributes']['future']), (True, [1]))
        self.assertNotIn('product', account['attributes'])
        self.assertEqual(account['meta']['availability'], 'readonly')
        with self.assertRaises(TypeError):
            self.sim.change_account(self.account, colour='red')


class TestTransactions(SimulatorCase):
    def test_transaction_has_every_member_of_pontos_sample(self):
        [path] = (HERE / 'data/spec_2022').glob('transactions-*.json')
        recorded = json.loads(path.read_text())
        self.add_rows(1)
        body = self.get(self.transactions)
        self.assertEqual(set(body['meta']), set(recorded['meta']))
        self.assertEqual(set(body['data'][0]), set(recorded['data'][0]))
        self.assertEqual(set(body['data'][0]['attributes']), set(recorded['data'][0]['attributes']))
        self.assertEqual(
            body['data'][0]['relationships']['account']['links']['related'], f'{BASE}/accounts/{self.account.id}'
        )

    def test_order_is_pontos_own_and_not_that_of_the_dates(self):
        old = self.sim.add_transaction(self.account, 1, '2026-04-10')
        new = self.sim.add_transaction(self.account, 2, '2025-01-01')
        self.assertEqual(self.ids(self.transactions), [[new.id, old.id]])
        self.sim.reorder(self.account, key=lambda row: -row.amount)
        self.assertEqual(self.ids(self.transactions), [[new.id, old.id]])
        self.sim.reorder(self.account, key=lambda row: row.amount)
        self.assertEqual(self.ids(self.transactions), [[old.id, new.id]])

    def test_late_row_appears_below_known_ones(self):
        ids = self.add_rows(3)
        late = self.sim.insert_transaction(self.account, 5, '2026-04-01', below=ids[1])
        last = self.sim.insert_transaction(self.account, 6, '2026-04-01', below=3)
        self.assertEqual(self.ids(self.transactions), [[ids[0], ids[1], late.id, ids[2], last.id]])

    def test_changed_row_has_a_later_moment_even_when_time_stands_still(self):
        row = self.sim.add_transaction(self.account, 1, '2026-04-01')
        path = f'{self.transactions}/{row.id}'
        before = self.get(path)['data']['attributes']
        self.sim.change_transaction(row.id, counterpart_name='Peeters')
        after = self.get(path)['data']['attributes']
        self.assertGreater(after['updatedAt'], before['updatedAt'])
        self.assertEqual(after['createdAt'], before['createdAt'])
        self.assertEqual(after['counterpartName'], 'Peeters')

    def test_same_transaction_twice_has_the_same_digest_and_another_id(self):
        first, second = (self.sim.add_transaction(self.account, 1, '2026-04-01') for _number in range(2))
        self.assertNotEqual(first.id, second.id)
        self.assertEqual(first.attributes['digest'], second.attributes['digest'])
        self.assertRegex(first.attributes['digest'], r'^[0-9a-f]{64}$')

    def test_dates_are_moments_with_milliseconds(self):
        self.sim.add_transaction(self.account, 1, date(2026, 3, 29), value_date='2026-03-28T23:00:00Z')
        attributes = self.get(self.transactions)['data'][0]['attributes']
        self.assertEqual(attributes['executionDate'], '2026-03-29T00:00:00.000Z')
        self.assertEqual(attributes['valueDate'], '2026-03-28T23:00:00Z', 'other text is served as it stands')
        self.assertEqual(attributes['createdAt'], '2026-04-15T10:00:00.000Z')

    def test_unknown_transaction_is_not_found(self):
        error = self.error(self.call('GET', f'{self.transactions}/{self.account.id}'), 404)
        self.assertEqual((error['code'], error['meta']['resource']), ('resourceNotFound', 'transaction'))

    def test_pending_row_is_in_its_own_list_until_it_is_booked(self):
        pending = self.sim.add_pending_transaction(self.account, '-9.95', '2026-04-14', counterpart_name='Bakkerij')
        body = self.get(f'/accounts/{self.account.id}/pending-transactions')
        self.assertEqual([(row['type'], row['id']) for row in body['data']], [('pendingTransaction', pending.id)])
        self.get(f'/accounts/{self.account.id}/pending-transactions/{pending.id}')
        self.assertEqual((self.ids(self.transactions), self.account.balance), ([[]], 0))
        booked = self.sim.book_pending_transaction(pending.id, counterpart_reference=IBAN)
        self.assertEqual(self.ids(f'/accounts/{self.account.id}/pending-transactions'), [[]])
        [row] = self.get(self.transactions)['data']
        self.assertEqual((row['type'], row['id']), ('transaction', booked.id))
        self.assertEqual(row['attributes']['counterpartName'], 'Bakkerij')
        self.assertEqual(row['attributes']['counterpartReference'], IBAN)
        self.assertEqual(self.account.balance, Decimal('-9.95'))


class TestSynchronizations(SimulatorCase):
    def test_created_synchronization_is_shaped_like_pontos_sample(self):
        response = self.call('POST', '/synchronizations', json=self.synchronization(ACCOUNT_DETAILS))
        self.assertEqual(response.status_code, 201)
        data = response.json()['data']
        self.assertEqual(data['type'], 'synchronization')
        self.assertEqual(set(data), {'attributes', 'id', 'type'})
        self.assertEqual(
            data['attributes'],
            {
                'createdAt': '2026-04-15T10:00:00.000Z',
                'errors': [],
                'resourceId': self.account.id,
                'resourceType': 'account',
                'status': 'pending',
                'subtype': 'accountDetails',
                'updatedAt': '2026-04-15T10:00:00.000Z',
            },
        )

    def test_it_runs_and_succeeds_on_successive_polls(self):
        created = self.call('POST', '/synchronizations', json=self.synchronization()).json()['data']
        path = f'/synchronizations/{created["id"]}'
        statuses = [self.get(path)['data']['attributes']['status'] for _poll in range(3)]
        self.assertEqual(statuses, ['running', 'success', 'success'])

    def test_it_succeeds_by_itself_after_a_while(self):
        self.sim.add_bank_transaction(self.account, 5, '2026-04-14')
        self.call('POST', '/synchronizations', json=self.synchronization())
        self.assertEqual(self.ids(self.transactions), [[]])
        self.sim.advance(seconds=10)
        self.assertEqual(len(self.ids(self.transactions)[0]), 1)

    def test_every_attribute_is_required(self):
        for name in ('resourceType', 'resourceId', 'subtype', 'customerIpAddress'):
            for value in (None, '', 5):
                response = self.call('POST', '/synchronizations', json=self.synchronization(**{name: value}))
                error = self.error(response, 400)
                self.assertEqual(error['meta']['attribute'], name)
                self.assertEqual(error['source']['pointer'], f'/data/attributes/{name}')

    def test_wrong_values_are_refused(self):
        for name, value in (('resourceType', 'user'), ('subtype', 'everything'), ('customerIpAddress', 'here')):
            response = self.call('POST', '/synchronizations', json=self.synchronization(**{name: value}))
            self.assertEqual(self.error(response, 400)['meta']['attribute'], name)
        self.error(self.call('POST', '/synchronizations', json=self.synchronization(resourceId='unknown')), 404)
        self.error(self.call('POST', '/synchronizations', json={'data': {'type': 'account', 'attributes': {}}}), 400)
        self.error(self.call('POST', '/synchronizations', json=['nothing']), 400)
        self.error(self.call('POST', '/synchronizations', data='a=b'), 415)
        self.sim.assert_expected()

    def test_private_address_is_taken_and_remembered(self):
        for address in ('192.168.1.20', '203.0.113.7', '2001:db8::1', 'fd00::1'):
            self.call('POST', '/synchronizations', json=self.synchronization(customerIpAddress=address))
        self.assertEqual(self.sim.private_ip_addresses, ['192.168.1.20', 'fd00::1'])

    def test_second_one_of_the_same_kind_is_refused_for_a_while(self):
        self.synchronize()
        response = self.call('POST', '/synchronizations', json=self.synchronization())
        detail = (
            'This type of synchronization was already created recently for the account. '
            'Try again later or on the Dashboard.'
        )
        self.assertEqual(
            (response.status_code, response.json()),
            (400, {'errors': [{'code': 'accountRecentlySynchronized', 'detail': detail, 'meta': {}}]}),
        )
        self.synchronize(ACCOUNT_DETAILS)
        self.sim.advance(minutes=5)
        self.synchronize()

    def test_each_subtype_brings_over_what_it_is_for(self):
        self.sim.add_bank_transaction(self.account, '12.50', '2026-04-14')
        self.sim.add_bank_transaction(self.account, '-3', '2026-04-15', pending=True)
        pending = f'/accounts/{self.account.id}/pending-transactions'
        self.synchronize(ACCOUNT_DETAILS)
        self.assertEqual((self.account.balance, self.ids(self.transactions)), (Decimal('12.50'), [[]]))
        self.synchronize(ACCOUNT_TRANSACTIONS)
        self.assertEqual([len(self.account.transactions), len(self.account.pending)], [1, 0])
        self.synchronize(WITH_UNSETTLED)
        self.assertEqual([len(self.account.transactions), len(self.account.pending)], [1, 1])
        self.assertEqual(len(self.ids(pending)[0]), 1)
        self.assertEqual(self.account.balance, Decimal('12.50'))

    def test_lists_tell_the_synchronization_that_filled_them(self):
        self.sim.advance(hours=1)
        done = self.synchronize(ACCOUNT_TRANSACTIONS)
        meta = self.get(self.transactions)['meta']
        self.assertEqual(meta['synchronizedAt'], '2026-04-15T11:00:00.000Z')
        self.assertEqual(meta['latestSynchronization']['id'], done['id'])
        self.assertIs(meta['latestSynchronization']['attributes']['customerOnline'], True)
        self.assertEqual(self.get('/accounts')['data'][0]['meta']['synchronizedAt'], '2026-04-15T10:00:00.000Z')
        self.assertEqual(set(self.get(f'/accounts/{self.account.id}/pending-transactions')['meta']), {'paging'})

    def test_updated_transactions_are_linked_on_a_foreign_host_and_served_on_ours(self):
        self.add_rows(1)
        self.sim.add_bank_transaction(self.account, 7, '2026-04-14')
        done = self.synchronize()
        link = done['relationships']['updatedTransactions']['links']
        self.assertEqual(link['meta'], {'type': 'transaction'})
        self.assertEqual(
            link['related'], f'https://api.development.myponto.net/synchronizations/{done["id"]}/updated-transactions'
        )
        body = self.get(f'/synchronizations/{done["id"]}/updated-transactions')
        self.assertEqual([row['attributes']['amount'] for row in body['data']], [7.0])
        self.assertEqual(set(body['meta']), {'paging'})

    def test_updated_pending_transactions_come_with_unsettled_only(self):
        self.sim.add_bank_transaction(self.account, 7, '2026-04-14', pending=True)
        done = self.synchronize(WITH_UNSETTLED)
        self.assertEqual(set(done['relationships']), {'updatedTransactions', 'updatedPendingTransactions'})
        [page] = self.ids(f'/synchronizations/{done["id"]}/updated-pending-transactions')
        self.assertEqual(page, [self.account.pending[0].id])
        details = self.synchronize(ACCOUNT_DETAILS)
        self.assertNotIn('relationships', details)
        self.error(self.call('GET', f'/synchronizations/{details["id"]}/updated-transactions'), 404)

    def test_expired_authorization_ends_in_an_error_and_leaves_the_rows_readable(self):
        self.add_rows(1)
        self.sim.advance(days=91)
        done = self.synchronize()
        self.assertEqual(done['attributes']['status'], 'error')
        self.assertEqual(done['attributes']['errors'][0]['code'], 'authorizationInvalid')
        meta = self.get(self.transactions)['meta']
        self.assertEqual(meta['latestSynchronization']['attributes']['status'], 'error')
        self.assertEqual(meta['synchronizedAt'], '2026-04-15T10:00:00.000Z')
        self.sim.reauthorize(self.account)
        self.sim.advance(minutes=5)
        self.assertEqual(self.synchronize()['attributes']['status'], 'success')

    def test_synchronization_fails_when_asked_for(self):
        other = self.sim.add_account('BE61240504832967')
        self.sim.fail_synchronization(account=other)
        response = {'statusCode': 500, 'body': 'somehtml'}
        self.sim.fail_synchronization(account=self.account, code='other', detail='Why', bank_response=response)
        error = {'code': 'other', 'detail': 'Why', 'meta': {'financialInstitutionResponse': response}}
        self.assertEqual(self.synchronize()['attributes']['errors'], [error])
        self.sim.advance(minutes=5)
        self.assertEqual(self.synchronize()['attributes']['errors'], [])

    def test_only_the_subtype_that_was_named_fails(self):
        self.sim.advance(minutes=5)
        self.sim.fail_synchronization(account=self.account, subtype=ACCOUNT_TRANSACTIONS)
        self.assertEqual(self.synchronize(ACCOUNT_DETAILS)['attributes']['status'], 'success')
        self.assertEqual(self.synchronize(ACCOUNT_TRANSACTIONS)['attributes']['status'], 'error')
        meta = self.get(self.transactions)['meta']
        self.assertEqual(meta['latestSynchronization']['attributes']['subtype'], ACCOUNT_TRANSACTIONS)
        self.assertEqual(meta['synchronizedAt'], '2026-04-15T10:00:00.000Z')
        self.assertEqual(self.get('/accounts')['data'][0]['meta']['synchronizedAt'], '2026-04-15T10:05:00.000Z')

    def test_account_appears_before_its_transactions_are_synchronized(self):
        account = self.sim.add_account('BE61240504832967', synchronized=[ACCOUNT_DETAILS])
        self.assertEqual(set(self.get(f'/accounts/{account.id}/transactions')['meta']), {'paging'})
        self.assertIn('synchronizedAt', self.get(f'/accounts/{account.id}')['data']['meta'])
        account = self.sim.add_account('BE62510007547061', synchronized=())
        self.assertNotIn('synchronizedAt', self.get(f'/accounts/{account.id}')['data']['meta'])
        self.sim.synchronize(account, ACCOUNT_TRANSACTIONS)
        self.assertIn('synchronizedAt', self.get(f'/accounts/{account.id}/transactions')['meta'])

    def test_account_that_disappears_meanwhile_ends_it(self):
        created = self.call('POST', '/synchronizations', json=self.synchronization()).json()['data']
        self.sim.remove_account(self.account)
        self.sim.advance(minutes=1)
        self.assertEqual(self.sim.synchronizations[created['id']].status, 'error')
        self.error(self.call('GET', f'/synchronizations/{created["id"]}'), 404)


class TestSandbox(SimulatorCase):
    def setUp(self):
        super().setUp()
        self.accounts_path = (
            f'/sandbox/financial-institutions/{self.account.institution_id}/financial-institution-accounts'
        )
        self.path = f'{self.accounts_path}/{self.account.bank.id}/financial-institution-transactions'
        self.attributes = {
            'valueDate': '2020-05-22T00:00:00Z',
            'executionDate': '2020-05-25T00:00:00Z',
            'amount': 84.42,
            'currency': 'EUR',
            'description': 'Small Cotton Shoes',
            'remittanceInformation': 'NEW SHOES',
            'remittanceInformationType': 'unstructured',
            'cardReference': '6666',
            'fee': 3.14,
        }

    def body(self, attributes):
        return {'data': {'type': 'financialInstitutionTransaction', 'attributes': attributes}}

    def test_transaction_shows_only_after_a_synchronization(self):
        response = self.call('POST', self.path, json=self.body(self.attributes))
        self.assertEqual(response.status_code, 201)
        created = response.json()['data']
        self.assertEqual(created['attributes']['createdAt'], '2026-04-15T10:00:00.000000Z')
        self.assertEqual(created['attributes']['valueDate'], '2020-05-22T00:00:00Z')
        self.assertFalse({'cardReference', 'fee', 'digest', 'internalReference'} & set(created['attributes']))
        self.assertEqual((self.ids(self.transactions), self.account.balance), ([[]], 0))
        [bank_account] = self.get(self.accounts_path)['data']
        self.assertEqual(bank_account['attributes']['currentBalance'], 84.42)
        self.sim.synchronize(self.account)
        [row] = self.get(self.transactions)['data']
        self.assertNotEqual(row['id'], created['id'])
        self.assertEqual((row['attributes']['amount'], row['attributes']['fee']), (84.42, 3.14))
        self.assertEqual(row['attributes']['cardReference'], '6666')
        self.assertEqual(self.account.balance, Decimal('84.42'))

    def test_change_shows_only_after_a_synchronization(self):
        created = self.call('POST', self.path, json=self.body(self.attributes)).json()['data']
        self.sim.synchronize(self.account)
        path = f'{self.path}/{created["id"]}'
        response = self.call('PATCH', path, json=self.body({'counterpartName': 'Otro Bank', 'description': 'Shoes'}))
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.get(path)['data']['attributes']['counterpartName'], 'Otro Bank')
        before = self.get(self.transactions)['data'][0]
        self.assertEqual(before['attributes']['counterpartName'], None)
        done = self.synchronize()
        [after] = self.get(self.transactions)['data']
        self.assertEqual((after['id'], after['attributes']['counterpartName']), (before['id'], 'Otro Bank'))
        self.assertGreater(after['attributes']['updatedAt'], before['attributes']['updatedAt'])
        self.assertEqual(self.ids(f'/synchronizations/{done["id"]}/updated-transactions'), [[after['id']]])
        response = self.call('PATCH', path, json=self.body({'counterpartName': 'Another'}))
        self.assertEqual(self.error(response, 400)['meta']['attribute'], 'counterpartName')

    def test_required_attributes(self):
        for name in ('valueDate', 'executionDate', 'amount', 'currency', 'description', 'remittanceInformationType'):
            attributes = {key: value for key, value in self.attributes.items() if key != name}
            error = self.error(self.call('POST', self.path, json=self.body(attributes)), 400)
            self.assertEqual(error['meta']['attribute'], name)
        for name, value in (('amount', 'much'), ('amount', True), ('valueDate', 'today')):
            response = self.call('POST', self.path, json=self.body({**self.attributes, name: value}))
            self.assertEqual(self.error(response, 400)['meta']['attribute'], name)

    def test_amounts_cannot_be_patched_and_nothing_deleted(self):
        created = self.call('POST', self.path, json=self.body(self.attributes)).json()['data']
        self.error(self.call('PATCH', f'{self.path}/{created["id"]}', json=self.body({'amount': 1})), 400)
        self.error(self.call('DELETE', f'{self.path}/{created["id"]}'), 404)
        self.assertEqual(len(self.sim.unexpected), 2)

    def test_unknown_resources_are_not_found(self):
        for path, resource in (
            ('/sandbox/financial-institutions/x/financial-institution-accounts', 'financialInstitution'),
            (f'{self.accounts_path}/x', 'financialInstitutionAccount'),
            (f'{self.path}/x', 'financialInstitutionTransaction'),
        ):
            self.assertEqual(self.error(self.call('GET', path), 404)['meta']['resource'], resource)
        self.get(f'{self.accounts_path}/{self.account.bank.id}')
        self.assertEqual(self.ids(self.path), [[]])


class TestInstitutions(SimulatorCase):
    def setUp(self):
        super().setUp()
        self.sim = Simulator()
        catalogue(self.sim)

    def names(self, query=''):
        path = f'/financial-institutions?page[limit]=100{query}'
        names = []
        while path:
            body = self.get(path, token=False)
            names += [item['attributes']['name'] for item in body['data']]
            path = body['links'].get('next')
        return names

    def test_catalogue_is_public_large_and_of_every_kind(self):
        institutions = [
            item['attributes'] for item in self.get('/financial-institutions?limit=100', token=False)['data']
        ]
        self.assertEqual(len(self.names()), 300)
        everything = [item.attributes for item in self.sim.institutions]
        for name, values in (
            ('status', {'stable', 'beta', 'experimental'}),
            ('deprecated', {True, False}),
            ('maintenanceType', {None, 'internal', 'financialInstitution'}),
        ):
            self.assertEqual({item[name] for item in everything}, values)
        self.assertLessEqual({'BE', 'NL', 'FR', 'LU', 'DE', None}, {item['country'] for item in everything})
        recorded = json.loads((HERE / 'data/spec_2022/financial-institutions.json').read_text())['data'][0]
        self.assertLessEqual(set(recorded['attributes']), set(institutions[0]))

    def test_filters_narrow_the_list_and_stay_in_the_links(self):
        belgian = self.names('&filter[country][eq]=BE')
        self.assertIn('KBC', belgian)
        self.assertNotIn('Rabobank', belgian)
        self.assertEqual(self.names('&filter[name][contains]=kbc'), ['KBC', 'KBC Brussels'])
        german = self.names('&filter[country][eq]=DE&filter[name][contains]=sparkasse')
        self.assertTrue(german)
        self.assertEqual({name.partition(' ')[0] for name in german}, {'Sparkasse'})
        path = '/financial-institutions?filter[country][eq]=BE&page[limit]=5'
        self.assertIn('?filter[country][eq]=BE&page[after]=', self.get(path, token=False)['links']['next'])
        self.assertEqual(self.names('&filter[country][eq]=XX'), [])

    def test_single_institution_is_public(self):
        institution = self.sim.institutions[0]
        data = self.get(f'/financial-institutions/{institution.id}', token=False)['data']
        self.assertEqual((data['type'], data['attributes']['name']), ('financialInstitution', institution.name))
        error = self.error(self.call('GET', '/financial-institutions/unknown', token=False), 404)
        self.assertEqual(error['meta']['resource'], 'financialInstitution')

    def test_token_changes_nothing_unless_the_api_narrows_by_it(self):
        self.sim.add_account(IBAN, institution=self.sim.institutions[3])
        self.assertEqual(len(self.get('/financial-institutions?limit=100')['data']), 100)
        self.sim.institutions_by_token = True
        self.assertEqual(self.ids('/financial-institutions'), [[self.sim.institutions[3].id]])
        self.get(f'/financial-institutions/{self.sim.institutions[3].id}')
        self.error(self.call('GET', f'/financial-institutions/{self.sim.institutions[4].id}'), 404)
        self.assertEqual(len(self.names()), 300)

    def test_catalogue_of_five_thousand(self):
        sim = Simulator()
        catalogue(sim, 5000)
        self.assertEqual(len({item.id for item in sim.institutions}), 5000)
        self.assertEqual(len({item.name for item in sim.institutions}), 5000)


class TestUnexpected(SimulatorCase):
    def test_unknown_route_is_not_found_and_fails_the_test(self):
        error = self.error(self.call('GET', '/account'), 404)
        self.assertEqual(error['code'], 'resourceNotFound')
        self.assertTrue(error['meta']['requestId'])
        with self.assertRaisesRegex(AssertionError, 'GET /account: unknown route; near it: /accounts'):
            self.sim.assert_expected()

    def test_method_that_a_route_has_not_fails_the_test(self):
        self.error(self.call('DELETE', f'/accounts/{self.account.id}'), 404)
        with self.assertRaisesRegex(AssertionError, 'only .*GET.* here'):
            self.sim.assert_expected()

    def test_unknown_or_repeated_parameter_fails_the_test(self):
        for query in ('from=2026-01-01', 'page[size]=5', 'limit=1&limit=2', 'filter[country][eq]=BE'):
            self.error(self.call('GET', f'{self.transactions}?{query}'), 400)
        self.assertEqual(len(self.sim.unexpected), 4)
        self.error(self.call('GET', f'/accounts/{self.account.id}?limit=1'), 400)
        with self.assertRaisesRegex(AssertionError, 'unknown query parameter from'):
            self.sim.assert_expected()

    def test_unknown_attribute_fails_the_test(self):
        self.error(self.call('POST', '/synchronizations', json=self.synchronization(customerIp='1.2.3.4')), 400)
        self.assertEqual(self.sim.unexpected[0].reason, 'unknown attribute customerIp')

    def test_requests_are_logged_without_their_credentials(self):
        self.call('POST', '/oauth2/token', token=False, auth=(CLIENT_ID, CLIENT_SECRET), data='grant_type=x')
        self.call('GET', '/accounts/?limit=1')
        self.call('POST', '/synchronizations', json=self.synchronization())
        self.assertEqual([item.path for item in self.sim.requests], ['/oauth2/token', '/accounts', '/synchronizations'])
        self.assertEqual([item.status for item in self.sim.requests], [400, 200, 201])
        self.assertEqual(self.sim.requests[1].query, {'limit': '1'})
        self.assertEqual(self.sim.requests[2].body, self.synchronization())
        self.assertNotIn(CLIENT_SECRET, repr(self.sim.requests))

    def test_the_same_calls_give_the_same_answers(self):
        def answers():
            sim = Simulator()
            demo(sim)
            self.call('GET', '/nothing', sim=sim)
            return [self.call('GET', path, sim=sim).text for path in ('/accounts', '/nothing')]

        self.assertEqual(answers(), answers())
