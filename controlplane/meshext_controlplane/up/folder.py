"""What a folder holds: `workloads.yaml`, and the mesh's documents in `mesh/`."""

from __future__ import annotations

from pathlib import Path

from meshext.config import MAX_BYTES
from meshext_controlplane.model.kinds import PROGRAMS
from meshext_controlplane.model.workload_document import WorkloadDocument
from meshext_controlplane.sources.configuration import merge
from meshext_controlplane.sources.folder import read_folder
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import read_bytes
from meshext_controlplane.up.errors import FolderError
from meshext_controlplane.up.instances import Written, name_replicas

WORKLOADS, MESH = "workloads.yaml", "mesh"


def read_workloads(folder: Path) -> list[Written]:
    """The workloads of `folder/workloads.yaml`; FolderError lists every mistake with file and line."""
    file = folder / WORKLOADS
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        told = f"{file}: can not be read: {error.strerror}; write documents of kind Workload there"
        raise FolderError(told) from None
    reading = read_bytes(content, Origin(str(file), ""), kinds=PROGRAMS)
    found = [placed.document for placed in reading.documents]
    workloads = [each for each in found if isinstance(each, WorkloadDocument)]
    problems = [str(problem) for problem in reading.problems]
    problems += [f"{file}: {problem}" for problem in _repeated(workloads)]
    if not problems and not workloads:
        problems = [f"{file}: has no Workload; write one for each program that shall run"]
    if problems:
        raise FolderError("\n".join(problems))
    return [Written(document=each, folder=folder.resolve()) for each in workloads]


def check_mesh(folder: Path) -> None:
    """Refuse documents that the control plane would refuse: FolderError lists every mistake.

    A mesh that runs keeps the last good version of a document. One that starts has none, and what is missing
    then may be what should have kept somebody out.
    """
    reading = read_folder(folder / MESH)
    configuration = merge(reading.readings, notes=reading.problems)
    if configuration.problems:
        raise FolderError("\n".join(map(str, configuration.problems)))


def _repeated(workloads: list[WorkloadDocument]) -> list[str]:
    names = [f"{name}.{each.metadata.namespace}" for each in workloads for name in name_replicas(each)]
    return [
        f"two workloads are {name}; give each a name of its own"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
