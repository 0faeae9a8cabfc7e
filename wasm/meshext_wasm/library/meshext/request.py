"""The request as a filter sees and changes it."""

from typing import Generic, TypeVar

from meshext_wasm.library.meshext.cookies import Cookies
from meshext_wasm.library.meshext.errors import HeaderError
from meshext_wasm.library.meshext.headers import ResponseAdditions
from meshext_wasm.library.meshext.legal import (
    check_host,
    check_method_change,
    check_path,
    check_scheme,
    check_target,
    decode,
)
from meshext_wasm.library.meshext.lines import Origin
from meshext_wasm.library.meshext.message import Message, Texts
from meshext_wasm.library.meshext.peer import Peer
from meshext_wasm.library.meshext.query import Query
from meshext_wasm.library.meshext.view import View

S = TypeVar("S")

TEXTS = Texts(
    left="the request has left: its headers can be changed in on_request and on_request_body only",
    no_body="the request's body is not here; read it in on_request_body",
    body_left="the request's body can be assigned in on_request_body only",
    no_trailers="trailers can be changed in on_request_trailers only",
    no_skip="request.skip_body() comes too late here; call it in on_request",
)


class RequestLine:
    """The request line; never changed, only replaced. What is None is Envoy's, fetched when it is read."""

    def __init__(
        self,
        method: str | None,
        scheme: str | None,
        host: str | None,
        target: str | None,
        origin: Origin | None = None,
    ) -> None:
        self._method = method
        self._scheme = scheme
        self._host = host
        self._target = target
        self._origin = origin

    @property
    def method(self) -> str:
        """The method."""
        found = self._method
        if found is None:
            found = self._ask(":method")
            self._method = found
        return found

    @property
    def scheme(self) -> str:
        """The scheme."""
        found = self._scheme
        if found is None:
            found = self._ask(":scheme")
            self._scheme = found
        return found

    @property
    def host(self) -> str:
        """The authority."""
        found = self._host
        if found is None:
            found = self._ask(":authority")
            self._host = found
        return found

    @property
    def target(self) -> str:
        """Path and query; a CONNECT that is no upgrade has none (RFC 9110 9.3.6)."""
        found = self._target
        if found is None:
            found = self._ask(":path")
            odd = found == "/" or not found.startswith("/")
            if odd and self.method == "CONNECT" and not self._ask(":protocol"):
                found = ""
            self._target = found
        return found

    def _ask(self, name: str) -> str:
        origin = self._origin
        if origin is None:
            return ""
        found = origin.first(name)
        if found is None:
            return ""
        return decode(found)


NO_LINE = RequestLine("", "", "", "")
"""Before the request's headers are here."""


class AnyRequest(Message):
    """A request without its filter's state."""

    def __init__(self, view: View) -> None:
        super().__init__(view, TEXTS)
        self._line = NO_LINE
        self._additions: ResponseAdditions | None = None

    @property
    def response_headers(self) -> ResponseAdditions:
        """What is put on the response that the client gets."""
        found = self._additions
        if found is None:
            found = ResponseAdditions()
            self._additions = found
        return found

    def has_additions(self) -> bool:
        """Whether anything is put on the response."""
        found = self._additions
        return found is not None and found.is_touched()

    @property
    def method(self) -> str:
        """The method, such as `GET`."""
        return self._line.method

    @method.setter
    def method(self, value: str) -> None:
        self._check_open()
        line = self._line
        if (line.method == "CONNECT" or value == "CONNECT") and value != line.method:
            raise HeaderError(
                "CONNECT is no method like others: a request can neither become one nor stop being one"
            )
        self._line = RequestLine(check_method_change(line.method, value), line.scheme, line.host, line.target)

    @property
    def scheme(self) -> str:
        """`http` or `https`, as Envoy saw it."""
        return self._line.scheme

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._check_open()
        line = self._line
        self._line = RequestLine(line.method, check_scheme(value), line.host, line.target)

    @property
    def host(self) -> str:
        """The authority as the client wrote it, with port; `hostname` is the one to compare."""
        return self._line.host

    @host.setter
    def host(self, value: str) -> None:
        self._check_open()
        line = self._line
        self._line = RequestLine(line.method, line.scheme, check_host(value), line.target)

    @property
    def hostname(self) -> str:
        """The host for comparing: lower case, without port, without a trailing dot (RFC 9110 4.2.3)."""
        host = self._line.host.rpartition("@")[2]
        if host.startswith("["):
            name = host[: host.find("]") + 1]
        else:
            name = host.partition(":")[0]
        return name.rstrip(".").lower()

    @property
    def target(self) -> str:
        """Path and query, raw; "" for CONNECT."""
        return self._line.target

    @target.setter
    def target(self, value: str) -> None:
        self._check_has_path()
        self.write_target(check_target(value))

    @property
    def path(self) -> str:
        """The path without query, as the upstream gets it; assigning keeps the query."""
        return self._line.target.partition("?")[0]

    @path.setter
    def path(self, value: str) -> None:
        self._check_has_path()
        _, mark, query = self._line.target.partition("?")
        self.write_target(check_path(value) + mark + query)

    @property
    def query(self) -> Query:
        """The query parameters, decoded; writes go through to `target`."""
        return RequestQuery(self)

    @property
    def cookies(self) -> Cookies:
        """The cookies the client sent."""
        return Cookies(self.headers)

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
        """The name of the route that was chosen before the filter ran; "" where it has none."""
        return self._view.surroundings.route

    @property
    def cluster(self) -> str:
        """The cluster that was chosen before the filter ran; "" where there is none."""
        return self._view.surroundings.cluster

    @property
    def id(self) -> str:
        """The request id (x-request-id) that logs carry."""
        return self._view.surroundings.request_id

    def __repr__(self) -> str:
        return f"<Request {self._line.method} {self._line.host}{self.path}>"

    # -- for query and engine --------------------------------------------------------------------

    def write_target(self, target: str) -> None:
        """Replace the raw target without looking at parts that nobody touched."""
        self._check_has_path()
        line = self._line
        self._line = RequestLine(line.method, line.scheme, line.host, target)

    def read_line(self) -> RequestLine:
        """The request line as it is now."""
        return self._line

    def load_line(self, line: RequestLine) -> None:
        """Take the request line as it is at this point of the chain."""
        self._line = line

    def _check_open(self) -> None:
        if self.sealed:
            raise HeaderError(self._texts.left)

    def _check_has_path(self) -> None:
        self._check_open()
        if not self._line.target:
            raise HeaderError("a CONNECT request has no path")


class RequestQuery(Query):
    """The query of a request."""

    def __init__(self, request: AnyRequest) -> None:
        self._request = request

    def read(self) -> str:
        """The raw target."""
        return self._request.target

    def write(self, raw: str) -> None:
        """Put another in its place."""
        self._request.write_target(raw)


class Request(AnyRequest, Generic[S]):
    """A request; `Request[State]` where the filter keeps a `State` for each exchange."""

    state: S
