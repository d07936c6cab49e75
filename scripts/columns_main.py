"""What `scripts/columns` does: one simulated Ponto for two versions of the addon, and a look at what both have booked.

This process loads no Odoo; `columns_steps.py` runs in Odoo's shell. The simulator and its rows are the old version's.
"""

import json
import os
import sys
from pathlib import Path

from odoo_runs import OdooRuns

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator, seeds
from simulator.server import Server

ADDON = 'account_online_ponto'
WORK = Path(os.environ['COLUMNS_WORK'])

# How a record of each table belongs to a statement line.
TABLES = {
    'account_bank_statement_line': 'line.id = record.id',
    'account_move': 'line.move_id = record.id',
    'account_move_line': 'line.move_id = record.move_id',
}
# All records of a table in the running order of the lines, with the account and the transaction of each.
RECORDS = """
    SELECT account.reference || ' ' || account.currency_code, row.ponto_id, record.id, to_jsonb(record)
      FROM {table} record
      LEFT JOIN account_bank_statement_line line ON {belongs}
      LEFT JOIN ponto_transaction row ON row.statement_line_id = line.id
      LEFT JOIN ponto_account account ON account.id = row.account_id
     ORDER BY account.ponto_id, line.internal_index, record.id
"""
REFERENCES = """
    SELECT attname, confrelid::regclass::text
      FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
     WHERE contype = 'f' AND conrelid = '{table}'::regclass
"""
# What a record of another table is called.
NAMES = """
    SELECT record.id,
           COALESCE(vals->>'code', vals->>'code_store', vals->>'acc_number', vals->>'login', vals->>'name', vals->>'id')
      FROM {table} record, to_jsonb(record) vals
"""
# What is another in each database.
OF_DATABASE = {'id', 'create_date', 'write_date'}
# Since 19.0.1.1.0 the company is never its own counterpart. These columns follow from the partner.
OF_PARTNER = {
    'partner_id', 'commercial_partner_id', 'partner_bank_id', 'fiscal_position_id', 'invoice_partner_display_name',
}  # fmt: skip

wrong = []


class Version:
    """The addon in one of its versions, with a database of its own."""

    def __init__(self, name, conf):
        steps = Path(__file__).with_name('columns_steps.py')
        self.conf = conf
        self.runs = OdooRuns(f'{os.environ["COLUMNS_DATABASE"]}_{name}', WORK, os.environ['COLUMNS_ADDONS'], steps)

    def fill(self):
        self.runs.odoo(self.conf, '-i', ADDON)
        self.runs.step(self.conf, 'fill')
        wrong.extend(self.runs.wrong)

    def records(self, table):
        """Return `[(account, transaction, {column: value})]`; for an id stands the name of what it refers to."""
        names = {column: self._names(other) for column, other in self.runs.query(REFERENCES.format(table=table))}
        return [
            (account, transaction, comparable(vals, names)) for account, transaction, _id, vals in self._rows(table)
        ]

    def _names(self, table):
        if table in TABLES:
            return {record_id: transaction for _account, transaction, record_id, _vals in self._rows(table)}
        return dict(self.runs.query(NAMES.format(table=table)))

    def _rows(self, table):
        return self.runs.query(RECORDS.format(table=table, belongs=TABLES[table]))


def comparable(vals, names):
    """Return the columns that are the same in every database which holds the same books."""
    found = {column: value for column, value in vals.items() if column not in OF_DATABASE}
    found.update((column, known.get(vals[column])) for column, known in names.items() if column in found)
    if 'internal_index' in found:
        # It ends in the id.
        found['internal_index'] = found['internal_index'][:-10]
    return found


def main():
    simulator = Simulator(real_clock=True)
    seeds.demo(simulator)
    everybody = (*seeds.CUSTOMERS, *seeds.SUPPLIERS, *seeds.EMPLOYEES)
    partners = {name: number for name, number, *_rest in everybody} | dict.fromkeys(
        row[0] for row in seeds.DIRECT_DEBITS
    )
    os.environ.update(
        COLUMNS_CREDENTIALS=f'{CLIENT_ID} {CLIENT_SECRET}',
        COLUMNS_HOLDER=seeds.HOLDER,
        COLUMNS_PARTNERS=json.dumps(partners),
    )
    old, new = Version('old', str(WORK / 'old.conf')), Version('new', os.environ['COLUMNS_NEW_CONF'])
    with Server(simulator) as server:
        os.environ['COLUMNS_URL'] = server.url
        old.fill()
        new.fill()
    check_complete(new, simulator)
    for table in TABLES:
        compare(table, old.records(table), new.records(table))
    for sentence in wrong[:50]:
        print(f'WRONG: {sentence}')
    print('The books differ.' if wrong else 'Both versions have booked the same.')
    sys.exit(1 if wrong else 0)


def check_complete(version, simulator):
    """Whatever Ponto has is a line."""
    lines = sorted(str(row[1]) for row in version.records('account_bank_statement_line'))
    rows = sorted(row.id for account in simulator.accounts for row in account.transactions)
    if lines != rows:
        wrong.append(f'{len(lines)} lines for {len(rows)} transactions of Ponto')


def compare(table, before, after):
    """Print what is the same in both lists of `Version.records`; what is not is wrong, or printed with its reason."""
    if [record[:2] for record in before] != [record[:2] for record in after]:
        wrong.append(f'{table}: there are other records, or in another order')
        return
    columns, new = set(before[0][2]), set(after[0][2]) - set(before[0][2])
    lost = columns - set(after[0][2])
    different = {column: differences(column, before, after) for column in columns - lost}
    same = {column for column, found in different.items() if not found}
    wrong.extend(f'{table}.{column}: {len(found)}: {found[:2]}' for column, found in different.items() if found)
    wrong.extend(f'{table} has lost the column {column}' for column in lost)
    explained = sum(map(is_own_counterpart, before, after))
    print(f'\n{table}: {len(before)} records in the same order, {len(same)} columns the same')
    print(f'- with values: {listed(filled(same, before))}')
    print(f'- empty or zero: {listed(same - filled(same, before))}')
    print(f'- new with values: {listed(filled(new, after))}')
    print(f'- new, empty or zero: {listed(new - filled(new, after))}')
    print(f'- {explained} records have no partner now, who was the company itself: {listed(OF_PARTNER & columns)}')


def differences(column, before, after):
    """Return `[(transaction, old value, new value)]` of the differences in a column that have no reason."""
    return [
        (one[1], one[2][column], other[2][column])
        for one, other in zip(before, after, strict=True)
        if one[2][column] != other[2][column] and not (column in OF_PARTNER and is_own_counterpart(one, other))
    ]


def is_own_counterpart(one, other):
    return one[2]['partner_id'] == seeds.HOLDER and other[2]['partner_id'] is None


def filled(columns, records):
    """Return those of the columns that have a value in some record."""
    return {column for column in columns if any(vals[column] for _account, _transaction, vals in records)}


def listed(columns):
    return ', '.join(sorted(columns)) or 'none'


if __name__ == '__main__':
    main()
