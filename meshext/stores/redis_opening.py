"""From a URL to a store in Redis."""

from __future__ import annotations

from collections.abc import Callable

from meshext.stores.redis_connect import Address, Master
from meshext.stores.redis_link import RedisLink
from meshext.stores.redis_store import Calls, RedisStore
from meshext.stores.redis_url import RedisUrl


def open_redis(
    url: RedisUrl, *, patience: float | None = None, now: Callable[[], float] | None = None
) -> RedisStore:
    """A store that connects once it is used or started; StoreError for an option the library refuses."""
    wait = url.patience if patience is None else patience
    return RedisStore(open_calls(url, wait), patience=wait, now=now)


def open_calls(url: RedisUrl, patience: float) -> Calls:
    """The way to one Redis, to a master, or to a cluster."""
    name = f"store {url.shown}"
    if url.kind == "sentinel":
        return RedisLink(name, Master(url).connect, patience)
    if url.kind == "cluster":
        from meshext.stores.redis_cluster import ClusterCalls

        return ClusterCalls(name, [Address(url, single) for single in url.singles], patience)
    return RedisLink(name, Address(url, url.singles[0]).connect, patience)
