"""How long things may take: all limits of time and of size are here.

Odoo ends a worker after `limit_time_real` seconds (120 by default), and `ir.cron` runs a job again and again for
`MIN_TIME_PER_JOB` (10 seconds) before the next job has its turn in the same worker. So work is done in steps of few
seconds, each with its own commit. Read these names as attributes of this module (`budget.STEP`): tests replace them.
"""

import time
from datetime import timedelta

from odoo.tools import config

# A step takes about so many seconds, in reading and booking, for the scheduler and for a person who waits.
STEP = 3.0
# A step reads and books so much at most, however fast the machine is: a killed worker loses little work.
PAGES = 30
ROWS = 200
# Ponto may keep a step waiting for so many seconds in all, with every repetition.
PONTO = 20.0
# After so many seconds of a click no further account is begun.
CLICK = 10.0
# A step waits for so many seconds for a record that another transaction has locked.
LOCK = 5
# After so long a bank's answer is not waited for any longer; what Ponto has by then is read.
BANK_ANSWER = timedelta(minutes=10)
# A worker has so long to lock again the account that it has just claimed; then it counts as lost.
CLAIM = timedelta(minutes=1)
# Work that has cost so many workers is not tried again by itself.
LOST_WORKERS = 2


def step_end():
    """Return the moment at which a step that begins now should end, by the monotonic clock."""
    return time.monotonic() + STEP


def is_over(env):
    """Return whether the scheduled action that runs in `env` may begin nothing more. Elsewhere it is never over."""
    return time.monotonic() >= env.context.get('cron_end_time', float('inf'))


def ponto_end(env):
    """Return the moment after which a step that begins now in `env` waits for Ponto no longer.

    It leaves a quarter of what Odoo grants a worker at most, where an administrator has set a short limit.
    """
    limit = config['limit_time_real']
    if 'cron_id' in env.context and config['limit_time_real_cron'] > 0:
        limit = config['limit_time_real_cron']
    return time.monotonic() + min(PONTO, limit / 4 or PONTO)


class Pace:
    """How many items fit into a step, as the last steps of this process have shown.

    :param first: the number to begin with
    """

    def __init__(self, first):
        self._fitting = first

    @property
    def size(self):
        """The number of items for the next step: at least one, at most `ROWS`."""
        return max(1, min(self._fitting, ROWS))

    def note(self, count, seconds):
        """Learn from a step that took `seconds` for `count` items. A short step with few items teaches nothing."""
        if count and (seconds > STEP or count >= self.size):
            # Four times as many at most: the first items of a process are not typical.
            self._fitting = int(min(count * STEP / max(seconds, 0.001), count * 4, ROWS))


BOOKING = Pace(20)
