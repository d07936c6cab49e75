import time
from collections import Counter

LIMIT = 30
SECONDS = 60
# Further sources share one count: an attacker with countless addresses must not fill the memory.
MAX_SOURCES = 10_000
EVERYBODY_ELSE = object()


class RateLimit:
    """Limits how many requests of one source are refused with an answer: `LIMIT` in `SECONDS`.

    The counts lie in the memory of each worker, as Odoo's own count of failed logins does. A count that all workers
    share would have to be written to the database for each forged request. That costs more than the forgery, which is
    refused after one check of a signature (some ten microseconds). Only refused requests are counted, so a flood of
    forgeries does not keep out genuine requests that seem to come from the same address, for example a proxy's.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._began_at = clock()
        self._counts = Counter()

    def add(self, source):
        """Count one more refusal; return the seconds until the count begins anew if these were too many, else None."""
        now = self._clock()
        if now - self._began_at >= SECONDS:
            self._began_at, self._counts = now, Counter()
        if source not in self._counts and len(self._counts) >= MAX_SOURCES:
            source = EVERYBODY_ELSE
        self._counts[source] += 1
        return max(1, round(self._began_at + SECONDS - now)) if self._counts[source] > LIMIT else None
