"""`meshext describe`: all that concerns one workload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext.cli.output import Row
    from meshext_controlplane.inspection.description import DescribedProxy, DescribedTelemetry, Description

NONE = "-"

Name = Annotated[str, typer.Argument(metavar="WORKLOAD", help="NAME, NAMESPACE/NAME or NAME.NAMESPACE.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def describe(name: Name, json: Json = False, state: State = DEFAULT_STATE) -> None:
    """Show what a running mesh says of one workload.

    Which services lead to it, what its ports take from peers and which document says so, the policies,
    filters and routes that concern it, whether its proxy has all of that, and what to look after. Exit code
    1 where there is no such workload.

    Examples:
      meshext describe checkout-1
      meshext describe shop/checkout-1 --json | jq '.ports[].mtls'
    """
    from dataclasses import asdict
    from json import dumps

    from meshext_controlplane.cli.looking import find_workload, look
    from meshext_controlplane.inspection.describe import describe as describe_workload

    view = look(state)
    described = describe_workload(view, find_workload(view, name))
    if json:
        print(dumps(asdict(described), indent=2))
    else:
        print("\n".join(to_lines(described)))


def to_lines(described: Description) -> Iterator[str]:
    """The description for people."""
    from meshext.cli.output import format_table, to_line

    labels = ", ".join(f"{key}={value}" for key, value in described.labels.items())
    head = [
        ("workload", f"{described.namespace}/{described.name}"),
        ("identity", described.identity),
        ("address", described.address),
        ("state", described.state),
        ("labels", labels or NONE),
        ("proxy", tell_proxy(described.proxy)),
    ]
    if described.locality:
        head.append(("locality", described.locality))
    if described.sidecar:
        head.append(("sees", f"what Sidecar {described.sidecar} says"))
    yield from format_table([(name, to_line(value)) for name, value in head])
    yield from port_lines(described)
    yield from server_lines(described)
    yield from policy_lines(described)
    yield from traffic_lines(described)
    yield from section("warnings", ("",), [(each,) for each in described.warnings])


def tell_proxy(proxy: DescribedProxy) -> str:
    """`SYNCED, Envoy 1.40.0`, or what is not as it should be."""
    if not proxy.connected:
        return "not connected"
    away = ", ".join(
        f"{name} {state}" for name, state, _ in proxy.types if state not in ("SYNCED", "NOT SENT")
    )
    told = away or ("not served the newest" if proxy.problem else "SYNCED")
    return f"{told}, {'gRPC without an Envoy' if proxy.kind == 'grpc' else f'Envoy {proxy.envoy}'}"


def section(title: str, header: Row, rows: Sequence[Row]) -> Iterator[str]:
    """A heading and a table under it; nothing where there are no rows. A header of "" is left out."""
    from meshext.cli.output import format_table, heading, to_line

    if rows:
        table = [tuple(to_line(cell) or NONE for cell in row) for row in rows]
        yield ""
        yield heading(title)
        yield from format_table([header, *table] if any(header) else table, indent="  ")


def port_lines(described: Description) -> Iterator[str]:
    """Ports, and services before them."""
    yield from section(
        "ports",
        ("port", "protocol", "mTLS", "said by", "application"),
        [
            (str(each.number), each.protocol, each.mtls, each.decided_by or "the default", each.application)
            for each in described.ports
        ],
    )
    yield from section(
        "services",
        ("service", "port", "protocol", "leads to"),
        [
            (each.host, str(each.port), each.protocol, str(each.workload_port or "no port of it"))
            for each in described.services
        ],
    )


def server_lines(described: Description) -> Iterator[str]:
    """What a gateway serves."""
    yield from section(
        "servers",
        ("gateway", "port", "listens at", "protocol", "TLS", "hosts", "Secrets", "VirtualServices"),
        [
            (
                each.gateway,
                str(each.port),
                f"{each.bind}:{each.listens}",
                each.protocol,
                each.tls,
                ", ".join(each.hosts),
                ", ".join(each.secrets) + (" (missing)" if each.missing else ""),
                ", ".join(each.virtual_services),
            )
            for each in described.servers
        ],
    )


def policy_lines(described: Description) -> Iterator[str]:
    """What is decided about requests before they reach the application."""
    yield from section(
        "AuthorizationPolicies",
        ("policy", "action", "rules"),
        [
            (
                each.policy,
                f"{each.action} (dry run)" if each.dry_run else each.action,
                tell_rules(each.rules, each.provider),
            )
            for each in described.authorization
        ],
    )
    yield from section(
        "RequestAuthentications",
        ("policy", "issuers"),
        [(each.policy, ", ".join(each.issuers)) for each in described.request_authentications],
    )
    yield from section(
        "FilterPolicies",
        ("policy", "direction", "phase", "mode", "filter"),
        [
            (
                each.policy,
                each.direction,
                each.phase,
                each.mode or "does not load",
                tell_filter(each.filter, each.service),
            )
            for each in described.filters
        ],
    )
    yield from section("Telemetry", ("", ""), telemetry_rows(described.telemetry))


def tell_rules(rules: int, provider: str) -> str:
    """How many rules, and who is asked."""
    return f"{rules}, asks {provider}" if provider else str(rules)


def tell_filter(spec: str, service: str) -> str:
    """What is run, and where."""
    return f"{spec} at {service}" if service else spec


def telemetry_rows(told: DescribedTelemetry) -> list[Row]:
    """What comes out of all documents; nothing where that is nothing."""
    rows = [("documents", ", ".join(told.documents))] if told.documents else []
    if told.logs:
        rows.append(
            ("access logs", ", ".join(f"{provider} ({side.lower()})" for side, provider in told.logs))
        )
    if told.tracing:
        rows.append(("tracing", f"{told.tracing}, {told.sampling:g} %"))
    if told.metrics:
        rows.append(("metrics", "on"))
    return list(rows)


def traffic_lines(described: Description) -> Iterator[str]:
    """What decides whether requests come here."""
    yield from section(
        "VirtualServices",
        ("document", "for", "callers in", "leads here"),
        [
            (
                each.document,
                each.host,
                ", ".join(each.callers) or "none",
                "; ".join(f"{leg.route} {tell_leg(leg.subset, leg.share)}" for leg in each.legs if leg.here)
                or "no",
            )
            for each in described.virtual_services
        ],
    )
    yield from section(
        "DestinationRules",
        ("document", "for", "callers in", "its subsets"),
        [
            (each.document, each.host, ", ".join(each.callers) or "none", ", ".join(each.subsets))
            for each in described.destination_rules
        ],
    )


def tell_leg(subset: str, share: str) -> str:
    """`subset v2 weight 20`."""
    what = share if share in ("all", "mirror") else f"weight {share}"
    return f"subset {subset} {what}" if subset else what
