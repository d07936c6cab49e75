"""When an account is read: soon after Ponto has asked the bank, later after a failure; and by whom."""

import zlib
from datetime import datetime, timedelta

import pytz

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .moments import due_domain, over_domain
from .odoo_names import get_parameter

# Hours of the day in Brussels at which Ponto asks the banks by itself.
PONTO_REFRESH_HOURS = (2, 8, 14, 20)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def _due_domain(self):
        return [
            ('journal_id', '!=', False),
            *due_domain('next_read_at'),
            ('state', 'in', ('active', 'error')),
            # What a person has begun is finished in any case, and what has failed is tried again.
            '|',
            '|',
            '|',
            '|',
            ('link_id.auto_synchronize', '=', True),
            ('state', '=', 'error'),
            ('resume_after', '!=', False),
            ('last_full_read_at', '=', False),
            ('pending_synchronization_ids', '!=', False),
        ]

    def _plan_read(self, moment):
        """Have the runner read these accounts at `moment`, naive in UTC, to the minute."""
        self.next_read_at = moment
        self.env.ref('account_online_ponto.ir_cron_synchronize').sudo()._trigger(moment)

    def _next_read_after(self, now):
        """Return when to read again after a read at `now`: at once when there is more, soon when the bank was asked."""
        if self.resume_after or self._is_in_doubt():
            return now
        return now + timedelta(minutes=1) if self.pending_synchronization_ids else self._next_read_at(now)

    @api.model
    def _next_read_at(self, now):
        """Return when an account read at `now` is due again: soon after Ponto's next own refresh; both naive in UTC.

        Ponto refreshes at about 2, 8, 14 and 20 h (API reference, section 1.5). The half hour and the minutes drawn
        from the database's id give it time, and keep all databases from asking at the same minute.
        """
        database = get_parameter(self.env, 'database.uuid')
        delay = timedelta(minutes=30 + zlib.crc32(database.encode()) % 60)
        zone = pytz.timezone('Europe/Brussels')
        today = datetime.combine(pytz.utc.localize(now).astimezone(zone), datetime.min.time())
        slots = (
            zone.localize(today + timedelta(days=day, hours=hour)).astimezone(pytz.utc) + delay
            for day in (-1, 0, 1)
            for hour in PONTO_REFRESH_HOURS
        )
        return min(slot.replace(tzinfo=None) for slot in slots if slot.replace(tzinfo=None) > now)

    @api.model
    def _back_off(self, failures, error=None):
        """Return how long to wait after so many failures running: as Ponto asks, else 5 minutes doubling to 6 hours."""
        asked = timedelta(seconds=min(getattr(error, 'retry_after', None) or 0, 24 * 3600))
        return max(asked, min(timedelta(minutes=5) * 2 ** min(failures - 1, 10), timedelta(hours=6)))

    # -------------------------------------------------------------------------
    # Whose turn it is
    # -------------------------------------------------------------------------

    @api.model
    def _unclaimed_domain(self):
        return Domain('turn_at', '=', False) | over_domain('turn_at', timedelta())

    def _lock_turn(self):
        """Lock this account if it is free and nobody has claimed it; return it, else nothing.

        One statement does both. Between the two transactions of the worker that has claimed the account, another one
        must not lock it, however briefly.
        """
        query = self._search(Domain('id', 'in', self.ids) & self._unclaimed_domain())
        statement = SQL("%s FOR NO KEY UPDATE SKIP LOCKED", query.select())
        self.env.flush_query(statement)
        # Another worker may have ended its turn a moment ago: that conflict is no error for the server's log.
        self.env.cr.execute(statement, log_exceptions=False)
        return self.browse(account_id for [account_id] in self.env.cr.fetchall())
