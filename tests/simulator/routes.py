"""The direct API as a table of routes: method, rule, handler, who may call, which query parameters.

A handler takes the simulator and the call, and returns the status and the JSON body. It raises `ApiError` or
`OAuthError` for an error answer, `UnexpectedCall` for what Ponto would not understand.
"""

import base64
import binascii
import ipaddress
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import parse_qsl

from . import errors, paging, serialize
from .attributes import as_amount, as_moment
from .state import ACCOUNT_DETAILS, SUBTYPES, TOKEN_LIFETIME, Collection, Integration
from .world import BANK_HIDDEN

FILTERS = frozenset({'filter[country][eq]', 'filter[name][contains]'})
DOCUMENTATION_NETWORKS = tuple(
    map(ipaddress.ip_network, ('192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'))
)
"""Public addresses as far as a test is concerned: they belong to nobody."""

BANK_TRANSACTION_REQUIRED = (
    'valueDate',
    'executionDate',
    'amount',
    'currency',
    'description',
    'remittanceInformationType',
)
BANK_TRANSACTION_CHANGEABLE = (
    'counterpartName',
    'description',
    'remittanceInformation',
    'endToEndId',
    'purposeCode',
    'mandateId',
    'creditorId',
    'additionalInformation',
    'proprietaryBankTransactionCode',
    'bankTransactionCode',
)
BANK_TRANSACTION_ATTRIBUTES = frozenset(
    {
        *BANK_TRANSACTION_REQUIRED,
        *BANK_TRANSACTION_CHANGEABLE,
        'counterpartReference',
        'cardReference',
        'cardReferenceType',
        'fee',
    }
)


@dataclass
class Call:
    """A request, taken apart.

    `base`: scheme, host and base path that links carry; `mount`: the part of the simulator that it came to, if any;
    `target`: path and query as they came over the wire; `arguments`: ids in the path.
    """

    method: str
    path: str
    query: dict
    headers: dict
    body: bytes
    base: str
    mount: object = None
    target: str = ''
    arguments: dict = field(default_factory=dict)
    integration: Integration | None = None

    def json(self, kind):
        """`data.attributes` of a JSON:API request of this type."""
        if not self.headers.get('Content-Type', '').startswith(('application/json', 'application/vnd.api+json')):
            raise errors.ApiError(415, 'unsupportedMediaType', 'The content type must be application/vnd.api+json.')
        try:
            data = json.loads(self.body, parse_float=Decimal)['data']
            given_kind, attributes = data['type'], data['attributes']
        except (ValueError, TypeError, KeyError):
            raise errors.ApiError(400, 'invalidBody', 'The body must be a JSON:API resource.') from None
        if given_kind != kind or not isinstance(attributes, dict):
            raise errors.ApiError(400, 'invalidBody', f'The type of the resource must be {kind}.', pointer='/data/type')
        return attributes


@dataclass(frozen=True)
class Route:
    """`auth`: 'none', 'token' (an access token is needed) or 'basic' (the handler checks client id and secret).

    `parameters`: those that the query may have; None where unknown ones are passed over.
    """

    method: str
    rule: str
    handler: object
    auth: str = 'token'
    parameters: frozenset | None = frozenset()


# -------------------------------------------------------------------------
# Token
# -------------------------------------------------------------------------


def create_token(sim, call):
    """Client credentials; the grant may stand in the body or in the query."""
    integration = _client(sim, call.headers.get('Authorization', ''))
    form = {**dict(parse_qsl(call.body.decode('utf-8', 'replace'))), **call.query}
    if 'grant_type' not in form:
        raise errors.OAuthError(400, 'invalid_request', 'The parameter grant_type is missing.')
    if form['grant_type'] != 'client_credentials':
        raise errors.OAuthError(400, 'unsupported_grant_type', 'The authorization grant type is not supported.')
    token = sim.issue_token(integration)
    return 200, {
        'access_token': token.value,
        'expires_in': int(TOKEN_LIFETIME.total_seconds()),
        'scope': integration.scope,
        'token_type': 'bearer',
    }


def basic_credentials(header):
    """Client id and secret of a Basic `Authorization` header, empty if it is none."""
    scheme, _space, credentials = header.partition(' ')
    try:
        client_id, _colon, secret = base64.b64decode(credentials, validate=True).decode().partition(':')
    except (binascii.Error, UnicodeDecodeError):
        client_id = secret = ''
    return (client_id, secret) if scheme.lower() == 'basic' else ('', '')


def _client(sim, header):
    client_id, secret = basic_credentials(header)
    integration = sim.integrations.get(client_id)
    if integration is None or integration.client_secret != secret:
        raise errors.OAuthError(401, 'invalid_client', 'Client authentication failed.')
    return integration


# -------------------------------------------------------------------------
# Root
# -------------------------------------------------------------------------


def get_root(sim, call):
    def link(*paths):
        return f'{call.base}/' + '/'.join(paths)

    account = 'accounts/{accountId}'
    sandbox = (
        'sandbox/financial-institutions/{financialInstitutionId}'
        '/financial-institution-accounts/{financialInstitutionAccountId}'
    )
    synchronization = 'synchronizations/{synchronizationId}'
    return 200, {
        'links': {
            'account': {
                'bulkPayments': link(account, 'bulk-payments/{bulkPaymentId}'),
                'payments': link(account, 'payments/{paymentId}'),
                'pendingTransactions': link(account, 'pending-transactions/{pendingTransactionId}'),
                'transactions': link(account, 'transactions/{transactionId}'),
            },
            'accounts': link(account),
            'financialInstitutions': link('financial-institutions/{financialInstitutionId}'),
            'oauth2': {'token': link('oauth2/token')},
            'sandbox': {
                'financialInstitution': {
                    'financialInstitutionAccounts': link(sandbox),
                    'financialInstitutionAccount': {
                        'financialInstitutionTransactions': link(
                            sandbox, 'financial-institution-transactions/{financialInstitutionTransactionId}'
                        )
                    },
                }
            },
            'synchronization': {
                'updatedPendingTransactions': link(synchronization, 'updated-pending-transactions'),
                'updatedTransactions': link(synchronization, 'updated-transactions'),
            },
            'synchronizations': link(synchronization),
        }
    }


# -------------------------------------------------------------------------
# Lists
# -------------------------------------------------------------------------


def list_page(sim, call, collection, render, meta=None, kept=()):
    """A page of the collection. With `meta` (lists of transactions) a cursor that is not there is null, else absent."""
    kept_query = {name: call.query[name] for name in kept if name in call.query}
    items, links, page_meta = paging.list_body(
        collection,
        paging.parse(call.query),
        sim.page_size,
        call.base + call.path,
        kept_query,
        null_cursors=meta is not None,
    )
    foreign = sim.take_foreign_next_link()
    if foreign:
        links['next'] = foreign
    return 200, {
        'data': [render(item, call.base) for item in items],
        'links': links,
        'meta': {**(meta or {}), **page_meta},
    }


def _one(resource, render, base, kind):
    if resource is None:
        raise errors.not_found(kind)
    return 200, {'data': render(resource, base)}


# -------------------------------------------------------------------------
# Institutions
# -------------------------------------------------------------------------


def list_institutions(sim, call):
    country, text = call.query.get('filter[country][eq]'), call.query.get('filter[name][contains]', '').lower()
    allowed = _institution_ids(sim, call)
    found = sim.institutions
    if country is not None or text or allowed is not None:
        found = Collection(
            item
            for item in sim.institutions
            if country in (None, item.country) and text in item.name.lower() and (allowed is None or item.id in allowed)
        )
    return list_page(sim, call, found, serialize.institution, kept=sorted(FILTERS))


def get_institution(sim, call):
    allowed = _institution_ids(sim, call)
    institution = sim.institutions.get(call.arguments['institution_id'])
    if institution and allowed is not None and institution.id not in allowed:
        institution = None
    return _one(institution, serialize.institution, call.base, 'financialInstitution')


def _institution_ids(sim, call):
    """Ids that a call with a token may see, or None for all: the direct API's catalogue is public."""
    by_token = sim.institutions_by_token or call.mount.institutions_by_token
    if not by_token or 'Authorization' not in call.headers:
        return None
    integration = call.mount.authenticate(call)
    return {sim.account(account_id).institution_id for account_id in integration.account_ids}


# -------------------------------------------------------------------------
# Accounts and transactions
# -------------------------------------------------------------------------


def _account(sim, call):
    account = sim.accounts.get(call.arguments['account_id'])
    if account is None or account.id not in call.integration.account_ids:
        raise errors.not_found('account')
    return account


def list_accounts(sim, call):
    ticked = Collection(account for account in sim.accounts if account.id in call.integration.account_ids)
    return list_page(sim, call, ticked, serialize.account)


def get_account(sim, call):
    return _one(_account(sim, call), serialize.account, call.base, 'account')


def list_transactions(sim, call):
    account = _account(sim, call)
    return list_page(sim, call, account.transactions, serialize.transaction, meta=serialize.transactions_meta(account))


def get_transaction(sim, call):
    row = _account(sim, call).transactions.get(call.arguments['transaction_id'])
    return _one(row, serialize.transaction, call.base, 'transaction')


def list_pending_transactions(sim, call):
    account = _account(sim, call)
    return list_page(sim, call, account.pending, serialize.transaction, meta=serialize.pending_meta(account))


def get_pending_transaction(sim, call):
    row = _account(sim, call).pending.get(call.arguments['transaction_id'])
    return _one(row, serialize.transaction, call.base, 'pendingTransaction')


# -------------------------------------------------------------------------
# Synchronizations
# -------------------------------------------------------------------------


def create_synchronization(sim, call):
    attributes = call.json('synchronization')
    required = ('resourceType', 'resourceId', 'subtype', 'customerIpAddress')
    check_names(attributes, required)
    for name in required:
        if not isinstance(attributes.get(name), str) or not attributes[name]:
            raise errors.missing_attribute(name)
    if attributes['resourceType'] != 'account':
        raise errors.invalid_attribute('resourceType', 'The resource type must be account.')
    if attributes['subtype'] not in SUBTYPES:
        raise errors.invalid_attribute('subtype', f'The subtype must be one of {", ".join(SUBTYPES)}.')
    _check_ip_address(sim, attributes['customerIpAddress'])
    call.arguments['account_id'] = attributes['resourceId']
    synchronization = sim.create_synchronization(
        _account(sim, call), attributes['subtype'], attributes['customerIpAddress']
    )
    return 201, {'data': serialize.created_synchronization(synchronization)}


def _check_ip_address(sim, text):
    """Must be an address. What Ponto does with one that is not public is not known: taken, and kept for the test."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise errors.invalid_attribute('customerIpAddress', 'The customer IP address is invalid.') from None
    if not address.is_global and not any(address in network for network in DOCUMENTATION_NETWORKS):
        sim.private_ip_addresses.append(text)


def check_names(attributes, known):
    unknown = sorted(set(attributes) - set(known))
    if unknown:
        raise errors.UnexpectedCall(
            errors.invalid_attribute(unknown[0], f'The attribute {unknown[0]} is unknown.'),
            f'unknown attribute {unknown[0]}',
        )


def _synchronization(sim, call):
    synchronization = sim.synchronizations.get(call.arguments['synchronization_id'])
    if synchronization is None or synchronization.account_id not in call.integration.account_ids:
        raise errors.not_found('synchronization')
    return synchronization


def get_synchronization(sim, call):
    synchronization = _synchronization(sim, call)
    sim.poll(synchronization)
    return 200, {'data': serialize.synchronization(synchronization)}


def list_updated_transactions(sim, call):
    synchronization = _synchronization(sim, call)
    return _updated(sim, call, synchronization, synchronization.updated_ids, 'transactions')


def list_updated_pending_transactions(sim, call):
    synchronization = _synchronization(sim, call)
    return _updated(sim, call, synchronization, synchronization.updated_pending_ids, 'pending')


def _updated(sim, call, synchronization, ids, list_name):
    if synchronization.subtype == ACCOUNT_DETAILS:
        raise errors.not_found('synchronization')
    rows = getattr(sim.account(synchronization.account_id), list_name)
    present = [row for row in map(rows.get, ids) if row]
    return list_page(sim, call, Collection(present), serialize.transaction, meta={})


# -------------------------------------------------------------------------
# Sandbox
# -------------------------------------------------------------------------


def _bank_accounts(sim, call):
    institution_id = call.arguments['institution_id']
    if sim.institutions.get(institution_id) is None:
        raise errors.not_found('financialInstitution')
    return Collection(account.bank for account in sim.accounts if account.institution_id == institution_id)


def _bank_account(sim, call):
    account = _bank_accounts(sim, call).get(call.arguments['bank_account_id'])
    if account is None:
        raise errors.not_found('financialInstitutionAccount')
    return account


def list_bank_accounts(sim, call):
    return list_page(sim, call, _bank_accounts(sim, call), serialize.bank_resource)


def get_bank_account(sim, call):
    return _one(_bank_account(sim, call), serialize.bank_resource, call.base, 'financialInstitutionAccount')


def list_bank_transactions(sim, call):
    return list_page(sim, call, _bank_account(sim, call).transactions, serialize.bank_resource)


def get_bank_transaction(sim, call):
    row = _bank_account(sim, call).transactions.get(call.arguments['transaction_id'])
    return _one(row, serialize.bank_resource, call.base, 'financialInstitutionTransaction')


def create_bank_transaction(sim, call):
    bank_account = _bank_account(sim, call)
    attributes = call.json('financialInstitutionTransaction')
    check_names(attributes, BANK_TRANSACTION_ATTRIBUTES)
    for name in BANK_TRANSACTION_REQUIRED:
        if attributes.get(name) is None:
            raise errors.missing_attribute(name)
    row = sim.book_at_bank(bank_account, _bank_values(sim, attributes))
    return 201, {'data': serialize.bank_resource(row, call.base)}


def _bank_values(sim, attributes):
    values = dict.fromkeys(sorted(BANK_TRANSACTION_ATTRIBUTES - set(BANK_HIDDEN)))
    values.update(attributes)
    for name in ('valueDate', 'executionDate'):
        if not re.match(r'\d{4}-\d{2}-\d{2}', str(values[name])):
            raise errors.invalid_attribute(name, 'The date is invalid.')
        values[name] = as_moment(str(values[name])[:10])
    if isinstance(values['amount'], (bool, str)):
        raise errors.invalid_attribute('amount', 'The amount must be a number.')
    for name in ('amount', 'fee'):
        if values.get(name) is not None:
            values[name] = as_amount(values[name])
    return {**values, 'createdAt': sim.clock, 'updatedAt': sim.clock}


def change_bank_transaction(sim, call):
    row = _bank_account(sim, call).transactions.get(call.arguments['transaction_id'])
    if row is None:
        raise errors.not_found('financialInstitutionTransaction')
    attributes = call.json('financialInstitutionTransaction')
    check_names(attributes, BANK_TRANSACTION_CHANGEABLE)
    name = attributes.get('counterpartName')
    if name and row.attributes.get('counterpartName') not in (None, '', name):
        raise errors.invalid_attribute(
            'counterpartName', 'The counterpart name can only be updated if it was previously not provided.'
        )
    row.attributes.update(attributes, updatedAt=sim.clock)
    row.changed = True
    return 200, {'data': serialize.bank_resource(row, call.base)}


SANDBOX_ACCOUNTS = '/sandbox/financial-institutions/<institution_id>/financial-institution-accounts'
SANDBOX_TRANSACTIONS = f'{SANDBOX_ACCOUNTS}/<bank_account_id>/financial-institution-transactions'

ROUTES = (
    Route('GET', '/', get_root, auth='none'),
    Route('POST', '/oauth2/token', create_token, auth='basic', parameters=frozenset({'grant_type'})),
    Route('GET', '/financial-institutions', list_institutions, auth='none', parameters=paging.PARAMETERS | FILTERS),
    Route('GET', '/financial-institutions/<institution_id>', get_institution, auth='none'),
    Route('GET', '/accounts', list_accounts, parameters=paging.PARAMETERS),
    Route('GET', '/accounts/<account_id>', get_account),
    Route('GET', '/accounts/<account_id>/transactions', list_transactions, parameters=paging.PARAMETERS),
    Route('GET', '/accounts/<account_id>/transactions/<transaction_id>', get_transaction),
    Route(
        'GET', '/accounts/<account_id>/pending-transactions', list_pending_transactions, parameters=paging.PARAMETERS
    ),
    Route('GET', '/accounts/<account_id>/pending-transactions/<transaction_id>', get_pending_transaction),
    Route('POST', '/synchronizations', create_synchronization),
    Route('GET', '/synchronizations/<synchronization_id>', get_synchronization),
    Route(
        'GET',
        '/synchronizations/<synchronization_id>/updated-transactions',
        list_updated_transactions,
        parameters=paging.PARAMETERS,
    ),
    Route(
        'GET',
        '/synchronizations/<synchronization_id>/updated-pending-transactions',
        list_updated_pending_transactions,
        parameters=paging.PARAMETERS,
    ),
    Route('GET', SANDBOX_ACCOUNTS, list_bank_accounts, parameters=paging.PARAMETERS),
    Route('GET', f'{SANDBOX_ACCOUNTS}/<bank_account_id>', get_bank_account),
    Route('GET', SANDBOX_TRANSACTIONS, list_bank_transactions, parameters=paging.PARAMETERS),
    Route('POST', SANDBOX_TRANSACTIONS, create_bank_transaction),
    Route('GET', f'{SANDBOX_TRANSACTIONS}/<transaction_id>', get_bank_transaction),
    Route('PATCH', f'{SANDBOX_TRANSACTIONS}/<transaction_id>', change_bank_transaction),
)
