"""Modules delivered by our control plane's ADS to an Envoy whose filter is discovered (ECDS)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from e2e.bench.wasm.stands import build_bootstrap
from e2e.bench.wasm.ways import Way
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.wasm_filter import FILTER, Module, build_wasm_filters
from meshext_controlplane.snapshot import EXTENSION, Resource, encode_resource
from meshext_controlplane.xds.observer import Observer
from meshext_proto.envoy.config.core.v3 import extension_pb2
from tests.controlplane.xds.envoys import bootstrap as discovered
from tests.controlplane.xds.serving import Mesh, serving

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
NAME_SECTION = b"mark"


class Pushes(Observer):
    """When the last module went out, in seconds of `time.perf_counter`."""

    def __init__(self) -> None:
        self.last = 0.0

    def pushed(self, type_url: str, *, size: int, resources: int) -> None:
        if type_url == EXTENSION and resources:
            self.last = time.perf_counter()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A running Envoy and what gives it its module."""

    envoy: EnvoyProcess
    mesh: Mesh
    pushes: Pushes

    @property
    def port(self) -> int:
        """Where Envoy listens."""
        return self.envoy.port(LISTENER)

    def push(self, module: Module) -> None:
        """Give Envoy a module in place of the one that it has."""
        self.mesh.edit([to_resource(module)])


def to_resource(module: Module) -> Resource:
    """The filter's configuration as the control plane serves it."""
    (filter_,) = build_wasm_filters(module)
    assert filter_.typed_config is not None
    message = extension_pb2.TypedExtensionConfig(name=FILTER)
    message.typed_config.type_url = filter_.typed_config.type_url
    message.typed_config.value = filter_.typed_config.value
    return encode_resource(FILTER, message)


def marked(module: Module, mark: int) -> Module:
    """The same module as other bytes: Envoy keeps what it has compiled, and knows it by its code."""
    content = bytes([len(NAME_SECTION)]) + NAME_SECTION + mark.to_bytes(4, "little")
    return replace(module, code=module.code + bytes([0, len(content)]) + content)


def build_discovered(folder: Path, port: int, module: Module) -> str:
    """The gateway of the benchmark, its Wasm filter from the control plane on that port."""
    data = json.loads(build_bootstrap(Way(name="", module=module), folder, None))
    found = json.loads(discovered(port, delta=True))
    (manager,) = (
        each["typed_config"]
        for each in data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    )
    (wasm,) = (each for each in manager["http_filters"] if each["name"] == FILTER)
    del wasm["typed_config"]
    source = {"ads": {}, "resource_api_version": "V3"}
    wasm["config_discovery"] = {"config_source": source, "type_urls": [WASM]}
    data["node"] = found["node"]
    data["dynamic_resources"] = {"ads_config": found["dynamic_resources"]["ads_config"]}
    data["static_resources"]["clusters"] += found["static_resources"]["clusters"]
    return json.dumps(data)


@asynccontextmanager
async def delivering(folder: Path, module: Module, *, threads: int = 1) -> AsyncIterator[Delivery]:
    """An Envoy with that module, which serves."""
    pushes = Pushes()
    async with serving([to_resource(module)], observer=pushes) as mesh:
        text = build_discovered(folder, mesh.port, module)
        async with await EnvoyProcess.start(text, folder, concurrency=threads) as envoy:
            yield Delivery(envoy, mesh, pushes)
