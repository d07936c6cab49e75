"""The measurements of `scripts/bench`. Ponto is simulated in this process, so that no network is measured."""

import argparse
import importlib
import json
import os
import platform
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from itertools import repeat
from pathlib import Path
from statistics import median

import requests
from bench_run import profile_entries, run
from bench_show import draw, show, show_profile
from bench_ways import AGAIN, CORE, NEW_ROWS, NEWS, OURS, ways
from stress_workers import LOGIN, environment, odoo, prepare

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator

PARTNERS = 200


def main():
    options = parse_arguments()
    sim = Simulator(real_clock=True)
    requests.Session.send = lambda session, request, **kwargs: sim.send(request, session=session, **kwargs)
    bank = sim.add_institution('Kadebank')
    # One account for each repetition: the one before the first warms up, the one after the last is profiled.
    accounts = {size: make_accounts(sim, bank, 'BENCH', size, options.times + 2) for size in options.sizes}
    prepare('https://api.myponto.com', [(CLIENT_ID, CLIENT_SECRET)])
    # A worker begins with few rows a step, and soon takes as many as a step may have. Here it is past that.
    budget = odoo.addons.account_online_ponto.models.budget
    budget.BOOKING = budget.Pace(budget.ROWS)
    with environment() as env:
        env['res.partner'].create([{'name': f'Partner {number}'} for number in range(PARTNERS)])
    results = {'at': str(datetime.now(timezone.utc)), 'machine': machine(), 'times': options.times, 'rows': []}
    for size in options.sizes:
        # Our feed is not to know the accounts of OCA's.
        oca = make_accounts(sim, bank, 'OCA', size, options.times + 2) if os.environ['BENCH_OCA'] else None
        rows, results['profile'] = measure(sim, accounts[size], oca, size)
        results['rows'] += rows
        show(rows)
    show_profile(results['profile'])
    measure_more(sim, bank, options, results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    if options.chart:
        draw(results['rows'], options.chart)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='scripts/bench')
    parser.add_argument('--sizes', type=numbers, default=[1000])
    parser.add_argument('--times', type=int, default=5)
    parser.add_argument('--with-oca', action='store_true')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--chart', type=Path)
    parser.add_argument('--workers', type=int)
    parser.add_argument('--memory', type=numbers)
    parser.add_argument('--search', action='store_true')
    parser.add_argument('--matching', action='store_true')
    return parser.parse_args()


def numbers(text):
    return [int(number) for number in text.split(',')]


def machine():
    return f'{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}'


def make_accounts(sim, bank, name, size, count):
    """Return `{reference: account}` of new accounts with a history of `size` rows, 20 a day, the last of yesterday."""
    today = datetime.now(timezone.utc).date()
    references = [f'{name}{size}N{number}' for number in range(count)]
    accounts = {reference: sim.add_account(reference, institution=bank) for reference in references}
    for account in accounts.values():
        for row in range(size):
            add_row(sim, account, row, today - timedelta(days=1 + (size - row) // 20))
    return accounts


def add_row(sim, account, number, day):
    sim.add_transaction(
        account,
        number + 1,
        day,
        counterpart_name=f'Partner {number % PARTNERS}',
        remittance_information=f'Invoice {number}',
    )


def measure(sim, accounts, oca, size):
    """Return the rows of the table for one size, and the ten entries of the profile of our import."""
    runs, entries = defaultdict(list), []
    today = datetime.now(timezone.utc).date()
    for number, (reference, oca_reference) in enumerate(zip(accounts, oca or repeat(None), strict=False)):
        is_profiled = number == len(accounts) - 1
        for way in ways(reference, oca_reference):
            for new in range(NEW_ROWS) if way.name.startswith(NEWS) else ():
                add_row(sim, (oca or {}).get(way.reference) or accounts[way.reference], size + new, today)
            measured, profile = run(way, size, is_profiled)
            runs[way.name].append(measured)
            if way.name == OURS and profile:
                entries = profile_entries(profile, size)
    unit = median(one['cpu'] for one in runs[CORE][1:-1])
    return [table_row(name, size, measured, unit) for name, measured in runs.items()], entries


def table_row(name, size, measured, unit):
    medians = {key: median(one[key] for one in measured[1:-1]) for key in ('cpu', 'seconds', 'queries')}
    is_import = not name.startswith((AGAIN, NEWS))
    return {
        'size': size,
        'name': name,
        **medians,
        'calls': measured[-1]['calls'],
        'faster': unit / medians['cpu'] if is_import else None,
        'cpu of each': [one['cpu'] for one in measured[1:-1]],
    }


def measure_more(sim, bank, options, results):
    """Measure what the options ask for besides. These modules need Odoo, which `stress_workers` has loaded."""
    if options.search:
        with environment(login=LOGIN) as env:
            results['search'] = importlib.import_module('bench_search').report(env(su=True))
    if options.workers or options.memory:
        bench_processes = importlib.import_module('bench_processes')
        make = lambda name, size, count: make_accounts(sim, bank, name, size, count)  # noqa: E731
        results['processes'] = bench_processes.report(sim, make, options)
    if options.matching:
        with environment(login=LOGIN) as env:
            importlib.import_module('bench_matching').report(env(su=True))


if __name__ == '__main__':
    main()
