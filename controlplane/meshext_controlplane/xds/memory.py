"""What proxies have that speak the state of the world, for the next stream that each of them opens.

Such a proxy says a version and names when it comes back, not what it has: without this nobody would know
which clusters its routes still name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.subscription.session import Session

MOST = 10_000  # proxies

Read: TypeAlias = "Callable[[], Snapshot | None]"

Place: TypeAlias = "tuple[str, SpiffeId]"
"""Node id and identity."""


@dataclass(frozen=True, slots=True)
class _Known:
    """`session` is the one that is under way."""

    identity: SpiffeId
    read: Read
    session: object = None


class Memory:
    """By node id, of one identity each. What has changed waits in `take_changes` for whoever writes it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._changed: set[str] = set()

    def restore(self, stored: Mapping[Place, Read]) -> None:
        """What was written before this process began; each is read when somebody asks."""
        for (node_id, identity), read in stored.items():
            self._known.setdefault(node_id, _Known(identity, read))

    def recall(self, proxy: Proxy) -> Snapshot | None:
        """What that proxy had when last heard of; None where that is not known."""
        known = self._known.get(proxy.node_id)
        return known.read() if known is not None and known.identity == proxy.identity else None

    def note(self, proxy: Proxy, session: Session[Any]) -> None:
        """That session has changed what the proxy has."""
        self._known[proxy.node_id] = _Known(proxy.identity, lambda: session.inventory, session)
        self._known.move_to_end(proxy.node_id)
        self._changed.add(proxy.node_id)
        if len(self._known) > MOST:
            self.forget(next(iter(self._known)))

    def rest(self, proxy: Proxy, session: Session[Any]) -> None:
        """That session has ended."""
        known = self._known.get(proxy.node_id)
        if known is not None and known.session is session:
            inventory = session.inventory
            self._known[proxy.node_id] = _Known(proxy.identity, lambda: inventory)
            self._changed.add(proxy.node_id)

    def forget(self, node_id: str) -> None:
        """Nobody of that name will come back."""
        if self._known.pop(node_id, None) is not None:
            self._changed.add(node_id)

    def retain(self, node_ids: Collection[str]) -> None:
        """Of all others nobody will come back."""
        for node_id in self._known.keys() - node_ids:
            self.forget(node_id)

    def note_again(self, node_ids: Iterable[str] | None = None) -> None:
        """These were not written, or nothing is any more."""
        self._changed.update(self._known if node_ids is None else node_ids)

    def take_changes(self, most: int = MOST) -> dict[str, tuple[SpiffeId, Snapshot] | None]:
        """What has changed since the last time, so many at most, by node id; None for what is forgotten."""
        found: dict[str, tuple[SpiffeId, Snapshot] | None] = {}
        while self._changed and len(found) < most:
            node_id = self._changed.pop()
            known = self._known.get(node_id)
            inventory = known.read() if known is not None else None
            found[node_id] = (known.identity, inventory) if known and inventory else None
        return found
