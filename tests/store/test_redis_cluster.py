"""Redis as a cluster, and behind Sentinels: calls go where the data is, also after it has moved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from redis.crc import key_slot

from meshext.errors import StoreUnavailable
from meshext.limits import Limit
from meshext.store import NamespacedStore
from meshext.stores import open_store
from meshext.stores.redis_cluster import SLOTS, holders
from tests.store.redis_server import RedisServer, Sentinel
from tests.store.test_redis_faults import fails, opened, succeeds

ROOM = 15.0  # seconds for servers to agree among themselves


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + ROOM
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def node_id(server: RedisServer) -> str:
    return server.ask("CLUSTER", "MYID").splitlines()[1]


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[RedisServer]]:
    """Three masters, which share the slots, and a replica of the first."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "500")
    with ExitStack() as stack:
        nodes = [stack.enter_context(RedisServer(*options)) for _ in range(4)]
        for number, node in enumerate(nodes[:3]):
            slots = range(number * SLOTS // 3, (number + 1) * SLOTS // 3)
            assert node.ask("CLUSTER", "ADDSLOTS", *map(str, slots)) == "+OK\r\n"
        for node in nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", str(nodes[0].port))
        wait_for(lambda: all("cluster_known_nodes:4" in node.ask("CLUSTER", "INFO") for node in nodes))
        wait_for(lambda: nodes[3].ask("CLUSTER", "REPLICATE", node_id(nodes[0])) == "+OK\r\n")
        wait_for(lambda: all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in nodes))
        wait_for(lambda: "master_link_status:up" in nodes[3].ask("INFO", "replication"))
        yield nodes


def url_of(nodes: list[RedisServer]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


def slot_of(key: str) -> int:
    slot: int = key_slot(f"meshext:value:{key}".encode())
    return slot


def key_in(number: int, prefix: str) -> str:
    """A key whose slot the master of this number holds."""
    return next(f"{prefix}{n}" for n in range(999) if slot_of(f"{prefix}{n}") * 3 // SLOTS == number)


def gcra(key: str) -> Limit:
    return Limit(key=key, algorithm="gcra", rate=5, window=1e6)


def test_values_spread_and_the_limits_of_a_filter_are_one_step(cluster: list[RedisServer]) -> None:
    async def check() -> None:
        async with opened(url_of(cluster[2:3])) as store:
            for n in range(60):
                assert await store.add(f"spread{n}") == 1
            mine = NamespacedStore(store, "filter")
            outcomes = await mine.take([gcra(f"k{n}") for n in range(20)])
            assert [outcome.remaining for outcome in outcomes] == [4] * 20

    asyncio.run(check())
    assert all(node.ask("KEYS", "meshext:value:spread*").count("spread") > 5 for node in cluster[:3])


def test_a_slot_that_moved_or_moves_is_followed(cluster: list[RedisServer]) -> None:
    key = key_in(1, "moved")
    slot, (_, old, new) = str(slot_of(key)), cluster[:3]

    async def check() -> None:
        async with opened(url_of(cluster)) as store:
            new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(old))
            old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(new))
            assert await store.add(key) == 1  # asks there, as the old node says
            assert await store.get(key) == b"1"
            for node in (new, old):
                node.ask("CLUSTER", "SETSLOT", slot, "NODE", node_id(new))
            assert await asyncio.gather(*(store.add(key) for _ in range(5))) == [2, 3, 4, 5, 6]

    asyncio.run(check())
    assert new.ask("GET", f"meshext:value:{key}").endswith("6\r\n")


def test_a_node_that_dies_is_replaced_and_the_others_go_on(cluster: list[RedisServer]) -> None:
    lost, kept = key_in(0, "lost"), key_in(2, "kept")

    async def check() -> None:
        async with opened(url_of(cluster[:3])) as store:
            await store.set(lost, b"x")
            cluster[0].ask("WAIT", "1", "1000")
            cluster[0].kill()
            await fails(store.get(lost))
            await store.set(kept, b"x")
            wait_for_failover = succeeds(lambda: store.get(lost), ROOM)
            assert await wait_for_failover == b"x"

    asyncio.run(check())


def test_no_cluster_is_a_store_that_is_away(cluster: list[RedisServer]) -> None:
    async def check() -> None:
        store = open_store(f"redis+cluster://127.0.0.1:{cluster[0].port + 1}")
        with pytest.raises(StoreUnavailable):
            await store.get("a")
        await store.close()

    asyncio.run(check())


def test_who_holds_which_slot() -> None:
    asked = ("h", 1)
    assert holders([[0, 99, [b"a", 2, b"id"]]], asked) == []
    whole = holders([[0, 99, [b"a", 2, b"id"]], [100, SLOTS - 1, [b"", 3, b"id"], [b"replica", 4]]], asked)
    assert (whole[99], whole[100], len(whole)) == (("a", 2), ("h", 3), SLOTS)


def test_the_master_that_sentinels_name_is_found_again_after_a_failover() -> None:
    with RedisServer() as master, RedisServer("--replicaof", "127.0.0.1", str(master.port)) as replica:
        wait_for(lambda: "master_link_status:up" in replica.ask("INFO", "replication"))
        with Sentinel(master) as sentinel:
            wait_for(lambda: "num-slaves\r\n$1\r\n1" in sentinel.ask("SENTINEL", "MASTER", "main"))

            async def check() -> None:
                gone = "127.0.0.1:1"  # a Sentinel that does not answer
                async with opened(f"redis+sentinel://{gone},127.0.0.1:{sentinel.port}/main") as store:
                    await store.set("a", b"x")
                    master.ask("WAIT", "1", "1000")
                    master.kill()
                    await fails(store.get("a"))
                    await succeeds(lambda: store.set("b", b"y"), ROOM)
                    assert await store.get("a") == b"x"

            asyncio.run(check())
            assert "role:master" in replica.ask("INFO", "replication")
