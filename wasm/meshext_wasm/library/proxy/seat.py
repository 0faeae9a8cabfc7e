"""One filter's place in one exchange: its state, its view of request and response, how far it came.

What is written for a build is a class below `Seat` for each filter: it has the filter object, and calls its
hooks.
"""

from meshext_wasm.library.meshext.needs import Needs
from meshext_wasm.library.meshext.request import AnyRequest
from meshext_wasm.library.meshext.response import AnyResponse
from meshext_wasm.library.meshext.view import View
from meshext_wasm.library.raw import virtual


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
    """Made when the request's headers arrive; lives as long as the exchange."""

    def __init__(self, needs: Needs, view: View, request: AnyRequest, response: AnyResponse) -> None:
        self.needs = needs
        self.view = view
        self.asked = request
        self.answered = response
        self.saw_request = False
        self.saw_response = False

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
