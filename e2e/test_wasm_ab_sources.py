"""Where a compiled `ab-routing` finds a user's key: claims in Envoy's metadata, peer, path, query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.inside import MINUTES, embedded
from e2e.test_ab_sources import (
    Ground,
    start,
    test_a_claim_is_text_or_a_whole_number,
    test_a_key_in_the_query_is_what_it_stands_for,
    test_the_path_is_the_one_that_the_upstream_gets,
    test_the_upstream_is_the_one_of_the_split,
    test_what_proves_nothing_is_no_key,
)

__all__ = [
    "test_a_claim_is_text_or_a_whole_number",
    "test_a_key_in_the_query_is_what_it_stands_for",
    "test_the_path_is_the_one_that_the_upstream_gets",
    "test_the_upstream_is_the_one_of_the_split",
    "test_what_proves_nothing_is_no_key",
]

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    yield from start("wasm", tmp_path_factory.mktemp("ca"), embedded)
