"""The shop in its mesh, with somebody who watches: what `meshext demo` runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from meshext_controlplane.demo.claims.stage import Stage
from meshext_controlplane.demo.shipped import copy_shop
from meshext_controlplane.demo.watching import Watch
from meshext_controlplane.tap.receiver import Receiver
from meshext_controlplane.up.local_mesh import LocalMesh
from meshext_controlplane.up.member import OnEvent
from meshext_controlplane.up.options import Options


@asynccontextmanager
async def running_shop(
    folder: Path, on_event: OnEvent, *, visits: float, limit: float
) -> AsyncIterator[Stage]:
    """The shop out of a copy in `folder`, watched; it is ready, and stopped when the context is left.

    `visits` is how many its customers make a second, `limit` the seconds that it has to become ready.
    """
    place = copy_shop(folder)
    watch = Watch()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Receiver(place, on_call=watch.on_call, on_span=watch.on_span))
        options = Options(
            folder=folder, state=folder / ".meshext", limit=limit, environment={"VISITS": f"{visits:g}"}
        )
        mesh = await stack.enter_async_context(LocalMesh(options, on_event))
        yield Stage(mesh, watch)
