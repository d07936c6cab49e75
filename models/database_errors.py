"""Which errors of the database end a transaction, and which belong to the record that has caused them."""

import psycopg2
from psycopg2 import errors

_PASSING = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    # The server ends the connection, or cannot take one.
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    psycopg2.InterfaceError,
)


def is_passing(error):
    """Return whether the same transaction, repeated, may succeed: another one was in its way, or the server was lost.

    Any other error comes back at each attempt, like `ProgramLimitExceeded` for a text that an index cannot hold, which
    is an `OperationalError` too.
    """
    is_lost = isinstance(error, psycopg2.OperationalError) and error.pgcode is None
    return is_lost or isinstance(error, _PASSING)
