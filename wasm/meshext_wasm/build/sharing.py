"""Equal values made one before they are pickled.

The types of a library are a few hundred, each in many places, and frozen objects are the dearest to read.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Final

from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Type
from meshext_wasm.typecheck.meanings.symbols import Parameter, RawSymbol, Signature, SpecialSymbol

VALUES: Final = (Type, Loc, Parameter, Signature, RawSymbol, SpecialSymbol, tuple)
"""What never changes and is compared by what it holds, so that one may stand for another."""
PLAIN: Final = (str, bytes, int, float, type(None))


class Sharing:
    """What was met so far."""

    def __init__(self) -> None:
        self.values: dict[tuple[object, ...], Any] = {}
        self.known: dict[int, Any] = {}
        self.met: dict[int, Any] = {}
        self.waiting: list[Any] = []

    def share(self, root: object) -> None:
        """Make equal values one in everything that can be reached."""
        self.one(root)
        while self.waiting:
            self.enter(self.waiting.pop())

    def one(self, value: Any) -> Any:
        """The value that stands for this one; of what changes the thing itself, which is entered later."""
        if isinstance(value, PLAIN):
            return value
        if id(value) in self.known:
            return self.known[id(value)]
        if not isinstance(value, VALUES):
            if id(value) not in self.met:
                self.met[id(value)] = value
                self.waiting.append(value)
            return value
        names = [] if isinstance(value, tuple) else [each.name for each in fields(value)]
        old = list(value) if isinstance(value, tuple) else [getattr(value, name) for name in names]
        parts = [self.one(each) for each in old]
        key = (type(value), *map(key_of, parts))
        if key not in self.values:
            self.values[key] = tuple(parts) if type(value) is tuple else value
            for name, part in zip(names, parts, strict=False):
                object.__setattr__(value, name, part)
        self.met[id(value)] = value  # it must not go, or another would have its identity
        self.known[id(value)] = self.values[key]
        return self.values[key]

    def enter(self, thing: Any) -> None:
        """Put what stands for them in the place of what a thing holds."""
        if isinstance(thing, list):
            thing[:] = map(self.one, thing)
        elif isinstance(thing, dict):
            thing.update({key: self.one(value) for key, value in thing.items()})
        elif is_dataclass(thing):
            for each in fields(thing):
                object.__setattr__(thing, each.name, self.one(getattr(thing, each.name)))


def key_of(part: object) -> object:
    """What tells a part of a value from others: 1, 1.0 and True are three."""
    return (type(part), part) if isinstance(part, PLAIN) else id(part)
