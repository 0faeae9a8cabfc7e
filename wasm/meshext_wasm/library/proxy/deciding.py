"""A request whose only filter has `on_request` alone: decided while its headers pass, then forgotten.

Nothing is made but what that needs, and what only other filters need is not in the module.
"""

from meshext_wasm.library.meshext.lines import NOTHING, Lines
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.meshext.surroundings import NOTHING_PUBLISHED
from meshext_wasm.library.proxy import commit
from meshext_wasm.library.proxy.arriving import Arriving
from meshext_wasm.library.proxy.hooks import meet_request
from meshext_wasm.library.proxy.host import REQUEST_HEADERS, respond
from meshext_wasm.library.proxy.program import CONTINUE, PAUSE, Program
from meshext_wasm.library.proxy.surrounding import read_surroundings
from meshext_wasm.library.proxy.turn import Turn, spaceless
from meshext_wasm.library.proxy.written import Written
from meshext_wasm.library.raw import heap_dirty, word


def decide(program: Program, count: int) -> int:
    """A new exchange, and its end as far as the filter is concerned."""
    origin = Arriving(REQUEST_HEADERS, count)
    lines = Lines(NOTHING, origin)
    line = RequestLine(None, None, None, None, origin)
    surroundings = read_surroundings(program.facts, lines)
    program.read_early(surroundings, line, lines)
    seat = program.only(surroundings)
    if seat is None:
        return PAUSE
    turn = meet_request(seat, lines, line)
    if surroundings.published is not NOTHING_PUBLISHED:
        Written(surroundings).tell()
    # What the filter may have kept of the request is fetched before it is gone.
    if heap_dirty() != word(0):
        lines.all()
    if turn is not None:
        return answer(turn)
    request = seat.asked
    if request.has_additions():
        return PAUSE  # no build has this where a filter's code names them
    after = request.read_line()
    if after is not line:
        commit.request_line(line, after)
    commit.lines(REQUEST_HEADERS, lines, request.headers.to_lines())
    return CONTINUE


def answer(turn: Turn) -> int:
    """The client gets the filter's answer, or that of its failure."""
    given = turn.respond
    respond(given.status, spaceless(given.details), given.body, given.to_lines().all())
    return PAUSE
