"""Runs one thing in a transaction of its own and counts what it costs."""

import cProfile
import pstats
import time
from contextlib import nullcontext
from pathlib import Path

from stress_workers import environment

ENTRIES = 10


def run(way, size, is_profiled):
    """Return what a `Way` costs, its commit included, for each row where it is an import; and its profile, if any.

    :return: `({'cpu': ms, 'seconds': in all, 'queries', 'calls': None without a profile}, pstats.Stats or None)`
    """
    profile = cProfile.Profile() if is_profiled else nullcontext()
    count = size if way.is_import else 1
    with environment() as env:
        prepared = way.prepare(env, way.reference)
        env.flush_all()
        queries, cpu, seconds = env.cr.sql_log_count, time.process_time(), time.perf_counter()
        with profile:
            way.act(prepared)
            env.flush_all()
            env.cr.commit()
        measured = {
            'cpu': (time.process_time() - cpu) / count * 1000,
            'seconds': time.perf_counter() - seconds,
            'queries': (env.cr.sql_log_count - queries) / count,
        }
        way.check(env, way.reference, size)
    stats = pstats.Stats(profile) if is_profiled else None
    return {**measured, 'calls': stats.total_calls / count if stats else None}, stats


def profile_entries(stats, size):
    """Return the functions with the most time of their own: `[(share of all time, calls a row, function)]`."""
    own_times = sorted(
        (
            (own / stats.total_tt, calls / size, f'{Path(file).name}:{name}')
            for (file, _line, name), (_primitive, calls, own, _with_others, _callers) in stats.stats.items()
        ),
        reverse=True,
    )
    return own_times[:ENTRIES]
