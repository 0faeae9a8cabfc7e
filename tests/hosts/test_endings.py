"""However a stream ends before all is answered, it ends with an error: OK would let the request pass."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest

from meshext.hosts.ext_proc import SERVICE
from tests.hosts.forging import headers
from tests.hosts.service_process import ServiceProcess, kill

pytestmark = pytest.mark.slow

FILTER = """
import asyncio

from meshext import Filter, Request, Response


class Slow(Filter):
    time_limit = 20.0

    async def on_request(self, request: Request) -> None:
        if request.headers.get("x-wait"):
            print("in the hook", flush=True)
            await asyncio.sleep(10)

    def on_response(self, response: Response) -> None:
        return None
"""
END = object()


class Stream:
    """One stream of ext_proc, played by hand."""

    def __init__(self, address: str) -> None:
        self._sent: queue.Queue[Any] = queue.Queue()
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        call: Any = self.channel.stream_stream(f"/{SERVICE}/Process")
        self.answers: Any = call(iter(self._sent.get, END), timeout=30)

    def send(self, message: bytes) -> None:
        self._sent.put(message)

    def status(self) -> str:
        """How it ended; reads what is left."""
        try:
            for _ in self.answers:
                pass
        except grpc.RpcError:
            pass
        return str(self.answers.code().name)

    def close(self) -> None:
        self._sent.put(END)
        self.channel.close()


@pytest.fixture
def spec() -> Iterator[str]:
    with TemporaryDirectory(prefix="mx-") as name:
        (Path(name) / "slow.py").write_text(FILTER)
        yield f"{name}/slow.py:Slow"


@pytest.mark.parametrize("how", ["drained", "at once", "told twice", "killed", "supervisor killed"])
def test_never_ends_with_ok(spec: str, how: str) -> None:
    drain = {"drained": 0.3, "at once": 0.0}.get(how, 20.0)
    with ServiceProcess(spec, "127.0.0.1:0", drain=drain, connection_age=1.0) as service:
        address = service.wait_serving()
        before, between, inside = (Stream(address) for _ in range(3))
        grpc.channel_ready_future(before.channel).result(20)
        between.send(headers())
        next(between.answers)
        inside.send(headers(x_wait="1"))
        service.wait_said("in the hook")
        end(service, how)
        for stream in (before, between, inside):
            assert stream.status() not in ("OK", "DEADLINE_EXCEEDED")
            stream.close()


def end(service: ServiceProcess, how: str) -> None:
    """Bring the service to its end."""
    if how == "killed":
        for worker in service.workers():
            kill(worker)
    elif how == "supervisor killed":
        kill(service.process.pid)
    else:
        kill(service.process.pid, signal.SIGTERM)
        if how == "told twice":
            service.wait_said("a second signal ends them")
            kill(service.process.pid, signal.SIGTERM)
