"""The whole bootstrap: golden, taken by the real Envoy, and what its connection manager makes of requests."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.downstream_tls import DownstreamTls, parse_tls
from meshext.envoy.emit import to_json, to_yaml
from meshext.envoy.process import validate
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import TcpAddress, UnixAddress, parse_upstream
from meshext.errors import ConfigError
from meshext.plan import Mode, Plan
from tests.envoy_config.conftest import Lab

Make = Callable[..., Plan]
ONE = parse_upstream("one=127.0.0.1:8001")
TWO = parse_upstream("two=localhost:8002")
ADMIN = Path("/run/meshext/admin.sock")
SERVICE = Backend(addresses=(UnixAddress("/run/meshext/service.sock"),))


def test_golden(make_plan: Make, golden: Callable[[str, str], None]) -> None:
    plan = make_plan(mode="proc", request_body="whole", max_body=4_194_304)
    gateway = Gateway(upstreams=(ONE, TWO), admin=ADMIN, plan=plan, service=SERVICE)
    golden(to_yaml(build_bootstrap(gateway)), "gateway.yaml")


def test_golden_tls(golden: Callable[[str, str], None]) -> None:
    tls = DownstreamTls(certificate=Path("/tls/a.pem"), key=Path("/tls/a.key"), client_ca=Path("/tls/ca.pem"))
    listen = TcpAddress("127.0.0.1", 8443)
    golden(
        to_yaml(build_bootstrap(Gateway(upstreams=(ONE,), admin=ADMIN, tls=tls, listen=listen))), "tls.yaml"
    )


def test_gateway_refuses_what_makes_no_sense(make_plan: Make) -> None:
    with pytest.raises(ValueError, match="at least one upstream"):
        Gateway(upstreams=(), admin=ADMIN)
    with pytest.raises(ValueError, match="a plan goes with its service or its module"):
        Gateway(upstreams=(ONE,), admin=ADMIN, plan=make_plan())
    with pytest.raises(ConfigError, match="the filter's own cluster"):
        Gateway(upstreams=(parse_upstream("meshext=h:1"),), admin=ADMIN)


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
@pytest.mark.parametrize("max_body", [1, 100_000_000])
def test_envoy_takes_it(mode: Mode, max_body: int, make_plan: Make) -> None:
    plan = make_plan(mode=mode, request_body="whole", response_headers=mode == "proc", max_body=max_body)
    service = Backend(addresses=(TcpAddress("localhost", 9000), UnixAddress("/run/b.sock")))
    gateway = Gateway(upstreams=(ONE, TWO), admin=ADMIN, plan=plan, service=service)
    asyncio.run(validate(to_json(build_bootstrap(gateway))))


@pytest.mark.envoy
def test_envoy_has_nothing_to_complain_about(in_lab: Callable[..., None], make_plan: Make) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).status == 200
        await lab.envoy.stop()
        assert [line for line in lab.log if line.level == "warning" and "SIGTERM" not in line.message] == []

    in_lab(steps, make_plan())


@pytest.mark.envoy
@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ("/a//b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a%2fb", "/a/b"),
        ("/a%5Cb", "/a/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/%2e%2e%2fb", "/b"),
        ("/a%252fb", "/a%252fb"),
        ("/%61dmin", "/admin"),
        ("/a;x/b", "/a;x/b"),
        ("/a?b//c=%2f", "/a?b//c=%2f"),
    ],
)
def test_paths_are_normalised(sent: str, got: str, in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask(sent)).json()["target"] == got

    in_lab(steps)


@pytest.mark.envoy
def test_a_client_is_not_believed(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        answer = await lab.ask(
            "/", {"x-forwarded-client-cert": "URI=spiffe://forged", "x-forwarded-for": "9.9.9.9"}
        )
        headers = dict(answer.json()["headers"])
        assert "x-forwarded-client-cert" not in headers
        assert headers["x-envoy-external-address"] == "127.0.0.1"
        assert answer.headers["x-request-id"] == headers["x-request-id"]

    in_lab(steps)


@pytest.mark.envoy
def test_underscores_in_header_names_are_refused(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        port = lab.envoy.port(LISTENER)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nx_user: ada\r\nConnection: close\r\n\r\n")
        assert b" 400 " in (await reader.read()).split(b"\r\n")[0]
        writer.close()
        await writer.wait_closed()

    in_lab(steps)


@pytest.mark.envoy
def test_trailers_reach_the_upstream(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.envoy.port(LISTENER))
        writer.write(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"2\r\nhi\r\n0\r\nx-end: yes\r\n\r\n"
        )
        assert b'"x-end"' in await reader.read()
        writer.close()
        await writer.wait_closed()

    in_lab(steps)


def test_tls_options_go_together(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    a, none = str(tmp_path / "a"), str(tmp_path / "none")
    assert parse_tls(None, None, None) is None
    assert parse_tls(a, a, a) == DownstreamTls(certificate=Path(a), key=Path(a), client_ca=Path(a))
    for options, told in (
        ((a, None, None), "--tls-key is missing"),
        ((None, a, None), "--tls-cert is missing"),
        ((None, None, a), "--client-ca needs --tls-cert"),
        ((none, a, None), f"--tls-cert {none!r} can not be read: No such file"),
    ):
        with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
            parse_tls(*options)


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_client_certificates(
    mode: Mode, tmp_path: Path, in_lab: Callable[..., None], make_plan: Make
) -> None:
    authority = Authority(tmp_path)
    authority.issue("server", x509.DNSName("localhost"))
    authority.issue("ada", x509.UniformResourceIdentifier("spiffe://a/ada"))
    two = map(x509.UniformResourceIdentifier, ("spiffe://a/ada", "spiffe://a/eve"))
    authority.issue("two", *two)

    async def steps(lab: Lab) -> None:
        async def peer(client: str | None) -> dict[str, str | bytes]:
            head = await fetch(lab.envoy.port(LISTENER), authority.context(client))
            assert b" 200 " in head.split(b"\r\n")[0]
            return {name: value for name, value in lab.probe.metadata.items() if name.startswith("x-meshext")}

        ada = await peer("ada")
        assert ada["x-meshext-uri-san"] == "spiffe://a/ada"
        assert ada["x-meshext-tls-version"] == "TLSv1.3"
        assert ada["x-meshext-attribute-connection.requested_server_name"] == "localhost"
        assert (await peer("two"))["x-meshext-uri-san"] == "spiffe://a/ada,spiffe://a/eve"
        nobody = await peer(None)
        assert "x-meshext-uri-san" not in nobody
        assert "x-meshext-tls-version" in nobody

    tls = parse_tls(authority.path("server"), authority.path("server.key"), authority.path("ca"))
    plan = make_plan(mode=mode, attributes=("connection.requested_server_name",))
    in_lab(steps, plan, tls=tls)


async def fetch(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


class Authority:
    """A certificate authority whose files lie in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
        self.issue("ca", authority=True)

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def issue(self, name: str, *names: x509.GeneralName, authority: bool = False) -> None:
        key = self.key if authority else ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names or [x509.DNSName("ca")]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        Path(self.path(name)).write_bytes(certificate.public_bytes(pem))
        Path(self.path(f"{name}.key")).write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))

    def context(self, client: str | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.path("ca"))
        if client:
            context.load_cert_chain(self.path(client), self.path(f"{client}.key"))
        return context
