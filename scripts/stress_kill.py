"""A worker is killed again and again, at a moment drawn by lot; the books are those of an undisturbed run."""

import random
import subprocess
import time
from collections import Counter

from stress_common import (
    DATABASE,
    check_books,
    check_no_error,
    go_on,
    join,
    ponto,
    processes,
    query,
    read_lines,
    start,
    wrong,
)

UNDISTURBED = f'{DATABASE}_undisturbed'
PHASES = ('elsewhere', 'reading', 'booking')
AMID = 'some booked, some not'
MANY_KILLS = 20


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
