"""What a build registers: how the filters of its chain are configured and seated.

The module that is written for a build makes one object below `Program` and gives it to `install`.
"""

from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.needs import (
    ON_REQUEST,
    ON_REQUEST_BODY,
    ON_REQUEST_CHUNK,
    ON_RESPONSE_BODY,
    ON_RESPONSE_CHUNK,
)
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.meshext.surroundings import Surroundings
from meshext_wasm.library.proxy.seat import NONE, STREAM, WHOLE, Seat
from meshext_wasm.library.raw import virtual

CONTINUE = 0
PAUSE = 1
"""What a callback gives."""


class Facts:
    """What of the surroundings is asked of Envoy at once."""

    def __init__(self, names: list[str]) -> None:
        self.route = "route" in names
        self.cluster = "cluster" in names


class Program:
    """A chain of filters. `hooks` is the sum of the numbers of all hooks that it has in its configuration;
    `facts` names what of the surroundings their code asks for. `is_over_early`: nothing is left to do after a
    request's headers."""

    def __init__(self, facts: list[str]) -> None:
        self.facts = Facts(facts)
        self.set_hooks(0)

    def set_hooks(self, hooks: int) -> None:
        """Say which hooks there are, with what follows from it for every exchange."""
        self.hooks = hooks
        self.is_over_early = hooks == ON_REQUEST
        self.request_style = style_of(hooks, ON_REQUEST_BODY, ON_REQUEST_CHUNK)
        self.response_style = style_of(hooks, ON_RESPONSE_BODY, ON_RESPONSE_CHUNK)

    @virtual
    def configure(self, text: str) -> None:
        """Make the filters from their configuration; ValueError says what is wrong with it."""
        raise NotImplementedError

    @virtual
    def begin(self, context: int, count: int, end: bool) -> int:
        """A request begins; what the callback gives."""
        raise NotImplementedError

    @virtual
    def read_early(self, surroundings: Surroundings, line: RequestLine, lines: Lines) -> None:
        """Ask for the declared attributes of connection and request; a chain without any asks for nothing."""

    @virtual
    def read_late(self, surroundings: Surroundings) -> None:
        """Ask for the declared attributes of the response."""

    @virtual
    def seat(self, surroundings: Surroundings) -> list[Seat]:
        """A place for each filter in a new exchange."""
        raise NotImplementedError

    @virtual
    def only(self, surroundings: Surroundings) -> Seat | None:
        """The place of the only filter; None where there are several."""
        return None


def at_once(value: object) -> object:
    """What an async hook gives: compiled, it is a function like others."""
    return value


def style_of(hooks: int, whole: int, chunk: int) -> int:
    """How a body comes: held as soon as one filter wants it whole."""
    if hooks & whole != 0:
        return WHOLE
    if hooks & chunk != 0:
        return STREAM
    return NONE


class Installed:
    """The program of this module, once there is one."""

    def __init__(self) -> None:
        self.program: Program | None = None


INSTALLED = Installed()


def install(program: Program) -> None:
    """Let the callbacks run this program."""
    INSTALLED.program = program


def installed() -> Program:
    """The program of this module."""
    found = INSTALLED.program
    if found is None:
        raise RuntimeError("no filter is installed")
    return found
