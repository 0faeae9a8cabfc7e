"""The library's memory as the glue's tests under CPython need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshext_wasm.library.builtins import memory
from meshext_wasm.library.emulation.memory import Emulation
from meshext_wasm.library.raw import EMULATION


@pytest.fixture(autouse=True)
def kept_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is given back between callbacks: objects of CPython do not tell what they reach."""
    for name in ("begin", "end"):
        monkeypatch.setattr(memory, name, lambda: None)
    yield
    EMULATION.__dict__.update(Emulation().__dict__)
