"""What `scripts/stress` does: the simulated Ponto on a socket, processes with Odoo, and the comparison of their books.

This process holds the simulator and looks into the database by itself; it loads no Odoo (`stress_workers` does).
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import psycopg2
from stress_quota import slowed
from stress_server import KILLED, odoo_server

from simulator import CLIENT_ID, CLIENT_SECRET, Connect, Simulator
from simulator.server import Server

DATABASE = os.environ['STRESS_DATABASE']
UNDISTURBED = f'{DATABASE}_undisturbed'
LOG = os.environ['STRESS_LOG']
CREDENTIALS = [(CLIENT_ID, CLIENT_SECRET)]

EXPECTED_IN_LOG = r'could not serialize access[^\n]*\s*$|Job .* timed out|is set aside: workers were lost'
PHASES = ('elsewhere', 'reading', 'booking')
AMID = 'some booked, some not'
MANY_KILLS = 20
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


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse_arguments()
    started = time.monotonic()
    options.run(options)
    check_log()
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    print(f'{"Wrong" if wrong else "Right"}, in {time.monotonic() - started:.0f} seconds.')
    sys.exit(1 if wrong else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(prog='scripts/stress')
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser('kill')
    command.set_defaults(run=kill)
    command.add_argument('--times', type=int, default=50)
    command.add_argument('--seed', type=int, default=1)
    command.add_argument('--accounts', type=int, default=4)
    command.add_argument('--rows', type=int, default=400)
    command.add_argument('--new-rows', type=int, default=25)
    command = commands.add_parser('import')
    command.set_defaults(run=first_import)
    command.add_argument('--accounts', type=int, default=10)
    command.add_argument('--rows', type=int, default=5000)
    command.add_argument('--workers', type=int, default=2)
    command.add_argument('--cron-threads', type=int, default=2)
    command.add_argument('--lanes', type=int, help='so many jobs that read and book, and none that only books')
    command.add_argument('--minutes', type=float, default=120)
    command.add_argument('--share', type=float, help="the part of the machine's processors that Odoo has, such as 0.2")
    command = commands.add_parser('same-account')
    command.set_defaults(run=same_account)
    command.add_argument('--processes', type=int, default=10)
    command.add_argument('--rounds', type=int, default=6)
    command = commands.add_parser('same-journal')
    command.set_defaults(run=same_journal)
    command.add_argument('--processes', type=int, default=4)
    command.add_argument('--batches', type=int, default=5)
    command.add_argument('--rows', type=int, default=50)
    command = commands.add_parser('opening-line')
    command.set_defaults(run=opening_line)
    command.add_argument('--processes', type=int, default=4)
    command = commands.add_parser('token')
    command.set_defaults(run=token)
    command.add_argument('--processes', type=int, default=2)
    command.add_argument('--rounds', type=int, default=5)
    return parser.parse_args()


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


# -------------------------------------------------------------------------
# Databases and processes
# -------------------------------------------------------------------------


def query(statement, *arguments, database=DATABASE):
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall() if cursor.description else []


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


# -------------------------------------------------------------------------
# Killed workers
# -------------------------------------------------------------------------


def kill(options):
    """Two workers import the same accounts; one of them is killed again and again, at a moment drawn by lot."""
    chance = random.Random(options.seed)
    with ponto(options.accounts, options.rows, chance) as sim:
        subprocess.run(['createdb', '-T', DATABASE, UNDISTURBED], check=True)
        phases = processes.RawArray('i', 2)
        stop = processes.RawValue('i', 0)
        workers = [start_worker(phases, place, stop, chance) for place in range(2)]
        killed = Counter()
        for _number in range(options.times):
            go_on(sim, options.new_rows, chance)
            place = wait_for_victim(workers, phases, chance)
            killed[PHASES[phases[place]]] += 1
            workers[place].kill()
            workers[place].join()
            killed[AMID] += len(query('SELECT state FROM ponto_transaction GROUP BY state')) > 1
            workers[place] = start_worker(phases, place, stop, chance)
        stop.value = 1
        for worker in workers:
            worker.join()
            if worker.exitcode:
                wrong.append(f'a worker ended by itself with {worker.exitcode}')
        join(start('finish', database) for database in (DATABASE, UNDISTURBED))
        report_kills(killed, options.times)
        compare(sim)
        check_books(sim)
        check_no_error()


def start_worker(phases, place, stop, chance):
    phases[place] = 0
    return start('work', phases, place, stop, chance.random())


def wait_for_victim(workers, phases, chance):
    """Wait for some moment in or after a phase drawn by lot; return the place of the worker to kill."""
    wanted = chance.choice((1, 2))
    end = time.monotonic() + 15
    while wanted not in list(phases) and time.monotonic() < end:
        time.sleep(0.002)
    # At once, or when the import has got somewhere.
    time.sleep(chance.expovariate(1 / chance.choice((0.1, 0.5, 3))))
    wrong.extend(f'a worker ended by itself with {worker.exitcode}' for worker in workers if worker.exitcode)
    return max(range(len(workers)), key=lambda place: phases[place] == wanted)


def report_kills(killed, times):
    print(f'\n{"Killed while":<26}{"times":>6}')
    for name in (*PHASES, AMID):
        print(f'{name:<26}{killed[name]:>6}')
    # Where few are killed, chance decides.
    if times >= MANY_KILLS and not (killed['reading'] and killed['booking']):
        wrong.append('the kills did not hit both reading and booking; try another --seed')


def compare(sim):
    print(f'\n{"Account":<18}{"Ponto":>8}{"undisturbed":>13}{"disturbed":>11}{"sum":>14}  same lines')
    for account in sim.accounts:
        undisturbed, disturbed = read_lines(account, UNDISTURBED), read_lines(account)
        same = undisturbed == disturbed
        print(
            f'{account.reference:<18}{len(account.transactions):>8}{len(undisturbed):>13}{len(disturbed):>11}'
            f'{sum(line[1] for line in disturbed):>14,.2f}  {"yes" if same else "NO"}'
        )
        if not same:
            differences = [pair for pair in zip(undisturbed, disturbed, strict=False) if pair[0] != pair[1]]
            wrong.append(f'{account.reference}: {len(differences)} lines differ, first {differences[:1]}')


# -------------------------------------------------------------------------
# A server that imports for the first time
# -------------------------------------------------------------------------


def first_import(options):
    """A server with Odoo's default limits imports accounts from empty to complete; amid it another account has news."""
    total = options.accounts * options.rows
    with ponto(options.accounts, options.rows, random.Random(1), quiet=1) as sim:
        news = sim.accounts[-1]
        choose_lanes(options.lanes)
        run_process('make_due', DATABASE)
        began = time.monotonic()
        with (
            slowed(options.share) as slow_down,
            odoo_server(DATABASE, LOG, options.workers, options.cron_threads) as process,
        ):
            slow_down(process.pid)
            wait_until_booked(total // 2, began, options.minutes)
            halfway = time.monotonic()
            sim.add_transaction(news, 1, date.today(), remittance_information='News')  # noqa: DTZ011
            query("UPDATE ponto_account SET next_read_at = now() AT TIME ZONE 'UTC' WHERE ponto_id = %s", news.id)
            while not read_lines(news) and time.monotonic() - began < options.minutes * 60:
                time.sleep(0.5)
            waited = time.monotonic() - halfway
            seconds = wait_until_booked(total + 1, began, options.minutes)
        killed = [line for line in log().splitlines() if KILLED.search(line)]
        durations = [float(duration) for duration in re.findall(r'Job .* duration ([\d.]+)s', log())]
        print(
            f'{total} transactions of {options.accounts} accounts in {seconds:.0f} s: {total / seconds:.1f} a second;'
            f' news of another account booked after {waited:.0f} s; killed workers: {len(killed)};'
            f' {len(durations)} jobs, the longest of {max(durations, default=0):.0f} s'
        )
        wrong.extend(killed[:3])
        check_books(sim)
        check_no_error()


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


def wait_until_booked(count, began, minutes):
    """Return after how many seconds since `began` so many transactions were in the books."""
    while True:
        [[booked]] = query("SELECT count(*) FROM ponto_transaction WHERE state = 'booked'")
        seconds = time.monotonic() - began
        if booked >= count or seconds > minutes * 60:
            if booked < count:
                wrong.append(f'after {seconds:.0f} s only {booked} of {count} transactions are booked')
            return seconds
        time.sleep(1)


# -------------------------------------------------------------------------
# Many at the same account
# -------------------------------------------------------------------------

WAYS = ('click', 'job', 'scheduler')


def same_account(options):
    """Processes ask for the same account at the same moment: by a click, as the scheduled action, as the scheduler."""
    chance = random.Random(1)
    with ponto(1, 300, chance) as sim:
        [[account_id]] = query('SELECT id FROM ponto_account')
        print(f'\n{"The bank":<10}{"read by":<24}{"read":>6}{"skipped":>9}{"requests":>10}')
        for number in range(options.rounds):
            # Whoever comes first reads slowly, so that all the others surely come while it reads.
            sim.fail(1, kind='slow', delay=3, path='/transactions$')
            first = WAYS[number % len(WAYS)]
            answers = ask(
                sim, 'slow', account_id, [(way, 0 if way == first else 0.3) for way in ways(options.processes)]
            )
            readers = [way for way, read, _message in answers if read]
            if len(readers) != 1 or count_requests(sim, '/transactions') != 1:
                wrong.append(f'round {number + 1}: {len(readers)} of {len(answers)} processes have read')
            wrong.extend(
                f'a click that {"read" if read else "skipped"} was told: {message}'
                for way, read, message in answers
                if way == 'click' and ('somebody else' in message) == read
            )
            # What the one who has read leaves after its step, the scheduler books.
            run_process('run_scheduler_until_idle')
            check_books(sim)
            go_on(sim, 30, chance)
        for number in range(options.rounds):
            # Without a wait some come when another is done, and rightly read again.
            ask(sim, 'quick', account_id, [(way, chance.random() / 2) for way in ways(options.processes)])
            if number % 2:
                go_on(sim, 30, chance)
        sim.fail(None, status=404, path='/transactions$')
        for _number in range(options.rounds):
            # Whoever reads says why it fails, whatever the others do to the same records at that moment.
            ask(sim, 'sick', account_id, [(way, chance.random() / 2) for way in ways(options.processes)])
        [[state, message]] = query("SELECT state, failure->>'kind' FROM ponto_account")
        if state != 'error' or not message:
            wrong.append(f'after failures the account is {state} and says {message}')
        sim.clear_faults()
        query("DELETE FROM ponto_synchronization WHERE state = 'error'")
        run_process('finish', DATABASE)
        check_books(sim)
        check_no_error()


def ways(count):
    return [WAYS[place % len(WAYS)] for place in range(count)]


def ask(sim, bank, account_id, processes_to_be):
    """Let processes, each a `(way, delay in seconds)`, ask for the account; print a line and return their answers."""
    query("UPDATE ponto_account SET next_read_at = now() AT TIME ZONE 'UTC' - interval '1 second'")
    query("UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' - interval '1 second'")
    del sim.requests[:]
    answers = at_once('ask_at_once', [(way, account_id, delay) for way, delay in processes_to_be])
    readers = [way for way, read, _message in answers if read]
    print(
        f'{bank:<10}{", ".join(sorted(set(readers))):<24}{len(readers):>6}{len(answers) - len(readers):>9}'
        f'{count_requests(sim, "/transactions"):>10}'
    )
    if len(answers) != len(processes_to_be):
        wrong.append(f'{len(processes_to_be) - len(answers)} processes failed')
    return answers


def at_once(name, arguments):
    """Run a function of `stress_workers` in as many processes as there are `arguments`; return their answers."""
    barrier, answers = processes.Barrier(len(arguments)), processes.SimpleQueue()
    running = [start(name, barrier, answers, *item) for item in arguments]
    for process in running:
        process.join()
    return [answers.get() for process in running if not process.exitcode]


# -------------------------------------------------------------------------
# One number for each
# -------------------------------------------------------------------------


def same_journal(options):
    """Processes create lines in one journal at the same moment, by the fast lane and by core: each has a number."""
    with ponto(1, 1, random.Random(1)):
        run_process('finish', DATABASE)
        [[journal_id, before]] = query(
            'SELECT journal_id, count(*) FROM account_bank_statement_line GROUP BY journal_id'
        )
        arguments = [(journal_id, options.batches, options.rows, place % 2 == 0) for place in range(options.processes)]
        answers = at_once('create_at_once', arguments)
        wrong.extend(answer for answer in answers if answer is not True)
        expected = before + options.processes * options.batches * options.rows
        [[entries, names, first, last]] = query(
            'SELECT count(*), count(DISTINCT name), min(sequence_number), max(sequence_number)'
            f" FROM account_move WHERE journal_id = {journal_id} AND state = 'posted'"
        )
        print(f'\n{entries} entries, {names} names, numbered from {first} to {last}')
        if not entries == names == expected == last - first + 1:
            wrong.append(f'{expected} lines were to be created')


# -------------------------------------------------------------------------
# One opening line
# -------------------------------------------------------------------------


def opening_line(options):
    """Processes make the opening line of one account at the same moment, all having seen that it lacks one."""
    with ponto(1, 0, random.Random(1)) as sim:
        # Neither a row of the inbox nor a start date that is set with the line makes the processes meet.
        sim.change_account(sim.accounts[0], current_balance=Decimal(500))
        query("UPDATE ponto_account SET start_date = current_date - 30")
        run_process('finish', DATABASE)
        answers = at_once('make_opening_line_at_once', [()] * options.processes)
        wrong.extend(answer for answer in answers if answer is not True)
        amounts = [amount for [amount] in query('SELECT amount FROM account_bank_statement_line')]
        print(f'\nOpening lines: {amounts}')
        if amounts != [500]:
            wrong.append('one opening line of 500 was to be made')


# -------------------------------------------------------------------------
# One token for all
# -------------------------------------------------------------------------


def token(options):
    """Processes need a fresh access token at the same instant."""
    with tempfile.NamedTemporaryFile(suffix='.pem') as trusted:
        # All processes have the environment of the first one.
        os.environ['REQUESTS_CA_BUNDLE'] = trusted.name
        with ponto(1, 0, random.Random(1)) as sim, ponto_connect(sim) as connect:
            trusted.write(connect.authority.certificate)
            trusted.flush()
            print(f'\n{"API":<9}{"The token":<20}{"round":>6}{"processes":>11}{"token requests":>16}')
            ask_for_token(
                'direct', sim, options, {'is missing': forget_token, **STALE, 'was revoked': sim.revoke_tokens}
            )
            # Without its refresh token a consent cannot be renewed, so this one is never missing.
            ask_for_token('connect', sim, options, {**STALE, 'was revoked': connect.revoke_access_tokens})


@contextlib.contextmanager
def ponto_connect(sim):
    """The simulated Ponto Connect on a socket by mutual TLS, and an integration in Odoo that has a consent."""
    connect = Connect(sim)
    credentials = connect.client_credentials
    with Server(sim, authority=connect.authority) as server:
        run_process(
            'prepare_connect',
            {
                'connect_api_url': f'{server.url}/ponto-connect',
                'connect_client_id': connect.client_id,
                'connect_client_secret': connect.client_secret,
                'certificate': credentials.certificate,
                'private_key': credentials.private_key,
            },
            connect.organization.id,
            connect.give_consent(),
        )
        yield connect


def ask_for_token(connection, sim, options, ways_to_spoil):
    for name, spoil in ways_to_spoil.items():
        for number in range(options.rounds):
            spoil()
            sim.fail(1, kind='slow', delay=0.3, path='/oauth2/token$')
            del sim.requests[:]
            answers = at_once('call_at_once', [(connection, sim.accounts[0].id)] * options.processes)
            count = count_requests(sim, '/oauth2/token')
            print(f'{connection:<9}{name:<20}{number + 1:>6}{len(answers):>11}{count:>16}')
            if count != 1:
                wrong.append(f'{connection}: {count} token requests when the token {name}')
            wrong.extend(f'{connection}: a process got {answer}' for answer in answers if answer is not True)
            if len(answers) != options.processes:
                wrong.append(f'{connection}: {options.processes - len(answers)} processes failed')


def forget_token():
    query("""
        UPDATE ponto_token SET access_token = NULL, expires_at = NULL
         WHERE integration_id IN (SELECT id FROM ponto_integration WHERE connection = 'direct')""")


def let_token_expire(interval):
    query("UPDATE ponto_token SET expires_at = now() AT TIME ZONE 'UTC' + %s::interval", interval)


STALE = {
    'has expired': partial(let_token_expire, '-1 hour'),
    'is about to expire': partial(let_token_expire, '50 seconds'),
}


def count_requests(sim, path):
    """Return how many requests for a path, of lists only those for the first page, were answered."""
    return sum(
        1 for item in sim.requests if item.path.endswith(path) and item.status and 'page[after]' not in item.query
    )


if __name__ == '__main__':
    main()
