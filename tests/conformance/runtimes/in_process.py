"""In process: the harness."""

from __future__ import annotations

from meshext.engine.effects import Proceed
from meshext.http.headers import Headers
from meshext.testing import Harness, Outcome
from tests.conformance.case import DEAD, LATER, Arrived, Case, Got, Result


class InProcess:
    """Runs a case in a harness of its own."""

    mode = "proc"

    def run(self, case: Case) -> Result:
        harness = Harness(case.filters, case.configs or None)

        send = case.send
        outcome = harness.request(
            send.method,
            send.target,
            host=send.host,
            headers=send.headers + ((("transfer-encoding", "chunked"),) if send.chunked else ()),
            body=send.body,
            trailers=send.trailers,
            route="main",
            cluster="main",
            client_address="127.0.0.1",
            response=case.reply,
        )
        return to_result(case, outcome)


def to_result(case: Case, outcome: Outcome) -> Result:
    got = Got(
        status=outcome.status,
        headers=outcome.headers,
        body=outcome.body,
        trailers=outcome.trailers,
        reset=outcome.reset,
    )
    return Result(
        arrived=to_arrived(case, outcome),
        got=got,
        logs=outcome.logs,
        details=outcome.details or "via_upstream",
        metadata=outcome.metadata,
    )


def to_arrived(case: Case, outcome: Outcome) -> Arrived | None:
    request = outcome.upstream
    if request is None:
        return None
    effects = [step.effect for step in outcome.steps]
    routed = any(isinstance(effect, Proceed) and effect.clear_route for effect in effects)
    at = choose(request.headers if routed else Headers(case.send.headers))
    if at == DEAD:
        return None
    return Arrived(
        at=at,
        method=request.method,
        target=request.target,
        host=request.host,
        headers=request.headers,
        body=request.body,
        trailers=request.trailers,
    )


def choose(headers: Headers) -> str:
    """The upstream that the routes of the conformance suite choose."""
    route = headers.get(LATER)
    return route if route in ("other", DEAD) else "main"
