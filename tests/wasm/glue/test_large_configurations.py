"""A thousand rules are taken by a module, in memory that a machine may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from meshext.plugins import load_filter
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.cli.runtime import to_configuration
from meshext_wasm.host.driver import Driver
from meshext_wasm.host.guest import WasmtimeGuest
from meshext_wasm.host.machine import Machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the library may have to be compiled first

MOST = 256 * 2**20


def policies(count: int) -> dict[str, Any]:
    """Rules that ask for all there is to ask, path templates too."""
    rules = [
        {
            "from": [{"source": {"principals": [f"td/ns/shop/sa/a{n}"], "namespaces": [f"n{n}"]}}],
            "to": [{"operation": {"methods": ["GET", "PUT"], "paths": [f"/v{n}/*", f"/x{n}/{{*}}/y"]}}],
            "when": [{"key": "request.headers[x-client]", "values": [f"c{n}", f"d{n}*"]}],
        }
        for n in range(count)
    ]
    about = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
    documents = [
        {
            **about,
            "metadata": {"name": f"p{at}", "namespace": "shop"},
            "spec": {"rules": rules[at : at + 100]},
        }
        for at in range(0, count, 100)
    ]
    return {"policies": documents, "namespace": "shop"}


def limits(count: int) -> dict[str, Any]:
    rules = [
        {
            "name": f"rule{n}",
            "by": ["header:x-api-key"],
            "match": {"paths": [f"/orders{n}/*"]},
            "limits": [{"rate": 2, "per": "1h", "algorithm": "token_bucket"}],
        }
        for n in range(count)
    ]
    return {"store_away": "local", "rules": rules}


def experiments(variants: int) -> dict[str, Any]:
    made = [{"name": f"e{n}", "variants": {"a": 60, "b": 40}, "share": 70} for n in range(variants // 2)]
    return {"user": ["header:x-user"], "experiments": made}


@pytest.mark.parametrize(
    ("name", "write", "count"),
    [
        ("authorization-policy", policies, 1000),
        ("rate-limit", limits, 1000),
        ("ab-routing", experiments, 300),
    ],
)
def test_a_large_configuration_is_taken(
    tmp_path: Path, name: str, write: Callable[[int], dict[str, Any]], count: int
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(write(count)), encoding="utf-8")
    configuration = to_configuration([load_filter(name)], [str(path)])
    machine = Machine(configuration=configuration.encode())
    guest = WasmtimeGuest(build_filters([name], user_cache()).code, machine)
    Driver(guest).configure()
    memory = guest._instance.exports(guest._store)["memory"]
    assert isinstance(memory, wasmtime.Memory)
    assert memory.data_len(guest._store) < MOST
