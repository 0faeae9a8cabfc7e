"""A claim about who is let in fails where somebody is who should not be."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshext_controlplane.demo.claims import identity, telling
from meshext_controlplane.demo.claims.stage import ClaimFails, Stage, identity_of
from meshext_controlplane.demo.strangers import make_stranger
from meshext_controlplane.demo.watching import Watch
from meshext_controlplane.model.workload_document import PortSpec
from meshext_controlplane.tap.spans import Span
from meshext_controlplane.up.instances import Instance

OURS = identity_of("web")
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def stage_with(port: int) -> Stage:
    """A mesh of one workload, which listens there."""
    web = Instance(
        name="web",
        namespace="shop",
        service_account="web",
        address="127.0.0.1",
        command=("web",),
        folder=Path("/"),
        data=Path("/"),
        ports=(PortSpec(port=port),),
    )
    mesh: Any = SimpleNamespace(instances=[web])
    return Stage(mesh, Watch())


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None) -> AsyncIterator[Stage]:
    """A server that answers whoever comes as far as a request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield stage_with(server.sockets[0].getsockname()[1])


def server_context(folder: Path, uri: str, *, clients: bool) -> ssl.SSLContext:
    """TLS with a certificate for that URI; with `clients` only for those of its own authority."""
    file = folder / "server.pem"
    file.write_bytes(make_stranger(uri))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(file)
    return context


def try_claim(holds: Callable[[Stage], Awaitable[str]], tls: ssl.SSLContext | None) -> str:
    """What the claim says of such a server."""

    async def play() -> str:
        async with serving(tls) as stage:
            return await holds(stage)

    return asyncio.run(play())


def test_a_server_in_plain_text_is_found_out() -> None:
    with pytest.raises(ClaimFails, match=r"web\.shop answers 200 ok in plain text"):
        try_claim(identity.plain_text_is_refused, None)


def test_one_that_takes_anybody_over_tls_is_found_out(tmp_path: Path) -> None:
    context = server_context(tmp_path, OURS, clients=False)
    with pytest.raises(ClaimFails, match=r"web\.shop answers 200 ok without a certificate"):
        try_claim(identity.strangers_are_refused, context)


def test_one_that_believes_any_authority_is_found_out(tmp_path: Path) -> None:
    context = server_context(tmp_path, OURS, clients=True)
    stranger: list[bytes] = []

    def make(uri: str) -> bytes:
        stranger.append(make_stranger(uri))
        file = tmp_path / "believed.pem"
        file.write_bytes(stranger[-1])
        context.load_verify_locations(file)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return stranger[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "make_stranger", make)
        with pytest.raises(ClaimFails, match=r"answers 200 ok with a foreign certificate"):
            try_claim(identity.strangers_are_refused, context)


def test_one_that_asks_for_certificates_of_its_own_is_right(tmp_path: Path) -> None:
    context = server_context(tmp_path, OURS, clients=True)
    assert "no answer" in try_claim(identity.plain_text_is_refused, context)
    assert "1 sidecars" in try_claim(identity.strangers_are_refused, context)
    assert "1 sidecars, at least 1.0 h" in try_claim(identity.every_workload_has_a_certificate, context)


def test_a_certificate_for_somebody_else_is_found_out(tmp_path: Path) -> None:
    context = server_context(tmp_path, identity_of("other"), clients=True)
    with pytest.raises(ClaimFails, match="other"):
        try_claim(identity.every_workload_has_a_certificate, context)


@pytest.mark.parametrize(
    "holds",
    [
        identity.plain_text_is_refused,
        identity.strangers_are_refused,
        identity.every_workload_has_a_certificate,
    ],
)
def test_where_nobody_listens_nothing_is_proved(holds: Callable[[Stage], Awaitable[str]]) -> None:
    async def play() -> None:
        async with serving(None) as stage:
            port = stage.servers[0].ports[0].port
        await holds(stage_with(port))

    with pytest.raises(ClaimFails):
        asyncio.run(play())


def test_a_span_without_its_parent_is_seen() -> None:
    spans = [
        Span(service="customers.shop", name="out", trace="t", id="a", parent="root"),
        Span(service="storefront.shop", name="in", trace="t", id="b", parent="a"),
    ]
    assert telling.without_parent(spans, "root") == []
    assert telling.without_parent(spans[1:], "root") == spans[1:]
