"""The request as a filter sees and changes it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from meshext.errors import HeaderError
from meshext.http.additions import ResponseAdditions
from meshext.http.context import View
from meshext.http.cookies import Cookies
from meshext.http.legal import (
    check_host,
    check_method_change,
    check_path,
    check_scheme,
    check_target,
)
from meshext.http.message import Message
from meshext.http.parts import RequestParts
from meshext.http.peer import Peer
from meshext.http.query import Query

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of typing from Python 3.13 on

    S = TypeVarWithDefault("S", default=None)
else:
    S = TypeVar("S")


NOTHING = RequestParts((), "", "", "", "")


class Request(Message[RequestParts], Generic[S]):
    """A request; `Request[State]` where the filter keeps a `State` for each exchange.

    `path` is without query, `target` raw with it, `host` with port; all of them settable. Nothing is ever
    percent-decoded except `query`. `response_headers` are put on whatever response the client gets.
    """

    __slots__ = ("state",)

    state: S

    _LEFT = "the request has left: its headers can be changed in on_request and on_request_body only"
    _NO_BODY = "the request's body is not here; read it in on_request_body"
    _BODY_LEFT = "the request's body can be assigned in on_request_body only"
    _NO_TRAILERS = "trailers can be changed in on_request_trailers only"
    _NO_SKIP = "request.skip_body() comes too late here; call it in on_request"

    # -- headers -----------------------------------------------------------------------------------

    @property
    def response_headers(self) -> ResponseAdditions:
        """What is put on the response that the client gets."""
        view = self._view
        if view.response_headers is None:
            view.response_headers = ResponseAdditions()
        return view.response_headers

    # -- the request line ------------------------------------------------------------------------

    @property
    def method(self) -> str:
        """The method, such as `GET`."""
        return self._parts.method

    @method.setter
    def method(self, value: str) -> None:
        self._check_open()
        method = self._parts.method
        if "CONNECT" in (method, value) and value != method:
            raise HeaderError(
                "CONNECT is no method like others: a request can neither become one nor stop being one"
            )
        self._parts = self._parts._replace(method=check_method_change(method, value))

    @property
    def scheme(self) -> str:
        """`http` or `https`, as Envoy saw it."""
        return self._parts.scheme

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._check_open()
        self._parts = self._parts._replace(scheme=check_scheme(value))

    @property
    def host(self) -> str:
        """The authority as the client wrote it, with port; `hostname` is the one to compare."""
        return self._parts.host

    @host.setter
    def host(self, value: str) -> None:
        self._check_open()
        self._parts = self._parts._replace(host=check_host(value))

    @property
    def hostname(self) -> str:
        """The host for comparing: lower case, without port, without a trailing dot (RFC 9110 4.2.3)."""
        host = self._parts.host.rpartition("@")[2]
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        return name.rstrip(".").lower()

    @property
    def target(self) -> str:
        """Path and query, raw; "" for CONNECT."""
        return self._parts.target

    @target.setter
    def target(self, value: str) -> None:
        self._check_has_path()
        self._parts = self._parts._replace(target=check_target(value))

    @property
    def path(self) -> str:
        """The path without query, as the upstream gets it; assigning keeps the query."""
        return self._parts.target.partition("?")[0]

    @path.setter
    def path(self, value: str) -> None:
        self._check_has_path()
        _, mark, query = self._parts.target.partition("?")
        self._parts = self._parts._replace(target=check_path(value) + mark + query)

    @property
    def query(self) -> Query:
        """The query parameters, decoded; writes go through to `target`."""
        return Query(self)

    @property
    def cookies(self) -> Cookies:
        """The cookies the client sent."""
        return Cookies(self.headers)

    # -- what surrounds it -----------------------------------------------------------------------

    @property
    def peer(self) -> Peer:
        """The direct peer and the identity its certificate proved."""
        return self._view.surroundings.peer

    @property
    def client_address(self) -> str:
        """The client's IP address as Envoy trusts it from x-forwarded-for."""
        return self._view.surroundings.client_address

    @property
    def route(self) -> str:
        """The name of the route that was chosen before this service ran; "" where it has none."""
        return self._view.surroundings.route

    @property
    def cluster(self) -> str:
        """The cluster that was chosen before this service ran; "" where there is none."""
        return self._view.surroundings.cluster

    @property
    def id(self) -> str:
        """The request id (x-request-id) that logs carry."""
        return self._view.surroundings.request_id

    # -- for query and engine --------------------------------------------------------------------

    def read_target(self) -> str:
        """The raw target (for `query`)."""
        return self._parts.target

    def write_target(self, target: str) -> None:
        """Replace the raw target without looking at parts that nobody touched (for `query`)."""
        self._check_has_path()
        self._parts = self._parts._replace(target=target)

    def renewed(self, view: View) -> Request[S]:
        """The same request in objects of its own, which nobody who kept the old ones can write to."""
        new = copy(self)
        new._view = view
        new._copy_lines(self)
        return new

    def __repr__(self) -> str:
        return f"<Request {self._parts.method} {self._parts.host}{self.path}>"

    def _check_has_path(self) -> None:
        self._check_open()
        if not self._parts.target:
            raise HeaderError("a CONNECT request has no path")
