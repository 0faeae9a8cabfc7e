"""What a module may import and what it may export: the only place where signatures are spelled.

A letter for each parameter: `i` is 32 bits, `l` 64. All were linked together in one module and accepted by
Envoy 1.40 (ABI 0.2.1). Source: https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MARKER = "proxy_abi_version_0_2_1"
"""The exported function by which Envoy knows the version; later ones are refused."""

ALLOCATE = "proxy_on_memory_allocate"
"""The exported function by which the host gets memory for what it hands over: (size) -> address."""

MODULE = "env"
"""Where host functions are imported from."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Parameters and results, a letter for each."""

    parameters: str
    results: str


def rows(results: str, **functions: str) -> dict[str, Signature]:
    """Functions that give the same."""
    return {name: Signature(parameters, results) for name, parameters in functions.items()}


HOST_FUNCTIONS: Mapping[str, Signature] = rows(
    "i",
    proxy_log="iii",
    proxy_get_log_level="i",
    proxy_get_header_map_value="iiiii",
    proxy_add_header_map_value="iiiii",
    proxy_replace_header_map_value="iiiii",
    proxy_remove_header_map_value="iii",
    proxy_get_header_map_pairs="iii",
    proxy_set_header_map_pairs="iii",
    proxy_get_header_map_size="ii",
    proxy_get_buffer_bytes="iiiii",
    proxy_set_buffer_bytes="iiiii",
    proxy_get_buffer_status="iii",
    proxy_get_property="iiii",
    proxy_set_property="iiii",
    proxy_send_local_response="iiiiiiii",
    proxy_continue_stream="i",
    proxy_close_stream="i",
    proxy_http_call="iiiiiiiiii",
    proxy_grpc_call="iiiiiiiiiiii",
    proxy_grpc_stream="iiiiiiiii",
    proxy_grpc_send="iiii",
    proxy_grpc_cancel="i",
    proxy_grpc_close="i",
    proxy_get_status="iii",
    proxy_set_tick_period_milliseconds="i",
    proxy_get_current_time_nanoseconds="i",
    proxy_define_metric="iiii",
    proxy_increment_metric="il",
    proxy_record_metric="il",
    proxy_get_metric="ii",
    proxy_get_shared_data="iiiii",
    proxy_set_shared_data="iiiii",
    proxy_register_shared_queue="iii",
    proxy_resolve_shared_queue="iiiii",
    proxy_enqueue_shared_queue="iii",
    proxy_dequeue_shared_queue="iii",
    proxy_set_effective_context="i",
    proxy_done="",
    proxy_call_foreign_function="iiiiii",
)
"""Imports from `env`; each gives a status."""

WASI_MODULE = "wasi_snapshot_preview1"

WASI_FUNCTIONS: Mapping[str, Signature] = rows("i", random_get="ii", clock_time_get="ili", fd_write="iiii")
"""The three of WASI that we use; each gives an errno."""

CALLBACKS: Mapping[str, Signature] = {
    **rows("", _initialize=""),
    **rows("", **{MARKER: ""}),
    **rows("i", **{ALLOCATE: "i"}, malloc="i"),
    **rows(
        "",
        proxy_on_context_create="ii",
        proxy_on_tick="i",
        proxy_on_http_call_response="iiiii",
        proxy_on_queue_ready="ii",
        proxy_on_log="i",
        proxy_on_delete="i",
    ),
    **rows(
        "i",
        proxy_on_vm_start="ii",
        proxy_validate_configuration="ii",
        proxy_on_configure="ii",
        proxy_on_request_headers="iii",
        proxy_on_request_body="iii",
        proxy_on_request_trailers="ii",
        proxy_on_response_headers="iii",
        proxy_on_response_body="iii",
        proxy_on_response_trailers="ii",
        proxy_on_done="i",
    ),
}
"""Exports that the host calls, those that we have a use for; all but the marker and an allocator optional."""
