"""What is asked, and what is made of answers, of good ones and of others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.rollout.errors import RolloutError, SightError
from meshext_controlplane.rollout.judging import Reading
from meshext_controlplane.rollout.prometheus import Prometheus, parse_number, parse_queries, parse_url
from meshext_controlplane.rollout.shifting import Versions

VERSIONS = Versions(host="reviews.shop.svc.cluster.local", stable="v1.0", canary="v2")


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything so, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query)["query"][0])
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def vector(*numbers: str) -> bytes:
    result = [{"metric": {}, "value": [1, number]} for number in numbers]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def test_both_versions_are_asked_for() -> None:
    with answering(vector("7")) as (url, asked):
        readings = Prometheus(url=url).read(VERSIONS, 12.3)
    assert readings.stable == readings.canary == Reading(requests=7, errors=7, latency=7)
    assert len(asked) == 6
    assert all("[13s]" in each for each in asked)
    pattern = r'envoy_cluster_name=~"outbound\\|[0-9]+\\|v1\\.0\\|reviews_shop_svc_cluster_local"'
    assert pattern in asked[0]


def test_nothing_counted_yet_is_no_mistake() -> None:
    with answering(vector()) as (url, _):
        assert Prometheus(url=url).read(VERSIONS, 1).canary == Reading()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (vector("1", "2"), 200, "2 answers"),
        (b"<html>", 200, "not Prometheus'"),
        (b'{"error": "parse error"}', 400, "parse error"),
        (b"", 502, "502"),
        (b"[" * 100_000, 200, "not Prometheus'"),
        (b" " * 2_000_000, 200, "more than"),
    ],
)
def test_what_is_no_answer_is_told(body: bytes, status: int, told: str) -> None:
    with answering(body, status) as (url, _), pytest.raises(SightError, match=told):
        Prometheus(url=url).read(VERSIONS, 1)


def test_nobody_there() -> None:
    with pytest.raises(SightError, match="does not answer"):
        Prometheus(url="http://127.0.0.1:1").read(VERSIONS, 1)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps({"data": v}).encode())
)
def test_any_body_is_a_number_or_none(body: bytes) -> None:
    try:
        found = parse_number(body, "up")
    except SightError:
        return
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize("text", ["prometheus:9090", "ftp://host", "http://", "file:///etc/passwd"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(RolloutError, match="http://HOST:PORT"):
        parse_url(text)


def test_queries_of_ones_own() -> None:
    assert parse_queries(["errors=sum(x{{v='{subset}'}}[{window}])"]) == {
        "errors": "sum(x{{v='{subset}'}}[{window}])"
    }
    for wrong in ("errors", "speed=1", "errors={nothing}", "errors={", "errors={0}", "errors={subset.x.y}"):
        with pytest.raises(RolloutError):
            parse_queries([wrong])
