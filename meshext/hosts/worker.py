"""A worker: one process that serves a chain. Started and watched by the supervisor, never by hand.

It loads everything first and says so, then waits to be told to serve: so a spare stands ready with all
imports done, and takes over within milliseconds when the one that serves has to be killed.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from meshext.errors import MeshextError

if TYPE_CHECKING:
    from meshext.hosts.server import Service

log = logging.getLogger("meshext.service")

LOADED, SERVING = b"loaded\n", b"serving\n"  # what a worker says
SERVE, STOP = b"serve\n", b"stop\n"  # what it is told
WHERE = signal.SIGUSR2  # asks it to write where it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is started with, as JSON on its command line; descriptors are inherited."""

    specs: tuple[str, ...]
    configs: tuple[str, ...]
    address: str
    log_level: str
    pulse: int
    control: int
    grace: float

    def to_json(self) -> str:
        """As one argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """From that argument."""
        fields = json.loads(text)
        return cls(**{**fields, "specs": tuple(fields["specs"]), "configs": tuple(fields["configs"])})


def main(arguments: Sequence[str]) -> int:
    """Load, wait for the word, serve until told to stop; 2 where filter or configuration is refused."""
    orders = Orders.from_json(arguments[0])
    if sys.stderr is not None:
        faulthandler.enable(all_threads=False)  # what crashes the process shows where
        faulthandler.register(WHERE, all_threads=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
    try:
        return work(orders)
    except MeshextError as error:
        for line in str(error).splitlines():
            print(f"meshext: {line}", file=sys.stderr)  # noqa: T201  # the supervisor's standard error is ours
        return error.exit_code


def work(orders: Orders) -> int:
    """Everything a worker does, in order."""
    from meshext.hosts.hook_watch import HookWatch
    from meshext.hosts.log_lines import configure_logging
    from meshext.hosts.pulse import Pulse
    from meshext.hosts.server import Service
    from meshext.loading import load_chain

    configure_logging(orders.log_level)
    watch = HookWatch(Pulse.attach(orders.pulse))
    service = Service(load_chain(orders.specs, orders.configs), watch)
    os.write(orders.control, LOADED)
    if os.read(orders.control, len(SERVE)) != SERVE:
        return 0
    watch.start()
    try:
        asyncio.run(serve(service, orders))
    finally:
        watch.stop()
    return 0


async def serve(service: Service, orders: Orders) -> None:
    """Serve until the supervisor says stop or is gone."""
    from meshext.hosts.address import parse_address

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(orders.control, told.set)
    loop.add_signal_handler(signal.SIGTERM, told.set)
    await service.start(parse_address(orders.address))
    os.write(orders.control, SERVING)
    await told.wait()
    loop.remove_reader(orders.control)
    await service.stop(orders.grace)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
