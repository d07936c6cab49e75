"""The client on real connections: what the simulator in process cannot show, as it raises what a connection would."""

import base64
import contextlib
import gzip
import json
import os
import socket
import ssl
import struct
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo.tests import BaseCase

from ..ponto import (
    ClientCredentialsAuth,
    MemoryTokenStore,
    PontoClient,
    PontoConnectionError,
    PontoError,
    PontoResponseError,
    PontoTimeoutError,
    PontoTlsError,
)
from ..ponto.transport import Transport
from .simulator.authority import Authority

# Odoo's own handler compares the time limit with a number, and ours is a pair.
SEND = requests.Session.send

ACCOUNT = json.dumps({'data': {'id': 'a1', 'type': 'account'}}).encode()
SYNCHRONIZATION = json.dumps({'data': {'id': 's1', 'type': 'synchronization'}}).encode()


def answer(body=ACCOUNT, status='200 OK', content_type='application/json', length=None, headers=()):
    length = len(body) if length is None else length
    lines = [
        f'HTTP/1.1 {status}',
        f'Content-Type: {content_type}',
        f'Content-Length: {length}',
        'Connection: close',
        *headers,
    ]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


class Server:
    """Serves one connection after the other on a free port, each as the next act says, and keeps what it was sent.

    An act is the bytes to answer, or 'reset', or 'silent' (until the end of the test). The last act is repeated.
    """

    def __init__(self, *acts, context=None):
        self.acts = list(acts)
        self.requests = []
        self._context = context
        self._done = threading.Event()
        self._socket = socket.create_server(('127.0.0.1', 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f'http://127.0.0.1:{self._socket.getsockname()[1]}'

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._done.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._socket.getsockname(), timeout=1).close()
        self._thread.join(10)
        self._socket.close()

    def _serve(self):
        while True:
            connection, _address = self._socket.accept()
            with connection:
                if self._done.is_set():
                    return
                with contextlib.suppress(OSError):
                    self._act(connection)

    def _act(self, connection):
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        connection.settimeout(10)
        if self._context:
            connection = self._context.wrap_socket(connection, server_side=True)
        received = self._read(connection)
        if received:
            # An older urllib3 compares the host's name after the handshake, and then leaves without a word.
            self.requests.append(received)
        if act == 'reset':
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        elif act == 'silent':
            self._done.wait(10)
        else:
            connection.sendall(act)
        connection.close()

    @staticmethod
    def _read(connection):
        received = chunk = connection.recv(65536)
        # A TLS handshake, where no TLS is spoken, has no end of the head to wait for.
        while chunk and b'\r\n\r\n' not in received and not received.startswith(b'\x16'):
            chunk = connection.recv(65536)
            received += chunk
        return received.decode('latin-1')


def server_context(folder):
    """A TLS server whose certificate nobody has vouched for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, '127.0.0.1')])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = Path(folder) / 'server.pem'
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class StaticAuth:
    def access_token(self, transport):
        return 'the-token'

    def renew(self, stale, transport):
        return 'another-token'


class TestTransport(BaseCase):
    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        return SEND(session, request, **kwargs)

    def setUp(self):
        super().setUp()
        self.waits = []

    def serve(self, *acts, **kwargs):
        server = Server(*acts, **kwargs)
        return self.enterContext(server)

    def make_client(self, url, **overrides):
        values = {
            'auth': StaticAuth(),
            'timeout': (5, 0.3),
            'sleep': self.waits.append,
            'jitter': lambda: 1.0,
            'retries': 2,
        }
        return PontoClient(base_url=url, **(values | overrides))

    def assert_fails(self, expected, url, calls=None, server=None, **overrides):
        with self.assertRaises(PontoError) as caught:
            self.make_client(url, **overrides).get_account(account_id='a1')
        self.assertIs(type(caught.exception), expected, repr(caught.exception))
        self.assertNotIn('the-token', str(caught.exception))
        if server:
            self.assertEqual(len(server.requests), calls)
        return caught.exception

    def test_no_library_logs_a_secret_at_debug_level(self):
        token = json.dumps({'access_token': 'granted-token', 'expires_in': 1800, 'token_type': 'bearer'}).encode()
        server = self.serve(answer(token), 'reset', answer())
        auth = ClientCredentialsAuth(
            client_id='c1', client_secret='the-secret', token_url=f'{server.url}/oauth2/token', store=MemoryTokenStore()
        )
        with self.assertLogs(level='DEBUG') as logs:
            self.make_client(server.url, auth=auth).get_account(account_id='a1')
        text = '\n'.join(logs.output)
        self.assertIn('urllib3', text)
        for secret in ('granted-token', 'the-secret', base64.b64encode(b'c1:the-secret').decode()):
            self.assertNotIn(secret, text)

    def test_a_reset_connection_is_repeated(self):
        server = self.serve('reset', 'reset', answer())
        self.assertEqual(self.make_client(server.url).get_account(account_id='a1').id, 'a1')
        self.assertEqual((len(server.requests), self.waits), (3, [1, 2]))

    def test_a_connection_that_is_always_reset_is_given_up(self):
        server = self.serve('reset')
        self.assert_fails(PontoConnectionError, server.url, 3, server)

    def test_silence_is_a_timeout(self):
        server = self.serve('silent')
        self.assert_fails(PontoTimeoutError, server.url, 1, server, retries=0)

    def test_a_request_that_hangs_at_each_attempt_is_given_up_before_odoo_ends_the_worker(self):
        seconds = [0]

        class HangingSession(requests.Session):
            def request(self, *_args, **_kwargs):
                seconds[0] += 30
                raise requests.ReadTimeout

        transport = Transport(session=HangingSession(), sleep=lambda _wait: None, clock=lambda: seconds[0])
        with self.assertRaises(PontoTimeoutError):
            transport.request('GET', 'https://api.myponto.com/accounts')
        self.assertEqual(seconds, [60])

    def test_no_request_begins_or_waits_any_longer_when_the_time_of_a_step_is_over(self):
        now, timeouts = [100], []

        class HangingSession(requests.Session):
            def request(self, *_args, timeout, **_kwargs):
                timeouts.append(timeout)
                now[0] += timeout[1]
                raise requests.ReadTimeout

        transport = Transport(session=HangingSession(), sleep=lambda _wait: None, clock=lambda: now[0], end=135)
        for _call in range(2):
            with self.assertRaises(PontoTimeoutError):
                transport.request('GET', 'https://api.myponto.com/accounts')
        # The first attempt takes 30 of 35 seconds and the second one the rest. The second call does not begin.
        self.assertEqual(timeouts, [(10, 30), (5, 5)])

    def test_silence_in_the_middle_of_an_answer_is_a_timeout(self):
        class Stalling(Server):
            def _act(self, connection):
                self._read(connection)
                connection.sendall(answer(length=1000))
                self._done.wait(10)

        with Stalling('silent') as server:
            self.assert_fails(PontoTimeoutError, server.url, retries=0)

    def test_an_answer_cut_off_is_repeated(self):
        server = self.serve(answer(length=1000), answer())
        self.assertEqual(self.make_client(server.url).get_account(account_id='a1').id, 'a1')
        self.assertEqual(len(server.requests), 2)

    def test_an_answer_always_cut_off_is_given_up(self):
        server = self.serve(answer(length=1000))
        self.assert_fails(PontoConnectionError, server.url, 3, server)

    def test_what_is_no_http_is_a_connection_error(self):
        server = self.serve(b'SSH-2.0-OpenSSH_9.2\r\n')
        self.assert_fails(PontoConnectionError, server.url)

    def test_a_closed_port_is_a_connection_error(self):
        with Server('reset') as server:
            url = server.url
        self.assert_fails(PontoConnectionError, url)
        self.assertEqual(self.waits, [1, 2])

    def test_a_name_that_does_not_resolve_is_a_connection_error(self):
        with patch('socket.getaddrinfo', side_effect=socket.gaierror(-2, 'Name or service not known')):
            self.assert_fails(PontoConnectionError, 'https://api.myponto.invalid')
            with self.assertRaises(PontoConnectionError):
                self.make_client('https://api.myponto.invalid').create_synchronization(
                    account_id='a1', subtype='accountDetails', customer_ip='1.1.1.1'
                )
        self.assertEqual(self.waits, [1, 2] * 2)

    def test_a_server_without_tls_is_a_tls_error(self):
        server = self.serve(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        self.assert_fails(PontoTlsError, server.url.replace('http:', 'https:'))

    def test_an_unknown_certificate_is_a_tls_error_and_not_repeated(self):
        context = server_context(self.enterContext(tempfile.TemporaryDirectory()))
        server = self.serve(answer(), context=context)
        self.assert_fails(PontoTlsError, server.url.replace('http:', 'https:'), 0, server)
        self.assertEqual(self.waits, [])

    def test_a_certificate_that_has_expired_or_is_of_another_host_is_a_tls_error(self):
        authority, folder = Authority(), Path(self.enterContext(tempfile.TemporaryDirectory()))
        trusted = folder / 'trusted.pem'
        trusted.write_bytes(authority.certificate)
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        for number, (arguments, is_right) in enumerate(
            (({}, True), ({'until': yesterday}, False), ({'host': '127.0.0.2'}, False), ({'host': 'evil.test'}, False))
        ):
            credentials = authority.issue_server(**arguments)
            file = folder / f'{number}.pem'
            file.write_bytes(credentials.certificate + credentials.private_key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            server = self.serve(answer(), context=context)
            with self.subTest(arguments), patch.dict('os.environ', {'REQUESTS_CA_BUNDLE': str(trusted)}):
                if is_right:
                    self.assertEqual(
                        self.make_client(server.url.replace('http:', 'https:')).get_account(account_id='a1').id, 'a1'
                    )
                else:
                    self.assert_fails(PontoTlsError, server.url.replace('http:', 'https:'), 0, server)

    def test_a_synchronization_is_repeated_only_if_it_was_not_sent(self):
        for act in ('reset', 'silent', answer(length=1000), answer(SYNCHRONIZATION, '500 Oops')):
            with self.subTest(act), Server(act) as server, self.assertRaises(PontoError):
                self.make_client(server.url).create_synchronization(
                    account_id='a1', subtype='accountDetails', customer_ip='1.1.1.1'
                )
            self.assertEqual(len(server.requests), 1)
        with self.assertRaises(PontoConnectionError):
            self.make_client(server.url).create_synchronization(
                account_id='a1', subtype='accountDetails', customer_ip='1.1.1.1'
            )
        self.assertEqual(self.waits, [1, 2])

    def test_a_redirect_is_not_followed(self):
        elsewhere = self.serve(answer())
        server = self.serve(answer(b'', '302 Found', headers=[f'Location: {elsewhere.url}/accounts/a1']))
        error = self.assert_fails(PontoResponseError, server.url, 1, server)
        self.assertEqual((error.status, error.reason), (302, 'redirect'))
        self.assertEqual(elsewhere.requests, [])

    def test_a_compressed_answer_is_read(self):
        server = self.serve(answer(gzip.compress(ACCOUNT), headers=['Content-Encoding: gzip']))
        self.assertEqual(self.make_client(server.url).get_account(account_id='a1').id, 'a1')

    def test_a_request_looks_as_ponto_wants_it(self):
        server = self.serve(answer(), answer(SYNCHRONIZATION, '201 Created'))
        client = self.make_client(server.url)
        client.get_account(account_id='a1')
        client.create_synchronization(account_id='a1', subtype='accountDetails', customer_ip='1.1.1.1')
        get, post = (request.split('\r\n') for request in server.requests)
        self.assertEqual((get[0], post[0]), ('GET /accounts/a1 HTTP/1.1', 'POST /synchronizations HTTP/1.1'))
        for head in (get, post):
            self.assertIn('Authorization: Bearer the-token', head)
            self.assertIn('Accept: application/json', head)
            self.assertIn('User-Agent: account_online_ponto', head)
        self.assertIn('Content-Type: application/json', post)

    def test_neither_netrc_nor_cookies_are_sent(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / 'netrc').write_text('machine 127.0.0.1 login somebody password something')
        self.enterContext(patch.dict(os.environ, {'NETRC': str(folder / 'netrc')}))
        server = self.serve(answer(headers=['Set-Cookie: session=abc; Path=/']))
        client = self.make_client(server.url)
        client.get_account(account_id='a1')
        client.get_account(account_id='a1')
        self.assertEqual([request.count('Bearer the-token') for request in server.requests], [1, 1])
        self.assertNotIn('Cookie', server.requests[1])
        with self.assertRaises(PontoError):
            next(self.make_client(server.url, auth=None).iter_institutions())
        self.assertNotIn('Authorization', server.requests[2])
