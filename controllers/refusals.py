import time
from collections import Counter

LIMIT = 30
SECONDS = 60
# Whoever commands countless addresses shares one place in the count, so that it cannot fill the memory.
MAX_SOURCES = 10_000
EVERYBODY_ELSE = object()


class Refusals:
    """Counts by source what was refused in the running minute, and says from when on it was too much.

    It lies in the memory of each worker, as Odoo's own count of failed logins does. One that all workers share would
    have to be written to the database for each forged request, which costs more than the forgery: that is refused
    after one check of a signature, some ten microseconds. Only what was refused is counted, after it was judged, so no
    flood keeps out what is genuine, also where both seem to come from the address of the same proxy.
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
