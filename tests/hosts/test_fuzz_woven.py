"""Many streams from few draws: hypothesis makes messages and a seed, and a weaver makes streams of them.

A stream that hypothesis draws by itself costs ten times what the service does with it. So an example is a
pool of messages, and its streams take, merge, cut and change those; what fails shrinks as ever. The closing
run is `MESHEXT_FUZZ=100000 pytest tests/hosts/test_fuzz_woven.py`: so many streams over all chains of
filters, and so many checks.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import grpc.aio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from meshext import Filter, Request, Respond
from meshext.hosts.ext_proc import Session
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from tests.hosts.forging import (
    DEADLINE,
    REQUEST,
    RESPONSE,
    Background,
    Ended,
    Forger,
    Lines,
    body,
    headers,
    response_body,
    response_headers,
    response_trailers,
    trailers,
)
from tests.hosts.test_fuzz import PHASES, Careful, Chaos, ChaosOnRequest, checks, held, messages
from tests.hosts.test_fuzz_bodies import CHAINS

STREAMS = int(os.environ.get("MESHEXT_FUZZ", "3000"))
"""Streams over all chains together, and as many checks over both checkers."""
WOVEN = 50
"""Streams of one example."""
AT_ONCE = 10

pytestmark = pytest.mark.timeout(120 + STREAMS // 20)

ENDS = ("OK", "FAILED_PRECONDITION", "ABORTED")
"""ABORTED: a response that had begun is cut off. INTERNAL would be an exception that nobody foresaw."""


class WholeBodies(ChaosOnRequest):
    """A check with a body."""

    max_body = 1000

    def on_request_body(self, request: Request) -> Respond | None:
        return Chaos._act(self, request, request)  # type: ignore[arg-type]  # it uses nothing of itself


PROCESSORS: dict[str, tuple[type[Filter], ...]] = {"whole": (Chaos, Careful), **CHAINS}
CHECKERS: dict[str, tuple[type[Filter], ...]] = {"headers": (ChaosOnRequest,), "bodies": (WholeBodies,)}


@dataclass(slots=True)
class Tried:
    """What was really played against one service."""

    streams: int = 0
    distinct: set[int] = field(default_factory=set, repr=False)
    ends: Counter[str] = field(default_factory=Counter)

    def note(self, stream: Sequence[bytes], end: str) -> None:
        self.streams += 1
        self.distinct.add(hash(tuple(stream)))
        self.ends[end] += 1


class Weaver:
    """Streams out of a pool of messages for each phase, by a seed."""

    def __init__(self, pool: dict[str, list[bytes]], seed: int) -> None:
        self._pool = pool
        self._all = [raw for raws in pool.values() for raw in raws]
        self._random = Random(f"{seed} {pool}")  # hypothesis draws the same seed more than once

    def __repr__(self) -> str:
        return f"Weaver of {len(self._all)} messages"  # a failure tells what it met itself

    def streams(self) -> list[list[bytes]]:
        """Those of one example."""
        return [self._stream() for _ in range(WOVEN)]

    def checks(self) -> list[bytes]:
        """The same where one message is all."""
        return [self._check() for _ in range(WOVEN)]

    def cuts(self) -> list[int | None]:
        """After how many messages each stream is cancelled; None where it is not."""
        random = self._random
        return [random.randrange(5) if random.random() < 0.1 else None for _ in range(WOVEN)]

    def _stream(self) -> list[bytes]:
        """The order of an exchange with parts left out and repeated, or any order; good, or of any kind."""
        random = self._random
        if random.random() < 0.2:
            return [self._message(self._all, 0.02) for _ in range(random.randrange(1, 8))]
        times = {phase: random.randrange(random.choice((2, 4)) if phase in BODIES else 2) for phase in PHASES}
        phases = [phase for phase in PHASES[1:] for _ in range(times[phase])]
        good = 1.0 if random.random() < 0.6 else 0.5
        broken = random.choice((0.0, 0.0, 0.1))
        return [
            self._good(phase, end=following != phase and not following.endswith("trailers"))
            if random.random() < good
            else self._message(self._pool[phase], broken)
            for phase, following in pairwise((PHASES[0], *phases, ""))
        ]

    def _good(self, phase: str, *, end: bool) -> bytes:
        """What Envoy could send, asking the filters for something."""
        random = self._random
        if phase in BODIES:
            return BODIES[phase](random.randbytes(random.randrange(1010)), end=end)
        if phase == "request_headers":
            return headers(end=False, x_do=" ".join(random.sample(VERBS, random.randrange(4))))
        return OTHERS[phase]([(random.choice(NAMES), random.randbytes(random.randrange(4)).hex().encode())])

    def _check(self) -> bytes:
        """A good one, one of the pool, or both merged."""
        chance = self._random.random()
        good = self._good_check() if chance < 0.9 else b""
        return good + (self._message(self._all, 0.2) if chance > 0.3 else b"")

    def _good_check(self) -> bytes:
        """What Envoy could send, asking the filter for something."""
        random = self._random
        do = " ".join(random.sample(VERBS, random.randrange(4))).encode()
        path = (":path", f"/{random.getrandbits(16):x}?a=b".encode())
        request = external_auth_pb2.CheckRequest()
        http = request.attributes.request.http
        for name, value in (*REQUEST, path, ("x-do", do)):
            http.header_map.headers.add(key=name, raw_value=value)
        http.raw_body = random.randbytes(random.randrange(1010))
        raw: bytes = request.SerializeToString()
        return raw

    def _message(self, raws: list[bytes], broken: float) -> bytes:
        """One of them; merged with another (protobuf's meaning of two in a row), or broken, now and then."""
        random = self._random
        raw = random.choice(raws)
        if random.random() < 0.15:
            raw += random.choice(raws if random.random() < 0.8 else self._all)
        if raw and random.random() < broken:
            raw = raw[: random.randrange(len(raw))] if random.random() < 0.4 else self._changed(raw)
        return raw

    def _changed(self, raw: bytes) -> bytes:
        changed = bytearray(raw)
        for _ in range(self._random.randrange(1, 5)):
            changed[self._random.randrange(len(raw))] = self._random.randrange(256)
        return bytes(changed)


VERBS = "write path query raise response metadata body stop careful".split()
NAMES = "x-do a host cookie content-length content-type te".split()
BODIES = {"request_body": body, "response_body": response_body}
OTHERS: dict[str, Callable[[Lines], bytes]] = {
    "request_trailers": trailers,
    "response_headers": lambda lines: response_headers([*RESPONSE, *lines]),
    "response_trailers": response_trailers,
}
seeds = st.integers(0, 2**64 - 1)
pools = st.fixed_dictionaries({phase: st.lists(messages(phase), min_size=2, max_size=3) for phase in PHASES})
check_pools = st.fixed_dictionaries({"check": st.lists(checks(), min_size=4, max_size=8)})
weavers = st.tuples(pools, seeds).map(lambda drawn: Weaver(*drawn))
check_weavers = st.tuples(check_pools, seeds).map(lambda drawn: Weaver(*drawn))


def fuzz(kinds: int) -> settings:
    """So many examples that `STREAMS` are played over so many kinds of services."""
    return settings(
        max_examples=-(-STREAMS // (kinds * WOVEN)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    logging.disable()  # each refusal is told, and pytest keeps every line
    background = Background()
    yield background
    background.close()
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module", params=PROCESSORS)
def processor(request: pytest.FixtureRequest, background: Background) -> Iterator[tuple[Forger, Tried]]:
    yield from counted(background, PROCESSORS[request.param], STREAMS // len(PROCESSORS))


@pytest.fixture(scope="module", params=CHECKERS)
def checker(request: pytest.FixtureRequest, background: Background) -> Iterator[tuple[Forger, Tried]]:
    yield from counted(background, CHECKERS[request.param], STREAMS // len(CHECKERS))


def counted(
    background: Background, filters: tuple[type[Filter], ...], least: int
) -> Iterator[tuple[Forger, Tried]]:
    """A service that has answered at least so many streams at its end, and holds nothing of them."""
    tried = Tried()
    for forger in held(background, *filters):
        yield forger, tried
        sys.stdout.write(f"\n{tried.streams} streams, {len(tried.distinct)} distinct: {dict(tried.ends)}\n")
        assert tried.streams >= least
        assert len(tried.distinct) > 0.7 * tried.streams
        background.run(forgotten(forger))


async def forgotten(forger: Forger) -> None:
    """Until nobody holds what was played, but for a call or two that each of grpcio's servers holds on to."""
    assert await forger.is_well()

    def left_over() -> int:
        gc.collect()
        return sum(type(each) is Session for each in gc.get_objects())

    async with asyncio.timeout(DEADLINE):
        while left_over() > 4:  # noqa: ASYNC110  # nobody tells when an object is gone
            await asyncio.sleep(0.1)


async def play(forger: Forger, weaver: Weaver, tried: Tried) -> None:
    """The streams of one example, some at once."""
    streams = list(zip(weaver.streams(), weaver.cuts(), strict=True))
    for first in range(0, WOVEN, AT_ONCE):
        crowd = streams[first : first + AT_ONCE]
        ends = await asyncio.gather(*(play_one(forger, stream, cut) for stream, cut in crowd))
        for (stream, _), ended in zip(crowd, ends, strict=True):
            tried.note(stream, "cancelled" if ended is None else ended.status)
            if ended is not None:
                check_ended(stream, ended)


async def play_one(forger: Forger, stream: list[bytes], cut: int | None) -> Ended | None:
    """One stream to its end; None where it was cancelled on the way."""
    if cut is None:
        return await forger.play(stream)
    call: Any = forger.open()
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # it was refused before
        for message in stream[:cut]:
            await call.write(message)
    call.cancel()
    return None


def check_ended(stream: list[bytes], ended: Ended) -> None:
    """One answer for each message, or an error that refuses."""
    assert ended.status in ENDS, (stream, ended.status)
    assert ended.phases.count("immediate_response") <= 1
    if ended.status == "OK" and "immediate_response" not in ended.phases:
        assert len(ended.answers) == len(stream), stream
    for answer in (*ended.answers, *ended.tails):
        assert answer.WhichOneof("response") is not None


@fuzz(len(PROCESSORS))
@given(weaver=weavers)
def test_streams(background: Background, processor: tuple[Forger, Tried], weaver: Weaver) -> None:
    background.run(play(processor[0], weaver, processor[1]))


@fuzz(len(CHECKERS))
@given(weaver=check_weavers)
def test_checks(background: Background, checker: tuple[Forger, Tried], weaver: Weaver) -> None:
    forger, tried = checker
    raws = weaver.checks()

    async def ask() -> list[tuple[str, Any]]:
        return await asyncio.gather(*map(forger.check, raws))

    for raw, (status, reply) in zip(raws, background.run(ask()), strict=True):
        tried.note([raw], status)
        assert status in ("OK", "FAILED_PRECONDITION"), (raw, status)
        if status == "OK":
            assert reply.WhichOneof("http_response") is not None
            assert (reply.status.code == 0) == (reply.WhichOneof("http_response") == "ok_response")
