"""The measurements of `scripts/bench`. Ponto is simulated in this process, so that no network is measured."""

import argparse
import time
from datetime import datetime, timedelta, timezone

import requests
from stress_workers import environment, prepare

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator

BATCH = 200
PARTNERS = 200


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rows', type=int, default=2000)
    rows = parser.parse_args().rows
    sim = Simulator(real_clock=True)
    fill(sim, rows)
    requests.Session.send = lambda session, request, **kwargs: sim.send(request, session=session, **kwargs)
    prepare('https://api.myponto.com', [(CLIENT_ID, CLIENT_SECRET)])
    with environment() as env:
        make_partners(env)
    seconds = {
        'read into the inbox': timed(read),
        'Odoo alone: create the lines': timed(create_lines),
        'book': timed(book),
        'read again, nothing new': timed(read),
        'read the whole list again': timed(read_all),
    }
    unit = seconds['Odoo alone: create the lines']
    print(f'\n{rows} transactions{"":<22}{"seconds":>9}{"ratio":>8}')
    for name, value in seconds.items():
        print(f'{name:<34}{value:>9.2f}{value / unit:>8.2f}')


def fill(sim, rows):
    account = sim.add_account('BE68539007547034', institution=sim.add_institution('Kadebank'))
    for number in range(rows):
        sim.add_transaction(
            account,
            number + 1,
            day(number, rows),
            counterpart_name=f'Partner {number % PARTNERS}',
            remittance_information=f'Invoice {number}',
        )


def day(number, rows):
    """Return a day, 20 transactions each, the last one yesterday."""
    return datetime.now(timezone.utc).date() - timedelta(days=1 + (rows - number) // 20)


def make_partners(env):
    env['res.partner'].create([{'name': f'Partner {number}'} for number in range(PARTNERS)])


def timed(step, *arguments):
    """Return how many seconds `step` takes in a transaction of its own, its commit included."""
    began_at = time.perf_counter()
    with environment() as env:
        step(env, *arguments)
    return time.perf_counter() - began_at


def create_lines(env):
    """Create the lines in another journal from the values that booking gives to Odoo."""
    account = env['ponto.account'].search([])
    company = account.company_id
    journal = env['account.journal'].create({'name': 'By hand', 'type': 'bank', 'company_id': company.id})
    lines = env['account.bank.statement.line'].with_company(company)
    vals_list = account.transaction_ids.sorted('rank')._prepare_statement_lines_vals()
    for start in range(0, len(vals_list), BATCH):
        lines.create([{**vals, 'journal_id': journal.id} for vals in vals_list[start : start + BATCH]])


def read(env):
    env['ponto.account'].search([])._read('manual')


def read_all(env):
    env['ponto.account'].search([])._request_full_read()
    read(env)


def book(env):
    account = env['ponto.account'].search([])
    account._book_into(account._last_run())


main()
