"""The control plane's own certificate and the TLS of its ports: renewed by itself, the key only in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import grpc
from cryptography.hazmat.primitives.serialization import Encoding

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.csr import CheckedRequest
from meshext_controlplane.identity.errors import IdentityError
from meshext_controlplane.identity.keys import key_id, new_key, to_der, to_pkcs8
from meshext_controlplane.identity.rotation import rotate_at
from meshext_controlplane.identity.svid import Svid, to_pem
from meshext_controlplane.identity.tokens import CONTROL_PLANE
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.errors import StateError

DNS_NAME = "controlplane.meshext.internal"
"""What the control plane's certificate is also for: clients that check names check this one."""

RETRY = timedelta(seconds=10)

log = logging.getLogger("meshext.identity")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a port shows: PEM. Clients who have only the fingerprint of a root are shown `crossed` and the
    roots after the chain."""

    key: bytes = field(repr=False)
    chain: bytes
    crossed: bytes
    roots: bytes


class OwnSvid:
    """The certificate that both ports show; `refresh` renews it when it is due, as each handshake does."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._svid, self._credentials = self._issue()
        self._due = self._next()
        self._retry = authority.clock()

    @property
    def not_after(self) -> datetime:
        """When the certificate expires."""
        return self._svid.not_after

    def refresh(self) -> Credentials:
        """What to show now. Where a renewal fails the old certificate stays, and it is tried again soon."""
        now = self._authority.clock()
        with self._lock:
            if now >= self._retry and (now >= self._due or self._is_of_others()):
                try:
                    self._svid, self._credentials = self._issue()
                    self._due = self._next()
                except (IdentityError, StateError) as error:
                    self._retry = now + RETRY
                    log.error(
                        "the control plane's certificate, good until %s, is not renewed: %s",
                        self._svid.not_after.isoformat(),
                        error,
                    )
            return self._credentials

    def ads_credentials(self) -> grpc.ServerCredentials:
        """For the port of ADS, Renewal and Workloads: clients must show a certificate below our roots."""
        return self._to_credentials(_mutual, ask=True)

    def join_credentials(self) -> grpc.ServerCredentials:
        """For the port of Joining: no client certificates, and the roots at the end of the chain."""
        return self._to_credentials(_joining, ask=False)

    def _to_credentials(
        self, show: Callable[[Credentials], grpc.ServerCertificateConfiguration], *, ask: bool
    ) -> grpc.ServerCredentials:
        last = self.refresh()

        def fetch() -> Any:  # None where nothing is new, which the stubs do not know
            nonlocal last
            now = self.refresh()
            if now is last:
                return None
            last = now
            return show(now)

        return grpc.dynamic_ssl_server_credentials(show(last), fetch, ask)

    def _issue(self) -> tuple[Svid, Credentials]:
        authority = self._authority
        key = new_key()
        request = CheckedRequest(key.public_key(), key_id(key.public_key()))
        identity = SpiffeId(authority.trust_domain, *CONTROL_PLANE)
        with authority.store.writing() as transaction:
            svid = authority.issue_within(transaction, request, identity, dns_names=[DNS_NAME])
        shown = map(to_pem, (svid.chain, authority.crossed(), svid.trust.roots))
        return svid, Credentials(to_pkcs8(key, Encoding.PEM), *shown)

    def _is_of_others(self) -> bool:
        """Whether the authority has changed since: it issues by another, or trusts others."""
        issuer = to_der(self._authority.issuer.certificate)
        return self._svid.chain[1] != issuer or self._svid.trust.roots != self._authority.roots

    def _next(self) -> datetime:
        return rotate_at(self._svid.not_before, self._svid.not_after, draw=0.5)


def _mutual(shown: Credentials) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(shown.key, shown.chain)], root_certificates=shown.roots
    )


def _joining(shown: Credentials) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(shown.key, shown.chain + shown.crossed + shown.roots)])
