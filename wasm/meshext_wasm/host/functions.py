"""Every host function that the emulation has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext_wasm.host import body_calls, header_calls, root_calls, stream_calls, wasi_calls

FUNCTIONS: Mapping[str, Callable[..., int]] = {
    **header_calls.FUNCTIONS,
    **body_calls.FUNCTIONS,
    **stream_calls.FUNCTIONS,
    **root_calls.FUNCTIONS,
    **wasi_calls.FUNCTIONS,
}
"""By name; what Envoy has beside these (calls out, queues) no module of ours imports yet."""
