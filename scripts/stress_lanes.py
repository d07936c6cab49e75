"""What `scripts/stress lanes` does: imports two accounts with one worker and with two, and compares the times."""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time

from stress_common import DATABASE, LOG, check_books, choose_lanes, ponto, query, run_process, wake_workers, wrong
from stress_server import odoo_server

COPY = f'{DATABASE}_lanes'
LANES = (1, 2)


def main():
    options = parse_arguments()
    seconds = {lanes: [] for lanes in LANES}
    with ponto(options.accounts, options.rows, random.Random(1)) as sim:
        run_process('make_due', DATABASE)
        print(f'\n{"pair":>5}{"lanes":>7}{"seconds":>9}{"lines a second":>16}{"load before":>13}{"after":>7}')
        for pair in range(options.pairs):
            for lanes in LANES if pair % 2 else reversed(LANES):
                load = os.getloadavg()[0]
                took = measure(sim, lanes, options)
                seconds[lanes].append(took)
                print(
                    f'{pair + 1:>5}{lanes:>7}{took:>9.1f}{options.accounts * options.rows / took:>16.1f}'
                    f'{load:>13.1f}{os.getloadavg()[0]:>7.1f}',
                    flush=True,
                )
    report(seconds, options.at_least)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='scripts/stress')
    parser.add_argument('command')
    parser.add_argument('--accounts', type=int, default=2)
    parser.add_argument('--rows', type=int, default=1000)
    parser.add_argument('--pairs', type=int, default=3)
    parser.add_argument('--minutes', type=float, default=30, help='for one import')
    parser.add_argument('--at-least', type=float, default=0, help='how many times faster two lanes must be')
    return parser.parse_args()


def measure(sim, lanes, options):
    """Import everything into a copy of the database; return how many seconds passed from the first claim to the end."""
    subprocess.run(['dropdb', '--if-exists', '--force', COPY], check=True)
    subprocess.run(['createdb', '-T', DATABASE, COPY], check=True)
    choose_lanes(lanes, COPY)
    end = time.monotonic() + options.minutes * 60
    with odoo_server(COPY, LOG, 2, max(LANES)):
        wait_for('SELECT count(*) FROM ponto_account WHERE turn_at IS NOT NULL', 1, end, lambda: wake_workers(COPY))
        began = time.monotonic()
        wait_for("SELECT count(*) FROM ponto_transaction WHERE state = 'booked'", options.accounts * options.rows, end)
        took = time.monotonic() - began
    check_books(sim, COPY)
    return took


def wait_for(statement, count, end, meanwhile=lambda: None):
    while query(statement, database=COPY)[0][0] < count:
        if time.monotonic() > end:
            sys.exit(f'The import has not come to its end: {statement}')
        meanwhile()
        time.sleep(0.2)


def report(seconds, at_least):
    ratios = [one / two for one, two in zip(*seconds.values(), strict=True)]
    ratio = sum(seconds[1]) / sum(seconds[2])
    print(f'Two lanes are {ratio:.2f} times as fast as one; by pairs: {", ".join(f"{item:.2f}" for item in ratios)}')
    print(f'medians: {statistics.median(seconds[1]):.1f} s and {statistics.median(seconds[2]):.1f} s')
    if ratio < at_least:
        wrong.append(f'two lanes are less than {at_least} times as fast as one')
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
