"""A Python value as source text: defaults of configurations, which are known when a module is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import Enum

from meshext.errors import UnsupportedError


class ValueText:
    """Writes values; `name_of` gives the name under which a class can be reached in the text."""

    def __init__(self, name_of: Callable[[type], str]) -> None:
        self._name_of = name_of

    def write(self, value: object, where: str) -> str:
        """The text; UnsupportedError, with the place, for a value that has none."""
        if value is None or (isinstance(value, bool | int | str | bytes) and not isinstance(value, Enum)):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if value == value and abs(value) != float("inf") else f"float({str(value)!r})"
        if isinstance(value, Enum):
            return f"{self._name_of(type(value))}.{value.name}"
        if isinstance(value, list):
            return f"[{self._items(value, where)}]"
        if isinstance(value, tuple):
            return f"({self._items(value, where)},)" if value else "()"
        if isinstance(value, set | frozenset) and not value:
            return f"{type(value).__name__}()"
        if isinstance(value, dict):
            pairs = (f"{self.write(key, where)}: {self.write(item, where)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._instance(value, where)
        raise UnsupportedError(
            f"{where}: Wasm can not carry the default {value!r:.60}; write str, numbers, lists, dicts, Enums "
            "or dataclasses of these"
        )

    def _items(self, values: list[object] | tuple[object, ...], where: str) -> str:
        return ", ".join(self.write(each, where) for each in values)

    def _instance(self, value: object, where: str) -> str:
        assert dataclasses.is_dataclass(value)
        fields = [field for field in dataclasses.fields(value) if field.init]
        given = (f"{field.name}={self.write(getattr(value, field.name), where)}" for field in fields)
        return f"{self._name_of(type(value))}({', '.join(given)})"
