"""Python's search for cycles, put off while a module is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Many objects are made and few dropped: looking for cycles meanwhile takes a fifth of a build's time and
    finds some megabytes. What is garbage afterwards is found afterwards."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
