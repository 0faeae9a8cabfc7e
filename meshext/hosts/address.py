"""Where a service listens: `HOST:PORT` or `unix:PATH`."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from meshext.errors import ListenError

LONGEST_PATH = 107  # bytes; unix(7)
LONGEST_FOLDER = LONGEST_PATH - len("/.mx-4194304-999")


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address (`host`, `port`) or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address from `HOST:PORT`, `:PORT`, `PORT` or `unix:PATH`; ListenError says what to write."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        whole = os.path.abspath(path)
        if not path or len(os.fsencode(whole)) > LONGEST_PATH:
            raise ListenError(f"{text!r}: write unix:PATH with a path of at most {LONGEST_PATH} bytes")
        if len(os.fsencode(os.path.dirname(whole))) > LONGEST_FOLDER:
            raise ListenError(f"{text!r}: its folder's path has more than {LONGEST_FOLDER} bytes")
        return Address(path=whole)
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ListenError(f"{text!r} is not an address; write HOST:PORT such as 127.0.0.1:9000, or unix:PATH")
    return Address(host=host.strip("[]") or "127.0.0.1", port=int(port))


def private_path(path: str, number: int) -> str:
    """A name beside that path, under which a socket is bound before it takes the path's place."""
    return os.path.join(os.path.dirname(path), f".mx-{os.getpid()}-{number}")


def reserve(address: Address) -> tuple[Address, socket.socket | None]:
    """Make sure that nobody else listens there, and keep it so that workers can come and go.

    gRPC shares ports by default (SO_REUSEPORT), so two services on one port would each get half of the
    traffic; a first bind without sharing finds the other one. The socket that is kept never listens.
    """
    if address.path:
        check_socket_path(address.path)
        return address, None
    try:
        family, *_, target = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            chosen = probe.getsockname()
        kept = keep(family, chosen)
    except (OSError, ValueError) as error:
        raise ListenError(explain(address, error)) from error
    return Address(host=address.host, port=chosen[1]), kept


def keep(family: int, target: tuple[object, ...]) -> socket.socket:
    """A socket that is bound there, for as long as it is open, and never listens."""
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            kept.bind(target)  # without SO_REUSEADDR, or a second probe would be let in beside it
        except OSError:  # connections of an earlier program that linger (TIME_WAIT)
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(target)
    except BaseException:
        kept.close()
        raise
    return kept


def check_socket_path(path: str) -> None:
    """Refuse a Unix socket that somebody serves; remove one that its owner left behind."""
    if not Path(path).parent.is_dir():
        raise ListenError(f"unix:{path}: there is no folder {str(Path(path).parent)!r}")
    if not os.path.lexists(path):
        return
    if not Path(path).is_socket():
        raise ListenError(f"unix:{path} is there already and is not a socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            Path(path).unlink(missing_ok=True)
            return
        except OSError as error:
            raise ListenError(f"unix:{path}: {error.strerror}") from error
    raise ListenError(f"unix:{path} is in use; stop the other service, or listen on another path")


def explain(address: Address, error: OSError | ValueError) -> str:
    """One line for why an address can not be listened on."""
    if not isinstance(error, OSError):  # a name that has no form for the DNS
        return f"{str(address)!r}: {address.host!r} is not the name of a host"
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use; stop the other service, or choose another port (0 takes a free one)"
    if isinstance(error, socket.gaierror):
        return f"{address}: {address.host!r} is not an address of this machine"
    return f"{address}: {error.strerror or error}"
