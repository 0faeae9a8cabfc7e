"""What is known of an authority without its keys: enough to make tokens, to ban, to list holders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from meshext_controlplane.identity.clock import Clock, utc_now
from meshext_controlplane.identity.errors import AuthorityMissing
from meshext_controlplane.identity.issuers import order_roots
from meshext_controlplane.identity.keys import fingerprint
from meshext_controlplane.state.authorities import list_authorities, read_active
from meshext_controlplane.state.settings import read_setting
from meshext_controlplane.state.store import StateStore

TRUST_DOMAIN = "trust-domain"


class Facts(Protocol):
    """`CertificateAuthority` has them, and so has `AuthorityFacts`."""

    @property
    def trust_domain(self) -> str:
        """Of every identity in the state."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each root, the one to join by first."""

    @property
    def clock(self) -> Clock:
        """What time it is."""


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """The facts as a state tells them."""

    trust_domain: str
    fingerprints: tuple[str, ...]
    clock: Clock = utc_now


def read_facts(store: StateStore, *, clock: Clock = utc_now) -> AuthorityFacts:
    """Those of a state, for which no secret is needed; AuthorityMissing where it holds no authority."""
    with store.reading() as transaction:
        roots = order_roots(list_authorities(transaction), read_active(transaction))
        domain = read_setting(transaction, TRUST_DOMAIN)
    if not roots or domain is None:
        raise AuthorityMissing(
            f"the state {store.path} holds no certificate authority: start a control plane"
        )
    fingerprints = tuple(fingerprint(each.certificate) for each in roots)
    return AuthorityFacts(domain.decode(), fingerprints, clock)
