"""One filter's place in one exchange: its state, its view of request and response, how far it came.

What is written for a build is a class below `Seat` for each filter: it has the filter object, and calls its
hooks.
"""

from meshext_wasm.library.meshext.needs import Needs
from meshext_wasm.library.meshext.request import AnyRequest
from meshext_wasm.library.meshext.response import AnyResponse
from meshext_wasm.library.meshext.view import View
from meshext_wasm.library.raw import virtual

NONE = 0
WHOLE = 1
STREAM = 2
"""How bodies come."""


class Chunk:
    """What a chunk hook is called with; `refusal` is why it can not return bytes, "" where it can."""

    def __init__(self, data: bytes, last: bool, refusal: str) -> None:
        self.data = data
        self.last = last
        self.refusal = refusal


class Ending:
    """What `on_complete` is told beside the messages."""

    def __init__(
        self,
        seen: bool,
        request_size: int | None,
        response_size: int | None,
        duration: float,
        response_after: float | None,
    ) -> None:
        self.seen = seen
        self.request_size = request_size
        self.response_size = response_size
        self.duration = duration
        self.response_after = response_after


NO_CHUNK = Chunk(b"", True, "")
NO_ENDING = Ending(False, None, None, 0.0, None)


class Seat:
    """Made when the request's headers arrive; lives as long as the exchange. The response is made when
    something first asks for it: many exchanges are over before."""

    def __init__(self, needs: Needs, view: View, request: AnyRequest) -> None:
        self.needs = needs
        self.view = view
        self.asked = request
        self._answered: AnyResponse | None = None
        self.saw_request = False
        self.saw_response = False

    @property
    def answered(self) -> AnyResponse:
        """The response as this filter holds it."""
        found = self._answered
        if found is None:
            found = self.make_response()
            self._answered = found
        return found

    def has_answered(self) -> bool:
        """Whether anything asked for the response."""
        return self._answered is not None

    @virtual
    def make_response(self) -> AnyResponse:
        """The response, with the type of the filter's state."""
        raise NotImplementedError

    def has(self, hook: int) -> bool:
        """Whether the filter has that hook in this configuration."""
        return self.needs.hooks & hook != 0

    def publish(self) -> None:
        """Let the filters that come later, and Envoy, read what this one wrote."""
        self.view.surroundings.publish(self.needs.namespace, self.view.written)

    @virtual
    def call(self, hook: int, chunk: Chunk, ending: Ending) -> object:
        """Call a hook; `chunk` is for chunk hooks, `ending` for `on_complete`."""
        raise NotImplementedError
