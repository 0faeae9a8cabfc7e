"""Claims about what one sees: spans of one visit in one trace, and what the telemetry filter tells."""

from __future__ import annotations

import secrets

from meshext_controlplane.demo.claims.stage import STOREFRONT, Stage, expect, expect_status, new_mark, only
from meshext_controlplane.demo.visits import Visit
from meshext_controlplane.tap.spans import Span

SECRET = "token=s3cr3t-of-the-demo"


async def spans_arrive(stage: Stage) -> str:
    """One order leaves spans of three sidecars in the trace that the customer began."""
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    answer = await stage.order(traceparent=f"00-{trace}-{root}-01")
    expect_status(answer, 201, "an order")
    wanted = {"customers", "storefront", "checkout"}

    def enough(spans: list[Span]) -> bool:
        # Each sidecar tells its spans in its own time: a child may come before its parent.
        return wanted <= services(spans) and not without_parent(spans, root)

    spans = await stage.watch.find_spans(lambda span: span.trace == trace, enough)
    expect(bool(spans), "no span of the trace has arrived")
    expect(wanted <= services(spans), f"spans came from {', '.join(sorted(services(spans)))} only")
    lost = without_parent(spans, root)
    expect(not lost, f"spans of {', '.join(span.service for span in lost)} have a parent that nobody told")
    return f"{len(spans)} spans of {', '.join(sorted(services(spans)))} in one trace"


def without_parent(spans: list[Span], root: str) -> list[Span]:
    """Spans whose parent is neither among them nor the customer's own."""
    known = {span.id for span in spans} | {root}
    return [span for span in spans if span.parent not in known]


def services(spans: list[Span]) -> set[str]:
    """Which workloads they are of, without the namespace."""
    return {span.service.partition(".")[0] for span in spans}


async def the_telemetry_filter_tells(stage: Stage) -> str:
    """The filter telemetry, in Python, tells the route and the caller, and no secrets."""
    mark = new_mark()
    answer = await stage.call(Visit(url=f"{STOREFRONT}/recommendations?{mark}&{SECRET}"))
    expect_status(answer, 200, "a visit")
    told = only(await stage.logged(mark, "storefront"), "the visit").filters.get("telemetry")
    expect(told is not None, "its words are not in the access log")
    assert told is not None
    expect(told.get("route") == "/recommendations", f"it tells the route {told.get('route')!r}")
    expect(mark in told.get("target", ""), f"it tells the target {told.get('target')!r}")
    expect("s3cr3t" not in " ".join(told.values()), "it has told a secret")
    expect("customers" in told.get("peer", ""), f"it tells the peer {told.get('peer')!r}")
    return f"route {told['route']}, peer {told['peer']}, target {told['target'].replace(mark, '...')}"
