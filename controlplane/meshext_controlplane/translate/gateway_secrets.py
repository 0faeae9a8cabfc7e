"""Certificates of gateways: what Secrets of the gateway's own namespace hold, as Envoy's secrets.

A proxy has only those that its own Gateways name. A Secret that is missing or no good leads to None, and what
needs it is left out: nobody is served without the certificate, or without being asked for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from meshext_controlplane.model.credential import (
    SUFFIX,
    CredentialError,
    parse_authorities,
    parse_pair,
)
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.model.server_tls import ServerTls
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import name_secret
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2

T = TypeVar("T")
Secrets = Mapping[tuple[str, str], Secret]
"""By namespace and name."""


def index_secrets(documents: Iterable[Secret]) -> Secrets:
    """The Secrets of a mesh."""
    return {(each.metadata.namespace, each.metadata.name): each for each in documents}


@dataclass(frozen=True, slots=True)
class Material:
    """What one server's TLS is made of: its certificates, and the authorities of clients' (None for none)."""

    certificates: tuple[Resource, ...] = ()
    authorities: Resource | None = None

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All of it."""
        return self.certificates if self.authorities is None else (*self.certificates, self.authorities)


@dataclass(frozen=True, slots=True)
class Keeper:
    """The Secrets of one namespace, made Envoy's when somebody asks."""

    secrets: Secrets
    namespace: str
    memo: Memo

    def find(self, tls: ServerTls) -> Material | None:
        """What a server's TLS needs; None where part of it is not there."""
        certificates = [self._certificate(name) for name in tls.credentials]
        known = tuple(each for each in certificates if each is not None)
        if len(known) < len(certificates):
            return None
        if not tls.asks:
            return Material(known)
        authorities = self._authorities_of(tls)
        return None if authorities is None else Material(known, authorities)

    def _authorities_of(self, tls: ServerTls) -> Resource | None:
        if tls.ca_cert_credential_name:
            return self._authorities(tls.ca_cert_credential_name)
        first = tls.credentials[0]
        return self._authorities(first) or self._authorities(f"{first}{SUFFIX}")

    def _certificate(self, name: str) -> Resource | None:
        return self._make(name, "pair", self._build_certificate)

    def _authorities(self, name: str) -> Resource | None:
        return self._make(name, "authorities", self._build_authorities)

    def _make(self, name: str, what: str, build: Callable[[Secret], T | None]) -> T | None:
        if (secret := self.secrets.get((self.namespace, name))) is None:
            return None
        key = ("secret", what, self.namespace, name)
        return self.memo.take(key, (secret,), lambda: _unless_damaged(build, secret), variants=1)

    def _build_certificate(self, secret: Secret) -> Resource | None:
        if (pair := parse_pair(secret.entries)) is None:
            return None
        built = secret_pb2.Secret(name=name_secret(self.namespace, secret.metadata.name))
        built.tls_certificate.certificate_chain.inline_bytes = pair.certificate
        built.tls_certificate.private_key.inline_bytes = pair.key
        return encode_resource(built.name, built)

    def _build_authorities(self, secret: Secret) -> Resource | None:
        if (found := parse_authorities(secret.entries)) is None:
            return None
        name = name_secret(self.namespace, secret.metadata.name, authorities=True)
        built = secret_pb2.Secret(name=name)
        built.validation_context.trusted_ca.inline_bytes = found.certificates
        if found.revoked:
            built.validation_context.crl.inline_bytes = found.revoked
        return encode_resource(name, built)


def _unless_damaged(build: Callable[[Secret], T | None], secret: Secret) -> T | None:
    try:
        return build(secret)
    except CredentialError:
        return None
