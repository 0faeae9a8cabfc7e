"""Modules written by hand that call the host and log what it says: the same one runs here and in Envoy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wasmtime

from meshext_wasm.abi.functions import CALLBACKS, HOST_FUNCTIONS, MARKER

OUT = object()
"""Where the host puts what it hands over; the log shows it."""

Argument = int | bytes | object


@dataclass(frozen=True)
class Say:
    """One call, under a word for the log."""

    label: str
    function: str
    arguments: tuple[Argument, ...]


def say(label: str, function: str, *arguments: Argument) -> Say:
    return Say(label, function, arguments)


class Probe:
    """Gathers the constant bytes of a module."""

    def __init__(self) -> None:
        self.data = b""

    def place(self, text: bytes) -> str:
        """Constants for address and length."""
        at = 65536 + len(self.data)
        self.data += text
        return f"(i32.const {at}) (i32.const {len(text)})"

    def call(self, each: Say) -> str:
        given = []
        for argument in each.arguments:
            if argument is OUT:
                given.append("(i32.const 16) (i32.const 20)")
            elif isinstance(argument, bytes):
                given.append(self.place(argument))
            else:
                given.append(f"(i32.const {argument})")
        return (
            "(i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 0))\n"
            f"(call $say {self.place(each.label.encode())} (call ${each.function} {' '.join(given)}))"
        )


def build(callbacks: Mapping[str, Sequence[Say]], actions: Mapping[str, int] | None = None) -> bytes:
    """A module whose callbacks make these calls; `actions` are what they give, 0 (or 1 where that says yes)
    where nothing is said."""
    probe = Probe()
    used = {each.function for calls in callbacks.values() for each in calls} | {"proxy_log"}
    imports = "\n".join(
        f'(import "env" "{name}" (func ${name} {params(HOST_FUNCTIONS[name].parameters)} (result i32)))'
        for name in sorted(used)
    )
    functions = "\n".join(
        callback(probe, name, calls, (actions or {}).get(name)) for name, calls in callbacks.items()
    )
    escaped = "".join(f"\\{byte:02x}" for byte in probe.data)
    return bytes(wasmtime.wat2wasm(TEMPLATE % (imports, MARKER, functions, escaped)))


def params(letters: str) -> str:
    return " ".join(f"(param {'i32' if letter == 'i' else 'i64'})" for letter in letters)


def callback(probe: Probe, name: str, calls: Sequence[Say], action: int | None) -> str:
    signature = CALLBACKS[name]
    body = "\n".join(probe.call(each) for each in calls)
    result = f"(i32.const {action or 0})" if signature.results else ""
    returns = "(result i32)" if signature.results else ""
    return f'(func (export "{name}") {params(signature.parameters)} {returns}\n{body}\n{result})'


TEMPLATE = """(module
%s
(memory (export "memory") 4)
(global $top (mut i32) (i32.const 131072))
(func (export "%s"))
(func (export "proxy_on_memory_allocate") (param i32) (result i32)
  (global.get $top)
  (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 0)) (i32.const 7))
    (i32.const -8))))
(func $say (param $label i32) (param $size i32) (param $status i32)
  (local $at i32)
  (memory.copy (i32.const 1024) (local.get $label) (local.get $size))
  (local.set $at (i32.add (i32.const 1024) (local.get $size)))
  (i32.store8 (local.get $at) (i32.const 32))
  (i32.store8 offset=1 (local.get $at) (i32.add (i32.const 48) (local.get $status)))
  (i32.store8 offset=2 (local.get $at) (i32.const 32))
  (memory.copy (i32.add (local.get $at) (i32.const 3)) (i32.load (i32.const 16)) (i32.load (i32.const 20)))
  (drop (call $proxy_log (i32.const 2) (i32.const 1024)
    (i32.sub (i32.add (i32.add (local.get $at) (i32.const 3)) (i32.load (i32.const 20))) (i32.const 1024))))
)
%s
(data (i32.const 65536) "%s")
)"""
