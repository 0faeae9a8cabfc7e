"""The host's side of one module: its configuration, its streams, its log, and the calls that it makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meshext_wasm.abi.values import Level, Status
from meshext_wasm.host.memory import Memory, OutOfBounds
from meshext_wasm.host.shared import Shared
from meshext_wasm.host.stream import Stream

ROOT_CONTEXT = 1


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line that the module wrote."""

    level: Level
    text: str


class Machine:
    """What host functions work on.

    `context` is the context that the current callback is for; `set_effective_context` changes it until the
    callback ends. `calls` are the host functions that were called, `asked` the properties by their path with
    points. `initializing` while the module's start code runs: then hardly anything is allowed.
    """

    def __init__(
        self,
        *,
        configuration: bytes = b"",
        vm_configuration: bytes = b"",
        shared: Shared | None = None,
        clock: Callable[[], int] = time.time_ns,
        level: Level = Level.INFO,
    ) -> None:
        self.configuration = configuration
        self.vm_configuration = vm_configuration
        self.shared = shared or Shared()
        self.clock = clock
        self.level = level
        self.logs: list[LogEntry] = []
        self.streams: dict[int, Stream] = {}
        self.context = ROOT_CONTEXT
        self.tick_period = 0
        self.initializing = True
        self.root_properties: dict[bytes, bytes] = {}
        self.calls: list[str] = []
        self.asked: dict[str, None] = {}
        self._memory: Memory | None = None

    @property
    def memory(self) -> Memory:
        """The module's memory, once there is one."""
        assert self._memory is not None, "the module has no memory yet"
        return self._memory

    def attach(self, memory: Memory) -> None:
        """The module is there."""
        self._memory = memory

    @property
    def stream(self) -> Stream | None:
        """The stream that the current callback is about; None for the root context."""
        return self.streams.get(self.context)

    def call(self, functions: Mapping[str, Callable[..., int]], name: str, arguments: tuple[int, ...]) -> int:
        """A host function, called by the module; wrong addresses are a status, as in Envoy."""
        self.calls.append(name)
        unsigned = [each & 0xFFFFFFFF if -(2**31) <= each < 2**32 else each for each in arguments]
        try:
            return functions[name](self, *unsigned)
        except OutOfBounds:
            return Status.INVALID_MEMORY_ACCESS
