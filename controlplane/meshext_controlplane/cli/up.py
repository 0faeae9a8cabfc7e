"""`meshext up`: a whole mesh on this machine, out of one folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meshext_controlplane.up.local_mesh import LocalMesh

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Has workloads.yaml and mesh/*.yaml.", show_default=False),
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Keys, sockets, logs. [default: .meshext in DIR]"),
]
Limit = Annotated[float, typer.Option(metavar="SECONDS", help="For the mesh to be ready.", min=1, max=3600)]
Json = Annotated[bool, typer.Option("--json", help="One object of JSON a line on standard output.")]


def up(folder: Folder, state: StateOption = None, limit: Limit = 120.0, json: Json = False) -> None:
    """Run a mesh on this machine: a control plane, and each workload with a sidecar. No root, no docker.

    Each replica of a workload has a loopback address of its own, 127.1.x.y, where its Envoy listens on the
    workload's ports; the application listens where $MESHEXT_LISTEN says and calls others through $HTTP_PROXY.
    A Workload with `gateway: true` has no command: it listens where the Gateway documents for its labels say.
    Documents in DIR/mesh are watched. A process that ends with an error is started again. Ctrl-C stops all in
    order, a second one at once.

    Exit code 0 stopped, or all workloads are done; 1 the mesh did not become ready; 2 something that is
    written is wrong.

    Example: meshext up ./shop
    """
    parent = os.getppid()
    import asyncio

    from meshext_controlplane.cli.events import print_lines, show_event
    from meshext_controlplane.up.errors import FolderError, UpError
    from meshext_controlplane.up.local_mesh import LocalMesh
    from meshext_controlplane.up.options import Options

    options = Options(folder=folder, state=state or folder / ".meshext", limit=limit)
    mesh = LocalMesh(options, lambda event: show_event(event, json=json))
    try:
        code = asyncio.run(run_until_told(mesh, parent=parent, quiet=json))
    except (FolderError, UpError) as error:
        print_lines(error)
        code = error.exit_code
    raise typer.Exit(code)


async def run_until_told(mesh: LocalMesh, *, parent: int, quiet: bool) -> int:
    """Run it until Ctrl-C, SIGTERM, the end of our parent, or of all workloads."""
    import asyncio

    from meshext_controlplane.cli.signals import Told

    async with Told(parent=parent, hurry=mesh.kill) as told:
        starting = asyncio.ensure_future(mesh.__aenter__())
        if not await told.before(starting):
            return 0
        try:
            if not quiet:
                suggest(mesh)
            await told.before(asyncio.ensure_future(mesh.wait()))
        finally:
            await mesh.__aexit__(None, None, None)
    return 0


def suggest(mesh: LocalMesh) -> None:
    """What to try, ready to paste."""
    for gateway in (each for each in mesh.instances if each.gateway):
        for port in gateway.ports:
            print(f"the gateway {gateway.node}: {gateway.address}:{port.port}")
    behind = [each for each in mesh.instances if not each.gateway]
    first = next(iter(behind), None)
    called = next((each for each in behind if each.ports and each is not first), None)
    if first is None or called is None:
        return
    print(f"as {first.node}, in another terminal (Ctrl-C ends this):")
    print(f"  curl -x {first.proxy} http://{called.labels.get('app', called.name)}.{called.namespace}/")
    print(f"  meshext proxy-status --state {mesh.state}", flush=True)
