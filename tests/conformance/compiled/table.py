"""What is different on Wasm: filters that no module can carry yet, and cases that Envoy has no room for.

Both tables are exact: `test_compiled.py` compiles what stands in the first, and the cases of the second fail
where they are not refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from meshext import Filter
from tests.conformance.case import REFUSED, Case, Gets
from tests.conformance.cases import (
    chains,
    chunk_failures,
    chunks,
    duplex,
    failures,
    grpc_requests,
    illegal,
    tunnels,
)
from tests.conformance.envoys_own import ILLEGAL, SeesBoth
from tests.conformance.judge import as_refused

ASYNC = "asyncio of the standard library is not compiled"
DUPLEX = "Wasm has no full duplex"
NO_SLEEP = "time has no sleep here"

NOT_CARRIED: Mapping[type[Filter], str] = {
    chains.Flows: DUPLEX,
    chunk_failures.FailsAsync: ASYNC,
    chunk_failures.FailsAsyncOpen: ASYNC,
    chunk_failures.SleepsAtRequest: NO_SLEEP,
    chunk_failures.SleepsAtRequestOpen: NO_SLEEP,
    chunk_failures.SleepsAtResponse: NO_SLEEP,
    chunk_failures.SleepsAtResponseOpen: NO_SLEEP,
    chunks.CollectsAsync: "on_request_chunk is not async in Collects",
    duplex.Fails: DUPLEX,
    duplex.Holds: DUPLEX,
    duplex.HoldsRequest: DUPLEX,
    duplex.Leaves: DUPLEX,
    duplex.Skips: DUPLEX,
    failures.FailsAsync: ASYNC,
    failures.FailsAsyncOpen: ASYNC,
    failures.Sleeps: NO_SLEEP,
    failures.SleepsOpen: NO_SLEEP,
    grpc_requests.HeldBack: DUPLEX,
    illegal.IllegalBytes: "a value of type bytes stands where str is wanted",
    tunnels.DuplexRequest: DUPLEX,
    tunnels.DuplexResponse: DUPLEX,
}
"""Filters, each with what the compiler says of it."""

NO_BODY = "a message without a body can not be given one inside Envoy"
WITHOUT_REQUEST_BODY = frozenset(
    {
        "request-body-where-none-was",
        "request-body-where-get-had-none",
        "chunks-where-no-body-was",
    }
)
WITHOUT_RESPONSE_BODY = frozenset({"response-body-where-none-was"})
"""Cases whose filters write a body where none is: refused when the hook has run."""


BEYOND_LUA = frozenset({"metadata-null", "metadata-empty-list", "metadata-null-in-list", "metadata-nul"})
"""Metadata is copied by Lua, beside a module as in ext_authz, and refused in the same words."""


def refusal(case: Case) -> str:
    """Why no module carries the case, "" where one does."""
    return next((NOT_CARRIED[cls] for cls in case.filters if cls in NOT_CARRIED), "")


OWN_ANSWERS = {f"own-answer-{name}-{SeesBoth.name}": status for name, _, status in ILLEGAL}
"""Cases in which Envoy answers by itself: a module lets that pass, where beside ext_proc Envoy hangs up."""


def adapt(case: Case) -> Case:
    """The case as a module has to answer it."""
    if case.name in OWN_ANSWERS:
        return replace(case, gets=Gets(status=OWN_ANSWERS[case.name], headers={"x-seen": ()}))
    name = case.name.removeprefix("http2-")
    if name in BEYOND_LUA:
        return as_refused(case)
    refused = as_refused(replace(case, authz_failure=NO_BODY))
    if name in WITHOUT_REQUEST_BODY:
        return refused
    if name in WITHOUT_RESPONSE_BODY:
        return replace(refused, arrives=case.arrives, gets=REFUSED)
    return case
