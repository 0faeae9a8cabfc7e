"""What a sender in a container tells, read here."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from e2e.compose.faults.flow import Flow, Requests
from e2e.compose.faults.timeline import Call

SENDER = Path(__file__).parents[2] / "e2e/compose/image/steady.py"


def test_times_are_those_of_our_own_clock() -> None:
    near, far = Flow(("200",)), Flow(("200",))
    near.take("clock 99.8", 100.0)
    far.take("clock 5099.8", 100.0)
    near.take("100.0 101.0 200", 101.2)
    far.take("5100.0 5101.0 200", 101.2)
    assert near.timeline.calls == (Call(100.0, 101.0, "200"),)
    (found,) = far.timeline.calls
    assert found.due == pytest.approx(100.2)  # another machine's clock: as much later as the line was


@pytest.mark.parametrize("line", ["1 2 200", "", "clock", "1 2 3 4"])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no line of the sender's"):
        Flow(("200",)).take(line, 0.0)


class Handler(BaseHTTPRequestHandler):
    """Says 201 to orders, and nothing at all to every third."""

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        right = body == b"{}" and self.path == "/orders?x=1"
        if int(self.headers["x-user"]) % 3 == 2:
            return
        self.send_response(201 if right else 400)
        self.end_headers()


def test_a_sender_tells_of_every_request() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    requests = Requests(
        "", f"http://127.0.0.1:{server.server_port}/orders?x=1", "POST", ("x-user={n}",), "{}", ("201",)
    )
    command = [sys.executable, str(SENDER), *requests.to_command(100)[2:]]
    found = Flow(requests.good)
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                found.take(line, 0.0)
                if len(found.timeline.calls) == 30 and not process.stdin.closed:
                    process.stdin.close()
    finally:
        server.shutdown()
        server.server_close()
    assert found.sent == len(found.timeline.calls) >= 30
    assert set(found.timeline.kinds) == {"201", "RemoteDisconnected"}
    assert not found.timeline.is_settled(0.0, 3)
    assert process.returncode == 0
