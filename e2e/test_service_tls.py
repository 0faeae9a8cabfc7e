"""Envoy and the filter's service over mutual TLS: each believes only whom it was told to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e import watched
from e2e.burst import SPECS
from e2e.certificates import Authority, Pair
from e2e.front import Front, at, front, fronting
from e2e.raw import DEADLINE, connected
from e2e.stage import FILTERS, report, wait_for
from e2e.test_restart import ask
from e2e.under_load import Got, under_load
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.service_cluster import Backend
from meshext.envoy.service_tls import ServiceTls
from meshext.envoy.upstreams import parse_address
from meshext.plan import Mode

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

NAME = "spiffe://mesh/filters"
ROTATIONS = 2


class Papers:
    """Certificates of the service, of Envoy, and of strangers."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        sans = [x509.UniformResourceIdentifier(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        self.ours, self.theirs, self.sans = ours, theirs, sans
        self.service = self.issue("service")
        envoy, stranger = ours.issue("envoy", []), theirs.issue("stranger", [])
        self.envoy, self.stranger = envoy, stranger
        self.good = ServiceTls(
            ca=str(ours.file), name=NAME, certificate=str(envoy.certificate), key=str(envoy.key)
        )
        self.ca = ours.file
        self.bad = {
            "another name": replace(self.good, name="spiffe://mesh/others"),
            "another CA of the service": replace(self.good, ca=str(theirs.file)),
            "no certificate": replace(self.good, certificate="", key=""),
            "a stranger's certificate": replace(
                self.good, certificate=str(stranger.certificate), key=str(stranger.key)
            ),
        }

    def issue(self, name: str) -> Pair:
        """One more certificate of the service."""
        return self.ours.issue(name, self.sans, usage=ExtendedKeyUsageOID.SERVER_AUTH)


@asynccontextmanager
async def serving(spec: str, papers: Papers) -> AsyncIterator[str]:
    """The address of `meshext serve` with TLS that asks for a certificate."""
    tls = [f"--tls-cert={papers.service.certificate}", f"--tls-key={papers.service.key}"]
    command = ["-m", "meshext", "serve", spec, "--listen", "127.0.0.1:0", *tls, f"--client-ca={papers.ca}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().removeprefix("serving ").strip()
    finally:
        process.terminate()
        await process.wait()


async def status(folder: Path, backend: Backend, spec: str, mode: Mode) -> int:
    """What a client gets through an Envoy with that idea of its service."""
    async with front(spec, mode, backend, folder) as envoy:
        return await ask(envoy.port(LISTENER))


@pytest.mark.parametrize("mode", list(SPECS))
def test_mutual_tls(mode: Mode, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The right papers pass; whatever is wrong with them is a service that is not there, so fail closed."""
    folder = tmp_path_factory.mktemp("t")
    papers, spec = Papers(folder), f"{FILTERS / SPECS[mode]}"

    async def main() -> dict[str, int]:
        async with serving(spec, papers) as address:
            plain = Backend(addresses=(parse_address(address),))
            cases = {"all right": papers.good, **papers.bad, "no TLS": None}
            asked = [
                status(folder / str(number), replace(plain, tls=tls), spec, mode)
                for number, tls in enumerate(cases.values())
            ]
            return dict(zip(cases, await asyncio.gather(*asked), strict=True))

    statuses = asyncio.run(main())
    assert statuses.pop("all right") == 200
    assert set(statuses.values()) == {500}, statuses


class Live:
    """The files that a service is started with, written over one after the other."""

    def __init__(self, folder: Path, papers: Papers) -> None:
        self._papers = papers
        self.files = {name: folder / f"live-{name}.pem" for name in ("tls-cert", "tls-key", "client-ca")}
        self.options = [f"--{name}={path}" for name, path in self.files.items()]
        self.serial = 0
        self.rotate(papers.ours, papers.theirs)

    def rotate(self, *authorities: Authority) -> None:
        """A new certificate and key of the service, and whose clients it lets in."""
        pair = self._papers.issue("next")
        self.files["tls-cert"].write_bytes(pair.certificate.read_bytes())
        self.files["tls-key"].write_bytes(pair.key.read_bytes())
        self.files["client-ca"].write_bytes(b"".join(each.file.read_bytes() for each in authorities))
        self.serial = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number


@pytest.mark.parametrize("mode", list(SPECS))
def test_rotation_under_load(mode: Mode, tmp_path: Path) -> None:
    """No request fails while files are half written, new, and wrong; who is no longer let in is not."""
    papers, spec = Papers(tmp_path), f"{FILTERS}/held.py:Holds"  # its time limit is out of reach
    live = Live(tmp_path, papers)
    with (
        watched.serving(spec, "--watch", *live.options) as served,  # connections live for a second with it
        fronting(spec, mode, at(served.port, tls=papers.good)) as front,
        under_load(front.port, judge=words) as load,
    ):
        assert hello(served.port, papers.stranger) == (live.serial, True)
        for _ in range(ROTATIONS):
            live.rotate(papers.ours)
            assert wait_for(lambda: hello(served.port, papers.envoy) == (live.serial, True))
            all_connect_again(front)
            assert hello(served.port, papers.stranger) == (live.serial, False)
        live.files["tls-key"].write_bytes(papers.stranger.key.read_bytes())
        assert hello(served.port, papers.envoy) == (live.serial, True)
        assert wait_for(lambda: any("the last good ones serve on" in line for line in served.lines))
        all_connect_again(front)
        live.rotate(papers.ours)
        assert wait_for(lambda: hello(served.port, papers.envoy) == (live.serial, True))
        all_connect_again(front)
    report(
        f"{mode}: {dict(load.kinds)} over {ROTATIONS} rotations and a wrong key, {load.longest:.2f} s at most"
    )
    assert set(load.kinds) == {"200"}, served.lines


def test_a_session_ends_with_the_trust_it_was_made_under(tmp_path: Path) -> None:
    """Whoever has a ticket of the service is verified anew once its CA is believed no more."""
    papers = Papers(tmp_path)
    live = Live(tmp_path, papers)
    context = papers.stranger.to_client()
    context.set_alpn_protocols(["h2"])
    with watched.serving(f"{FILTERS}/held.py:Holds", *live.options) as served:
        session, _ = talk(served.port, context)
        assert talk(served.port, context, session)[1]  # it is worth something as long as the CA is believed
        live.rotate(papers.ours)
        assert wait_for(lambda: not hello(served.port, papers.stranger)[1])
        assert talk(served.port, context, session) == (None, False)
        assert hello(served.port, papers.envoy) == (live.serial, True)


def talk(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession | None, bool]:
    """The session of a connection that the service takes, and whether it goes on with the one given."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as plain,
        context.wrap_socket(plain, session=session) as link,
    ):
        if link.recv(1):
            return link.session, bool(link.session_reused)
    return None, False


def words(got: Got) -> str:
    """The status, and what is said of a failure."""
    return str(got.status) + ("" if got.status == 200 else f" {got.body!r}")


def hello(port: int, pair: Pair) -> tuple[int, bool]:
    """The serial number of the service's certificate, and whether it lets that client in."""
    context = pair.to_client()
    context.set_alpn_protocols(["h2"])
    with connected(port, context) as link:
        assert isinstance(link, ssl.SSLSocket)
        certificate = x509.load_der_x509_certificate(link.getpeercert(binary_form=True) or b"")
        with suppress(OSError):
            return certificate.serial_number, bool(link.recv(1))  # HTTP/2's first word is the server's
        return certificate.serial_number, False


def all_connect_again(front: Front) -> None:
    """Until Envoy's threads have all made new connections."""
    pattern = r"cluster\.meshext\.ssl\.handshake$"
    before = front.stats(pattern)
    assert wait_for(lambda: front.stats(pattern) >= before + 4)
