"""The glue and the library's SDK under CPython, with filters on top: a guest without a compiler."""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import CoroutineType, ModuleType
from typing import Any

from meshext_wasm.abi.functions import CALLBACKS, HOST_FUNCTIONS
from meshext_wasm.host.functions import FUNCTIONS
from meshext_wasm.host.machine import Machine
from meshext_wasm.library.meshext.filter import Filter
from meshext_wasm.library.proxy import beginning, callbacks
from meshext_wasm.library.proxy import program as program_module
from meshext_wasm.library.proxy.passing import allocate
from meshext_wasm.library.raw import EMULATION, wide, word

LIBRARY = "meshext_wasm.library"


class EmulatedMemory:
    """The library's memory under CPython."""

    def read(self, address: int, length: int) -> bytes:
        return bytes(EMULATION.memory[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        EMULATION.memory[address : address + len(data)] = data

    def allocate(self, size: int) -> int:
        return int(allocate(word(size)))


class InterpretedGuest:
    """The module that a build writes, run by CPython; `files` are the filter's own modules by name."""

    def __init__(self, program: str, files: dict[str, str], machine: Machine) -> None:
        self.machine = machine
        machine.attach(EmulatedMemory())
        machine.initializing = False
        for name in HOST_FUNCTIONS:
            EMULATION.hosts[name] = bind(machine, name)
        self._files = files
        self._modules: dict[str, ModuleType] = {}
        beginning.PASSAGES.open.clear()
        EMULATION.taken = None
        vars(program_module)["at_once"] = run_at_once
        type.__setattr__(Filter, "__init__", keep_config)  # what the compiler writes where there is none
        self._run("program", program)

    def has(self, name: str) -> bool:
        return name in CALLBACKS and hasattr(callbacks, name.removeprefix("proxy_"))

    def call(self, name: str, *arguments: int) -> int:
        result = getattr(callbacks, name.removeprefix("proxy_"))(*map(word, arguments))
        return 0 if result is None else int(result)

    def _run(self, name: str, text: str) -> ModuleType:
        module = ModuleType(f"interpreted_{name}")
        self._modules[name] = module
        sys.modules[module.__name__] = module
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
        return module

    def _import(
        self, name: str, globals_: Any = None, locals_: Any = None, names: Any = (), level: int = 0
    ) -> Any:
        if name in self._files:
            return self._modules.get(name) or self._run(name, self._files[name])
        if name == "meshext":
            return importlib.import_module(f"{LIBRARY}.meshext")
        return builtins.__import__(name, globals_, locals_, names, level)


def run_at_once(given: Any) -> Any:
    """What a coroutine gives that never waits."""
    if not isinstance(given, CoroutineType):
        return given
    try:
        given.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def keep_config(self: Any, config: object = None) -> None:
    self.config = config


def bind(machine: Machine, name: str) -> Callable[..., object]:
    def called(*arguments: int) -> word:
        plain = tuple(each.signed() if isinstance(each, wide) else int(each) for each in arguments)
        return word(machine.call(FUNCTIONS, name, plain))

    return called


def read_files(folder: Path) -> dict[str, str]:
    """The modules of a filter's folder."""
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.py")}
