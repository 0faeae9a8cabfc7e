"""The real Envoy with one module in it, in front of an upstream."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.emit import Data, to_data
from meshext.envoy.logs import LogLine
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import Upstream, parse_address
from meshext.envoy.wasm_filter import Module
from meshext.needs import Needs
from meshext.plan import build_plan
from meshext.testing import Reply
from tests.conformance.background import Background
from tests.conformance.case import Arrived, Got, Send
from tests.conformance.client import exchange
from tests.conformance.http2_client import exchange_http2
from tests.conformance.upstream import ScriptedUpstream


def as_it_is(_: Data) -> None:
    """The bootstrap that nothing is done to."""


class EnvoyWithModule:
    """A context manager; `log` are Envoy's lines, the access log's among them.

    `envoy` is the binary, `workers` its threads, `change` is given the bootstrap before it starts.
    """

    def __init__(
        self,
        module: Module,
        folder: Path,
        *,
        log_level: str = "info",
        envoy: Path | None = None,
        workers: int = 1,
        change: Callable[[Data], None] = as_it_is,
        written_namespaces: tuple[str, ...] = (),
    ) -> None:
        self.log: list[LogLine] = []
        self._background = Background()
        self._upstream = ScriptedUpstream("main")
        self._folder = folder
        self._module = module
        self._level = log_level
        self._binary = envoy
        self.workers = workers
        self._change = change
        self._written = written_namespaces

    def __enter__(self) -> EnvoyWithModule:
        try:
            self._envoy = self._background.run(self._start())
        except BaseException:
            self._background.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._background.run(self._envoy.stop())
        self._background.run(self._upstream.close())
        self._background.close()

    def send(self, send: Send, reply: Reply = Reply()) -> tuple[Got, Arrived | None]:  # noqa: B008
        self._upstream.reply, self._upstream.arrived = reply, None
        got = (exchange_http2 if send.http2 else exchange)(self.port(), send)
        return got, self._upstream.arrived

    def port(self, listener: str = LISTENER) -> int:
        """Where a listener is."""
        return self._envoy.port(listener)

    def stats(self, pattern: str) -> int:
        """Envoy's counters and gauges of that pattern, added up."""
        return sum(self._background.run(self._envoy.admin.stats(pattern)).values())

    def lines(self) -> list[str]:
        """What the module logged, without Envoy's words in front."""
        return [line.message.partition(": ")[2] for line in self.log if line.message.startswith("wasm log")]

    async def _start(self) -> EnvoyProcess:
        address = await self._upstream.start()
        gateway = Gateway(
            upstreams=(Upstream("main", parse_address(address), grpc=False),),
            admin=self._folder / "admin.sock",
            plan=replace(
                build_plan([Needs(name="probe", hooks=frozenset())], "wasm"),
                written_namespaces=self._written,
            ),
            module=self._module,
        )
        bootstrap = to_data(build_bootstrap(gateway))
        self._change(bootstrap)
        return await EnvoyProcess.start(
            json.dumps(bootstrap),
            self._folder / "envoy",
            on_log=self.log.append,
            envoy=self._binary,
            concurrency=self.workers,
            log_level=self._level,
        )
