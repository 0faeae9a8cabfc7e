"""The demo from start to end: its folder, the mesh, and the checks or the table."""

from __future__ import annotations

import asyncio
import json as json_text
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from meshext.cli.output import paint
from meshext.printable import printable
from meshext_controlplane.cli.events import show_event
from meshext_controlplane.cli.signals import Told
from meshext_controlplane.demo.check import Verdict, try_claims
from meshext_controlplane.demo.claims.catalogue import CLAIMS
from meshext_controlplane.demo.claims.stage import Stage
from meshext_controlplane.demo.show import running_shop
from meshext_controlplane.up.events import Event

GREEN, RED = 32, 31
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asked for; see `cli/demo.py`. `parent` is the process that started us."""

    check: bool
    folder: Path | None
    visits: float
    limit: float
    json: bool
    parent: int


async def run_demo(wishes: Wishes) -> int:
    """Run it until it is done or somebody ends it; the exit code."""
    begun = time.monotonic()
    stages: list[Stage] = []

    def hurry() -> None:
        for stage in stages:
            stage.mesh.kill()

    def tell(event: Event) -> None:
        show_event(event, json=wishes.json)

    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(Told(parent=wishes.parent, hurry=hurry))
        place = stack.enter_context(made_folder(wishes.folder))
        running = running_shop(place.folder, tell, visits=wishes.visits, limit=wishes.limit)
        starting = asyncio.ensure_future(stack.enter_async_context(running))
        if not await told.before(starting):
            return INTERRUPTED
        stage = starting.result()
        stages.append(stage)
        work = check(stage, wishes, begun) if wishes.check else watch(stage, wishes)
        working = asyncio.ensure_future(work)
        if not await told.before(working):
            return INTERRUPTED if wishes.check else 0
        code = working.result()
        if code and not wishes.json:
            place.kept = True
            print(f"what each process has written: {stage.mesh.logs}", flush=True)
        return code


@dataclass(slots=True)
class Place:
    """Where the shop's files are; `kept` leaves them there."""

    folder: Path
    kept: bool = False


@contextmanager
def made_folder(asked: Path | None) -> Iterator[Place]:
    """The folder that was asked for, or one that is removed unless it is kept."""
    if asked is not None:
        yield Place(asked)
        return
    folder = Path(tempfile.mkdtemp(prefix="meshext-demo-"))
    place = Place(folder)
    try:
        yield place
    finally:
        if not place.kept:
            shutil.rmtree(folder, ignore_errors=True)


async def check(stage: Stage, wishes: Wishes, begun: float) -> int:
    """Try every claim and print what came of it; 1 where one does not hold."""
    failed = 0
    async for verdict in try_claims(CLAIMS, stage):
        failed += not verdict.holds
        show_verdict(verdict, json=wishes.json)
    seconds = time.monotonic() - begun
    if wishes.json:
        summary = {"event": "done", "claims": len(CLAIMS), "failed": failed, "seconds": round(seconds, 1)}
        print(json_text.dumps(summary), flush=True)
    else:
        how = f"{failed} of {len(CLAIMS)} claims do not hold" if failed else f"all {len(CLAIMS)} claims hold"
        print(f"{how} ({seconds:.0f} s)", flush=True)
    return 1 if failed else 0


def show_verdict(verdict: Verdict, *, json: bool) -> None:
    """One line."""
    if json:
        told = {"event": "claim", "claim": verdict.claim, "holds": verdict.holds, "seen": verdict.seen}
        print(json_text.dumps({**told, "seconds": round(verdict.seconds, 1)}), flush=True)
        return
    mark = paint("ok  ", GREEN, sys.stdout) if verdict.holds else paint("FAIL", RED, sys.stdout)
    print(f"{mark} {verdict.claim}: {printable(verdict.seen)} ({verdict.seconds:.1f} s)", flush=True)


async def watch(stage: Stage, wishes: Wishes) -> int:
    """Show the table until somebody ends it."""
    from meshext_controlplane.cli.demo_table import show_table

    await show_table(stage, json=wishes.json)
    return 0
