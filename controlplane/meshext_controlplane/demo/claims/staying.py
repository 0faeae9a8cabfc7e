"""Claims about a mesh that goes on: while the control plane is away, and while policies change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from meshext_controlplane.demo.claims.stage import STOREFRONT, Stage, expect, new_mark
from meshext_controlplane.demo.visits import Answer, Visit

PATIENCE = 10.0  # seconds for an edit to be in force
AWAY = 30.0  # seconds for the control plane to be back, and for its proxies to have noticed
BETWEEN = 0.02  # seconds between two calls
CLOSED = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed-for-a-moment, namespace: shop}
spec:
  selector: {matchLabels: {app: storefront}}
  action: DENY
  rules: [{to: [{operation: {paths: [/closed]}}]}]
"""


async def calls_go_on_without_the_control_plane(stage: Stage) -> str:
    """The control plane is killed, and no call fails until it is back and knows its proxies again."""
    answers: list[Answer] = []
    before = stage.mesh.control_plane_pid
    calling = asyncio.create_task(call_on(stage, answers))
    try:
        stage.mesh.crash_control_plane()
        back = await within(AWAY, lambda: is_back(stage, before))
    finally:
        calling.cancel()
        await asyncio.wait({calling})
    failed = [answer for answer in answers if answer.status != 200]
    expect(not failed, f"{len(failed)} of {len(answers)} calls failed: {failed[0].told() if failed else ''}")
    expect(back, "the control plane is not back, or its proxies are not")
    expect(len(answers) > 10, f"only {len(answers)} calls were made meanwhile")
    return f"{len(answers)} calls while it was killed and came back, none failed"


async def call_on(stage: Stage, answers: list[Answer]) -> None:
    """Visit again and again."""
    async with stage.customer() as customer:
        while True:
            answers.append(await customer.call(Visit(url=f"{STOREFRONT}/", headers={"x-user": "steady"})))
            await asyncio.sleep(BETWEEN)


async def within(seconds: float, true: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it becomes true in that time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not await true():  # noqa: ASYNC110 (another process tells nobody)
                await asyncio.sleep(0.1)
            return True
    return False


async def is_back(stage: Stage, before: int) -> bool:
    """Whether another control plane runs and has everything."""
    return stage.mesh.control_plane_pid != before and await stage.mesh.is_ready()


async def an_edit_is_in_force_at_once(stage: Stage) -> str:
    """A policy that is written into the folder denies, and one that is removed does not, without a restart
    and without a call that fails meanwhile."""
    path = f"/closed?{new_mark()}"
    file = stage.mesh.documents / "closed-for-a-moment.yaml"
    expect(await becomes(stage, path, 404) is not None, "it did not answer 404 before")
    closed = await edited(stage, path, 403, lambda: file.write_text(CLOSED))
    opened = await edited(stage, path, 404, file.unlink)
    return f"denied {closed:.1f} s after it was written, open {opened:.1f} s after it was removed"


async def edited(stage: Stage, path: str, status: int, edit: Callable[[], object]) -> float:
    """How many seconds after an edit the answer is that one; ClaimFails where it does not come to that."""
    await asyncio.to_thread(edit)
    seconds = await becomes(stage, path, status)
    expect(seconds is not None, f"{PATIENCE:g} s after the edit the answer is not {status}")
    assert seconds is not None
    return seconds


async def becomes(stage: Stage, path: str, status: int) -> float | None:
    """After how many seconds that path is answered with that status; None where patience ends before."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with stage.customer() as customer:
        while loop.time() - begun < PATIENCE:
            answer = await customer.call(Visit(url=f"{STOREFRONT}{path}", headers={"x-user": "steady"}))
            if answer.status == status:
                return loop.time() - begun
            expect(answer.status in (403, 404), f"meanwhile it answers {answer.told()}")
            await asyncio.sleep(BETWEEN)
    return None
