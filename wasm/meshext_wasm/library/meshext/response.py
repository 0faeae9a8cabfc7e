"""The response as a filter sees and changes it."""

from typing import Generic, TypeVar

from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.meshext.legal import check_status_change
from meshext_wasm.library.meshext.message import Message, Texts
from meshext_wasm.library.meshext.request import Request
from meshext_wasm.library.meshext.view import View

S = TypeVar("S")

TEXTS = Texts(
    left="the response has begun: it can be changed in on_response and on_response_body only",
    no_body="the response's body is not here; read it in on_response_body",
    body_left="the response's body can be assigned in on_response_body only",
    no_trailers="trailers can be changed in on_response_trailers only",
    no_skip="response.skip_body() comes too late here; call it in on_response",
)


class AnyResponse(Message):
    """A response without its filter's state."""

    def __init__(self, view: View) -> None:
        super().__init__(view, TEXTS)
        self._status = 0

    @property
    def status(self) -> int:
        """The status code; assignable, 200 to 599."""
        return self._status

    @status.setter
    def status(self, value: int) -> None:
        if self.sealed:
            raise HeaderError(self._texts.left)
        self._status = check_status_change(self._status, value)

    def load_status(self, status: int) -> None:
        """Take the status as it is at this point of the chain (for the engine)."""
        self._status = status

    def __repr__(self) -> str:
        return f"<Response {self._status}>"


class Response(AnyResponse, Generic[S]):
    """A response; `response.request` is the request as the filter last saw it, for reading."""

    def __init__(self, view: View, request: Request[S]) -> None:
        super().__init__(view)
        self._request = request

    @property
    def request(self) -> Request[S]:
        """The request as the filter last saw it, for reading."""
        return self._request

    @property
    def state(self) -> S:
        """The exchange's `State`, the same object as `request.state`."""
        return self._request.state
