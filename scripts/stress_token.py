"""Processes need a fresh access token at the same instant."""

import contextlib
import os
import random
import tempfile
from functools import partial

from stress_common import at_once, count_requests, ponto, query, run_process, wrong

from simulator import Connect
from simulator.server import Server


def token(options):
    """Processes need a fresh access token at the same instant."""
    with tempfile.NamedTemporaryFile(suffix='.pem') as trusted:
        # All processes have the environment of the first one.
        os.environ['REQUESTS_CA_BUNDLE'] = trusted.name
        with ponto(1, 0, random.Random(1)) as sim, ponto_connect(sim) as connect:
            trusted.write(connect.authority.certificate)
            trusted.flush()
            print(f'\n{"API":<9}{"The token":<20}{"round":>6}{"processes":>11}{"token requests":>16}')
            ask_for_token(
                'direct', sim, options, {'is missing': forget_token, **STALE, 'was revoked': sim.revoke_tokens}
            )
            # Without its refresh token a consent cannot be renewed, so this one is never missing.
            ask_for_token('connect', sim, options, {**STALE, 'was revoked': connect.revoke_access_tokens})


@contextlib.contextmanager
def ponto_connect(sim):
    """The simulated Ponto Connect on a socket by mutual TLS, and an integration in Odoo that has a consent."""
    connect = Connect(sim)
    credentials = connect.client_credentials
    with Server(sim, authority=connect.authority) as server:
        run_process(
            'prepare_connect',
            {
                'connect_api_url': f'{server.url}/ponto-connect',
                'connect_client_id': connect.client_id,
                'connect_client_secret': connect.client_secret,
                'certificate': credentials.certificate,
                'private_key': credentials.private_key,
            },
            connect.organization.id,
            connect.give_consent(),
        )
        yield connect


def ask_for_token(connection, sim, options, ways_to_spoil):
    for name, spoil in ways_to_spoil.items():
        for number in range(options.rounds):
            spoil()
            sim.fail(1, kind='slow', delay=0.3, path='/oauth2/token$')
            del sim.requests[:]
            answers = at_once('call_at_once', [(connection, sim.accounts[0].id)] * options.processes)
            count = count_requests(sim, '/oauth2/token')
            print(f'{connection:<9}{name:<20}{number + 1:>6}{len(answers):>11}{count:>16}')
            if count != 1:
                wrong.append(f'{connection}: {count} token requests when the token {name}')
            wrong.extend(f'{connection}: a process got {answer}' for answer in answers if answer is not True)
            if len(answers) != options.processes:
                wrong.append(f'{connection}: {options.processes - len(answers)} processes failed')


def forget_token():
    query("""
        UPDATE ponto_token SET access_token = NULL, expires_at = NULL
         WHERE integration_id IN (SELECT id FROM ponto_integration WHERE connection = 'direct')""")


def let_token_expire(interval):
    query("UPDATE ponto_token SET expires_at = now() AT TIME ZONE 'UTC' + %s::interval", interval)


STALE = {
    'has expired': partial(let_token_expire, '-1 hour'),
    'is about to expire': partial(let_token_expire, '50 seconds'),
}
