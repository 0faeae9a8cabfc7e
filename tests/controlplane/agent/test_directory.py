"""A sidecar's folder: its own, private, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.certificate_files import write_certificates
from meshext_controlplane.agent.directory import Directory, joining_key, load_svid, store_svid
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.svid import build_csr, check_svid, key_to_pem, make_key
from tests.controlplane.agent.authority import Authority
from tests.controlplane.agent.mesh import identity


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_sidecar_at_a_time(tmp_path: Path) -> None:
    first = Directory(tmp_path / "a")
    with pytest.raises(DirectoryError, match="another sidecar uses"):
        Directory(tmp_path / "a")
    first.close()
    Directory(tmp_path / "a").close()


def test_an_open_folder_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Directory(tmp_path).close()
    assert mode(tmp_path) == 0o700


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match="too long for sockets"):
        Directory(tmp_path / ("x" * 100))


def test_what_is_stored_comes_back_and_is_private(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    authority, key = Authority(), joining_key(directory)
    assert key_to_pem(joining_key(directory)) == key_to_pem(key)  # the same one at each try
    svid = check_svid(authority.svid(build_csr(key), identity("a")), key)
    store_svid(directory, svid)
    loaded = load_svid(directory)
    assert loaded is not None
    assert (loaded.chain, loaded.key_pem) == (svid.chain, svid.key_pem)
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {"lock": 0o600, "svid.json": 0o600}
    directory.close()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"key": "x", "svid": "eA=="}', b"\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    directory = Directory(tmp_path)
    directory.write("svid.json", content)
    with pytest.raises(DirectoryError, match=r"svid\.json' is damaged: remove it and give a new --token"):
        load_svid(directory)
    directory.close()


def test_a_torn_joining_key_is_made_anew(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.write("joining.pem", b"-----BEGIN PRIVATE")
    assert key_to_pem(joining_key(directory)).startswith(b"-----BEGIN PRIVATE KEY")
    directory.close()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Directory(tmp_path)
    directory.write("svid.json", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DirectoryError, match="No space left on device"):
        directory.write("svid.json", b"new")
    assert directory.read("svid.json") == b"old"
    directory.close()


def test_certificates_as_files(tmp_path: Path) -> None:
    authority, key = Authority(), make_key()
    message = authority.svid(build_csr(key), identity("a"))
    message.revocations.append(authority.revoke())
    write_certificates(tmp_path / "certs", check_svid(message, key))
    files = {path.name: (mode(path), path.read_bytes()[:27]) for path in (tmp_path / "certs").iterdir()}
    assert files == {
        "key.pem": (0o600, b"-----BEGIN PRIVATE KEY-----"),
        "cert-chain.pem": (0o600, b"-----BEGIN CERTIFICATE-----"),
        "root-cert.pem": (0o600, b"-----BEGIN CERTIFICATE-----"),
        "revocations.pem": (0o600, b"-----BEGIN X509 CRL-----\nMI"),
    }
    assert mode(tmp_path / "certs") == 0o700


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(first=1.0, longest=5.0, chance=lambda: 1.0)
    assert [backoff.next() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert Backoff(first=1.0, chance=lambda: 0.0).next() == 0.5
    assert backoff.next() == 1.0
