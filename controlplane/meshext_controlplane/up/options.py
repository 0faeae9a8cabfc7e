"""What a mesh on this machine is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`folder` has `workloads.yaml` and `mesh/`; `state` is where the mesh keeps its things.

    `limit` is in seconds: for the control plane, and for all workloads together, to be ready. `environment`
    is given to every workload; its own comes first.
    """

    folder: Path
    state: Path
    limit: float = 120.0
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
