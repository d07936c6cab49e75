"""How long a search among 5,000 institutions takes."""

import time
from statistics import median

INSTITUTIONS = 5000
TIMES = 5


def report(env):
    """Print and return how long a search takes and how many queries it makes; roll back."""
    institutions = env['ponto.institution']
    countries = env['res.country'].search([])
    institutions.create(
        [
            {
                'ponto_id': f'bench-{number}',
                'name': f'Bank number {number}',
                'bic': f'BENC{number:04}',
                'country_id': countries[number % len(countries)].id,
            }
            for number in range(INSTITUTIONS)
        ]
    )
    env.flush_all()
    seconds = []
    for _time in range(TIMES):
        env.invalidate_all()
        queries, began_at = env.cr.sql_log_count, time.perf_counter()
        institutions.search_catalogue('bank number 49')
        seconds.append(time.perf_counter() - began_at)
        queries = env.cr.sql_log_count - queries
    env.cr.rollback()
    found = {'institutions': INSTITUTIONS, 'milliseconds': median(seconds) * 1000, 'queries': queries}
    print(
        f'\nA search among {INSTITUTIONS:,} institutions: {found["milliseconds"]:.0f} ms, {queries} queries.',
        flush=True,
    )
    return found
