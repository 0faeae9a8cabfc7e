"""How a gateway's server speaks TLS (Istio's `ServerTLSSettings`). Certificates come from a `Secret`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model, Name

VERSIONS = ("TLSV1_2", "TLSV1_3")
CIPHERS = frozenset(
    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 "
    "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA "
    "AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA".split()
)
"""What BoringSSL knows for TLS 1.2; those of TLS 1.3 can not be chosen."""

_SPKI = re.compile(r"[A-Za-z0-9+/]{43}=")  # SHA-256 in base64
_HASH = re.compile(r"[0-9A-Fa-f]{64}|([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}")
_OWN = ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")
_ASKING = ("MUTUAL", "OPTIONAL_MUTUAL")
_FILE = "write credentialName, and a Secret of that name"
_BROKEN = "write TLSV1_2; older versions are broken (RFC 8996)"


def check_cipher(name: str) -> str:
    """The name of a cipher suite; ValueError if BoringSSL has none of it."""
    if name not in CIPHERS:
        raise ValueError(
            f"{name[:60]!r} is no cipher suite here; write for example ECDHE-RSA-AES128-GCM-SHA256"
        )
    return name


def check_spki(text: str) -> str:
    """The SHA-256 of a public key in base64; ValueError if it is none."""
    if not _SPKI.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no SHA-256 in base64; write 44 characters")
    return text


def check_hash(text: str) -> str:
    """The SHA-256 of a certificate in hexadecimal; ValueError if it is none."""
    if not _HASH.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no SHA-256; write 64 hexadecimal digits, with or without colons")
    return text


class ServerTls(Model):
    """`tls` of a server. `credential_names` may hold an RSA and an ECDSA certificate."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **dict.fromkeys(
                "serverCertificate privateKey caCertificates caCrl tlsCertificates".split(), _FILE
            ),
            "mode: AUTO_PASSTHROUGH": "write mode: PASSTHROUGH, and a VirtualService with tls routes",
            "minProtocolVersion: TLSV1_0": _BROKEN,
            "minProtocolVersion: TLSV1_1": _BROKEN,
            "maxProtocolVersion: TLSV1_0": _BROKEN,
            "maxProtocolVersion: TLSV1_1": _BROKEN,
        }
    )

    https_redirect: bool = False
    mode: Literal["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL", "PASSTHROUGH"] | None = None
    credential_name: Name | None = None
    credential_names: Annotated[tuple[Name, ...], Field(max_length=2)] = ()
    ca_cert_credential_name: Name | None = None
    subject_alt_names: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    verify_certificate_spki: tuple[Annotated[str, AfterValidator(check_spki)], ...] = ()
    verify_certificate_hash: tuple[Annotated[str, AfterValidator(check_hash)], ...] = ()
    min_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] = "TLS_AUTO"
    max_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] = "TLS_AUTO"
    cipher_suites: tuple[Annotated[str, AfterValidator(check_cipher)], ...] = ()

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of the Secrets with certificates that it shows."""
        return (self.credential_name,) if self.credential_name else self.credential_names

    @property
    def terminates(self) -> bool:
        """Whether TLS ends at the gateway."""
        return self.mode in (*_OWN, "ISTIO_MUTUAL")

    @property
    def asks(self) -> bool:
        """Whether it wants a certificate from clients that is not one of the mesh."""
        return self.mode in _ASKING

    @model_validator(mode="after")
    def _has_a_mode(self) -> Self:
        said = sorted(self.model_fields_set - {"https_redirect", "mode"})
        if self.mode is None and (said or not self.https_redirect):
            raise ValueError("there is no mode; write for example mode: SIMPLE")
        return self

    @model_validator(mode="after")
    def _shows_certificates(self) -> Self:
        if self.credential_name and self.credential_names:
            raise ValueError("credentialName and credentialNames: write one of them")
        if self.mode in _OWN and not self.credentials:
            raise ValueError(f"mode {self.mode} needs credentialName, the name of a Secret; write it")
        for field, value, modes in self._for_modes():
            if value and self.mode not in modes:
                raise ValueError(f"{field} goes with mode {' or '.join(modes)}; remove it")
        return self

    @model_validator(mode="after")
    def _versions_hold(self) -> Self:
        least, most = self.min_protocol_version, self.max_protocol_version
        if least in VERSIONS and most in VERSIONS and least > most:
            raise ValueError(f"minProtocolVersion: {least} is above maxProtocolVersion; write {most}")
        if len(set(self.cipher_suites)) < len(self.cipher_suites):
            raise ValueError("cipherSuites: one is written twice; write each once")
        return self

    def _for_modes(self) -> Iterator[tuple[str, object, tuple[str, ...]]]:
        """Fields, what they say, and the modes in which that means something."""
        yield "credentialName", self.credentials, _OWN
        yield "caCertCredentialName", self.ca_cert_credential_name, _ASKING
        yield "verifyCertificateSpki", self.verify_certificate_spki, _ASKING
        yield "verifyCertificateHash", self.verify_certificate_hash, _ASKING
        yield "subjectAltNames", self.subject_alt_names, (*_ASKING, "ISTIO_MUTUAL")
        ends = (*_OWN, "ISTIO_MUTUAL")
        yield "minProtocolVersion", self.min_protocol_version in VERSIONS, ends
        yield "maxProtocolVersion", self.max_protocol_version in VERSIONS, ends
        yield "cipherSuites", self.cipher_suites, ends
