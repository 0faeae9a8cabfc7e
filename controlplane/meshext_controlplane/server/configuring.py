"""What is written, from the folder and from the API: merged, checked, previewed, kept, served.

Edits come one after the other. An applied document is stored before it is served, and only where everything
that was applied with it is right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from meshext.errors import ConfigError
from meshext.plan import Plan
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.redaction import show_document
from meshext_controlplane.server.filter_files import Stamp, stamp_specs
from meshext_controlplane.server.planner import UNHEARD, Planner, refuse
from meshext_controlplane.server.slicing import Slicer
from meshext_controlplane.sources.configuration import NOTHING, Configuration, merge, tell_held
from meshext_controlplane.sources.folder import EMPTY, FolderReading, read_folder, watch_folder
from meshext_controlplane.sources.last_good import load_last_good, save_last_good
from meshext_controlplane.sources.places import Key, Origin, Placed, Problem, show_key, show_places
from meshext_controlplane.sources.reading import Reading, read_text

log = logging.getLogger("meshext.controlplane")

Plans = Mapping[Key, Plan]
"""What filters ask of Envoy, as `Mesh.plans` has it."""

APPLIED_RANK = 1
APPLIED = "applied"
FIRST = "a first start needs documents that are right"
LOOK = 0.5  # seconds between two looks at the files of filters that did not load
AGAIN = 15.0  # seconds until one is tried again of which nothing was heard in time


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedText:
    """One document that was given to the API; `at` is when, in seconds since 1970."""

    key: Key
    text: str = field(repr=False)
    at: float


class AppliedStore(Protocol):
    """Keeps applied documents."""

    async def load(self) -> Sequence[AppliedText]:
        """All of them."""

    async def change(self, put: Sequence[AppliedText], remove: Sequence[Key]) -> None:
        """One change: all of it is on disk afterwards, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What documents would be, and are where `problems` is empty and it was no dry run.

    `before` and `after` are the texts in force by `Kind namespace/name`.
    """

    configuration: Configuration
    plans: Plans
    problems: tuple[str, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]


class Configuring:
    """Holds the configuration in force; `changed` is called with each new one.

    `memory` is a file that keeps what came from the folder over a restart.
    """

    def __init__(
        self,
        folder: Path | None,
        store: AppliedStore,
        *,
        clock: Callable[[], float],
        changed: Callable[[Configuration, Plans], None],
        memory: Path | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock
        self._changed = changed
        self._memory = memory
        self._planner = Planner()
        self._waiting: Mapping[str, Stamp] = {}  # specs of filters that did not load
        self._files: FolderReading = EMPTY
        self._applied: dict[Key, Reading] = {}  # each is read once
        self._edits = asyncio.Lock()
        self.configuration: Configuration = NOTHING

    async def load(self) -> None:
        """Read everything once. What was in force before counts as the last good version, applied or not.

        ConfigError where nothing was in force and a document is wrong: without it, be it a DENY, the rest
        would be another mesh than is written.
        """
        self._applied = {each.key: read_text(_to_origin(each)) for each in await self._store.load()}
        remembered = EMPTY
        if self._folder is not None:
            remembered = load_last_good(self._memory) if self._memory is not None else EMPTY
            self._files = await asyncio.to_thread(read_folder, self._folder, remembered)
        self.configuration = merge([*remembered.readings, *self._applied.values()])
        merged, plans, waiting = await self._merge(self._applied.values())
        wrong = [str(each) for each in merged.problems if each not in self._files.problems]
        if wrong and self._memory is not None and not (self._memory.exists() or self._applied):
            raise ConfigError(wrong, source=FIRST)
        self._take(merged, plans, waiting)

    async def watch(self) -> None:
        """Follow the folder until cancelled."""
        if self._folder is None:
            return
        async for files in watch_folder(self._folder, self._files):
            async with self._edits:
                self._files = files
                self._take(*await self._merge(self._applied.values()))

    async def retry_filters(self) -> None:
        """Try filters that did not load again when their files have changed, or of which nothing was heard
        in time, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN if UNHEARD in self._waiting.values() else LOOK)
            if self._waiting and await asyncio.to_thread(stamp_specs, self._waiting) != self._waiting:
                async with self._edits:
                    self._planner.forget()
                    self._take(*await self._merge(self._applied.values()))

    async def apply(self, texts: Sequence[Origin], *, dry_run: bool) -> Edit:
        """Put documents into the place of those with the same kind, namespace and name."""
        async with self._edits:
            now = self._clock()
            ranked = [Origin(each.source, each.text, (APPLIED_RANK, "", now)) for each in texts]
            readings = [read_text(each) for each in ranked]
            placed = [each for reading in readings for each in reading.documents]
            problems = [str(problem) for reading in readings for problem in reading.problems]
            if not placed and not problems:
                sources = ", ".join(dict.fromkeys(each.source for each in texts)) or "what was given"
                problems.append(f"{sources}: there is no document in it; give at least one")
            problems += [f"{where}: there are two of {name}; leave one out" for name, where in _twice(placed)]
            slicer = Slicer()
            put = [_to_applied(each, now, slicer) for each in placed]
            return await self._edit(put, (), readings, problems, dry_run=dry_run)

    async def delete(self, key: Key, *, dry_run: bool) -> Edit | None:
        """Take an applied document back; None where none of that key was applied."""
        async with self._edits:
            if key not in self._applied:
                return None
            return await self._edit((), (key,), (), [], dry_run=dry_run)

    def is_applied(self, key: Key) -> bool:
        """Whether the document came by the API."""
        return key in self._applied

    async def _edit(
        self,
        put: Sequence[AppliedText],
        remove: Sequence[Key],
        given: Sequence[Reading],
        problems: list[str],
        *,
        dry_run: bool,
    ) -> Edit:
        """Judge an edit by the texts as they were `given`, so that mistakes have the place in those."""
        gone = {*remove, *(each.key for each in put)}
        stay = {key: each for key, each in self._applied.items() if key not in gone}
        merged, plans, waiting = await self._merge([*stay.values(), *given])
        problems += _new_problems(self.configuration, merged)
        edit = Edit(
            configuration=merged,
            plans=plans,
            problems=tuple(dict.fromkeys(problems)),
            before=to_texts(self.configuration),
            after=to_texts(merged),
        )
        if not edit.problems and not dry_run:
            await self._store.change(put, remove)
            known = merged.good
            self._applied = stay | {each.key: read_text(_to_origin(each), known=known) for each in put}
            self._take(merged, plans, waiting)
        return edit

    async def _merge(self, applied: Iterable[Reading]) -> tuple[Configuration, Plans, Mapping[str, Stamp]]:
        """What is right of all that is written, its plans, and the files of filters that do not load."""
        readings = [*self._files.readings, *applied]
        merged = merge(readings, self.configuration, notes=self._files.problems)
        planning = await self._planner.plan(merged)
        waiting = self._planner.waiting
        if planning.refused:
            readings = [refuse(each, planning.refused) for each in readings]
            merged = merge(readings, self.configuration, notes=self._files.problems)
            planning = await self._planner.plan(merged)
        return merged, planning.plans, waiting

    def _take(self, configuration: Configuration, plans: Plans, waiting: Mapping[str, Stamp]) -> None:
        self._waiting = waiting
        before, self.configuration = self.configuration, configuration
        for problem in configuration.problems:
            if problem not in before.problems:
                log.error("%s", problem)
        for line in tell_held(configuration):
            log.warning("%s", line)
        if self._memory is not None and configuration.documents is not before.documents:
            self._remember(self._memory, configuration)
        self._changed(configuration, plans)

    def _remember(self, memory: Path, configuration: Configuration) -> None:
        """Keep what is in force for the next start; that it can not be kept holds nothing up."""
        try:
            save_last_good(memory, configuration)
        except OSError as error:
            log.error("%s: what is in force can not be kept for the next start: %s", memory, error.strerror)


def to_texts(configuration: Configuration) -> dict[str, str]:
    """The texts in force as people may see them, by what the documents are called."""
    slicer = Slicer()
    return {show_key(key): show_text(placed, slicer) for key, placed in configuration.good.items()}


def to_text(placed: Placed, slicer: Slicer) -> str:
    """A document as it was written, secrets and all: for what keeps it."""
    return slicer.slice(placed.origin.text, placed.path, placed.value)


def show_text(placed: Placed, slicer: Slicer) -> str:
    """A document as people may see it: as it was written, but for what a Secret holds."""
    if isinstance(placed.document, Secret) and isinstance(placed.value, dict):
        return show_document(placed.value)
    return to_text(placed, slicer)


def _to_applied(placed: Placed, now: float, slicer: Slicer) -> AppliedText:
    return AppliedText(key=placed.key, text=to_text(placed, slicer), at=now)


def _to_origin(applied: AppliedText) -> Origin:
    source = f"{APPLIED} {show_key(applied.key)}"
    return Origin(source, applied.text, (APPLIED_RANK, "", applied.at))


def _twice(placed: Sequence[Placed]) -> list[tuple[str, str]]:
    found: dict[Key, list[Placed]] = {}
    for each in placed:
        found.setdefault(each.key, []).append(each)
    return [(show_key(key), ", ".join(show_places(same))) for key, same in found.items() if len(same) > 1]


def _new_problems(before: Configuration, after: Configuration) -> list[str]:
    """What an edit would make wrong; what was wrong already is no reason to refuse it."""
    known = {replace(problem, line=0) for problem in before.problems}
    told: list[Problem] = [each for each in after.problems if replace(each, line=0) not in known]
    return [str(each) for each in told]
