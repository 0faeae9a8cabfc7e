"""Incremental: requests change the names, each resource has a version, and removals are said."""

from __future__ import annotations

from collections.abc import Mapping

from meshext_controlplane.snapshot import Resource
from meshext_controlplane.subscription.messages import DeltaRequest, Push, Receipt
from meshext_controlplane.subscription.subscription import Subscription


class DeltaSubscription(Subscription[DeltaRequest]):
    """Names count in every request, also in one that answers an old push."""

    __slots__ = ()

    def receive(self, request: DeltaRequest) -> Receipt:
        """The verdict on the last push, and the change of names."""
        receipt = self._judge(request.nonce, request.error)
        first, self._begun = not self._begun, True
        if not (first or request.subscribe or request.unsubscribe):
            return receipt
        was_wild = self.interest.wildcard
        answers = self.interest.change(request.subscribe, request.unsubscribe)
        if first:
            self._claim(request.versions)
            answers -= self.acked.keys()
        for name in answers - self.acked.keys():
            self.bad.pop(name, None)
        self._owed |= answers
        self._look_at(answers)
        self._catch_up(was_wild=was_wild)
        if first and self.acked:
            self._answer = False
            self._share_target()
        return receipt

    def _claim(self, versions: Mapping[str, str]) -> None:
        """What a proxy that comes back has already; of other versions than ours only the version is known."""
        acked: dict[str, Resource] = {}
        for name, version in versions.items():
            if name not in self.interest:
                continue
            wanted = self._target.get(name)
            if wanted is not None and wanted.version == version:
                acked[wanted.name] = wanted
                continue
            self._look_at([name])
            known = (named[name] for named in self._before if name in named)
            same = next((each for each in known if each.version == version), None)
            acked[name] = same or Resource(self.type_url, name, version, b"")
        self.acked = acked
        self.resumed = bool(acked)
        self._before = ()

    def _compose(self, nonce: str, sent: dict[str, Resource], removed: list[str]) -> Push:
        return Push(self.type_url, nonce, "", tuple(sent.values()), tuple(removed))
