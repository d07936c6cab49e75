"""What a person reads when Ponto, or the way to it, fails: one sentence that says what happened and what to do."""

from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..ponto import errors

_lt = LazyTranslate(__name__)

# By the name of an exception, or what `_kind` calls it. The sentences of an exception's parents stand for it as well.
_SENTENCES = {
    'PontoCredentialsError': _lt(
        "Ponto does not accept this client ID and client secret. Copy both again from the integration in your Ponto"
        " dashboard (the secret is shown only once; a new one can be generated there), then enter them with Connect"
        " or Update Credentials."
    ),
    'PontoGrantError': _lt(
        "Ponto has ended the permission to read these accounts. Use Update Credentials to connect again."
    ),
    'CopiedTokenError': _lt(
        "This database is a copy of another one, or has been renamed. It does not use the permission of the original,"
        " which would lose it. Use Update Credentials to give this database a permission of its own."
    ),
    'PontoAuthError': _lt("Ponto refuses access with the stored credentials. Use Update Credentials to connect again."),
    'PontoNotFoundError': _lt(
        "Ponto does not know this account, or no longer lets this integration read it. Tick the account for the"
        " integration in your Ponto dashboard, then use Fetch Accounts."
    ),
    'PontoRateLimitError': _lt(
        "Ponto limits the number of requests at the moment. Nothing is lost: Odoo reads on in the next automatic run."
    ),
    'PontoServerError': _lt(
        "Ponto has a problem on its side (%(detail)s). Nothing is lost: Odoo tries again in the next automatic run."
    ),
    'PontoTimeoutError': _lt(
        "Ponto did not answer in time. Nothing is lost: Odoo tries again in the next automatic run."
    ),
    'TokenBusyError': _lt(
        "Somebody else is renewing or changing the access to Ponto at this moment. Nothing is lost: Odoo tries again in"
        " the next automatic run."
    ),
    'PontoTlsError': _lt(
        "No secure connection to Ponto could be made. Ask your administrator to check the server's certificates,"
        " clock and proxy."
    ),
    'PontoConnectionError': _lt(
        "Ponto cannot be reached from this server. Nothing is lost: Odoo tries again in the next automatic run. If this"
        " keeps happening, ask your administrator to check the server's internet connection."
    ),
    'PontoResponseError': _lt(
        "Odoo received an answer that it cannot read and that may not be Ponto's (%(detail)s). Nothing was imported"
        " from it. Odoo tries again in the next automatic run. If this keeps happening, ask your administrator to check"
        " the proxy and the address of Ponto."
    ),
    'PontoApiError': _lt("Ponto answered: %(detail)s."),
    # Refused for one account while the grant as a whole is accepted.
    'account': _lt(
        "Ponto refuses access to this account. Check in your Ponto dashboard that it is still active there, then use"
        " Reconnect."
    ),
    'subscription': _lt(
        "Ponto asks for payment before it lets Odoo read accounts. Check your organization's subscription in your Ponto"
        " dashboard; transactions come in again once it is paid."
    ),
    'organization': _lt(
        "Ponto has blocked your organization, so no transactions come in. Your Ponto dashboard or Ponto's support tells"
        " you why."
    ),
    # What Odoo or another addon has said stays as it is.
    'UserError': '%(detail)s',
    'LostWorkerError': _lt(
        "Odoo was interrupted twice while it read this account, so it does not read it again by itself. Click Fetch"
        " Transactions to try again. If this keeps happening, ask your administrator to check the server's log."
    ),
    'unexpected': _lt(
        "Odoo could not finish this (%(detail)s). Nothing was imported halfway. Odoo tries again in the next automatic"
        " run."
    ),
}


def error_code(error):
    """Return a short code for `error`, for the history: Ponto's own code where it gave one, else the error's name."""
    return getattr(error, 'code', '') or type(error).__name__


def failure_of(error, is_about_account=False):
    """Return what to keep of an exception met while talking to Ponto or while booking, for `failure_sentence`.

    Of an exception that is neither Ponto's nor meant for users only the name is kept: its text may hold data.

    :param is_about_account: one account was asked for, so a refusal is about that account alone
    :return: `{'kind': key of the table of sentences, 'detail': text or '', 'request_id': Ponto's reference or ''}`
    """
    detail, request_id = type(error).__name__, ''
    if isinstance(error, errors.PontoApiError):
        detail, request_id = error.detail or str(error), error.request_id
    elif isinstance(error, (UserError, errors.PontoError)):
        detail = str(error)
    return {'kind': _kind(error, is_about_account), 'detail': detail, 'request_id': request_id}


def _kind(error, is_about_account):
    if isinstance(error, errors.PontoApiError) and error.status == 402:
        return 'subscription'
    if isinstance(error, errors.PontoApiError) and 'blocked' in error.code.lower():
        return 'organization'
    if is_about_account and type(error) is errors.PontoAuthError:
        return 'account'
    return next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _SENTENCES), 'unexpected')


def failure_sentence(env, failure):
    """Return the sentence for what `failure_of` has kept, in the language of `env`; '' for nothing."""
    if not failure:
        return ''
    text = env._(_SENTENCES.get(failure['kind'], _SENTENCES['unexpected']))
    detail = failure['detail'] if failure['kind'] == 'UserError' else failure['detail'].rstrip('.')
    sentence = text % {'detail': detail}
    if not failure['request_id']:
        return sentence
    return env._("%(sentence)s (Ponto reference %(reference)s)", sentence=sentence, reference=failure['request_id'])


def error_sentence(env, error):
    """Return the sentence, in the user's language, for an exception that a person has just met."""
    return failure_sentence(env, failure_of(error))
