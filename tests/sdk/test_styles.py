"""Which style of bodies a class asks for, what of it makes no sense, and what a chain makes of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from meshext import Filter, Request, Response, SpecError
from meshext.bodies import REQUEST, RESPONSE, BodyStyle, choose_style
from meshext.filter import class_needs
from meshext.needs import Needs
from meshext.plan import build_plan


class Chunks(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None: ...


class Duplex(Chunks):
    duplex = True


class Both(Chunks):
    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes | None: ...


class Whole(Filter):
    def on_request_body(self, request: Request) -> None: ...


class Passes(Whole):
    oversize = "pass"


class Skips(Whole):
    def on_request(self, request: Request) -> None:
        request.skip_body()


class SkipsByHelper(Whole):
    def on_request(self, request: Request) -> None:
        Helper().let_pass(request)


class SkipsResponse(Whole):
    def on_response(self, response: Response) -> None:
        response.skip_body()


class Helper:
    def let_pass(self, request: Request) -> None:
        (lambda: request.skip_body())()


@pytest.mark.parametrize(
    ("chain", "request_body", "response_body"),
    [
        ((Whole,), "whole", ""),
        ((Chunks,), "stream", ""),
        ((Duplex,), "duplex", ""),
        ((Both,), "stream", "stream"),
        ((Both, Duplex), "duplex", "stream"),
        ((Chunks, Whole), "whole", ""),
        ((Duplex, Whole), "whole", ""),
        ((Passes,), "partial", ""),
        ((Passes, Passes), "partial", ""),
        ((Passes, Whole), "whole", ""),
        ((Passes, Chunks), "whole", ""),
        ((Skips,), "partial", ""),
        ((SkipsByHelper,), "partial", ""),
        ((SkipsResponse,), "whole", ""),
        ((Skips, Chunks), "partial", ""),
    ],
)
def test_style_of_a_chain(
    chain: tuple[type[Filter], ...], request_body: BodyStyle, response_body: BodyStyle
) -> None:
    needs = [class_needs(cls) for cls in chain]
    assert choose_style(needs, REQUEST) == request_body
    assert choose_style(needs, RESPONSE) == response_body


def test_ext_authz_has_the_body_before_it_could_be_skipped() -> None:
    assert build_plan([class_needs(Skips)], "authz").request_body == "whole"
    assert build_plan([class_needs(Passes)], "authz").request_body == "partial"


def test_chunks_ask_for_trailers_and_no_response() -> None:
    plan = build_plan([class_needs(Chunks)])
    assert (plan.mode, plan.request_trailers, plan.response_headers) == ("proc", True, False)


def make(**members: Any) -> type[Filter]:
    return type("Made", (Filter,), members)


def hook(*names: str) -> Callable[..., None]:
    namespace: dict[str, Any] = {}
    exec(f"def hook({', '.join(names)}): ...", namespace)  # a signature of its own
    found: Callable[..., None] = namespace["hook"]
    return found


CHUNK = hook("self", "request", "chunk", "last")
BODY = hook("self", "request")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"on_request_chunk": CHUNK, "on_request_body": BODY}, "has on_request_body and on_request_chunk"),
        ({"on_response_chunk": CHUNK, "on_response_body": BODY}, "on_response_body and on_response_chunk"),
        ({"on_request_chunk": BODY}, "a hook takes self, request, chunk and last"),
        ({"on_request_body": CHUNK}, "a hook takes self and request"),
        ({"on_request_chunk": CHUNK, "duplex": True, "failure": "open"}, "never lets full duplex fail open"),
        ({"on_request_body": BODY, "duplex": True}, "duplex = True is for chunks"),
        ({"on_request_chunk": CHUNK, "duplex": "yes"}, "duplex is 'yes'; write True or False"),
        ({"on_request_body": BODY, "oversize": "cut"}, "oversize is 'cut'; write 'refuse' or 'pass'"),
    ],
)
def test_what_makes_no_sense_is_refused(members: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        class_needs(make(**members))


@pytest.mark.parametrize("direction", ["request", "response"])
def test_one_style_each_way_is_fine(direction: Literal["request", "response"]) -> None:
    other = {"request": "response", "response": "request"}[direction]
    needs = class_needs(make(**{f"on_{direction}_chunk": CHUNK, f"on_{other}_body": BODY}))
    assert isinstance(needs, Needs)
