"""What a class asks for that can not be carried inside of Envoy, by name and before anything is compiled."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

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
    for hook in sorted(needs.hooks):
        if inspect.iscoroutinefunction(getattr(cls, hook.value)):
            yield f"{name}: {hook.value} is async, which is not compiled yet; write def, or use --mode proc"
    if hasattr(getattr(cls, "Config", None), "from_document"):
        yield f"{name}: a Config with from_document reads its own format; use --mode proc"
