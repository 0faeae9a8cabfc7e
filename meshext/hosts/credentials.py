"""TLS on the service's own port: files are read again when they change, so a rotation needs no restart.

gRPC asks at each handshake (`grpc.dynamic_ssl_server_credentials`). Certificate and key are two files, and
a rotation writes one after the other: what does not go together, or is no PEM at all, is left alone, and
the last good ones serve on.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from meshext.errors import OptionError
from meshext.hosts.options import TlsFiles

log = logging.getLogger("meshext.service")

Content = tuple[bytes, bytes, bytes]
"""Certificate chain, key, and CA of clients (empty where none is asked for one), as PEM."""


class Certificates:
    """The last good content of the files."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamp = stamp(files)
        self._good = read(files)
        self._refused: Content | None = None
        check(self._good, files)

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; with a CA, clients without a certificate of it are refused."""
        asked = bool(self._files.client_ca)
        return grpc.dynamic_ssl_server_credentials(to_grpc(self._good), self._fetch, asked)

    def _fetch(self) -> Any:
        """What gRPC asks at each handshake, in a thread of its own; None where nothing is new."""
        try:
            return to_grpc(self._good) if self.refresh() else None
        except Exception:
            log.exception("the TLS files can not be looked at; the last good ones serve on")
            return None

    def refresh(self) -> bool:
        """Take what the files hold now, where it is new and good; whether it was taken."""
        now = stamp(self._files)
        if now == self._stamp:
            return False
        content: Content | None = None
        try:
            content = read(self._files)
            check(content, self._files)
        except OptionError as error:
            if content is None or content != self._refused:
                log.error("the new TLS files are not taken, the last good ones serve on: %s", error)
            self._refused = content
            self._stamp = now
            return False
        fresh = content != self._good
        self._good, self._stamp, self._refused = content, now, None
        if fresh:
            log.info("serving with the new certificate from %s", self._files.cert)
        return fresh


def stamp(files: TlsFiles) -> tuple[object, ...]:
    """Something that changes when one of the files does."""
    return tuple(stamp_of(path) for path in (files.cert, files.key, files.client_ca) if path)


def stamp_of(path: str) -> tuple[int, ...]:
    """The same for one; () where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(files: TlsFiles) -> Content:
    """What the files hold; OptionError names the one that can not be read."""
    return (
        read_file("--tls-cert", files.cert),
        read_file("--tls-key", files.key),
        read_file("--client-ca", files.client_ca) if files.client_ca else b"",
    )


def read_file(option: str, path: str) -> bytes:
    """One file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OptionError(f"{option} {path!r}: {error.strerror}") from error


def check(content: Content, files: TlsFiles) -> None:
    """OptionError where gRPC could make nothing of it; it would only refuse every handshake."""
    cert, key, client_ca = content
    chain = load_certificates("--tls-cert", files.cert, cert)
    if client_ca:
        load_certificates("--client-ca", files.client_ca, client_ca)
    elif files.client_ca:
        raise OptionError(f"--client-ca {files.client_ca!r} is empty")
    try:
        public = load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError) as error:
        raise OptionError(f"--tls-key {files.key!r} is no private key in PEM without a password") from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        raise OptionError(f"--tls-key {files.key!r} is not the key of the certificate {files.cert!r}")


def load_certificates(option: str, path: str, content: bytes) -> list[x509.Certificate]:
    """The certificates in a file of PEM."""
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise OptionError(f"{option} {path!r} holds no certificate in PEM") from error


def to_grpc(content: Content) -> grpc.ServerCertificateConfiguration:
    """As gRPC takes it."""
    cert, key, client_ca = content
    return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=client_ca or None)
