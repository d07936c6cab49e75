"""What Ponto says, in the form Odoo stores it. The one place where moments become dates."""

from datetime import time, timezone
from zoneinfo import ZoneInfo


def naive_utc(moment):
    """Return an aware datetime as Odoo stores it, naive in UTC; False for None."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment else False


def local_date(moment, zone_name):
    """Return the calendar day that a bank means by `moment`, an aware datetime or one that is naive in UTC.

    Ponto sends either midnight UTC, which is a bare date, or the bank's local midnight in UTC, such as 23:00 or 22:00
    of the day before in Brussels (API reference, section 1.1). A bare date is kept in every zone; everything else is
    converted, once, to the account's zone.
    """
    if not moment:
        return False
    moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    if moment.time() == time.min:
        return moment.date()
    return moment.astimezone(ZoneInfo(zone_name)).date()
