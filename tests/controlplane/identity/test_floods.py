"""The port that anybody can call: garbage, used tokens and huge messages cost an answer and nothing else."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.refusals import MOST, PERIOD, Refusals
from meshext_controlplane.identity.services import JOINING, LARGEST_MESSAGE, parse
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.state.certificates import list_certificates
from meshext_controlplane.state.store import StateStore
from meshext_proto.meshext import svids_pb2
from tests.controlplane.identity.conftest import WEB
from tests.controlplane.identity.requests import csr
from tests.controlplane.identity.serving import OPTIONS, join, serving

REFUSALS = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT}
SIGNATURE = 90  # bytes at the end at most, in which DER leaves a little room
SIZES = [0, 1, 50, 1000, LARGEST_MESSAGE, LARGEST_MESSAGE + 1, 1_000_000]


def test_garbage(store: StateStore, enrollment: Enrollment, tokens: Tokens) -> None:
    """Bytes of any length, messages with a good token, one bit of what is signed turned over."""
    draw = random.Random(7)
    token = tokens.create(WEB).reveal()
    good = svids_pb2.JoinRequest(token=token, csr=csr()).SerializeToString()
    bodies = [draw.randbytes(size) for size in SIZES]
    bodies += [
        svids_pb2.JoinRequest(token=token, csr=draw.randbytes(size)).SerializeToString() for size in SIZES
    ]
    for _ in range(100):
        turned = bytearray(good)
        turned[draw.randrange(len(good) - SIGNATURE)] ^= 1 << draw.randrange(8)
        bodies.append(bytes(turned))

    async def run() -> None:
        async with serving(store, enrollment) as served:
            credentials = grpc.ssl_channel_credentials(to_pem(enrollment.authority.roots))
            async with grpc.aio.secure_channel(f"127.0.0.1:{served.join}", credentials, OPTIONS) as channel:
                call: Any = channel.unary_unary(f"/{JOINING}/Join")
                found = await asyncio.gather(*(status_of(call(body, timeout=30)) for body in bodies))
                assert set(found) <= REFUSALS
                assert await status_of(call(good, timeout=30)) is grpc.StatusCode.OK

    asyncio.run(run())
    with store.reading() as transaction:
        held = [each for each in list_certificates(transaction, at=0) if each.identity == str(WEB)]
    assert len(held) == 1


async def status_of(call: Any) -> grpc.StatusCode:
    code: grpc.StatusCode = await call.code()
    return code


class Aborted(Exception):
    """What a context raises."""


class Context:
    """One that notes how it was ended."""

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.code = code
        raise Aborted(details)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(body: bytes) -> None:
    context = Context()
    try:
        message = asyncio.run(parse(svids_pb2.JoinRequest, body, context))
    except Aborted:
        assert context.code is grpc.StatusCode.INVALID_ARGUMENT
        return
    assert isinstance(message, svids_pb2.JoinRequest)


def test_refusals_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refusals = Refusals(clock=lambda: now)
    for _ in range(1000):
        refusals.tell("ipv4:10.0.0.1:1", "no")
    assert len(caplog.records) == MOST
    now = PERIOD
    refusals.tell("ipv4:10.0.0.2:1", "no")
    assert [each.getMessage() for each in caplog.records[MOST:]] == [
        "refused 980 more, which are not listed",
        "refused ipv4:10.0.0.2:1: no",
    ]


def test_a_bug_tells_strangers_nothing(
    store: StateStore, enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(enrollment, "join_all", fail)

    async def run() -> None:
        async with serving(store, enrollment) as served:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await join(served.join, to_pem(enrollment.authority.roots), "any")
            assert caught.value.code() is grpc.StatusCode.INTERNAL
            assert "secret" not in str(caught.value.details())

    asyncio.run(run())
