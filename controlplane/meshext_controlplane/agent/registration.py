"""The workload registered with the control plane, for as long as we live: `meshext.workloads.Workloads`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane, say
from meshext_controlplane.agent.clock import Skew
from meshext_controlplane.agent.errors import AgentError
from meshext_controlplane.agent.filters import WantedFilter
from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.registrations import to_registration
from meshext_proto.meshext import workloads_pb2

REGISTER = "/meshext.workloads.Workloads/Register"
_FINAL = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT})

log = logging.getLogger("meshext.sidecar")

Call = grpc.aio.StreamStreamCall[Any, Any]
OnFilters = Callable[[Iterable[WantedFilter], frozenset[str]], None]
"""Told which filters to run, and the names of those that Envoy does not ask yet."""


class RegistrationError(AgentError):
    """The control plane does not take this workload as it describes itself."""


class Registration:
    """Tells the control plane where the workload is and how it is; `run` keeps that up.

    States of one moment that nobody saw are skipped: only the last one counts. Without `on_filters` there is
    nobody who runs filters, and nothing is said of them.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        workload: Workload,
        *,
        on_filters: OnFilters | None = None,
    ) -> None:
        self._control_plane = control_plane
        self._on_filters = on_filters
        self._workload = workload
        self._state = State.UNREADY
        self._serving: frozenset[str] | None = None if on_filters is None else frozenset()
        self._known: State | None = None
        self._changed = asyncio.Event()
        self._answered = asyncio.Condition()
        self._was_known = False
        self.skew = Skew()
        self.tried = asyncio.Event()
        """Set once the control plane has answered, or has turned out to be away."""

    @property
    def state(self) -> State:
        """How the workload is."""
        return self._state

    @property
    def known(self) -> State | None:
        """What the control plane has confirmed on the stream that is open; None while none is."""
        return self._known

    def set_state(self, state: State) -> None:
        """How the workload is from now on."""
        if state is not self._state:
            self._state = state
            self._changed.set()

    def set_serving(self, filters: frozenset[str]) -> None:
        """Which filters serve from now on, by name."""
        if filters != self._serving:
            self._serving = filters
            self._changed.set()

    async def confirmed(self, state: State, *, time_limit: float) -> bool:
        """Wait until the control plane has confirmed that state; False where it did not in time."""
        try:
            async with asyncio.timeout(time_limit), self._answered:
                await self._answered.wait_for(lambda: self._known is state)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Stay registered for ever; RegistrationError where that is refused from the start."""
        backoff = Backoff(longest=10.0)
        while True:
            svid = self._control_plane.credentials.svid
            try:
                async with self._control_plane.open() as channel:
                    await self._stay(channel, backoff)
            except grpc.aio.AioRpcError as error:
                if error.code() in _FINAL and not self._was_known:
                    raise RegistrationError(
                        f"the control plane does not take this workload: {error.details()}"
                    ) from None
                wait = backoff.next()
                log.warning("not registered with the control plane (%s); again in %.1f s", say(error), wait)
                await asyncio.sleep(wait)
            finally:
                await self._note(None)
            if svid is not self._control_plane.credentials.svid:
                backoff.reset()

    async def _stay(self, channel: grpc.aio.Channel, backoff: Backoff) -> None:
        """One stream, until it breaks (AioRpcError) or another certificate asks for another one."""
        method = channel.stream_stream(
            REGISTER,
            request_serializer=workloads_pb2.Registration.SerializeToString,
            response_deserializer=workloads_pb2.Registered.FromString,
        )
        call: Call = method()
        credentials = self._control_plane.credentials
        tasks = [
            asyncio.create_task(self._tell(call)),
            asyncio.create_task(self._listen(call, backoff)),
            asyncio.create_task(credentials.renewed(credentials.svid)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            call.cancel()

    async def _tell(self, call: Call) -> None:
        while True:
            self._changed.clear()
            told = replace(self._workload, state=self._state, serving=self._serving)
            await call.write(to_registration(told))
            await self._changed.wait()

    async def _listen(self, call: Call, backoff: Backoff) -> None:
        answer: Any
        while (answer := await call.read()) is not grpc.aio.EOF:
            backoff.reset()
            self._was_known = True
            if answer.sent_ms:
                self.skew.note(time.time(), answer.sent_ms / 1000)
            if self._on_filters is not None:
                held = frozenset(each.name for each in answer.filters if each.held)
                self._on_filters(to_filters(answer), held)
            await self._note(State(answer.state))
        status, details = await call.code(), await call.details()
        raise grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE if status is grpc.StatusCode.OK else status,
            grpc.aio.Metadata(),
            grpc.aio.Metadata(),
            details=details or "the control plane ended the stream",
        )

    async def _note(self, state: State | None) -> None:
        self.tried.set()
        if state is not self._known:
            if state is not None:
                log.info("the control plane knows this workload as %s", state.name)
            self._known = state
        async with self._answered:
            self._answered.notify_all()


def to_filters(answer: workloads_pb2.Registered) -> list[WantedFilter]:
    """The filters that the control plane asks us to run."""
    return [WantedFilter(each.name, each.filter, each.config, each.socket) for each in answer.filters]
