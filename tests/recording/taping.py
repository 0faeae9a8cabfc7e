"""Exchanges as a service sees them, taped: through the hosts' own code, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from meshext import Filter
from meshext.engine.chain import build_chain, build_mount
from meshext.engine.timed_watch import TimedWatch
from meshext.errors import ProtocolError
from meshext.hosts import ext_authz, ext_proc
from meshext.plan import build_plan
from meshext.recording.exchange import Recorded
from meshext.recording.recorder import Recorder, describe_served
from meshext.recording.redaction import check_redacted
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2

METADATA = (
    ("x-meshext-direct-address", "10.0.0.1:4711"),
    ("x-meshext-client-address", "192.0.2.7:80"),
    ("x-meshext-route", "shop"),
    ("x-meshext-cluster", "v1"),
)


def recorder(
    kept: list[Recorded],
    filters: Sequence[type[Filter]],
    redact: Sequence[str] = (),
    specs: Sequence[str] = ("some.py:Filter",),
) -> tuple[Recorder, Any]:
    """A recorder of these filters, and their chain."""
    chain = build_chain([build_mount(each) for each in filters])
    served = describe_served(specs, (), check_redacted(redact))
    return Recorder(chain.needs, served, kept.append), chain


def tape_proc(*filters: type[Filter], messages: Sequence[bytes], redact: Sequence[str] = ()) -> Recorded:
    """What is recorded of one ext_proc stream; it ends after the messages, or where one is refused."""
    kept: list[Recorded] = []
    observer, chain = recorder(kept, filters, redact)

    async def play() -> None:
        session = ext_proc.Session(chain, build_plan(chain.needs, "proc"), TimedWatch(), METADATA, observer)
        with suppress(ProtocolError):
            for message in messages:
                if not session.answered:
                    await session.receive(message)
        await session.close()

    asyncio.run(play())
    [recorded] = kept
    return recorded


def tape_authz(*filters: type[Filter], raw: bytes, redact: Sequence[str] = ()) -> Recorded:
    """What is recorded of one ext_authz check."""
    kept: list[Recorded] = []
    observer, chain = recorder(kept, filters, redact)
    plan = build_plan(chain.needs, "authz")
    with suppress(ProtocolError):
        asyncio.run(
            ext_authz.check(raw, METADATA, chain=chain, plan=plan, watch=TimedWatch(), observer=observer)
        )
    [recorded] = kept
    return recorded


def check_request(lines: Sequence[tuple[str, bytes]], body: bytes = b"") -> bytes:
    """A CheckRequest as our configuration has Envoy send it."""
    request = external_auth_pb2.CheckRequest()
    http = request.attributes.request.http
    for name, value in lines:
        http.header_map.headers.add(key=name, raw_value=value)
    http.raw_body = body
    raw: bytes = request.SerializeToString()
    return raw
