"""What is seen in a filter's code, and what becomes of that which is not."""

from __future__ import annotations

from types import ModuleType

import pytest

from meshext import Filter, Request
from meshext.filter import class_needs
from meshext.plan import build_plan
from meshext.testing import Harness


def mark(request: Request) -> None:
    request.response_headers["x-mark"] = "1"


class Marker:
    def apply(self, request: Request) -> None:
        mark(request)


helpers = ModuleType("acme_helpers")
vars(helpers).update(mark=mark, other=1)


class Silent(Filter):
    def on_request_body(self, request: Request) -> None:
        assert request.body is not None


class Direct(Filter):
    def on_request_body(self, request: Request) -> None:
        request.response_headers["x-mark"] = "1"


class ByFunction(Filter):
    def on_request_body(self, request: Request) -> None:
        mark(request)


class ByObject(Filter):
    def __init__(self) -> None:
        self.marker = Marker()

    def on_request_body(self, request: Request) -> None:
        self.marker.apply(request)


class ByModule(Filter):
    def on_request_body(self, request: Request) -> None:
        helpers.mark(request)


class ByProperty(Filter):
    @property
    def marker(self) -> Marker:
        return Marker()

    def on_request_body(self, request: Request) -> None:
        self.marker.apply(request)


def closing_over() -> type[Filter]:
    inner = mark

    class ByClosure(Filter):
        def on_request_body(self, request: Request) -> None:
            inner(request)

    return ByClosure


class Hidden(Filter):
    """Nobody sees what it names."""

    def on_request(self, request: Request) -> None:
        getattr(request, "response" + "_headers")["x-early"] = "1"

    def on_request_body(self, request: Request) -> None:
        if request.body:
            getattr(request, "response" + "_headers")["x-late"] = "1"


SEEN = [Direct, ByFunction, ByObject, ByModule, ByProperty, closing_over()]


@pytest.mark.parametrize("cls", SEEN, ids=[cls.__name__ for cls in SEEN])
def test_headers_on_the_response_are_seen_wherever_they_are_named(cls: type[Filter]) -> None:
    assert class_needs(cls).adds_late
    assert Harness(cls).request("POST", "/", body=b"x").headers["x-mark"] == "1"


def test_a_body_hook_that_adds_nothing_has_no_response_sent() -> None:
    assert not class_needs(Silent).adds_late
    assert not build_plan([class_needs(Silent)], "proc").response_headers


def test_full_duplex_asks_in_advance_only_where_a_hook_adds() -> None:
    def on_request_chunk(self: Filter, request: Request, chunk: bytes, last: bool) -> None:
        return None

    def adding(self: Filter, request: Request, chunk: bytes, last: bool) -> None:
        request.response_headers["x-last"] = str(last)

    for hook, asks in ((on_request_chunk, False), (adding, True)):
        cls = type("Flowing", (Filter,), {"on_request_chunk": hook, "duplex": True, "__module__": __name__})
        assert build_plan([class_needs(cls)], "proc").response_headers == asks


def test_what_is_not_seen_works_early_and_is_refused_by_name_late() -> None:
    harness = Harness(Hidden)
    assert harness.request("GET", "/").headers["x-early"] == "1"
    outcome = harness.request("POST", "/", body=b"x")
    assert outcome.status == 500
    (failure,) = outcome.failures
    assert "name request.response_headers in a method of the class" in str(failure)
