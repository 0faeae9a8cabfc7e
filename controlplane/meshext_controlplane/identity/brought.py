"""An operator's own authority: a root, or an intermediate below one, checked before it signs anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meshext_controlplane.identity.csr import check_key
from meshext_controlplane.identity.errors import AuthorityError, CsrError
from meshext_controlplane.identity.keys import PrivateKey, PublicKey, key_id

E = TypeVar("E", bound=x509.ExtensionType)

LARGEST = 1 << 20  # bytes of a file
LONGEST = 5  # certificates from the issuing one to the root
LEAST_LEFT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Brought:
    """`certificates` from the one of `key` to the self-signed root; a root alone is one."""

    certificates: tuple[x509.Certificate, ...]
    key: PrivateKey = field(repr=False)

    @property
    def root(self) -> x509.Certificate:
        """What every workload shall trust."""
        return self.certificates[-1]

    @property
    def is_root(self) -> bool:
        """Whether the key is the root's: we then make an issuing authority below it."""
        return len(self.certificates) == 1


def read_brought(
    certificates: Path, key: Path, *, passphrase: bytes | None = None, now: datetime, trust_domain: str
) -> Brought:
    """An authority from PEM files: the certificate of the key first, then up to and with the root.

    AuthorityError says what is wrong with it; see `check_brought`.
    """
    try:
        chain = tuple(x509.load_pem_x509_certificates(_read(certificates)))
    except ValueError as error:
        raise AuthorityError(f"{certificates} holds no certificates in PEM") from error
    try:
        private = load_pem_private_key(_read(key), passphrase)
    except TypeError as error:
        raise AuthorityError(f"{key} and its passphrase: {error}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{key} is no private key in PEM, or its passphrase is another") from error
    if not isinstance(private, PrivateKey):
        raise AuthorityError(f"{key} holds a key of another kind than ECDSA or RSA")
    brought = Brought(chain, private)
    check_brought(brought, str(certificates), now=now, trust_domain=trust_domain)
    return brought


def check_brought(brought: Brought, name: str, *, now: datetime, trust_domain: str) -> None:
    """AuthorityError unless peers will take what is signed with it; `name` is where it came from."""
    chain = brought.certificates
    if not 1 <= len(chain) <= LONGEST:
        raise AuthorityError(f"{name} has {len(chain)} certificates; it may have 1 to {LONGEST}")
    if key_id(_public_key(chain[0], name)) != key_id(brought.key.public_key()):
        raise AuthorityError(f"{name}: the first certificate is not that of the key")
    for below, (certificate, issuer) in enumerate(_pairs(chain)):
        what = f"{name}: certificate {below + 1} ({certificate.subject.rfc4514_string()})"
        _check_issued(certificate, issuer, what)
        _check_dates(certificate, what, now)
        _check_authority(certificate, what, below=below + brought.is_root)
        _check_names(certificate, what, trust_domain)
    if not brought.root.issuer == brought.root.subject:
        raise AuthorityError(f"{name} does not end with a self-signed root: put it at the end")


def _pairs(chain: Sequence[x509.Certificate]) -> list[tuple[x509.Certificate, x509.Certificate]]:
    return list(zip(chain, [*chain[1:], chain[-1]], strict=True))


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate, what: str) -> None:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise AuthorityError(
            f"{what} is not signed by the one after it, or by itself as the last one has to be"
        ) from error


def _check_dates(certificate: x509.Certificate, what: str, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - LEAST_LEFT:
        raise AuthorityError(
            f"{what} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to"
            f" {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M}, and a day"
            " has to be left"
        )


def _check_authority(certificate: x509.Certificate, what: str, *, below: int) -> None:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise AuthorityError(f"{what} is no authority (CA:TRUE)")
    if constraints.path_length is not None and constraints.path_length < below:
        raise AuthorityError(f"{what} has the path length {constraints.path_length}; it needs {below}")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.key_cert_sign and usage.crl_sign):
        raise AuthorityError(f"{what} may not sign both certificates and CRLs (key usage)")


def _check_names(certificate: x509.Certificate, what: str, trust_domain: str) -> None:
    if _extension(certificate, x509.NameConstraints) is not None:
        raise AuthorityError(f"{what} has name constraints, which are not supported: bring one without")
    names = _extension(certificate, x509.SubjectAlternativeName)
    for uri in names.get_values_for_type(x509.UniformResourceIdentifier) if names else ():
        if uri.startswith("spiffe://") and uri != f"spiffe://{trust_domain}":
            raise AuthorityError(f"{what} is for {uri}, not for the trust domain {trust_domain}")


def _public_key(certificate: x509.Certificate, name: str) -> PublicKey:
    try:
        return check_key(certificate.public_key())
    except (CsrError, ValueError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{name}: {error}") from error


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension) as error:
        raise AuthorityError(f"{certificate.subject.rfc4514_string()}: broken extensions: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise AuthorityError(f"{path}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise AuthorityError(f"{path} is larger than {LARGEST} bytes")
    return content
