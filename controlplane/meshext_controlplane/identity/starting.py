"""What a control plane does about its authority when it starts: open it, make it, or refuse to go on."""

from __future__ import annotations

from pathlib import Path

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.brought import Brought
from meshext_controlplane.identity.clock import Clock, utc_now
from meshext_controlplane.identity.errors import AuthorityError, AuthorityMissing
from meshext_controlplane.identity.marker import Marker, read_marker, write_marker
from meshext_controlplane.identity.opening import (
    create_authority,
    has_authority,
    open_authority,
    seal_keys,
    take_brought,
)
from meshext_controlplane.state.store import StateStore


def start_authority(
    store: StateStore,
    *,
    trust_domain: str,
    marker: Path,
    initialise: bool = False,
    secret: bytes | None = None,
    brought: Brought | None = None,
    clock: Clock = utc_now,
) -> CertificateAuthority:
    """The authority of a state, made where this is a first start, and noted in the marker.

    AuthorityMissing where a control plane has run before and the state holds none, or another one; unless
    `initialise` says that a new mesh is meant. `secret` is a passphrase or the content of a key file,
    `brought` an operator's own authority for a first start.
    """
    noted = None if initialise else read_marker(marker)
    _make_if_missing(store, trust_domain, marker, noted, secret, brought, clock)
    if secret is not None:
        seal_keys(store, secret)
    authority = open_authority(store, secret=secret, clock=clock)
    if authority.trust_domain != trust_domain:
        raise AuthorityError(
            f"the authority in {store.path} is for the trust domain {authority.trust_domain}, and"
            f" {trust_domain} is asked for: one state is for one trust domain"
        )
    if noted is not None and not set(noted.roots) & set(authority.fingerprints):
        raise AuthorityError(
            f"the authority in {store.path} is another than the one that ran here ({marker}): restore that"
            " one's backup, or --init where this one is meant; workloads of the other have to join again"
        )
    if brought is not None and take_brought(store, authority, brought, secret):
        authority = open_authority(store, secret=secret, clock=clock)
    write_marker(marker, store.folder, authority.fingerprints)
    return authority


def _make_if_missing(
    store: StateStore,
    trust_domain: str,
    marker: Path,
    noted: Marker | None,
    secret: bytes | None,
    brought: Brought | None,
    clock: Clock,
) -> None:
    if has_authority(store):
        return
    if noted is not None:
        raise AuthorityMissing(
            f"a control plane has run here ({marker}), and {store.path} holds no certificate authority:"
            f" meshext restore BACKUP --state {store.folder}, or --init for a new mesh that all workloads"
            " have to join again"
        )
    create_authority(store, trust_domain, secret=secret, brought=brought, clock=clock)
