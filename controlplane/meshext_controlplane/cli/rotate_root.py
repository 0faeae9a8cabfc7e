"""`meshext certs rotate-root`: another root for the mesh, without a refused handshake."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.identity.root_rotation import Progress, RootRotation
    from meshext_controlplane.state.store import StateStore

Secret = Annotated[
    Path | None, typer.Option("--secret-file", metavar="FILE", help="As the control plane has it.")
]
Show = Annotated[bool, typer.Option("--show", help="Take no step; say how far it is.")]
Step = Annotated[bool, typer.Option("--step", help="Take the next step if nobody is waited for, and end.")]
Now = Annotated[bool, typer.Option("--now", help="Take the next step whoever it waits for, and end.")]
Resume = Annotated[bool, typer.Option("--resume", help="Only go on with a rotation that has begun.")]
Timeout = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Stop waiting after that long; go on later.", min=0)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, a line for each change.")]

WAITING = 1
SHOWN = 10
POLL = 1.0  # seconds between two looks
SETTLE = 3.0
"""Seconds from the last renewal to the next step: the sidecar hands what it got to its Envoy meanwhile."""

TEXTS = {
    "none": "one root is trusted, and no rotation is under way",
    "announced": "the new root is trusted beside the old one, which still issues",
    "issuing": "the new root issues; the old one is still trusted",
}


def rotate_root(
    show: Show = False,
    step: Step = False,
    now: Now = False,
    resume: Resume = False,
    timeout: Timeout = None,
    secret_file: Secret = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Go to another root for the mesh in three steps, each when every workload has followed the one before.

    First both are trusted, then the new one issues, then the old one goes. Sidecars that are connected
    follow within half a minute; one that does not come is waited for until its certificate expires, or is
    banned (`meshext ban`). How far it is stands in the state: after Ctrl-C, a crash or --timeout the same
    command goes on. Tokens from before the second step can not be used after it.

    Ends with 0 when the old root is gone, with 1 where somebody is still waited for.

    After a theft of the root's key use --now, three times: workloads that have not heard of the new root
    yet are refused until they do, which takes seconds where they are connected.

    Examples:
      meshext certs rotate-root
      meshext certs rotate-root --resume --timeout 600
      meshext certs rotate-root --show
    """
    from meshext_controlplane.state.store import StateStore

    with StateStore(state, create=False) as store:
        rotation = open_rotation(store, secret_file)
        if show or (resume and rotation.progress().stage.value == "none"):
            print_progress(rotation.progress(), as_json=as_json)
        elif not (
            take_one(rotation, as_json, force=now) if step or now else lead(rotation, as_json, timeout)
        ):
            raise typer.Exit(WAITING)


def open_rotation(store: StateStore, secret_file: Path | None) -> RootRotation:
    """What leads a state from its root to another."""
    from meshext_controlplane.cli.controlplane import read_secret
    from meshext_controlplane.identity.marker import default_marker
    from meshext_controlplane.identity.root_rotation import RootRotation

    secret = read_secret(secret_file) if secret_file else None
    return RootRotation(store, marker=default_marker(store.folder), secret=secret)


def take_one(rotation: RootRotation, as_json: bool, *, force: bool) -> bool:
    """Take the next step; whether it was taken."""
    before = rotation.progress()
    after = rotation.step(force=force)
    print_progress(after, as_json=as_json)
    return after != before or not after.waiting


def lead(rotation: RootRotation, as_json: bool, timeout: float | None) -> bool:
    """Take all steps that are left, and wait before each; whether the last one was taken in time."""
    end = None if timeout is None else time.monotonic() + timeout
    begun = False
    told: Progress | None = None
    while True:
        found = rotation.progress()
        if found != told:
            print_progress(found, as_json=as_json)
        told = found
        if begun and found.stage.value == "none":
            return True
        if not found.waiting:
            if found.stage.value != "none":
                time.sleep(SETTLE)
            begun = True
            rotation.step()
            continue
        if end is not None and time.monotonic() >= end:
            return False
        time.sleep(POLL)


def print_progress(progress: Progress, *, as_json: bool) -> None:
    """How far it is, and who is waited for."""
    stage = progress.stage.value
    if as_json:
        print(json.dumps({"stage": stage, "waiting": list(progress.waiting)}), flush=True)
        return
    print(TEXTS[stage], flush=True)
    if progress.waiting:
        print(f"the next step waits for {len(progress.waiting)} to renew:")
        print("\n".join(f"  {each}" for each in progress.waiting[:SHOWN]), flush=True)
    if len(progress.waiting) > SHOWN:
        print(f"  and {len(progress.waiting) - SHOWN} more (--json has all)", flush=True)
