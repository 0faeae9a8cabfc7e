"""From an update to the first request through the new module: what Envoy takes for one, by its size."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from e2e.bench.load import LoadError
from e2e.bench.rounds import Settings
from e2e.bench.services import ROOT
from e2e.bench.usage import Meter
from e2e.bench.wasm.delivery import Delivery, delivering, marked
from e2e.bench.wasm.modules import SPEC, compile_c, compile_python
from e2e.bench.wasm.stands import TOLD
from e2e.bench.wasm.ways import KEY
from meshext.envoy.wasm_filter import Module
from meshext_wasm.cli.runtime import embed

EXAMPLES = ROOT / "filters" / "examples"
PAUSE = 0.001  # seconds between two questions
PATIENCE = 20.0  # seconds
PROMISED = (30.0, 1.2)
"""Milliseconds for a module, and for each KB of it."""


def build_modules() -> dict[str, Module]:
    """Small and large ones, each seen by what it makes of a request."""
    example = EXAMPLES / "02_api_key"
    larger, _ = embed([str(example / "filter.py")], [str(example / "config.yaml")], lambda _: None)
    return {"C by hand": compile_c("policy"), "policy": compile_python(SPEC), "02_api_key": larger}


async def run_swaps(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every module in turn takes the place of one that does nothing."""
    tell("the modules are compiled")
    modules, empty = build_modules(), compile_c("empty")
    found: dict[str, Any] = {
        name: {"bytes": len(module.code), "milliseconds": [], "cpu": []} for name, module in modules.items()
    }
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    try:
        async with delivering(folder, empty) as delivery:
            mark = 0
            for number in range(settings.rounds):
                for name, module in modules.items():
                    mark += 1
                    tell(f"swap {number + 1} of {settings.rounds}: {name}")
                    meter = Meter.start(delivery.envoy.pid)
                    found[name]["milliseconds"].append(await swap(delivery, marked(module, mark), True))
                    found[name]["cpu"].append(round(1000 * meter.used(), 2))
                    await swap(delivery, marked(empty, mark), False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"modules": found, "fit": fit(found)}


async def swap(delivery: Delivery, module: Module, wanted: bool) -> float:
    """Milliseconds from the push to the first answer that the module has had a part in, or not any more."""
    delivery.push(module)
    reader, writer = await asyncio.open_connection("127.0.0.1", delivery.port)
    try:
        async with asyncio.timeout(PATIENCE):
            while await is_decided(reader, writer) is not wanted:  # noqa: ASYNC110 - only an answer tells
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise LoadError(f"{module.name} has not been taken in {PATIENCE:g} s") from None
    finally:
        writer.close()
    return round(1000 * (time.perf_counter() - delivery.pushes.last), 2)


async def is_decided(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether a request meets a filter that decides: it is refused, or the upstream is told who it is."""
    writer.write(f"GET {TOLD} HTTP/1.1\r\nhost: a\r\nx-key: {KEY}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    await reader.readexactly(int(length or 0))
    return not head.startswith(b"http/1.1 200") or b"\r\nx-told:" in head


def fit(found: dict[str, Any]) -> dict[str, float]:
    """Milliseconds for any module and for each KB, through the medians."""
    sizes = [each["bytes"] / 1000 for each in found.values()]
    slope, intercept = linear_regression(sizes, [median(each["milliseconds"]) for each in found.values()])
    return {"milliseconds": round(intercept, 2), "a_kb": round(slope, 3)}


def to_table(found: dict[str, Any]) -> str:
    """Milliseconds, medians and the longest; the CPU is that of all of Envoy's threads."""
    lines = [f"{'':18}{'KB':>8}{'ready ms':>10}{'longest':>9}{'promised':>10}{'CPU ms':>8}"]
    for name, each in found["modules"].items():
        size, times = each["bytes"] / 1000, each["milliseconds"]
        promised = PROMISED[0] + PROMISED[1] * size
        lines.append(
            f"  {name:16}{size:8.1f}{median(times):10.1f}{max(times):9.1f}{promised:10.1f}"
            f"{median(each['cpu']):8.1f}"
        )
    line = found["fit"]
    lines.append(f"  {line['milliseconds']:.1f} ms and {line['a_kb']:.2f} ms a KB")
    return "\n".join(lines) + "\n"
