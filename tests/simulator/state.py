"""What the simulated Ponto knows, in dataclasses.

`attributes` carry Ponto's own names (camelCase) with Python values: amounts as `Decimal`, moments as aware `datetime`.
Anything else is served as it stands, so a test can put in what a client should survive.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

ACCOUNT_DETAILS = 'accountDetails'
ACCOUNT_TRANSACTIONS = 'accountTransactions'
WITH_UNSETTLED = 'accountTransactionsWithUnsettled'
SUBTYPES = (ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS, WITH_UNSETTLED)

TOKEN_LIFETIME = timedelta(seconds=1799)

TRANSACTION_ATTRIBUTES = (
    'additionalInformation',
    'amount',
    'bankTransactionCode',
    'cardReference',
    'cardReferenceType',
    'counterpartName',
    'counterpartReference',
    'createdAt',
    'creditorId',
    'currency',
    'description',
    'digest',
    'endToEndId',
    'executionDate',
    'fee',
    'internalReference',
    'mandateId',
    'proprietaryBankTransactionCode',
    'purposeCode',
    'remittanceInformation',
    'remittanceInformationType',
    'updatedAt',
    'valueDate',
)
ACCOUNT_ATTRIBUTES = (
    'authorizationExpirationExpectedAt',
    'authorizedAt',
    'availableBalance',
    'availableBalanceChangedAt',
    'availableBalanceReferenceDate',
    'availableBalanceVariationObservedAt',
    'currency',
    'currentBalance',
    'currentBalanceChangedAt',
    'currentBalanceReferenceDate',
    'currentBalanceVariationObservedAt',
    'deprecated',
    'description',
    'holderName',
    'internalReference',
    'product',
    'reference',
    'referenceType',
    'subtype',
)
INSTITUTION_ATTRIBUTES = (
    'bic',
    'bulkPaymentsEnabled',
    'bulkPaymentsProductTypes',
    'country',
    'deprecated',
    'expectedAuthorizationLifetime',
    'futureDatedPaymentsAllowed',
    'logoUrl',
    'maintenanceFrom',
    'maintenanceTo',
    'maintenanceType',
    'name',
    'paymentsEnabled',
    'paymentsProductTypes',
    'periodicPaymentsEnabled',
    'periodicPaymentsProductTypes',
    'primaryColor',
    'secondaryColor',
    'sharedBrandName',
    'sharedBrandReference',
    'status',
    'timeZone',
)


class _Missing:
    def __repr__(self):
        return 'MISSING'


MISSING = _Missing()
"""Given as the value of an attribute: Ponto does not send that attribute at all."""


@dataclass
class Resource:
    """One JSON:API resource. `recorded`: members of a recorded one (`relationships`, `meta`), served as they were."""

    type: str
    id: str
    attributes: dict
    recorded: dict | None = None


class Collection:
    """Resources in Ponto's own order (newest first), which only an explicit call changes; finding an id costs O(1)."""

    def __init__(self, items=()):
        self._items = list(items)
        self._positions = None

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index]

    def position(self, resource_id):
        """Index of the resource, or None when it is not here."""
        if self._positions is None:
            self._positions = {item.id: index for index, item in enumerate(self._items)}
        return self._positions.get(resource_id)

    def get(self, resource_id):
        position = self.position(resource_id)
        return None if position is None else self._items[position]

    def insert(self, index, item):
        self._items.insert(index, item)
        self._positions = None

    def append(self, item):
        self.insert(len(self._items), item)

    def remove(self, resource_id):
        del self._items[self.position(resource_id)]
        self._positions = None

    def sort(self, key):
        self._items.sort(key=key)
        self._positions = None


@dataclass
class Institution(Resource):
    """A financial institution of the catalogue."""

    @property
    def name(self):
        return self.attributes.get('name')

    @property
    def country(self):
        return self.attributes.get('country')


@dataclass
class Transaction(Resource):
    """A booked or pending transaction as Ponto reports it."""

    account_id: str = ''

    @property
    def amount(self):
        return self.attributes.get('amount')


@dataclass
class BankTransaction(Resource):
    """A transaction in the bank's own books (Ponto's sandbox); with a `transaction_id` once Ponto has it too."""

    transaction_id: str | None = None
    pending: bool = False
    changed: bool = True
    hidden: dict = field(default_factory=dict)


@dataclass
class BankAccount(Resource):
    """The account in the bank's own books (Ponto's sandbox): ahead of Ponto's until the next synchronization."""

    institution_id: str | None = None
    account_id: str = ''
    transactions: Collection = field(default_factory=Collection)


@dataclass
class Account(Resource):
    """An account in Ponto, with its rows and the last completed synchronization of each subtype."""

    institution_id: str | None = None
    availability: str = 'available'
    transactions: Collection = field(default_factory=Collection)
    pending: Collection = field(default_factory=Collection)
    completed: dict = field(default_factory=dict)
    synchronized_at: dict = field(default_factory=dict)
    bank: BankAccount | None = None
    recorded_meta: dict = field(default_factory=dict)

    @property
    def reference(self):
        return self.attributes.get('reference')

    @property
    def balance(self):
        return self.attributes.get('currentBalance')


@dataclass
class Synchronization:
    """A synchronization of one account and one subtype; `polls` counts the times its state was asked for."""

    id: str
    account_id: str
    subtype: str
    created_at: datetime
    updated_at: datetime
    status: str = 'pending'
    errors: list = field(default_factory=list)
    customer_online: bool = False
    customer_ip_address: str | None = None
    polls: int = 0
    updated_ids: list = field(default_factory=list)
    updated_pending_ids: list = field(default_factory=list)

    @property
    def is_open(self):
        return self.status in ('pending', 'running')


@dataclass
class Integration:
    """A custom integration of the organization's dashboard: its credentials and the accounts ticked for it."""

    client_id: str
    client_secret: str
    account_ids: list = field(default_factory=list)
    scope: str = 'ai'


@dataclass
class AccessToken:
    """An access token that the token endpoint issued."""

    value: str
    integration: Integration
    expires_at: datetime


@dataclass(frozen=True)
class LoggedRequest:
    """A request as it arrived. `status` is None where a connection fault left the client without an answer."""

    method: str
    path: str
    query: dict
    status: int | None
    body: object = None


@dataclass(frozen=True)
class Unexpected:
    """A request that Ponto would not understand, and why."""

    method: str
    path: str
    reason: str
