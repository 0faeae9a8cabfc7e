"""What a build registers: how the filters of its chain are configured and seated.

The module that is written for a build makes one object below `Program` and gives it to `install`.
"""

from meshext_wasm.library.meshext.view import Surroundings
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.raw import virtual


class Program:
    """A chain of filters. `hooks` is the sum of the numbers of all hooks there are; `facts` names what of the
    surroundings their code asks for."""

    def __init__(self, hooks: int, facts: list[str]) -> None:
        self.hooks = hooks
        self.facts = facts

    @virtual
    def configure(self, text: str) -> None:
        """Make the filters from their configuration; ValueError says what is wrong with it."""
        raise NotImplementedError

    @virtual
    def seat(self, surroundings: Surroundings) -> list[Seat]:
        """A place for each filter in a new exchange."""
        raise NotImplementedError


class Installed:
    """The program of this module."""

    def __init__(self) -> None:
        self.program = Program(0, [])


INSTALLED = Installed()


def install(program: Program) -> None:
    """Let the callbacks run this program."""
    INSTALLED.program = program


def installed() -> Program:
    """The program of this module."""
    return INSTALLED.program
