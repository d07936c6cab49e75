"""How long things may take: all limits of time and of size are here.

Odoo ends a worker after `limit_time_real` seconds (120 by default), and `ir.cron` runs a job again and again for
`MIN_TIME_PER_JOB` (10 seconds) before the next job has its turn in the same worker. So work is done in steps of few
seconds, each with its own commit. Read these names as attributes of this module (`budget.STEP`): tests replace them.
"""

import math
import time
from datetime import timedelta

from odoo.tools import config

# A step takes about so many seconds, in reading and booking, for the scheduler and for a person who waits.
STEP = 3.0
# After a step of so many seconds the next one is cut down, whatever made this one so long.
FAR_TOO_LONG = 4 * STEP
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

    A step takes some time whatever it holds, and some for each item. Where the first alone is longer than `STEP`, a
    smaller step would gain nothing, so the items have as much time as that.

    :param first: the number to begin with
    """

    # What a step has shown counts for so much less with each further step.
    FADING = 0.7

    def __init__(self, first):
        self._fitting = first
        # Weights of the last steps, and their sums of items, seconds, items squared, and items times seconds.
        self._sums = [0.0] * 5

    @property
    def size(self):
        """The number of items for the next step: at least one, at most `ROWS`."""
        return max(1, min(self._fitting, ROWS))

    def note(self, count, seconds):
        """Learn from a step that took `seconds` for `count` items. A short step with few items teaches nothing."""
        if count and (seconds > STEP or count >= self.size):
            seconds = max(seconds, 0.001)
            seen = (1, count, seconds, count * count, count * seconds)
            self._sums = [self.FADING * old + new for old, new in zip(self._sums, seen, strict=True)]
            # Four times as many at most: the first items of a process are not typical.
            self._fitting = math.ceil(min(self._fit(count, seconds), count * 4, ROWS))

    def _fit(self, count, seconds):
        fixed, each = self._line(seconds / count)
        if seconds > FAR_TOO_LONG:
            fixed, each = 0, seconds / count
        return max(STEP - fixed, fixed) / each

    def _line(self, proportional):
        """Return the seconds of a step without items, and those of an item, that explain the last steps best."""
        weight, items, seconds, squares, products = self._sums
        spread = weight * squares - items * items
        each = (weight * products - items * seconds) / spread if spread > 1 else 0
        if not 0 < each < proportional:
            return 0, proportional
        return max(0, (seconds - each * items) / weight), each


BOOKING = Pace(20)
