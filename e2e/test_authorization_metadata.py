"""`authorization-policy` on what another filter of Envoy found out, seen in the real Envoy, in both modes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.front import Front, at, fronting
from e2e.rbac.native import DEMO, HTTP_FILTERS, build_metadata_filter, encode_value
from e2e.watched import serving
from meshext.http.metadata import Json

pytestmark = pytest.mark.envoy

POLICY = "authorization-policy"
LUA, CONSTANT = "envoy.filters.http.lua", "envoy.filters.http.set_metadata"
SCRIPT = f"""
function envoy_on_request(handle)
  local found = handle:streamInfo():dynamicMetadata()
  local tier = handle:headers():get("x-tier")
  if tier then found:set("{LUA}", "tier", tier) end
  found:set("{LUA}", "groups", {{"staff", "night"}})
end
"""


def when(path: str, namespace: str, key: str, values: list[str], *, word: str = "values") -> dict[str, Any]:
    """A rule for one path with one condition."""
    condition = {"key": f"experimental.{namespace}[{key}]", word: values}
    return {"to": [{"operation": {"paths": [path]}}], "when": [condition]}


def document(name: str, action: str, rules: list[dict[str, Any]]) -> str:
    head = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
    spec = {"action": action, "rules": rules}
    return json.dumps({**head, "metadata": {"name": name, "namespace": "shop"}, "spec": spec})


POLICIES = "\n---\n".join(
    [
        document(
            "allow",
            "ALLOW",
            [
                when("/text", DEMO, "k", ["gold", "silver*"]),
                when("/list", DEMO, "k", ["[gold]"]),
                when("/some", DEMO, "k", ["*"]),
                when("/not", DEMO, "k", ["gold"], word="notValues"),
                when("/open", LUA, "groups", ["[staff]"]),
                when("/tier", LUA, "tier", ["gold"]),
                when("/groups", LUA, "groups", ["[day]"]),
                when("/stage", CONSTANT, "stage", ["canary"]),
                when("/other-stage", CONSTANT, "stage", ["stable"]),
            ],
        ),
        document("deny", "DENY", [when("/open", DEMO, "l", ["bad", "[bad]"])]),
    ]
)


def put_before(bootstrap: dict[str, Any]) -> None:
    """Three filters that write metadata before ours reads it."""
    (listener,) = bootstrap["static_resources"]["listeners"]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    script = {"@type": HTTP_FILTERS + "lua.v3.Lua", "default_source_code": {"inline_string": SCRIPT}}
    constant = {
        "@type": HTTP_FILTERS + "set_metadata.v3.Config",
        "metadata": [{"metadata_namespace": CONSTANT, "value": {"stage": "canary"}}],
    }
    filters[:0] = [
        build_metadata_filter(),
        {"name": LUA, "typed_config": script},
        {"name": CONSTANT, "typed_config": constant},
    ]


@pytest.fixture(scope="module", params=["authz", "proc"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    config = tmp_path_factory.mktemp("shop") / "policy.yaml"
    config.write_text(POLICIES, encoding="utf-8")
    with (
        serving(POLICY, "--config", str(config)) as served,
        fronting(POLICY, request.param, at(served.port), config=str(config), change=put_before) as front,
    ):
        yield front


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        ("/text", "gold", 200),
        ("/text", "silver-2", 200),
        ("/text", "Gold", 403),
        ("/text", "", 403),
        ("/text", ["gold"], 403),
        ("/text", {"gold": "gold"}, 403),
        ("/text", True, 403),
        ("/text", None, 403),
        ("/list", ["iron", "gold"], 200),
        ("/list", ["iron"], 403),
        ("/list", [["gold"]], 403),
        ("/list", [], 403),
        ("/list", "gold", 403),
        ("/some", "x", 200),
        ("/some", "", 403),
        ("/some", 7, 403),
        ("/not", "iron", 200),
        ("/not", "gold", 403),
        ("/not", ["gold"], 200),
    ],
)
def test_a_value_decides_by_its_form(shop: Front, path: str, value: Json, status: int) -> None:
    assert shop.send(path, **{"x-demo-k": encode_value(value).decode()}).status == status


def test_no_value_is_no_match(shop: Front) -> None:
    found = {path: shop.send(path).status for path in ("/text", "/list", "/some", "/not")}
    assert found == {"/text": 403, "/list": 403, "/some": 403, "/not": 200}


def test_a_denial_reads_it_too(shop: Front) -> None:
    values: list[Json] = ["good", "bad", ["good", "bad"], ["good"]]
    found = [shop.send("/open", **{"x-demo-l": encode_value(value).decode()}).status for value in values]
    assert found == [200, 403, 403, 200]


def test_what_a_script_and_a_constant_say(shop: Front) -> None:
    assert [shop.send("/tier", **{"x-tier": tier}).status for tier in ("gold", "iron", "")] == [200, 403, 403]
    found = {path: shop.send(path).status for path in ("/tier", "/groups", "/stage", "/other-stage")}
    assert found == {"/tier": 403, "/groups": 403, "/stage": 200, "/other-stage": 403}
