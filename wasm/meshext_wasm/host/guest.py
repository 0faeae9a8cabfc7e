"""A module under wasmtime, or whatever else has callbacks: what the driver needs of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from meshext_wasm.abi.functions import ALLOCATE, HOST_FUNCTIONS, MODULE, WASI_FUNCTIONS, WASI_MODULE
from meshext_wasm.host.functions import FUNCTIONS
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.memory import OutOfBounds

if TYPE_CHECKING:
    import wasmtime

TABLES = {MODULE: HOST_FUNCTIONS, WASI_MODULE: WASI_FUNCTIONS}


class LoadError(Exception):
    """Envoy would refuse the module; the text is the reason."""


class Trapped(Exception):
    """The module ended a callback with a trap."""


class Guest(Protocol):
    """Something with the callbacks of the ABI."""

    machine: Machine

    def has(self, name: str) -> bool:
        """Whether it exports a function of that name."""

    def call(self, name: str, *arguments: int) -> int:
        """Call one; 0 where it gives nothing. Trapped where it traps."""


class WasmtimeGuest:
    """A module of WebAssembly, linked with the emulated host and initialised."""

    def __init__(self, code: bytes | Ready, machine: Machine) -> None:
        import wasmtime

        self.machine = machine
        try:
            ready = Ready(code) if isinstance(code, bytes) else code
            module = ready.module
            self._store = wasmtime.Store(ready.engine)
            self._instance = build_linker(self._store, machine, module).instantiate(self._store, module)
        except wasmtime.WasmtimeError as error:
            raise LoadError(str(error)) from None
        self._functions = {
            name: each
            for name, each in self._instance.exports(self._store).items()
            if isinstance(each, wasmtime.Func)
        }
        self._check()
        machine.attach(WasmtimeMemory(self, self._store, self._instance.exports(self._store)["memory"]))
        if self.has("_initialize"):
            self.call("_initialize")
        machine.initializing = False

    def has(self, name: str) -> bool:
        """Whether it exports a function of that name."""
        return name in self._functions

    def call(self, name: str, *arguments: int) -> int:
        """Call a function that it exports."""
        import wasmtime

        try:
            result = self._functions[name](self._store, *arguments)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise Trapped(f"{name}: {error}") from error
        return int(result or 0)

    def _check(self) -> None:
        if not any(self.has(f"proxy_abi_version_0_{each}") for each in ("1_0", "2_0", "2_1")):
            raise LoadError("Missing or unknown Proxy-Wasm ABI version")
        if not self.has(ALLOCATE) and not self.has("malloc"):
            raise LoadError("missing malloc function")
        if "memory" not in dict(self._instance.exports(self._store)):
            raise LoadError("the module does not export its memory: a host call would crash Envoy")


class WasmtimeMemory:
    """The module's memory."""

    def __init__(self, guest: WasmtimeGuest, store: wasmtime.Store, memory: object) -> None:
        import wasmtime

        assert isinstance(memory, wasmtime.Memory)
        self._guest = guest
        self._store = store
        self._memory = memory

    def read(self, address: int, length: int) -> bytes:
        """Bytes."""
        if address + length > self._memory.data_len(self._store):
            raise OutOfBounds
        return bytes(self._memory.read(self._store, address, address + length))

    def write(self, address: int, data: bytes) -> None:
        """Put bytes there."""
        if address + len(data) > self._memory.data_len(self._store):
            raise OutOfBounds
        self._memory.write(self._store, data, address)

    def allocate(self, size: int) -> int:
        """By the module's own allocator; `malloc` is looked for first, as Envoy does."""
        name = "malloc" if self._guest.has("malloc") else ALLOCATE
        return self._guest.call(name, size) & 0xFFFFFFFF


class Ready:
    """A module made ready once, for many guests; wasmtime.WasmtimeError where it is none."""

    def __init__(self, code: bytes) -> None:
        import wasmtime

        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module(self.engine, code)


def build_linker(store: wasmtime.Store, machine: Machine, module: wasmtime.Module) -> wasmtime.Linker:
    """Every host function that the module asks for; LoadError for one that Envoy does not have."""
    import wasmtime

    linker = wasmtime.Linker(store.engine)
    for each in module.imports:
        signature = TABLES.get(each.module, {}).get(each.name or "")
        if signature is None:
            raise LoadError(f"missing import: {each.module}.{each.name}")
        kinds = {"i": wasmtime.ValType.i32(), "l": wasmtime.ValType.i64()}
        type_ = wasmtime.FuncType(
            [kinds[letter] for letter in signature.parameters],
            [kinds[letter] for letter in signature.results],
        )
        linker.define_func(each.module, each.name or "", type_, bind(machine, each.name or ""))
    return linker


def bind(machine: Machine, name: str) -> Callable[..., int]:
    """The host function of that name, for one machine."""

    def called(*arguments: int) -> int:
        return machine.call(FUNCTIONS, name, arguments)

    return called
