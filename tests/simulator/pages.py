"""Ponto's own pages, as a person in a browser walks through them; element ids and names are for browser tests.

Consent: choose a bank (`institution-<id>`, `choose-bank`), log in (`login`, `code`, `log-in`), tick accounts
(`account-<IBAN>-<currency>`, `allow`); every page has `refuse`. Renewal of an account's permission: `login`, `code`,
`renew`, `refuse`. A page that cannot go on says why in `error`.
"""

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from .routes import Route

HTML = {'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store'}
BANK_CODE = '123456'
"""What the bank's card reader shows, as in Ponto's sandbox."""

SCOPES = frozenset({'ai', 'pi', 'name', 'offline_access'})
MINIMUM_STATE = 8

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="data:,"><style>
body {{ font: 16px/1.5 sans-serif; max-width: 32em; margin: 2em auto; padding: 0 1em }}
label {{ display: block; padding: .4em 0 }}
button {{ font: inherit; padding: .5em 1.5em; margin: 1em .5em 0 0 }}
#error {{ color: #a00 }}
</style></head>
<body><h1>{title}</h1>
{error}{content}
</body></html>
"""


# -------------------------------------------------------------------------
# Consent
# -------------------------------------------------------------------------


def start_consent(sim, call):
    """The application sends the browser here. Only an application that is known is told of its mistakes."""
    connect, query = sim.connect, call.query
    if query.get('client_id') != connect.client_id or query.get('redirect_uri') not in connect.redirect_uris:
        return _stop('The application is unknown, or the address to return to is not registered for it.')
    if problem := _problem(query):
        return _back(query['redirect_uri'], state=query.get('state'), error=problem[0], error_description=problem[1])
    consent = connect.add_consent(query)
    return _redirect(f'{call.base}/{consent.id}/bank')


def _problem(query):
    if query.get('response_type') != 'code':
        return 'unsupported_response_type', 'The response type must be code.'
    if not set(query.get('scope', '').split()) <= SCOPES or 'ai' not in query.get('scope', '').split():
        return 'invalid_scope', 'The requested scope is invalid, unknown, or malformed.'
    if len(query.get('state', '')) < MINIMUM_STATE:
        return 'invalid_state', f'The state must be at least {MINIMUM_STATE} characters long.'
    if not query.get('code_challenge') or query.get('code_challenge_method') != 'S256':
        return 'invalid_request', 'A code challenge with the method S256 is needed.'
    return None


def show_banks(sim, call):
    return _step(sim, call, lambda consent: _bank_page(sim, call, consent))


def choose_bank(sim, call):
    def step(consent):
        chosen = _form(call).get('institution', [''])[0]
        if chosen not in {item.id for item in _banks(sim, consent)}:
            return _bank_page(sim, call, consent, 'Choose a bank.')
        consent.institution_id, consent.logged_in = chosen, False
        return _redirect(f'{call.base}/{consent.id}/login')

    return _step(sim, call, step)


def show_login(sim, call):
    return _step(sim, call, lambda consent: _login_page(sim, call, consent), 'bank')


def log_in(sim, call):
    def step(consent):
        if not _is_logged_in(_form(call)):
            return _login_page(sim, call, consent, 'The bank does not accept this login and code.')
        consent.logged_in = True
        return _redirect(f'{call.base}/{consent.id}/accounts')

    return _step(sim, call, step, 'bank')


def show_accounts(sim, call):
    return _step(sim, call, lambda consent: _accounts_page(sim, call, consent), 'login')


def allow(sim, call):
    def step(consent):
        own = {account.id for account in sim.connect.accounts_of(consent.organization)}
        ticked = [item for item in _form(call).get('account', []) if item in own]
        code = sim.connect.finish_consent(consent, ticked)
        return _back(consent.redirect_uri, code=code, scope=consent.scope, state=consent.state)

    return _step(sim, call, step, 'login')


def refuse(sim, call):
    def step(consent):
        consent.done = True
        return _back(
            consent.redirect_uri,
            error='access_denied',
            error_description='The resource owner denied the request.',
            state=consent.state,
        )

    return _step(sim, call, step)


def _step(sim, call, step, needs=None):
    """Do a step of a consent that is still going on and has come that far."""
    consent = sim.connect.consents.get(call.arguments['consent_id'])
    if consent is None or consent.done or consent.expires_at <= sim.clock:
        return _stop('This consent is over. Go back to the application and start again.')
    if needs and not consent.institution_id:
        return _redirect(f'{call.base}/{consent.id}/bank')
    if needs == 'login' and not consent.logged_in:
        return _redirect(f'{call.base}/{consent.id}/login')
    return step(consent)


def _banks(sim, consent):
    ids = dict.fromkeys(account.institution_id for account in sim.connect.accounts_of(consent.organization))
    return [sim.institution(item) for item in ids if sim.institution(item)]


def _bank_page(sim, call, consent, error=''):
    choices = ''.join(
        _choice('radio', 'institution', bank.id, f'institution-{bank.id}', bank.name) for bank in _banks(sim, consent)
    )
    return _consent_page(call, consent, 'bank', 'Choose your bank', choices, 'choose-bank', 'Continue', error)


def _login_page(sim, call, consent, error=''):
    bank = sim.institution(consent.institution_id)
    return _consent_page(call, consent, 'login', f'Log in to {bank.name}', _LOGIN, 'log-in', 'Log in', error)


def _accounts_page(sim, call, consent):
    """The chosen bank's accounts, then those at other banks; what is covered already is ticked."""
    grant = sim.connect.grant_of(consent.organization)
    covered = grant.account_ids if grant else []
    accounts = sorted(
        sim.connect.accounts_of(consent.organization), key=lambda item: item.institution_id != consent.institution_id
    )
    choices = ''
    for account in accounts:
        reference, currency = account.reference, account.attributes.get('currency')
        label = f'{reference} {currency}, {_bank_name(sim, account)}'
        choices += _choice(
            'checkbox', 'account', account.id, f'account-{reference}-{currency}', label, account.id in covered
        )
    title = 'Which accounts may the application read?'
    return _consent_page(call, consent, 'accounts', title, choices, 'allow', 'Allow')


def _bank_name(sim, account):
    bank = sim.institution(account.institution_id)
    return bank.name if bank else 'unknown bank'


def _consent_page(call, consent, step, title, content, button, label, error=''):
    base = f'{call.base}/{consent.id}'
    forms = _form_element(f'{base}/{step}', content, button, label)
    forms += _form_element(f'{base}/refuse', '', 'refuse', 'Refuse')
    return _page(title, forms, error, language=consent.language)


# -------------------------------------------------------------------------
# Renewal
# -------------------------------------------------------------------------


def show_renewal(sim, call):
    return _renewal_step(sim, call, lambda request, account: _renewal_page(sim, call, account))


def answer_renewal(sim, call):
    def step(request, account):
        form = _form(call)
        if 'refuse' in form:
            request.done = True
            return _redirect(request.redirect_uri)
        if not _is_logged_in(form):
            return _renewal_page(sim, call, account, 'The bank does not accept this login and code.')
        request.done = True
        sim.reauthorize(account)
        return _redirect(request.redirect_uri)

    return _renewal_step(sim, call, step)


def _renewal_step(sim, call, step):
    request = sim.connect.reauthorizations.get(call.arguments['request_id'])
    account = request and sim.accounts.get(request.account_id)
    if account is None or request.done or request.account_id != call.arguments['account_id']:
        return _stop('This renewal is over. Go back to the application and start again.')
    return step(request, account)


def _renewal_page(sim, call, account, error=''):
    forms = _form_element(call.base + call.path, _LOGIN, 'renew', 'Renew')
    forms += _form_element(call.base + call.path, '<input type="hidden" name="refuse" value="1">', 'refuse', 'Refuse')
    return _page(f'Renew the access to {account.reference} at {_bank_name(sim, account)}', forms, error)


# -------------------------------------------------------------------------
# HTML
# -------------------------------------------------------------------------

_LOGIN = (
    '<label>Login <input name="login" id="login" autocomplete="off"></label>\n'
    '<label>Code of the card reader <input name="code" id="code" autocomplete="off"></label>\n'
)


def _is_logged_in(form):
    return bool(form.get('login', [''])[0].strip()) and form.get('code', [''])[0].strip() == BANK_CODE


def _form(call):
    return parse_qs(call.body.decode('utf-8', 'replace'))


def _choice(kind, name, value, element_id, label, checked=False):
    return (
        f'<label><input type="{kind}" name="{name}" value="{escape(value)}" id="{escape(element_id)}"'
        f'{" checked" if checked else ""}> {escape(label)}</label>\n'
    )


def _form_element(action, content, button, label):
    return (
        f'<form method="post" action="{escape(urlsplit(action).path)}">\n{content}'
        f'<button id="{button}">{escape(label)}</button></form>\n'
    )


def _page(title, content, error='', language='en', status=200):
    message = f'<p id="error">{escape(error)}</p>\n' if error else ''
    page = PAGE.format(title=escape(title), content=content, error=message, language=escape(language))
    return status, HTML, page.encode()


def _stop(error):
    return _page('Ponto', '', error, status=400)


def _back(redirect_uri, **parameters):
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return _redirect(f'{redirect_uri}{"&" if "?" in redirect_uri else "?"}{query}')


def _redirect(location):
    return 303, {'Location': location, 'Cache-Control': 'no-store'}, b''


CONSENT_ROUTES = (
    # OAuth 2 has unknown parameters ignored (RFC 6749, section 3.1); clients send `response_mode`.
    Route('GET', '/', start_consent, auth='none', parameters=None),
    Route('GET', '/<consent_id>/bank', show_banks, auth='none'),
    Route('POST', '/<consent_id>/bank', choose_bank, auth='none'),
    Route('GET', '/<consent_id>/login', show_login, auth='none'),
    Route('POST', '/<consent_id>/login', log_in, auth='none'),
    Route('GET', '/<consent_id>/accounts', show_accounts, auth='none'),
    Route('POST', '/<consent_id>/accounts', allow, auth='none'),
    Route('POST', '/<consent_id>/refuse', refuse, auth='none'),
)
RENEWAL = '/<organization_id>/integrations/<integration_id>/accounts/<account_id>/reauthorization-requests/<request_id>'
REAUTHORIZATION_ROUTES = (
    Route('GET', RENEWAL, show_renewal, auth='none'),
    Route('POST', RENEWAL, answer_renewal, auth='none'),
)
