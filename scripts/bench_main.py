"""The measurements of `scripts/bench`. Ponto is simulated in this process, so that no network is measured."""

import argparse
import cProfile
import importlib
import json
import pstats
import resource
import time
from collections import defaultdict
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median

import requests
from stress_workers import LOGIN, environment, odoo, prepare

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator

PARTNERS = 200
NEW_ROWS = 10
OURS, CORE = 'import', "core's create alone"
AGAIN, NEWS = 'again, nothing new', f'again, {NEW_ROWS} new'
HEAD = ('rows', 'what', 'CPU ms a row', 'seconds', 'queries a row', 'calls a row', "times core's CPU")


def main():
    options = parse_arguments()
    sim = Simulator(real_clock=True)
    requests.Session.send = lambda session, request, **kwargs: sim.send(request, session=session, **kwargs)
    bank = sim.add_institution('Kadebank')
    # One account for each repetition: the one before the first warms up, the one after the last is profiled.
    accounts = {size: [fill(sim, bank, size, number) for number in range(options.times + 2)] for size in options.sizes}
    prepare('https://api.myponto.com', [(CLIENT_ID, CLIENT_SECRET)])
    # A worker begins with few rows a step, and soon takes as many as a step may have. Here it is past that.
    budget = odoo.addons.account_online_ponto.models.budget
    budget.BOOKING = budget.Pace(budget.ROWS)
    with environment() as env:
        env['res.partner'].create([{'name': f'Partner {number}'} for number in range(PARTNERS)])
    rows = [row for size in options.sizes for row in measure(sim, accounts[size], size)]
    show(rows)
    if options.matching:
        # It needs Odoo, which `stress_workers` has loaded.
        bench_matching = importlib.import_module('bench_matching')
        with environment(login=LOGIN) as env:
            bench_matching.report(env(su=True))
    if options.json:
        options.json.write_text(json.dumps({'at': str(datetime.now(timezone.utc)), 'rows': rows}, indent=1))


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('--sizes', type=lambda text: [int(size) for size in text.split(',')], default=[1000])
    parser.add_argument('--times', type=int, default=5)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--matching', action='store_true')
    return parser.parse_args()


def fill(sim, bank, size, number):
    """Return the Ponto id of a new account with a history of `size` rows, 20 a day, the last ones of yesterday."""
    account = sim.add_account(f'BENCH{size}N{number}', institution=bank)
    today = datetime.now(timezone.utc).date()
    for row in range(size):
        add_row(sim, account, row, today - timedelta(days=1 + (size - row) // 20))
    return account.id


def add_row(sim, account, number, day):
    sim.add_transaction(
        account,
        number + 1,
        day,
        counterpart_name=f'Partner {number % PARTNERS}',
        remittance_information=f'Invoice {number}',
    )


# --- Measuring --------------------------------------------------------------------------------------------------------


def measure(sim, accounts, size):
    """Return the rows of the table for one size."""
    runs = defaultdict(list)
    for number, ponto_id in enumerate(accounts):
        is_profiled = number == len(accounts) - 1
        steps = {OURS: (synchronize, size), CORE: (create_lines, size), AGAIN: (synchronize, 1), NEWS: (synchronize, 1)}
        for name, (step, count) in steps.items():
            if name == NEWS:
                for new in range(NEW_ROWS):
                    add_row(sim, ponto_id, size + new, datetime.now(timezone.utc).date())
            runs[name].append(run(step, ponto_id, count, is_profiled))
    unit = median(one['cpu'] for one in runs[CORE][1:-1])
    return [
        {
            'size': size,
            'name': name,
            **{key: median(one[key] for one in measured[1:-1]) for key in ('cpu', 'seconds', 'queries')},
            'calls': measured[-1]['calls'],
            'faster': unit / median(one['cpu'] for one in measured[1:-1]),
            'megabytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        for name, measured in runs.items()
    ]


def run(step, ponto_id, count, is_profiled):
    """Return what `step` costs, by `count`, in a transaction of its own, its commit included."""
    profile = cProfile.Profile() if is_profiled else nullcontext()
    with environment() as env:
        account = env['ponto.account'].search([('ponto_id', '=', ponto_id)])
        prepared = step.prepare(account) if hasattr(step, 'prepare') else account
        env.flush_all()
        queries, cpu, seconds = env.cr.sql_log_count, time.process_time(), time.perf_counter()
        with profile:
            step(prepared)
            env.flush_all()
            env.cr.commit()
        return {
            'cpu': (time.process_time() - cpu) / count * 1000,
            'seconds': time.perf_counter() - seconds,
            'queries': (env.cr.sql_log_count - queries) / count,
            'calls': pstats.Stats(profile).total_calls / count if is_profiled else None,
        }


def synchronize(account):
    """Read and book, as the scheduled action does, in one transaction."""
    account._synchronize()


def create_lines(prepared):
    """Let core create the lines that booking has created, in one list."""
    lines, vals_list = prepared
    lines.create(vals_list)


def prepare_lines(account):
    company = account.company_id
    journal = account.env['account.journal'].create({'name': 'Core', 'type': 'bank', 'company_id': company.id})
    vals_list = account.transaction_ids.sudo().sorted('rank')._prepare_statement_lines_vals()
    lines = account.env['account.bank.statement.line'].with_company(company)
    return lines, [{**vals, 'journal_id': journal.id} for vals in vals_list]


create_lines.prepare = prepare_lines


def show(rows):
    print(f'\n{HEAD[0]:>6}  {HEAD[1]:<20}{HEAD[2]:>14}{HEAD[3]:>9}{HEAD[4]:>15}{HEAD[5]:>13}{HEAD[6]:>18}')
    for row in rows:
        faster = f'{row["faster"]:.2f}' if row['name'] in (OURS, CORE) else ''
        print(
            f'{row["size"]:>6}  {row["name"]:<20}{row["cpu"]:>14.2f}{row["seconds"]:>9.2f}{row["queries"]:>15.2f}'
            f'{row["calls"]:>13.0f}{faster:>18}'
        )
    print(f'For "again" the columns count the whole run. Peak memory of the process: {rows[-1]["megabytes"]} MB.')


main()
