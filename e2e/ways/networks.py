"""Networks of their own on this machine: a pod's, where a sidecar's rules stand, and one outside of it.

Each is held by a process that dies with us, so that nothing of them can stay.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from meshext.lifeline import guarded
from tests.conformance.background import Background

T = TypeVar("T")
NEWNET = 0x40000000  # CLONE_NEWNET, clone(2)
PROGRAMS = ("ip", "iptables-restore", "ip6tables-restore", "nsenter", "unshare", "setpriv")
POD, OUTSIDE = "198.18.7.2", "198.18.7.1"
POD6, OUTSIDE6 = "fd77:6d65:7761::2", "fd77:6d65:7761::1"
_LIMIT = 30.0  # seconds for a command
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Network:
    """One network, as the process that holds it knows it."""

    holder: int

    def enter(self) -> None:
        """Bring the calling thread into it, for good, with the threads that it starts."""
        with open(f"/proc/{self.holder}/ns/net", "rb") as file:
            if _LIBC.setns(file.fileno(), NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def inside(self, work: Callable[[], T]) -> T:
        """What work gives that is done there; sockets that it makes stay there."""
        found: list[T] = []

        def begin() -> None:
            self.enter()
            found.append(work())

        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()
        return found[0]

    def background(self, stack: ExitStack) -> Background:
        """A loop whose thread is there, and with it the processes that it starts."""

        async def begin() -> None:
            self.enter()

        made = Background()
        stack.callback(made.close)
        made.run(begin())
        return made

    def command(self, *words: str) -> list[str]:
        """A command line that runs there."""
        return ["nsenter", "--target", str(self.holder), "--net", *words]

    def run(self, *words: str) -> str:
        """What a command there prints; it has to go well."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        if done.returncode:
            raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


def missing_programs() -> str:
    """Programs that networks of our own need and that are not here."""
    return ", ".join(each for each in PROGRAMS if shutil.which(each) is None)


@cache
def why_none() -> str:
    """Why this machine can have no networks of our own; "" where it can."""
    if sys.platform != "linux" or missing_programs():
        return f"there is no {missing_programs() or 'Linux'}"
    if os.geteuid() != 0:
        return "networks of our own need root"
    try:
        with held() as network:
            network.run("iptables-save", "-t", "nat")
    except OSError as error:
        return str(error)
    return ""


@contextmanager
def held() -> Iterator[Network]:
    """A network without anything but its own `lo`."""
    ours = os.stat("/proc/self/ns/net").st_ino
    process = subprocess.Popen(
        guarded(["unshare", "--net", "sleep", "infinity"]), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        place = Path(f"/proc/{process.pid}/ns/net")
        while process.poll() is None and os.stat(place).st_ino == ours:
            threading.Event().wait(0.005)
        if process.poll() is not None:
            assert process.stderr is not None
            raise OSError(process.stderr.read().decode().strip() or "unshare ended")
        network = Network(process.pid)
        network.run("ip", "link", "set", "lo", "up")
        yield network
    finally:
        process.kill()
        process.communicate()


@contextmanager
def connected_networks() -> Iterator[tuple[Network, Network]]:
    """A pod's network and the one outside, with a cable between them."""
    with ExitStack() as stack:
        pod, outside = stack.enter_context(held()), stack.enter_context(held())
        peer = ("peer", "name", "eth0", "netns", str(outside.holder))
        pod.run("ip", "link", "add", "eth0", "type", "veth", *peer)
        for network, address, six in ((pod, POD, POD6), (outside, OUTSIDE, OUTSIDE6)):
            network.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
            network.run("ip", "address", "add", f"{six}/64", "dev", "eth0", "nodad")
            network.run("ip", "link", "set", "eth0", "up")
        yield pod, outside
