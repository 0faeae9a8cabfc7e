"""Clocks that differ by an hour or two: what goes on, what does not, and what is said about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import World, mesh
from meshext.envoy.binary import find_envoy

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

PATTERN = "*/faketime/libfaketimeMT.so.1"


@pytest.fixture(scope="module")
def library() -> Path:
    """What gives a process another clock."""
    found = next(iter(Path("/usr/lib").glob(PATTERN)), None)
    if found is None:
        missing = pytest.fail if os.environ.get("MESHEXT_REQUIRE_ALL") else pytest.skip
        missing("there is no libfaketime: apt-get install faketime")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mesh(tmp_path_factory.mktemp("mesh"), shop("checkout", "storefront")) as made:
        made.add("checkout-1")
        yield made


def clock(library: Path, offset: str, folder: Path) -> Mapping[str, str]:
    """The environment of a sidecar whose clock is wrong. Its Envoy, which hangs under libfaketime, has ours:
    what it does is judged by certificates, and those are made and judged by the sidecar and its peers."""
    wrapper = folder / "envoy"
    wrapper.write_text(f'#!/bin/sh\nunset LD_PRELOAD FAKETIME\nexec {find_envoy()} "$@"\n')
    wrapper.chmod(0o755)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "MESHEXT_ENVOY": str(wrapper),
    }


@pytest.mark.parametrize(("name", "offset", "side"), [("1", "+1h", "ahead of"), ("2", "-1h", "behind")])
def test_an_hour_off_goes_on_and_is_told(
    world: World, library: Path, tmp_path: Path, name: str, offset: str, side: str
) -> None:
    storefront = world.add(f"storefront-{name}", environment=clock(library, offset, tmp_path))
    wait_for("it calls", lambda: storefront.reaches("checkout"))
    wait_for("it is told", lambda: storefront.process.says(f"clock is 3600 s {side} the control plane's"))


def test_two_hours_behind_does_not_join_and_is_told_why(world: World, library: Path, tmp_path: Path) -> None:
    storefront = world.add("storefront-3", environment=clock(library, "-2h", tmp_path))
    wait_for(
        "it says what to do",
        lambda: (
            "the control plane's certificate is valid from" in storefront.process.text
            and "here: set this machine's clock, or the control plane's" in storefront.process.text
        ),
    )
    assert not (storefront.folder / "data" / "svid.json").exists()


def test_a_clock_that_is_set_back_while_the_mesh_runs(library: Path, tmp_path: Path) -> None:
    """The certificate is renewed in time all the same, as soon as that can be."""
    offset = tmp_path / "offset"
    offset.write_text("+0")
    given = {**clock(library, "", tmp_path), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1"}
    del given["FAKETIME"]
    with mesh(tmp_path, shop("checkout", "storefront"), "--svid-life", "60") as world:
        world.add("checkout-1")
        storefront = world.add("storefront-1", environment=given)
        wait_for("it calls", lambda: storefront.reaches("checkout"))
        offset.write_text("-2h")
        wait_for("it says why not", lambda: storefront.process.says("can not renew the certificate"))
        assert "its certificate is not valid yet by this machine's clock" in storefront.process.text
        offset.write_text("+0")
        wait_for("it is renewed", lambda: storefront.process.says("/sa/storefront renewed, valid until"))
        assert storefront.reaches("checkout")
