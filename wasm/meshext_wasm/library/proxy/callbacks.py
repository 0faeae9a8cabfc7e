"""The callbacks that Envoy calls: contexts, budgets and memory around the passage of each exchange.

Whatever happens in here ends in a number that Envoy understands: there is nothing above it that could catch.
"""

from meshext_wasm.library.builtins import memory
from meshext_wasm.library.proxy.beginning import PASSAGES
from meshext_wasm.library.proxy.host import CONFIGURATION, ERROR, log, read_buffer
from meshext_wasm.library.proxy.program import CONTINUE, PAUSE, installed
from meshext_wasm.library.proxy.traceback import describe_error, format_sites
from meshext_wasm.library.raw import budget_set, export, guard_call, guard_taken, wide, word

GLUE_STEPS = 1_000_000_000
"""What the glue and a configuration may take, about half a second; a hook has its own budget within."""


@export("proxy_abi_version_0_2_1")
def abi_version() -> None:
    """Says which ABI this is."""


@export("proxy_on_vm_start")
def on_vm_start(context: word, size: word) -> word:
    """The module is there; 0 where the code of its own modules failed, and the log says how."""
    taken = guard_taken()
    if taken is None:
        return word(1)
    begin()
    guard_call(lambda: say_started(taken))
    memory.end()
    return word(0)


def say_started(taken: object) -> None:
    """Why the module's own code failed when it was loaded."""
    if isinstance(taken, Exception):
        log(ERROR, f"the module does not start: {describe_error(taken)}{format_sites()}")
    else:
        log(ERROR, "the module does not start: its code took too many steps")


@export("proxy_on_configure")
def on_configure(context: word, size: word) -> word:
    """Make the filters; 0 refuses the configuration, and the log says why."""
    memory.begin_configuration()
    budget_set(wide(GLUE_STEPS))
    guard_call(configure)
    taken = guard_taken()
    accepted = word(1)
    budget_set(wide(GLUE_STEPS))
    if taken is not None:
        accepted = word(0)
        memory.allow_more()
        guard_call(lambda: refuse(taken))
    memory.end_configuration()
    return accepted


def configure() -> None:
    """The configuration, and the filters of it."""
    installed().configure(read_buffer(CONFIGURATION).decode())


def refuse(taken: object) -> None:
    """Why the configuration is refused."""
    if isinstance(taken, ValueError):
        log(ERROR, f"configuration refused: {taken}")
    elif isinstance(taken, Exception):
        log(ERROR, f"configuration refused: {describe_error(taken)}{format_sites()}")
    else:
        log(ERROR, "configuration refused: making the filters took too many steps")


def begin() -> None:
    """Before every callback."""
    memory.begin()
    budget_set(wide(GLUE_STEPS))


def finish(result: object) -> word:
    """After a callback of a stream. The glue itself failed where the result is no number: then the stream may
    not go on."""
    if isinstance(result, int):
        memory.end()
        return word(result)
    taken = guard_taken()
    budget_set(wide(GLUE_STEPS))
    memory.allow_more()
    guard_call(lambda: report(taken))
    memory.end()
    return word(PAUSE)


def report(taken: object) -> None:
    """A failure of the glue itself, such as no memory for the headers."""
    if isinstance(taken, Exception):
        log(ERROR, f"the exchange is held: {describe_error(taken)}{format_sites()}")
    else:
        log(ERROR, "the exchange is held: it took too many steps")


@export("proxy_on_request_headers")
def on_request_headers(context: word, count: word, end: word) -> word:
    """The request begins."""
    begin()
    return request_begins(int(context), int(count), end != word(0))


def request_begins(context: int, count: int, end: bool) -> word:
    """The same behind the mark: what the lambda shares is made as a function begins, and would stay."""
    return finish(guard_call(lambda: installed().begin(context, count, end)))


@export("proxy_on_request_body")
def on_request_body(context: word, size: word, end: word) -> word:
    """Some of the request's body."""
    begin()
    number, length, last = int(context), int(size), end != word(0)
    return finish(guard_call(lambda: request_body(number, length, last)))


def request_body(context: int, size: int, end: bool) -> int:
    """Some of the request's body."""
    passage = PASSAGES.open.get(context)
    if passage is None:
        return CONTINUE
    return passage.request_body(size, end)


@export("proxy_on_request_trailers")
def on_request_trailers(context: word, count: word) -> word:
    """The request's trailers."""
    begin()
    number = int(context)
    return finish(guard_call(lambda: request_ends(number)))


def request_ends(context: int) -> int:
    """The request's trailers."""
    passage = PASSAGES.open.get(context)
    if passage is None:
        return CONTINUE
    return passage.request_ends()


@export("proxy_on_response_headers")
def on_response_headers(context: word, count: word, end: word) -> word:
    """The response begins; one that Envoy made before the filters saw a request is none of their business."""
    begin()
    number, lines, last = int(context), int(count), end != word(0)
    return finish(guard_call(lambda: response_begins(number, lines, last)))


def response_begins(context: int, lines: int, end: bool) -> int:
    """The response begins."""
    passage = PASSAGES.open.get(context)
    if passage is None:
        return CONTINUE
    return passage.response_begins(lines, end)


@export("proxy_on_response_body")
def on_response_body(context: word, size: word, end: word) -> word:
    """Some of the response's body."""
    begin()
    number, length, last = int(context), int(size), end != word(0)
    return finish(guard_call(lambda: response_body(number, length, last)))


def response_body(context: int, size: int, end: bool) -> int:
    """Some of the response's body."""
    passage = PASSAGES.open.get(context)
    if passage is None:
        return CONTINUE
    return passage.response_body(size, end)


@export("proxy_on_response_trailers")
def on_response_trailers(context: word, count: word) -> word:
    """The response's trailers."""
    begin()
    number = int(context)
    return finish(guard_call(lambda: response_ends(number)))


def response_ends(context: int) -> int:
    """The response's trailers."""
    passage = PASSAGES.open.get(context)
    if passage is None:
        return CONTINUE
    return passage.response_ends()


@export("proxy_on_log")
def on_log(context: word) -> None:
    """The exchange has ended."""
    begin()
    number = int(context)
    guard_call(lambda: complete(number))
    memory.end()


def complete(context: int) -> None:
    """Look back on the exchange, and forget it."""
    passage = PASSAGES.open.get(context)
    if passage is not None:
        passage.complete()
        del PASSAGES.open[context]
