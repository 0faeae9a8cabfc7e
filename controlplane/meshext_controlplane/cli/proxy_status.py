"""`meshext proxy-status`: which proxy has what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State
from meshext_controlplane.inspection.type_names import SHORT, short_name

if TYPE_CHECKING:
    from meshext_proto.meshext import admin_pb2

Node = Annotated[
    str,
    typer.Argument(metavar="[PROXY]", help="WORKLOAD.NAMESPACE; all without.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def proxy_status(node: Node = "", json: Json = False, state: State = DEFAULT_STATE) -> None:
    """Show for each connected proxy and type whether it has what it shall have.

    SYNCED: it has said yes to the newest; STALE: it has not answered yet; NACKED: it has refused, with its
    reason below; NOT SENT: it has not asked, or there is nothing. gRPC without an Envoy has a row for each
    target that it dials. Filters beside a sidecar that do not serve are named below the table. Exit code 1
    where something is NACKED.

    Example: meshext proxy-status checkout-1.shop
    """
    from json import dumps

    from meshext_controlplane.cli.admin import AdminError, call
    from meshext_proto.meshext import admin_pb2

    reply = call(state, "ProxyStatus", admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply)
    proxies = [each for each in reply.proxies if node in ("", each.node_id)]
    if node and not proxies:
        raise AdminError(f"{node}: no proxy of that name is connected; it is like checkout-1.shop")
    if json:
        print(dumps([to_plain(each) for each in proxies], indent=2))
    else:
        print("\n".join(status_lines(proxies)))
    raise typer.Exit(int(any(part.state == "NACKED" for each in proxies for part in each.types)))


def status_lines(proxies: list[admin_pb2.ProxyStatusReply.Proxy]) -> Iterator[str]:
    """The table, then each refusal with what Envoy said."""
    from meshext.cli.output import format_table
    from meshext.printable import printable

    rows = [("NAME", "KIND", *SHORT.values(), "ENVOY", "IDENTITY")]
    for proxy in proxies:
        states = {short_name(part.type_url): part.state for part in proxy.types}
        rows.append(
            (
                printable(proxy.node_id),
                proxy.kind,
                *(states.get(short, "NOT SENT") for short in SHORT.values()),
                printable(proxy.envoy),
                proxy.spiffe_id,
            )
        )
    yield from format_table(rows)
    for proxy in proxies:
        for part in proxy.types:
            if part.state == "NACKED":
                what = ", ".join(part.refused) or "a resource"
                yield printable(f"{proxy.node_id} {short_name(part.type_url)} {what}: {part.error}")
        yield from (printable(f"{proxy.node_id} {tell_missing(each)}") for each in proxy.missing)
        if proxy.problem:
            yield printable(f"{proxy.node_id} is not served the newest: {proxy.problem}")


def tell_missing(missing: admin_pb2.ProxyStatusReply.Missing) -> str:
    """What it means that a filter beside a sidecar does not serve."""
    name = f"filter {missing.namespace}/{missing.name}" if missing.namespace else f"provider {missing.name}"
    if missing.held:
        return f"goes on without the {name}, whose service does not run yet; its log says why"
    return f"is not ready: the service of the {name} does not run; its log says why"


def to_plain(proxy: admin_pb2.ProxyStatusReply.Proxy) -> dict[str, Any]:
    """One proxy for machines."""
    return {
        "proxy": proxy.node_id,
        "kind": proxy.kind,
        "identity": proxy.spiffe_id,
        "envoy": proxy.envoy,
        "protocol": proxy.protocol,
        "since": proxy.since,
        "problem": proxy.problem,
        "filters": [
            {"namespace": each.namespace, "name": each.name, "state": "HELD" if each.held else "DOWN"}
            for each in proxy.missing
        ],
        "types": {short_name(part.type_url): type_to_plain(part) for part in proxy.types},
    }


def type_to_plain(part: admin_pb2.ProxyStatusReply.TypeStatus) -> dict[str, Any]:
    """One type for machines."""
    return {
        "state": part.state,
        "version": part.version,
        "resources": part.resources,
        "sent": part.sent,
        "accepted": part.accepted,
        "nacked": part.nacked,
        "error": part.error,
        "refused": list(part.refused),
    }
