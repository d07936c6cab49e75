"""What the stress scripts share: the simulated Ponto on a socket, processes with Odoo, the comparison of their books.

The process that imports this loads no Odoo (`stress_workers` does).
"""

import contextlib
import importlib
import multiprocessing
import os
import re
import sys
from datetime import date, timedelta
from decimal import Decimal

import psycopg2

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.server import Server

DATABASE = os.environ['STRESS_DATABASE']
LOG = os.environ['STRESS_LOG']
CREDENTIALS = [(CLIENT_ID, CLIENT_SECRET)]

EXPECTED_IN_LOG = r'could not serialize access[^\n]*\s*$|Job .* timed out|is set aside: workers were lost'
PARTIES = (
    ("Bakkerij Smit", 'BE71096123456769'),
    ("Garage Willems", 'BE43068999999501'),
    ("Drukkerij Ons Huis", None),
    ("Koninklijke Veiling", 'NL91ABNA0417164300'),
    (None, None),
)
COLUMNS = 'date, amount, payment_ref, partner_name, account_number, sequence'

processes = multiprocessing.get_context('forkserver')
processes.set_forkserver_preload(['stress_workers'])
wrong = []


# -------------------------------------------------------------------------
# The bank
# -------------------------------------------------------------------------


@contextlib.contextmanager
def ponto(accounts, rows, chance, quiet=0):
    """A simulated Ponto on a socket, with accounts that have transactions, and a company in Odoo linked to them.

    :param quiet: so many further accounts without a transaction
    """
    sim = Simulator(real_clock=True)
    bank = sim.add_institution("Kadebank", bic='KADEBEBB')
    for number in range(accounts):
        account = sim.add_account(f'BE{number:014}', institution=bank)
        add_transactions(sim, account, rows, 200, chance)
    for number in range(quiet):
        sim.add_account(f'NL{number:014}', institution=bank)
    with Server(sim) as server:
        run_process('prepare', server.url, CREDENTIALS)
        yield sim


def add_transactions(sim, account, count, days, chance):
    """Add transactions of the last `days` days on top; Ponto's order is not that of the dates."""
    for age in sorted(range(count), reverse=True):
        name, number = chance.choice(PARTIES)
        sim.add_transaction(
            account,
            *transaction(age * days // count, chance),
            counterpart_name=name,
            counterpart_reference=number,
            remittance_information=f'Reference {chance.random():.9f}',
        )


def transaction(age, chance):
    """Return amount and date of a transaction about `age` days ago, the amounts such that many are equal."""
    amount = Decimal(chance.choice((-4000, -1250, -999, 500, 1999, 7500))).scaleb(-2)
    return amount, date.today() - timedelta(days=age + chance.randrange(3) + 1)  # noqa: DTZ011 days near enough


def go_on(sim, count, chance):
    """Let the bank go on: new transactions, one that comes late below known ones, one that the bank corrects."""
    with sim.lock:
        for account in sim.accounts:
            add_transactions(sim, account, count, 20, chance)
            sim.insert_transaction(
                account,
                *transaction(5, chance),
                below=chance.randrange(count, 2 * count),
                remittance_information=f'Late {chance.random():.9f}',
            )
            row = account.transactions[chance.randrange(2 * count)]
            amount, day = transaction(5, chance)
            sim.change_transaction(
                row.id,
                amount=amount,
                execution_date=day,
                value_date=day,
                remittance_information=f'Corrected {chance.random():.9f}',
            )


def count_requests(sim, path):
    """Return how many requests for a path, of lists only those for the first page, were answered."""
    return sum(
        1 for item in sim.requests if item.path.endswith(path) and item.status and 'page[after]' not in item.query
    )


# -------------------------------------------------------------------------
# Databases and processes
# -------------------------------------------------------------------------


def query(statement, *arguments, database=DATABASE):
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []


def wake_workers(database=DATABASE):
    """Let the workers for scheduled actions look for work at once. By themselves they look once a minute."""
    query('SELECT pg_notify(%s, %s)', 'cron_trigger', database, database='postgres')


def start(name, *arguments):
    process = processes.Process(target=run_in_odoo, args=(name, *arguments), daemon=True)
    process.start()
    return process


def run_in_odoo(name, *arguments):
    # Only these processes load Odoo.
    getattr(importlib.import_module('stress_workers'), name)(*arguments)


def run_process(name, *arguments):
    join([start(name, *arguments)])


def join(running):
    """Wait for processes that nothing disturbs; without them there is nothing to compare."""
    for process in list(running):
        process.join()
        if process.exitcode:
            sys.exit(f'{log()}A process failed.')


def log():
    with contextlib.suppress(FileNotFoundError), open(LOG) as file:
        return file.read()
    return ''


def check_log():
    """Whatever Odoo found worth a warning is wrong, but for what it logs at each conflict that it then resolves, for a
    job that it found killed thrice running, and for what was at work in two killed workers.
    """
    entries = re.split(r'\n(?=\d{4}-\d\d-\d\d )', log())
    found = [
        entry
        for entry in entries
        if re.match(r'\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ', entry)
        and 'py.warnings' not in entry
        and not re.search(EXPECTED_IN_LOG, entry)
    ]
    wrong.extend(f'in the log: {entry.strip()}' for entry in found[:5])
    if len(found) > 5:
        wrong.append(f'in the log: {len(found) - 5} more')


def at_once(name, arguments):
    """Run a function of `stress_workers` in as many processes as there are `arguments`; return their answers."""
    barrier, answers = processes.Barrier(len(arguments)), processes.SimpleQueue()
    running = [start(name, barrier, answers, *item) for item in arguments]
    for process in running:
        process.join()
    return [answers.get() for process in running if not process.exitcode]


def choose_lanes(lanes, database=DATABASE):
    """Let so many jobs that read and book be active and none that only books; None: as installed."""
    if lanes is None:
        return
    names = ['ir_cron_synchronize', *(f'ir_cron_synchronize_{number}' for number in range(2, lanes + 1))]
    query(
        """
        UPDATE ir_cron SET active = data.name = ANY(%s) FROM ir_model_data data
         WHERE data.model = 'ir.cron' AND data.res_id = ir_cron.id AND data.module = 'account_online_ponto'""",
        names,
        database=database,
    )


# -------------------------------------------------------------------------
# The books
# -------------------------------------------------------------------------


def read_lines(account, database=DATABASE):
    """Return the statement lines of an account of Ponto's in their running order."""
    return query(
        f"""
        SELECT {COLUMNS} FROM (
            SELECT move.date, line.amount, line.payment_ref, line.partner_name, line.account_number, line.sequence,
                   line.internal_index
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
              JOIN ponto_account account ON account.journal_id = line.journal_id
             WHERE account.ponto_id = %s
        ) lines ORDER BY internal_index
    """,
        account.id,
        database=database,
    )


def check_books(sim, database=DATABASE):
    """Compare the books with what Ponto has, and the inbox too."""
    for account in sim.accounts:
        lines = read_lines(account, database)
        amounts = sorted(line[1] for line in lines)
        if amounts != sorted(row.amount for row in account.transactions):
            wrong.append(
                f'{account.reference}: {len(lines)} lines of {sum(amounts)} for {len(account.transactions)}'
                f' transactions of {account.balance}'
            )
        states = query(
            """
            SELECT row.state, count(*) FROM ponto_transaction row JOIN ponto_account account
                ON account.id = row.account_id WHERE account.ponto_id = %s GROUP BY row.state""",
            account.id,
            database=database,
        )
        if states != [('booked', len(account.transactions))]:
            wrong.append(f'{account.reference}: the inbox has {states} for {len(account.transactions)} transactions')


def check_no_error():
    for message, count in query(
        "SELECT failure->>'kind', count(*) FROM ponto_synchronization"
        " WHERE state = 'error' AND failure->>'kind' != 'LostWorkerError' GROUP BY 1"
    ):
        wrong.append(f'{count} runs failed: {message}')
    for reference, message in query("SELECT reference, failure->>'kind' FROM ponto_account WHERE state != 'active'"):
        wrong.append(f'{reference} is not healthy: {message}')
