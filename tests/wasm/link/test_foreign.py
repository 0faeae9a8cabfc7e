"""What modules of others are refused for."""

from __future__ import annotations

import pytest
import wasmtime

from meshext_wasm.link.errors import ModuleError
from meshext_wasm.link.foreign import check_module

MEMORY = '(memory (export "memory") 1)'
MARKER = '(func (export "proxy_abi_version_0_2_1"))'
ALLOCATOR = '(func (export "malloc") (param i32) (result i32) i32.const 0)'
SOUND = (MEMORY, MARKER, ALLOCATOR)


def module(*parts: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(parts)})"))


@pytest.mark.parametrize(
    "more",
    [
        "",
        '(import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))',
        '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
        '(import "env" "emscripten_notify_memory_growth" (func (param i32)))',
        '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0)',
        '(func (export "anything") (param i64))',
    ],
)
def test_sound_modules_pass(more: str) -> None:
    check_module(module(more, *SOUND))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((MARKER, ALLOCATOR, "(memory 1)"), "exports no memory called 'memory'"),
        ((MEMORY, ALLOCATOR), "exports none of proxy_abi_version_0_1_0"),
        ((MEMORY, MARKER), "exports neither malloc nor proxy_on_memory_allocate"),
        (
            ('(import "env" "proxy_lag" (func))', *SOUND),
            "imports env.proxy_lag, which Envoy does not have",
        ),
        (('(import "other" "proxy_log" (func))', *SOUND), "imports other.proxy_log, which Envoy"),
        (
            ('(import "wasi_snapshot_preview1" "proc_raise" (func))', *SOUND),
            "imports wasi_snapshot_preview1.proc_raise, which Envoy",
        ),
        (
            ('(import "env" "proxy_log" (func (param i32)))', *SOUND),
            r"imports env.proxy_log as \(i32\) -> \(\); Envoy has \(i32, i32, i32\) -> \(i32\)",
        ),
        (('(import "env" "g" (global i32))', *SOUND), "imports env.g, which is no function"),
        (
            ('(memory (export "memory") 16385)', MARKER, ALLOCATOR),
            "wants 16385 pages of memory at the start; Envoy gives 16384",
        ),
        (
            ('(func (export "proxy_on_tick") (result i32) i32.const 0)', *SOUND),
            r"exports proxy_on_tick as \(\) -> \(i32\); Envoy calls it as \(i32\) -> \(\)",
        ),
    ],
)
def test_what_envoy_would_refuse_is_refused(parts: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ModuleError, match=f"^a.wasm: it {problem}"):
        check_module(module(*parts), source="a.wasm")


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(ModuleError) as caught:
        check_module(module())
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("raw", [b"", b"\0asm", b"#!/bin/sh\n", module(*SOUND)[:-3]])
def test_what_is_no_module_is_refused(raw: bytes) -> None:
    with pytest.raises(ModuleError, match=r"^a\.wasm: "):
        check_module(raw, source="a.wasm")
