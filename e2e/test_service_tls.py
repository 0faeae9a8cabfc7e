"""Envoy and the filter's service over mutual TLS: each believes only whom it was told to."""

from __future__ import annotations

import asyncio
import ipaddress
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.burst import SPECS
from e2e.certificates import Authority
from e2e.front import front
from e2e.stage import FILTERS
from e2e.test_restart import ask
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.service_cluster import Backend
from meshext.envoy.service_tls import ServiceTls
from meshext.envoy.upstreams import parse_address
from meshext.plan import Mode

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

NAME = "spiffe://mesh/filters"


class Papers:
    """Certificates of the service, of Envoy, and of strangers."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        sans = [x509.UniformResourceIdentifier(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        self.service = ours.issue("service", sans, usage=ExtendedKeyUsageOID.SERVER_AUTH)
        envoy, stranger = ours.issue("envoy", []), theirs.issue("stranger", [])
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
