"""A million requests through filters that keep things: memory stays what it was after ten thousand.

Envoy maps a VM's linear memory writable up to its last page, and reserves what it may grow to behind it.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.bench.gateways import find_manager, start_envoy
from e2e.bench.load import HEADERS, LIMIT, LoadError, find_h2load
from e2e.bench.rounds import Settings
from e2e.bench.usage import PROC, resident
from e2e.bench.wasm.modules import SPEC, compile_python
from e2e.bench.wasm.stands import build_bootstrap
from e2e.bench.wasm.ways import Way
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.wasm_filter import FILTER, Module

FOLDER = Path(__file__).parent / "keeping"
KEEPING, BODIES = f"{FOLDER / 'keeping.py'}:Keeping", f"{FOLDER / 'bodies.py'}:Bodies"
FIRST, ALL = 10_000, 1_000_000
TARGETS = 2000
PAGE = 65536
RESERVED = 2**31
"""Bytes that no other mapping without any rights has."""
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Filters of a chain, so often in one VM; the bytes of the bodies that requests have, in turn."""

    specs: tuple[str, ...]
    protocol: str
    times: int = 1
    bodies: tuple[int, ...] = (0,)


CASES = {
    "h1": Case(specs=(SPEC, KEEPING), protocol="h1"),
    "h2": Case(specs=(SPEC, KEEPING), protocol="h2"),
    "bodies, two in a VM": Case(
        specs=(SPEC, KEEPING, BODIES),
        protocol="h1",
        times=2,
        bodies=(0, 90, 40_000, 3_000, 200, 12_000, 800, 1),
    ),
}


async def run_million(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every case; what the memory is at ten steps on the way."""
    found = {}
    for name, case in CASES.items():
        tell("the module is compiled")
        found[name] = await flood(name, case, settings.scale, tell)
    return {"protocols": found}


async def flood(name: str, case: Case, scale: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Requests to one Envoy: after the first ones, and after each further step, its pages and its memory."""
    module = compile_python(*case.specs)
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    try:
        envoy = await start_envoy(build_chain(module, case.times, folder), folder, listeners=(LISTENER,))
        try:
            sent, steps = 0, []
            for count in counts(scale):
                tell(f"{name}: {count} requests")
                await send_all(envoy.port(LISTENER), case, count - sent, folder)
                steps.append({"requests": count, **weigh(envoy)})
                sent = count
            return {"module_bytes": len(module.code), "steps": steps}
        finally:
            await envoy.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build_chain(module: Module, times: int, folder: Path) -> str:
    """The bootstrap, with the module so often in one VM."""
    data = json.loads(build_bootstrap(Way(name="", module=module), folder, None))
    filters = find_manager(data)["http_filters"]
    (wasm,) = (each for each in filters if each["name"] == FILTER)
    for number in range(1, times):
        filters.insert(0, {**wasm, "name": f"{FILTER}.{number}"})
    return json.dumps(data)


def counts(scale: float) -> Iterator[int]:
    """How many requests there have been at each look."""
    yield round(FIRST * scale)
    for step in range(1, 11):
        yield round(ALL * scale * step / 10)


def write_targets(base: str) -> Iterator[str]:
    """Lines of different length."""
    for number in range(TARGETS):
        yield f"{base}/items/{number:x}/{'long-' * (number % 40)}name?page={number * 7919 % 1000}\n"


async def send_all(port: int, case: Case, requests: int, folder: Path) -> None:
    """Send requests with each body in turn."""
    left = requests
    for number, size in enumerate(case.bodies):
        share = left // (len(case.bodies) - number)
        left -= share
        if share:
            await send(port, case.protocol, share, folder, size)


async def send(port: int, protocol: str, requests: int, folder: Path, body: int) -> None:
    """Send them with h2load; LoadError where one is not answered with 200."""
    base = f"http://127.0.0.1:{port}"
    targets = folder / "targets"
    targets.write_text("".join(write_targets(base)), encoding="utf-8")
    words = [find_h2load(), "-t1", f"-n{requests}", f"-c{min(16, requests)}", f"-i{targets}"]
    words += ["--h1"] if protocol == "h1" else ["-m8"]
    if body:
        (folder / "body").write_bytes((b"word and " * (body // 9 + 1))[:body])
        words.append(f"-d{folder / 'body'}")
    words += [f"-H{name}: {value}" for name, value in HEADERS.items()]
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    good = re.search(r"status codes: (\d+) 2xx", said.decode(errors="replace"))
    if process.returncode or good is None or int(good[1]) != requests:
        raise LoadError(f"h2load: {said.decode(errors='replace').strip()[-500:]}")


def weigh(envoy: EnvoyProcess) -> dict[str, Any]:
    """Pages of each VM, and bytes of Envoy as a whole."""
    return {"pages": linear_pages(envoy.pid), "rss": resident(envoy.pid, "Rss")}


def linear_pages(pid: int) -> list[int]:
    """Wasm pages of every linear memory of a process, by their mappings."""
    return list(read_pages((PROC / str(pid) / "maps").read_text()))


def read_pages(maps: str) -> Iterator[int]:
    """What is writable right before a reserve of the size that V8 leaves behind a linear memory."""
    before: tuple[int, int, str] | None = None
    for found in MAPPING.finditer(maps):
        start, end, rights = int(found[1], 16), int(found[2], 16), found[3]
        reserve = rights.startswith("---") and end - start >= RESERVED
        if reserve and before is not None and before[1] == start and before[2].startswith("rw"):
            yield (before[1] - before[0]) // PAGE
        before = (start, end, rights)


def to_table(found: dict[str, Any]) -> str:
    """Pages of the VMs and MiB of Envoy."""
    lines = []
    for protocol, run in found["protocols"].items():
        for step in run["steps"]:
            pages = "+".join(map(str, step["pages"]))
            size = step["rss"] / 2**20
            lines.append(f"  {protocol:19} {step['requests']:>9} requests: pages {pages}, RSS {size:.1f} MiB")
    return "\n".join(lines) + "\n"
