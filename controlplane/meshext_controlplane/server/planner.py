"""The plans of the filters that documents name: asked once for each way in which a filter is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.server.filter_files import Stamp, stamp_specs
from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.sources.places import Key, Mistake, Placed, Problem, place_mistakes
from meshext_controlplane.sources.planning import Planning, find_filters, plan_filters
from meshext_controlplane.sources.reading import Reading

FILTER = ("spec", "filter")


class Planner:
    """Remembers the answers for the filters of the configuration that was asked about last.

    `waiting` are those of them that did not load, with how their files stood before they were tried.
    """

    def __init__(self) -> None:
        self._asked: Mapping[Key, FilterSource] | None = None
        self._found = Planning()
        self.waiting: Mapping[str, Stamp] = {}

    async def plan(self, configuration: Configuration) -> Planning:
        """The plans of a configuration; the same object where its filters are those of the last time."""
        asked = find_filters(Mesh(config=configuration.config, documents=configuration.documents))
        if asked != self._asked:
            stamps = stamp_specs(each.filter for each in asked.values())
            self._found, self._asked = await plan_filters(asked), asked
            refused = {asked[key].filter for key in self._found.refused}
            self.waiting = {spec: stamp for spec, stamp in stamps.items() if spec in refused}
        return self._found

    def forget(self) -> None:
        """Ask all of them anew the next time."""
        self._asked = None


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
