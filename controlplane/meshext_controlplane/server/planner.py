"""The plans of the filters that documents name: asked once for each way in which a filter is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meshext.plan import Plan
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.server.filter_files import Stamp, stamp_specs
from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.sources.places import Key, Mistake, Placed, Problem, place_mistakes
from meshext_controlplane.sources.planning import Planning, find_filters, plan_filters
from meshext_controlplane.sources.reading import Reading

FILTER = ("spec", "filter")
KEPT = 2
UNHEARD: Stamp = (("", 0, 0),)
Known = tuple[FilterSource, Plan]
"""How a filter was written, and its plan."""


class Planner:
    """Remembers the answers for the filters of the configuration that was asked about last.

    A filter that does not load any more, or not in time (a busy machine), is refused, and keeps the plan that
    it had while it was written the same way: its sidecars go on serving it. Without one it lets nothing in.

    `waiting` are those that did not load, with how their files stood before they were tried: UNHEARD, and so
    otherwise than they ever stand, where there was no answer in time.
    """

    def __init__(self) -> None:
        self._asked: Mapping[Key, FilterSource] | None = None
        self._found = Planning()
        self._known: Mapping[Key, tuple[Known, ...]] = {}
        self.waiting: Mapping[str, Stamp] = {}

    async def plan(self, configuration: Configuration) -> Planning:
        """The plans of a configuration; the same object where its filters are those of the last time."""
        asked = find_filters(Mesh(config=configuration.config, documents=configuration.documents))
        if asked != self._asked:
            stamps = stamp_specs(each.filter for each in asked.values())
            found = await plan_filters(asked)
            self._known = remember(self._known, asked, found, self._asked or {})
            self._found = replace(found, plans={**find_known(self._known, asked), **found.plans})
            self._asked = asked
            refused = {asked[key].filter for key in found.refused}
            unheard = {asked[key].filter: UNHEARD for key in found.unanswered}
            self.waiting = {spec: stamp for spec, stamp in stamps.items() if spec in refused} | unheard
        return self._found

    def forget(self) -> None:
        """Ask all of them anew the next time."""
        self._asked = None


def remember(
    known: Mapping[Key, tuple[Known, ...]],
    asked: Mapping[Key, FilterSource],
    found: Planning,
    before: Mapping[Key, FilterSource],
) -> dict[Key, tuple[Known, ...]]:
    """What is known with what was found, the newest first; nothing of what was not asked about twice.

    Two ways of writing each, as an edit that is only tried has its filters loaded too.
    """
    stay = {key: each for key, each in known.items() if key in asked or key in before}
    for key, plan in found.plans.items():
        others = [each for each in stay.get(key, ()) if each[0] != asked[key]]
        stay[key] = ((asked[key], plan), *others[: KEPT - 1])
    return stay


def find_known(known: Mapping[Key, tuple[Known, ...]], asked: Mapping[Key, FilterSource]) -> dict[Key, Plan]:
    """The plans that are known of filters as they are written now."""
    return {
        key: plan
        for key, source in asked.items()
        for written, plan in known.get(key, ())
        if written == source
    }


def refuse(reading: Reading, refused: Mapping[Key, str]) -> Reading:
    """The reading with its documents of these keys refused, each for that reason."""
    wrong = [each for each in reading.documents if each.key in refused]
    if not wrong:
        return reading
    return replace(
        reading,
        documents=tuple(each for each in reading.documents if each.key not in refused),
        refused=(*reading.refused, *(each.key for each in wrong)),
        problems=(*reading.problems, *_problems(wrong, refused)),
    )


def _problems(wrong: Sequence[Placed], refused: Mapping[Key, str]) -> list[Problem]:
    problems: list[Problem] = []
    for placed in wrong:
        mistake = Mistake(
            path=(*placed.path, *FILTER),
            within=len(placed.path),
            text=f"the filter does not load: {refused[placed.key]}",
            key=placed.key,
        )
        problems += place_mistakes(placed.origin, [mistake])
    return problems
