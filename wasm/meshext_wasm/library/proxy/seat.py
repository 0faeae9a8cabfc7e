"""One filter's place in one exchange: its state, its view of request and response, how far it came.

What is written for a build is a class below `Seat` for each filter: it has the filter object, and calls its
hooks.
"""

from meshext_wasm.library.meshext.request import AnyRequest
from meshext_wasm.library.meshext.response import AnyResponse
from meshext_wasm.library.meshext.view import View
from meshext_wasm.library.raw import virtual

ON_REQUEST = 1
ON_REQUEST_BODY = 2
ON_REQUEST_CHUNK = 4
ON_REQUEST_TRAILERS = 8
ON_RESPONSE = 16
ON_RESPONSE_BODY = 32
ON_RESPONSE_CHUNK = 64
ON_RESPONSE_TRAILERS = 128
ON_COMPLETE = 256


def hook_name(hook: int) -> str:
    """The name of a hook."""
    if hook == ON_REQUEST:
        return "on_request"
    if hook == ON_REQUEST_BODY:
        return "on_request_body"
    if hook == ON_REQUEST_CHUNK:
        return "on_request_chunk"
    if hook == ON_REQUEST_TRAILERS:
        return "on_request_trailers"
    if hook == ON_RESPONSE:
        return "on_response"
    if hook == ON_RESPONSE_BODY:
        return "on_response_body"
    if hook == ON_RESPONSE_CHUNK:
        return "on_response_chunk"
    if hook == ON_RESPONSE_TRAILERS:
        return "on_response_trailers"
    return "on_complete"


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


class Needs:
    """What one configured filter asks for; `hooks` is the sum of its hooks' numbers."""

    def __init__(
        self,
        name: str,
        hooks: int,
        max_body: int,
        fails_open: bool,
        passes_oversize: bool,
        attributes: list[str],
    ) -> None:
        self.name = name
        self.hooks = hooks
        self.max_body = max_body
        self.fails_open = fails_open
        self.passes_oversize = passes_oversize
        self.attributes = attributes


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

    @virtual
    def call(self, hook: int, chunk: Chunk, ending: Ending) -> object:
        """Call a hook; `chunk` is for chunk hooks, `ending` for `on_complete`."""
        raise NotImplementedError
