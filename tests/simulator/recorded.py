"""Recorded bodies: Ponto's own answers from files, served as they were but with this simulator's paging."""

import json
from decimal import Decimal
from pathlib import Path

from .attributes import AMOUNTS, account_attributes, as_amount
from .state import Account, Collection, Institution, Transaction

TRANSACTIONS = 'transactions-'


def load(sim, directory):
    """Read `accounts.json`, `financial-institutions.json` and `transactions-<account id>.json`, each a list body.

    A missing file is an empty list; rows without an account, and accounts without their institution, get one made up.
    ValueError when there is neither an account nor a transaction.
    """
    directory = Path(directory)
    for data in _data(_body(directory / 'financial-institutions.json')):
        sim.institutions.append(Institution(**_members(data)))
    for data in _data(_body(directory / 'accounts.json')):
        sim.open_account(Account(**_members(data), institution_id=_institution_id(sim, data)))
    for path in sorted(directory.glob(f'{TRANSACTIONS}*.json')):
        _load_transactions(sim, path.stem.removeprefix(TRANSACTIONS), _body(path))
    if not sim.accounts:
        raise ValueError(f'{directory} holds neither an account nor a transaction in the files that were looked for')


def _body(path):
    return json.loads(path.read_text(encoding='utf-8'), parse_float=Decimal) if path.exists() else {}


def _data(body):
    """The resources of a list body; a single resource counts as a list of one."""
    data = body.get('data', [])
    return data if isinstance(data, list) else [data]


def _members(data):
    attributes = {
        name: as_amount(value) if name in AMOUNTS and type(value) in (int, Decimal) else value
        for name, value in data.get('attributes', {}).items()
    }
    rest = {name: value for name, value in data.items() if name not in ('type', 'id', 'attributes')}
    return {'type': data['type'], 'id': data['id'], 'attributes': attributes, 'recorded': rest}


def _institution_id(sim, data):
    related = data.get('relationships', {}).get('financialInstitution', {}).get('data')
    if related and sim.institution(related['id']) is None:
        sim.add_institution(f'Recorded bank {related["id"][:8]}', None, ponto_id=related['id'])
    return related and related['id']


def _load_transactions(sim, account_id, body):
    rows = [Transaction(**_members(data), account_id=account_id) for data in _data(body)]
    account = sim.accounts.get(account_id)
    if account is None and rows:
        account = _made_up_account(sim, account_id, rows)
    if account:
        account.transactions = Collection(rows)
        account.recorded_meta = {name: value for name, value in body.get('meta', {}).items() if name != 'paging'}


def _made_up_account(sim, account_id, rows):
    """Account of rows that were recorded without it: its balance is their sum."""
    balance = sum((row.amount for row in rows if isinstance(row.amount, Decimal)), Decimal())
    currency = next((row.attributes['currency'] for row in rows if 'currency' in row.attributes), 'EUR')
    values = {'reference_type': 'BBAN', 'description': 'Recorded account'}
    account = Account('account', account_id, account_attributes(account_id, currency, balance, sim.clock, values, None))
    account.institution_id = sim.add_institution('Recorded bank', None).id
    sim.open_account(account)
    sim.synchronize(account)
    return account
