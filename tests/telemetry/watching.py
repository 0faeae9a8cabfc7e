"""An observer that keeps what it is told, and exchanges played to the hosts without a socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from meshext import Filter
from meshext.engine.chain import Chain, build_chain, build_mount
from meshext.engine.observer import InitialMetadata, Mode, Observer, Outcome
from meshext.engine.watch import NoWatch
from meshext.errors import FilterFailure, ProtocolError
from meshext.hosts import ext_authz, ext_proc
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.needs import Hook
from meshext.plan import build_plan
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from tests.hosts.forging import REQUEST


@dataclass(slots=True)
class Told:
    """One exchange as it was told."""

    mode: Mode
    request_id: str = ""
    hooks: list[tuple[str, str, str]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        self.request_id = surroundings.request_id

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        assert seconds >= 0
        self.hooks.append((name, hook.value, failure.kind if failure else ""))

    def end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


class Keeper:
    """Keeps everything."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.sheds: list[str] = []

    def begin(self, mode: Mode, metadata: InitialMetadata) -> Told:
        self.told.append(Told(mode))
        return self.told[-1]

    def shed(self, mode: Mode, reason: str) -> None:
        self.sheds.append(reason)


def chain_of(*filters: type[Filter]) -> Chain:
    """The filters made ready."""
    return build_chain([build_mount(each) for each in filters])


async def play_proc(
    chain: Chain, observer: Observer, messages: Sequence[bytes], metadata: InitialMetadata = ()
) -> None:
    """One ext_proc stream: all messages, as far as they are taken, then its end."""
    session = ext_proc.Session(chain, build_plan(chain.needs, "proc"), NoWatch(), metadata, observer)
    try:
        for message in messages:
            if not session.answered:
                await session.receive(message)
    except ProtocolError:
        pass
    finally:
        await session.close()


async def play_authz(
    chain: Chain, observer: Observer, raw: bytes, metadata: InitialMetadata = ()
) -> external_auth_pb2.CheckResponse | None:
    """One check; None where it was refused."""
    plan = build_plan(chain.needs, "authz")
    with contextlib.suppress(ProtocolError):
        return external_auth_pb2.CheckResponse.FromString(
            await ext_authz.check(raw, metadata, chain=chain, plan=plan, watch=NoWatch(), observer=observer)
        )
    return None


def check_request(**headers: str) -> bytes:
    """A CheckRequest with these headers beside the usual ones."""
    message = external_auth_pb2.CheckRequest()
    more = [(name.replace("_", "-"), value.encode()) for name, value in headers.items()]
    for name, value in [*REQUEST, *more]:
        message.attributes.request.http.header_map.headers.add(key=name, raw_value=value)
    return message.SerializeToString()


def told_of(*filters: type[Filter], messages: Sequence[bytes]) -> Told:
    """What an ext_proc stream makes known."""
    keeper = Keeper()
    asyncio.run(play_proc(chain_of(*filters), keeper, messages))
    (told,) = keeper.told
    return told
