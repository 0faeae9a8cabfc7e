"""What a running mesh can be asked, by what the control plane's distribution offers as entry points.

meshext.policy_sources     `PolicySource`: the policies of one of its workloads
meshext.mesh_checks        `MeshCheck`: a check of all of it, in stages
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import typer

from meshext.cli.faults import EXTRAS
from meshext.cli.verbs import broken_plugin
from meshext.errors import MeshextError, MissingExtraError

if TYPE_CHECKING:
    from meshext.cli.stages import Stage
    from meshext.policy.asked import MeshPolicies

POLICY_SOURCES = "meshext.policy_sources"
MESH_CHECKS = "meshext.mesh_checks"
EXTRA = "controlplane"

PolicySource: TypeAlias = "Callable[[str, Path], MeshPolicies]"
"""From NAME or NAMESPACE/NAME and a state directory to what decides there about requests."""

MeshCheck: TypeAlias = "Callable[[Path], Iterable[Stage]]"
"""From a state directory to the stages, each as soon as it is done."""

State = Annotated[
    Path,
    typer.Option(
        metavar="DIR", envvar="MESHEXT_STATE", help="Of a running mesh: the control plane's state directory."
    ),
]
DEFAULT_STATE = Path(".meshext")


def load_policy_source() -> PolicySource:
    """The first that is installed; MissingExtraError where there is none."""
    return cast("PolicySource", load_offer(POLICY_SOURCES, "meshext explain --workload"))


def load_mesh_check() -> MeshCheck:
    """The first that is installed; MissingExtraError where there is none."""
    return cast("MeshCheck", load_offer(MESH_CHECKS, "meshext check without a filter"))


def load_offer(group: str, purpose: str) -> Any:
    """The first object of a group of entry points."""
    point = next(iter(sorted(entry_points(group=group), key=lambda point: point.name)), None)
    if point is None:
        raise MissingExtraError(EXTRA, purpose)
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in EXTRAS:
            raise MissingExtraError(EXTRA, purpose) from error
        raise broken_plugin(f"{group} {point.name!r}", point, error) from error
    except MeshextError:
        raise
    except Exception as error:
        raise broken_plugin(f"{group} {point.name!r}", point, error) from error
