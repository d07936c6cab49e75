"""Ponto Connect beside the direct API: one partner's application, the organizations that consent, and their tokens.

`Connect(sim)` mounts it on a simulator: the API below `/ponto-connect`, the consent pages at `/oauth2/auth`, those for
renewing an account's permission below `/organizations`, and the keys of webhooks at `/webhooks/keys`, on any host.

What Ponto does not document was decided here, mostly as Ory Hydra has it, which Ponto's answers look like: a renewal
ends the old access token too, a code or refresh token used again ends all tokens of that consent, a code lives for a
minute and a refresh token for 28 days.
"""

import hashlib
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import requests

from . import connect_routes, errors, pages, signatures
from .app import Mount
from .authority import Authority
from .serialize import moment
from .state import TOKEN_LIFETIME, Integration

CLIENT_ID = '8d3c1c0a-7b0e-4a6c-9b06-3f1f6d0f2a55'
CLIENT_SECRET = 'simulated-application-secret'
APPLICATION_ID = '0c5a2f51-4b5e-4a0c-8a36-9a7e1f8a3b11'
REDIRECT_URI = 'https://odoo.example.com/ponto/connect/return'
API_HOST = 'api.ibanity.com'
BASE_PATH = '/ponto-connect'

CODE_LIFETIME = timedelta(minutes=1)
REFRESH_TOKEN_LIFETIME = timedelta(days=28)
CONSENT_LIFETIME = timedelta(minutes=30)
WEBHOOK_LIFETIME = timedelta(seconds=60)


@dataclass(eq=False)
class Organization:
    """A customer of Ponto. `accounts`: ids of its accounts; one in nobody's list is the first organization's."""

    id: str
    name: str
    accounts: list = field(default_factory=list)
    representative: 'Organization | None' = None
    onboarding_complete: bool = True


@dataclass(eq=False)
class Grant(Integration):
    """The integration of one organization with the application: lasts until it is revoked, whatever its tokens do."""

    organization: Organization | None = None
    revoked: bool = False


@dataclass(eq=False)
class Chain:
    """The tokens that came of one consent: one refresh token is good at a time, and one access token."""

    grant: Grant
    scope: str
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None
    access_token: str | None = None
    revoked: bool = False


@dataclass(eq=False)
class Token:
    """An access token of a consent, or (without chain) of the application itself."""

    value: str
    expires_at: datetime
    chain: Chain | None = None


@dataclass(eq=False)
class Code:
    """An authorization code: once, by whoever knows the verifier."""

    value: str
    chain: Chain
    redirect_uri: str
    challenge: str
    expires_at: datetime
    used: bool = False


@dataclass(eq=False)
class Consent:
    """A person on the consent pages, and how far that person is."""

    id: str
    organization: Organization
    redirect_uri: str
    scope: str
    state: str
    challenge: str
    expires_at: datetime
    language: str = 'en'
    institution_id: str | None = None
    logged_in: bool = False
    done: bool = False


@dataclass(eq=False)
class Reauthorization:
    """A link by which a person renews the bank's permission for an account."""

    id: str
    account_id: str
    redirect_uri: str
    done: bool = False


class Connect:
    """One application at Ibanity, mounted on a simulator.

    `redirect_uris`: those registered in the portal. `reuse_revokes`: a refresh token used twice ends its whole chain.
    `certificate_required`: a session without a client certificate of `authority` gets no connection, which is seen
    where the session is given to `Simulator.send`, and on a socket with TLS. `visitor`: the organization whose person
    sits before the consent pages.
    """

    def __init__(self, sim, *, redirect_uris=(REDIRECT_URI,), reuse_revokes=True, certificate_required=True):
        self.sim = sim
        self.client_id, self.client_secret, self.application_id = CLIENT_ID, CLIENT_SECRET, APPLICATION_ID
        self.redirect_uris = list(redirect_uris)
        self.reuse_revokes = reuse_revokes
        self.certificate_required = certificate_required
        self.organizations = []
        self.tokens = {}
        self.chains = {}
        self.codes = {}
        self.consents = {}
        self.reauthorizations = {}
        self.signature_keys = {}
        self.idempotency_keys = []
        self.organization = self.visitor = self.add_organization('Brouwerij De Kade')
        sim.connect = self
        sim.mount(
            Mount(
                BASE_PATH,
                connect_routes.ROUTES,
                self.authenticate,
                institutions_by_token=True,
                admit=self.admit,
                check=self.check,
                headers=_request_header,
            )
        )
        sim.mount(
            Mount(
                '/webhooks',
                connect_routes.WEBHOOK_ROUTES,
                self.authenticate,
                admit=self.admit,
                check=self.check,
                headers=_request_header,
            )
        )
        sim.mount(Mount('/oauth2/auth', pages.CONSENT_ROUTES, self.authenticate))
        sim.mount(Mount('/organizations', pages.REAUTHORIZATION_ROUTES, self.authenticate))

    # -------------------------------------------------------------------------
    # Organizations and their accounts
    # -------------------------------------------------------------------------

    def add_organization(self, name, accounts=(), representative=None):
        """Another customer of Ponto, with accounts of its own."""
        organization = Organization(
            self.new_id('organization'), name, [self.sim.account(item).id for item in accounts], representative
        )
        self.organizations.append(organization)
        return organization

    def accounts_of(self, organization):
        """The organization's accounts, in Ponto's order."""
        others = {item for other in self.organizations if other is not organization for item in other.accounts}
        if organization is not self.organization:
            return [account for account in self.sim.accounts if account.id in organization.accounts]
        return [account for account in self.sim.accounts if account.id not in others]

    def grant_of(self, organization=None):
        """The living grant of an organization (by default the first one), or None."""
        grant = self.sim.integrations.get(f'connect/{(organization or self.organization).id}')
        return None if grant is None or grant.revoked else grant

    def give_consent(self, organization=None, accounts=None, scope='ai offline_access name'):
        """A consent without its pages: the token endpoint's answer. `accounts`: by default all of its."""
        organization = organization or self.organization
        chosen = self.accounts_of(organization) if accounts is None else map(self.sim.account, accounts)
        return self.issue(Chain(self._grant(organization, [account.id for account in chosen], scope), scope))

    def _grant(self, organization, account_ids, scope):
        """What is ticked now is what the integration covers from now on."""
        grant = self.grant_of(organization)
        if grant is None:
            # No secret: nobody signs in at the direct API with this.
            grant = Grant(f'connect/{organization.id}', None, organization=organization)
            self.sim.integrations[grant.client_id] = grant
        grant.account_ids, grant.scope = list(account_ids), scope
        return grant

    def end(self, grant):
        """The integration ends, with all that was issued for it."""
        grant.revoked = True
        grant.account_ids.clear()
        for chain in set(self.chains.values()):
            if chain.grant is grant:
                self.revoke(chain)

    # -------------------------------------------------------------------------
    # Pages
    # -------------------------------------------------------------------------

    def add_consent(self, query):
        """The visitor begins to answer an authorization request."""
        consent = Consent(
            self.new_id('consent'),
            self.visitor,
            query['redirect_uri'],
            query['scope'],
            query['state'],
            query['code_challenge'],
            self.sim.clock + CONSENT_LIFETIME,
            query.get('language', 'en'),
        )
        self.consents[consent.id] = consent
        return consent

    def add_reauthorization(self, account_id, redirect_uri):
        """A link for renewing an account's permission, once."""
        request = Reauthorization(self.new_id('reauthorization'), account_id, redirect_uri)
        self.reauthorizations[request.id] = request
        return request

    # -------------------------------------------------------------------------
    # Tokens
    # -------------------------------------------------------------------------

    def finish_consent(self, consent, account_ids):
        """The person allows it: returns the code."""
        consent.done = True
        chain = Chain(self._grant(consent.organization, account_ids, consent.scope), consent.scope)
        value = self._secret('code')
        self.codes[value] = Code(value, chain, consent.redirect_uri, consent.challenge, self.sim.clock + CODE_LIFETIME)
        return value

    def issue(self, chain):
        """New tokens of a chain, which end the older ones: the answer of the token endpoint."""
        self.tokens.pop(chain.access_token, None)
        chain.access_token = self._secret('access')
        self.tokens[chain.access_token] = Token(chain.access_token, self.sim.clock + TOKEN_LIFETIME, chain)
        answer = self._answer(chain.access_token, chain.scope)
        if 'offline_access' in chain.scope.split():
            chain.refresh_token = answer['refresh_token'] = self._secret('refresh')
            chain.refresh_expires_at = self.sim.clock + REFRESH_TOKEN_LIFETIME
            self.chains[chain.refresh_token] = chain
        return answer

    def issue_to_application(self):
        """A token for the application's own calls."""
        value = self._secret('access')
        self.tokens[value] = Token(value, self.sim.clock + TOKEN_LIFETIME)
        return self._answer(value, '')

    @staticmethod
    def _answer(access_token, scope):
        return {
            'access_token': access_token,
            'expires_in': int(TOKEN_LIFETIME.total_seconds()),
            'scope': scope,
            'token_type': 'bearer',
        }

    def revoke(self, chain):
        """The tokens of one consent are dead."""
        chain.revoked = True
        self.tokens.pop(chain.access_token, None)

    def revoke_access_tokens(self):
        """Every access token is refused from now on; refresh tokens live."""
        self.tokens.clear()

    def authenticate(self, call):
        """The grant of a call's access token; 401 when it is missing, unknown or expired."""
        token = self._token(call)
        if token.chain is None:
            raise errors.ApiError(403, 'forbidden', 'This needs the access token of a customer.')
        return token.chain.grant

    def authenticate_application(self, call):
        """Refuse all but the application's own token."""
        if self._token(call).chain is not None:
            raise errors.ApiError(403, 'forbidden', 'This needs a client access token.')

    def _token(self, call):
        scheme, _space, value = call.headers.get('Authorization', '').partition(' ')
        token = self.tokens.get(value)
        if scheme.lower() != 'bearer' or token is None or token.expires_at <= self.sim.clock:
            raise errors.invalid_access_token()
        if token.chain is not None and token.chain.grant.revoked:
            raise errors.invalid_access_token()
        return token

    def new_id(self, kind):
        return self.sim._new_id(f'connect {kind}')

    def _secret(self, kind):
        value = self.new_id(kind)
        return f'{kind}-{hashlib.sha256(value.encode()).hexdigest()}'

    # -------------------------------------------------------------------------
    # Who calls
    # -------------------------------------------------------------------------

    @cached_property
    def authority(self):
        """Issues the certificates of both sides."""
        return Authority()

    @cached_property
    def client_credentials(self):
        """The application's client certificate and its key."""
        return self.authority.issue_client()

    @cached_property
    def _server_context(self):
        return self.authority.server_context(API_HOST)

    def add_signature_certificate(self):
        """Give the application a signature certificate: returns its id and its private key in PEM.

        From now on every call to the API must be signed.
        """
        certificate_id = self.new_id('certificate')
        key = signatures.signature_key()
        self.signature_keys[certificate_id] = key.public_key()
        return certificate_id, signatures.private_pem(key)

    def admit(self, session, request):
        """Refuse a session that would not get a connection in process, as it would be on a socket."""
        if self.certificate_required and not self._presents_certificate(session, request.url):
            raise requests.exceptions.SSLError(
                f'{API_HOST}: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required',
                request=request,
            )

    def _presents_certificate(self, session, url):
        """Shake hands in memory: the session's TLS context on one side, a server of the authority on the other."""
        context = session.get_adapter(url).poolmanager.connection_pool_kw.get('ssl_context')
        if context is None:
            return False
        context.load_verify_locations(cadata=self.authority.certificate.decode())
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(to_client, to_server, server_hostname=API_HOST)
        server = self._server_context.wrap_bio(to_server, to_client, server_side=True)
        try:
            for side in (client, server, client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        except ssl.SSLError:
            return False
        return server.getpeercert(binary_form=True) is not None

    def check(self, call):
        """What every call to the API is checked for before anything else."""
        if key := call.headers.get('Ibanity-Idempotency-Key'):
            self.idempotency_keys.append(key)
        if self.signature_keys:
            signatures.verify(call, self.signature_keys)

    # -------------------------------------------------------------------------
    # Webhooks
    # -------------------------------------------------------------------------

    def event(self, kind, *, organization=None, account=None, synchronization=None, **attributes):
        """An event, as `account.transactionsCreated`, of an organization (by default the first one)."""
        related = {
            'account': account and self.sim.account(account).id,
            'organization': (organization or self.organization).id,
            'synchronization': synchronization,
        }
        return {
            'type': f'pontoConnect.{kind}',
            'id': self.new_id('event'),
            'attributes': {'createdAt': moment(self.sim.clock), **attributes},
            'relationships': {name: {'data': {'id': value, 'type': name}} for name, value in related.items() if value},
        }

    def sign_webhook(self, event, **claims):
        """Body and `Signature` header by which Ponto sends an event now; `claims` replace the usual ones."""
        body = signatures.webhook_body(event)
        now = int(self.sim.clock.timestamp())
        return body, signatures.webhook_signature(
            body,
            {
                'aud': self.application_id,
                'iss': f'https://{API_HOST}',
                'iat': now,
                'exp': now + int(WEBHOOK_LIFETIME.total_seconds()),
                'jti': self.new_id('jti'),
                **claims,
            },
        )


def _request_header(request_id):
    return {'ibanity-request-id': request_id}
