"""What `scripts/stress operations` does to an import: each function is a context manager that gets the `Run`."""

import configparser
import contextlib
import os
import socket
import time
import urllib.request
from pathlib import Path

import psycopg2
from stress_cluster import Disk
from stress_common import DATABASE, processes, query, start, wrong

# So many seconds a disturbance lasts.
LASTS = 20
# Somebody holds a lock for longer: the run must give up waiting several times.
HELD = 60
# What a step waits for at most: for a lock (`budget.LOCK`), and for a token as long as for Ponto (`budget.PONTO`). A
# busy machine needs time besides.
WAITS = {'token': 20}
WAIT = 5
TOLERANCE = 3

# Records that somebody keeps locked, all of the first account, and whether the other company's account is booked then.
LOCKED = {
    'journal': 'SELECT id FROM account_journal WHERE id = %(journal)s FOR UPDATE',
    'company': 'SELECT id FROM res_company WHERE id = %(company)s FOR UPDATE',
    'currency': "SELECT id FROM res_currency WHERE name = 'EUR' FOR UPDATE",
    'sequence': """
        SELECT id FROM account_move WHERE journal_id = %(journal)s
         ORDER BY sequence_prefix DESC, sequence_number DESC LIMIT 1 FOR UPDATE""",
    'token': 'SELECT id FROM ponto_token WHERE integration_id = %(integration)s FOR UPDATE',
    'integration': 'SELECT id FROM ponto_integration WHERE id = %(integration)s FOR UPDATE',
    'link': 'SELECT id FROM ponto_link WHERE id = %(link)s FOR UPDATE',
    'account': 'SELECT id FROM ponto_account WHERE id = %(account)s FOR UPDATE',
    'ledger': """
        SELECT id FROM account_account WHERE id IN (
            SELECT default_account_id FROM account_journal WHERE id = %(journal)s) FOR UPDATE""",
    'table': 'LOCK TABLE account_bank_statement_line IN ACCESS EXCLUSIVE MODE',
}
# What these hold is everybody's.
OF_ALL = ('currency', 'table')


# -------------------------------------------------------------------------
# The database server
# -------------------------------------------------------------------------


@contextlib.contextmanager
def restart(run, mode='fast'):
    run.cluster.stop(mode)
    time.sleep(2)
    run.cluster.start()
    yield


@contextlib.contextmanager
def no_connection(run):
    """All of Odoo's connections are ended, and somebody else takes every one that the server has."""
    with contextlib.ExitStack() as taken:
        first = psycopg2.connect(dbname=DATABASE)
        taken.callback(first.close)
        first.autocommit = True
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            with first.cursor() as cursor:
                cursor.execute(
                    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != ALL(%s) AND usename = %s'
                    " AND backend_type = 'client backend'",
                    [[first.info.backend_pid, *(item.info.backend_pid for item in run.taken)], 'odoo'],
                )
            with contextlib.suppress(psycopg2.OperationalError):
                while True:
                    run.taken.append(psycopg2.connect(dbname='postgres'))
            time.sleep(0.5)
        run.remarks.append(f'{len(run.taken) + 1} connections were taken for {LASTS} s')
        for connection in run.taken:
            connection.close()
        run.taken.clear()
    yield


# -------------------------------------------------------------------------
# Disks
# -------------------------------------------------------------------------


@contextlib.contextmanager
def full_disk(run, which=0):
    """The disk of the data (0) or of the write-ahead log (1) is full for a while."""
    before = run.booked()
    with run.cluster.disks[which].full():
        time.sleep(LASTS)
        with contextlib.suppress(psycopg2.Error):
            run.remarks.append(f'booked on the full disk: {run.booked() - before}')
    if not run.cluster.is_running():
        run.remarks.append('PostgreSQL had ended and was started again')
        run.cluster.start()
    yield


@contextlib.contextmanager
def full_filestore(run):
    config = configparser.ConfigParser()
    config.read(os.environ['ODOO_RC'])
    folder = Path(config['options']['data_dir'], 'filestore', DATABASE)
    folder.mkdir(parents=True, exist_ok=True)
    files = {file.relative_to(folder): file.read_bytes() for file in folder.rglob('*') if file.is_file()}
    disk = Disk(folder, megabytes=sum(map(len, files.values())) * 3 // (1 << 20) + 10)
    disk.mount()
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        with disk.full():
            run.remarks.append(f'all booked on the full disk after {run.wait_until_done()} s')
    finally:
        disk.unmount()
    yield


# -------------------------------------------------------------------------
# People
# -------------------------------------------------------------------------


@contextlib.contextmanager
def reconciling_person(run):
    """Two accountants reconcile one line after the other while the rest is imported."""
    stop, answers = processes.RawValue('i', 0), processes.SimpleQueue()
    people = [start('reconcile_by_hand', stop, answers, seed) for seed in range(2)]
    time.sleep(LASTS)
    run.wait_until_done()
    stop.value = 1
    for person in people:
        person.join()
    for _person in people:
        done, failed = answers.get()
        run.remarks.append(f'{done} lines reconciled by hand, {len(failed)} clicks failed: {set(failed) or ""}')
    yield


@contextlib.contextmanager
def locked(what, run):
    """Somebody's transaction keeps a record of the first account locked. The others go on."""
    first, other = run.sim.accounts[0], run.sim.accounts[-1]
    [[account, journal, integration, link, company]] = query(
        'SELECT id, journal_id, integration_id, link_id, company_id FROM ponto_account WHERE ponto_id = %s', first.id
    )
    ids = {'account': account, 'journal': journal, 'integration': integration, 'link': link, 'company': company}
    with contextlib.closing(psycopg2.connect(dbname=DATABASE)) as person, person.cursor() as cursor:
        cursor.execute(LOCKED[what], ids)
        if what == 'token':
            # It is needed only when there is none.
            run.sim.revoke_tokens()
        run.have_news()
        answers = processes.SimpleQueue()
        clicking = start('tell_click', answers, account)
        longest, others_after = watch(run, other, person.info.backend_pid)
        if clicking.is_alive():
            wrong.append(f'locked-{what}: a click waits for as long as somebody holds the lock')
        person.rollback()
    clicking.join()
    took, message = answers.get()
    # What has failed meanwhile was told, and is no fault of the case.
    query("DELETE FROM ponto_synchronization WHERE state = 'error'")
    run.make_due()
    told = f'the others booked after {others_after:.0f} s' if others_after is not None else 'the others not booked'
    run.remarks.append(f'held for {HELD} s; longest wait {longest:.1f} s; {told}; a click took {took:.1f} s: {message}')
    if longest > WAITS.get(what, WAIT) + TOLERANCE:
        wrong.append(f'locked-{what}: a run waited for {longest:.1f} s')
    if others_after is None and what not in OF_ALL:
        wrong.append(f'locked-{what}: the account that it does not concern was not booked')
    yield


def watch(run, other, holder):
    """Return the longest wait for a lock in seconds, and after how many `other` was booked, None if it was not."""
    longest, others_after, began = 0, None, time.monotonic()
    while time.monotonic() < began + HELD:
        for [waited] in query(
            "SELECT extract(epoch FROM clock_timestamp() - query_start) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND %s = ANY(pg_blocking_pids(pid))",
            holder,
        ):
            longest = max(longest, float(waited))
        if others_after is None and is_booked(other):
            others_after = time.monotonic() - began
        time.sleep(0.2)
        run.wake()
    return longest, others_after


def is_booked(account):
    [[count]] = query(
        """
        SELECT count(*) FROM ponto_transaction JOIN ponto_account ON ponto_account.id = account_id
         WHERE ponto_transaction.state = 'booked' AND ponto_account.ponto_id = %s""",
        account.id,
    )
    return count == len(account.transactions)


@contextlib.contextmanager
def only_clicks(run):
    """No worker runs scheduled actions: nothing comes in by itself, and everything by a click."""
    before = run.booked()
    run.have_news()
    time.sleep(LASTS)
    run.remarks.append(f'booked by itself: {run.booked() - before}')
    answers = processes.SimpleQueue()
    clicking = start('fetch_to_the_end', answers)
    clicking.join()
    run.remarks.append('after a click: {!r}; looks at the progress until the end: {}'.format(*answers.get()))
    yield


@contextlib.contextmanager
def archived_user(run):
    """The scheduled actions belong to a user who has been archived, until an administrator gives them another one."""
    run.add_news()
    before = run.booked()
    owners = query('SELECT id, user_id FROM ir_cron')
    query('UPDATE ir_cron SET user_id = (SELECT id FROM res_users WHERE NOT active AND id != 1 ORDER BY id LIMIT 1)')
    run.make_due()
    time.sleep(LASTS)
    run.remarks.append(f'booked meanwhile: {run.booked() - before}')
    for cron, user in owners:
        query('UPDATE ir_cron SET user_id = %s WHERE id = %s', user, cron)
    run.make_due()
    yield


# -------------------------------------------------------------------------
# The outside
# -------------------------------------------------------------------------

SLOW = (
    b'POST /ponto/webhook HTTP/1.1\r\nHost: x\r\nSignature: x.y.z\r\nContent-Length: 60000\r\n\r\n',
    b'GET /ponto/return?state=',
)


@contextlib.contextmanager
def slow_clients(run):
    """More clients than there are workers send one byte a second to the addresses that everybody may call."""
    port = int(run.process.args[run.process.args.index('--http-port') + 1])
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(('127.0.0.1', port))) for _number in range(4)]
        for number, client in enumerate(clients):
            client.sendall(SLOW[number % 2])
        took, end = [], time.monotonic() + LASTS
        while time.monotonic() < end:
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(b'x')
            took.append(answer_time(port))
            time.sleep(1)
    run.remarks.append(f'{len(took)} other requests meanwhile, the longest took {max(took):.1f} s')
    run.remarks.append(f'when the slow clients are gone: {answer_time(port):.1f} s')
    yield


def answer_time(port):
    """Return after how many seconds Odoo answers a simple request; `LASTS` if it does not."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/web/health', timeout=LASTS):
            return time.monotonic() - began
    except OSError:
        return LASTS


# -------------------------------------------------------------------------
# The clock
# -------------------------------------------------------------------------

OFFSETS = ('2 hours', '-2 hours', '3 days', '-3 days', '2 years', '-2 years')


@contextlib.contextmanager
def wrong_clock(run):
    """What was noted until now was noted by a clock that was ahead, or behind, and that is right again."""
    for offset in OFFSETS:
        shift_moments(offset)
        run.add_news()
        answers = processes.SimpleQueue()
        clicking = start('fetch_to_the_end', answers)
        clicking.join()
        answers.get()
        run.remarks.append(f'{offset}: all booked {run.wait_until_done()} s after a click')
    yield


def shift_moments(offset):
    """Move all moments that the feeds, their tokens and the scheduler have noted."""
    for table in ('ponto_account', 'ponto_token', 'ponto_synchronization', 'ir_cron', 'ir_cron_trigger'):
        columns = query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type LIKE 'timestamp%%'",
            table,
        )
        moves = ', '.join(f"{column} = {column} + interval '{offset}'" for [column] in columns)
        query(f'UPDATE {table} SET {moves}')
