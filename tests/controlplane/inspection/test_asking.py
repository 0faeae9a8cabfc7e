"""What `meshext explain --workload` says where providers and Python filters are asked beside policies."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from meshext.cli.explain import answer
from meshext.policy.scope import Workload as Subject
from meshext.policy.settings import Settings
from meshext_controlplane.inspection.asking import ask_filters
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.translate.policies import Policies
from tests.controlplane.inspection.views import read_shop, view_of
from tests.controlplane.translation.meshes import parse_mesh

CALLER = "spiffe://cluster.local/ns/shop/sa/web"
FILTERS = '''\
import os
from dataclasses import dataclass

from meshext import Filter, Respond


class Caller(Filter):
    """Tells policies who calls."""

    def on_request(self, request):
        print("a filter may print")
        request.headers["x-caller"] = request.peer.principal or "nobody"


class Guard(Filter):
    """Closes one path, whatever its letters."""

    @dataclass
    class Config:
        closed: str = "/closed"

    def __init__(self, config):
        self.closed = config.closed

    def on_request(self, request):
        if request.path.lower() == self.closed:
            return Respond(423, details="closed_today")
        if "sub" in request.metadata["envoy.filters.http.jwt_authn"].get("payload", {}):
            return Respond(451, body="no tokens here\\nnever")

    metadata_namespaces = ("envoy.filters.http.jwt_authn",)


class Body(Filter):
    def on_request_body(self, request):
        return Respond(400)


class Shouts(Filter):
    """Changes the body that the next one looks at."""

    def on_request_body(self, request):
        if request.body == b"go away":
            return Respond(400)
        request.body = request.body.upper()


class Loud(Filter):
    def on_request_body(self, request):
        if request.body == b"HELLO":
            return Respond(429)


class Ends(Filter):
    def on_request(self, request):
        os._exit(3)


class Counts(Filter):
    async def on_request(self, request):
        await self.store.add("all")
'''
MESH = f"""\
kind: Workload
name: web-1
namespace: shop
account: web
labels: {{app: web}}
address: 127.1.7.2
ports: [{{number: 80, application: "127.0.0.1:8080", protocol: http}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: callers, namespace: shop}}
spec: {{rules: [{{when: [{{key: "request.headers[x-caller]", values: ["{CALLER}"]}}]}}]}}
"""


def policy(name: str, *fields: str) -> str:
    return (
        "---\napiVersion: meshext.dev/v1\nkind: FilterPolicy\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{{', '.join(fields)}}}\n"
    )


def ask(
    capsys: pytest.CaptureFixture[str], mesh: Mesh, name: str, path: str, method: str = "GET", **more: Any
) -> dict[str, Any]:
    """What the command says as JSON."""
    body = more.pop("body", None)
    (workload,) = [each for each in mesh.workloads if each.name == name]
    settings = Settings(
        policies=Policies(mesh).authorization_of(workload), workload=Subject(namespace=workload.namespace)
    )
    request = json.dumps({"method": method, "path": path, **more})
    asking = partial(ask_filters, view_of(mesh), workload)
    allowed = answer(
        settings, (request, "DECODE_AND_MERGE_SLASHES"), as_json=True, trace=False, ask=asking, body=body
    )
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["allowed"] is allowed
    return told


@pytest.mark.parametrize(
    ("method", "path", "allowed", "asked"),
    [
        ("GET", "/admin/x", True, True),
        ("GET", "//admin%2fx", True, True),
        ("GET", "/public", True, False),
        ("DELETE", "/admin/x", False, True),
    ],
)
def test_who_is_asked(
    method: str, path: str, allowed: bool, asked: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ask(capsys, read_shop(), "reviews-2", path, method)
    assert told["allowed"] is allowed
    assert told.get("asked") == ([{"policy": "shop/ask", "rule": 0, "provider": "ask"}] if asked else None)


@pytest.fixture
def filters(tmp_path: Path) -> Path:
    file = tmp_path / "filters.py"
    file.write_text(FILTERS, encoding="utf-8")
    return file


def outcomes(told: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(each["named"].rpartition("/")[2], each["outcome"], each["status"]) for each in told["filters"]]


def test_filters_stand_before_policies_and_behind_them(
    filters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = parse_mesh(
        MESH
        + policy("caller", f'filter: "{filters}:Caller"', "phase: AUTHN")
        + policy("guard", f'filter: "{filters}:Guard"', "config: {closed: /closed}")
    )
    peer = {"principal": CALLER}
    open_ = ask(capsys, mesh, "web-1", "/open", peer=peer)
    assert (open_["allowed"], outcomes(open_)) == (
        True,
        [("caller", "passes", None), ("guard", "passes", None)],
    )
    stranger = ask(capsys, mesh, "web-1", "/closed", headers={"x-caller": CALLER})
    assert (stranger["allowed"], stranger["policy"]) == (False, None)
    assert outcomes(stranger) == [("caller", "passes", None), ("guard", "not reached", None)]
    closed = ask(capsys, mesh, "web-1", "//Closed", peer=peer)
    assert (closed["allowed"], closed["policy"], outcomes(closed)[1]) == (
        False,
        "shop/callers",
        ("guard", "refuses", 423),
    )
    assert closed["filters"][1]["why"] == "closed_today"
    token = ask(capsys, mesh, "web-1", "/open", peer=peer, claims={"sub": "ann"})
    assert (outcomes(token)[1], token["filters"][1]["why"]) == (("guard", "refuses", 451), "no tokens here")


def test_filters_that_can_not_be_asked_are_named(filters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh = parse_mesh(
        MESH.partition("---")[0]
        + policy("body", f'filter: "{filters}:Body"', "priority: 4")
        + policy("counts", f'filter: "{filters}:Counts"', "priority: 3")
        + policy("ends", f'filter: "{filters}:Ends"', "priority: 2")
        + policy("last", f'filter: "{filters}:Guard"', "config: {closed: /closed}")
    )
    told = ask(capsys, mesh, "web-1", "/open")
    assert (told["allowed"], outcomes(told)) == (
        True,
        [
            ("body", "not asked", None),
            ("counts", "passes", None),
            ("ends", "not asked", None),
            ("last", "not asked", None),
        ],
    )
    assert [each["why"].partition(",")[0] for each in told["filters"]] == [
        "it looks at the request's body; tell it with --body",
        "its store is empty here",
        "it ends the process that asks it",
        "the filter before it gave no answer",
    ]


def test_a_body_goes_from_one_filter_to_the_next(filters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh = parse_mesh(
        MESH.partition("---")[0]
        + policy("shouts", f'filter: "{filters}:Shouts"', "priority: 2")
        + policy("loud", f'filter: "{filters}:Loud"')
    )
    for body, expected in [
        (b"bye", [("shouts", "passes", None), ("loud", "passes", None)]),
        (b"hello", [("shouts", "passes", None), ("loud", "refuses", 429)]),
        (b"go away", [("shouts", "refuses", 400), ("loud", "not reached", None)]),
        (None, [("shouts", "not asked", None), ("loud", "not asked", None)]),
    ]:
        assert outcomes(ask(capsys, mesh, "web-1", "/", "POST", body=body)) == expected


def test_a_filter_that_a_service_runs_is_asked_as_it_is_written(
    filters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: policies, namespace: shop}\n"
        "spec: {selector: {app: policies}, ports: [{name: grpc, port: 9000}]}\n"
    )
    shared = "service: {host: policies.shop.svc.cluster.local, port: 9000}"
    mesh = parse_mesh(
        MESH.partition("---")[0]
        + service
        + policy("guard", f'filter: "{filters}:Guard"', "config: {closed: /closed}", shared)
    )
    for path, expected in [("/open", ("guard", "passes", None)), ("/closed", ("guard", "refuses", 423))]:
        told = ask(capsys, mesh, "web-1", path)
        assert outcomes(told) == [expected]
        assert "the service policies.shop.svc.cluster.local:9000 decides" in told["filters"][0]["why"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (('filter: "nowhere:Missing"',), "it does not load, so everything is refused"),
        (
            (
                "filter: rate-limit",
                "config: {rules: [{name: a, limits: [{rate: 5, per: 1m}]}]}",
                "service: {host: policies.shop.svc.cluster.local, port: 9000}",
            ),
            "there is no service policies.shop.svc.cluster.local:9000: all is refused",
        ),
    ],
)
def test_a_filter_that_can_not_run_lets_nothing_in(
    fields: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ask(capsys, parse_mesh(MESH.partition("---")[0] + policy("broken", *fields)), "web-1", "/")
    assert (told["allowed"], told["filters"][0]["outcome"], told["filters"][0]["why"]) == (
        False,
        "refuses",
        why,
    )
