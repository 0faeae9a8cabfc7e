"""Who may have anything, known without asking the disk: identities and certificates that are banned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.errors import BannedError
from meshext_controlplane.identity.peer import Peer, check_peer, parse_peer
from meshext_controlplane.identity.trust_feed import TrustFeed
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.errors import StateError
from meshext_controlplane.state.worker import StateThread

log = logging.getLogger("meshext.controlplane")


class Standing:
    """Checks peers against the bans of the moment; `changed` is called when those have changed."""

    def __init__(
        self, bans: Bans, thread: StateThread, *, trust_domain: str, clock: Callable[[], datetime]
    ) -> None:
        self._bans = bans
        self._thread = thread
        self._trust_domain = trust_domain
        self._clock = clock
        self._banned: frozenset[str] = frozenset()  # identities and serial numbers

    async def load(self) -> None:
        """Read the bans."""
        found = await self._thread.run(self._bans.all)
        self._banned = frozenset(each.value for each in found)

    async def follow(self, feed: TrustFeed, changed: Callable[[], None]) -> None:
        """Read them again whenever they have changed, until cancelled."""
        async for _ in feed.changes():
            try:
                await self.load()
            except StateError as error:
                log.error("bans are not known anew, those of before hold: %s", error)
            changed()

    def peer_of(self, auth_context: Mapping[str, Sequence[bytes]]) -> Peer:
        """The peer of a call; PeerError where it is no workload of this mesh, BannedError where it is."""
        peer = parse_peer(auth_context)
        check_peer(peer, trust_domain=self._trust_domain, now=self._clock())
        self.check(peer)
        return peer

    def check(self, peer: Peer) -> None:
        """BannedError where the peer is banned."""
        if self.is_banned_peer(peer):
            raise BannedError(f"{peer.identity} is banned")

    @property
    def banned_identities(self) -> tuple[str, ...]:
        """SPIFFE IDs of those that are banned as a whole, sorted."""
        return tuple(sorted(each for each in self._banned if each.startswith("spiffe://")))

    def is_banned_peer(self, peer: Peer) -> bool:
        """Whether a peer's identity is, or its certificate."""
        return self.is_banned(peer.identity) or peer.serial in self._banned

    def is_banned_proxy(self, proxy: Proxy) -> bool:
        """Whether a proxy's identity is, or the certificate that it came with."""
        return self.is_banned(proxy.identity) or proxy.serial in self._banned

    def is_banned(self, identity: SpiffeId) -> bool:
        """Whether the identity as a whole is."""
        return str(identity) in self._banned
