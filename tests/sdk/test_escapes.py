"""Which hooks can put headers on the response, and what becomes of one that hides it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from meshext import Filter, Request, Respond
from meshext.filter import class_needs
from meshext.plan import build_plan
from meshext.testing import Harness


def mark(request: Request) -> None:
    request.response_headers["x-mark"] = "1"


def mark_as(name: str, request: Request) -> None:
    request.response_headers[name] = "1"


class Marker:
    def apply(self, request: Request) -> None:
        mark(request)


MARKER = Marker()
MARK = partial(mark_as, "x-mark")
TABLE = {"mark": mark}


class Direct(Filter):
    def on_request_body(self, request: Request) -> None:
        request.response_headers["x-mark"] = "1"


class ByFunction(Filter):
    def on_request_body(self, request: Request) -> None:
        mark(request)


class ByObject(Filter):
    def on_request_body(self, request: Request) -> None:
        MARKER.apply(request)


class ByPartial(Filter):
    def on_request_body(self, request: Request) -> None:
        MARK(request)


class ByTable(Filter):
    def on_request_body(self, request: Request) -> None:
        TABLE["mark"](request)


class ByMethod(Filter):
    def on_request_body(self, request: Request) -> None:
        self.mark(request)

    def mark(self, request: Request) -> None:
        mark(request)


class ByName(Filter):
    def on_request_body(self, request: Request) -> None:
        getattr(request, "response" + "_headers")["x-mark"] = "1"


class ByAlias(Filter):
    async def on_request_body(self, request: Request) -> None:
        other = request
        other.response_headers["x-mark"] = "1"


class ByClosure(Filter):
    def on_request_body(self, request: Request) -> None:
        def inner() -> None:
            request.response_headers["x-mark"] = "1"

        inner()


class ByState(Filter):
    class State:
        kept: Any = None

    def on_request(self, request: Request[State]) -> None:
        request.state.kept = request

    def on_request_body(self, request: Request[State]) -> None:
        request.state.kept.response_headers["x-mark"] = "1"


class ByParent(Direct):
    def on_request_body(self, request: Request) -> None:
        super().on_request_body(request)


def wrapped(hook: Any) -> Any:
    return lambda *arguments: hook(*arguments)


class ByWrapper(Filter):
    @wrapped
    def on_request_body(self, request: Request) -> None:
        request.response_headers["x-mark"] = "1"


ADDING = [
    Direct,
    ByFunction,
    ByObject,
    ByPartial,
    ByTable,
    ByMethod,
    ByName,
    ByAlias,
    ByClosure,
    ByState,
    ByParent,
    ByWrapper,
]


class Silent(Filter):
    """All that a body filter usually does."""

    async def on_request_body(self, request: Request) -> Respond | None:
        if b"bad" in request.body or request.headers.get("x-bad") is not None:
            return Respond(403)
        request.headers["x-seen"] = str(len(request.body))
        request.body = request.body.upper()
        request.set_metadata("path", request.path)
        return None


class Stamp(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-stamp"] = "1"


class Duplex(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None: ...


class Hidden(Filter):
    """Nobody sees what it reaches."""

    def on_request_body(self, request: Request) -> None:
        _, found = locals().values()
        found.response_headers["x-late"] = "1"


@pytest.mark.parametrize("cls", ADDING, ids=[cls.__name__ for cls in ADDING])
def test_a_hook_that_may_add_has_the_response_asked_for(cls: type[Filter]) -> None:
    assert class_needs(cls).adds_late
    assert Harness(cls).request("POST", "/", body=b"x").headers["x-mark"] == "1"


def test_a_body_hook_that_adds_nothing_has_no_response_sent() -> None:
    assert not class_needs(Silent).may_add
    assert not build_plan([class_needs(Silent)], "proc").response_headers


def test_headers_hooks_run_late_behind_a_held_body() -> None:
    assert Harness([Silent, Stamp]).request("POST", "/", body=b"x").headers["x-stamp"] == "1"
    assert Harness([Stamp, Silent]).request("POST", "/", body=b"x").headers["x-stamp"] == "1"


def test_full_duplex_asks_in_advance_where_any_hook_adds() -> None:
    assert not build_plan([class_needs(Duplex)], "proc").response_headers
    assert build_plan([class_needs(Duplex), class_needs(Stamp)], "proc").response_headers


def test_what_is_hidden_is_refused_by_name() -> None:
    outcome = Harness(Hidden).request("POST", "/", body=b"x")
    assert outcome.status == 500
    (failure,) = outcome.failures
    assert "write request.response_headers in the hook itself" in str(failure)
