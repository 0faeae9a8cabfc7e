"""`python -m e2e.bench.policies`: what a decision of authorization-policy costs with 10 and with 1,000 rules.

CPU of the filter's hook in microseconds, the request and its facts made anew each time; the median of rounds
that take turns. Then how long 10,000 rules take from text to a filter that decides.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from e2e.bench.figures import describe_machine
from meshext.config import Document
from meshext.engine.chain import build_mount
from meshext.http.context import Rights, Surroundings, View
from meshext.http.headers import Headers
from meshext.http.parts import RequestParts
from meshext.http.peer import Peer
from meshext.http.request import Request
from meshext.loading import load_chain
from meshext.plugins import load_filter
from meshext.policy.settings import Settings

FEW, MANY, LOADED = 10, 1_000, 10_000
MOST_IN_A_POLICY = 500
HEAD = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p%d, namespace: shop}\n"
HEADERS = (
    ("user-agent", b"bench"),
    ("accept", b"*/*"),
    ("x-request-id", b"0b1c"),
    ("x-forwarded-proto", b"http"),
)

RULES = {
    "exact paths": "  - to: [{operation: {methods: [GET], paths: [/svc/%d/items]}}]\n",
    "path prefixes": "  - to: [{operation: {methods: [GET], paths: ['/svc/%d/*']}}]\n",
    "path templates": "  - to: [{operation: {paths: ['/{*}/%d/{**}']}}]\n",
    "hosts": "  - to: [{operation: {hosts: [s%d.test], paths: ['/*']}}]\n",
    "principals": "  - from: [{source: {principals: [td/ns/a/sa/s%d]}}]\n"
    "    to: [{operation: {paths: ['/*']}}]\n",
    "service accounts": "  - from: [{source: {serviceAccounts: [a/s%d]}}]\n",
    "everything": "  - from: [{source: {principals: [td/ns/a/sa/s%d]}}]\n"
    "    to: [{operation: {methods: [GET], hosts: [s%d.test], paths: ['/svc/%d/*']}}]\n"
    "    when: [{key: 'request.headers[x-a]', notValues: [b]}]\n",
}


def write_policies(rule: str, count: int) -> str:
    """So many rules in as many ALLOW policies as they need; the last rule is the one that matches."""
    documents: list[str] = []
    for start in range(0, count, MOST_IN_A_POLICY):
        numbers = range(start, min(start + MOST_IN_A_POLICY, count))
        rules = "".join(rule.replace("%d", str(number)) for number in numbers)
        documents.append(f"{HEAD % start}spec:\n  rules:\n{rules}")
    return "---\n".join(documents)


def build_hook(text: str) -> Callable[[Any], object]:
    """The filter's hook with these policies."""
    cls = load_filter("authorization-policy")
    mount = build_mount(cls, Settings.from_document(Document(text, "policy.yaml")))
    hook: Callable[[Any], object] = mount.instance.on_request  # type: ignore[attr-defined]  # a hook of this class
    return hook


def make_request(number: int, *, allowed: bool) -> Request[None]:
    """A request that only the rule of that number matches, or none."""
    name = number if allowed else -1
    peer = Peer(principal=f"spiffe://td/ns/a/sa/s{name}", address="10.0.0.1", tls=True)
    view = View(Surroundings(peer=peer, client_address="10.0.0.1"), Rights(filter_name="p", namespace="p"))
    parts = RequestParts(HEADERS, "GET", "http", f"s{name}.test", f"/svc/{name}/items?page=1")
    request: Request[None] = Request(view, parts)
    request.load(parts)
    assert isinstance(request.headers, Headers)
    return request


def measure(hook: Callable[[Any], object], number: int, repeats: int) -> float:
    """CPU of one decision in microseconds: half of the requests are allowed, half match no rule."""
    requests = [make_request(number, allowed=at % 2 == 0) for at in range(repeats)]
    began = time.process_time()
    for request in requests:
        hook(request)
    return (time.process_time() - began) / repeats * 1e6


def compare(rule: str, rounds: int, repeats: int) -> dict[str, float]:
    """Few rules and many, in turns."""
    hooks = {count: build_hook(write_policies(rule, count)) for count in (FEW, MANY)}
    figures: dict[int, list[float]] = {count: [] for count in hooks}
    for _ in range(rounds):
        for count, hook in hooks.items():
            figures[count].append(measure(hook, count - 1, repeats))
    few, many = (statistics.median(figures[count]) for count in (FEW, MANY))
    return {str(FEW): round(few, 2), str(MANY): round(many, 2), "ratio": round(many / few, 2)}


def measure_loading(rounds: int) -> dict[str, object]:
    """Seconds from a file to a filter that decides."""
    text = write_policies(RULES["everything"], LOADED)
    wall: list[float] = []
    cpu: list[float] = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "policy.yaml"
        file.write_text(text, encoding="utf-8")
        for _ in range(rounds):
            began = (time.perf_counter(), time.process_time())
            chain = load_chain(["authorization-policy"], [str(file)])
            wall.append(round(time.perf_counter() - began[0], 3))
            cpu.append(round(time.process_time() - began[1], 3))
            assert len(chain.mounts) == 1
    return {"rules": LOADED, "bytes": len(text), "seconds": wall, "cpu_seconds": cpu}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a table; with --out also write the figures."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.policies", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--out", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # hints at what is seldom meant
    decisions = {name: compare(rule, given.rounds, given.repeats) for name, rule in RULES.items()}
    loading = measure_loading(min(given.rounds, 5))
    for name, figures in decisions.items():
        sys.stdout.write(
            f"{name:20}{figures[str(FEW)]:8.2f} us with {FEW} rules{figures[str(MANY)]:8.2f} us with {MANY}"
            f"{figures['ratio']:8.2f} times\n"
        )
    sys.stdout.write(f"{LOADED} rules load in {loading['seconds']} s, CPU {loading['cpu_seconds']} s\n")
    if given.out is not None:
        record = {"machine": describe_machine(), "microseconds": decisions, "loading": loading}
        given.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
