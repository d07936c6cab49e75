"""A thing that is the matter with a feed, and what helps."""

from typing import NamedTuple

from odoo.tools.translate import LazyTranslate

from .rights import may_connect, may_look

_lt = LazyTranslate(__name__)

# What helps: the label of its button and who may use it. `ponto.account.action_remedy` carries it out.
REMEDIES = {
    'connect': (_lt("Connect"), may_connect),
    'update_credentials': (_lt("Update Credentials"), may_connect),
    'fetch_accounts': (_lt("Fetch Accounts"), may_connect),
    'reconnect': (_lt("Reconnect"), may_connect),
    'add_opening_line': (_lt("Add Opening Line"), may_connect),
    'use_new_number': (_lt("Use the New Number"), may_connect),
    'show_opening_line': (_lt("Show Opening Line"), may_look),
    'explain': (_lt("Show Reasons"), may_look),
    'review': (_lt("Review"), may_look),
}
# What helps after a failure, by its kind in `error_sentences`. After any other the next run tries again.
REMEDY_OF_FAILURE = {
    'account': 'reconnect',
    'PontoAuthError': 'update_credentials',
    'PontoNotFoundError': 'fetch_accounts',
}
REFUSALS = ('PontoCredentialsError', 'PontoGrantError', 'CopiedTokenError')
# The bank gives Ponto nothing new.
OBSTACLES = ('consent_ended', 'consent_refused', 'bank')
# Problems that all accounts of a connection share.
CONNECTION_PROBLEMS = ('disconnected', 'refused')


class Problem(NamedTuple):
    """One thing that is the matter with a feed.

    `code` names it, `severity` is `danger` (nothing comes in, or the books are wrong), `warning` or `info`, `sentence`
    is in the reader's language, and `remedy` is a key of `REMEDIES`, '' where there is nothing to click.
    """

    code: str
    severity: str
    sentence: str
    remedy: str = ''
