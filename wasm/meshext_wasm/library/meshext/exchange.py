"""The whole exchange, as `on_complete` looks back on it."""

from typing import Generic, TypeVar

from meshext_wasm.library.meshext.request import Request
from meshext_wasm.library.meshext.response import Response

S = TypeVar("S")


class Exchange(Generic[S]):
    """What was seen of one exchange when it ended; see `meshext.Exchange`."""

    def __init__(
        self,
        request: Request[S],
        response: Response[S] | None,
        status: int | None,
        request_size: int | None,
        response_size: int | None,
        duration: float,
        response_after: float | None,
    ) -> None:
        self.request = request
        self.response = response
        self.status = status
        self.request_size = request_size
        self.response_size = response_size
        self.duration = duration
        self.response_after = response_after

    @property
    def state(self) -> S:
        """The exchange's `State`."""
        return self.request.state
