"""Statuses of gRPC-Web calls as the telemetry filter counts them, behind the real Envoy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.front import Front, at, fronting
from e2e.grpc_upstream import grpc_upstream
from e2e.stage import wait_for
from e2e.watched import Served, serving
from meshext.sandbox.client import Answer, send

pytestmark = pytest.mark.envoy

WEB = "application/grpc-web+proto"
TRANSLATOR = {
    "name": "grpc_web",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb"},
}


@pytest.fixture
def served() -> Iterator[Served]:
    with serving("telemetry") as found:
        yield found


def call(front: Front, target: str, message: bytes = b"hello") -> Answer:
    """A call with one message, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md"""
    body = b"\0" + len(message).to_bytes(4, "big") + message
    headers = [("content-type", WEB), ("x-decided", "yes")]
    return send(f"http://127.0.0.1:{front.port}", "POST", target, headers=headers, body=body)


def counted(served: Served, code: str, **labels: str) -> float:
    name = "http_server_request_duration_seconds_count"
    return served.total(name, rpc_grpc_status_code=code, http_response_status_code="200", **labels)


def test_a_status_in_the_headers_counts(served: Served) -> None:
    """A call that fails before its first message has its status there."""
    with fronting("telemetry", "proc", at(served.port)) as front:
        for code in ("14", "5"):
            assert call(front, f"/headers?content-type=application/grpc-web&grpc-status={code}").status == 200
        assert wait_for(lambda: counted(served, "14", error_type="UNAVAILABLE") == 1)
        assert wait_for(lambda: counted(served, "5") == 1)
        assert served.total("http_server_request_errors_total", rpc_grpc_status_code="14") == 1


def test_behind_envoys_own_translation_every_status_counts(served: Served) -> None:
    """The filter `grpc_web` stands before ours, which then sees gRPC and its trailers."""
    with grpc_upstream() as address:

        def change(bootstrap: dict[str, Any]) -> None:
            (chain,) = bootstrap["static_resources"]["listeners"][0]["filter_chains"]
            chain["filters"][0]["typed_config"]["http_filters"].insert(0, TRANSLATOR)
            lead_to(bootstrap["static_resources"]["clusters"], address)

        with fronting("telemetry", "proc", at(served.port), change=change) as front:
            answer = call(front, "/played.Echo/Unary")
            assert (answer.status, answer.header("content-type")) == (200, WEB)
            assert b"hello" in answer.body
            assert b"grpc-status:0" in answer.body
            call(front, "/played.Echo/Unary", b"stop")
            call(front, "/played.Echo/Nothing")
            assert wait_for(lambda: [counted(served, code) for code in ("0", "5", "12")] == [1, 1, 1])
            assert counted(served, "12", error_type="UNIMPLEMENTED") == 1


def lead_to(clusters: list[dict[str, Any]], address: str) -> None:
    """Let the upstream of gRPC calls be the service there; the route is chosen anew after the translation."""
    (calls,) = [each for each in clusters if each["name"] == "echo+grpc"]
    host, _, port = address.rpartition(":")
    place = {"address": {"socket_address": {"address": host, "port_value": int(port)}}}
    calls["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": place}]}]
