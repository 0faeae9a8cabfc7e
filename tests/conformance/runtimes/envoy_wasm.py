"""The module of all cases in the real Envoy: one virtual machine, one listener for each case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from meshext.envoy.logs import LogLine
from meshext.filter import class_needs
from meshext.plan import build_plan
from meshext.testing import Log
from tests.conformance.background import Background
from tests.conformance.case import NOTES, Case
from tests.conformance.compiled.module import SuiteModule
from tests.conformance.compiled.notes import take_notes
from tests.conformance.runtimes.envoy import RealEnvoy
from tests.conformance.runtimes.listeners import MACHINE, Listeners
from tests.conformance.runtimes.wasm import configuration

LEVELS = {"error": "ERROR", "critical": "ERROR", "warning": "WARNING"}


class EnvoyWasm(RealEnvoy):
    """Notes and failures come out of Envoy's log; whatever else Envoy says there of its own is a failure."""

    def __init__(
        self, module: SuiteModule, cases: Sequence[Case], folder: Path, background: Background
    ) -> None:
        self._module = module
        self._file = folder / "cases.wasm"
        self._file.write_bytes(module.code)
        self._prefix = ""
        self._logs: list[Log] = []
        super().__init__("wasm", cases, folder, background)

    @contextmanager
    def keep_logs(self, case: Case) -> Iterator[Sequence[Log]]:
        self._prefix = f"wasm log {case.name} {case.name} {MACHINE}: "
        self._logs.clear()
        NOTES.clear()
        yield self._logs

    async def add(self, listeners: Listeners, _index: int, case: Case) -> None:
        plan = build_plan([class_needs(cls) for cls in case.filters], "wasm")
        text = f"{self._module.number(case)}\n{configuration(case)}"
        listeners.add_module(case.name, plan, self._file, text, writes=case.metadata is not None)

    def on_log(self, line: LogLine) -> None:
        super().on_log(line)
        if line.component != "wasm":
            return
        if line.message.startswith(self._prefix):
            text = line.message.removeprefix(self._prefix)
        elif line.message.startswith("wasm log "):
            return  # of another case
        else:
            text = line.message
        log = Log(level=LEVELS.get(line.level, "INFO"), message=text, filter="", hook="")
        self._logs.extend(take_notes([log]))
