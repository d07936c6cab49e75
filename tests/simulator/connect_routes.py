"""The API of Ponto Connect as a table of routes: the direct API's, and those that only Connect has."""

import base64
import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from . import errors, paging, routes, signatures
from .routes import Route
from .serialize import json_value
from .state import Collection

JSON = {'Content-Type': 'application/json; charset=utf-8'}
GRANT_FIELDS = {
    'authorization_code': {'code', 'redirect_uri', 'client_id', 'code_verifier'},
    'refresh_token': {'refresh_token', 'client_id', 'redirect_uri'},
    'client_credentials': set(),
}
PAGES_HOST = 'https://authorize.myponto.com'
LOCAL = ('127.0.0.1', 'localhost')


def _json(body):
    return 200, JSON, json.dumps(body).encode()


# -------------------------------------------------------------------------
# Tokens
# -------------------------------------------------------------------------


def create_token(sim, call):
    connect = sim.connect
    form = _form(connect, call)
    grant_type = form.pop('grant_type', None)
    if grant_type is None:
        raise errors.OAuthError(400, 'invalid_request', 'The parameter grant_type is missing.')
    if grant_type not in GRANT_FIELDS:
        raise errors.OAuthError(400, 'unsupported_grant_type', 'The authorization grant type is not supported.')
    _check_fields(form, GRANT_FIELDS[grant_type])
    if form.get('client_id', connect.client_id) != connect.client_id:
        raise errors.OAuthError(401, 'invalid_client', 'Client authentication failed.')
    if grant_type == 'authorization_code':
        return _json(_exchange(connect, form))
    if grant_type == 'refresh_token':
        return _json(_refresh(connect, form))
    return _json(connect.issue_to_application())


def _exchange(connect, form):
    code = connect.codes.get(form.get('code'))
    if code is None:
        raise _invalid_grant('The authorization code is not known.')
    if code.used:
        connect.revoke(code.chain)
        raise _invalid_grant('The authorization code has already been used.')
    code.used = True
    if code.expires_at <= connect.sim.clock:
        raise _invalid_grant('The authorization code has expired.')
    if form.get('redirect_uri') != code.redirect_uri:
        raise _invalid_grant('The redirect_uri is not the one of the authorization request.')
    if challenge(form.get('code_verifier', '')) != code.challenge:
        raise _invalid_grant('The PKCE code verifier does not match the code challenge.')
    return connect.issue(code.chain)


def _refresh(connect, form):
    value = form.get('refresh_token')
    chain = connect.chains.get(value)
    if chain is None or chain.revoked or chain.grant.revoked:
        raise _invalid_grant('The refresh token is invalid.')
    if chain.refresh_token != value:
        if connect.reuse_revokes:
            connect.revoke(chain)
        raise _invalid_grant('The refresh token has already been used.')
    if chain.refresh_expires_at <= connect.sim.clock:
        raise _invalid_grant('The refresh token has expired.')
    return connect.issue(chain)


def challenge(verifier):
    """The S256 challenge of a PKCE code verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip('=')


def revoke_token(sim, call):
    """Ends the whole integration; a token that is not known is revoked already (RFC 7009)."""
    form = _form(sim.connect, call)
    _check_fields(form, {'token'})
    chain = sim.connect.chains.get(form.get('token'))
    if chain is not None and not chain.revoked:
        sim.connect.end(chain.grant)
    return 200, {}, b''


def _form(connect, call):
    if routes.basic_credentials(call.headers.get('Authorization', '')) != (connect.client_id, connect.client_secret):
        raise errors.OAuthError(401, 'invalid_client', 'Client authentication failed.')
    if call.headers.get('Content-Type', '').split(';')[0] != 'application/x-www-form-urlencoded':
        raise errors.OAuthError(400, 'invalid_request', 'The body must be a form.')
    pairs = parse_qsl(call.body.decode('utf-8', 'replace'), keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise errors.OAuthError(400, 'invalid_request', 'A parameter is given twice.')
    return dict(pairs)


def _check_fields(form, known):
    if unknown := sorted(set(form) - known):
        raise errors.UnexpectedCall(
            errors.OAuthError(400, 'invalid_request', f'The parameter {unknown[0]} is unknown.'),
            f'unknown parameter {unknown[0]}',
        )


def _invalid_grant(description):
    return errors.OAuthError(400, 'invalid_grant', description)


# -------------------------------------------------------------------------
# The organization
# -------------------------------------------------------------------------


def get_root(sim, call):
    status, body = routes.get_root(sim, call)
    links = body['links']
    links['account']['reauthorizationRequests'] = f'{call.base}/accounts/{{accountId}}/reauthorization-requests'
    links['oauth2']['revoke'] = f'{call.base}/oauth2/revoke'
    organization = f'{call.base}/organizations/{{organizationId}}'
    links['organizations'] = {'integration': f'{organization}/integration', 'usage': f'{organization}/usage/{{month}}'}
    links['onboardingDetails'] = f'{call.base}/onboarding-details'
    links['integrationAccounts'] = f'{call.base}/integration-accounts'
    links['userinfo'] = f'{call.base}/userinfo'
    return status, body


def get_userinfo(sim, call):
    organization = call.integration.organization
    body = {
        'onboardingComplete': organization.onboarding_complete,
        'paymentsActivated': False,
        'paymentsActivationRequested': False,
        'sub': organization.id,
    }
    if 'name' in call.integration.scope.split():
        body['name'] = organization.name
    if organization.representative:
        body['representativeOrganizationId'] = organization.representative.id
        body['representativeOrganizationName'] = organization.representative.name
    return _json(body)


def _organization(sim, call):
    wanted = call.arguments['organization_id']
    return next((item for item in sim.connect.organizations if item.id == wanted), None)


def _related(organization):
    return {'organization': {'data': {'id': organization.id, 'type': 'organization'}}}


def create_onboarding_details(sim, call):
    """What an application knows of a customer who is to sign up."""
    sim.connect.authenticate_application(call)
    attributes = call.json('onboardingDetails')
    if not attributes.get('email'):
        raise errors.missing_attribute('email')
    return 201, {
        'data': {'type': 'onboardingDetails', 'id': sim.connect.new_id('onboarding'), 'attributes': attributes}
    }


def get_usage(sim, call):
    """What is paid for in a month: here the accounts that are covered now."""
    sim.connect.authenticate_application(call)
    organization, month = _organization(sim, call), call.arguments['month']
    grant = organization and sim.connect.grant_of(organization)
    if not grant or not re.fullmatch(r'\d{4}-(0[1-9]|1[0-2])', month):
        raise errors.not_found('usage')
    counts = dict.fromkeys(('bulkPaymentBundleCount', 'paymentAccountCount', 'paymentCount'), 0)
    attributes = {'accountCount': len(grant.account_ids), **counts}
    return 200, {
        'data': {'attributes': attributes, 'id': month, 'relationships': _related(organization), 'type': 'usage'}
    }


@dataclass
class _IntegrationAccount:
    id: str
    organization: object
    account: object


def list_integration_accounts(sim, call):
    """Every account of every customer of the application."""
    sim.connect.authenticate_application(call)
    found = Collection(
        _IntegrationAccount(
            str(uuid.uuid5(uuid.UUID(organization.id), account_id)), organization, sim.account(account_id)
        )
        for organization in sim.connect.organizations
        if (grant := sim.connect.grant_of(organization))
        for account_id in grant.account_ids
    )
    return routes.list_page(sim, call, found, _integration_account)


def _integration_account(item, base):
    def related(kind, path, resource_id):
        return {'data': {'id': resource_id, 'type': kind}, 'links': {'related': f'{base}/{path}/{resource_id}'}}

    account = item.account
    return {
        'attributes': {'createdAt': json_value(account.attributes.get('authorizedAt'))},
        'id': item.id,
        'relationships': {
            'account': related('account', 'accounts', account.id),
            'financialInstitution': related('financialInstitution', 'financial-institutions', account.institution_id),
            **_related(item.organization),
        },
        'type': 'integrationAccount',
    }


def delete_integration(sim, call):
    sim.connect.authenticate_application(call)
    organization = _organization(sim, call)
    grant = organization and sim.connect.grant_of(organization)
    if not grant:
        raise errors.not_found('integration')
    sim.connect.end(grant)
    related = _related(organization)
    return 200, {'data': {'id': sim.connect.new_id('integration'), 'relationships': related, 'type': 'integration'}}


# -------------------------------------------------------------------------
# Accounts
# -------------------------------------------------------------------------


def delete_account(sim, call):
    account = routes.get_account(sim, call)[1]['data']
    call.integration.account_ids.remove(account['id'])
    return 200, {'data': {'id': account['id'], 'type': 'account'}}


def create_reauthorization_request(sim, call):
    account = routes.get_account(sim, call)[1]['data']
    attributes = call.json('reauthorizationRequest')
    routes.check_names(attributes, ('redirectUri',))
    redirect_uri = attributes.get('redirectUri')
    if not redirect_uri:
        raise errors.missing_attribute('redirectUri')
    parts = urlsplit(str(redirect_uri))
    if not parts.hostname or (parts.scheme != 'https' and parts.hostname not in LOCAL):
        raise errors.invalid_attribute('redirectUri', 'The redirect URI must be an https address.')
    request = sim.connect.add_reauthorization(account['id'], redirect_uri)
    organization = call.integration.organization
    path = (
        f'/organizations/{organization.id}/integrations/{sim.connect.application_id}/accounts/{account["id"]}'
        f'/reauthorization-requests/{request.id}'
    )
    return 201, {
        'data': {
            'type': 'reauthorizationRequest',
            'id': request.id,
            'links': {'redirect': _pages_host(call) + path},
            'attributes': {},
        }
    }


def _pages_host(call):
    """On a socket the pages are where the API is."""
    base = urlsplit(call.base)
    return f'{base.scheme}://{base.netloc}' if base.hostname in LOCAL else PAGES_HOST


# -------------------------------------------------------------------------
# Webhooks
# -------------------------------------------------------------------------


def get_webhooks(sim, call):
    return 200, {'links': {'keys': f'{call.base}/keys'}}


def get_webhook_keys(sim, call):
    return _json(signatures.webhook_keys())


ROUTES = (
    *(route for route in routes.ROUTES if route.rule not in ('/', '/oauth2/token')),
    Route('GET', '/', get_root, auth='none'),
    Route('POST', '/oauth2/token', create_token, auth='basic'),
    Route('POST', '/oauth2/revoke', revoke_token, auth='basic'),
    Route('GET', '/userinfo', get_userinfo),
    Route('DELETE', '/accounts/<account_id>', delete_account),
    Route('POST', '/accounts/<account_id>/reauthorization-requests', create_reauthorization_request),
    Route('DELETE', '/organizations/<organization_id>/integration', delete_integration, auth='none'),
    Route('GET', '/organizations/<organization_id>/usage/<month>', get_usage, auth='none'),
    Route('POST', '/onboarding-details', create_onboarding_details, auth='none'),
    Route('GET', '/integration-accounts', list_integration_accounts, auth='none', parameters=paging.PARAMETERS),
)
WEBHOOK_ROUTES = (Route('GET', '/', get_webhooks, auth='none'), Route('GET', '/keys', get_webhook_keys, auth='none'))
