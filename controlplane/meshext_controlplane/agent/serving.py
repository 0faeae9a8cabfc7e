"""An application from its start to its end, as every kind of agent runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from meshext_controlplane.agent.application import Application, remove_left_sockets
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import Parts
from meshext_controlplane.agent.stopping import Stop


async def serve_application(
    options: SidecarOptions,
    environment: Mapping[str, str],
    parts: Parts,
    stop: Stop,
    *,
    leave: Callable[[], Awaitable[None]],
) -> int:
    """Run it until it ends, `stop` is asked for, or a part fails, then `leave` before it is ended; its exit
    code. Without a command nothing runs, and the code is 0."""
    if not options.command:
        await parts.first(stop.wanted.wait())
        await leave()
        return 0
    remove_left_sockets(options.ports)
    application = await Application.start(options.command, environment)
    try:
        await parts.first(application.wait(), stop.wanted.wait())
        await leave()
    finally:
        grace = 0.0 if stop.hurried.is_set() else options.leaving.grace
        code = await application.stop(grace=grace)
    return code
