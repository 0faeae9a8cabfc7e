"""One hook, run atomically: what it wrote counts when it returns and is gone when it fails."""

from meshext_wasm.library.builtins import memory
from meshext_wasm.library.builtins.limits import Exhausted
from meshext_wasm.library.builtins.printing import forget_printing
from meshext_wasm.library.meshext.actions import Respond
from meshext_wasm.library.meshext.lines import NO_LINES, Lines
from meshext_wasm.library.meshext.message import Message
from meshext_wasm.library.meshext.metadata import survives_copy
from meshext_wasm.library.meshext.needs import (
    ON_COMPLETE,
    ON_REQUEST,
    ON_REQUEST_CHUNK,
    ON_RESPONSE_CHUNK,
    ON_RESPONSE_TRAILERS,
    hook_name,
)
from meshext_wasm.library.meshext.request import AnyRequest, RequestLine
from meshext_wasm.library.meshext.view import NOTHING_WRITTEN
from meshext_wasm.library.proxy.bounds import PSEUDO_BYTES, Nonsense, check_body, check_lines, fits_by_far
from meshext_wasm.library.proxy.failing import report_failure, report_left_out
from meshext_wasm.library.proxy.quota import QUOTA
from meshext_wasm.library.proxy.seat import NO_CHUNK, NO_ENDING, Chunk, Ending, Seat
from meshext_wasm.library.proxy.turn import Turn, turn_failed
from meshext_wasm.library.raw import budget_left, budget_set, guard_call, guard_taken, wide

STEPS = 50_000_000
"""About 25 ms of work, in steps of the budget: 5 to 55, by work and machine (`e2e/bench/wasm/held.py`)."""


class Before:
    """How everything was that a hook may write to."""

    def __init__(self, seat: Seat, message: Message) -> None:
        self.lines = message.headers.to_lines()
        self.trailers = message.trailers.to_lines()
        self.skips = message.skips_body
        self.body = message.read_body()
        self.sealed = message.sealed
        self.has_additions = seat.asked.has_additions()
        if self.has_additions:
            self.additions = seat.asked.response_headers.to_lines()
            self.replaced = seat.asked.response_headers.replaced()
        self.line = seat.asked.read_line()
        self.status = -1
        if seat.has_answered():
            self.status = seat.answered.status
        self.written = seat.view.written

    def undo(self, seat: Seat, message: Message) -> None:
        """Take back everything that a hook wrote."""
        message.headers.replace_lines(self.lines)
        message.trailers.replace_lines(self.trailers)
        message.skips_body = self.skips
        message.write_body(self.body)
        if self.has_additions:
            seat.asked.response_headers.restore(self.additions, self.replaced)
        elif seat.asked.has_additions():
            seat.asked.response_headers.restore(NO_LINES, [])
        seat.asked.load_line(self.line)
        if self.status >= 0:
            seat.answered.load_status(self.status)
        seat.view.written = self.written


class Result:
    """What came of a hook: a Turn, other bytes for a chunk, or neither."""

    def __init__(self, turn: Turn | None, chunk: bytes | None) -> None:
        self.turn = turn
        self.chunk = chunk


def run(
    seat: Seat, hook: int, message: Message, chunk: Chunk = NO_CHUNK, ending: Ending = NO_ENDING
) -> Result:
    """Call the hook and judge what it returned and wrote.

    A failure is logged and everything the hook wrote taken back; then it is a Turn, or, where the filter's
    policy is `open`, as if the hook had not run.
    """
    before = Before(seat, message)
    left = budget_left()
    budget_set(wide(STEPS))
    QUOTA.begin(seat.view.surroundings.lines_logged)
    result = guard_call(lambda: attempt(seat, hook, message, chunk, ending, before))
    # A hook that used up its steps must leave some for what is done about it.
    budget_set(left)
    taken = guard_taken()
    seat.view.surroundings.lines_logged = QUOTA.end()
    if QUOTA.left_out > 0:
        report_left_out(seat, QUOTA.left_out)
    if taken is None and isinstance(result, Result):
        if seat.view.written is not before.written:
            seat.publish()
        return result
    memory.allow_more()
    before.undo(seat, message)
    return Result(fail(seat, hook, taken), None)


def meet_request(seat: Seat, lines: Lines, line: RequestLine) -> Turn | None:
    """`on_request` of one filter, called as `run` calls a hook; the request is new, so little is undone."""
    seat.saw_request = True
    request = seat.asked
    request.load_lines(lines)
    request.load_line(line)
    headers = request.headers
    left = budget_left()
    budget_set(wide(STEPS))
    QUOTA.begin(0)
    found = guard_call(lambda: attempt_request(seat, lines, line))
    budget_set(left)
    taken = guard_taken()
    QUOTA.end()
    if QUOTA.left_out > 0:
        report_left_out(seat, QUOTA.left_out)
    if taken is None:
        if seat.view.written is not NOTHING_WRITTEN:
            seat.publish()
        return found if isinstance(found, Turn) else None
    memory.allow_more()
    headers.replace_lines(lines)
    request.load_line(line)
    if request.has_additions():
        request.response_headers.restore(NO_LINES, [])
    seat.view.written = NOTHING_WRITTEN
    return fail(seat, ON_REQUEST, taken)


def attempt_request(seat: Seat, lines: Lines, line: RequestLine) -> Turn | None:
    """`on_request`, and what it returned and wrote, judged."""
    returned = seat.call(ON_REQUEST, NO_CHUNK, NO_ENDING)
    turn = None
    if returned is not None:
        turn = judge(ON_REQUEST, returned, NO_CHUNK, seat).turn
    check_headers(seat, seat.asked, lines, line)
    if seat.view.written is not NOTHING_WRITTEN:
        check_metadata(seat.view.written)
    return turn


def fail(seat: Seat, hook: int, taken: object) -> Turn | None:
    """A hook failed: say so, and what becomes of the exchange; None where it goes on."""
    kind = "raised"
    if isinstance(taken, Exhausted):
        forget_printing()
        kind = "overdue"
    elif isinstance(taken, Nonsense):
        kind = "nonsense"
    report_failure(seat, hook_name(hook), hook == ON_COMPLETE, kind, taken)
    if seat.needs.fails_open or hook == ON_COMPLETE:
        return None
    return turn_failed(seat, kind)


def attempt(seat: Seat, hook: int, message: Message, chunk: Chunk, ending: Ending, before: Before) -> Result:
    """The hook, and what it returned and wrote, judged."""
    returned = seat.call(hook, chunk, ending)
    result = judge(hook, returned, chunk, seat)
    check_written(seat, hook, message, before)
    return result


def judge(hook: int, returned: object, chunk: Chunk, seat: Seat) -> Result:
    """What a hook returned, if it means something."""
    if returned is None:
        return Result(None, None)
    is_chunk = hook in (ON_REQUEST_CHUNK, ON_RESPONSE_CHUNK)
    if is_chunk and isinstance(returned, bytes):
        if returned and chunk.refusal:
            raise Nonsense(f"it returned {len(returned)} bytes, but {chunk.refusal}")
        return Result(None, returned)
    if isinstance(returned, Respond):
        if hook in (ON_RESPONSE_TRAILERS, ON_COMPLETE):
            raise Nonsense("it returned a Respond, but the response has already begun")
        check_lines(NO_LINES, returned.to_lines(), 0)
        return Result(Turn(returned, seat), None)
    wanted = "None or a Respond"
    if is_chunk:
        wanted = "None, bytes or a Respond"
    raise Nonsense(f"it returned {returned!r}; return {wanted}")


def check_written(seat: Seat, hook: int, message: Message, before: Before) -> None:
    """Refuse what a hook wrote and Envoy has no room for."""
    check_headers(seat, message, before.lines, before.line)
    if message.read_body() != before.body:
        check_body(message.read_body(), seat.needs.max_body)
    if seat.view.written is not before.written:
        check_metadata(seat.view.written)


def check_headers(seat: Seat, message: Message, before: Lines, line: RequestLine) -> None:
    """The same for headers, which were like this."""
    lines = message.headers.to_lines()
    moved = seat.asked.read_line() is not line
    if moved or lines is not before:
        if isinstance(message, AnyRequest) and loses(before, lines, "x-forwarded-proto"):
            raise Nonsense(
                "it removed 'x-forwarded-proto', without which Envoy finds no route; set it instead"
            )
        if moved or not fits_by_far(lines):
            check_lines(before, lines, bytes_besides(message))


def check_metadata(written: dict[str, object]) -> None:
    """Refuse metadata that would not be the same when it has been copied to where Envoy keeps it."""
    for key, value in written.items():
        if not survives_copy(key) or not survives_copy(value):
            raise Nonsense(
                f"metadata {key!r}: Wasm carries no None, no empty list and no NUL; "
                "leave them out, or use --mode proc"
            )


def bytes_besides(message: Message) -> int:
    """What a message's first line takes of the room for its headers."""
    if not isinstance(message, AnyRequest):
        return 0
    line = message.read_line()
    return PSEUDO_BYTES + len(line.method) + len(line.scheme) + len(line.host) + len(line.target)


def loses(before: Lines, after: Lines, name: str) -> bool:
    """Whether there was a line of that name and is none any more; what nobody fetched has only its edits."""
    if not after.is_known and not after.is_edited(name):
        return False
    return after.first(name) is None and before.first(name) is not None
