"""From source to module: how long in a fresh process, and how large.

Cold: nothing was ever compiled. Changed: the library is there, the filter's text is new. Again: all is there.
The seconds are of the whole process: Python's start, imports, the build. Bytecode of what is imported is
there, as in an installation, also where this process was told to write none.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from e2e.bench.load import LoadError
from e2e.bench.rounds import Settings
from e2e.bench.services import ROOT
from e2e.bench.wasm.modules import POLICY

EXAMPLES = ROOT / "filters" / "examples"
SHIPPED = ROOT / "filters" / "meshext_filters"
SOURCES = {
    "policy": POLICY / "policy.py",
    **{
        name: EXAMPLES / name / "filter.py"
        for name in ("01_hello", "02_api_key", "03_signed_token", "04_body_inspection")
    },
    "rate-limit": SHIPPED / "rate_limit" / "policy.py",
    "ab-routing": SHIPPED / "ab_routing" / "policy.py",
}
"""What changes; of a package the other modules stay as they are."""
LIMIT = 900.0  # seconds

Figures = dict[str, list[float]]


async def run_builds(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every source in turn, changed each time."""
    with tempfile.TemporaryDirectory(prefix="meshext-bench-") as name:
        folder = Path(name)
        sources = list(SOURCES)[: None if settings.whole else 1]
        found: dict[str, Any] = {source: {"changed": [], "again": []} for source in sources}
        tell("the library is compiled, if need be")
        await build(write(folder, "policy", ""), folder, {})
        for number in range(settings.rounds):
            for source in sources:
                tell(f"build {number + 1} of {settings.rounds}: {source}")
                spec = write(folder, source, "\n" * (number + 1))
                found[source]["changed"].append(await build(spec, folder, {}))
                found[source]["again"].append(await build(spec, folder, {}))
                found[source]["bytes"] = (folder / "module.wasm").stat().st_size
        if settings.whole:
            tell("cold")
            cold = {"XDG_CACHE_HOME": str(folder / "cache")}
            found["policy"]["cold"] = [await build(write(folder, "policy", ""), folder, cold)]
        return {"builds": found}


def write(folder: Path, source: str, above: str) -> str:
    """The source below other lines, so that what tracebacks say of it changes everywhere."""
    path = SOURCES[source]
    written = folder / source / "filter.py"
    if path.is_relative_to(SHIPPED):
        shutil.copytree(SHIPPED, folder / source / SHIPPED.name, dirs_exist_ok=True)
        written = folder / source / path.relative_to(SHIPPED.parent)
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(above + path.read_text(encoding="utf-8"), encoding="utf-8")
    return str(written)


async def build(spec: str, folder: Path, variables: dict[str, str]) -> dict[str, float]:
    """Seconds of `meshext build`, of the clock and of CPU."""
    command = [sys.executable, "-m", "meshext", "build", spec, "-o", str(folder / "module.wasm")]
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    before, began = children(), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **bytecode, **variables},
    )
    _, said = await asyncio.wait_for(process.communicate(), LIMIT)
    if process.returncode:
        raise LoadError(f"meshext build {spec}: {said.decode(errors='replace').strip()[-500:]}")
    took = time.perf_counter() - began
    return {"seconds": round(took, 3), "cpu": round(children() - before, 3)}


def children() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def to_table(found: dict[str, Any]) -> str:
    """Seconds, medians over the rounds; kilobytes."""
    lines = [f"{'':22}{'changed s':>10}{'CPU':>7}{'again s':>9}{'CPU':>7}{'cold s':>8}{'CPU':>7}{'KB':>8}"]
    for source, runs in found["builds"].items():
        cells = [f"  {source:20}"]
        for kind, width in (("changed", 10), ("again", 9), ("cold", 8)):
            times = runs.get(kind, [])
            for key, room in (("seconds", width), ("cpu", 7)):
                cells.append(
                    f"{median(each[key] for each in times):{room}.2f}" if times else f"{'-':>{room}}"
                )
        lines.append("".join([*cells, f"{runs['bytes'] / 1000:8.1f}"]))
    return "\n".join(lines) + "\n"
