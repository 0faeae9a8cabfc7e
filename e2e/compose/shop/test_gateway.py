"""The way in, as a person on this machine uses it: by published ports, in plain text and with TLS."""

from __future__ import annotations

import http.client
import json
import ssl

import pytest

from e2e.compose.project import Project

CLAIMED = {"x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/shop/sa/storefront", "x-user": "ann"}


def ask(connection: http.client.HTTPConnection, target: str) -> tuple[int, bytes]:
    """One call, claiming to be somebody else."""
    try:
        connection.request("GET", target, headers=CLAIMED)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def verified(shop: Project) -> ssl.SSLContext:
    """Who believes nobody but the shop's own certificate."""
    certificate = shop.exec("control-plane", "cat", "/state/gateway.crt")
    return ssl.create_default_context(cadata=certificate)


def test_people_come_in_by_http_and_https(shop: Project) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", shop.published("gateway", 8080), timeout=10)
    secure = http.client.HTTPSConnection(
        "127.0.0.1", shop.published("gateway", 8443), timeout=10, context=verified(shop)
    )
    wanted = {"welcome": "ann", "caller": "spiffe://cluster.local/ns/edge/sa/gateway"}
    for connection in (plain, secure):
        status, body = ask(connection, "/")
        assert (status, json.loads(body)) == (200, wanted)


@pytest.mark.parametrize("target", ["/admin", "//admin", "/%61dmin", "/x/../admin"])
def test_nobody_gets_to_the_back_office(shop: Project, target: str) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", shop.published("gateway", 8080), timeout=10)
    assert ask(plain, target)[0] == 403
