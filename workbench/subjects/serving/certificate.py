"""The certificate with which the API is served to the local network. The program makes it; a client knows it by its
fingerprint, so no authority has to sign it.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError

YEARS = 20
NAME = "LLM Workbench"


@dataclass(frozen=True)
class Certificate:
    """``path`` is a PEM file with the private key and the certificate; ``fingerprint`` the SHA-256 of the latter in
    DER."""

    path: Path
    fingerprint: bytes


def certificate_at(path: Path) -> Certificate:
    """The certificate of this home, made where there is none. Raises UserError for one that cannot be read or
    written."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        text = _written(path)
    except OSError as error:
        raise UserError(f"The certificate of the API cannot be read: {error.strerror or error}.") from error
    return Certificate(path, _fingerprint(text, path))


def _fingerprint(text: bytes, path: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    try:
        load_pem_private_key(text, None)
        found = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise UserError(
            f"The certificate of the API in {path} is damaged.",
            "Delete the file: another certificate is made, and each client needs a new code.",
        ) from error
    return hashlib.sha256(found.public_bytes(Encoding.DER)).digest()


def _written(path: Path) -> bytes:
    """A new key and certificate: whole or not at all, readable by their owner only."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)  # clocks of two machines differ
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(socket.gethostname() or "localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    beside = path.with_name(f"{path.name}~")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise UserError(f"The certificate of the API cannot be written: {error.strerror or error}.") from error
    return text
