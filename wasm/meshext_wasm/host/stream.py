"""One HTTP stream as Envoy's filter holds it: what of it a module may see and change in which phase.

Envoy forgets a map when the callback for its headers let the message go on at once, and keeps it where that
callback paused, whatever comes later. Of one that is forgotten a value is refused, all pairs are empty and
OK, and writing is refused; at the end it can be read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext_wasm.abi.values import Buffer, HeaderMap
from meshext_wasm.host.header_map import HeaderLines
from meshext_wasm.host.pairs import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResponse:
    """What the module answered in the upstream's place."""

    status: int
    lines: tuple[Pair, ...]
    body: bytes
    details: bytes


@dataclass(slots=True)
class Stream:
    """`maps` are those that can be written now, `readable` those that can be read; `kept` is all of them."""

    context: int
    properties: dict[bytes, bytes] = field(default_factory=dict)
    maps: dict[HeaderMap, HeaderLines] = field(default_factory=dict)
    readable: dict[HeaderMap, HeaderLines] = field(default_factory=dict)
    kept: dict[HeaderMap, HeaderLines] = field(default_factory=dict)
    buffers: dict[Buffer, bytearray] = field(default_factory=dict)
    local: LocalResponse | None = None
    reset: bool = False
    response_begun: bool = False

    def show(self, which: HeaderMap, lines: HeaderLines) -> None:
        """A map has arrived."""
        self.maps[which] = self.readable[which] = self.kept[which] = lines

    def forget(self, which: HeaderMap) -> None:
        """Its message went on."""
        self.maps.pop(which, None)
        self.readable.pop(which, None)

    def look_back(self) -> None:
        """The end: everything can be read once more."""
        self.readable = dict(self.kept)

    def set_properties(self, values: Mapping[str, bytes]) -> None:
        """Properties by their path with points, as documentation writes them."""
        for path, value in values.items():
            self.properties[path.replace(".", "\0").encode()] = value
