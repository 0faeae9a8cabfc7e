"""What a class asks for that can not be carried inside of Envoy, by name and before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from meshext import Filter
from meshext.errors import UnsupportedError
from meshext.needs import Needs


def refuse(cls: type[Filter], needs: Needs) -> None:
    """Raise UnsupportedError for the first thing."""
    for line in find_refusals(cls, needs):
        raise UnsupportedError(line)


def find_refusals(cls: type[Filter], needs: Needs) -> Iterator[str]:
    """A line for each thing."""
    name = needs.name
    if needs.duplex:
        yield f"{name}: Wasm has no full duplex; leave duplex = True out, or use --mode proc"
    reads_itself = getattr(getattr(cls, "Config", None), "from_document", None)
    if reads_itself is not None:
        yield f"{name}: {place_of(reads_itself)}from_document reads a format of its own; use --mode proc"


def place_of(function: object) -> str:
    """`settings.py:40: `, as far as it is known."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}: " if isinstance(code, CodeType) else ""
