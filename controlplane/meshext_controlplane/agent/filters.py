"""Python filters beside the sidecar: run as the control plane asks for them, each a service of its own.

A change of a filter starts its successor first, on a socket of its own. When that serves, the name by which
Envoy knows the filter is made to lead there, and only then is the one before told to end, which lets open
exchanges go on: no request is lost between the two. One that came while the workload served is held: the
control plane has Envoy ask it once it has heard that it serves, and readiness does not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from meshext.errors import MeshextError
from meshext.hosts.options import ServiceOptions
from meshext.sandbox.service import ServiceProcess
from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.metrics import Counts

PREFIX = "meshext-filters-"
SOCKETS = "filters"  # in Envoy's folder: leads to where the filters' sockets are
AGE = 1.0  # seconds that Envoy keeps a connection: so long the version before is still asked
DRAIN = 6.0  # seconds for what is open when a version ends
_FORGIVEN = 60.0  # seconds that a service has to live for its end to count as the first one
_PARTING = 5.0  # seconds beyond Envoy's drain time until it no longer asks a filter that was taken away

log = logging.getLogger("meshext.sidecar")


@dataclass(frozen=True, slots=True)
class WantedFilter:
    """One filter: its spec, its configuration as JSON ("" for none), its socket's name in Envoy's folder."""

    name: str
    spec: str
    config: str = field(repr=False)
    socket: str


class FilterKeeper:
    """Runs the filters that are wanted. `on_change` is called whenever `ready` may have become another.

    What a sidecar that was killed has left of its sockets is taken away first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        drain_time: float,
        on_change: Callable[[], None],
        counts: Counts | None = None,
    ) -> None:
        clean_sockets(folder)
        self._folder = folder
        self._parting = drain_time + _PARTING
        self._sockets: _Sockets | None = None  # made for the first filter
        self._on_change = on_change
        self._counts = counts or Counts()
        self._runners: dict[str, _Runner] = {}
        self._leaving: dict[asyncio.Task[None], tuple[str, _Runner]] = {}
        self._stopped = False
        self.held: frozenset[str] = frozenset()
        """The filters that Envoy does not ask yet."""

    @property
    def ready(self) -> bool:
        """Whether each filter serves that Envoy asks."""
        return all(serves for name, serves in self.serving.items() if name not in self.held)

    @property
    def serving(self) -> dict[str, bool]:
        """Each filter that is wanted, and whether it serves: one that is held as it is wanted now."""
        return {
            name: runner.serves and (runner.is_newest or name not in self.held)
            for name, runner in self._runners.items()
        }

    def want(self, filters: Iterable[WantedFilter], *, held: Collection[str] = ()) -> None:
        """Run these, and no others; `held` are names of those that Envoy does not ask yet. Once it was
        stopped nothing is run."""
        if self._stopped:  # the control plane answers what it was told last, also that we leave
            return
        wanted = {each.name: each for each in filters}
        self.held = frozenset(held)
        for name in self._runners.keys() - wanted.keys():
            self._part(name)
        for name, each in wanted.items():
            if name in self._runners or self._is_back(each):
                self._runners[name].change(each)
            else:
                self._sockets = self._sockets or _Sockets(self._folder)
                told = (self._on_change, partial(self._counts.filter_ended, name))
                self._runners[name] = _Runner(each, self._folder, self._sockets, told)
        self._on_change()

    def _part(self, name: str) -> None:
        """Let a filter go once Envoy has forgotten it."""
        leaving = asyncio.create_task(self._runners[name].leave(self._parting))
        self._leaving[leaving] = name, self._runners.pop(name)
        leaving.add_done_callback(lambda done: self._leaving.pop(done, None))

    def _is_back(self, wanted: WantedFilter) -> bool:
        """Whether a filter that was about to go runs on, as the same is wanted again."""
        for leaving, (name, runner) in self._leaving.items():
            if name == wanted.name and runner.wanted == wanted and not runner.ends:
                leaving.cancel()
                self._runners[name] = runner
                return True
        return False

    async def stop(self) -> None:
        """End all of them, for good."""
        self._stopped = True
        runners = [*self._runners.values(), *(runner for _, runner in self._leaving.values())]
        self._runners.clear()
        for leaving in self._leaving:
            leaving.cancel()
        await asyncio.gather(*(runner.stop() for runner in runners))
        if self._sockets is not None:
            self._sockets.remove()
            self._sockets = None


def lead(name: Path, target: Path) -> None:
    """Make `name` lead to `target` from one moment to the next, whatever was there before."""
    name.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = name.with_name(f".{name.name}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    os.replace(part, name)


def clean_sockets(folder: Path) -> None:
    """Remove the folder of sockets that the last sidecar of this folder has not removed itself."""
    link = folder / SOCKETS
    with suppress(OSError):
        left = link.readlink()
        if left.name.startswith(PREFIX):
            shutil.rmtree(left, ignore_errors=True)
        link.unlink()


class _Sockets:
    """Names for sockets, no one of which comes twice: a filter that changes, or that comes back as another
    one within its parting time, has two services.

    A socket's path has 107 bytes at most; Envoy, which runs in its folder, follows links from there. One
    of them leads to where the sockets are, for whoever has to clean up.
    """

    def __init__(self, envoy: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._link = envoy / SOCKETS
        lead(self._link, self._folder)
        self._numbers = count(1)

    def name(self, socket: str) -> Path:
        """A path for the next service behind that name."""
        return self._folder / f"{next(self._numbers)}-{socket}"

    def remove(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._link.unlink(missing_ok=True)


class _Runner:
    """One filter, from the first version to the last."""

    def __init__(
        self,
        wanted: WantedFilter,
        folder: Path,
        sockets: _Sockets,
        told: tuple[Callable[[], None], Callable[[], None]],
    ) -> None:
        self.wanted = wanted
        self._served: WantedFilter | None = None
        self._folder = folder
        self._sockets = sockets
        self._on_change, self._on_end = told
        self._service: ServiceProcess | None = None
        self._changed = asyncio.Event()
        self.ends = False
        """Whether it is about to end for good."""
        self._task = asyncio.create_task(self._run())

    @property
    def serves(self) -> bool:
        """Whether a version of it does."""
        return self._service is not None

    @property
    def is_newest(self) -> bool:
        """Whether the version that serves, or did last, is the one that is wanted."""
        return self._served == self.wanted

    def change(self, wanted: WantedFilter) -> None:
        """Another version, if it is one."""
        if wanted != self.wanted:
            self.wanted = wanted
            self._changed.set()

    async def leave(self, parting: float) -> None:
        """End it once Envoy has had so many seconds to forget it; cancelled before, it goes on."""
        await asyncio.sleep(parting)
        await self.stop()

    async def stop(self) -> None:
        """End it now."""
        self.ends = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        backoff = Backoff(first=0.1, longest=10.0)
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._changed.clear()
                began = loop.time()
                try:
                    await self._replace()
                    await self._stand()
                except (MeshextError, OSError) as error:
                    log.error("the filter %s does not start: %s", self.wanted.name, error)
                if self._changed.is_set():
                    continue
                if loop.time() - began > _FORGIVEN:
                    backoff.reset()
                await self._changed_within(backoff.next())
        finally:
            if self._service is not None:
                await self._service.stop()

    async def _replace(self) -> None:
        """Start the version that is wanted; then let the one before go."""
        wanted, before = self.wanted, self._service
        socket = self._sockets.name(wanted.socket)
        service = await ServiceProcess.start(to_options(wanted, socket), on_line=write_line)
        try:
            lead(self._folder / wanted.socket, socket)
        except OSError:
            await service.stop()
            raise
        log.info("the filter %s serves", wanted.name)
        self._service, self._served = service, wanted
        self._on_change()
        if before is not None:
            await before.stop()

    async def _stand(self) -> None:
        """Until another version is wanted, or this one has ended."""
        service = self._service
        assert service is not None
        ended = asyncio.create_task(service.wait())
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({ended, changed}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                log.error("the filter %s has ended with %d", self.wanted.name, ended.result())
                await service.stop()  # what is left of its output
                self._service = None
                self._on_end()
                self._on_change()
        finally:
            for each in (ended, changed):
                each.cancel()

    async def _changed_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


def to_options(wanted: WantedFilter, socket: Path) -> ServiceOptions:
    """How the service of a filter is started."""
    # Inline text begins as JSON does; other JSON would be taken for a file's name.
    config = wanted.config if wanted.config[:1] in ("{", "[", '"') else ""
    return ServiceOptions(
        specs=(wanted.spec,),
        configs=(config,) if config else (),
        address=f"unix:{os.path.abspath(socket)}",
        drain=DRAIN,
        watch=True,
        connection_age=AGE,
    )


def write_line(line: str) -> None:
    """A line of the service's log, as it is."""
    sys.stderr.write(f"{line}\n")
