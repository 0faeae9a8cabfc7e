"""A state in a folder of its own with an authority in it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.opening import create_authority, open_authority
from meshext_controlplane.identity.peer import Peer, parse_peer
from meshext_controlplane.identity.svid import Svid, to_pem
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore

TRUST_DOMAIN = "shop.example"
WEB = SpiffeId(TRUST_DOMAIN, "shop", "web")
API = SpiffeId(TRUST_DOMAIN, "shop", "api")


@dataclass
class Hands:
    """A clock that is set by hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


def to_peer(svid: Svid) -> Peer:
    """Who shows this certificate."""
    return parse_peer({"x509_pem_cert": [to_pem(svid.chain[:1])]})


@pytest.fixture
def clock() -> Hands:
    return Hands(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def authority(store: StateStore, clock: Hands) -> CertificateAuthority:
    create_authority(store, TRUST_DOMAIN, clock=clock)
    return open_authority(store, clock=clock)


@pytest.fixture
def tokens(store: StateStore, authority: CertificateAuthority) -> Tokens:
    return Tokens(authority, store)


@pytest.fixture
def enrollment(store: StateStore, authority: CertificateAuthority) -> Enrollment:
    return Enrollment(store, authority)


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Enrollment]:
    """Another mesh that calls itself by the same name."""
    with StateStore(tmp_path / "foreign") as store:
        create_authority(store, TRUST_DOMAIN)
        yield Enrollment(store, open_authority(store))


@pytest.fixture
def foreign_tokens(foreign: Enrollment) -> Tokens:
    return Tokens(foreign.authority, foreign.store)
