"""One type on one stream: what the proxy has accepted, and what it must be sent.

Names wait in `_dirty` until somebody has looked at them, so that what a change costs depends on the change
and not on how much a proxy has. A NACK leaves the last good resources in place; see `trials` for whose
fault it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from meshext_controlplane.snapshot import CLUSTER, LISTENER, Named, Remembered, Resource
from meshext_controlplane.subscription.differences import NONE, Differences
from meshext_controlplane.subscription.interest import Interest
from meshext_controlplane.subscription.messages import DeltaRequest, Push, Receipt, StateRequest, Verdict
from meshext_controlplane.subscription.trials import Trials, find_named

WHOLE = frozenset({CLUSTER, LISTENER})
"""The types with a legacy wildcard, and of which a state-of-the-world response says everything."""

Request = TypeVar("Request", bound=StateRequest | DeltaRequest)
Removable = Callable[[str], bool]

NOTHING: Named = MappingProxyType({})


@dataclass(slots=True)
class Pending:
    """A push that is not answered yet; `fresh` is what the proxy did not have before."""

    nonce: str
    version: str
    resources: dict[str, Resource]
    removed: set[str]
    fresh: tuple[str, ...]


class Subscription(ABC, Generic[Request]):
    """The rules that both protocols share."""

    __slots__ = (
        "_answer",
        "_before",
        "_begun",
        "_dirty",
        "_last_nonce",
        "_owed",
        "_presumed",
        "_target",
        "_trials",
        "_unheard",
        "_unknown",
        "_unsure",
        "acked",
        "bad",
        "error",
        "interest",
        "pending",
        "resumed",
        "type_url",
        "untouched",
    )

    def __init__(self, type_url: str, target: Named, before: Sequence[Named] = ()) -> None:
        """`before` is what the proxy may come back with from an earlier stream, the surest at the end."""
        self.type_url = type_url
        self.interest = Interest(legacy=type_url in WHOLE)
        self.acked: Mapping[str, Resource] = NOTHING
        self.pending: Pending | None = None
        self.bad: dict[str, str] = {}
        self.error = ""
        self.resumed = False
        self.untouched = False
        self._target = target
        self._before: tuple[Named, ...] = tuple(before)
        self._unknown = False
        self._unheard: frozenset[str] = frozenset()
        self._presumed: Mapping[str, Resource] = NOTHING
        self._dirty: dict[str, None] = {}
        self._owed: set[str] = set()
        self._unsure: dict[str, Resource] = {}
        self._trials = Trials()
        self._answer = False
        self._begun = False
        self._last_nonce = ""

    @abstractmethod
    def receive(self, request: Request) -> Receipt:
        """What the proxy says: its verdict on the last push, and the names that it wants."""

    def serve(self, target: Named, differences: Differences) -> None:
        """What the proxy shall have from now on."""
        before, self._target = self._target, target
        found = differences.between(before, target)
        self._look_at(found.changed)
        self._look_at(found.gone)
        if found is NONE and self.acked is before:
            self.acked = target  # and not a copy of the same for every proxy

    def owe(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that the proxy wants must be sent again, changed or not; gives them."""
        wanted = [name for name in names if name in self.interest]
        self._owed.update(wanted)
        self._look_at(wanted)
        return wanted

    def next_push(self, nonce: str, removable: Removable) -> Push | None:
        """The response to send now, if any; there is none while one is not answered."""
        if self.pending is not None or not (self._dirty or self._answer):
            return None
        sent, removed = self._collect(removable)
        while self._trials and not sent:
            self._trials.accept()
            sent, removed = self._collect(removable)
        if not sent and not removed and not self._answer:
            return None
        push = self._compose(nonce, sent, removed)
        fresh = tuple(name for name in sent if name in self._unsure or not self._has(sent[name]))
        resources = {resource.name: resource for resource in push.resources}
        self.pending = Pending(nonce, push.version, resources, set(removed), fresh)
        self._last_nonce = nonce
        self._answer = False
        self._done_with([*sent, *removed])
        return push

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing to be sent."""
        return self.pending is None and not self._dirty and not self._answer

    @property
    def brings_more(self) -> bool:
        """Whether something that the proxy shall have is under way, or to be sent; removals do not count."""
        if self._answer or (self.pending is not None and self.pending.fresh):
            return True
        return any(name in self._target for name in self._dirty)

    def owes(self, name: str) -> bool:
        """Whether that name is still to be sent, changed or not, or was and is not answered."""
        return name in self._owed or (self.pending is not None and name in self.pending.resources)

    @property
    def backlog(self) -> int:
        """About how many bytes the next push will have."""
        found = (self._target.get(name) for name in self._dirty)
        return sum(len(resource.body) for resource in found if resource is not None)

    @property
    def refused(self) -> tuple[str, ...]:
        """The names whose present version the proxy has refused."""
        return tuple(name for name in self.bad if self._is_bad(name))

    @property
    def is_unclear(self) -> bool:
        """Whether the proxy has something of which nothing is known but that it is there."""
        if self._unknown or self._unheard:
            return True
        return any(not (each.body or isinstance(each, Remembered)) for each in self.acked.values())

    @property
    def possessions(self) -> Named:
        """What the proxy has, as it has said, and what else it may have from an earlier stream."""
        return {**self._presumed, **self.acked} if self._presumed else self.acked

    def held(self) -> Iterator[Resource]:
        """Every resource that the proxy has, may have, or is being sent."""
        yield from self.acked.values()
        yield from self._presumed.values()
        yield from self._unsure.values()
        if self.pending is not None:
            yield from self.pending.resources.values()

    def _catch_up(self, *, was_wild: bool) -> None:
        """After the names have changed: what the wildcard brings, and what is not wanted any more."""
        if self.interest.wildcard and not was_wild:
            self._answer = True
            self._look_at(self._target)
        elif not self.interest.wildcard:
            self._unknown = self._unknown and bool(self.interest.names)
            held = self.acked.keys() | self._presumed.keys() | self._unheard
            self._forget(held - self.interest.names)
            self._forget(self._dirty.keys() - self.interest.names)
            if self.pending is not None:
                self._forget(self.pending.resources.keys() - self.interest.names)

    @abstractmethod
    def _compose(self, nonce: str, sent: dict[str, Resource], removed: list[str]) -> Push:
        """The response that says so in the protocol's way."""

    def _judge(self, nonce: str, error: str | None) -> Receipt:
        """What a request says about the last push."""
        pending = self.pending
        if pending is None or nonce != pending.nonce:
            stale = nonce not in ("", self._last_nonce)
            return Receipt(self.type_url, Verdict.STALE if stale else Verdict.NONE)
        self.pending = None
        if error is None:
            self._accept(pending)
            return Receipt(self.type_url, Verdict.ACK)
        names = self._refuse(pending, error)
        return Receipt(self.type_url, Verdict.NACK, error, names)

    def _accept(self, pending: Pending) -> None:
        self._hear_of(pending)
        self._trials.accept()
        for name in (*pending.resources, *pending.removed) if self._unsure else ():
            self._unsure.pop(name, None)
        if self._settled():
            self.acked = self._target
            return
        acked = dict(self.acked)
        acked.update((n, r) for n, r in pending.resources.items() if n in self.interest)
        for name in pending.removed:
            acked.pop(name, None)
        self.acked = acked

    def _hear_of(self, pending: Pending) -> None:
        """What was accepted is in the place of whatever the proxy came with."""
        self._unknown = False
        if self.type_url in WHOLE:
            self._unheard, self._presumed = frozenset(), NOTHING
            return
        self._unheard -= pending.resources.keys()
        if self._presumed:
            self._presumed = {n: each for n, each in self._presumed.items() if n not in pending.resources}

    def _share_target(self) -> None:
        """Of equal states keep the one that all proxies have."""
        if self.acked == self._target:
            self.acked = self._target

    def _settled(self) -> bool:
        """Whether the proxy has exactly what it shall have, so that no copy of that is needed."""
        if self._dirty or self._unsure or self.bad or self._trials:
            return False
        return self.interest.wildcard or self._target.keys() <= self.interest.names

    def _refuse(self, pending: Pending, error: str) -> tuple[str, ...]:
        doubted = self._doubted(pending)
        suspects = tuple(name for name in pending.fresh if name in pending.resources and name not in doubted)
        self._unsure.update((name, pending.resources[name]) for name in suspects)
        self.error = error
        named = find_named(suspects, error)
        if doubted and not named:
            return self._disprove(find_named(doubted, error) or doubted, [*suspects, *pending.removed])
        if named or (suspects and len(pending.fresh) == 1):
            guilty = named or suspects
            self._trials.accept()
            self.bad.update((name, pending.resources[name].version) for name in guilty)
        else:
            guilty = ()
            self._trials.split(suspects)
        if suspects:
            self._look_at([*suspects, *pending.removed])
        else:  # removals alone, or what it had already: there is nothing else to try
            self.acked = {name: held for name, held in self.acked.items() if name not in pending.removed}
        return guilty or suspects

    def _doubted(self, pending: Pending) -> tuple[str, ...]:
        """What was sent only because the proxy may have come with it."""
        return tuple(
            name
            for name, sent in pending.resources.items()
            if name in self._presumed
            and name not in self.acked
            and self._presumed[name].version == sent.version
            and (name not in self._target or self._target[name].version != sent.version)
        )

    def _disprove(self, names: tuple[str, ...], others: Iterable[str]) -> tuple[str, ...]:
        """What a proxy refuses it never had; the others are sent again without that, not to blame yet."""
        self._presumed = {name: each for name, each in self._presumed.items() if name not in names}
        self._look_at([*names, *others])
        self._answer = True
        return names

    def _collect(self, removable: Removable) -> tuple[dict[str, Resource], list[str]]:
        """Of the names in `_dirty`, what to send and what to remove; the rest is done with, or waits."""
        sent: dict[str, Resource] = {}
        removed: list[str] = []
        done: list[str] = []
        for name in self._dirty:
            if name not in self._target:
                if self._owes_removal(name):
                    if removable(name) or not self._may_have(name):
                        removed.append(name)
                    continue
            elif self._trials.holds_back(name):
                continue
            elif (resource := self._chosen(name)) is not None and self._needs(resource):
                sent[name] = resource
                continue
            done.append(name)
        self._done_with(done)
        return sent, removed

    def _done_with(self, names: Iterable[str]) -> None:
        for name in names:
            self._dirty.pop(name, None)
            self._owed.discard(name)
        # Emptied, they would stay as large as they have been.
        self._dirty = self._dirty or {}
        self._owed = self._owed or set()

    def _owes_removal(self, name: str) -> bool:
        return name in self.interest and (name in self.acked or name in self._owed or name in self._unsure)

    def _chosen(self, name: str) -> Resource | None:
        """What the proxy shall have under that name now: the last good one where it refused the present."""
        if self._is_bad(name) or self._trials.holds_back(name):
            return self._last_good(name)
        return self._target.get(name)

    def _last_good(self, name: str) -> Resource | None:
        """What it accepted last, or else came with; never the version itself that is under suspicion."""
        good = self.acked.get(name)
        if good is None:
            good = self._presumed.get(name)
            if good is not None and good.version == self._target[name].version:
                return None
        return good if good is not None and good.body else None

    def _is_bad(self, name: str) -> bool:
        wanted = self._target.get(name)
        return wanted is not None and self.bad.get(name) == wanted.version

    def _needs(self, resource: Resource) -> bool:
        name = resource.name
        if name not in self.interest:
            return False
        if name in self._owed:
            return True
        return not self._has(resource) or (name in self._unsure and not self._is_bad(name))

    def _may_have(self, name: str) -> bool:
        return name in self.acked or name in self._presumed or name in self._unsure

    def _has(self, resource: Resource) -> bool:
        held = self.acked.get(resource.name)
        return held is not None and held.version == resource.version

    def _look_at(self, names: Iterable[str]) -> None:
        self._dirty.update((name, None) for name in names if name in self.interest)

    def _forget(self, names: Iterable[str]) -> None:
        """The proxy does not want these any more: whatever it had of them it has dropped."""
        gone = frozenset(names)
        if not gone:
            return
        self.acked = {name: held for name, held in self.acked.items() if name not in gone}
        self._owed -= gone
        self._unheard -= gone
        if self._presumed:
            self._presumed = {name: each for name, each in self._presumed.items() if name not in gone}
        for name in gone:
            self._unsure.pop(name, None)
            self.bad.pop(name, None)
            self._dirty.pop(name, None)
            if self.pending is not None:
                self.pending.resources.pop(name, None)
