"""The service as a process of its own, and Envoy's side of ext_authz played by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import grpc

from meshext.hosts.ext_authz import SERVICE
from meshext.hosts.options import ServiceOptions
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2

DEADLINE = 30.0  # seconds
EMPTY: Mapping[str, str] = {}

FILTER = '''
"""A filter for tests of the processes around it."""

import os
import signal
import sys
import threading
import time

from meshext import Filter, Request, Respond


class Guard(Filter):
    def on_request(self, request: Request) -> Respond | None:
        what = request.headers.get("x-do")
        if what == "loop":
            while True:
                try:
                    while True:
                        try:
                            while True:
                                pass
                        except BaseException:
                            pass
                except BaseException:
                    pass
        if what == "raise":
            raise ValueError("no")
        if what == "exit":
            os._exit(3)
        if what == "signal":
            os.kill(os.getpid(), 40)
        if what == "sleep":
            time.sleep(10)
        if what == "thread":
            threading.Thread(target=time.sleep, args=(3600,)).start()
        request.headers["x-pid"] = f"{os.getpid()} {os.getppid()}"
        return None
'''


def wait_for(condition: Callable[[], Any], *, limit: float = DEADLINE) -> Any:
    """What the condition gives once it holds; what it gave last where it does not within the limit."""
    end = time.monotonic() + limit
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


class ServiceProcess:
    """`python -m meshext.hosts` with `ServiceOptions`; `lines` is everything it wrote."""

    def __init__(
        self, spec: Path | str, listen: str, *, errors: int = subprocess.STDOUT, **options: Any
    ) -> None:
        given = ServiceOptions(specs=(str(spec),), address=listen, **options)
        with TemporaryFile() as orders:
            orders.write(given.to_json().encode())
            orders.seek(0)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "meshext.hosts"],
                stdin=orders,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def lines_of(self, start: str) -> list[str]:
        """The lines that begin so."""
        return [line for line in self.lines if line.startswith(start)]

    def wait_serving(self) -> str:
        """The address, once it serves."""
        found = wait_for(lambda: re.search(r"^serving (\S+)$", self.text, re.MULTILINE))
        assert found, f"it does not serve:\n{self.text}"
        return str(found[1])

    def wait_said(self, words: str, *, times: int = 1) -> None:
        """Until it has written these words so many times."""
        assert wait_for(lambda: self.text.count(words) >= times), f"no {words!r} in:\n{self.text}"

    def wait_spare(self, *, times: int = 1) -> None:
        """Until so many workers have stood ready to take over; needs --log-level debug."""
        self.wait_said("is loaded and waits", times=times)

    def wait_end(self) -> int:
        """Its exit code."""
        return self.process.wait(DEADLINE)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end()

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)


def check(address: str, **headers: str) -> tuple[str, int]:
    """Ask about one request: the gRPC status ("OK"), and which worker answered."""
    status, reply = call(address, headers)
    pids = [each.header.value for each in reply.ok_response.headers if each.header.key == "x-pid"]
    return status, int(pids[0].split()[0]) if pids else 0


def ask(address: str) -> str:
    """The body of the answer that a filter gives in place of the upstream; "" where nobody answers."""
    return str(call(address)[1].denied_response.body)


def call(
    address: str, headers: Mapping[str, str] = EMPTY, *, credentials: grpc.ChannelCredentials | None = None
) -> tuple[str, Any]:
    """One check on a connection of its own: the gRPC status and the reply."""
    request = external_auth_pb2.CheckRequest()
    lines = {":method": "GET", ":path": "/", ":authority": "a", ":scheme": "http", "x-request-id": "some-id"}
    for name, value in (lines | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        request.attributes.request.http.header_map.headers.add(key=name, raw_value=value.encode())
    with open_channel(address, credentials) as channel:
        check: Any = channel.unary_unary(f"/{SERVICE}/Check")
        try:
            raw = check(request.SerializeToString(), timeout=DEADLINE)
        except grpc.RpcError as error:
            return str(error.code().name), external_auth_pb2.CheckResponse()
    return "OK", external_auth_pb2.CheckResponse.FromString(raw)


def open_channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.ssl_target_name_override", "service")]
    if credentials is None:
        return grpc.insecure_channel(address, options=options[:1])
    return grpc.secure_channel(address, credentials, options=options)


def wait_served(address: str) -> float:
    """Seconds until a worker answers."""
    began = time.monotonic()
    assert wait_for(lambda: check(address)[0] == "OK"), "nobody serves"
    return time.monotonic() - began


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def report(words: str) -> None:
    """A figure for people: `pytest -s` shows it."""
    sys.stdout.write(f"\n{words}")
