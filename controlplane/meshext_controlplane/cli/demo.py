"""`meshext demo`: a shop in a mesh on this machine, to look at or to prove."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

Check = Annotated[
    bool, typer.Option("--check", help="Try every claim from outside, print a line for each, end 0 or 1.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="Where the shop's files are put. [default: a folder that is removed]"
    ),
]
Visits = Annotated[
    float | None,
    typer.Option(
        metavar="N", help="Of customers, each second. [default: 10, with --check 2]", min=0, max=1000
    ),
]
LIVE, CHECKED = 10.0, 2.0
"""Visits a second: what is nice to look at, and what leaves the machine to the claims."""
Limit = Annotated[float, typer.Option(metavar="SECONDS", help="For the mesh to be ready.", min=1, max=3600)]
Json = Annotated[bool, typer.Option("--json", help="One object of JSON a line on standard output.")]


def demo(
    check: Check = False,
    folder: FolderOption = None,
    visits: Visits = None,
    limit: Limit = 120.0,
    json: Json = False,
) -> None:
    """Run a shop in a mesh on this machine, and show who calls whom. No root, no docker.

    A storefront, a checkout, two versions of a recommendation service and their customers, plain Python HTTP
    services, each behind a real Envoy: STRICT mTLS, native policies, and the four Python filters that ship.
    The table is made of what the Envoys log. With --dir the files stay, to be changed while it runs.

    With --check every claim is tried from outside: exit code 0 where all hold, 1 where one does not.

    Example: meshext demo --check
    """
    parent = os.getppid()
    import asyncio

    from meshext_controlplane.cli.demo_run import Wishes, run_demo
    from meshext_controlplane.cli.events import print_lines
    from meshext_controlplane.up.errors import FolderError, UpError

    pace = (CHECKED if check else LIVE) if visits is None else visits
    wishes = Wishes(check=check, folder=folder, visits=pace, limit=limit, json=json, parent=parent)
    try:
        code = asyncio.run(run_demo(wishes))
    except (FolderError, UpError) as error:
        print_lines(error)
        code = error.exit_code
    raise typer.Exit(code)
