"""One configuration stream of Envoy: its requests go to the control plane, or to the last good resources."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.last_good import DeltaWatch, LastGood, SotwWatch
from meshext_controlplane.agent.local_subscription import SubscriptionError
from meshext_controlplane.agent.metrics import CONTROL_PLANE, NOWHERE, STORED, Counts
from meshext_controlplane.agent.replay import DeltaReplay, SotwReplay

CONNECT_LIMIT = 3.0
"""Seconds that the control plane gets to take a connection before the last good resources are used."""

AWAY_LIMIT = 0.5
"""The same where it was away when it was tried last: an Envoy that starts then should not wait twice."""

ANSWER_LIMIT = 10.0
"""Seconds that it gets for its first answer to an Envoy that has nothing yet."""

_WAITING = 16  # requests of Envoy that nobody has taken yet
_KEPT = 1000  # requests that are kept for a replay, until there is an answer
_REFUSED = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED})
"""Who is refused gets no configuration, not an old one either."""

_READY, _FAILED = grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE

log = logging.getLogger("meshext.sidecar")

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """SotW or delta: the method, who reads along, who answers instead."""

    method: str
    watch: Callable[[LastGood], DeltaWatch | SotwWatch]
    replay: Callable[[LastGood, InboundGate], DeltaReplay | SotwReplay]


@dataclass(slots=True)
class Reach:
    """Whether the control plane was away when it was tried last, by whichever stream of the same Envoy."""

    away: bool = False

    @property
    def limit(self) -> float:
        """Seconds that a connection may take."""
        return AWAY_LIMIT if self.away else CONNECT_LIMIT


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the control plane's stream ended."""

    code: grpc.StatusCode
    details: str

    def __str__(self) -> str:
        return f"{self.code.name}: {self.details}"


class Passage:
    """Serves one stream until Envoy ends it, or what stands behind it becomes another."""

    def __init__(
        self,
        form: Form,
        context: Context,
        control_plane: ControlPlane,
        last_good: LastGood,
        gate: InboundGate,
        backoff: Backoff,
        reach: Reach,
        counts: Counts,
    ) -> None:
        self._form = form
        self._context = context
        self._control_plane = control_plane
        self._last_good = last_good
        self._gate = gate
        self._backoff = backoff
        self._reach = reach
        self._counts = counts
        self._requests: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._asked: list[bytes] = []
        self._answered = False

    async def serve(self, superseded: asyncio.Event) -> None:
        """All of it. The stream ends as UNAVAILABLE where Envoy should open another one."""
        credentials = self._control_plane.credentials
        work = asyncio.create_task(self._work())
        ends = [
            asyncio.create_task(self._read()),
            asyncio.create_task(superseded.wait()),
            asyncio.create_task(credentials.renewed(credentials.svid)),
        ]
        try:
            await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
            ending = work.result() if work.done() else Ending(grpc.StatusCode.UNAVAILABLE, "begin anew")
        except (DecodeError, SubscriptionError) as error:
            ending = Ending(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:200])
        finally:
            for task in (work, *ends):
                task.cancel()
            await asyncio.gather(work, *ends, return_exceptions=True)
        await self._context.abort(ending.code, ending.details)

    async def _work(self) -> Ending:
        async with self._control_plane.open() as channel:
            if not await _is_ready_within(channel, self._reach.limit):
                return await self._replay(channel, "it can not be reached")
            ending = await self._pass(channel)
            if ending.code in _REFUSED:
                log.error("the control plane refuses to give configuration: %s", ending)
                await asyncio.sleep(self._backoff.next())
                return ending
            if not self._answered:
                return await self._replay(channel, str(ending))
            log.warning("configuration stays as it is: the control plane's stream has ended (%s)", ending)
            return Ending(grpc.StatusCode.UNAVAILABLE, "the control plane has gone")

    async def _pass(self, channel: grpc.aio.Channel) -> Ending:
        """Through to the control plane, until its stream ends."""
        call: Any = channel.stream_stream(self._form.method)()
        watch = self._form.watch(self._last_good)
        parts = (self._pass_down(call, watch), self._pass_up(call, watch), self._is_silent(watch))
        tasks = [asyncio.create_task(part) for part in parts]
        self._counts.configured_by(CONTROL_PLANE)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        except grpc.aio.AioRpcError as error:
            return Ending(error.code(), error.details() or "")
        except asyncio.InvalidStateError:  # written to after it had ended
            return Ending(await call.code(), await call.details() or "")
        finally:
            self._counts.configured_by(NOWHERE)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            call.cancel()
        return Ending(grpc.StatusCode.UNAVAILABLE, "the control plane ended the stream, or says nothing")

    async def _pass_down(self, call: Any, watch: DeltaWatch | SotwWatch) -> None:
        while True:
            body = await self._requests.get()
            if not self._answered and len(self._asked) < _KEPT:
                self._asked.append(body)
            if refused := watch.asked(body):
                log.error("Envoy refuses configuration: %s", refused)
                self._counts.refused()
            await call.write(body)

    async def _pass_up(self, call: Any, watch: DeltaWatch | SotwWatch) -> None:
        while (body := await call.read()) is not grpc.aio.EOF:
            if not self._answered:
                self._answered = True
                self._gate.open()  # peers learn of this workload's state from the control plane
                self._asked.clear()
                self._backoff.reset()
                self._reach.away = False
                log.info("configuration comes from the control plane")
            watch.sent(body)
            await self._context.write(body)

    async def _is_silent(self, watch: DeltaWatch | SotwWatch) -> None:
        """Ends where an Envoy that lacks something gets no answer; one that has everything waits for ever."""
        await asyncio.sleep(ANSWER_LIMIT)
        lacking = watch.fresh or self._gate.owes
        if self._answered or not lacking or not len(self._last_good):
            await asyncio.Event().wait()
        self._gate.open()  # it is there: what it knows of this workload it tells

    async def _replay(self, channel: grpc.aio.Channel, why: str) -> Ending:
        """Answer out of what is stored, until it is worth to try the control plane again."""
        self._reach.away = True
        log.warning(
            "no configuration from the control plane (%s); %d stored resources are used",
            why,
            len(self._last_good),
        )
        replay, writing = self._form.replay(self._last_good, self._gate), asyncio.Lock()
        parts = (
            self._answer(replay, writing),
            self._tell_opened(replay, writing),
            self._worth_another_try(channel),
        )
        tasks = [asyncio.create_task(part) for part in parts]
        self._counts.configured_by(STORED if len(self._last_good) else NOWHERE)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            self._counts.configured_by(NOWHERE)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return Ending(grpc.StatusCode.UNAVAILABLE, "the control plane is tried again")

    async def _worth_another_try(self, channel: grpc.aio.Channel) -> None:
        await asyncio.sleep(self._backoff.next())
        await _is_ready(channel)
        self._reach.away = False  # the next stream's own connection may take its time

    async def _answer(self, replay: DeltaReplay | SotwReplay, writing: asyncio.Lock) -> None:
        while True:
            body = self._asked.pop(0) if self._asked else await self._requests.get()
            async with writing:
                if (response := replay.answer(body)) is not None:
                    await self._context.write(response)

    async def _tell_opened(self, replay: DeltaReplay | SotwReplay, writing: asyncio.Lock) -> None:
        """What was held back follows as soon as the workload is ready."""
        await self._gate.wait()
        async with writing:
            for response in replay.news():
                await self._context.write(response)
        await asyncio.Event().wait()  # the stream goes on

    async def _read(self) -> None:
        """Envoy's requests; ends with its stream."""
        while (body := await self._context.read()) is not grpc.aio.EOF:
            await self._requests.put(body)


async def _is_ready(channel: grpc.aio.Channel) -> None:
    while (state := channel.get_state(try_to_connect=True)) is not _READY:
        await channel.wait_for_state_change(state)


async def _is_ready_within(channel: grpc.aio.Channel, limit: float) -> bool:
    """Whether it connects; an address that refuses is known at once, one that is silent after the limit."""
    try:
        async with asyncio.timeout(limit):
            while (state := channel.get_state(try_to_connect=True)) not in (_READY, _FAILED):
                await channel.wait_for_state_change(state)
    except TimeoutError:
        return False
    return state is _READY
