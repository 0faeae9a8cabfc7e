"""What the log says of a hook that failed: which filter and request, why, and where in its code."""

from meshext_wasm.library.meshext.metrics import Counter
from meshext_wasm.library.proxy.host import ERROR, log
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.proxy.traceback import describe_error, format_sites

FAILURES = Counter("meshext_hook_failures_total", labels=("filter", "hook", "kind"))


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
    FAILURES.inc(filter=name, hook=hook, kind=kind)


def describe(kind: str, taken: object) -> str:
    """Why, with the traceback where an exception of the filter's own is the reason."""
    if kind == "overdue":
        return "it took more steps than a hook has (about 50 ms of work)"
    if isinstance(taken, Exception):
        if kind == "nonsense":
            return str(taken)
        return describe_error(taken) + format_sites()
    return "it failed"
