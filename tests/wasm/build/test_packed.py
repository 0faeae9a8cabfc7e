"""Values that are made when they are asked for."""

from __future__ import annotations

import gc

import pytest

from meshext_wasm.build.collecting import no_collections
from meshext_wasm.build.packed import pack


def test_a_packed_value_is_made_once_when_asked_for() -> None:
    packed = pack({"a": [1], "b": [2]})
    assert (list(packed), len(packed), "b" in packed, "c" in packed) == (["a", "b"], 2, True, False)
    assert packed.made == {}
    assert packed["b"] == [2]
    assert packed["b"] is packed["b"]
    assert list(packed.made) == ["b"]
    with pytest.raises(KeyError):
        packed["c"]


@pytest.mark.parametrize("enabled", [True, False])
def test_collections_are_as_they_were_afterwards(*, enabled: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with no_collections():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
