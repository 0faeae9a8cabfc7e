"""What the log says of a hook that failed: which filter and request, why, and where in its code."""

from meshext_wasm.library.meshext.host_metrics import define_metric, increment_metric
from meshext_wasm.library.meshext.metrics import COUNTER, label_text
from meshext_wasm.library.proxy.host import ERROR, WARNING, log
from meshext_wasm.library.proxy.quota import MOST_LINES
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.proxy.traceback import describe_error, format_sites

COUNTED: dict[str, int] = {}
"""Envoy's numbers of the counters here, by name with labels."""


def report_left_out(seat: Seat, lines: int) -> None:
    """What a hook logged beyond what a request may: counted, and told once in its log."""
    name, surroundings = seat.needs.name, seat.view.surroundings
    if not surroundings.is_quiet:
        surroundings.is_quiet = True
        log(
            WARNING,
            f"{name} [{surroundings.request_id}]: {MOST_LINES} lines are logged for this request; more are "
            "counted in meshext_log_lines_left_out_total",
        )
    count("meshext_log_lines_left_out_total;filter=" + label_text(name) + ";", lines)


def report_failure(seat: Seat, hook: str, ended: bool, kind: str, taken: object) -> None:
    """One entry in Envoy's log, and one more in the counter of failures."""
    consequence = "refused"
    if ended:
        consequence = "the exchange had ended"
    elif seat.needs.fails_open:
        consequence = "passed untouched"
    name = seat.needs.name
    request_id = seat.view.surroundings.request_id
    log(ERROR, f"{name} [{request_id}]: {hook} failed ({kind}), {consequence}: {describe(kind, taken)}")
    count_failure(name, hook, kind)


def count_failure(name: str, hook: str, kind: str) -> None:
    """One more failure."""
    labels = ";filter=" + label_text(name) + ";;hook=" + hook + ";;kind=" + kind + ";"
    count("meshext_hook_failures_total" + labels, 1)


def count(key: str, amount: int) -> None:
    """More in the series of a `Counter` with these labels, without all that a Counter can do besides."""
    number = COUNTED.get(key)
    if number is None:
        number = define_metric(COUNTER, key)
        COUNTED[key] = number
    increment_metric(number, amount)


def describe(kind: str, taken: object) -> str:
    """Why, with the traceback where an exception of the filter's own is the reason."""
    if kind == "overdue":
        return "it took more steps than a hook has (about 25 ms of work)"
    if isinstance(taken, Exception):
        if kind == "nonsense":
            return str(taken)
        return describe_error(taken) + format_sites()
    return "it failed"
