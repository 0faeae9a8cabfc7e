"""What the ways of request and response through the filters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from meshext.engine.hooks import HookRunner
from meshext.engine.seat import Seat
from meshext.engine.turn import Turn, turn_failed
from meshext.errors import FilterFailure
from meshext.http.headers import Lines
from meshext.http.request import Request
from meshext.http.response import Response
from meshext.needs import Hook


class Pass(ABC):
    """A message under way.

    `body` is None until it has arrived, b"" where the message has none: so a policy about bodies can not be
    avoided by leaving the body out.
    """

    def __init__(self, seats: tuple[Seat, ...], runner: HookRunner) -> None:
        self._seats = seats
        self._runner = runner
        self._sent_body: bytes | None = None
        self.body: bytes | None = None
        self.has_body = False

    def body_arrived(self, body: bytes, *, there: bool = True) -> None:
        """The whole body is here; b"" where it is empty or not `there` at all."""
        if self.body is None:
            self.body = self._sent_body = body
            self.has_body = there

    def take_body(self) -> bytes | None:
        """The body, if a filter changed it since it arrived or was last taken."""
        if self.body is None or self.body == self._sent_body:
            return None
        self._sent_body = self.body
        return self.body

    @abstractmethod
    def _message(self, seat: Seat) -> Request[Any] | Response[Any]:
        """The message as that filter holds it."""

    async def _walk_trailers(self, seats: Iterable[Seat], hook: Hook, lines: Lines) -> Turn | Lines:
        """Show the trailers to every filter that wants them; the trailers as they then are."""
        for seat in seats:
            if not seat.saw_request or not seat.has(hook):
                continue
            message = self._message(seat)
            message.seal()
            message.load_trailers(lines)
            turn = await self._run(seat, hook)
            if turn is not None:
                return turn
            lines = self._message(seat).trailers.to_lines()
        return lines

    async def _run(self, seat: Seat, hook: Hook) -> Turn | None:
        try:
            respond = await self._runner.run(seat, hook, self._message(seat))
        except FilterFailure as failure:
            return turn_failed(seat, failure)
        return None if respond is None else Turn(respond, seat)
