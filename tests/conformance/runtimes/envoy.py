"""The real Envoy: one process for a mode, one listener and one service for each case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from meshext.engine.chain import build_chain, build_mount
from meshext.engine.timed_watch import TimedWatch
from meshext.envoy.logs import OUTPUT, LogLine
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import UnixAddress, Upstream, parse_address
from meshext.hosts.address import Address
from meshext.hosts.server import Service
from meshext.plan import DETAILS_NAMESPACE, Mode, Plan, build_plan
from meshext.testing import Log
from meshext.testing.harness import own_config, pair_configs
from meshext.testing.records import keep_records
from tests.conformance.background import Background
from tests.conformance.case import DEAD, Case, Result
from tests.conformance.client import exchange
from tests.conformance.http2_client import exchange_http2
from tests.conformance.runtimes.listeners import Listeners
from tests.conformance.upstream import ScriptedUpstream
from tests.conformance.waiting import is_over, wait_for

NAMES = ("main", "other")
READY = 240.0  # seconds for hundreds of listeners on a busy machine


class RealEnvoy:
    """Started once with everything; cases run one after the other."""

    def __init__(self, mode: Mode, cases: Sequence[Case], folder: Path, background: Background) -> None:
        self.mode = mode
        self.folder = folder
        self._background = background
        self._upstreams = [ScriptedUpstream(name) for name in NAMES]
        self._services: list[Service] = []
        self._access: list[dict[str, Any]] = []
        self._envoy = background.run(self._start(cases))

    def run(self, case: Case) -> Result:
        for upstream in self._upstreams:
            upstream.reply, upstream.arrived = case.reply, None
        with self.keep_logs(case) as logs:
            send = exchange_http2 if case.send.http2 else exchange
            got = send(self.port(case), case.send)
            wait_for(lambda: is_over(case, logs))
        entry = self._entry(got.headers.get("x-request-id")) if told(case) else {}
        arrived = next((each.arrived for each in self._upstreams if each.arrived), None)
        metadata = {name: data for name, data in (entry.get("metadata") or {}).items() if data}
        own = metadata.pop(DETAILS_NAMESPACE, {})
        return Result(
            arrived=arrived,
            got=got,
            logs=tuple(logs),
            details=own.get("details") or entry.get("details") or "",
            metadata=metadata,
        )

    def port(self, case: Case) -> int:
        """Where the listener of a case is."""
        return self._envoy.port(case.name)

    def close(self) -> None:
        self._background.run(self._stop())

    def _entry(self, request_id: str | None) -> dict[str, Any]:
        """The access log's line of that request."""
        wait_for(lambda: any(entry["request_id"] == request_id for entry in self._access))
        return next(entry for entry in self._access if entry["request_id"] == request_id)

    def keep_logs(self, _case: Case) -> AbstractContextManager[Sequence[Log]]:
        """What is logged about the case's filters until the end of the block."""
        return keep_records()

    async def add(self, listeners: Listeners, index: int, case: Case) -> None:
        """The listener of a case, and what stands behind it."""
        socket = str(self.folder / f"{index}.sock")
        listeners.add(case.name, await self._serve(case, socket), socket)

    def on_log(self, line: LogLine) -> None:
        """A line of Envoy's log."""
        if line.component == OUTPUT and line.message.startswith("{"):
            self._access.append(json.loads(line.message))

    async def _start(self, cases: Sequence[Case]) -> EnvoyProcess:
        addresses = [await upstream.start() for upstream in self._upstreams]
        upstreams = tuple(
            Upstream(name, parse_address(address), grpc=False)
            for name, address in zip(NAMES, addresses, strict=True)
        )
        upstreams += (Upstream(DEAD, UnixAddress(str(self.folder / "nobody.sock"))),)
        listeners = Listeners(upstreams, self.folder / "admin.sock")
        for index, case in enumerate(cases):
            await self.add(listeners, index, case)
        return await EnvoyProcess.start(
            listeners.to_json(),
            self.folder / "envoy",
            on_log=self.on_log,
            concurrency=1,
            component_log_level="wasm:info",
            ready_limit=READY,
        )

    async def _serve(self, case: Case, socket: str) -> Plan:
        configs = pair_configs(case.filters, case.configs or None)
        pairs = zip(case.filters, configs, strict=True)
        chain = build_chain([build_mount(cls, own_config(cls, config)) for cls, config in pairs])
        service = Service(chain, TimedWatch())
        await service.start(Address(path=socket))
        self._services.append(service)
        return build_plan(chain.needs, self.mode)

    async def _stop(self) -> None:
        await self._envoy.stop()
        for service in self._services:
            await service.stop(0)
        for upstream in self._upstreams:
            await upstream.close()


def told(case: Case) -> bool:
    """Whether the case looks at the access log."""
    return case.details is not None or case.metadata is not None
