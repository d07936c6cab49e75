"""A certificate authority of the simulator's own, for mutual TLS: it vouches for the server and knows its clients."""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Credentials:
    """A certificate and its private key, in PEM."""

    certificate: bytes
    private_key: bytes


class Authority:
    """Issues certificates that are good from yesterday on for ten years, by the wall clock, as TLS knows no other."""

    def __init__(self, name='Simulated Ibanity authority'):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._sign(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0), _usage(signs=True)
        )
        self.certificate = _pem(self._certificate)
        """The authority's own certificate in PEM, for whoever is to trust the server."""

    def issue_client(self, name='application', key=None):
        """Credentials of a client; `key` is made up unless it is given."""
        return self._issue(name, key, ExtendedKeyUsageOID.CLIENT_AUTH)

    def issue_server(self, host='127.0.0.1', until=None):
        """Credentials of a server with this address or name; `until`: when they end, for expired ones."""
        try:
            name = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        return self._issue(
            host, None, ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName([name]), until=until
        )

    def server_context(self, host='127.0.0.1'):
        """A TLS context for a server that talks only to clients of this authority."""
        credentials = self.issue_server(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self.certificate.decode())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'server.pem')
            path.write_bytes(credentials.certificate + credentials.private_key)
            context.load_cert_chain(path)
        return context

    def _issue(self, name, key, usage, *extensions, until=None):
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(
            subject,
            key.public_key(),
            x509.BasicConstraints(ca=False, path_length=None),
            x509.ExtendedKeyUsage([usage]),
            *extensions,
            until=until,
        )
        return Credentials(_pem(certificate), private_pem(key))

    def _sign(self, subject, public_key, *extensions, until=None):
        now = datetime.now(timezone.utc)
        until = until or now + timedelta(days=3650)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, until) - timedelta(days=1))
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())


def private_pem(key, password=None):
    """A private key in PEM, encrypted if there is a password."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _usage(signs):
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
