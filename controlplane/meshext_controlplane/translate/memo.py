"""What has been made, kept with what it was made of: equal inputs give the same object again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Self, TypeVar

from google.protobuf.message import Message

from meshext_controlplane.snapshot import Resource, encode_resource

T = TypeVar("T")
_KEPT = 8
"""Generations that an entry may go unused: a mesh may be replaced before anybody asks about it."""

_VARIANTS = 8
"""How many objects of one key are kept: for clients that see different things, and what was before."""

_Entry = tuple[int, tuple[object, ...], Any]
_Entries = dict[Hashable, list[_Entry]]


class Memo:
    """Objects by a key that says which one, each with the inputs that it was made of.

    Inputs are compared as tuples, so an object that is the same needs no look inside. One memo belongs to one
    set of documents; `succeed` makes the next one's.
    """

    def __init__(self, generation: int = 0) -> None:
        self._generation = generation
        self._old: _Entries = {}
        self._new: _Entries = {}

    def succeed(self) -> Self:
        """The memo of the documents that come next, with what this one knows."""
        following = type(self)(self._generation + 1)
        oldest = self._generation - _KEPT
        kept = {key: entries for key, entries in self._old.items() if entries[0][0] > oldest}
        following._old = {**kept, **self._new}
        return following

    def take(
        self,
        key: Hashable,
        inputs: tuple[object, ...],
        make: Callable[[], T],
        *,
        variants: int = _VARIANTS,
    ) -> T:
        """What `make` has given for that key and equal inputs; a key is always for one type."""
        entries = self._new.get(key)
        if entries is None:
            entries = self._new[key] = []
        entry = _find(entries, inputs)
        if entry is None:
            known = _find(self._old.get(key, ()), inputs)
            entry = (self._generation, inputs, known[2] if known else make())
            entries.insert(0, entry)
            del entries[variants:]
        made: T = entry[2]
        return made

    def encode(
        self, key: Hashable, inputs: tuple[object, ...], name: str, build: Callable[[], Message]
    ) -> Resource:
        """The resource of a message, built and encoded only if there is none of that key and inputs."""
        return self.take(key, inputs, lambda: encode_resource(name, build()))


def _find(entries: Iterable[_Entry], inputs: tuple[object, ...]) -> _Entry | None:
    return next((entry for entry in entries if entry[1] == inputs), None)
