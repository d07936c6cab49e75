"""What workers need that are processes of their own, with Ponto on a socket: how fast two are, and how much memory."""

import multiprocessing
import resource
import time
from statistics import median

from stress_workers import environment

from simulator.server import Server

TIMES = 3
processes = multiprocessing.get_context('forkserver')


def report(sim, make_accounts, options):
    """Print and return what `options.workers` and `options.memory` ask for.

    :param make_accounts: makes simulated accounts of a name and size, so many of them
    """
    processes.set_forkserver_preload(['stress_workers'])
    results = {}
    with Server(sim) as server:
        with environment() as env:
            env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', server.url)
            env['ponto.account'].search([]).next_read_at = False
        if options.workers:
            results['workers'] = compare_workers(make_accounts, options.workers)
        if options.memory:
            results['memory'] = {size: measure_memory(make_accounts, size) for size in options.memory}
    return results


def compare_workers(make_accounts, size):
    """Return what one worker and two need for two accounts of so many rows, by turns: medians of the busier one."""
    runs = {1: [], 2: []}
    for number in range(TIMES):
        for workers, measured in runs.items():
            link(make_accounts(f'W{workers}T{number}', size, 2))
            measured.append(work(workers))
    medians = {
        workers: {key: median(one[key] for one in measured) for key in ('seconds', 'cpu')}
        for workers, measured in runs.items()
    }
    print(f'\nTwo accounts of {size:,} rows, by one worker and by two:')
    for key, name in (('seconds', 'seconds'), ('cpu', 'seconds of CPU of the busier one')):
        one, two = medians[1][key], medians[2][key]
        print(f'{one:>8.1f}{two:>8.1f} {name}: {one / two:.2f} times as fast', flush=True)
    return medians


def measure_memory(make_accounts, size):
    """Return the greatest resident set in MB of a worker that imports so many rows."""
    link(make_accounts('MEM', size, 1))
    found = work(1)
    print(
        f'\nA worker that imports {size:,} rows: {found["megabytes"]} MB at most, {found["cpu"]:.0f} s CPU.', flush=True
    )
    return found


def link(references):
    """Link new accounts of the simulated Ponto to new journals, and let them be due."""
    with environment() as env:
        integration = env['ponto.integration'].search([], limit=1)
        accounts = integration.with_context(allowed_company_ids=integration.company_id.ids)._fetch_accounts()
        for account in accounts.filtered(lambda account: account.reference in references):
            account._link_to_new_journal()


def work(workers):
    """Let so many workers import what is due, which they share; return the most that one of them needed."""
    barrier, answers = processes.Barrier(workers), processes.Queue()
    running = [processes.Process(target=import_all, args=(barrier, answers), daemon=True) for _worker in range(workers)]
    for process in running:
        process.start()
    found = [answers.get() for _process in running]
    for process in running:
        process.join()
    return {key: max(each[key] for each in found) for key in found[0]}


def import_all(barrier, answers):
    with environment() as env:
        env['ponto.account'].search([]).mapped('name')
        env.cr.commit()
        barrier.wait(60)
        began_at, cpu = time.perf_counter(), time.process_time()
        env['ponto.account']._cron_synchronize()
        env.cr.commit()
        answers.put(
            {
                'seconds': time.perf_counter() - began_at,
                'cpu': time.process_time() - cpu,
                'megabytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
