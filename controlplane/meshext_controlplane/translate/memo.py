"""What has been encoded, kept with what it was made of: equal inputs give the same resource again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Self

from google.protobuf.message import Message

from meshext_controlplane.snapshot import Resource, encode_resource

_KEPT = 8
"""Generations that an entry may go unused: a mesh may be replaced before anybody asks about it."""


class Memo:
    """Resources by a key that says which one, each with the inputs that it was made of.

    Inputs are compared as tuples, so an object that is the same needs no look inside. One memo belongs to one
    mesh; `succeed` makes the next one's.
    """

    def __init__(self, generation: int = 0) -> None:
        self._generation = generation
        self._old: dict[Hashable, tuple[int, tuple[object, ...], Resource]] = {}
        self._new: dict[Hashable, tuple[int, tuple[object, ...], Resource]] = {}

    def succeed(self) -> Self:
        """The memo of the mesh that comes next, with what this one knows."""
        following = type(self)(self._generation + 1)
        oldest = self._generation - _KEPT
        kept = {key: entry for key, entry in self._old.items() if entry[0] > oldest}
        following._old = {**kept, **self._new}
        return following

    def take(
        self, key: Hashable, inputs: tuple[object, ...], name: str, build: Callable[[], Message]
    ) -> Resource:
        """The resource of that key and inputs, built and encoded only if there is none."""
        entry = self._new.get(key) or self._old.get(key)
        if entry is None or entry[1] != inputs:
            entry = (self._generation, inputs, encode_resource(name, build()))
        elif entry[0] != self._generation:
            entry = (self._generation, *entry[1:])
        self._new[key] = entry
        return entry[2]
