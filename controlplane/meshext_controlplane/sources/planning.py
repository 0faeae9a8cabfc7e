"""What filters that documents name ask of Envoy: their classes are loaded in a process of their own.

A filter is anybody's code: it may print, hang, or end the process. What it asks for is asked again when its
document changes; the sidecar that runs it serves what is on its own disk.

    python -m meshext_controlplane.sources.planning < questions > answers
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any

from meshext.child_pipes import ChildInput, ChildOutput
from meshext.config import Document
from meshext.engine.chain import configured_needs
from meshext.errors import MeshextError
from meshext.lifeline import guarded
from meshext.loading import build_config
from meshext.plan import Mode, Plan, build_plan
from meshext.plugins import load_filter
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.sources.own_output import own_output
from meshext_controlplane.sources.places import Key

PATIENCE = 120.0
"""Seconds in which all filters of a mesh have to load: two of CPU, where others want it as well."""

MOST_BYTES = 16 * 1024 * 1024  # of answers
PROVIDER = "Provider"
UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Planning:
    """The plans by key, and for each filter that has none the reason.

    `unanswered` are those of the latter of which nothing was heard in time: another time may be a better one.
    """

    plans: Mapping[Key, Plan] = field(default_factory=lambda: MappingProxyType({}))
    refused: Mapping[Key, str] = field(default_factory=lambda: MappingProxyType({}))
    unanswered: frozenset[Key] = frozenset()


def find_filters(mesh: Mesh) -> dict[Key, FilterSource]:
    """Every filter that the mesh names, by kind, namespace and name of what names it."""
    named: dict[Key, FilterSource] = {policy.key: policy.spec for policy in mesh.of(FilterPolicy)}
    for provider in mesh.config.extension_providers:
        if provider.meshext_filter is not None:
            named[(PROVIDER, "", provider.name)] = provider.meshext_filter
    return named


async def plan_filters(filters: Mapping[Key, FilterSource], *, patience: float = PATIENCE) -> Planning:
    """Ask all of them, in one process; one that does not load leaves the others alone."""
    if not filters:
        return Planning()
    answers = await _ask([_to_question(each) for each in filters.values()], patience)
    plans: dict[Key, Plan] = {}
    refused: dict[Key, str] = {}
    for key, answer in zip(filters, answers, strict=True):
        if "plan" in answer:
            plans[key] = plan_from_data(answer["plan"])
        else:
            refused[key] = answer["error"]
    unanswered = frozenset(key for key, answer in zip(filters, answers, strict=True) if UNHEARD in answer)
    return Planning(MappingProxyType(plans), MappingProxyType(refused), unanswered)


def _to_question(source: FilterSource) -> dict[str, Any]:
    config = "" if source.config is None else json.dumps(source.config)
    return {"filter": source.filter, "config": config, "mode": source.mode}


async def _ask(questions: Sequence[dict[str, Any]], patience: float) -> list[dict[str, Any]]:
    lines: list[bytes] = []
    with contextlib.suppress(TimeoutError, ValueError):
        async with asyncio.timeout(patience), _answering(questions) as output:
            while len(lines) < len(questions) and (line := await output.readline()):
                lines.append(line)
    found: list[dict[str, Any]] = []
    with contextlib.suppress(ValueError):
        found.extend(json.loads(line) for line in lines)
    reason = f"it ends the process that loads it, or takes more than {patience:g} s"
    return [*found, *({"error": reason, UNHEARD: True} for _ in questions[len(found) :])]


@contextlib.asynccontextmanager
async def _answering(questions: Sequence[dict[str, Any]]) -> AsyncIterator[asyncio.StreamReader]:
    """What the process answers, which is ended with the block, and with it what filters have started."""
    asked, output = ChildInput(), ChildOutput(limit=MOST_BYTES)
    with asked.handed_over() as stdin, output.handed_over() as stdout:
        process = await asyncio.create_subprocess_exec(
            *guarded([sys.executable, "-m", __name__]),
            stdin=stdin,
            stdout=stdout,
            stderr=asyncio.subprocess.DEVNULL,
            process_group=0,
        )
    ended = asyncio.create_task(process.wait())
    # What a filter has started holds the pipe open, and its end tells that the process has ended.
    ended.add_done_callback(lambda _: _end_group(process.pid))
    try:
        await asked.send(json.dumps(questions).encode())
        yield await output.connect()
    finally:
        _end_group(process.pid)
        output.close()
        await asyncio.shield(ended)


def _end_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What one filter asks for, or why it does not load."""
    try:
        return {"plan": asdict(plan_one(question["filter"], question["config"], question["mode"]))}
    except MeshextError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"it does not load: {type(error).__name__}: {error}"}


def plan_one(spec: str, config: str, mode: Mode | None) -> Plan:
    """The plan of a filter in a configuration (JSON text, "" for none); MeshextError where there is none."""
    cls = load_filter(spec)
    document = Document(config, "spec.config") if config else None
    return build_plan([configured_needs(cls, build_config(cls, document))], mode)


def plan_from_data(data: Mapping[str, Any]) -> Plan:
    """A plan as JSON has it: tuples are lists there."""
    given: dict[str, Any] = {each.name: data[each.name] for each in fields(Plan)}
    tuples: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Plan(**tuples)


def main() -> None:
    """Answer the questions on standard input, a line each, as they are ready."""
    questions = json.load(sys.stdin)
    with own_output() as output:
        for question in questions:
            output.write(json.dumps(answer(question)) + "\n")
            output.flush()


if __name__ == "__main__":
    main()
