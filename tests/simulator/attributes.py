"""Attributes in Ponto's names from keyword arguments in Python's, and what a resource has by default."""

import hashlib
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from .state import ACCOUNT_ATTRIBUTES, INSTITUTION_ATTRIBUTES, MISSING, TRANSACTION_ATTRIBUTES

AMOUNTS = {'amount', 'fee', 'currentBalance', 'availableBalance'}
MOMENTS = {'maintenanceFrom', 'maintenanceTo'}
PONTOS_OWN = {'createdAt', 'updatedAt', 'digest', 'internalReference'}
BALANCE_PARTS = ('', 'ChangedAt', 'ReferenceDate')
BANK_ACCOUNT_ATTRIBUTES = (
    *(f'{kind}Balance{part}' for kind in ('current', 'available') for part in BALANCE_PARTS),
    *('currency', 'description', 'holderName', 'product', 'reference', 'referenceType', 'subtype'),
)


def camel(name):
    """`end_to_end_id` to `endToEndId`."""
    head, *tail = name.split('_')
    return head + ''.join(part.capitalize() for part in tail)


def as_amount(value):
    """Decimal from Decimal, int, str or float; None and MISSING stay."""
    return value if value is None or value is MISSING or isinstance(value, Decimal) else Decimal(str(value))


def as_moment(value):
    """Aware datetime from a date or `YYYY-MM-DD` (midnight UTC) or a datetime (UTC if naive); else the value itself."""
    if isinstance(value, str) and re.fullmatch(r'\d{4}-\d{2}-\d{2}', value):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, date):
        return datetime.combine(value, time(), timezone.utc)
    return value


def named(values, known, extra=None):
    """Attributes from snake_case keyword arguments, converted.

    `extra` gives raw attributes in Ponto's names, which may be unknown or wrong on purpose.
    """
    attributes = {camel(name): value for name, value in values.items()}
    unknown = sorted(set(attributes) - set(known))
    if unknown:
        raise TypeError(f'unknown attribute {unknown[0]}; use extra={{...}} for what Ponto does not document')
    return {**{name: _converted(name, value) for name, value in attributes.items()}, **(extra or {})}


def _converted(name, value):
    if name in AMOUNTS:
        return as_amount(value)
    if name in MOMENTS or name.endswith(('Date', 'At')):
        return as_moment(value)
    return value


def institution_attributes(name, country, values, extra):
    attributes = dict.fromkeys(INSTITUTION_ATTRIBUTES)
    attributes |= {
        'bulkPaymentsEnabled': False,
        'bulkPaymentsProductTypes': [],
        'country': country,
        'deprecated': False,
        'expectedAuthorizationLifetime': 90,
        'futureDatedPaymentsAllowed': False,
        'name': name,
        'paymentsEnabled': True,
        'paymentsProductTypes': ['sepaCreditTransfer'],
        'periodicPaymentsEnabled': False,
        'periodicPaymentsProductTypes': [],
        'primaryColor': '#1f3a5f',
        'secondaryColor': '#e6edf5',
        'status': 'stable',
    }
    return attributes | named(values, INSTITUTION_ATTRIBUTES, extra)


def account_attributes(reference, currency, balance, now, values, extra):
    attributes = dict.fromkeys(ACCOUNT_ATTRIBUTES)
    for kind in ('current', 'available'):
        attributes |= {
            f'{kind}Balance': as_amount(balance),
            f'{kind}BalanceChangedAt': now,
            f'{kind}BalanceReferenceDate': as_moment(now.date()),
            f'{kind}BalanceVariationObservedAt': now,
        }
    attributes |= {
        'authorizationExpirationExpectedAt': now + timedelta(days=90),
        'authorizedAt': now,
        'currency': currency,
        'deprecated': False,
        'description': 'Current account',
        'reference': reference,
        'referenceType': 'IBAN',
        'subtype': 'checking',
    }
    return attributes | named(values, ACCOUNT_ATTRIBUTES, extra)


def transaction_attributes(account, amount, execution_date, now, values, extra):
    attributes = dict.fromkeys(TRANSACTION_ATTRIBUTES)
    attributes |= {
        'amount': as_amount(amount),
        'createdAt': now,
        'currency': account.attributes.get('currency'),
        'description': 'Wire transfer',
        'executionDate': as_moment(execution_date),
        'remittanceInformationType': 'unstructured',
        'updatedAt': now,
        'valueDate': as_moment(execution_date),
    }
    attributes |= named(values, TRANSACTION_ATTRIBUTES, extra)
    if attributes['digest'] is None:
        attributes['digest'] = _digest(account.reference, attributes)
    return attributes


def _digest(reference, attributes):
    """64 hexadecimal digits; the same for two rows that differ in nothing but Ponto's own ids and moments."""
    parts = [reference, *(attributes.get(name) for name in TRANSACTION_ATTRIBUTES if name not in PONTOS_OWN)]
    return hashlib.sha256('|'.join(map(str, parts)).encode()).hexdigest()
