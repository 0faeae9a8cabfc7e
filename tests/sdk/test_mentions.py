"""Where a call of `skip_body` is seen: the filter may let bodies flow past, and is planned so."""

from __future__ import annotations

from types import ModuleType

import pytest

from meshext import Filter, Request
from meshext.mentions import may_skip


def skip(request: Request) -> None:
    request.skip_body()


class Skipper:
    def apply(self, request: Request) -> None:
        skip(request)


acme = ModuleType("acme_bodies")
vars(acme).update(skip=skip, other=1)


class ByFunction(Filter):
    def on_request(self, request: Request) -> None:
        skip(request)


class ByModule(Filter):
    def on_request(self, request: Request) -> None:
        acme.skip(request)


class ByProperty(Filter):
    @property
    def skipper(self) -> Skipper:
        return Skipper()

    def on_request(self, request: Request) -> None:
        self.skipper.apply(request)


def closing_over() -> type[Filter]:
    inner = skip

    class ByClosure(Filter):
        def on_request(self, request: Request) -> None:
            inner(request)

    return ByClosure


class Reads(Filter):
    def on_request_body(self, request: Request) -> None:
        assert acme.other == len(request.body)


SKIPPING: list[type[Filter]] = [ByFunction, ByModule, ByProperty, closing_over()]


@pytest.mark.parametrize("cls", SKIPPING, ids=[cls.__name__ for cls in SKIPPING])
def test_a_call_is_seen_wherever_it_stands(cls: type[Filter]) -> None:
    assert may_skip(cls)


def test_what_never_calls_it_is_planned_whole() -> None:
    assert not may_skip(Reads)
