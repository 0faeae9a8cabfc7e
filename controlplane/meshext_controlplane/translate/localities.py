"""Which endpoints a client prefers: the nearest, a share for each place, those with labels like its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshext_controlplane.model.load_balancing import LocalityLb
from meshext_controlplane.model.traffic_policy import PortPolicy
from meshext_controlplane.model.workload import Locality

LOCALITY_LABELS = {
    "topology.kubernetes.io/region": "region",
    "topology.kubernetes.io/zone": "zone",
    "topology.istio.io/subzone": "sub_zone",
}
"""Labels that Istio takes for an endpoint's place."""

SHARES = 100


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints of one locality: `rank` orders them before nearness does, `priority` is Envoy's."""

    locality: Locality
    rank: int
    weight: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Client:
    """What matters of a client: where it is, and the labels that some document asks for."""

    locality: Locality = field(default_factory=Locality)
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Nearness:
    """What a cluster's policy makes of a client's place. `setting` is None where it does not matter."""

    setting: LocalityLb | None = None
    fails_over: bool = False
    client: Client = field(default_factory=Client)

    def rank_labels(self, labels: Mapping[str, str], locality: Locality) -> int:
        """How many of the labels that count are not like the client's, from the first that is not on."""
        if self.setting is None or not self.setting.failover_priority or not self.fails_over:
            return 0
        wanted = dict(self.client.labels)
        keys = self.setting.failover_priority
        for number, key in enumerate(keys):
            name, equal, value = key.partition("=")
            mine = value if equal else _label(name, wanted, self.client.locality)
            if _label(name, labels, locality) != mine:
                return len(keys) - number
        return 0

    def place(self, groups: Sequence[Group]) -> list[Group]:
        """The groups, in the same order, with priorities without gaps, and weights; 0 gets nothing."""
        if self.setting is None:
            return list(groups)
        for share in self.setting.distribute:
            if _covers(share.from_, self.client.locality):
                return _share(groups, share.to)
        if not self.fails_over or self.setting.distribute:
            return list(groups)
        if self.setting.failover_priority:
            return _close_gaps(groups, [group.rank for group in groups])
        return _close_gaps(groups, [self._distance(group.locality) for group in groups])

    def _distance(self, other: Locality) -> int:
        mine = self.client.locality
        if other.region != mine.region:
            targets = {
                each.to
                for each in (self.setting.failover if self.setting else ())
                if each.from_ == mine.region
            }
            return 3 if not targets or other.region in targets else 4
        if other.zone != mine.zone:
            return 2
        return 0 if other.sub_zone == mine.sub_zone else 1


def build_nearness(policy: PortPolicy, client: Client) -> Nearness:
    """What the policy says about places; the client is left out where it makes no difference."""
    balancer = policy.load_balancer
    setting = balancer.locality_lb_setting if balancer else None
    if setting is not None and not setting.enabled:
        return Nearness()
    fails_over = policy.outlier_detection is not None
    if not fails_over and not (setting and setting.distribute):
        return Nearness()
    setting = setting or LocalityLb()
    labels = client.labels if setting.failover_priority else ()
    return Nearness(setting, fails_over, Client(client.locality, labels))


def _label(name: str, labels: Mapping[str, str], locality: Locality) -> str | None:
    if part := LOCALITY_LABELS.get(name):
        found: str = getattr(locality, part)
        return found
    return labels.get(name)


def _close_gaps(groups: Iterable[Group], distances: Sequence[int]) -> list[Group]:
    priorities = {distance: number for number, distance in enumerate(sorted(set(distances)))}
    return [
        Group(group.locality, group.rank, group.weight, priorities[distance])
        for group, distance in zip(groups, distances, strict=True)
    ]


def _share(groups: Sequence[Group], to: Mapping[str, int]) -> list[Group]:
    """Each place's share, split over its localities by what they weigh; others get nothing."""
    weights = [0] * len(groups)
    taken: set[int] = set()
    for place, percent in sorted(to.items(), key=lambda each: -len(each[0])):
        inside = [
            number
            for number, group in enumerate(groups)
            if number not in taken and _covers(place, group.locality)
        ]
        taken.update(inside)
        total = sum(groups[number].weight for number in inside)
        for number in inside:
            weights[number] = max(1, round(percent * SHARES * groups[number].weight / total))
    return [Group(group.locality, group.rank, weight) for group, weight in zip(groups, weights, strict=True)]


def _covers(place: str, locality: Locality) -> bool:
    parts = (locality.region, locality.zone, locality.sub_zone)
    for wanted, part in zip(place.split("/"), parts, strict=False):
        if wanted == "*":
            return True
        if wanted != part:
            return False
    return True
