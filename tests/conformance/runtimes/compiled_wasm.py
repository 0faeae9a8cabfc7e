"""The module of all cases under wasmtime, on the emulated host."""

from __future__ import annotations

from collections.abc import Sequence

from meshext import Filter
from meshext_wasm.host.guest import Guest, Ready, WasmtimeGuest
from meshext_wasm.host.machine import Machine
from tests.conformance.case import Case
from tests.conformance.compiled.module import SuiteModule
from tests.conformance.runtimes.wasm import EmulatedWasm


class CompiledWasm(EmulatedWasm):
    """The module anew for each case, with the case's chain chosen."""

    def __init__(self, module: SuiteModule) -> None:
        self._module = module
        self._ready = Ready(module.code)

    def configure(self, case: Case) -> str:
        return f"{self._module.number(case)}\n{super().configure(case)}"

    def build(self, _filters: Sequence[type[Filter]], machine: Machine) -> Guest:
        return WasmtimeGuest(self._ready, machine)
