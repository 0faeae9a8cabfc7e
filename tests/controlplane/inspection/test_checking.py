"""`meshext check` of a mesh: each stage on what was seen, and what is seen of real ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshext.cli.main import main
from meshext.cli.stages import Stage, show_stages
from meshext_controlplane.identity.holdings import Holding, Holdings, Standing
from meshext_controlplane.inspection import checking
from meshext_controlplane.inspection.probing import Place, Probe, probe
from meshext_controlplane.inspection.view import View
from tests.controlplane.inspection.views import REFUSED, SYNCED, read_shop, view_of
from tests.ports import free_port

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def held(serial: str, account: str, *, left: float, **more: bool) -> Holding:
    """A certificate of a day with so many hours left."""
    until = NOW + timedelta(hours=left)
    return Holding(
        identity=f"spiffe://cluster.local/ns/shop/sa/{account}",
        serial=serial,
        token=serial[0],
        issued=until - timedelta(hours=24),
        not_after=until,
        banned=more.get("banned", False),
        newest=more.get("newest", True),
    )


def authority(role: str, days: int) -> Standing:
    until = NOW + timedelta(days=days)
    return Standing(role=role, subject="", fingerprint="ab" * 32, not_after=until, ours=True)


def seen() -> View:
    proxies = {
        "reviews-2": replace(SYNCED, serial="a1"),
        "caller": replace(REFUSED, serial="b1"),
        "web": replace(SYNCED, serial="c1", problem="a cluster is missing"),
    }
    problem = "mesh.yaml:3: Service shop/x: spec.ports: expected a list, got 1; write ports: [...]"
    held_back = ("Service shop/x: the last good version stays, from mesh.yaml:1",)
    return replace(view_of(read_shop(), **proxies), problems=(problem,), held=held_back)


PROBES: dict[Place, Probe] = {
    ("127.1.7.2", 8080): Probe.REFUSED,
    ("127.1.7.2", 8081): Probe.ANSWERED,
    ("127.1.7.4", 8080): Probe.UNREACHABLE,
}
HOLDINGS = Holdings(
    (authority("root", 3000), authority("issuing", 20), authority("old", -1)),
    (held("a1", "reviews", left=1, newest=False), held("a2", "reviews", left=20), held("c1", "web", left=7)),
)


def stages(view: View, holdings: Holdings, probes: dict[Place, Probe]) -> list[Stage]:
    return [
        checking.check_control_plane(view),
        checking.check_configuration(view),
        checking.check_authority(holdings, NOW),
        *checking.check_workloads(view, holdings, probes, NOW),
        checking.check_services(view),
        checking.check_findings(view),
    ]


def test_everything_that_may_be_wrong(
    capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert not show_stages(stages(seen(), HOLDINGS, PROBES))
    golden(capsys.readouterr().out, "wrong.txt")


def test_an_empty_mesh(capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]) -> None:
    empty = View(mesh=replace(read_shop(), documents={}, workloads=()), ready=False)
    assert not show_stages(stages(empty, Holdings((), ()), {}))
    golden(capsys.readouterr().out, "empty.txt")


@pytest.mark.parametrize(
    ("left", "banned", "word"),
    [
        (12, False, "OK"),
        (8.1, False, "OK"),
        (7.9, False, "WARNING"),
        (2.3, False, "FAILED"),
        (20, True, "FAILED"),
    ],
)
def test_certificates_by_what_is_left(left: float, banned: bool, word: str) -> None:
    view = seen()
    (workload,) = view.workload("reviews-2")
    holdings = Holdings((), (held("a1", "reviews", left=left, banned=banned), held("z1", "reviews", left=23)))
    (found,) = checking.check_certificate(workload, view.proxy_of(workload), holdings, NOW)
    assert found.level.value == word


def test_strict_ports_are_those_that_are_tried() -> None:
    found = [(workload.name, port) for workload, port in checking.list_strict(seen())]
    assert found == [("reviews-2", 8080), ("reviews-2", 8081), ("caller", 8080)]


@pytest.mark.parametrize(
    ("sent", "closes", "wanted"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, Probe.ANSWERED),
        (b"220 mail\r\n", False, Probe.ANSWERED),
        (b"", True, Probe.REFUSED),
        (b"\x15\x03\x01\x00\x02\x02\x46", True, Probe.REFUSED),
        (b"", False, Probe.SILENT),
    ],
)
def test_what_strangers_meet(sent: bytes, closes: bool, wanted: Probe) -> None:
    async def run() -> Probe:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(sent)
            if not closes:
                await left.wait()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

        left = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            patience = 0.2 if wanted is Probe.SILENT else 30
            found = await probe("127.0.0.1", port, patience=patience)
            left.set()
            return found

    assert asyncio.run(run()) is wanted


def test_nobody_is_there() -> None:
    assert asyncio.run(probe("127.0.0.1", free_port())) is Probe.UNREACHABLE


def test_no_control_plane(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--state", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "FAILED   no control plane answers" in out
    assert "-> start `meshext controlplane" in out
