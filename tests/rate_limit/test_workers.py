"""One exact count over many processes, each with many requests at once, on a real Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.store.redis_server import RedisServer

WORKERS, EACH = 4, 100
WORKER = """
import asyncio, json, sys
from meshext.store import NamespacedStore
from meshext.stores.redis_opening import open_redis
from meshext.stores.redis_url import parse_redis_url
from meshext.testing import Harness
from meshext_filters.rate_limit import RateLimit

class Unhurried(RateLimit):
    name = "rate-limit"
    time_limit = 30.0

config, url, count = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
harness = Harness(Unhurried, config)
harness.filter.store = NamespacedStore(open_redis(parse_redis_url(url), patience=20.0), "rate-limit")

async def ask(number):
    user = ["ann", "bob"][number % 2]
    outcome = await harness.exchange(headers=[("x-user", user), ("x-hits", str(1 + number % 3))])
    return user, outcome.status, 1 + number % 3

async def main():
    sys.stdin.readline()  # until everybody is there
    return await asyncio.gather(*[ask(number) for number in range(count)])

print("ready", flush=True)
print(json.dumps(harness.run(main())))
"""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def answers(config: dict[str, Any], url: str) -> list[tuple[str, int, int]]:
    """User, status and cost of every request of every worker."""
    command = [sys.executable, "-c", WORKER, json.dumps(config), url, str(EACH)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(WORKERS)]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        told = [worker.communicate("go\n", timeout=60)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return [tuple(each) for text in told for each in json.loads(text)]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window", "token_bucket", "gcra"])
def test_no_hit_too_many_and_none_too_few(redis: RedisServer, algorithm: str) -> None:
    """Every limit is full to the last hit that fits, and what one refused has moved no other."""
    per_user = {"rate": 60, "per": "300d", "algorithm": algorithm, "name": "each"}
    everybody = {"rate": 90, "per": "299d", "algorithm": algorithm}
    config = {
        "rules": [
            {"name": "user", "by": ["header:x-user"], "limits": [per_user], "hits": {"header": "x-hits"}},
            {"name": "all", "limits": [everybody], "hits": {"header": "x-hits"}},
            {"name": "trial", "limits": [{**everybody, "rate": 10}], "dry_run": True},
        ]
    }
    got = answers(config, redis.url)
    assert len(got) == WORKERS * EACH
    assert {status for _, status, _ in got} == {200, 429}
    taken = {
        user: sum(cost for who, status, cost in got if (who, status) == (user, 200))
        for user in "ann bob".split()
    }
    assert sum(taken.values()) == 90  # hits of 1 fill what larger ones leave
    assert max(taken.values()) <= 60
