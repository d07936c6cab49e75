"""Core's own log must tell no secret of ours.

Core logs a query that has failed with all of its values, and at debug level the arguments of every call over RPC.
"""

import logging
import re

# The loggers by which core does so.
LOGGERS = ('odoo.sql_db', 'odoo.service.model')
# What names a place of ours that holds a secret: the table of tokens, and every field or parameter for one.
_PLACES = re.compile(r'ponto.*(?:client_secret|entered_secret)|ponto[._]token', re.DOTALL)
_LEFT_OUT = "%s is left out here, because it may hold a secret of a bank feed. %s"


class LeaveSecretsOut(logging.Filter):
    """Replaces an entry that may hold a secret by one that says so, with the error's name if it tells of an error."""

    def filter(self, record):
        if _PLACES.search(record.getMessage()):
            what = "A call" if record.name == LOGGERS[1] else "A query"
            error = record.args[-1] if record.args and isinstance(record.args, tuple) else None
            record.msg = _LEFT_OUT
            record.args = (what, type(error).__name__ if isinstance(error, Exception) else '')
        return True


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(LeaveSecretsOut())
