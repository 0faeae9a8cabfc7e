"""`meshext rotate-root`: another root for the mesh, without a refused handshake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.identity.root_rotation import Progress

Secret = Annotated[
    Path | None, typer.Option("--secret-file", metavar="FILE", help="As the control plane has it.")
]
Show = Annotated[bool, typer.Option("--show", help="Take no step; say how far it is.")]
Now = Annotated[bool, typer.Option("--now", help="Take the step whoever it waits for.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

WAITING = 1
SHOWN = 10

TEXTS = {
    "none": "one root is trusted, and no rotation is under way",
    "announced": "the new root is trusted beside the old one, which still issues",
    "issuing": "the new root issues; the old one is still trusted",
}


def rotate_root(
    show: Show = False,
    now: Now = False,
    secret_file: Secret = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Take the next of three steps to another root for the mesh.

    First both are trusted, then the new one issues, then the old one goes. Run it three times, each time
    when every workload has renewed its certificate since the step before, which takes half a
    certificate's life. Until then it takes no step, lists whom it waits for and ends with 1. Tokens
    from before the second step can not be used after it.

    After a theft of the root's key use --now: workloads that have not heard of the new root yet are refused
    until they do, which takes seconds where they are connected.

    Examples:
      meshext rotate-root
      meshext rotate-root --show
    """
    from meshext_controlplane.cli.controlplane import read_secret
    from meshext_controlplane.identity.marker import default_marker
    from meshext_controlplane.identity.root_rotation import RootRotation
    from meshext_controlplane.state.store import StateStore

    secret = read_secret(secret_file) if secret_file else None
    with StateStore(state, create=False) as store:
        rotation = RootRotation(store, marker=default_marker(state), secret=secret)
        before = rotation.progress()
        after = before if show else rotation.step(force=now)
    print_progress(after, as_json=as_json)
    if not show and after == before and after.waiting:
        raise typer.Exit(WAITING)


def print_progress(progress: Progress, *, as_json: bool) -> None:
    """How far it is, and who is waited for."""
    stage = progress.stage.value
    if as_json:
        print(json.dumps({"stage": stage, "waiting": list(progress.waiting)}, indent=2))
        return
    print(TEXTS[stage])
    if progress.waiting:
        print(f"the next step waits for {len(progress.waiting)} to renew:")
        print("\n".join(f"  {each}" for each in progress.waiting[:SHOWN]))
    if len(progress.waiting) > SHOWN:
        print(f"  and {len(progress.waiting) - SHOWN} more (--json has all)")
