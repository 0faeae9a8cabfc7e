"""Instructions that each way adds to a request, counted by valgrind: figures without noise, unlike time.

What is counted is Envoy's worker, its own code and what V8 made of a module, without the kernel; misses are
those of a simulated first-level cache of 32 KiB for code and for data.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e.bench.load import HEADERS, TARGET, LoadError
from e2e.bench.rounds import Settings
from e2e.bench.wasm.counted import Counted, read_counted
from e2e.bench.wasm.stands import build_bootstrap, check_decisions
from e2e.bench.wasm.ways import BY_HAND, LUA, NATIVE, NONE, OURS, Way, build_ways
from meshext.envoy.binary import find_envoy
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess

WARM, REQUESTS = 300, 500
READY = 300.0
"""Seconds until Envoy is there: fifty times what it takes alone."""
NEEDED = ("valgrind", "callgrind_control")
MISSING = "skipped: valgrind is missing: apt-get install valgrind"
OPTIONS = (
    "--tool=callgrind --quiet --instr-atstart=no --separate-threads=yes --cache-sim=yes --I1=32768,8,64 "
    "--D1=32768,8,64 --LL=1048576,16,64 --smc-check=all-non-file --dump-instr=yes --dump-line=no "
    "--compress-pos=no --compress-strings=no"
)
"""Machine code that V8 writes is looked at anew whenever it runs; costs are kept by address."""
RATIOS = {"to C by hand": BY_HAND, "to Lua": LUA, "to native": NATIVE}


@dataclass(frozen=True, slots=True)
class Run:
    """One Envoy under valgrind, and the connection that all requests are sent on."""

    envoy: EnvoyProcess
    link: http.client.HTTPConnection

    def send(self, count: int) -> None:
        """So many requests, one after the other; LoadError where one is not answered with 200."""
        for _ in range(count):
            self.link.request("GET", TARGET, headers=HEADERS)
            answer = self.link.getresponse()
            answer.read()
            if answer.status != 200:
                raise LoadError(f"a request under valgrind was answered with {answer.status}, not 200")

    def control(self, option: str) -> None:
        """Tell valgrind something; LoadError where it does not obey."""
        command = ["callgrind_control", option, str(self.envoy.pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or "OK" not in done.stdout:
            raise LoadError(f"callgrind_control {option}: {(done.stdout + done.stderr).strip()[-300:]}")


async def run_counts(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every way that needs no service, one after the other."""
    if not all(map(shutil.which, NEEDED)):
        return {"skipped": MISSING}
    requests = max(20, round(REQUESTS * settings.scale))
    counts: dict[str, Counted] = {}
    for way in build_ways():
        if way.mode is None:
            tell(f"instructions: {way.name}")
            counts[way.name] = await count_way(way, requests)
    return to_record(counts)


async def count_way(way: Way, requests: int) -> Counted:
    """What a request costs its worker when Envoy is warm."""
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    try:
        envoy = await EnvoyProcess.start(
            build_bootstrap(way, folder, None),
            folder,
            concurrency=1,
            listeners=(LISTENER,),
            envoy=write_wrapper(folder),
            ready_limit=READY,
        )
        try:
            check_decisions(way, envoy.port(LISTENER))
            return count(Run(envoy, connect(envoy)), folder, requests)
        finally:
            await envoy.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_wrapper(folder: Path) -> Path:
    """A program that runs Envoy under valgrind with the arguments of an Envoy."""
    made = folder / "envoy-counted"
    command = f"exec valgrind {OPTIONS} --callgrind-out-file='{folder}/counted' '{find_envoy()}' \"$@\""
    made.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    made.chmod(0o700)
    return made


def connect(envoy: EnvoyProcess) -> http.client.HTTPConnection:
    """A connection that is kept."""
    return http.client.HTTPConnection("127.0.0.1", envoy.port(LISTENER), timeout=60)


def count(run: Run, folder: Path, requests: int) -> Counted:
    """Warm Envoy and the simulated caches, then count."""
    run.send(WARM)
    run.control("--instr=on")
    run.send(WARM)
    run.control("--zero")
    run.send(requests)
    run.control("--dump")
    run.link.close()
    return read_counted(folder, run.envoy.pid, requests)


def to_record(counts: dict[str, Counted]) -> dict[str, Any]:
    """Per request: everything, and what is above Envoy alone."""
    alone = asdict(counts[NONE])
    ways = {
        name: {
            "total": asdict(each),
            "added": {field: round(value - alone[field], 1) for field, value in asdict(each).items()},
        }
        for name, each in counts.items()
    }
    return {"ways": ways, "ratios": {name: ratio(ways, other) for name, other in RATIOS.items()}}


def ratio(ways: dict[str, Any], other: str) -> float:
    """Instructions that ours adds against those that the other adds."""
    ours, its = (float(ways[name]["added"]["instructions"]) for name in (OURS, other))
    return round(ours / its, 3)


def to_table(found: dict[str, Any]) -> str:
    """A request's, added to Envoy alone."""
    return "\n".join(rows(found)) + "\n"


def rows(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the table."""
    if "skipped" in found:
        yield f"  {found['skipped']}"
        return
    heads = ("added", "compiled", "its lines", "I1 missed", "D1 missed")
    yield f"{'':16}{'instructions':>13}" + "".join(f"{each:>11}" for each in heads)
    for name, way in found["ways"].items():
        added = way["added"]
        cells = ("instructions", "compiled", "compiled_lines", "code_misses", "data_misses")
        numbers = "".join(f"{added[each]:11.0f}" for each in cells)
        yield f"  {name:14}{way['total']['instructions']:13.0f}{numbers}"
    for name, value in found["ratios"].items():
        yield f"  added, {name:20}{value:7.3f}"
