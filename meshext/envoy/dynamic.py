"""A listener and service clusters that can be replaced while Envoy runs: files that Envoy watches.

`envoy.config.core.v3.PathConfigSource`. Envoy reads a file again when it is renamed into place; a listener
whose filters changed is taken over in place, and its open exchanges end on the filters they began with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.envoy.bootstrap import Gateway, build_bootstrap, build_listener
from meshext.envoy.emit import to_data
from meshext.envoy.messages import builds_messages
from meshext.envoy.service_cluster import Backend, build_service_cluster

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap, BootstrapDynamicResources
    from envoy_data_plane.envoy.config.core.v3 import ConfigSource
    from envoy_data_plane.google.protobuf import Any

LISTENERS, CLUSTERS = "listeners.json", "clusters.json"


@builds_messages
def build_dynamic_bootstrap(gateway: Gateway, folder: Path) -> Bootstrap:
    """The bootstrap whose listener and service cluster are in files of that folder."""
    from envoy_data_plane.envoy.config.core.v3 import Node

    bootstrap = build_bootstrap(gateway)
    static = bootstrap.static_resources
    assert static is not None
    static.listeners = []
    if gateway.service is not None:
        static.clusters = [each for each in static.clusters if each.name != gateway.service.cluster]
    bootstrap.dynamic_resources = _build_sources(folder)
    bootstrap.node = Node(id="meshext", cluster="meshext")
    return bootstrap


@builds_messages
def write_listener(gateway: Gateway, folder: Path, version: int) -> None:
    """Give Envoy this listener in place of the last one."""
    from envoy_data_plane.google.protobuf import Any

    _write(folder / LISTENERS, [Any.pack(build_listener(gateway))], version)


@builds_messages
def write_clusters(backends: Sequence[Backend], folder: Path, version: int) -> None:
    """Give Envoy the clusters of these services, and take away all other ones."""
    from envoy_data_plane.google.protobuf import Any

    _write(folder / CLUSTERS, [Any.pack(build_service_cluster(backend)) for backend in backends], version)


def _build_sources(folder: Path) -> BootstrapDynamicResources:
    from envoy_data_plane.envoy.config.bootstrap.v3 import BootstrapDynamicResources

    return BootstrapDynamicResources(
        lds_config=_build_source(folder / LISTENERS), cds_config=_build_source(folder / CLUSTERS)
    )


def _build_source(path: Path) -> ConfigSource:
    from envoy_data_plane.envoy.config.core.v3 import ApiVersion, ConfigSource, PathConfigSource

    return ConfigSource(
        path_config_source=PathConfigSource(path=str(path)), resource_api_version=ApiVersion.V3
    )


def _write(path: Path, resources: Sequence[Any], version: int) -> None:
    """Whole and at once, readable by us alone."""
    # A DiscoveryResponse; the package that has the message takes seconds to import.
    text = json.dumps({"version_info": str(version), "resources": [to_data(each) for each in resources]})
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.rename(path)
