"""`python -m e2e.bench.store_away`: what requests of rate-limit wait for when Redis goes away under load.

Behind the real Envoy, at a steady rate: as usual, with Redis killed, and with Redis stopped (SIGSTOP), each
within a load. What is told is the time of requests that were sent from 0.1 s before that moment on, above the
usual median; the store's own bound is 25 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.load import Answered, Load, LoadError, log_h2load, parse_log
from e2e.bench.turns import METRICS, Stand, Subject
from meshext.plan import Mode
from tests.store.redis_server import RedisServer

RULES = [{"name": "all", "by": ["header:x-key"], "limits": [{"rate": 1_000_000, "per": "1h"}]}]
STATUSES = {"closed": 503, "open": 200, "local": 200}
MODES: tuple[Mode, ...] = ("authz", "proc")
CONNECTIONS = 8
BEFORE = 0.1  # seconds before the loss, so that what was under way counts
MOMENT = 1.0  # seconds from the start of a load to the loss


@dataclass(frozen=True, slots=True)
class Asked:
    """How to measure: requests a second, and the seconds of one load."""

    rate: int
    seconds: float

    @property
    def load(self) -> Load:
        """One load."""
        each = max(self.rate // CONNECTIONS, 1)
        requests = int(each * CONNECTIONS * self.seconds)
        return Load(requests=requests, connections=CONNECTIONS, rate=each)


async def ask(stand: Stand, asked: Asked, lose: Callable[[], None] | None = None) -> list[Answered]:
    """The answers of one load from shortly before the loss on, or all where nothing is lost."""
    loading = asyncio.create_task(log_h2load(stand.address, asked.load))
    lost = 0.0
    if lose is not None:
        await asyncio.sleep(MOMENT)
        lost = time.time() - BEFORE
        lose()
    return [each for each in parse_log(await loading) if each.sent >= lost]


def describe(answers: Sequence[Answered], usual: float) -> dict[str, Any]:
    """Milliseconds above the usual median, and how often each status came."""
    times = sorted(1000 * (each.took - usual) for each in answers)
    statuses = [each.status for each in answers]
    return {
        "requests": len(times),
        "p50": round(times[len(times) // 2], 2),
        "p99": round(times[len(times) * 99 // 100], 2),
        "max": round(times[-1], 2),
        "above_25": sum(each > 25 for each in times),
        "statuses": {str(status): statuses.count(status) for status in sorted(set(statuses))},
    }


async def wait_until_counted(stand: Stand, then: str) -> None:
    """Until Redis is used again: requests are let pass, and at once."""
    for _ in range(50):
        answers = parse_log(await log_h2load(stand.address, Load(requests=20, connections=1)))
        if {each.status for each in answers} == {200}:
            return
        await asyncio.sleep(0.1)
    raise LoadError(f"{stand.subject.name}: the store ({then}) is not back")


async def measure(mode: Mode, then: str, asked: Asked) -> dict[str, Any]:
    """One service, with Redis there, killed, and stopped."""
    config = json.dumps({"rules": RULES, "store_away": then})
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meshext-bench-")))
        options = (METRICS, f"--store={redis.url}")
        subject = Subject(
            name=f"{mode}, {then}", mode=mode, spec="rate-limit", config=config, options=options
        )
        stand = await subject.start(folder, "127.0.0.1:1", stack)
        await wait_until_counted(stand, then)
        await stand.load(1000, CONNECTIONS)
        usual = await ask(stand, asked)
        middle = statistics.median(each.took for each in usual)
        found: dict[str, Any] = {"usual_p50": round(1000 * middle, 2), "usual": describe(usual, middle)}
        found["killed"] = describe(await ask(stand, asked, redis.kill), middle)
        redis.start()
        await wait_until_counted(stand, then)
        found["stopped"] = describe(await ask(stand, asked, redis.pause), middle)
        redis.resume()
        wanted = {"200", str(STATUSES[then])}
        for each in ("killed", "stopped"):
            if set(found[each]["statuses"]) - wanted:
                raise LoadError(f"{subject.name}, {each}: {found[each]['statuses']}")
        return found


def to_table(name: str, told: dict[str, Any]) -> str:
    """Milliseconds above the usual median."""
    lines = [f"{name}: usually {told['usual_p50']} ms in the middle"]
    for what in ("usual", "killed", "stopped"):
        each = told[what]
        times = f"p50 {each['p50']:+7.2f}  p99 {each['p99']:+7.2f}  most {each['max']:+7.2f} ms"
        lines.append(f"  {what:8} {times}, {each['above_25']} of {each['requests']} above 25")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.store_away", description=__doc__)
    parser.add_argument("--rate", type=int, default=400, help="requests a second (default 400)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of one load (default 8)")
    parser.add_argument("--then", action="append", choices=sorted(STATUSES), help="default: closed, local")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    machine = describe_machine()
    asked = Asked(given.rate, given.seconds)
    found = {}
    for mode in MODES:
        for then in given.then or ("closed", "local"):
            found[f"{mode}, {then}"] = told = asyncio.run(measure(mode, then, asked))
            sys.stdout.write(to_table(f"{mode}, {then}", told))
    if given.out is not None:
        record = {"machine": machine, "versions": describe_versions("h2load"), "rate": given.rate}
        given.out.write_text(json.dumps({**record, "milliseconds": found}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
