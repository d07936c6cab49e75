"""What a person reads when Ponto, or the way to it, fails: one sentence that says what happened and what to do."""

from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..ponto import errors

_lt = LazyTranslate(__name__)

# The first class that matches wins: the special ones stand before their parents.
_SENTENCES = [
    (
        errors.PontoCredentialsError,
        _lt(
            "Ponto does not accept this client ID and client secret. Copy both again from the integration in your Ponto"
            " dashboard (the secret is shown only once; a new one can be generated there), then enter them with Connect"
            " or Update Credentials."
        ),
    ),
    (
        errors.PontoGrantError,
        _lt("Ponto has ended the permission to read these accounts. Use Update Credentials to connect again."),
    ),
    (
        errors.PontoAuthError,
        _lt("Ponto refuses access with the stored credentials. Use Update Credentials to connect again."),
    ),
    (
        errors.PontoNotFoundError,
        _lt(
            "Ponto does not know this account, or no longer lets this integration read it. Tick the account for the"
            " integration in your Ponto dashboard, then use Fetch Accounts."
        ),
    ),
    (
        errors.PontoRateLimitError,
        _lt("Ponto asks for fewer requests at the moment. Nothing is lost: the next automatic run reads on."),
    ),
    (
        errors.PontoServerError,
        _lt("Ponto has a problem on its side (%(detail)s). Nothing is lost: the next automatic run tries again."),
    ),
    (
        errors.PontoTimeoutError,
        _lt("Ponto did not answer in time. Nothing is lost: the next automatic run tries again."),
    ),
    (
        errors.PontoTlsError,
        _lt(
            "No secure connection to Ponto could be made. Ask your administrator to check the server's certificates,"
            " clock and proxy."
        ),
    ),
    (
        errors.PontoConnectionError,
        _lt(
            "Ponto cannot be reached from this server. Nothing is lost: the next automatic run tries again. If it goes"
            " on, ask your administrator to check the server's internet connection."
        ),
    ),
    (
        errors.PontoResponseError,
        _lt(
            "Something answered in Ponto's place that Odoo cannot read (%(detail)s). Nothing was imported from it; the"
            " next automatic run tries again. If it goes on, ask your administrator to check the proxy and the address."
        ),
    ),
    (errors.PontoApiError, _lt("Ponto answered: %(detail)s.")),
]
_UNEXPECTED = _lt("Odoo could not finish this (%(detail)s). Nothing was imported halfway; the next run tries again.")


def error_code(error):
    """Return a short code for `error`, for the history: Ponto's own code where it gave one, else the error's name."""
    return getattr(error, 'code', '') or type(error).__name__


def error_sentence(env, error):
    """Return the sentence, in the user's language, for an exception met while talking to Ponto or while booking.

    Of an exception that is neither Ponto's nor meant for users only the name is told: its text may hold data.
    """
    if isinstance(error, UserError):
        return str(error)
    template = next((text for kind, text in _SENTENCES if isinstance(error, kind)), _UNEXPECTED)
    detail = str(error) if isinstance(error, errors.PontoError) else type(error).__name__
    text = env._(template)
    sentence = text % {'detail': (getattr(error, 'detail', '') or detail).rstrip('.')}
    request_id = getattr(error, 'request_id', '')
    if not request_id:
        return sentence
    return env._("%(sentence)s (Ponto reference %(reference)s)", sentence=sentence, reference=request_id)
