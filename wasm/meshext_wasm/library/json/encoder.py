"""Values to JSON text."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.enums import plain_value
from meshext_wasm.library.json.strings import write_string

Default = Callable[[object], object]


class Encoder:
    """How to write, and the containers that are being written, so that a circle is noticed."""

    only_ascii: bool
    allow_nan: bool
    skip_keys: bool
    sort_keys: bool
    default: Default | None
    indent: str | None
    comma: str
    colon: str
    open: list[object]
    parts: list[str]

    def __init__(self, indent: str | None, comma: str, colon: str) -> None:
        self.only_ascii = True
        self.allow_nan = True
        self.skip_keys = False
        self.sort_keys = False
        self.default = None
        self.indent = indent
        self.comma = comma
        self.colon = colon
        self.open = []
        self.parts = []

    def break_line(self) -> None:
        """The next line, indented by the depth, where lines are wanted."""
        if self.indent is not None:
            self.parts.append("\n" + self.indent * len(self.open))

    def enter(self, value: object) -> None:
        """A container begins."""
        for each in self.open:
            if each is value:
                raise ValueError("Circular reference detected")
        self.open.append(value)

    def number_text(self, value: float) -> str:
        """A float; infinities and NaN by JavaScript's names."""
        if value - value == 0.0:
            return repr(value)
        if not self.allow_nan:
            raise ValueError("Out of range float values are not JSON compliant")
        return "NaN" if value != value else "Infinity" if value > 0.0 else "-Infinity"

    def write(self, value: object) -> None:
        """One value."""
        value = plain_value(value)
        if isinstance(value, str):
            self.parts.append(write_string(value, self.only_ascii))
        elif value is None:
            self.parts.append("null")
        elif isinstance(value, bool):
            self.parts.append("true" if value else "false")
        elif isinstance(value, int):
            self.parts.append(repr(value))
        elif isinstance(value, float):
            self.parts.append(self.number_text(value))
        elif isinstance(value, list):
            self.write_items(value, cast("list[object]", value))
        elif isinstance(value, tuple):
            self.write_items(value, list(cast("tuple[object, ...]", value)))
        elif isinstance(value, dict):
            self.write_dict(cast("dict[object, object]", value))
        elif (default := self.default) is not None:
            self.enter(value)
            self.write(default(value))
            self.open.pop()
        else:
            raise TypeError(f"Object of type {type_name(value)} is not JSON serializable")

    def write_items(self, value: object, items: list[object]) -> None:
        """A list or tuple."""
        if len(items) == 0:
            self.parts.append("[]")
            return
        self.enter(value)
        self.parts.append("[")
        self.break_line()
        for index in range(len(items)):
            if index > 0:
                self.parts.append(self.comma)
                self.break_line()
            self.write(items[index])
        self.open.pop()
        self.break_line()
        self.parts.append("]")

    def write_dict(self, value: dict[object, object]) -> None:
        """A dict."""
        if len(value) == 0:
            self.parts.append("{}")
            return
        self.enter(value)
        self.parts.append("{")
        self.break_line()
        keys = list(value)
        if self.sort_keys:
            keys = cast("list[object]", sorted(cast("list[str]", keys)))
        first = True
        for key in keys:
            name = self.key_text(key)
            if name is None:
                continue
            if not first:
                self.parts.append(self.comma)
                self.break_line()
            first = False
            self.parts.append(write_string(name, self.only_ascii) + self.colon)
            self.write(value[key])
        self.open.pop()
        self.break_line()
        self.parts.append("}")

    def key_text(self, key: object) -> str | None:
        """The name of a key; None for one to leave out."""
        key = plain_value(key)
        if isinstance(key, str):
            return key
        if isinstance(key, bool):
            return "true" if key else "false"
        if key is None:
            return "null"
        if isinstance(key, int):
            return repr(key)
        if isinstance(key, float):
            return self.number_text(key)
        if self.skip_keys:
            return None
        raise TypeError(f"keys must be str, int, float, bool or None, not {type_name(key)}")


def dumps(
    obj: object,
    *,
    skipkeys: bool = False,
    ensure_ascii: bool = True,
    allow_nan: bool = True,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    default: Default | None = None,
    sort_keys: bool = False,
) -> str:
    """The JSON text of a value."""
    unit = " " * indent if isinstance(indent, int) else indent
    comma = ", " if unit is None else ","
    colon = ": "
    if separators is not None:
        comma = separators[0]
        colon = separators[1]
    encoder = Encoder(unit, comma, colon)
    encoder.only_ascii = ensure_ascii
    encoder.allow_nan = allow_nan
    encoder.skip_keys = skipkeys
    encoder.sort_keys = sort_keys
    encoder.default = default
    encoder.write(obj)
    return "".join(encoder.parts)
