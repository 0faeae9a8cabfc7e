"""Secrets: which certificates Envoy shows and which it believes. Never a key."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509

from meshext_controlplane.agent.dump.document import Dump, Item, part, word

HEADINGS = ("SECRET", "TYPE", "STATUS", "VALID", "NOT AFTER", "SERIAL", "IDENTITY")


def secrets(dump: Dump) -> Iterator[Item]:
    """Every secret."""
    return dump.resources("SecretsConfigDump", "secrets", "secret")


def rows(dump: Dump, now: datetime | None = None) -> Iterator[tuple[str, ...]]:
    """One for each certificate: of a chain the leaf only."""
    moment = now or datetime.now(UTC)
    for each in secrets(dump):
        name = word(each.body, "name")
        if chain := part(each.body, "tls_certificate", "certificate_chain"):
            leaf = parse_certificates(chain)[:1]
            told = describe(leaf[0], moment) if leaf else ("", "", "", word(chain, "filename"))
            yield name, "certificate", each.status, *told
        elif context := part(each.body, "validation_context"):
            for certificate in parse_certificates(part(context, "trusted_ca")):
                yield name, "root", each.status, *describe(certificate, moment)
            if count := count_lists(part(context, "crl")):
                yield name, f"{count} revocation list(s)", each.status, "", "", "", ""
        else:
            yield (
                name,
                next((key for key in each.body if key not in ("name", "@type")), "none"),
                each.status,
                *[""] * 4,
            )


def describe(certificate: x509.Certificate, now: datetime) -> tuple[str, str, str, str]:
    """Whether it is valid, until when, its number, and whose it is."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    valid = "yes" if start <= now < end else ("not yet" if now < start else "expired")
    return valid, f"{end:%F %T}", f"{certificate.serial_number:x}", owner(certificate)


def owner(certificate: x509.Certificate) -> str:
    """The SPIFFE ID or DNS names, else the subject."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = found.get_values_for_type(x509.UniformResourceIdentifier) or found.get_values_for_type(
            x509.DNSName
        )
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return ", ".join(names) or certificate.subject.rfc4514_string()


def parse_certificates(source: object) -> list[x509.Certificate]:
    """The certificates of `envoy.config.core.v3.DataSource`; none where they are elsewhere or damaged."""
    try:
        return x509.load_pem_x509_certificates(read_source(source))
    except ValueError:
        return []


def count_lists(source: object) -> int:
    """How many CRLs there are."""
    return read_source(source).count(b"BEGIN X509 CRL")


def read_source(source: object) -> bytes:
    """What stands in a data source itself."""
    try:
        return (
            b64decode(word(source, "inline_bytes"), validate=True) or word(source, "inline_string").encode()
        )
    except (binascii.Error, ValueError):
        return b""
