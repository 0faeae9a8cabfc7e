"""What Envoy says beside the messages is the same to a filter inside of it as to one in a service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.inside import MINUTES, embedded
from meshext.sandbox import Options, Proxy, build_setup

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

SPEC = str(Path(__file__).parent / "filters" / "surroundings" / "surroundings.py")
PEER = "spiffe://td.test/ns/shop/sa/ann"
FORGED = {"x-forwarded-for": "6.6.6.6", "x-forwarded-client-cert": "URI=spiffe://forged/a"}
VARYING = {
    "request.time",
    "source.address",
    "source.port",
    "destination.address",
    "destination.port",
    "connection.id",
    "upstream.address",
    "upstream.local_address",
    "upstream.port",
    "upstream.cx_pool_ready_duration",
}
"""Of these the kind is compared: two proxies and connections differ in them."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The filter as a service and inside of Envoy, behind TLS."""

    service: Proxy
    inside: Proxy
    client: Pair

    def ask(self, *, certified: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What each of them was told: at the request, at the response."""
        found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
        for proxy in (self.service, self.inside):
            tls = self.client.to_client() if certified else plain_client()
            target = "/a/b?c=d&e"
            headers = {**FORGED, "user-agent": "ours", "referer": "https://shop.test/"}
            answer = proxy.request("POST", target, headers=headers, body="12345", host="shop.test", tls=tls)
            assert answer.status == 200, proxy.logs
            for told, name in zip(found, ("x-early", "x-late"), strict=True):
                told.append(json.loads(answer.header(name) or "{}"))
        return found


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    authority = Authority(tmp_path_factory.mktemp("ca"), "ca")
    server = authority.issue("server", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    client = authority.issue("client", [x509.UniformResourceIdentifier(PEER), x509.DNSName("ann.test")])
    options = Options(
        specs=(SPEC,),
        mode="proc",
        tls_cert=str(server.certificate),
        tls_key=str(server.key),
        client_ca=str(authority.file),
    )
    setup = build_setup(options)
    service, inside = Proxy.start(setup), Proxy.start(embedded(setup))
    yield Ground(service, inside, client)
    inside.stop()
    service.stop()


def comparable(told: dict[str, Any]) -> dict[str, Any]:
    """Without what two connections can not have in common."""
    return {name: type(value).__name__ if name in VARYING else value for name, value in told.items()}


@pytest.mark.parametrize("certified", [True, False])
def test_inside_is_told_what_a_service_is_told(ground: Ground, certified: bool) -> None:
    for service, inside in ground.ask(certified=certified):
        assert comparable(inside) == comparable(service)


def test_who_is_there_is_what_the_certificate_proves(ground: Ground) -> None:
    early, _ = ground.ask(certified=True)
    told = early[1]
    assert told["peer.principal"] == PEER
    assert told["peer.address"] == told["client_address"] == "127.0.0.1"
    assert told["peer.tls"] is True
    assert told["connection.mtls"] is True
    assert abs(told["request.time"] - time.time()) < 60


def test_who_shows_no_certificate_is_nobody(ground: Ground) -> None:
    early, _ = ground.ask(certified=False)
    assert early[1]["peer.principal"] is None
    assert early[1]["connection.mtls"] is False
    assert early[1]["peer.address"] == "127.0.0.1"
