"""`python -m e2e.bench.scale`: a mesh of many services and proxies, served to simulated clients over mTLS.

Server and clients are processes of their own. Times are from the accepted edit to the last ACK that the
server has parsed; what went by in gathering edits is shown apart, and so is the clients' CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.scale.clients import TARGET_NAME
from e2e.bench.usage import cpu_seconds
from e2e.certificates import Authority
from tests.ports import free_port

Figures = dict[str, Any]


class Server:
    """The server's process, asked one line at a time."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "e2e.bench.scale.server", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def ask(self, command: str) -> Figures:
        """What it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """As a crash would."""
        with self._process:
            self._process.kill()

    def _answer(self) -> Figures:
        assert self._process.stdout is not None
        answer: Figures = json.loads(self._process.stdout.readline())
        return answer


def make_certificates(folder: Path) -> None:
    """A root, the server's certificate and the clients' one."""
    authority = Authority(folder, "root")
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    authority.issue("server", [x509.DNSName(TARGET_NAME)], subject="server", usage=usage)
    spiffe = x509.UniformResourceIdentifier("spiffe://cluster.local/ns/shop/sa/service-0")
    authority.issue("client", [spiffe], subject="client")


@contextmanager
def clients(arguments: list[str]) -> Iterator[int]:
    """The clients' process."""
    process = subprocess.Popen([sys.executable, "-m", "e2e.bench.scale.clients", *arguments])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def measure(services: int, proxies: int, edits: int, *, sotw: bool = False) -> Figures:
    """All figures of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_certificates(folder)
        options = {"port": free_port(), "services": services, "proxies": proxies, "certificates": folder}
        arguments = [f"--{option}={value}" for option, value in options.items()]
        server = Server(arguments)
        try:
            empty = server.ask("counts")["memory"]
            with clients([*arguments, "--sotw"] if sotw else arguments) as pid:
                first = _timed(server, pid, f"connected {proxies}")
                server.stop()
                server = Server(arguments)
                again = _timed(server, pid, f"connected {proxies}")
                found = {"first": first, "reconnect": again, **_edit(server, pid, edits)}
                found["memory_per_proxy"] = (first["memory"] - empty) / proxies
                found["memory_per_proxy_after"] = (server.ask("counts")["memory"] - empty) / proxies
            return found
        finally:
            server.stop()


def _edit(server: Server, pid: int, edits: int) -> Figures:
    return {
        "endpoint": [_timed(server, pid, "endpoint") for _ in range(edits)],
        "routes": [_timed(server, pid, "routes") for _ in range(max(2, edits // 4))],
    }


def _timed(server: Server, pid: int, command: str) -> Figures:
    before = cpu_seconds(pid)
    return {**server.ask(command), "clients_cpu": cpu_seconds(pid) - before}


def to_lines(proxies: int, found: Figures) -> str:
    """The figures for a reader."""
    lines = [f"{proxies} proxies"]
    for name in ("first", "reconnect", "endpoint", "routes"):
        runs = found[name] if isinstance(found[name], list) else [found[name]]
        middle = {key: statistics.median(run.get(key, 0) for run in runs) for key in _SHOWN}
        told = (
            f"  {name:10} {middle['after'] - middle['gathered']:7.3f} s (+{middle['gathered']:.2f} gathered)"
            f"  worst {max(run['after'] for run in runs):6.3f} s"
            f"  CPU server {middle['cpu']:6.2f} s, clients {middle['clients_cpu']:6.2f} s"
            f"  {middle['pushes']:.0f} pushes, {middle['resources']:.0f} resources, {middle['bytes']:.0e} B"
        )
        lines.append(told)
    each = found["memory_per_proxy"] / 1e6, found["memory_per_proxy_after"] / 1e6
    lines.append(f"  memory a proxy {each[0]:.3f} MB, after the edits {each[1]:.3f} MB")
    return "\n".join(lines) + "\n"


_SHOWN = ("after", "gathered", "cpu", "clients_cpu", "pushes", "resources", "bytes")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.scale", description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--proxies", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--edits", type=int, default=20, help="of one endpoint; a quarter as many of routes")
    parser.add_argument("--sotw", action="store_true", help="clients that ask for whole states")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    given = parser.parse_args(arguments)
    record: Figures = {
        "machine": describe_machine(),
        "versions": describe_versions("python"),
        "services": given.services,
        "protocol": "state of the world" if given.sotw else "delta",
        "proxies": {},
    }
    for proxies in given.proxies:
        found = measure(given.services, proxies, given.edits, sotw=given.sotw)
        record["proxies"][proxies] = found
        sys.stdout.write(to_lines(proxies, found))
        sys.stdout.flush()
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
