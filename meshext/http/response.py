"""The response as a filter sees and changes it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from meshext.http.context import View
from meshext.http.legal import check_status_change
from meshext.http.message import Message
from meshext.http.parts import ResponseParts
from meshext.http.request import Request

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of typing from Python 3.13 on

    S = TypeVarWithDefault("S", default=None)
else:
    S = TypeVar("S")


NOTHING = ResponseParts((), 0)


class Response(Message[ResponseParts], Generic[S]):
    """A response; `response.request` is the request as the filter last saw it, for reading."""

    __slots__ = ("_request",)

    _LEFT = "the response has begun: it can be changed in on_response and on_response_body only"
    _NO_BODY = "the response's body is not here; read it in on_response_body"
    _BODY_LEFT = "the response's body can be assigned in on_response_body only"
    _NO_TRAILERS = "trailers can be changed in on_response_trailers only"
    _NO_SKIP = "response.skip_body() comes too late here; call it in on_response"

    def __init__(self, view: View, request: Request[S]) -> None:
        Message.__init__(self, view, NOTHING)  # as in Request
        self._request = request

    @property
    def request(self) -> Request[S]:
        """The request as the filter last saw it, for reading."""
        return self._request

    @property
    def state(self) -> S:
        """The exchange's `State`, the same object as `request.state`."""
        return self.request.state

    @property
    def status(self) -> int:
        """The status code; assignable, 200 to 599."""
        return self._parts.status

    @status.setter
    def status(self, value: int) -> None:
        self._check_open()
        self._parts = self._parts._replace(status=check_status_change(self._parts.status, value))

    def renewed(self, view: View, request: Request[S]) -> Response[S]:
        """The same response in objects of its own, which nobody who kept the old ones can write to."""
        new = copy(self)
        new._view = view
        new._request = request
        new._copy_lines(self)
        return new

    def __repr__(self) -> str:
        return f"<Response {self._parts.status}>"
