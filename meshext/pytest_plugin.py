"""The pytest plugin: the fixture `envoy_filter` puts a filter into the real Envoy.

def test_a_stranger_is_refused(envoy_filter: EnvoyFilter) -> None:
    proxy = envoy_filter(ApiKey, config={"keys": {}})
    assert proxy.request(target="/orders").status == 401
    assert "api-key" in proxy.wait_for_log("refused")

Every pytest run loads this module where meshext is installed, so it imports nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from meshext.sandbox.envoy_filter import EnvoyFilter
    from meshext.sandbox.setup import Setup


@pytest.fixture
def envoy_filter() -> Iterator[EnvoyFilter]:
    """`envoy_filter(MyFilter, config={...})` starts Envoy with the filter; everything ends with the test.

    Skips, saying what to install, where there is no Envoy.
    """
    from meshext.envoy.binary import find_envoy
    from meshext.errors import MissingExtraError
    from meshext.sandbox.sandbox import check_extra

    try:
        check_extra()
        find_envoy()
    except MissingExtraError as error:
        pytest.skip(str(error))
    from meshext.sandbox.envoy_filter import EnvoyFilter

    factory = EnvoyFilter(embed)
    try:
        yield factory
    finally:
        factory.stop()


def embed(setup: Setup) -> Setup:
    """The setup with its filters compiled, by a process of their own; what is refused is a MeshextError."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from meshext.cli.embedding import recompile

    with ThreadPoolExecutor(1) as pool:  # the test's own thread may have a loop that runs
        compiling = recompile("wasm", setup.specs, setup.configs, print)
        version = pool.submit(asyncio.run, compiling).result()
    return replace(setup, module=version.module, needs=version.needs)
