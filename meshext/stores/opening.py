"""From a URL or a descriptor to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshext.errors import MissingExtraError
from meshext.store import MemoryStore, Store

if TYPE_CHECKING:
    from meshext.stores.observed import OnCall


def open_store(url: str, descriptor: int | None = None, *, on_call: OnCall | None = None) -> Store:
    """The store for a worker.

    `url` says which Redis (see `meshext.stores.redis_url.FORMS`). Where it is empty, it is the supervisor's
    memory behind the socket `descriptor`, and without one this process' own. Nothing is connected yet: that
    begins with `start()` or the first call, on the event loop that runs then, and goes on by itself for as
    long as it takes. `on_call` is told of every call.

    Raises StoreError for what is no URL, and MissingExtraError without the extra `redis`.
    """
    store = plain_store(url, descriptor)
    if on_call is None:
        return store
    from meshext.stores.observed import ObservedStore

    return ObservedStore(store, on_call)


def plain_store(url: str, descriptor: int | None) -> Store:
    """The store itself."""
    if url:
        return redis_store(url)
    if descriptor is None:
        return MemoryStore()
    from meshext.stores.shared import SharedStore

    return SharedStore(descriptor)


def redis_store(url: str) -> Store:
    """The store in the Redis at `url`."""
    from meshext.stores.redis_url import parse_redis_url

    parsed = parse_redis_url(url)
    try:
        import redis  # noqa: F401  # whether it is there
    except ImportError:
        raise MissingExtraError("redis", f"the store {parsed.shown}") from None
    from meshext.stores.redis_opening import open_redis

    return open_redis(parsed)


def check_store(url: str) -> None:
    """Raise what `open_store` would, without opening anything; an empty URL is right."""
    if url:
        redis_store(url)
