"""The SPIFFE Workload API on its socket: who gets what, when, and who gets nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.workload_api.service import PROOF
from meshext_controlplane.agent.workload_api.socket_file import listen
from meshext_proto.meshext import svids_pb2
from tests.controlplane.agent.authority import Authority
from tests.controlplane.agent.workload import IDENTITY, make_svid, offered

INVALID, DENIED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED
STREAMS = ["FetchX509SVID", "FetchX509Bundles"]


def test_an_application_gets_key_chain_roots_and_lists(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            svid = api.join().svid
            async with api.stream("FetchX509SVID") as call:
                message = await call.read()
            (found,) = message.svids
            assert found.spiffe_id == IDENTITY
            assert found.x509_svid == b"".join(svid.chain)
            assert found.bundle == api.authority.der
            key = load_der_private_key(found.x509_svid_key, None)
            leaf = x509.load_der_x509_certificate(svid.chain[0])
            assert key.public_key() == leaf.public_key()
            assert not message.federated_bundles
            async with api.stream("FetchX509Bundles") as call:
                bundles = await call.read()
            assert dict(bundles.bundles) == {"spiffe://mesh.test": api.authority.der}

    asyncio.run(scenario())


def with_root(svid: Svid, authority: Authority) -> Svid:
    roots = [*svid.roots, Authority("second root").der]
    return svid.trusting(svids_pb2.Trust(roots=roots))


def with_ban(svid: Svid, authority: Authority) -> Svid:
    other = make_svid(authority).chain[0]
    return svid.trusting(svids_pb2.Trust(roots=svid.roots, revocations=[authority.revoke(other)]))


def renewed(svid: Svid, authority: Authority) -> Svid:
    return make_svid(authority)


@pytest.mark.parametrize("change", [with_root, with_ban, renewed])
@pytest.mark.parametrize("method", STREAMS)
def test_what_changes_is_sent_at_once(tmp_path: Path, method: str, change: Any) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            credentials = api.join()
            async with api.stream(method) as call:
                first = await call.read()
                credentials.replace(change(credentials.svid, api.authority))
                if change is renewed and method == "FetchX509Bundles":  # nothing to tell: the next is told
                    credentials.replace(with_root(credentials.svid, api.authority))
                second = await call.read()
                assert first != second
                last = credentials.svid
                if method == "FetchX509SVID":
                    assert second.svids[0].x509_svid == b"".join(last.chain)
                    assert second.svids[0].bundle == b"".join(last.roots)
                else:
                    assert list(second.bundles.values()) == [b"".join(last.roots)]
                assert tuple(second.crl) == last.revocations

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "metadata", [(), (("workload.spiffe.io", "True"),), (("workload.spiffe.io", ""),), (PROOF, PROOF)]
)
@pytest.mark.parametrize("method", STREAMS)
def test_a_call_without_the_proof_is_refused(tmp_path: Path, method: str, metadata: Any) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            api.join()
            code, details = await api.ending(method, metadata)
            assert (code, "workload.spiffe.io" in details) == (INVALID, True)
            assert number(api.api.counts, "workload_api_calls_total", method) == 1
            assert number(api.api.counts, "workload_api_refusals_total", "INVALID_ARGUMENT") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("method", STREAMS)
def test_who_has_no_identity_is_told_so(tmp_path: Path, method: str) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            assert await api.ending(method) == (DENIED, "this sidecar has not joined its mesh yet")
            credentials = api.join(life=timedelta(seconds=1))
            async with api.stream(method) as call:
                assert await call.read()
                assert await call.code() is DENIED  # when it expires
            assert "expired" in (await api.ending(method))[1]
            ban(api.authority, credentials)
            async with api.stream(method) as call:
                assert await call.code() is DENIED
                assert "is banned" in await call.details()

    asyncio.run(scenario())


def ban(authority: Authority, credentials: Credentials) -> None:
    """Its own certificate is on the list of its sidecar."""
    svid = make_svid(authority)
    trust = svids_pb2.Trust(roots=svid.roots, revocations=[authority.revoke(svid.chain[0])])
    credentials.replace(svid.trusting(trust))


def test_only_we_may_open_the_socket(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            assert stat.S_IMODE(api.path.stat().st_mode) == 0o600
            assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("*.sock")} == {0o600}
        assert list(tmp_path.glob("workload.sock")) == []

    asyncio.run(scenario())


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
ASK = f"""
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
try:
    link.sendall({PREFACE!r})
    print(len(link.recv(9)))
except OSError:
    print(0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("user", "said"), [(4711, "9"), (4712, "0")])
def test_the_kernel_says_who_connects(user: int, said: str, caplog: pytest.LogCaptureFixture) -> None:
    async def ask(path: Path) -> str:
        command = [sys.executable, "-c", ASK, str(path), str(user)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    async def scenario(private: Path, public: Path) -> None:
        async with offered(private, 4711, path=public / "workload.sock") as api:
            api.join()
            assert await ask(api.path) == said
            strangers = number(api.api.counts, "workload_api_strangers_total")
            assert strangers == (said == "0")
        refused = "user 4712 may not use the Workload API"
        assert (refused in caplog.text) == (said == "0")

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (private := Path(folder) / "private").mkdir(mode=0o700)
        (public := Path(folder) / "public").mkdir(mode=0o755)
        asyncio.run(scenario(private, public))


def number(counts: Counts, name: str, *key: str) -> float:
    (family,) = (each for each in counts.families() if each.name == f"meshext_sidecar_{name}")
    return family.numbers.get(key, 0)


def test_a_socket_takes_no_other_place(tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("mine")
    with pytest.raises(DirectoryError, match="is no socket"):
        listen(file)
    assert file.read_text() == "mine"
    with listen(tmp_path / "first"), pytest.raises(DirectoryError, match="somebody listens"):
        listen(tmp_path / "first")
    with listen(tmp_path / "first"):  # that of a life that was killed is replaced
        pass
    with pytest.raises(DirectoryError, match="too long"):
        listen(tmp_path / ("x" * 100) / "socket")
    with pytest.raises(DirectoryError, match="can not listen"):
        listen(file / "socket")


def test_connections_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshext_controlplane.agent.workload_api.callers.MOST", 3)

    async def scenario() -> None:
        async with offered(tmp_path) as api:
            api.join()
            held = [connected(api.path) for _ in range(3)]
            try:
                await until_served(held)
                assert (await api.ending("FetchX509SVID"))[0] is grpc.StatusCode.UNAVAILABLE
            finally:
                for each in held:
                    each.close()
            async with api.stream("FetchX509SVID", patient=True) as call:
                assert await call.read()

    asyncio.run(scenario())


def connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(path))
    return made


async def until_served(held: list[socket.socket]) -> None:
    """Each gets the server's first frame of HTTP/2, SETTINGS, once it has said the preface."""
    loop = asyncio.get_running_loop()
    for each in held:
        each.setblocking(False)
        await loop.sock_sendall(each, PREFACE)
        assert await asyncio.wait_for(loop.sock_recv(each, 9), 10)
