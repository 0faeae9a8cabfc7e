"""What documents say about each other: checked over all of them at once.

Only what can never work is refused here; what may be meant (a host that nobody knows yet) is advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from meshext.config.places import Path
from meshext_controlplane.model.mesh_config import MeshConfig
from meshext_controlplane.sources.places import Key, Placed, show_key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Broken:
    """A document that can not be as it is: `path` within it, `text` with the hint behind the last `; `.

    `refers_to` are the objects whose change may have broken it, whether they are there or not.
    """

    placed: Placed
    path: Path
    text: str
    refers_to: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        """The object that is refused."""
        return self.placed.key


Check = Callable[[Mapping[Key, Placed]], Iterator[Broken]]


def find_broken(documents: Mapping[Key, Placed]) -> list[Broken]:
    """Everything that does not hold."""
    return [broken for check in CHECKS for broken in check(documents)]


def check_one_config(documents: Mapping[Key, Placed]) -> Iterator[Broken]:
    """A mesh has one MeshConfig; the first by place is the one."""
    found = sorted(
        (placed for placed in documents.values() if isinstance(placed.document, MeshConfig)),
        key=lambda placed: placed.order,
    )
    for placed in found[1:]:
        told = f"the mesh has a MeshConfig already, {show_key(found[0].key)} in {found[0].place}"
        yield Broken(placed=placed, path=(), text=f"{told}; put its fields in there")


CHECKS: tuple[Check, ...] = (check_one_config,)
"""Every check, in the order in which they are told."""
