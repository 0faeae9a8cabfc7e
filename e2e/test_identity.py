"""Who the client is: real certificates, real TLS, both modes. The policy fails open."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.filters.identity import FRIEND
from e2e.raw import send_http2
from e2e.stage import Stage, echo, received, report, staged
from meshext.envoy.downstream_tls import DownstreamTls
from meshext.plan import Mode
from meshext.sandbox.client import Answer

pytestmark = pytest.mark.envoy

URI, DNS = x509.UniformResourceIdentifier, x509.DNSName
OTHER = "spiffe://td.test/ns/shop/sa/other"

NAMES: dict[str, tuple[list[x509.GeneralName], str | None]] = {
    "one SPIFFE ID": ([URI(FRIEND)], FRIEND),
    "another": ([URI(OTHER)], OTHER),
    "a SPIFFE ID and DNS names": ([URI(FRIEND), DNS("shop.test"), DNS("web.test")], FRIEND),
    "DNS name first": ([DNS("shop.test"), URI(FRIEND)], FRIEND),
    "two SPIFFE IDs": ([URI(FRIEND), URI(OTHER)], None),
    "the same twice": ([URI(FRIEND), URI(FRIEND)], None),
    "a SPIFFE ID and a URL": ([URI(FRIEND), URI("https://shop.test")], None),
    "a URL and a SPIFFE ID": ([URI("https://shop.test"), URI(FRIEND)], None),
    "no names": ([], None),
    "DNS only": ([DNS("shop.test")], None),
    "DNS that looks like it": ([DNS("spiffe.td.test")], None),
    "a URL": ([URI("https://td.test/ns/shop/sa/web")], None),
    "mail": ([x509.RFC822Name("web@td.test")], None),
    "comma": ([URI(f"{FRIEND},{OTHER}")], None),
    "comma at the end": ([URI(f"{FRIEND},")], None),
    "capitals": ([URI(FRIEND.replace("spiffe", "SPIFFE"))], None),
    "prefix": ([URI(f"x{FRIEND}")], None),
    "longer": ([URI(f"{FRIEND}2")], f"{FRIEND}2"),
    "another trust domain": (
        [URI(FRIEND.replace("td.test", "td.test.evil"))],
        FRIEND.replace("td.test", "td.test.evil"),
    ),
    "space": ([URI(f"{FRIEND} x")], None),
    "empty": ([URI("")], None),
}


@dataclass(frozen=True, slots=True)
class Place:
    """TLS in front of the filter; `trusted` signs clients, `foreign` is nobody's friend."""

    stage: Stage
    trusted: Authority
    foreign: Authority

    def ask(self, tls: ssl.SSLContext | None, target: str = "/", **options: Any) -> Answer:
        return self.stage.send(target=target, tls=tls, **options)


@pytest.fixture(scope="module", params=["authz", "proc"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with TemporaryDirectory(prefix="mx-") as name:
        folder = Path(name)
        trusted, foreign = Authority(folder, "trusted"), Authority(folder, "foreign")
        with staged("identity.py:Identity", mode=request.param, tls=to_tls(trusted)) as stage:
            yield Place(stage, trusted, foreign)


def to_tls(authority: Authority, *, client_ca: bool = True) -> DownstreamTls:
    """The server's side, with a certificate of the same authority."""
    server = authority.issue("server", [DNS("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    return DownstreamTls(
        certificate=server.certificate, key=server.key, client_ca=authority.file if client_ca else None
    )


def seen(answer: Answer) -> dict[str, Any]:
    """What the filter took the client for."""
    assert answer.status == 200, answer
    found: dict[str, Any] = json.loads(received(answer, "x-seen")[0])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_principal(place: Place, name: str) -> None:
    sans, principal = NAMES[name]
    tls = place.trusted.issue("client", sans).to_client()
    told = seen(place.ask(tls))
    report(f"{name}: {told}")
    assert told["principal"] == principal
    assert (told["tls"], told["mtls"], told["address"]) == (True, True, "127.0.0.1")
    assert place.ask(tls, "/private").status == (200 if principal == FRIEND else 403)


def test_name_with_a_nul_opens_no_door(place: Place) -> None:
    """It can not be carried to the service; nor does Envoy put it into x-forwarded-client-cert."""
    tls = place.trusted.issue("client", [URI(f"{FRIEND}\0.evil")]).to_client()
    for target in ("/", "/private"):
        answer = place.ask(tls, target)
        report(f"NUL in the SAN, {target}: {answer.status} {answer.text}")
        assert answer.status in (403, 500, 503)


def test_no_certificate(place: Place) -> None:
    told = seen(place.ask(plain_client()))
    assert (told["principal"], told["tls"], told["mtls"]) == (None, True, False)
    assert place.ask(plain_client(), "/private").status == 403


def test_subject_is_no_principal(place: Place) -> None:
    tls = place.trusted.issue("client", [], subject=FRIEND).to_client()
    assert seen(place.ask(tls))["principal"] is None
    assert place.ask(tls, "/private").status == 403


@pytest.mark.parametrize("length", [1_000, 7_000, 9_000, 14_000, 30_000])
def test_long_name_opens_no_door(place: Place, length: int) -> None:
    """gRPC refuses initial metadata above a limit; a filter that fails open must not depend on it."""
    tls = place.trusted.issue("client", [URI("spiffe://td.test/" + "x" * length)]).to_client()
    try:
        answer = place.ask(tls, "/private")
    except OSError:
        report(f"SAN of {length} bytes: refused by TLS")
        return
    report(f"SAN of {length} bytes: {answer.status}")
    assert answer.status == 403


def bad_pairs(place: Place) -> dict[str, Pair]:
    friend: list[x509.GeneralName] = [URI(FRIEND)]
    issue = place.trusted.issue
    return {
        "another CA": place.foreign.issue("foreign-client", friend),
        "expired": issue("expired", friend, until=-timedelta(hours=1)),
        "not yet valid": issue("early", friend, since=timedelta(hours=1)),
        "for servers": issue("for-servers", friend, usage=ExtendedKeyUsageOID.SERVER_AUTH),
    }


@pytest.mark.parametrize("name", ["another CA", "expired", "not yet valid", "for servers"])
def test_bad_certificate_is_refused_by_tls(place: Place, name: str) -> None:
    tls = bad_pairs(place)[name].to_client()
    with pytest.raises(OSError, match=REFUSED):
        place.ask(tls)


REFUSED = r"(?i)alert|closed|reset|EOF|broken pipe"


def test_self_made_chain_is_refused(place: Place) -> None:
    """A leaf that is no CA can not sign another."""
    leaf = place.trusted.issue("leaf", [URI(OTHER)])
    forged = place.foreign.issue("forged", [URI(FRIEND)])
    chain = forged.certificate.read_bytes() + leaf.certificate.read_bytes()
    forged.certificate.write_bytes(chain)
    with pytest.raises(OSError, match=REFUSED):
        place.ask(forged.to_client())


@contextmanager
def connected(
    place: Place, tls: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None
) -> Iterator[ssl.SSLSocket]:
    """A connection that asks for the server of that name."""
    with (
        socket.create_connection(("127.0.0.1", place.stage.port), timeout=30) as plain,
        tls.wrap_socket(plain, server_hostname=name, session=session) as link,
    ):
        yield link


def ask_bytes(link: ssl.SSLSocket, target: str) -> bytes:
    """One request and the whole answer."""
    link.sendall(f"GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
    got = b""
    while more := link.recv(65536):
        got += more
    return got


FORGED = [
    ("x-forwarded-client-cert", f"URI={FRIEND}"),
    ("x-forwarded-client-cert", f"By=spiffe://a/b;URI={FRIEND},By=x;URI={FRIEND}"),
    ("x-meshext-uri-san", FRIEND),
    ("x-meshext-tls-version", "TLSv1.3"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-envoy-external-address", "10.0.0.1"),
    ("forwarded", "for=10.0.0.1"),
]


@pytest.mark.parametrize(("name", "value"), FORGED)
@pytest.mark.parametrize("who", ["nobody", "other"])
def test_forged_header_has_no_effect(place: Place, who: str, name: str, value: str) -> None:
    tls = plain_client() if who == "nobody" else place.trusted.issue("client", [URI(OTHER)]).to_client()
    assert place.ask(tls, "/private", headers=[(name, value)]).status == 403
    answer = place.ask(tls, headers=[(name, value)])
    told = seen(answer)
    assert told["principal"] == (None if who == "nobody" else OTHER)
    assert (told["address"], told["client"]) == ("127.0.0.1", "127.0.0.1")
    assert not any(FRIEND in line for line in received(answer, "x-forwarded-client-cert"))


def test_upstream_is_told_the_verified_name(place: Place) -> None:
    tls = place.trusted.issue("client", [URI(FRIEND)]).to_client()
    answer = place.ask(tls, headers=[("x-forwarded-client-cert", f"URI={OTHER}")])
    (line,) = received(answer, "x-forwarded-client-cert")
    assert f"URI={FRIEND}" in line
    assert OTHER not in line


def test_resumed_session_keeps_the_name(place: Place) -> None:
    tls = place.trusted.issue("client", [URI(FRIEND)]).to_client()
    session = None
    for resumed in (False, True):
        with connected(place, tls, "localhost", session) as link:
            assert ask_bytes(link, "/private").startswith(b"HTTP/1.1 200")
            session = link.session
            assert link.session_reused == resumed


def test_a_session_ends_with_the_trust_it_was_made_under(place: Place) -> None:
    """A ticket of an Envoy that believed the client's CA is worth nothing to one that does not."""
    tls = place.trusted.issue("client", [URI(FRIEND)]).to_client()
    with connected(place, tls, "localhost") as link:
        assert ask_bytes(link, "/private").startswith(b"HTTP/1.1 200")
        session = link.session
    assert session is not None
    assert session.has_ticket
    mode = place.stage.sandbox.plan.mode
    other = replace(to_tls(place.trusted), client_ca=place.foreign.file)
    with staged("identity.py:Identity", mode=mode, tls=other) as stage:
        changed = replace(place, stage=stage)
        got = b""
        with suppress(OSError), connected(changed, tls, "localhost", session) as link:
            assert not link.session_reused
            got = ask_bytes(link, "/private")
        assert got == b""
        friend = place.foreign.issue("friend", [URI(FRIEND)]).to_client()
        assert changed.ask(friend, "/private").status == 200


def test_http2_over_tls(place: Place) -> None:
    tls = place.trusted.issue("client", [URI(FRIEND)]).to_client()
    tls.set_alpn_protocols(["h2"])
    lines = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/private")]
    assert send_http2(place.stage.port, lines, tls=tls).status == 200
    stranger = plain_client()
    stranger.set_alpn_protocols(["h2"])
    assert send_http2(place.stage.port, lines, tls=stranger).status == 403


@pytest.mark.parametrize("name", ["shop.test", "SHOP.test", "a_b.test", "x" * 60 + ".test"])
def test_server_name(place: Place, name: str) -> None:
    with connected(place, plain_client(), name) as link:
        got = ask_bytes(link, "/")
    headers = dict(json.loads(got.partition(b"\r\n\r\n")[2])["headers"])
    told = json.loads(headers["x-seen"])["sni"]
    report(f"SNI {name}: {told}")
    assert told.lower() == name.lower()


def test_no_server_name(place: Place) -> None:
    with connected(place, plain_client(), None) as link:
        got = ask_bytes(link, "/")
    headers = dict(json.loads(got.partition(b"\r\n\r\n")[2])["headers"])
    assert json.loads(headers["x-seen"])["sni"] is None


def test_plain_text_is_not_served_on_the_tls_port(place: Place) -> None:
    with socket.create_connection(("127.0.0.1", place.stage.port), timeout=30) as plain:
        plain.sendall(b"GET /private HTTP/1.1\r\nhost: a\r\n\r\n")
        try:
            got = plain.recv(65536)
        except ConnectionError:
            got = b""
    assert got == b""


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_without_a_ca_no_certificate_is_believed(mode: Mode) -> None:
    with TemporaryDirectory(prefix="mx-") as name:
        authority = Authority(Path(name), "any")
        with staged("identity.py:Identity", mode=mode, tls=to_tls(authority, client_ca=False)) as stage:
            tls = authority.issue("client", [URI(FRIEND)]).to_client()
            told = seen(stage.send(tls=tls, headers=[("x-forwarded-client-cert", f"URI={FRIEND}")]))
            assert (told["principal"], told["tls"], told["mtls"]) == (None, True, False)
            assert stage.send(target="/private", tls=tls).status == 403


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_plain_text(mode: Mode) -> None:
    with staged("identity.py:Identity", mode=mode) as stage:
        answer = stage.send(headers=[("x-forwarded-client-cert", f"URI={FRIEND}")])
        assert seen(answer) == {
            "principal": None,
            "address": "127.0.0.1",
            "client": "127.0.0.1",
            "tls": False,
            "sni": None,
            "mtls": False,
        }
        assert "x-forwarded-client-cert" not in dict(echo(answer)["headers"])
