"""Header lines as Envoy's map treats them: names in lower case, pseudo-headers first."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_wasm.host.pairs import Pair


class HeaderLines:
    """The lines of one map."""

    def __init__(self, lines: Iterable[Pair] = ()) -> None:
        self.lines: list[Pair] = [(name.lower(), value) for name, value in lines]

    def first(self, name: bytes) -> bytes | None:
        """The first value of that name, which is all that `proxy_get_header_map_value` shows."""
        lower = name.lower()
        return next((value for key, value in self.lines if key == lower), None)

    def joined(self, name: bytes) -> bytes | None:
        """Every value of that name with commas, as the property `request.headers.<name>` shows them."""
        values = [value for key, value in self.lines if key == name.lower()]
        return b",".join(values) if values else None

    def add(self, name: bytes, value: bytes) -> None:
        """One more line; a pseudo-header there is already gets the value appended, as Envoy's inline ones."""
        self.lines.append((name.lower(), value))

    def replace(self, name: bytes, value: bytes) -> None:
        """One line in the place of all."""
        lower = name.lower()
        at = next((i for i, line in enumerate(self.lines) if line[0] == lower), None)
        if at is None:
            self.add(name, value)
            return
        rest = [line for line in self.lines[at:] if line[0] != lower]
        self.lines = [*self.lines[:at], (lower, value), *rest]

    def remove(self, name: bytes) -> None:
        """No line of that name any more."""
        self.lines = [line for line in self.lines if line[0] != name.lower()]

    def size(self) -> int:
        """Bytes of names and values, as Envoy counts them."""
        return sum(len(name) + len(value) for name, value in self.lines)
