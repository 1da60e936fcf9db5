"""Device certificates made for a test: self-signed, or X.509 version 1 by the openssl command."""

import dataclasses
import datetime
import hashlib
import pathlib
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in two PEM files."""

    cert: pathlib.Path
    key: pathlib.Path

    @property
    def certificate_id(self):
        """What AWS IoT calls the certificate: the hex SHA-256 of its DER form."""
        der = ssl.PEM_cert_to_DER_cert(self.cert.read_text())
        return hashlib.sha256(der).hexdigest()


def make(folder, name):
    """A self-signed P-256 certificate, as a device makes one for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / f"{name}.cert.pem", folder / f"{name}.private.key")
    made.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@dataclasses.dataclass(frozen=True)
class Authority:
    """A certificate authority of a test, with its key in memory."""

    pem: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_id(self):
        """What AWS IoT calls its certificate."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem)).hexdigest()

    @staticmethod
    def make(name, key=None, days=30, authority=True):
        """A self-signed one."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, key.public_key(), days).add_extension(
            x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        return Authority(_pem(certificate), certificate, key)

    def sign(self, folder, name, days=30):
        """A device's certificate that it signs, in files."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _builder(name, self.certificate.subject, key.public_key(), days).sign(
            self.key, hashes.SHA256())
        made = Certificate(folder / f"{name}.cert.pem", folder / f"{name}.private.key")
        made.cert.write_text(_pem(certificate))
        made.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))
        return made

    def proof(self, code):
        """The verification certificate for a registration code, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _builder(code, self.certificate.subject, key.public_key(), 30)
        return _pem(certificate.sign(self.key, hashes.SHA256()))


def signing_request(key, name="device"):
    """A certificate signing request in PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _builder(subject, issuer, public_key, days):
    now = datetime.datetime.now(datetime.timezone.utc)
    start = min(now, now + datetime.timedelta(days=days)) - datetime.timedelta(days=1)

    def name(given):
        if isinstance(given, x509.Name):
            return given
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, given)])

    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def make_version_1(folder, name):
    """A self-signed RSA certificate of X.509 version 1: the recipe many people use."""
    made = Certificate(folder / f"{name}.cert.pem", folder / f"{name}.private.key")
    request = folder / f"{name}.csr.pem"
    _openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
             "-keyout", made.key, "-out", request)
    _openssl("x509", "-req", "-in", request, "-signkey", made.key, "-days", "30",
             "-out", made.cert)
    return made


def _openssl(*arguments):
    command = ["openssl", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
