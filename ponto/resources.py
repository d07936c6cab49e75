"""Ponto's resources as frozen dataclasses, the same for both APIs.

``from_api`` takes a JSON:API resource object whose numbers were parsed as ``Decimal``. Unknown members are ignored; a
missing, null or unreadable one becomes ``''``, ``None`` or ``False``. The only thing asked of a resource is that it is
an object with an id (:class:`ValueError` otherwise): without one there is nothing to recognize it by.
Every date-time is aware and in UTC. Every text is free of what PostgreSQL refuses to store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from .values import clean_text, one_line, parse_amount, parse_datetime, to_json

T = TypeVar('T')
# Consents of ten years: no bank gives more.
MAX_DAYS = 3660
MAX_ID = 200


def _datetime(value: object) -> datetime | None:
    try:
        return parse_datetime(value)
    except ValueError:
        return None


def _amount(value: object) -> Decimal | None:
    try:
        return parse_amount(value)
    except ValueError:
        return None


def _number(value: object) -> object:
    """Return the number that ``to_json`` has kept as text; anything else as it is."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


def _days(value: object) -> int | None:
    amount = _amount(value)
    return int(amount) if amount is not None and 0 < amount <= MAX_DAYS else None


def _code(value: object) -> str:
    """Return text that is to be compared, as a currency's code: as it came or not at all."""
    return value if isinstance(value, str) and value == clean_text(value) else ''


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _identity(data: object) -> tuple[str, Mapping[str, Any]]:
    """Return id and attributes of a resource object.

    :raise ValueError: it is no object, or has no id, or one that could not be kept as it is: two of them may then be
        the same
    """
    identity = _mapping(data).get('id')
    text = one_line(identity, MAX_ID)
    if not text or text != (str(identity) if isinstance(identity, Decimal) else identity):
        raise ValueError('a resource without id')
    return text, _mapping(_mapping(data).get('attributes'))


@dataclass(frozen=True, kw_only=True)
class Institution:
    """A financial institution. ``country`` is an ISO 3166 code, empty for an international one.

    ``authorization_days``: how long a consent is expected to last there.
    """

    id: str
    name: str = ''
    country: str = ''
    bic: str = ''
    status: str = ''
    deprecated: bool = False
    logo_url: str = ''
    primary_color: str = ''
    maintenance_from: datetime | None = None
    maintenance_to: datetime | None = None
    maintenance_type: str = ''
    time_zone: str = ''
    authorization_days: int | None = None

    @classmethod
    def from_api(cls, data: object) -> 'Institution':
        identity, attributes = _identity(data)
        return cls(
            id=identity,
            name=clean_text(attributes.get('name')),
            country=clean_text(attributes.get('country')),
            bic=clean_text(attributes.get('bic')),
            status=clean_text(attributes.get('status')),
            deprecated=attributes.get('deprecated') is True,
            logo_url=clean_text(attributes.get('logoUrl')),
            primary_color=clean_text(attributes.get('primaryColor')),
            maintenance_from=_datetime(attributes.get('maintenanceFrom')),
            maintenance_to=_datetime(attributes.get('maintenanceTo')),
            maintenance_type=clean_text(attributes.get('maintenanceType')),
            time_zone=clean_text(attributes.get('timeZone')),
            authorization_days=_days(attributes.get('expectedAuthorizationLifetime')),
        )


@dataclass(frozen=True, kw_only=True)
class SyncError:
    """Why a synchronization failed. A code that starts with ``authorization`` asks for a new consent."""

    code: str = ''
    detail: str = ''

    @classmethod
    def from_api(cls, data: object) -> 'SyncError':
        error = _mapping(data)
        return cls(code=one_line(error.get('code'), 100), detail=one_line(error.get('detail')))


@dataclass(frozen=True, kw_only=True)
class Synchronization:
    """One refresh of one account by Ponto. ``status`` is pending, running, success or error."""

    id: str
    status: str = ''
    subtype: str = ''
    resource_id: str = ''
    created_at: datetime | None = None
    updated_at: datetime | None = None
    errors: tuple[SyncError, ...] = ()

    @classmethod
    def from_api(cls, data: object) -> 'Synchronization':
        identity, attributes = _identity(data)
        errors = attributes.get('errors')
        return cls(
            id=identity,
            status=clean_text(attributes.get('status')),
            subtype=clean_text(attributes.get('subtype')),
            resource_id=clean_text(attributes.get('resourceId')),
            created_at=_datetime(attributes.get('createdAt')),
            updated_at=_datetime(attributes.get('updatedAt')),
            errors=tuple(SyncError.from_api(error) for error in errors) if isinstance(errors, list) else (),
        )

    @classmethod
    def from_meta(cls, meta: object) -> 'Synchronization | None':
        """Return the ``latestSynchronization`` embedded in the meta of an account or of a page, if there is one."""
        try:
            return cls.from_api(_mapping(meta).get('latestSynchronization'))
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account that the integration may read. ``reference`` is an IBAN only if ``reference_type`` says so."""

    id: str
    institution_id: str = ''
    reference: str = ''
    reference_type: str = ''
    subtype: str = ''
    currency: str = ''
    description: str = ''
    holder_name: str = ''
    product: str = ''
    internal_reference: str = ''
    current_balance: Decimal | None = None
    available_balance: Decimal | None = None
    current_balance_reference_date: datetime | None = None
    current_balance_changed_at: datetime | None = None
    authorized_at: datetime | None = None
    authorization_expires_at: datetime | None = None
    deprecated: bool = False
    synchronized_at: datetime | None = None
    availability: str = ''
    latest_synchronization: Synchronization | None = None

    @classmethod
    def from_api(cls, data: object) -> 'Account':
        identity, attributes = _identity(data)
        resource = _mapping(data)
        meta = _mapping(resource.get('meta'))
        institution = _mapping(_mapping(resource.get('relationships')).get('financialInstitution'))
        return cls(
            id=identity,
            institution_id=clean_text(_mapping(institution.get('data')).get('id')),
            reference=clean_text(attributes.get('reference')),
            reference_type=clean_text(attributes.get('referenceType')),
            subtype=clean_text(attributes.get('subtype')),
            currency=_code(attributes.get('currency')),
            description=clean_text(attributes.get('description')),
            holder_name=clean_text(attributes.get('holderName')),
            product=clean_text(attributes.get('product')),
            internal_reference=clean_text(attributes.get('internalReference')),
            current_balance=_amount(attributes.get('currentBalance')),
            available_balance=_amount(attributes.get('availableBalance')),
            current_balance_reference_date=_datetime(attributes.get('currentBalanceReferenceDate')),
            current_balance_changed_at=_datetime(attributes.get('currentBalanceChangedAt')),
            authorized_at=_datetime(attributes.get('authorizedAt')),
            authorization_expires_at=_datetime(attributes.get('authorizationExpirationExpectedAt')),
            deprecated=attributes.get('deprecated') is True,
            synchronized_at=_datetime(meta.get('synchronizedAt')),
            availability=clean_text(meta.get('availability')),
            latest_synchronization=Synchronization.from_meta(meta),
        )


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A booked or pending transaction.

    ``amount`` is signed, in ``currency``. ``attributes`` is all that Ponto said, for ``json.dumps``. A row that cannot
    be booked as it stands does not raise: ``problem`` says what is wrong with its amount, currency or dates (in
    English, for the record), and is empty for a sound row.
    """

    id: str
    amount: Decimal | None = None
    currency: str = ''
    execution_date: datetime | None = None
    value_date: datetime | None = None
    description: str = ''
    remittance_information: str = ''
    remittance_information_type: str = ''
    counterpart_name: str = ''
    counterpart_reference: str = ''
    end_to_end_id: str = ''
    purpose_code: str = ''
    bank_transaction_code: str = ''
    proprietary_bank_transaction_code: str = ''
    mandate_id: str = ''
    creditor_id: str = ''
    additional_information: str = ''
    card_reference: str = ''
    fee: Decimal | None = None
    internal_reference: str = ''
    created_at: datetime | None = None
    updated_at: datetime | None = None
    attributes: dict[str, Any] = field(default_factory=dict, hash=False)
    problem: str = ''

    @classmethod
    def from_api(cls, data: object) -> 'Transaction':
        identity, attributes = _identity(data)
        return cls(
            id=identity,
            amount=_amount(attributes.get('amount')),
            currency=_code(attributes.get('currency')),
            execution_date=_datetime(attributes.get('executionDate')),
            value_date=_datetime(attributes.get('valueDate')),
            description=clean_text(attributes.get('description')),
            remittance_information=clean_text(attributes.get('remittanceInformation')),
            remittance_information_type=clean_text(attributes.get('remittanceInformationType')),
            counterpart_name=clean_text(attributes.get('counterpartName')),
            counterpart_reference=clean_text(attributes.get('counterpartReference')),
            end_to_end_id=clean_text(attributes.get('endToEndId')),
            purpose_code=clean_text(attributes.get('purposeCode')),
            bank_transaction_code=clean_text(attributes.get('bankTransactionCode')),
            proprietary_bank_transaction_code=clean_text(attributes.get('proprietaryBankTransactionCode')),
            mandate_id=clean_text(attributes.get('mandateId')),
            creditor_id=clean_text(attributes.get('creditorId')),
            additional_information=clean_text(attributes.get('additionalInformation')),
            card_reference=clean_text(attributes.get('cardReference')),
            fee=_amount(attributes.get('fee')),
            internal_reference=clean_text(attributes.get('internalReference')),
            created_at=_datetime(attributes.get('createdAt')),
            updated_at=_datetime(attributes.get('updatedAt')),
            attributes=to_json(attributes),
            problem='; '.join(_problems(attributes)),
        )

    @classmethod
    def from_json(cls, identity: str, attributes: Mapping[str, Any]) -> 'Transaction':
        """Return the transaction whose ``attributes`` were kept, where amounts are text."""
        numbers = {name: _number(attributes[name]) for name in ('amount', 'fee') if name in attributes}
        return cls.from_api({'id': identity, 'attributes': {**attributes, **numbers}})


@dataclass(frozen=True, kw_only=True)
class Userinfo:
    """The organization that gave a consent (Ponto Connect). ``name`` needs the scope of that name."""

    organization_id: str
    name: str = ''

    @classmethod
    def from_api(cls, data: object) -> 'Userinfo':
        claims = _mapping(data)
        organization_id = one_line(claims.get('sub'), 200)
        if not organization_id:
            raise ValueError('userinfo without organization')
        return cls(organization_id=organization_id, name=one_line(claims.get('name')))


def _problems(attributes: Mapping[str, Any]) -> list[str]:
    """Name what keeps a transaction from being booked. One missing date is none: the other one serves."""
    problems = []
    if attributes.get('amount') is None:
        problems.append('amount is missing')
    elif _amount(attributes['amount']) is None:
        problems.append(f'amount is unreadable: {_excerpt(attributes["amount"])}')
    if attributes.get('currency') in (None, ''):
        problems.append('currency is missing')
    elif not _code(attributes['currency']):
        problems.append(f'currency is unreadable: {_excerpt(attributes["currency"])}')
    dates = {name: attributes.get(name) for name in ('executionDate', 'valueDate')}
    for name, value in dates.items():
        if value not in (None, '') and _datetime(value) is None:
            problems.append(f'{name} is unreadable: {_excerpt(value)}')
    if all(value in (None, '') for value in dates.values()):
        problems.append('executionDate and valueDate are missing')
    return problems


def _excerpt(value: object) -> str:
    return one_line(None if isinstance(value, list) else value, 40) or type(value).__name__


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. A short or empty page is not the last one: only a missing ``next_url`` says so."""

    items: tuple[T, ...]
    next_url: str | None = None
    synchronized_at: datetime | None = None
    latest_synchronization: Synchronization | None = None
