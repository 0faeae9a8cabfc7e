from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import ListenError
from meshext.hosts.address import LONGEST_PATH, Address, parse_address, reserve


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", Address(host="127.0.0.1", port=9000)),
        ("9000", Address(host="127.0.0.1", port=9000)),
        (":9000", Address(host="127.0.0.1", port=9000)),
        ("0.0.0.0:0", Address(host="0.0.0.0", port=0)),
        ("[::1]:9000", Address(host="::1", port=9000)),
        ("unix:/run/a.sock", Address(path="/run/a.sock")),
        ("unix:///run/a.sock", Address(path="/run/a.sock")),
    ],
)
def test_parse(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:",
        "host:x",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "1.2.3.4:٣",
        "unix:",
        f"unix:/{'x' * 200}",
    ],
)
def test_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ListenError, match="write"):
        parse_address(text)


def test_longest_path_is_what_the_kernel_takes(tmp_path: Path) -> None:
    path = "/tmp/" + "x" * (LONGEST_PATH - len("/tmp/"))
    assert parse_address(f"unix:{path}").path == path
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
    os.unlink(path)


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ListenError:
        return
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "[", "256.1.1.1", "1.2.3.4.5", "a b", "192.0.2.1"])
def test_a_host_that_is_none_is_refused_in_one_line(host: str) -> None:
    with pytest.raises(ListenError) as caught:
        reserve(Address(host=host, port=0))
    assert str(caught.value).isprintable()


def test_port_in_use_is_found_although_ports_can_be_shared() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ListenError, match="is in use"):
            reserve(Address(host="127.0.0.1", port=other.getsockname()[1]))


def test_reserved_port_is_ours_alone() -> None:
    address, kept = reserve(Address(host="127.0.0.1", port=0))
    assert kept is not None
    with kept:
        assert address.port != 0
        with pytest.raises(ListenError, match="is in use"):
            reserve(address)
    _, again = reserve(address)
    assert again is not None
    again.close()


class TestUnixSocket:
    def test_leftover_is_taken_away(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sock"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        assert reserve(Address(path=str(path))) == (Address(path=str(path)), None)
        assert not path.exists()

    def test_one_that_is_served_is_not(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sock"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            with pytest.raises(ListenError, match="is in use"):
                reserve(Address(path=str(path)))
        assert path.exists()

    def test_other_files_stay(self, tmp_path: Path) -> None:
        path = tmp_path / "precious"
        path.write_text("data")
        with pytest.raises(ListenError, match="is not a socket"):
            reserve(Address(path=str(path)))
        assert path.read_text() == "data"

    def test_dangling_link_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "link"
        path.symlink_to(tmp_path / "nowhere")
        with pytest.raises(ListenError, match="is not a socket"):
            reserve(Address(path=str(path)))
        assert path.is_symlink()

    def test_missing_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ListenError, match=r"no folder .*nowhere"):
            reserve(Address(path=str(tmp_path / "nowhere" / "a.sock")))
