"""The plan as Envoy's Wasm filter: filters that were compiled into a module run inside of Envoy.

`envoy.extensions.filters.http.wasm.v3.Wasm`. The code travels inline: with `remote` a swap to code that is
not in Envoy's cache is accepted and never fetched, and requests pass without the filter (measured on 1.40).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.wasm_metadata import build_request_copy, build_response_copy

if TYPE_CHECKING:
    import betterproto2
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.filters.http.set_filter_state.v3 import Config
    from envoy_data_plane.envoy.extensions.filters.http.wasm.v3 import Wasm
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter

FILTER = "meshext"
STATE_FILTER = "meshext.direct_address"
REQUEST_METADATA = "meshext.metadata"
RESPONSE_METADATA = "meshext.response_metadata"

PEER_STATE = {
    "meshext_direct_address": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "meshext_uri_sans": "%DOWNSTREAM_PEER_URI_SAN%",
}
"""What of the direct peer is put into filter state, by key: Envoy has no attribute for its address, and one
for the first URI of its certificate alone."""

RUNTIME = "envoy.wasm.runtime.v8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """Filters as a module. `configuration` is text, in JSON unless the filter takes it raw.

    With a `file` Envoy reads the code from there itself. `reads_peer`: whether a filter asks for the direct
    peer, whose address has to be put where it can see it. `written_namespaces` are those of the metadata that
    filters write; `writes_late`: they may do so when the headers of a message have left. `labels` are those
    of the filters' metrics, for `meshext.envoy.wasm_stats`.
    """

    name: str
    code: bytes = b""
    file: str = ""
    configuration: str = ""
    reads_peer: bool = False
    written_namespaces: tuple[str, ...] = ()
    writes_late: bool = False
    labels: tuple[str, ...] = ()

    @property
    def plugin(self) -> str:
        """The name that Envoy's log shows: the filter's, and which build of it."""
        return self.name if self.file else f"{self.name}-{self.digest[:12]}"

    @property
    def machine(self) -> str:
        """What tells virtual machines apart beside their name and code. One machine has one configuration, as
        filters live in its globals; what is shared between machines is so by the name alone."""
        return hashlib.sha256(self.configuration.encode()).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of the code, in hex."""
        return hashlib.sha256(self.code).hexdigest()


@builds_messages
def build_wasm_filters(module: Module) -> list[HttpFilter]:
    """The HTTP filters that run the module, in their order, to stand right before the router."""
    filters = [_pack(STATE_FILTER, _build_state())] if module.reads_peer else []
    wasm = _pack(FILTER, _build_wasm(module))
    names = module.written_namespaces
    if not names:
        return [*filters, wasm]
    back = build_response_copy(names, to_the_end=module.writes_late)
    forth = build_request_copy(names)
    return [*filters, _pack(RESPONSE_METADATA, back), wasm, _pack(REQUEST_METADATA, forth)]


def _pack(name: str, message: betterproto2.Message) -> HttpFilter:
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
    from envoy_data_plane.google.protobuf import Any

    return HttpFilter(name=name, typed_config=Any.pack(message))


def _build_wasm(module: Module) -> Wasm:
    from envoy_data_plane.envoy.config.core.v3 import AsyncDataSource
    from envoy_data_plane.envoy.extensions.filters.http.wasm.v3 import Wasm
    from envoy_data_plane.envoy.extensions.wasm.v3 import FailurePolicy, PluginConfig, VmConfig
    from envoy_data_plane.google.protobuf import Any, StringValue

    return Wasm(
        config=PluginConfig(
            name=module.plugin,
            root_id=module.name,
            vm_config=VmConfig(
                vm_id=module.name,
                configuration=Any.pack(StringValue(value=module.machine)),
                runtime=RUNTIME,
                code=AsyncDataSource(local=_build_code(module)),
            ),
            # As a StringValue it arrives as it is; a Struct would arrive as binary protobuf.
            configuration=Any.pack(StringValue(value=module.configuration)),
            failure_policy=FailurePolicy.FAIL_RELOAD,
            # Without it a body could only be judged when the headers have reached the upstream.
            allow_on_headers_stop_iteration=True,
        )
    )


def _build_code(module: Module) -> DataSource:
    from envoy_data_plane.envoy.config.core.v3 import DataSource

    return DataSource(filename=module.file) if module.file else DataSource(inline_bytes=module.code)


def _build_state() -> Config:
    from envoy_data_plane.envoy.config.core.v3 import DataSource, SubstitutionFormatString
    from envoy_data_plane.envoy.extensions.filters.common.set_filter_state.v3 import FilterStateValue
    from envoy_data_plane.envoy.extensions.filters.http.set_filter_state.v3 import Config

    return Config(
        on_request_headers=[
            FilterStateValue(
                object_key=key,
                factory_key="envoy.string",
                format_string=SubstitutionFormatString(text_format_source=DataSource(inline_string=text)),
            )
            for key, text in PEER_STATE.items()
        ]
    )
