"""What is written, from the folder and from the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from meshext.config.places import Path as Where
from meshext_controlplane.server.configuring import AppliedText, Configuring, Edit, Plans, to_texts
from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.sources.places import Key, Origin
from tests.controlplane.xds.envoys import until

STRICT = """\
# nobody without a certificate
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
"""
PERMISSIVE = STRICT.replace("STRICT", "PERMISSIVE")
OTHER = STRICT.replace("name: default", "name: other")
WRONG = STRICT.replace("STRICT", "LENIENT")
KEY: Key = ("PeerAuthentication", "shop", "default")
NAME = "PeerAuthentication shop/default"


class StoreDown(Exception):
    """The disk is full."""


@dataclass
class Kept:
    """A store in memory; it may be told to fail."""

    texts: dict[Key, AppliedText] = field(default_factory=dict)
    down: bool = False

    async def load(self) -> Sequence[AppliedText]:
        return list(self.texts.values())

    async def change(self, put: Sequence[AppliedText], remove: Sequence[Key]) -> None:
        if self.down:
            raise StoreDown
        for key in remove:
            del self.texts[key]
        self.texts |= {each.key: each for each in put}


@dataclass
class World:
    """A configuring with its folder, its store and what it has served."""

    folder: Path
    kept: Kept = field(default_factory=Kept)
    served: list[Configuration] = field(default_factory=list)
    now: float = 1000.0

    def configuring(self) -> Configuring:
        return Configuring(self.folder, self.kept, clock=lambda: self.now, changed=self.serve)

    def serve(self, configuration: Configuration, _: Plans) -> None:
        self.served.append(configuration)

    async def loaded(self) -> Configuring:
        made = self.configuring()
        await made.load()
        return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def give(made: Configuring, *texts: str, dry_run: bool = False) -> Edit:
    origins = [Origin(f"{number}.yaml", text) for number, text in enumerate(texts)]
    return await made.apply(origins, dry_run=dry_run)


def test_what_is_applied_is_served_and_there_after_a_restart(world: World) -> None:
    async def run() -> None:
        edit = await give(await world.loaded(), STRICT)
        assert edit.problems == ()
        assert edit.after == {NAME: STRICT}
        again = await world.loaded()
        assert to_texts(again.configuration) == edit.after
        assert again.is_applied(KEY)

    asyncio.run(run())


def test_a_dry_run_changes_nothing(world: World) -> None:
    async def run() -> None:
        made = await world.loaded()
        served = len(world.served)
        edit = await give(made, STRICT, dry_run=True)
        assert (list(edit.before), list(edit.after)) == ([], [NAME])
        assert (world.kept.texts, len(world.served)) == ({}, served)

    asyncio.run(run())


def test_one_mistake_and_nothing_is_changed(world: World) -> None:
    async def run() -> None:
        edit = await give(await world.loaded(), OTHER, WRONG)
        assert len(edit.problems) == 1
        assert edit.problems[0].startswith(f"1.yaml:5: {NAME}: spec.mtls.mode: ")
        assert world.kept.texts == {}

    asyncio.run(run())


def test_the_same_object_in_folder_and_api_is_refused(world: World) -> None:
    (world.folder / "mesh.yaml").write_text(STRICT)

    async def run() -> None:
        edit = await give(await world.loaded(), PERMISSIVE)
        assert any("is also in" in problem for problem in edit.problems)
        assert world.kept.texts == {}

    asyncio.run(run())


def test_the_same_object_twice_in_one_call_is_refused(world: World) -> None:
    async def run() -> None:
        edit = await give(await world.loaded(), STRICT, PERMISSIVE)
        assert edit.problems[0] == f"0.yaml:2, 1.yaml:2: there are two of {NAME}; leave one out"

    asyncio.run(run())


def test_what_was_wrong_before_does_not_hold_up_an_edit(world: World) -> None:
    (world.folder / "wrong.yaml").write_text(WRONG)

    async def run() -> None:
        edit = await give(await world.loaded(), OTHER)
        assert edit.problems == ()
        assert [key[2] for key in world.kept.texts] == ["other"]

    asyncio.run(run())


FILTER = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: limits, namespace: shop}
spec: {filter: %s}
"""


def test_a_filter_that_does_not_load_is_refused(world: World) -> None:
    async def run() -> None:
        edit = await give(await world.loaded(), FILTER % "no-such-filter")
        assert len(edit.problems) == 1
        assert edit.problems[0].startswith("0.yaml:4: FilterPolicy shop/limits: spec.filter: the filter does")
        assert world.kept.texts == {}

    asyncio.run(run())


def test_a_filter_that_breaks_keeps_its_last_good_version(world: World) -> None:
    async def run() -> None:
        made = await world.loaded()
        good = FILTER % "telemetry"
        assert (await give(made, good)).problems == ()
        (world.folder / "other.yaml").write_text(FILTER.replace("limits", "guard") % "telemetry")
        changed = asyncio.Event()
        again = Configuring(
            world.folder, world.kept, clock=lambda: world.now, changed=lambda *_: changed.set()
        )
        await again.load()
        changed.clear()
        (world.folder / "other.yaml").write_text(FILTER.replace("limits", "guard") % "gone")
        watching = asyncio.create_task(again.watch())
        async with asyncio.timeout(30):
            await changed.wait()
        watching.cancel()
        assert sorted(key[2] for key in again.configuration.good) == ["guard", "limits"]
        assert again.configuration.held == {("FilterPolicy", "shop", "guard")}

    asyncio.run(run())


def test_what_the_store_does_not_take_is_not_served(world: World) -> None:
    async def run() -> None:
        made = await world.loaded()
        world.kept.down = True
        served = len(world.served)
        with pytest.raises(StoreDown):
            await give(made, STRICT)
        assert (len(world.served), made.is_applied(KEY)) == (served, False)

    asyncio.run(run())


def test_a_document_is_taken_back(world: World) -> None:
    async def run() -> None:
        made = await world.loaded()
        await give(made, STRICT)
        edit = await made.delete(KEY, dry_run=False)
        assert edit is not None
        assert edit.after == {}
        assert world.kept.texts == {}
        assert await made.delete(KEY, dry_run=False) is None

    asyncio.run(run())


def test_a_change_in_the_folder_is_followed(world: World) -> None:
    file = world.folder / "mesh.yaml"
    file.write_text(STRICT)

    async def run() -> None:
        changed = asyncio.Event()
        made = Configuring(
            world.folder, world.kept, clock=lambda: world.now, changed=lambda *_: changed.set()
        )
        await made.load()
        changed.clear()
        watching = asyncio.create_task(made.watch())
        try:
            async with asyncio.timeout(20):
                while not changed.is_set():
                    file.write_text(PERMISSIVE)
                    await asyncio.wait([asyncio.create_task(changed.wait())], timeout=0.5)
        finally:
            watching.cancel()
        assert "PERMISSIVE" in to_texts(made.configuration)[NAME]

    asyncio.run(run())


def test_a_mistake_at_the_start_keeps_what_was_in_force(tmp_path: Path) -> None:
    folder, memory = tmp_path / "mesh", tmp_path / "last_good.json"
    folder.mkdir()
    kept = Kept()

    async def start() -> Configuration:
        made = Configuring(folder, kept, clock=lambda: 1.0, changed=lambda *_: None, memory=memory)
        await made.load()
        return made.configuration

    (folder / "a.yaml").write_text(STRICT)
    asyncio.run(start())
    (folder / "a.yaml").write_text(WRONG)
    again = asyncio.run(start())
    assert list(again.good) == [KEY]
    assert again.held == {KEY}
    assert len(again.problems) == 1
    (folder / "a.yaml").unlink()
    assert list(asyncio.run(start()).good) == [KEY]
    memory.unlink()
    memory.mkdir()
    assert list(asyncio.run(start()).good) == []


def test_an_applied_filter_that_no_longer_loads_stays_in_force(world: World) -> None:
    key: Key = ("FilterPolicy", "shop", "limits")
    world.kept.texts[key] = AppliedText(key=key, text=FILTER % "no-such-filter", at=1.0)

    async def run() -> None:
        made = await world.loaded()
        assert list(made.configuration.good) == [key]  # it has no plan, so that nothing passes it
        assert made.configuration.held == {key}
        assert len(made.configuration.problems) == 1

    asyncio.run(run())


def test_a_text_of_many_documents_is_looked_at_a_few_times(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def lines(origin: Origin, paths: Iterable[Where]) -> dict[Where, int]:
        looked.append(origin.source)
        return look(origin, paths)

    look = Origin.lines
    monkeypatch.setattr(Origin, "lines", lines)
    text = "---\n".join(OTHER.replace("name: other", f"name: other-{number}") for number in range(100))

    async def run() -> None:
        edit = await give(await world.loaded(), text)
        assert (edit.problems, len(edit.after)) == ((), 100)

    asyncio.run(run())
    assert len(looked) <= 3


@pytest.mark.parametrize("texts", [(), ("",), ("# nothing\n",), ("---\n---\n", "")])
def test_an_edit_without_a_document_is_refused(world: World, texts: tuple[str, ...]) -> None:
    async def run() -> None:
        made = await world.loaded()
        edit = await give(made, *texts)
        where = ", ".join(f"{number}.yaml" for number in range(len(texts))) or "what was given"
        assert edit.problems == (f"{where}: there is no document in it; give at least one",)
        assert world.kept.texts == {}

    asyncio.run(run())


@pytest.mark.parametrize("broken", ["limits.py", "helper.py"])
def test_a_filter_that_did_not_load_is_tried_again_when_its_files_change(world: World, broken: str) -> None:
    code = {
        "limits.py": "import helper\nfrom meshext import Filter\n\nclass Limits(Filter):\n"
        "    def on_request(self, request):\n        pass\n",
        "helper.py": "ANYTHING = 1\n",
    }
    for name, text in code.items():
        (world.folder / name).write_text("no code (" if name == broken else text)

    async def run() -> None:
        (world.folder / "filter.yaml").write_text(FILTER % f"{world.folder}/limits.py:Limits")
        made = await world.loaded()
        assert not made.configuration.good
        assert "the filter does not load" in made.configuration.problems[0].text
        retrying = asyncio.create_task(made.retry_filters())
        (world.folder / broken).write_text(code[broken])
        await until(lambda: not made.configuration.problems)
        retrying.cancel()
        assert [key[2] for key in made.configuration.good] == ["limits"]

    asyncio.run(run())
