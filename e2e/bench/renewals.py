"""`python -m e2e.bench.renewals`: as many workloads as asked for join at once, and renew at once.

The control plane is the real one, in a process of its own, with its state on disk; the workloads are the
sidecar's own code for joining and renewing, each with its own certificate, connection and ten seconds for an
answer. Who gets none in time tries again, as a sidecar does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.usage import cpu_seconds
from e2e.mesh.world import World, mesh
from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import UnreachableError
from meshext_controlplane.agent.joining import join
from meshext_controlplane.agent.renewal import renew
from meshext_controlplane.agent.svid import Key, Svid, make_key
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.tokens import JoinToken, Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore

Figures = dict[str, Any]


def make_tokens(state: Path, count: int) -> list[JoinToken]:
    """A token for each workload."""
    with StateStore(state, create=False) as store:
        facts = read_facts(store)
        tokens = Tokens(facts, store)
        names = (f"workload-{number}" for number in range(count))
        return [
            tokens.create(SpiffeId(facts.trust_domain, "shop", name), ttl=timedelta(hours=1))
            for name in names
        ]


async def join_all(world: World, tokens: list[JoinToken]) -> tuple[list[Svid], Figures]:
    """Every workload's first certificate; how long each waited, and how often one had to ask again."""
    address, again, waits = TcpAddress("127.0.0.1", world.join), 0, list[float]()
    keys = [make_key() for _ in tokens]
    process = world.control_plane.process.pid
    cpu, begun = cpu_seconds(process), time.monotonic()

    async def one(token: JoinToken, key: Key) -> Svid:
        nonlocal again
        backoff = Backoff(first=1.0, longest=60.0)
        while True:
            try:
                svid = await join(address, token.reveal(), bytes.fromhex(token.root), key)
            except UnreachableError:
                again += 1
                await asyncio.sleep(backoff.next())
            else:
                waits.append(time.monotonic() - begun)
                return svid

    svids = list(await asyncio.gather(*map(one, tokens, keys)))
    return svids, {
        "median": statistics.median(waits),
        "last": max(waits),
        "asked_again": again,
        "server_cpu": cpu_seconds(process) - cpu,
    }


async def renew_all(world: World, svids: list[Svid]) -> Figures:
    """All at once; how long each waited for its certificate, and how often one had to ask again."""
    address, again = TcpAddress("127.0.0.1", world.listen), 0
    process = world.control_plane.process.pid
    cpu, own, begun = cpu_seconds(process), time.process_time(), time.monotonic()

    async def one(svid: Svid) -> float:
        nonlocal again
        backoff = Backoff(first=1.0, longest=60.0)
        while True:
            try:
                new = await renew(ControlPlane(address, Credentials(svid)))
            except UnreachableError:
                again += 1
                await asyncio.sleep(backoff.next())
            else:
                assert new.chain[0] != svid.chain[0]
                return time.monotonic() - begun

    waits = sorted(await asyncio.gather(*map(one, svids)))
    return {
        "workloads": len(svids),
        "median": statistics.median(waits),
        "last": waits[-1],
        "asked_again": again,
        "server_cpu": cpu_seconds(process) - cpu,
        "own_cpu": time.process_time() - own,
    }


async def measure(world: World, count: int) -> Figures:
    """Join, then renew."""
    svids, joined = await join_all(world, make_tokens(world.state, count))
    return {**await renew_all(world, svids), "joins": joined}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.renewals", description=__doc__)
    parser.add_argument("--workloads", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    given = parser.parse_args(arguments)
    record: Figures = {"machine": describe_machine(), "versions": describe_versions("python"), "runs": []}
    for count in given.workloads:
        with tempfile.TemporaryDirectory() as name, mesh(Path(name), {}) as world:
            found = asyncio.run(measure(world, count))
        record["runs"].append(found)
        joined = found["joins"]
        sys.stdout.write(
            f"{count} joins at once: half in {joined['median']:.2f} s, the last in {joined['last']:.2f} s,"
            f" {joined['asked_again']} asked again; CPU of the server {joined['server_cpu']:.2f} s\n"
            f"{count} renewals at once: half in {found['median']:.2f} s, the last in {found['last']:.2f} s,"
            f" {found['asked_again']} asked again; CPU of the server {found['server_cpu']:.2f} s"
            f" ({1000 * found['server_cpu'] / count:.1f} ms each), of workloads {found['own_cpu']:.2f} s\n"
        )
        sys.stdout.flush()
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
