"""Tokens with which the instances join, made in the control plane's own state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.up.instances import Instance

TTL = timedelta(minutes=10)


def create_tokens(state: Path, instances: Sequence[Instance]) -> list[str]:
    """A token for each, which joins once and gives exactly its labels and ports.

    TokenError where an identity is none that a workload may have, StateError where the state can not be used.
    """
    with StateStore(state, create=False) as store:
        facts = read_facts(store)
        tokens = Tokens(facts, store)
        return [
            tokens.create(
                SpiffeId(facts.trust_domain, each.namespace, each.service_account),
                limits=Limits(each.labels, tuple((port.port, port.port) for port in each.ports)),
                ttl=TTL,
            ).reveal()
            for each in instances
        ]
