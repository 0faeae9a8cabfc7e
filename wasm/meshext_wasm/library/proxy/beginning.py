"""A request begins that has a way through several filters or phases."""

from meshext_wasm.library.meshext.lines import NOTHING, Lines
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.proxy.arriving import Arriving
from meshext_wasm.library.proxy.host import REQUEST_HEADERS
from meshext_wasm.library.proxy.passage import Passage
from meshext_wasm.library.proxy.program import Program
from meshext_wasm.library.proxy.surrounding import read_surroundings


class Passages:
    """The exchanges that are open, by context."""

    def __init__(self) -> None:
        self.open: dict[int, Passage] = {}


PASSAGES = Passages()


def begin_passage(program: Program, context: int, count: int, end: bool) -> int:
    """A new exchange; it is remembered only where something is left to do, so that most leave no trace."""
    origin = Arriving(REQUEST_HEADERS, count)
    lines = Lines(NOTHING, origin)
    line = RequestLine(None, None, None, None, origin)
    surroundings = read_surroundings(program.facts, lines)
    program.read_early(surroundings, line, lines)
    passage = Passage(program, lines, line, surroundings)
    result = passage.request_begins(end)
    if passage.goes_on():
        PASSAGES.open[context] = passage
    return result
