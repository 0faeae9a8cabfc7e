"""What a filter inside Envoy writes as metadata is Envoy's own: other filters and the access log have it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.inside import MINUTES
from e2e.stage import wait_for
from meshext.envoy.emit import Data
from meshext.envoy.logs import OUTPUT
from meshext.testing import Reply
from meshext_wasm.cli.runtime import embed
from tests.conformance.case import Send
from tests.wasm.host.envoy import EnvoyWithModule

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

SPEC = str(Path(__file__).parent / "filters" / "telling" / "telling.py")
NAMESPACE = "meshext.telling"
BANNED = {
    "filter": NAMESPACE,
    "path": [{"key": "group"}],
    "value": {"string_match": {"exact": "banned"}},
}
RBAC = {
    "name": "envoy.filters.http.rbac",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {
            "action": "DENY",
            "policies": {"banned": {"permissions": [{"any": True}], "principals": [{"metadata": BANNED}]}},
        },
    },
}
KINDS = [7, -1.5, True, False, "", {"deep": {"1": [1e300]}}, {}]


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvoyWithModule]:
    module, _ = embed((SPEC,), (), lambda _: None)
    folder = tmp_path_factory.mktemp("envoy")
    with EnvoyWithModule(module, folder, change=put_behind, written_namespaces=(NAMESPACE,)) as running:
        yield running


def put_behind(bootstrap: Data) -> None:
    """The native filter between the module and the router."""
    [listener] = bootstrap["static_resources"]["listeners"]
    listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"].insert(-1, RBAC)


def logged(envoy: EnvoyWithModule, target: str) -> dict[str, Any]:
    """The metadata in the access log's line about that path."""

    def find() -> list[Any]:
        lines = [json.loads(line.message) for line in envoy.log if line.component == OUTPUT]
        return [line for line in lines if line["path"] == target]

    assert wait_for(lambda: bool(find()))
    [line] = find()
    found: dict[str, Any] = line["metadata"][NAMESPACE]
    return found


def test_a_native_filter_decides_by_it(envoy: EnvoyWithModule) -> None:
    assert envoy.send(Send(target="/banned", headers=(("x-group", "banned"),)))[0].status == 403
    assert envoy.send(Send(target="/welcome", headers=(("x-group", "guests"),)))[0].status == 200
    assert logged(envoy, "/banned")["group"] == "banned"


def test_the_access_log_has_what_every_phase_wrote(envoy: EnvoyWithModule) -> None:
    got, _ = envoy.send(Send(target="/all"), Reply(201, body=b"x" * 70_000))
    assert got.status == 201
    assert logged(envoy, "/all") == {
        "group": "none",
        "caf\u00e9": 'a "quoted": 7:text',
        "kinds": KINDS,
        "status": 201,
        "size": 70_000,
    }
