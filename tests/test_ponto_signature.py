"""What makes a call ours: the signature over a request, and the certificate that the connection presents."""

import base64
import hashlib
import json
import os
import re
import ssl
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from unittest.mock import patch

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from odoo.tests import BaseCase

from ..ponto import HttpSignature, PontoClient, PontoTlsError, new_connect_session
from ..ponto.signature import digest, signed_fields, signing_string
from .simulator.authority import Authority, private_pem
from .test_ponto_transport import ACCOUNT, SEND, Server, StaticAuth, answer

EMPTY_DIGEST = 'SHA-512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=='
CERTIFICATE_ID = '75b5d796-de5c-400a-81ce-e72371b01cbc'


def parse(header):
    """Return the parameters of a header `Signature`."""
    return {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|(\d+))', header)}


class MutualServer(Server):
    """Lets a client that it refuses read why before it closes, or the client would see no more than a reset."""

    def _act(self, connection):
        with connection.dup() as refused:
            try:
                return super()._act(connection)
            except ssl.SSLError:
                refused.settimeout(10)
                while refused.recv(65536):
                    pass
                raise


class TestSignature(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = rsa.generate_private_key(65537, 2048)
        cls.sign = HttpSignature(
            certificate_id=CERTIFICATE_ID,
            private_key=private_pem(cls.key),
            clock=lambda: datetime(2019, 1, 30, 9, 51, 57, 124733, timezone.utc),
        )

    def prepare(self, method='GET', url='https://api.ibanity.com/ponto-connect/accounts', **kwargs):
        return requests.Session().prepare_request(requests.Request(method, url, **kwargs))

    def verify(self, request, text=None):
        """Check the signature as Ibanity does, from the request alone unless the text is given."""
        parameters = parse(request.headers['Signature'])
        if text is None:
            values = {
                '(request-target)': f'{request.method.lower()} {request.path_url}',
                'host': 'api.ibanity.com',
                '(created)': parameters['created'],
                **{name.lower(): value for name, value in request.headers.items()},
            }
            text = '\n'.join(f'{name}: {values[name]}' for name in parameters['headers'].split())
        self.key.public_key().verify(
            base64.b64decode(parameters['signature'], validate=True),
            text.encode(),
            padding.PSS(padding.MGF1(hashes.SHA256()), 32),
            hashes.SHA256(),
        )
        return parameters

    def test_the_published_example_is_signed_as_published(self):
        request = self.prepare(
            'POST',
            'https://myproxy.com/xs2a/customer-access-tokens?test=1&test=2',
            data=b'{"msg":"hello"}',
            headers={'Ibanity-Idempotency-key': '61f02718-eeee-46e1-b5eb-e8fd6e799c2d'},
        )
        expected = '\n'.join(
            [
                '(request-target): post /xs2a/customer-access-tokens?test=1&test=2',
                'host: api.ibanity.com',
                (
                    'digest: SHA-512=pX9+OFjSGF4KFWUh8fv1Ihh4'
                    'PuSb2KnyobO/hr228nkET5vRUhi0Qj2Ai5OcBXtzmzgII18sZiaEH4PoxkYqew=='
                ),
                '(created): 1548841917',
                'ibanity-idempotency-key: 61f02718-eeee-46e1-b5eb-e8fd6e799c2d',
            ]
        )
        self.sign(request)
        self.assertEqual(signing_string(signed_fields(request, 1548841917)), expected)
        parameters = self.verify(request, expected)
        del parameters['signature']
        self.assertEqual(
            parameters,
            {
                'keyId': CERTIFICATE_ID,
                'created': '1548841917',
                'algorithm': 'hs2019',
                'headers': '(request-target) host digest (created) ibanity-idempotency-key',
            },
        )

    def test_a_call_without_body_has_the_digest_of_nothing(self):
        request = self.sign(self.prepare())
        self.assertEqual(request.headers['Digest'], EMPTY_DIGEST)
        self.assertEqual(self.verify(request)['headers'], '(request-target) host digest (created)')

    def test_authorization_and_every_ibanity_header_are_signed(self):
        request = self.sign(
            self.prepare(
                headers={
                    'Authorization': 'Bearer abc',
                    'ibanity-b': '2',
                    'Ibanity-A': '1',
                    'Accept': 'application/json',
                }
            )
        )
        self.assertEqual(
            self.verify(request)['headers'], '(request-target) host digest (created) authorization ibanity-a ibanity-b'
        )

    def test_bodies_of_every_kind_have_their_digest(self):
        for kwargs in ({'json': {'data': 'é'}}, {'data': {'grant_type': 'x y'}}, {'data': 'é'.encode()}):
            with self.subTest(kwargs):
                request = self.prepare('POST', **kwargs)
                body = request.body.encode() if isinstance(request.body, str) else request.body
                expected = base64.b64encode(hashlib.sha512(body).digest()).decode()
                self.assertEqual(digest(request.body), f'SHA-512={expected}')

    def test_a_signature_fits_no_other_request(self):
        for change in (
            {'url': 'https://api.ibanity.com/ponto-connect/userinfo'},
            {'method': 'DELETE'},
            {'headers': {'Authorization': 'Bearer other'}},
            {'headers': {'Digest': digest(b'other')}},
        ):
            with self.subTest(change):
                request = self.sign(self.prepare(headers={'Authorization': 'Bearer abc'}))
                request.method = change.get('method', request.method)
                request.url = change.get('url', request.url)
                request.headers.update(change.get('headers', {}))
                with self.assertRaises(InvalidSignature):
                    self.verify(request)

    def test_what_cannot_sign_is_refused_at_once(self):
        for wrong in (
            {'private_key': b'no key'},
            {'private_key': private_pem(ec.generate_private_key(ec.SECP256R1()))},
            {'private_key': private_pem(self.key, b'secret')},
            {'private_key': private_pem(self.key, b'secret'), 'password': b'wrong'},
            {'certificate_id': ''},
            {'certificate_id': 'a",algorithm="none'},
            {'certificate_id': 'a\r\nX: y'},
        ):
            with self.subTest(wrong), self.assertRaises(ValueError) as caught:
                HttpSignature(**({'certificate_id': CERTIFICATE_ID, 'private_key': private_pem(self.key)} | wrong))
            self.assertNotIn('PRIVATE', str(caught.exception))

    def test_an_encrypted_key_signs_with_its_password(self):
        sign = HttpSignature(
            certificate_id=CERTIFICATE_ID, private_key=private_pem(self.key, b'secret'), password=b'secret'
        )
        self.verify(sign(self.prepare()))


class TestConnectSession(BaseCase):
    """Mutual TLS on real connections, with an authority of the test's own."""

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        return SEND(session, request, **kwargs)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority()
        cls.credentials = cls.authority.issue_client()
        cls.context = cls.authority.server_context()
        cls.key = rsa.generate_private_key(65537, 2048)

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / 'authority.pem').write_bytes(self.authority.certificate)
        self.enterContext(patch.dict(os.environ, {'REQUESTS_CA_BUNDLE': str(self.folder / 'authority.pem')}))

    def serve(self, *acts):
        return self.serve_as(self.context, *acts)

    def serve_as(self, context, *acts):
        server = self.enterContext(MutualServer(*acts, context=context))
        server.url = server.url.replace('http:', 'https:')
        return server

    def make_session(self, credentials=None, **kwargs):
        credentials = credentials or self.credentials
        return new_connect_session(
            **({'certificate': credentials.certificate, 'private_key': credentials.private_key} | kwargs)
        )

    def get_account(self, server, session=None):
        client = PontoClient(
            base_url=f'{server.url}/ponto-connect',
            auth=StaticAuth(),
            session=session,
            retries=2,
            timeout=(5, 5),
            sleep=self.fail,
        )
        return client.get_account(account_id='a1')

    def test_the_connection_presents_its_certificate(self):
        server = self.serve(answer())
        self.assertEqual(self.get_account(server, self.make_session()).id, 'a1')
        self.assertIn('Bearer the-token', server.requests[0])

    def test_a_key_with_a_password_is_used(self):
        key = ec.generate_private_key(ec.SECP256R1())
        credentials = self.authority.issue_client(key=key)
        session = self.make_session(credentials, private_key=private_pem(key, b'secret'), password=b'secret')
        self.assertEqual(self.get_account(self.serve(answer()), session).id, 'a1')

    def test_without_a_certificate_of_the_authority_there_is_no_connection(self):
        for session in (None, self.make_session(Authority().issue_client())):
            server = self.serve(answer())
            with self.subTest(session), self.assertRaises(PontoTlsError):
                self.get_account(server, session)
            self.assertEqual(server.requests, [])

    def test_a_server_that_nobody_vouches_for_is_not_talked_to(self):
        server = self.serve_as(Authority().server_context(), answer())
        with self.assertRaises(PontoTlsError):
            self.get_account(server, self.make_session())

    def test_a_server_of_another_name_is_not_talked_to(self):
        server = self.serve_as(self.authority.server_context('127.0.0.2'), answer())
        with self.assertRaises(PontoTlsError):
            self.get_account(server, self.make_session())

    def test_no_file_keeps_the_key(self):
        self.enterContext(patch.object(tempfile, 'tempdir', str(self.folder)))
        written = []
        write_bytes = Path.write_bytes

        def keep(path, content):
            written.append((path, content))
            return write_bytes(path, content)

        with patch.object(Path, 'write_bytes', keep):
            self.make_session()
        self.assertEqual([path.name for path in self.folder.iterdir()], ['authority.pem'])
        self.assertEqual(len(written), 2)
        self.assertFalse([path for path, content in written if b'BEGIN PRIVATE KEY' in content])

    def test_what_is_no_pair_is_refused_at_once(self):
        other = self.authority.issue_client()
        for wrong in (
            {'certificate': b'no certificate'},
            {'certificate': b''},
            {'private_key': b'no key'},
            {'private_key': other.private_key},
            {'private_key': private_pem(self.key, b'secret')},
        ):
            with self.subTest(wrong), self.assertRaises(ValueError) as caught:
                self.make_session(**wrong)
            self.assertNotIn('PRIVATE', str(caught.exception))
            self.assertIsNone(caught.exception.__cause__)

    def test_every_request_is_signed_as_it_goes_over_the_wire(self):
        sign = HttpSignature(certificate_id=CERTIFICATE_ID, private_key=private_pem(self.key))
        page = {'data': [], 'links': {}}
        server = self.serve(answer(json.dumps(page).encode()))
        link = f'{server.url}/ponto-connect/accounts/a1/transactions?page[after]=b|é&page[limit]=7'
        page['links']['next'] = link.replace('|é', 'c')
        server.acts = [
            answer(json.dumps(page).encode()),
            answer(b'{"data": []}'),
            answer(ACCOUNT.replace(b'a1', 'é/ü'.encode())),
        ]
        client = PontoClient(
            base_url=f'{server.url}/ponto-connect', auth=StaticAuth(), session=self.make_session(sign=sign)
        )
        self.assertEqual(len(list(client.iter_transaction_pages(account_id='a1'))), 2)
        client.get_account(account_id='é/ü')
        self.assertEqual(len(server.requests), 3)
        for head in server.requests:
            self.verify_head(head)

    def verify_head(self, head):
        first, *lines = head.split('\r\n\r\n')[0].split('\r\n')
        method, target, _version = first.split(' ')
        values = {name.lower(): value for name, value in (line.split(': ', 1) for line in lines)}
        parameters = parse(values['signature'])
        values |= {
            '(request-target)': f'{method.lower()} {target}',
            'host': 'api.ibanity.com',
            '(created)': parameters['created'],
        }
        text = '\n'.join(f'{name}: {values[name]}' for name in parameters['headers'].split())
        self.key.public_key().verify(
            base64.b64decode(parameters['signature']),
            text.encode(),
            padding.PSS(padding.MGF1(hashes.SHA256()), 32),
            hashes.SHA256(),
        )
        self.assertIn('authorization', parameters['headers'])
        self.assertEqual(values['digest'], EMPTY_DIGEST)
