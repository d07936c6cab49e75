"""State to JSON:API bodies, shaped like Ponto's."""

from datetime import date, datetime, timezone
from decimal import Decimal

from .state import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS, MISSING, WITH_UNSETTLED

FOREIGN_BASE = 'https://api.development.myponto.net'
"""Ponto links the updated transactions of a synchronization on another host than the one that was called."""

RELATED_KINDS = {
    'updatedTransactions': ('transaction', 'updated-transactions'),
    'updatedPendingTransactions': ('pendingTransaction', 'updated-pending-transactions'),
}


def number(value):
    """A Decimal as a JSON number, with every digit or not at all."""
    converted = float(value)
    if Decimal(repr(converted)) != value:
        raise ValueError(f'{value} has more digits than a JSON number of this simulator can carry')
    return converted


def moment(value, timespec='milliseconds'):
    """`2022-09-26T13:12:40.746Z`"""
    return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec=timespec) + 'Z'


def json_value(value, timespec='milliseconds'):
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return moment(value, timespec)
    if isinstance(value, date):
        return value.isoformat()
    return value


def attributes(resource):
    return {name: json_value(value) for name, value in resource.attributes.items() if value is not MISSING}


def resource_object(resource, **members):
    """The resource with the given members, or with those it was recorded with."""
    body = {'attributes': attributes(resource), 'id': resource.id}
    body.update(members if resource.recorded is None else resource.recorded)
    body['type'] = resource.type
    return body


def institution(resource, _base):
    return resource_object(resource)


def transaction(resource, base):
    related = f'{base}/accounts/{resource.account_id}'
    return resource_object(
        resource,
        relationships={
            'account': {'data': {'id': resource.account_id, 'type': 'account'}, 'links': {'related': related}}
        },
    )


def account(resource, base):
    body = resource_object(resource, relationships=_account_relationships(resource, base))
    if resource.recorded is None or resource.completed.get(ACCOUNT_DETAILS):
        body['meta'] = {'availability': resource.availability, **synchronization_meta(resource, ACCOUNT_DETAILS)}
    return body


def _account_relationships(resource, base):
    relationships = {}
    if resource.institution_id:
        relationships['financialInstitution'] = {
            'data': {'id': resource.institution_id, 'type': 'financialInstitution'},
            'links': {'related': f'{base}/financial-institutions/{resource.institution_id}'},
        }
    for name, kind, path in (
        ('transactions', 'transaction', 'transactions'),
        ('pendingTransactions', 'pendingTransaction', 'pending-transactions'),
    ):
        related = f'{base}/accounts/{resource.id}/{path}'
        relationships[name] = {'links': {'meta': {'type': kind}, 'related': related}}
    return relationships


def synchronization_meta(resource, *subtypes):
    """`latestSynchronization` and `synchronizedAt` for these subtypes: of the newest completed one, if there is any.

    After a failed one `synchronizedAt` stays at the last success (not documented at Ponto).
    """
    completed = [resource.completed[subtype] for subtype in subtypes if subtype in resource.completed]
    moments = [resource.synchronized_at[subtype] for subtype in subtypes if subtype in resource.synchronized_at]
    meta = {}
    if completed:
        meta['latestSynchronization'] = embedded_synchronization(max(completed, key=lambda item: item.updated_at))
    if moments:
        meta['synchronizedAt'] = moment(max(moments))
    return meta


def transactions_meta(resource):
    return {**resource.recorded_meta, **synchronization_meta(resource, ACCOUNT_TRANSACTIONS, WITH_UNSETTLED)}


def pending_meta(resource):
    return synchronization_meta(resource, WITH_UNSETTLED)


def embedded_synchronization(item):
    """As inside `meta.latestSynchronization`, the only place that says whether the customer was online."""
    body = _synchronization(item)
    body['attributes']['customerOnline'] = item.customer_online
    return body


def created_synchronization(item):
    return _synchronization(item)


def synchronization(item):
    body = _synchronization(item)
    names = {
        ACCOUNT_TRANSACTIONS: ('updatedTransactions',),
        WITH_UNSETTLED: ('updatedTransactions', 'updatedPendingTransactions'),
    }.get(item.subtype, ())
    if names:
        body['relationships'] = {name: _updated_link(item, *RELATED_KINDS[name]) for name in names}
    return body


def _updated_link(item, kind, path):
    return {'links': {'meta': {'type': kind}, 'related': f'{FOREIGN_BASE}/synchronizations/{item.id}/{path}'}}


def _synchronization(item):
    return {
        'attributes': {
            'createdAt': moment(item.created_at),
            'errors': list(item.errors),
            'resourceId': item.account_id,
            'resourceType': 'account',
            'status': item.status,
            'subtype': item.subtype,
            'updatedAt': moment(item.updated_at),
        },
        'id': item.id,
        'type': 'synchronization',
    }


def bank_resource(resource, _base):
    """Sandbox resources: dates without a fraction, other moments with microseconds."""
    values = {
        name: json_value(value, 'seconds' if name.endswith('Date') else 'microseconds')
        for name, value in resource.attributes.items()
        if value is not MISSING
    }
    return {'attributes': values, 'id': resource.id, 'type': resource.type}
