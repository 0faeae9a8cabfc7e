"""The SVID that is in use, and word when it is another one."""

from __future__ import annotations

import asyncio

from meshext_controlplane.agent.svid import Svid


class Credentials:
    """Holds the current SVID; of one event loop."""

    def __init__(self, svid: Svid) -> None:
        self._svid = svid
        self._changed = asyncio.Event()

    @property
    def svid(self) -> Svid:
        """The one in use."""
        return self._svid

    def replace(self, svid: Svid) -> None:
        """Use this one from now on."""
        self._svid = svid
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed(self, since: Svid) -> Svid:
        """The current one, as soon as it is not `since`."""
        while self._svid is since:
            await self._changed.wait()
        return self._svid

    async def renewed(self, since: Svid) -> Svid:
        """The current one, as soon as its certificate is not that of `since`."""
        svid = self._svid
        while svid.chain == since.chain:
            svid = await self.changed(svid)
        return svid
