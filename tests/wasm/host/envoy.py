"""The real Envoy with one module in it, in front of an upstream."""

from __future__ import annotations

from pathlib import Path

from meshext.envoy.bootstrap import Gateway, build_bootstrap
from meshext.envoy.emit import to_json
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
from tests.conformance.upstream import ScriptedUpstream


class EnvoyWithModule:
    """A context manager; `log` are the lines of the component wasm."""

    def __init__(self, module: Module, folder: Path, *, log_level: str = "info") -> None:
        self.log: list[LogLine] = []
        self._background = Background()
        self._upstream = ScriptedUpstream("main")
        self._folder = folder
        self._module = module
        self._level = log_level

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
        got = exchange(self._envoy.port("meshext"), send)
        return got, self._upstream.arrived

    def lines(self) -> list[str]:
        """What the module logged, without Envoy's words in front."""
        return [line.message.partition(": ")[2] for line in self.log if line.message.startswith("wasm log")]

    async def _start(self) -> EnvoyProcess:
        address = await self._upstream.start()
        gateway = Gateway(
            upstreams=(Upstream("main", parse_address(address), grpc=False),),
            admin=self._folder / "admin.sock",
            plan=build_plan([Needs(name="probe", hooks=frozenset())], "wasm"),
            module=self._module,
        )
        return await EnvoyProcess.start(
            to_json(build_bootstrap(gateway)),
            self._folder / "envoy",
            on_log=self.log.append,
            concurrency=1,
            log_level=self._level,
        )
