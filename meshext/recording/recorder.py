"""Recording the exchanges of a worker: an observer that keeps a tape of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from meshext.config import read_config
from meshext.engine.observer import InitialMetadata, Mode, Observer
from meshext.errors import MeshextError
from meshext.needs import Needs
from meshext.plan import Plan, build_plan
from meshext.recording.exchange import Recorded, Served
from meshext.recording.tape import Tape


class Recorder(Observer):
    """Sees exchanges for another observer too, where there is one; each that ends is given to `keep`."""

    def __init__(
        self,
        needs: Sequence[Needs],
        served: Callable[[Plan], Served],
        keep: Callable[[Recorded], None],
        inner: Observer | None = None,
    ) -> None:
        self._keep = keep
        self._inner = inner
        self._plans: dict[Mode, tuple[Plan, Served]] = {}
        modes: tuple[Mode, ...] = ("authz", "proc")
        for mode in modes:
            try:
                plan = build_plan(needs, mode)
            except MeshextError:
                continue  # this chain is not served in that mode
            self._plans[mode] = (plan, served(plan))

    def begin(self, mode: Mode, metadata: InitialMetadata) -> Tape:
        """An exchange begins."""
        plan, served = self._plans[mode]
        sighting = None if self._inner is None else self._inner.begin(mode, metadata)
        return Tape(served, plan, self._keep, sighting)

    def shed(self, mode: Mode, reason: str) -> None:
        """Nothing was seen of what was turned away."""
        if self._inner is not None:
            self._inner.shed(mode, reason)


def describe_served(
    specs: Sequence[str], configs: Sequence[str], redacted: Iterable[str]
) -> Callable[[Plan], Served]:
    """Who decides, for each plan; the configurations are read here."""
    digest = hashlib.sha256()
    for config in configs:
        text = read_config(config).text
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogateescape"))
    config = f"sha256:{digest.hexdigest()}" if configs else ""

    def describe(plan: Plan) -> Served:
        return Served(
            specs=tuple(specs),
            config=config,
            filters=plan.filters,
            attributes=plan.attributes,
            metadata=plan.metadata_namespaces,
            redacted=tuple(redacted),
        )

    return describe
