"""Whether a runtime did what the case says."""

from __future__ import annotations

from dataclasses import replace

from meshext.http.headers import Headers
from tests.conformance.case import NOTES, REFUSED, Arrives, Case, Gets, Lines, Result


def judge(case: Case, result: Result) -> None:
    """Compare everything the case names."""
    context = f"logs: {[log.message for log in result.logs]}"
    judge_client(case.gets, result)
    if case.arrives is None:
        assert result.arrived is None, "the request reached the upstream"
    else:
        judge_upstream(case.arrives, result)
    if case.notes is not None:
        assert list(case.notes) == NOTES, context
    if case.details is not None:
        assert result.details == case.details
    if case.metadata is not None:
        assert result.metadata == case.metadata
    failures = [log.message for log in result.logs if log.level == "ERROR"]
    if case.failure:
        assert any(case.failure in message for message in failures), context
    else:
        assert failures == []


def as_refused(case: Case) -> Case:
    """The case where its runtime refuses at run time what a hook did."""
    return replace(
        case,
        arrives=None,
        gets=REFUSED,
        notes=None,
        details=None,
        metadata=None,
        failure=case.authz_failure,
    )


def judge_client(wanted: Gets, result: Result) -> None:
    got = result.got
    assert got.reset == wanted.reset if wanted.reset is not None else got.reset or got.status == 500
    if wanted.status is not None:
        assert got.status == wanted.status, result
    judge_lines("client", wanted.headers, got.headers)
    if wanted.body is not None:
        assert got.body == wanted.body
    if wanted.trailers is not None:
        judge_lines("client's trailers", wanted.trailers, got.trailers)
    judge_length(got.headers, got.body, result)


def judge_length(headers: Headers, body: bytes, result: Result) -> None:
    """Whoever announces a length sends as much (a response to HEAD announces what GET would get)."""
    length = headers.get("content-length")
    if length is not None and body and not result.got.reset:
        assert int(length) == len(body)


def judge_upstream(wanted: Arrives, result: Result) -> None:
    arrived = result.arrived
    assert arrived is not None, f"the request did not arrive: {result}"
    for part in ("at", "method", "target", "host", "body"):
        if getattr(wanted, part) is not None:
            assert (part, getattr(arrived, part)) == (part, getattr(wanted, part))
    judge_lines("upstream", wanted.headers, arrived.headers)
    if wanted.trailers is not None:
        judge_lines("upstream's trailers", wanted.trailers, arrived.trailers)
    length = arrived.headers.get("content-length")
    assert length is None or int(length) == len(arrived.body)


def judge_lines(where: str, wanted: Lines, headers: Headers) -> None:
    for name, values in wanted.items():
        assert (where, name, tuple(headers.get_all(name))) == (where, name, values), headers
