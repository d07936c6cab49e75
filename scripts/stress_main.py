"""What `scripts/stress` does; see `stress_common`."""

import argparse
import random
import re
import signal
import sys
import time
from datetime import date
from decimal import Decimal

from stress_common import (
    DATABASE,
    LOG,
    at_once,
    check_books,
    check_log,
    check_no_error,
    choose_lanes,
    count_requests,
    go_on,
    log,
    ponto,
    query,
    read_lines,
    run_process,
    wrong,
)
from stress_kill import kill
from stress_quota import slowed
from stress_server import KILLED, odoo_server
from stress_token import token


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
        [[booked]] = query("SELECT count(*) FROM ponto_transaction WHERE state = 'booked'")
        print(
            f'{booked} of {total + 1} transactions of {options.accounts + 1} accounts booked in {seconds:.0f} s:'
            f' {booked / seconds:.1f} a second;'
            f' news of another account booked after {waited:.0f} s; killed workers: {len(killed)};'
            f' {len(durations)} jobs, the longest of {max(durations, default=0):.0f} s'
        )
        wrong.extend(killed[:3])
        check_books(sim)
        check_no_error()


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


if __name__ == '__main__':
    main()
