"""Which errors of the database end a transaction, and which belong to the record that has caused them."""

import psycopg2
from psycopg2 import errors
from psycopg2.pool import PoolError

_PASSING = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    # The server ends the connection, or cannot take one.
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    psycopg2.InterfaceError,
    # Odoo's own limit of connections, `db_maxconn`.
    PoolError,
)
# Classes of PostgreSQL's error codes. 53: a full disk, no memory, no connection left. 58: a file cannot be read or
# written.
_SHORTAGES = ('53', '58')


def is_passing(error):
    """Return whether the same transaction, repeated, may succeed: another one was in its way, or the server was lost or
    short of something.

    Any other error comes back at each attempt, like `ProgramLimitExceeded` for a text that an index cannot hold, which
    is an `OperationalError` too.
    """
    is_lost = isinstance(error, psycopg2.OperationalError) and error.pgcode is None
    is_short = isinstance(error, psycopg2.Error) and (error.pgcode or '').startswith(_SHORTAGES)
    return is_lost or is_short or isinstance(error, _PASSING)


def cause(error):
    """Return what the database says of `error` in one line for the log, such as the table in which a row is locked."""
    return ' '.join(str(error).split())[:300]
