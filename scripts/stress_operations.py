"""What `scripts/stress operations` does: an Odoo server imports, and something happens to the machine or the database.

Each case lets the banks have news, disturbs the import when some of it is booked, and then waits until all of it is.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from functools import partial
from typing import NamedTuple

import psycopg2
import stress_disturbances as disturb
from stress_cluster import Cluster
from stress_common import (
    DATABASE,
    LOG,
    add_transactions,
    check_books,
    check_no_error,
    log,
    query,
    run_process,
    wake_workers,
    wrong,
)
from stress_server import KILLED, odoo_server

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.server import Server

OTHER = ('the-other-company', 'its-secret')
# Whatever happens, all is booked so many seconds later.
PATIENCE = 240
# What Odoo itself logs when it cannot reach its database, or somebody else was faster.
SERVER_LOST = (
    r'psycopg2|terminating connection|the database system|server closed|cursor already closed|Cursor not closed'
    r'|Exception in cron|Job|Gevent Parent changed'
)


class Case(NamedTuple):
    """`disturb(run)` is a context manager, entered `times` so often; `logged` matches what the log may hold then."""

    disturb: object
    logged: str = r'could not serialize access[^\n]*\s*$'
    times: int = 3
    is_amid: bool = True
    server: tuple = (2, 2)
    needs_mount: bool = False


CASES = {
    'restart': Case(disturb.restart, SERVER_LOST, times=5),
    'crash': Case(partial(disturb.restart, mode='immediate'), SERVER_LOST, times=5),
    'connections': Case(disturb.no_connection, SERVER_LOST),
    'filestore': Case(disturb.full_filestore, 'No space left|_file_write', needs_mount=True),
    'disk': Case(disturb.full_disk, 'No space left', needs_mount=True),
    'log-disk': Case(partial(disturb.full_disk, which=1), f'No space left|{SERVER_LOST}', needs_mount=True),
    'person': Case(disturb.reconciling_person, 'could not serialize|deadlock detected'),
    **{
        f'locked-{name}': Case(
            partial(disturb.locked, name), 'lock timeout|could not serialize', times=1, is_amid=False
        )
        for name in disturb.LOCKED
    },
    'threads': Case(contextlib.nullcontext, server=(0, 2)),
    'one-cron-thread': Case(contextlib.nullcontext, server=(2, 1)),
    'no-cron-thread': Case(disturb.only_clicks, times=1, is_amid=False, server=(2, 0)),
    'archived-user': Case(disturb.archived_user, 'Forbidden server action', times=1, is_amid=False),
    'slow-clients': Case(disturb.slow_clients, times=1),
    'clock': Case(disturb.wrong_clock, times=1, is_amid=False),
}


class Run:
    """One server with its database, the simulated Ponto and what is known of both."""

    def __init__(self, cluster, sim, chance, rows):
        self.cluster, self.sim, self.chance, self.rows = cluster, sim, chance, rows
        self.remarks, self.taken = [], []

    @contextlib.contextmanager
    def server(self, case):
        """Run Odoo for this case. Where it ends by itself `wake` starts it again, as a supervisor does."""
        options = CASES[case].server
        with contextlib.ExitStack() as stack:
            self.start_server = lambda: stack.enter_context(odoo_server(DATABASE, LOG, *options))
            self.process = self.start_server()
            yield

    def have_news(self):
        """Let every account have news, and the scheduler look for them at once."""
        self.add_news()
        self.make_due()

    def add_news(self):
        with self.sim.lock:
            for account in self.sim.accounts:
                add_transactions(self.sim, account, self.rows, 20, self.chance)

    def make_due(self):
        """Let all accounts be due that nobody has locked."""
        patiently(
            query,
            """
            UPDATE ponto_account SET next_read_at = now() AT TIME ZONE 'UTC' WHERE id IN (
                SELECT id FROM ponto_account FOR NO KEY UPDATE SKIP LOCKED)""",
        )
        self.wake()

    def wake(self):
        """Let the scheduler come at once. By itself it sleeps for a minute."""
        if self.process.poll() is not None:
            self.remarks.append('Odoo had ended by itself and was started again')
            self.process = self.start_server()
        with contextlib.suppress(psycopg2.Error):
            query("UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' - interval '1 second'")
        with contextlib.suppress(psycopg2.Error):
            wake_workers()

    def booked(self, account=None):
        """Return how many transactions of all accounts, or of one of Ponto's, are in the books."""
        [[count]] = query(
            """
            SELECT count(*) FROM ponto_transaction JOIN ponto_account ON ponto_account.id = account_id
             WHERE ponto_transaction.state = 'booked' AND (%s IS NULL OR ponto_account.ponto_id = %s)""",
            account and account.id,
            account and account.id,
        )
        return count

    def wait_for(self, condition, seconds):
        """Wait until `condition()` is true; return after how many seconds it was, None if it never was."""
        began = time.monotonic()
        woken = began
        while time.monotonic() < began + seconds:
            with contextlib.suppress(psycopg2.Error):
                if condition():
                    return time.monotonic() - began
            if time.monotonic() > woken + 5:
                woken = time.monotonic()
                self.wake()
            time.sleep(0.2)
        return None

    def wait_until_amid(self, before):
        """Wait until some of the news are in the books."""
        if self.wait_for(lambda: self.booked() > before, PATIENCE) is None:
            wrong.append('nothing is booked')

    def wait_until_done(self):
        total = sum(len(account.transactions) for account in self.sim.accounts)
        return self.wait_for(lambda: self.booked() == total, PATIENCE)


def patiently(function, *arguments):
    """Call a function that needs the database until it answers."""
    for _attempt in range(100):
        with contextlib.suppress(psycopg2.OperationalError):
            return function(*arguments)
        time.sleep(0.2)
    return function(*arguments)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse_arguments()
    server = dict(os.environ)
    sim = make_bank()
    with Cluster() as cluster, Server(sim) as ponto:
        cluster.copy_here(DATABASE, server)
        run_process('prepare', ponto.url, [(CLIENT_ID, CLIENT_SECRET), OTHER], True)
        run = Run(cluster, sim, random.Random(1), options.rows)
        print(f'\n{"case":<20}{"times":>6}  {"all booked after":<18}what was logged', flush=True)
        for name in options.cases or CASES:
            try_case(run, name, CASES[name], options.times)
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    print('Wrong' if wrong else 'Right')
    sys.exit(1 if wrong else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='scripts/stress')
    parser.add_argument('command')
    parser.add_argument('cases', nargs='*', choices=[[], *CASES], metavar='case')
    parser.add_argument('--rows', type=int, default=150, help='news of each account each time')
    parser.add_argument('--times', type=int, help='how often each case is tried')
    return parser.parse_args()


def make_bank():
    """Return a simulated Ponto with two accounts of one company and one of another."""
    sim = Simulator(real_clock=True)
    bank = sim.add_institution("Kadebank", bic='KADEBEBB')
    other = sim.add_integration(*OTHER)
    for number in range(3):
        sim.add_account(f'BE{number:014}', institution=bank, integration=other if number == 2 else None)
    return sim


def try_case(run, name, case, times):
    if case.needs_mount and not run.cluster.can_mount:
        print(f'{name:<20}{0:>6}  not tried: only root may mount a small disk')
        return
    run.remarks.clear()
    logged, seconds, times = len(log()), [], times or case.times
    with run.server(name):
        for _time in range(times):
            before = patiently(run.booked)
            if case.is_amid:
                run.have_news()
                run.wait_until_amid(before)
            with case.disturb(run) or contextlib.nullcontext():
                pass
            seconds.append(run.wait_until_done())
    report(run, name, case, times, seconds, log()[logged:])


def report(run, name, case, times, seconds, text):
    entries = re.split(r'\n(?=\d{4}-\d\d-\d\d )', text)
    bad = [entry for entry in entries if re.match(r'\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ', entry)]
    bad = [entry for entry in bad if 'py.warnings' not in entry]
    took = ', '.join('never' if item is None else f'{item:.0f} s' for item in seconds)
    kinds = Counter(re.sub(r'[\d.]+', '#', ' '.join(entry.split()[3:9]))[:60] for entry in bad)
    print(f'{name:<20}{times:>6}  {took:<18}{"; ".join(f"{count} x {kind}" for kind, count in kinds.items())}')
    for remark in run.remarks:
        print(f'{"":<28}{remark}')
    sys.stdout.flush()
    if None in seconds:
        wrong.append(f'{name}: not everything was booked after {PATIENCE} seconds')
    wrong.extend(f'{name}: in the log: {entry.strip()}' for entry in bad if not re.search(case.logged, entry))
    wrong.extend(f'{name}: {line}' for line in text.splitlines() if KILLED.search(line))
    found = len(wrong)
    check_books(run.sim)
    check_no_error()
    wrong[found:] = [f'{name}: {sentence}' for sentence in wrong[found:]]


if __name__ == '__main__':
    main()
