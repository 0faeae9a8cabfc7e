"""Headers that grow too long are refused alike, whether their size was told or has to be counted."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshext import Filter, Request, Respond, Response
from meshext.engine.carrier import IN_PROCESS
from meshext.engine.chain import Chain, build_chain, build_mount
from meshext.engine.effects import Effect, Proceed
from meshext.engine.engine import Engine
from meshext.engine.events import (
    UNKNOWN,
    Event,
    RequestBodyReceived,
    RequestHeadersReceived,
    ResponseBodyReceived,
    ResponseHeadersReceived,
)
from meshext.engine.watch import NoWatch
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.http.parts import RequestParts, ResponseParts


class First(Filter):
    """Writes as many bytes as it is told to, wherever it may."""

    failure = "open"
    sizes: ClassVar[dict[str, int]] = {}

    def on_request(self, request: Request) -> Respond | None:
        sizes = self.sizes
        request.headers[f"x-{self.name}"] = "v" * sizes["request"]
        if sizes["addition"]:
            request.response_headers[f"x-{self.name}"] = "v" * sizes["addition"]
        return Respond(403, headers={"x-big": "v" * sizes["answer"]}) if sizes["answer"] else None

    def on_response(self, response: Response) -> None:
        response.headers[f"y-{self.name}"] = "v" * self.sizes["response"]


class Second(First):
    sizes: ClassVar[dict[str, int]] = {}


class FirstBody(First):
    """Grows bodies as well, with which their length grows."""

    def on_request_body(self, request: Request) -> None:
        request.body += b"more"
        request.headers[f"y-{self.name}"] = "v" * self.sizes["request"]

    def on_response_body(self, response: Response) -> None:
        response.body += b"more"
        response.headers[f"z-{self.name}"] = "v" * self.sizes["response"]


class SecondBody(Second, FirstBody):
    pass


CHAINS = [
    build_chain([build_mount(one), build_mount(other)])
    for one, other in ((First, Second), (FirstBody, SecondBody))
]
SIZE = st.integers(0, 3) | st.integers(0, 62_000) | st.sampled_from([1_000, 30_000, 60_900])
SIZES = st.fixed_dictionaries(
    {"request": SIZE, "addition": SIZE, "response": SIZE, "answer": st.just(0) | SIZE}
)


def size_of(lines: Lines) -> int:
    return sum(len(name) + len(value) for name, value in lines)


def sizes(**given: int) -> dict[str, int]:
    return {"request": 1, "addition": 0, "response": 0, "answer": 0} | given


@pytest.mark.parametrize("chain", CHAINS)
@example(first=sizes(response=3_000), second=sizes(answer=60_000), request_size=0, response_size=0)
@example(first=sizes(response=3_000), second=sizes(addition=60_000), request_size=0, response_size=0)
@example(first=sizes(request=30_650), second=sizes(request=0), request_size=0, response_size=0)
@example(first=sizes(), second=sizes(response=30_650), request_size=0, response_size=0)
@given(first=SIZES, second=SIZES, request_size=SIZE, response_size=SIZE)
def test_it_makes_no_difference(
    chain: Chain, first: dict[str, int], second: dict[str, int], request_size: int, response_size: int
) -> None:
    First.sizes, Second.sizes = first, second
    request = RequestParts((("x-came", b"v" * request_size),), "GET", "http", "a", "/").to_lines()
    response = ResponseParts((("x-came", b"v" * response_size),), 200).to_lines()
    told = asyncio.run(run(chain, request, response, size_of(request), size_of(response)))
    assert told == asyncio.run(run(chain, request, response, UNKNOWN, UNKNOWN))


async def run(
    chain: Chain, request: Lines, response: Lines, request_size: int, response_size: int
) -> tuple[list[Effect], list[str]]:
    """Every effect and every failure of one exchange."""
    engine = Engine(chain, NoWatch(), IN_PROCESS)
    effects: list[Effect] = []
    bodies = bool(chain.request_body)
    events: list[Event] = [RequestHeadersReceived(request, not bodies, Surroundings(), request_size)]
    events += [RequestBodyReceived(b"body")] if bodies else []
    events += [ResponseHeadersReceived(response, not bodies, response_size)]
    events += [ResponseBodyReceived(b"body")] if bodies else []
    for event in events:
        effects.append(await engine.receive(event))
        if not isinstance(effects[-1], Proceed):
            break
    return effects, [str(failure) for failure in engine.failures]
