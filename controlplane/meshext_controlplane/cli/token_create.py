"""`meshext token create`: one token, printed once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.identity.limits import Limits

Namespace = Annotated[str, typer.Option(metavar="NS", help="The workload's namespace.")]
Account = Annotated[str, typer.Option("--service-account", metavar="NAME", help="Its service account.")]
Labels = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A label that it has; repeat it.")
]
Ports = Annotated[
    str, typer.Option(metavar="PORTS", help="The ports that it may serve, such as 8080,9000-9010.")
]
Ttl = Annotated[str, typer.Option(metavar="SPAN", help="Until when it may be used: 10m, 1h, 7d.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def create(
    namespace: Namespace,
    service_account: Account,
    labels: Labels = None,
    ports: Ports = "",
    ttl: Ttl = "1h",
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Make a token for one workload and print it. It is not shown again: the state keeps only a hash.

    The workload has exactly the labels of its token, and may serve exactly its ports; without --ports it
    serves none. Whoever has the token can be the workload: pass it on as you would a password.

    Example: meshext token create --namespace shop --service-account web --labels app=web --ports 8080
    """
    from meshext_controlplane.cli.spans import parse_span
    from meshext_controlplane.identity.facts import read_facts
    from meshext_controlplane.identity.tokens import Tokens
    from meshext_controlplane.model.spiffe import SpiffeId
    from meshext_controlplane.state.store import StateStore

    span = parse_span("--ttl", ttl)
    with StateStore(state, create=False) as store:
        facts = read_facts(store)
        identity = SpiffeId(facts.trust_domain, namespace, service_account)
        made = Tokens(facts, store).create(identity, limits=build_limits(labels or [], ports), ttl=span)
    if as_json:
        print(json.dumps({"token": made.reveal(), "id": made.id, "identity": str(identity)}, indent=2))
    else:
        print(made.reveal())


def build_limits(labels: list[str], ports: str) -> Limits:
    """What the options give the workload; UsageError where a label is none, LimitError for ports."""
    from meshext.cli.faults import UsageError
    from meshext_controlplane.identity.limits import Limits, parse_ports

    pairs: dict[str, str] = {}
    for each in [part for given in labels for part in given.split(",")]:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise UsageError(f"--labels {each!r} is no label; write name=value, such as app=web")
        if pairs.setdefault(name, value) != value:
            raise UsageError(f"--labels gives {name} two values; a label has one")
    return Limits(pairs, parse_ports(ports))
