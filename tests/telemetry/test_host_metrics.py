"""A worker counts what happened, and nothing else."""

from __future__ import annotations

import asyncio

from meshext import Filter, Request, Respond
from meshext.series import Key
from meshext.telemetry.families import Family
from meshext.telemetry.host_metrics import HostMetrics
from meshext.telemetry.parent_metrics import ParentMetrics
from tests.hosts.forging import headers, response_headers
from tests.telemetry.watching import chain_of, check_request, play_authz, play_proc


class Guard(Filter):
    def on_request(self, request: Request) -> Respond | None:
        if request.headers.get("x-do") == "raise":
            raise ValueError("as asked")
        return Respond(403) if request.headers.get("x-do") == "stop" else None


class Lenient(Guard):
    failure = "open"


def numbers(families: list[Family], name: str) -> dict[Key, float]:
    """A family's numbers; of a histogram, how many there were."""
    (family,) = [family for family in families if family.name == name]
    return family.numbers or {key: float(sum(counts)) for key, (counts, _) in family.spreads.items()}


def test_exchanges_hooks_and_failures() -> None:
    chain = chain_of(Lenient, Guard)
    metrics = HostMetrics(chain.needs)

    async def play() -> None:
        for _ in range(3):
            await play_proc(chain, metrics, [headers(), response_headers(end=True)])
        await play_proc(chain, metrics, [headers(x_do="raise")])
        await play_authz(chain, metrics, check_request(x_do="stop"))
        metrics.shed("proc", "in_flight")
        metrics.begin("proc", ())

    asyncio.run(play())
    families = metrics.families()
    assert numbers(families, "meshext_exchanges_total") == {
        ("authz", "passed", "", ""): 0,
        ("authz", "answered", "lenient", "4xx"): 1,
        ("proc", "passed", "", ""): 3,
        ("proc", "failed_closed", "guard", "5xx"): 1,
        ("proc", "shed", "", ""): 1,
    }
    assert numbers(families, "meshext_open_exchanges") == {("authz",): 0, ("proc",): 1}
    assert numbers(families, "meshext_shed_total") == {("in_flight",): 1}
    assert numbers(families, "meshext_hook_seconds") == {
        ("lenient", "on_request"): 5,
        ("guard", "on_request"): 4,
    }
    assert numbers(families, "meshext_hook_failures_total") == {
        ("lenient", "on_request", "raised"): 1,
        ("guard", "on_request", "raised"): 1,
    }


def test_hook_times_fall_into_their_bucket() -> None:
    metrics = HostMetrics(chain_of(Guard).needs)
    tally = metrics.begin("proc", ())
    for seconds in (0.00001, 0.0002, 5.0):
        tally.hook("guard", chain_of(Guard).needs[0].hooks.__iter__().__next__(), seconds, None)
    (family,) = [each for each in metrics.families() if each.name == "meshext_hook_seconds"]
    counts, total = family.spreads["guard", "on_request"]
    assert counts == (1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert total == 5.00021


def test_store_operations_are_timed() -> None:
    metrics = HostMetrics(())
    metrics.store_called("get", 0.001, True)
    metrics.store_called("take", 0.025, False)
    assert numbers(metrics.families(), "meshext_store_seconds") == {("get", "ok"): 1, ("take", "failed"): 1}


def test_the_parent_counts_too() -> None:
    metrics = ParentMetrics()
    metrics.workers(2)
    metrics.worker_ended("stuck")
    metrics.reloaded("refused")
    families = metrics.families()
    assert numbers(families, "meshext_workers") == {(): 2}
    assert numbers(families, "meshext_worker_ends_total") == {("stuck",): 1, ("died",): 0}
    assert numbers(families, "meshext_reloads_total") == {("applied",): 0, ("refused",): 1}
    assert list(numbers(families, "meshext_build_info").values()) == [1]
