"""How long a runaway hook holds up everything else of its worker: another listener, asked all the time.

One worker, a budget as it comes; each of the ways to run away that `e2e/filters/unbounded` has, in turn.
"""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from e2e.bench.gateways import find_manager, start_envoy
from e2e.bench.rounds import Settings
from e2e.bench.services import ROOT
from e2e.bench.usage import Meter
from e2e.bench.wasm.modules import compile_python
from e2e.bench.wasm.stands import build_bootstrap
from e2e.bench.wasm.ways import Way
from e2e.filters.unbounded.unbounded import DEEDS
from e2e.under_load import exchange
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.wasm_filter import FILTER, Module

UNBOUNDED = f"{ROOT / 'e2e' / 'filters' / 'unbounded' / 'unbounded.py'}:Closed"
OTHER = "other"
PROMISED = 100.0
"""Milliseconds."""
CALM = 0.05
"""Seconds of questions before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Milliseconds: the longest answer of the other listener, and Envoy's CPU until the hook was answered.

    On a busy machine others run in between, so that the first is longer than the hook kept its worker.
    """

    longest: float
    cpu: float


async def run_away(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every deed in turn, again and again."""
    tell("the module is compiled")
    module = compile_python(UNBOUNDED)
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    try:
        envoy = await start_envoy(build_two(module, folder), folder, listeners=(LISTENER, OTHER))
        try:
            deeds = list(DEEDS)[: None if settings.whole else 3]
            found: dict[str, list[Held]] = {deed: [] for deed in ("nothing", *deeds)}
            for number in range(settings.rounds):
                for deed, times in found.items():
                    tell(f"held {number + 1} of {settings.rounds}: {deed}")
                    times.append(await measure(envoy, deed))
            return {"milliseconds": {deed: [asdict(each) for each in times] for deed, times in found.items()}}
        finally:
            await envoy.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build_two(module: Module, folder: Path) -> str:
    """A listener with the module, and one without."""
    data = json.loads(build_bootstrap(Way(name="", module=module), folder, None))
    listeners = data["static_resources"]["listeners"]
    other = copy.deepcopy(data)
    filters = find_manager(other)["http_filters"]
    filters[:] = [each for each in filters if not each["name"].startswith(FILTER)]
    listeners.append({**other["static_resources"]["listeners"][0], "name": OTHER})
    return json.dumps(data)


async def measure(envoy: EnvoyProcess, deed: str) -> Held:
    """One hook that does it, while the other listener is asked."""
    longest, done = 0.0, asyncio.Event()

    async def ask() -> None:
        nonlocal longest
        link = await asyncio.open_connection("127.0.0.1", envoy.port(OTHER))
        while not done.is_set():
            began = time.perf_counter()
            await exchange(*link, "a", "/")
            longest = max(longest, time.perf_counter() - began)
        link[1].close()

    asking = asyncio.create_task(ask())
    await asyncio.sleep(CALM)
    meter = Meter.start(envoy.pid)
    await run_hook(envoy, deed)
    used = meter.used()
    await asyncio.sleep(CALM)
    done.set()
    await asking
    return Held(longest=round(1000 * longest, 2), cpu=round(1000 * used, 2))


async def run_hook(envoy: EnvoyProcess, deed: str) -> None:
    """A request whose hook does it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", envoy.port(LISTENER))
    what = "" if deed == "nothing" else f"x-do: {deed}\r\nx-in: request\r\n"
    writer.write(f"GET / HTTP/1.1\r\nhost: a\r\n{what}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


def to_table(found: dict[str, Any]) -> str:
    """Milliseconds, medians and the most."""
    lines = [f"{'':22}{'waited':>8}{'longest':>9}{'CPU':>8}{'most':>8}"]
    for deed, times in found["milliseconds"].items():
        waited, used = ([each[key] for each in times] for key in ("longest", "cpu"))
        over = "  over what is promised" if median(used) > PROMISED else ""
        lines.append(
            f"  {deed:20}{median(waited):8.1f}{max(waited):9.1f}{median(used):8.1f}{max(used):8.1f}{over}"
        )
    return "\n".join(lines) + "\n"
