"""Loops, lists, dicts and texts inside Envoy beside CPython: the same functions, each timed by itself."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from e2e.bench.gateways import start_envoy
from e2e.bench.load import LoadError
from e2e.bench.rounds import Settings
from e2e.bench.wasm.modules import compile_python
from e2e.bench.wasm.stands import build_bootstrap
from e2e.bench.wasm.ways import Way
from e2e.bench.wasm.working.working import WORK, run_timed
from e2e.under_load import exchange
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess

SPEC = f"{Path(__file__).parent / 'working' / 'working.py'}:Working"
COUNT = 100_000
TURNS = 5
"""Runs of a round; the fastest one counts, as others on the machine only make it slower."""
WARM = 30
"""Runs before, by which V8 has compiled what is hot once more."""
PROMISED = 10.0
"""How many times faster loops are to be."""


async def run_work(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every kind of work, here and inside Envoy in turn, round after round."""
    tell("the module is compiled")
    module = compile_python(SPEC)
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    count = round(COUNT * settings.scale)
    try:
        bootstrap = build_bootstrap(Way(name="", module=module), folder, None)
        envoy = await start_envoy(bootstrap, folder, listeners=(LISTENER,))
        try:
            found: dict[str, dict[str, list[float]]] = {name: {"python": [], "envoy": []} for name in WORK}
            for name in WORK:
                for _ in range(WARM if settings.whole else 1):
                    await ask(envoy, name, count)
            for number in range(settings.rounds):
                tell(f"work {number + 1} of {settings.rounds}")
                for name, times in found.items():
                    times["python"].append(min(run_here(name, count) for _ in range(TURNS)))
                    times["envoy"].append(min([await ask(envoy, name, count) for _ in range(TURNS)]))
            return {"count": count, "milliseconds": found}
        finally:
            await envoy.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_here(name: str, count: int) -> float:
    """Milliseconds in this process."""
    return run_timed(name, count)[1] / 1e6


async def ask(envoy: EnvoyProcess, name: str, count: int) -> float:
    """Milliseconds inside Envoy; LoadError where something else comes out than here."""
    reader, writer = await asyncio.open_connection("127.0.0.1", envoy.port(LISTENER))
    query = urlencode({"work": name, "count": count})
    got = await exchange(reader, writer, "a", f"/?{query}")
    writer.close()
    result, _, took = got.body.decode().partition(" ")
    if got.status != 200 or int(result) != WORK[name](count):
        raise LoadError(f"{name}: {got.status} {got.body[:200]!r}, here {WORK[name](count)}")
    return int(took) / 1e6


def to_table(found: dict[str, Any]) -> str:
    """Milliseconds, medians over the rounds, and how many times faster."""
    lines = [f"{'':20}{'CPython ms':>11}{'Envoy ms':>10}{'faster':>8}"]
    for name, times in found["milliseconds"].items():
        here, there = median(times["python"]), median(times["envoy"])
        under = "  under what is promised" if name.startswith("loop") and here < PROMISED * there else ""
        lines.append(f"  {name:18}{here:11.3f}{there:10.3f}{here / there:8.1f}{under}")
    return "\n".join(lines) + "\n"
