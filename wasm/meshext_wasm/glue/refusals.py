"""What a class asks for that can not be carried inside of Envoy, by name and before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from meshext import Filter
from meshext.config import build_plain_model, reads_itself
from meshext.errors import SpecError, UnsupportedError
from meshext.filter import class_needs
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
    config_type = getattr(cls, "Config", None)
    if config_type is not None and reads_itself(config_type):
        yield from find_unwritable(config_type, cls)


def find_unwritable(config_type: type, cls: type[Filter]) -> Iterator[str]:
    """A line where what `from_document` has read can not be written down for a module."""
    try:
        build_plain_model(config_type, owner=cls)
    except SpecError as error:
        read = getattr(config_type, "from_document", None)
        place = f"{class_needs(cls).name}: {place_of(read)}from_document"
        yield f"{place} gives what no module can be given: {error}"


def place_of(function: object) -> str:
    """`settings.py:40: `, as far as it is known."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}: " if isinstance(code, CodeType) else ""
