"""What a control plane is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from meshext.hosts.address import Address
from meshext_controlplane.identity.profiles import SVID_LIFE
from meshext_controlplane.server.roles import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneOptions:
    """One control plane. `config` is the folder of documents, None for the API alone; `state` its directory.

    `listen` is for proxies and agents with a certificate, `join` for agents with a token, `metrics` for
    Prometheus (None serves none), `admin` for administration by the accounts in `roles`, beside the local
    socket (None serves none). `secret` seals private keys in the state; `init` makes a new authority
    although the state had one before. `life` is that of the certificates it issues. `authority` are PEM files
    of an operator's own root or intermediate: certificates up to and with the root, and the key.
    """

    config: Path | None
    state: Path
    listen: Address
    join: Address
    metrics: Address | None = None
    admin: Address | None = None
    roles: Mapping[Account, str] = field(default_factory=dict)
    secret: bytes | None = field(default=None, repr=False)
    init: bool = False
    life: timedelta = SVID_LIFE
    authority: tuple[Path, Path] | None = None
