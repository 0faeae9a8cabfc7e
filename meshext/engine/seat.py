"""One filter's place in one exchange: its state, its view of request and response, how far it came."""

from __future__ import annotations

from typing import Any

from meshext.engine.chain import Mount
from meshext.http.context import Surroundings, View
from meshext.http.metadata import Namespaces
from meshext.http.request import NOTHING, Request
from meshext.http.response import Response
from meshext.needs import Hook


class Seat:
    """Made when the request's headers arrive; lives as long as the exchange."""

    __slots__ = ("_published", "_response", "mount", "request", "saw_request", "saw_response", "view")

    def __init__(self, mount: Mount, surroundings: Surroundings) -> None:
        self.mount = mount
        view = self.view = View(surroundings, mount.rights)
        request: Request[Any] = Request(view, NOTHING)
        request.state = None
        self.request = request
        self._response: Response[Any] | None = None
        self.saw_request = False
        self.saw_response = False
        self._published = view.written

    @property
    def response(self) -> Response[Any]:
        """The response as the filter sees it; made when first asked for, which many filters never do."""
        if self._response is None:
            self._response = Response(self.view, self.request)
        return self._response

    def has(self, hook: Hook) -> bool:
        """Whether the filter has that hook in this configuration."""
        return hook in self.mount.hooks

    def renew(self) -> None:
        """Part with every object that an abandoned hook may still write to."""
        self.view = self.view.renewed()
        self.request = self.request.renewed(self.view)
        if self._response is not None:
            self._response = self._response.renewed(self.view, self.request)

    def publish(self) -> None:
        """Let the filters that come later read what this one wrote."""
        shared = self.view.surroundings.metadata
        namespace = self.mount.needs.namespace
        shared[namespace] = {**shared.get(namespace, {}), **self.view.written}


def take_metadata(seats: tuple[Seat, ...]) -> Namespaces:
    """What filters wrote since it was last taken."""
    taken: Namespaces = {}
    for seat in seats:
        if seat.view.written is not seat._published:
            seat._published = seat.view.written
            namespace = seat.mount.needs.namespace
            taken[namespace] = {**taken.get(namespace, {}), **seat.view.written}
    return taken
