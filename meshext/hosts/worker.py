"""A worker: one process that serves a chain. Started and watched by the supervisor, never by hand.

It loads everything first and says so, then waits to be told where to serve: so a spare stands ready with
all imports done, and takes over within milliseconds when one that serves has to be killed.

    worker                                     supervisor
    {"loaded": Report} or {"refused": lines}
                                               {"serve": address}
    {"serving": address}
                                               {"drain": seconds}
    {"drained": true}                          {"drain": fewer seconds}
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import json
import math
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meshext.errors import MeshextError
from meshext.hosts.log_lines import give_up_unwritten
from meshext.hosts.options import ServiceOptions
from meshext.hosts.words import Words

if TYPE_CHECKING:
    from meshext.engine.chain import Chain
    from meshext.engine.observer import Observer
    from meshext.hosts.hook_watch import HookWatch
    from meshext.hosts.server import Service

WHERE = signal.SIGUSR2  # asks it to write where it is
YOUNG = 10_000  # objects between two collections; an exchange leaves no cycles, so few are ever needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is started with, as JSON on its standard input; descriptors are inherited.

    Never on the command line, which every user of the machine sees.
    """

    options: ServiceOptions
    pulse: int
    control: int
    store: int
    metrics: int

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """From that line."""
        fields = json.loads(text)
        return cls(**{**fields, "options": ServiceOptions.from_dict(fields["options"])})


class Around(Protocol):
    """Something that lives on the service's loop, around it."""

    async def start(self) -> None:
        """Before the service listens."""

    async def close(self) -> None:
        """Once no exchange is open any more."""


def main() -> int:
    """Load, wait for the word, serve until told to stop; 2 where filter or configuration is refused."""
    orders = Orders.from_json(sys.stdin.read())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    if sys.stderr is not None:
        faulthandler.enable(all_threads=False)  # what crashes the process shows where
        faulthandler.register(WHERE, all_threads=False)
    for number in (signal.SIGINT, signal.SIGTERM):  # these reach whole groups; the supervisor decides
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which what a filter starts would inherit
    words = Words(socket.socket(fileno=orders.control))
    gc.set_threshold(YOUNG)  # a filter that is loaded may set its own
    try:
        return work(orders, words)
    except MeshextError as error:
        words.say(refused=str(error).splitlines(), code=error.exit_code, files=loaded_files())
        return error.exit_code
    finally:
        give_up_unwritten()


def loaded_files() -> dict[str, str]:
    """What was read before something was refused, so that it is watched."""
    from meshext.sources import LOADED

    return dict(LOADED.files)


def work(orders: Orders, words: Words) -> int:
    """Everything a worker does, in order."""
    from meshext.hosts.hook_watch import HookWatch
    from meshext.hosts.log_lines import configure_logging
    from meshext.hosts.pulse import Pulse
    from meshext.hosts.report import Report
    from meshext.hosts.worker_recording import WorkerRecording
    from meshext.hosts.worker_telemetry import WorkerTelemetry
    from meshext.loading import load_chain
    from meshext.sources import LOADED
    from meshext.stores import open_store

    options = orders.options
    configure_logging(options.log_level, options.log_format)
    pulse = Pulse.attach(orders.pulse)
    watch = HookWatch(pulse)
    telemetry = WorkerTelemetry(options, orders.metrics)
    telemetry.begin()
    shared = orders.store if options.shares_memory else None
    store = open_store(options.store, shared, on_call=telemetry.on_call)
    chain = load_chain(options.specs, options.configs, store=store)
    recording = WorkerRecording(options)
    service = build_service(options, chain, watch, recording.observe(chain, telemetry.observe(chain)))
    words.say(loaded=Report.of(chain.needs, LOADED).to_plain())
    gc.collect()
    gc.freeze()  # what is loaded stays: no collection on a request's path looks through all of it again
    told = words.wait()
    if not told or "serve" not in told[0]:
        return 0
    watch.start()
    pulse.start_beating()
    try:
        run_loop(serve(service, told[0]["serve"], words, around=(store, telemetry)))
    finally:
        watch.stop()
        # Both before it is said to have drained, since from then on it has a second.
        recording.stop()
        telemetry.stop()
        words.say(drained=True)
    return 0


def build_service(
    options: ServiceOptions, chain: Chain, watch: HookWatch, observer: Observer | None
) -> Service:
    """The server of a chain, with everything that was asked for around it."""
    from meshext.hosts.credentials import Certificates
    from meshext.hosts.server import Service

    return Service(
        chain,
        watch,
        observer=observer,
        credentials=Certificates(options.tls).credentials() if options.tls else None,
        max_in_flight=options.max_in_flight,
        connection_age=options.connection_age,
    )


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run it on uvloop, on which gRPC's asyncio server costs a tenth less than on asyncio's own loop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def serve(service: Service, address: str, words: Words, *, around: Sequence[Around]) -> None:
    """Serve until the supervisor says how long to drain, or is gone; then end what is around the service."""
    from meshext.hosts.address import parse_address

    told: asyncio.Queue[float] = asyncio.Queue()

    def listen() -> None:
        heard = words.hear()
        for word in [{"drain": 0.0}] if heard is None else heard:
            told.put_nowait(float(word["drain"]))
        if heard is None:
            loop.remove_reader(words.channel)

    loop = asyncio.get_running_loop()
    for each in around:
        await each.start()
    await service.start(parse_address(address))
    words.say(serving=address)
    loop.add_reader(words.channel, listen)
    draining = asyncio.create_task(service.drain(await told.get()))
    hastening = asyncio.create_task(hasten(service, told))
    await draining
    hastening.cancel()
    loop.remove_reader(words.channel)
    for each in reversed(around):
        await each.close()


async def hasten(service: Service, told: asyncio.Queue[float]) -> None:
    """A worker that drains may be told to be done sooner; the earliest end that it was told counts."""
    loop, end = asyncio.get_running_loop(), math.inf
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout_at(end):
                end = min(end, loop.time() + await told.get())
    await service.stop(0.0)


if __name__ == "__main__":
    sys.exit(main())
