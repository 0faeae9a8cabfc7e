"""Keeps a fresh token for each workload, which takes it away when it starts.

python3 tokens.py "NAME NAMESPACE ACCOUNT PORTS [LABEL=VALUE,...]"...       PORTS is `-` for none
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from meshext.errors import MeshextError
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.limits import Limits, parse_ports
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore

PLACE, STATE = Path("/tokens"), Path("/state/mesh")
GOOD = timedelta(hours=1)
FRESH = 1800.0  # seconds; what is older is made anew
PAUSE = 0.2  # seconds between two looks


def make(store: StateStore, name: str, namespace: str, account: str, ports: str, labels: str = "") -> None:
    """One token, whole or not at all."""
    facts = read_facts(store)
    pairs = dict(each.split("=") for each in [f"app={account}", *filter(None, labels.split(","))])
    limits = Limits(pairs, parse_ports(ports.removeprefix("-")))
    identity = SpiffeId(facts.trust_domain, namespace, account)
    made = Tokens(facts, store).create(identity, limits=limits, ttl=GOOD)
    part = PLACE / f".{name}"
    part.touch(mode=0o600)
    part.write_text(made.reveal(), encoding="ascii")
    part.replace(PLACE / name)


def is_fresh(path: Path) -> bool:
    """Whether a token is there, and can be used for a while."""
    try:
        return time.time() - path.stat().st_mtime < FRESH
    except FileNotFoundError:
        return False


def keep(workloads: Sequence[Sequence[str]]) -> None:
    """Make those that are missing. Where the state is away just now, another time."""
    missing = [each for each in workloads if not is_fresh(PLACE / each[0])]
    if not missing:
        return
    try:
        with StateStore(STATE, create=False) as store:
            for each in missing:
                make(store, *each)
    except MeshextError as error:
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    wanted = [each.split() for each in sys.argv[1:]]
    while True:
        keep(wanted)
        time.sleep(PAUSE)
