"""`meshext proxy-config`: what a proxy runs with, out of the proxy itself or a file."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from meshext_controlplane.agent.dump.document import Dump

LARGEST = 256 << 20  # bytes of a dump
DASH = "-"


class Kind(StrEnum):
    """What to show."""

    CLUSTER = "cluster"
    LISTENER = "listener"
    ROUTE = "route"
    ENDPOINT = "endpoint"
    SECRET = "secret"
    ALL = "all"


KindOf = Annotated[
    Kind, typer.Argument(metavar="KIND", help="cluster, listener, route, endpoint, secret, or all.")
]
Name = Annotated[
    str,
    typer.Argument(metavar="[WORKLOAD]", help="The --name of a sidecar on this machine.", show_default=False),
]
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="The sidecar's --data, where that was given.")]
File = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="A dump that was saved; `-` is standard input."),
]
Json = Annotated[bool, typer.Option("--json", help="For machines: the messages as they are.")]


def proxy_config(
    kind: KindOf, name: Name = "", data: Data = None, file: File = None, json: Json = False
) -> None:
    """Show what a sidecar's Envoy runs with: clusters, listeners, routes, endpoints, certificates.

    It is asked over its own socket, which only the sidecar's user may open, or read from a dump: `all` prints
    one. Private keys are never shown.

    Example: meshext proxy-config route checkout-1
    """
    from json import dumps

    dump = read_file(file) if file is not None else ask(find_socket(name, data))
    if kind is Kind.ALL:
        print(dumps(dump.document, indent=2))
    elif json:
        print(dumps(to_plain(kind, dump), indent=2))
    else:
        show(kind, dump)


def find_socket(name: str, data: Path | None) -> Path:
    """Where the admin interface of a sidecar's Envoy is."""
    from meshext.errors import MeshextError
    from meshext_controlplane.cli.sidecar_options import default_data

    if data is None and not name:
        raise MeshextError("name the workload, or give the --data of its sidecar, or a dump with -f")
    places = [data] if data is not None else [default_data(name), default_data(name, shared=True)]
    sockets = [each / "envoy" / "admin.sock" for each in places]
    if there := next(filter(os.path.exists, sockets), None):  # False too where we may not look
        return there
    raise MeshextError(f"no sidecar runs in {str(places[0])!r}; give the --data that it was started with")


def ask(socket: Path) -> Dump:
    """What Envoy says now. EnvoyError where it does not answer."""
    import asyncio

    from meshext.envoy.admin import Admin
    from meshext_controlplane.agent.dump.document import Dump

    async def both() -> tuple[Any, Any]:
        admin = Admin(socket, time_limit=30.0, max_body=LARGEST)
        return await admin.get_json("/config_dump?include_eds"), await admin.get_json("/clusters?format=json")

    configs, clusters = asyncio.run(both())
    return Dump({**configs, **clusters})


def read_file(path: Path) -> Dump:
    """A saved dump; MeshextError where it can not be read or is none."""
    import sys

    from meshext.errors import MeshextError
    from meshext_controlplane.agent.dump.document import DumpError, parse_dump

    try:
        stream = sys.stdin.buffer if str(path) == DASH else path.open("rb")
        with stream:
            text = stream.read(LARGEST + 1)
    except OSError as error:
        raise MeshextError(f"can not read {str(path)!r}: {error.strerror}") from None
    if len(text) > LARGEST:
        raise MeshextError(f"{str(path)!r} has more than {LARGEST >> 20} MiB")
    try:
        return parse_dump(text)
    except DumpError as error:
        raise DumpError(f"{path}: {error}") from None


def show(kind: Kind, dump: Dump) -> None:
    """A table for people."""
    from meshext.cli.output import format_table, heading, to_line

    part = module_of(kind)
    rows = [tuple(map(to_line, row)) for row in part.rows(dump)]
    # Of routes and filter chains the first that matches counts: they stay in their order.
    rows.sort(key=(lambda row: row[:1]) if kind in (Kind.ROUTE, Kind.LISTENER) else None)
    header, *lines = format_table([part.HEADINGS, *(tuple(cell or DASH for cell in row) for row in rows)])
    print("\n".join([heading(header), *lines]))


def to_plain(kind: Kind, dump: Dump) -> list[dict[str, Any]]:
    """The messages of one kind, with version and state."""
    sections = {
        Kind.CLUSTER: ("ClustersConfigDump", "clusters", "cluster"),
        Kind.LISTENER: ("ListenersConfigDump", "listeners", "listener"),
        Kind.ROUTE: ("RoutesConfigDump", "route_configs", "route_config"),
        Kind.ENDPOINT: ("EndpointsConfigDump", "endpoint_configs", "endpoint_config"),
        Kind.SECRET: ("SecretsConfigDump", "secrets", "secret"),
    }
    return [
        {"version": each.version, "status": each.status, kind.value: each.body}
        for each in dump.resources(*sections[kind])
    ]


def module_of(kind: Kind) -> Any:
    """The module with the rows of that kind."""
    import importlib

    return importlib.import_module(f"meshext_controlplane.agent.dump.{kind.value}s")
