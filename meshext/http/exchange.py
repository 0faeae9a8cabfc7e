"""The whole exchange, as `on_complete` looks back on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from meshext.http.message import Before
from meshext.http.parts import RequestParts
from meshext.http.request import Request
from meshext.http.response import Response

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of typing from Python 3.13 on

    S = TypeVarWithDefault("S", default=None)
else:
    S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Generic[S]):
    """What was seen of one exchange when it ended.

    `response` and `status` are None where no response was seen (the client or the upstream went away).
    Sizes are in bytes of body, None where they are not known; `duration` is in seconds from the request's
    headers to the end, `response_after` to the response's headers.
    """

    request: Request[S]
    response: Response[S] | None
    status: int | None
    request_size: int | None
    response_size: int | None
    duration: float
    response_after: float | None

    def snapshot(self) -> Before[RequestParts]:
        """What `on_complete` may write to: what the request's view holds (for the engine)."""
        return self.request.snapshot()

    def rewind(self, before: Before[RequestParts]) -> None:
        """Go back to what that was before a hook that failed."""
        self.request.rewind(before)

    @property
    def state(self) -> S:
        """The exchange's `State`."""
        return self.request.state
