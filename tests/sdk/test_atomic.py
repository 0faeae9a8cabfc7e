"""A failing hook leaves nothing behind, whatever it had written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meshext import Filter, Request, Response
from meshext.testing import Harness, Reply

REQUEST_WRITES: dict[str, Callable[[Request], Any]] = {
    "add": lambda request: request.headers.add("x-a", "2"),
    "set": lambda request: request.headers.__setitem__("x-a", "2"),
    "del": lambda request: request.headers.__delitem__("x-a"),
    "clear": lambda request: request.headers.set_all("x-a", []),
    "method": lambda request: setattr(request, "method", "PUT"),
    "host": lambda request: setattr(request, "host", "b"),
    "path": lambda request: setattr(request, "path", "/b"),
    "query": lambda request: request.query.add("b", "2"),
    "response": lambda request: request.response_headers.add("x-b", "2"),
    "replace": lambda request: request.response_headers.__setitem__("x-up", "2"),
    "metadata": lambda request: request.set_metadata("a", 2),
}
RESPONSE_WRITES: dict[str, Callable[[Response], Any]] = {
    "add": lambda response: response.headers.add("x-up", "2"),
    "set": lambda response: response.headers.__setitem__("x-up", "2"),
    "del": lambda response: response.headers.__delitem__("x-up"),
    "status": lambda response: setattr(response, "status", 201),
    "metadata": lambda response: response.set_metadata("a", 2),
}


class Spoils(Filter):
    failure = "open"

    def __init__(self) -> None:
        self.hook = ""
        self.writes: list[str] = []

    def spoil(self, hook: str, message: Any, table: dict[str, Callable[[Any], Any]]) -> None:
        if hook == self.hook:
            for name in self.writes:
                if name in table:
                    table[name](message)
            raise RuntimeError("broken")

    def on_request(self, request: Request) -> None:
        request.headers.add("x-a", "1")
        request.set_metadata("kept", True)
        self.spoil("on_request", request, REQUEST_WRITES)

    def on_request_body(self, request: Request) -> None:
        if self.hook == "on_request_body":
            request.body = b"spoilt"
        self.spoil("on_request_body", request, REQUEST_WRITES)

    def on_response(self, response: Response) -> None:
        self.spoil("on_response", response, RESPONSE_WRITES)

    def on_response_body(self, response: Response) -> None:
        if self.hook == "on_response_body":
            response.body = b"spoilt"
        self.spoil("on_response_body", response, RESPONSE_WRITES)


HOOKS = ("on_request", "on_request_body", "on_response", "on_response_body")
REPLY = Reply(headers={"x-up": "1"}, body=b"reply")


def send(harness: Harness) -> Any:
    outcome = harness.request("POST", "/a?a=1", headers={"x-a": "0"}, body=b"body", response=REPLY)
    return outcome.upstream, outcome.status, outcome.headers, outcome.body, outcome.metadata


@given(st.sampled_from(HOOKS), st.lists(st.sampled_from([*REQUEST_WRITES, *RESPONSE_WRITES]), max_size=6))
def test_a_failing_hook_leaves_nothing(hook: str, writes: list[str]) -> None:
    harness = Harness(Spoils)
    harness.filter.hook = "none"
    upstream, *rest = send(harness)
    harness.filter.hook, harness.filter.writes = hook, writes
    spoilt_upstream, *spoilt = send(harness)
    if hook == "on_request":  # then what it had written before counts no more either
        lines = (("x-a", b"0"), ("content-length", b"4"))
        assert spoilt_upstream.headers.to_lines() == lines
        assert spoilt[:-1] == rest[:-1]
        assert spoilt[-1] == {}
    else:
        assert spoilt_upstream == upstream
        assert spoilt == rest
