"""State of the world: every request lists all names, and has a version for all of a type's resources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from meshext_controlplane.snapshot import Named, Resource
from meshext_controlplane.subscription.messages import Push, Receipt, StateRequest, Verdict
from meshext_controlplane.subscription.subscription import WHOLE, Subscription


class StateSubscription(Subscription[StateRequest]):
    """Listeners and clusters are sent as a whole; of other types what is new, and nothing is ever removed."""

    __slots__ = ()

    def receive(self, request: StateRequest) -> Receipt:
        """A request that answers an older push than the last says nothing of that: the next is under way."""
        if request.nonce not in ("", self._last_nonce):
            self._hear_early(request.names)
            return Receipt(self.type_url, Verdict.STALE)
        receipt = self._judge(request.nonce, request.error)
        was_wild = self.interest.wildcard
        added = self.interest.replace(request.names)
        if not self._begun:
            self._begun = True
            if self._continues(request.version):
                return receipt
        if added:
            self._answer = self._answer or self.type_url in WHOLE
            self._owed |= added
            self._look_at(added)
        self._catch_up(was_wild=was_wild)
        return receipt

    def _hear_early(self, names: Iterable[str]) -> None:
        """What else it asks for while a push is on its way, it asks for again when it answers that.

        Until then a route to a cluster whose endpoints it waits for must not overtake them.
        """
        if self._begun and not self.interest.wildcard:
            added = self.interest.replace(self.interest.names.union(names))
            self._owed |= added
            self._look_at(added)

    @property
    def backlog(self) -> int:
        """About how many bytes the next push will have."""
        if self.type_url not in WHOLE:
            return super().backlog
        return sum(len(resource.body) for resource in self._target.values()) if self._dirty else 0

    def _continues(self, version: str) -> bool:
        """Whether a proxy that comes back has what it would be sent, or what it was served last.

        Names that it has only learned on this stream come with a version from before, which says nothing.
        """
        before, self._before = self._before, ()
        trusted = version and (self.interest.wildcard or self.untouched)
        for named in (self._target, *before) if trusted else ():
            held = {name: each for name, each in named.items() if name in self.interest}
            if version == digest(held.values()):
                self.acked, self.resumed = held, True
                self._look_at(name for name, each in self._target.items() if held.get(name) is not each)
                self._look_at(held.keys() - self._target.keys())
                self._share_target()
                return True
        if version:
            self._presume(before)
        return False

    def _presume(self, before: Sequence[Named]) -> None:
        """It has something, and the version does not say what: what it had when last heard of stays with it
        until it has answered."""
        self.resumed = True
        self._unknown = self.interest.wildcard
        self._unheard = self.interest.names
        self._presumed = {
            name: each for named in before for name, each in named.items() if name in self.interest
        }
        self._look_at(self._presumed)

    def _owes_removal(self, name: str) -> bool:
        return self.type_url in WHOLE and self._may_have(name)

    def _compose(self, nonce: str, sent: dict[str, Resource], removed: list[str]) -> Push:
        if self.type_url not in WHOLE:
            # What is not there any more does not count: the proxy is about to give it up.
            held = {name: each for name, each in self.acked.items() if name in self._target}
            version = digest({**held, **sent}.values())
            return Push(self.type_url, nonce, version, tuple(sent.values()), ())
        whole = {name: self._chosen(name) for name in self._target if name in self.interest}
        whole |= {name: held for name, held in self.possessions.items() if name not in self._target}
        resources = tuple(held for name, held in whole.items() if held and name not in removed)
        return Push(self.type_url, nonce, digest(resources), resources, ())


def digest(resources: Iterable[Resource]) -> str:
    """One version for many resources, the same in whatever order, on every control plane.

    A resource's version is a hash of its bytes, which hold its name.
    """
    versions = sorted([resource.version for resource in resources])
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]
