"""What a build registers: how the filters of its chain are configured and seated.

The module that is written for a build makes one object below `Program` and gives it to `install`.
"""

from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.meshext.surroundings import Surroundings
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.raw import virtual


class Program:
    """A chain of filters. `hooks` is the sum of the numbers of all hooks that it has in its configuration;
    `facts` names what of the surroundings their code asks for."""

    def __init__(self, facts: list[str]) -> None:
        self.hooks = 0
        self.facts = facts

    @virtual
    def configure(self, text: str) -> None:
        """Make the filters from their configuration; ValueError says what is wrong with it."""
        raise NotImplementedError

    @virtual
    def read_early(
        self, surroundings: Surroundings, line: RequestLine, lines: list[tuple[str, bytes]]
    ) -> None:
        """Ask for the declared attributes of connection and request; a chain without any asks for nothing."""

    @virtual
    def read_late(self, surroundings: Surroundings) -> None:
        """Ask for the declared attributes of the response."""

    @virtual
    def seat(self, surroundings: Surroundings) -> list[Seat]:
        """A place for each filter in a new exchange."""
        raise NotImplementedError


def at_once(value: object) -> object:
    """What an async hook gives: compiled, it is a function like others."""
    return value


class Installed:
    """The program of this module."""

    def __init__(self) -> None:
        self.program = Program([])


INSTALLED = Installed()


def install(program: Program) -> None:
    """Let the callbacks run this program."""
    INSTALLED.program = program


def installed() -> Program:
    """The program of this module."""
    return INSTALLED.program
