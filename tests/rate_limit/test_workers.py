"""One exact count over many processes, each with many requests at once, on a real Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from meshext.limits import Algorithm
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

configs, url, count = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = NamespacedStore(open_redis(parse_redis_url(url), patience=20.0), "rate-limit")

async def ask(harness, number):
    user = ["ann", "bob"][number % 2]
    outcome = await harness.exchange(headers=[("x-user", user), ("x-hits", str(1 + number % 3))])
    return user, outcome.status, 1 + number % 3

async def main():
    told = []
    for config in configs:
        harness = Harness(Unhurried, config)
        harness.filter.store = store
        print("ready", flush=True)
        sys.stdin.readline()  # until everybody is there
        answers = await asyncio.gather(*[ask(harness, number) for number in range(count)])
        print(json.dumps(answers), flush=True)

asyncio.run(main())
"""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def answers(configs: list[dict[str, Any]], url: str) -> list[list[tuple[str, int, int]]]:
    """For each configuration: user, status and cost of every request of every worker."""
    command = [sys.executable, "-c", WORKER, json.dumps(configs), url, str(EACH)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(WORKERS)]
    try:
        return [one_round(workers) for _ in configs]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def one_round(workers: list[subprocess.Popen[str]]) -> list[tuple[str, int, int]]:
    """Everybody begins when all are ready."""
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [json.loads(worker.stdout.readline()) for worker in workers if worker.stdout is not None]
    return [(who, status, cost) for each in told for who, status, cost in each]


def build_config(algorithm: str) -> dict[str, Any]:
    per_user = {"rate": 60, "per": "300d", "algorithm": algorithm, "name": "each"}
    everybody = {"rate": 90, "per": "299d", "algorithm": algorithm}
    return {
        "rules": [
            {"name": "user", "by": ["header:x-user"], "limits": [per_user], "hits": {"header": "x-hits"}},
            {"name": "all", "limits": [everybody], "hits": {"header": "x-hits"}},
            {"name": "trial", "limits": [{**everybody, "rate": 10}], "dry_run": True},
        ]
    }


@pytest.mark.slow
def test_no_hit_too_many_and_none_too_few(redis: RedisServer) -> None:
    """Every limit is full to the last hit that fits, and what one refused has moved no other."""
    for got in answers([build_config(algorithm) for algorithm in get_args(Algorithm)], redis.url):
        assert len(got) == WORKERS * EACH
        assert {status for _, status, _ in got} == {200, 429}
        taken = {
            user: sum(cost for who, status, cost in got if (who, status) == (user, 200))
            for user in ("ann", "bob")
        }
        assert sum(taken.values()) == 90  # hits of 1 fill what larger ones leave
        assert max(taken.values()) <= 60
