"""What a proxy has as text and blobs, to be kept: what many proxies have in common is written once.

Resources are cut into chunks where a version's own digits say so: a proxy with some of its own shares all
chunks but a few, and one resource that changes makes one chunk new. Bodies, and what is named, are blobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from meshext_controlplane.snapshot import Named, Remembered, Resource, Snapshot

_CUT = 8  # of 256: about 32 names to a chunk
_LONGEST = 256  # names

Chunk = list[Resource]


class Recorder:
    """Encodes; knows what it has encoded, so that the same is not made again. `to_hash` names blobs."""

    def __init__(self, to_hash: Callable[[bytes], str]) -> None:
        self._to_hash = to_hash
        self._chunks: dict[tuple[str, ...], str] = {}
        self._known: set[str] = set()

    def encode(self, inventory: Snapshot, blobs: dict[str, bytes]) -> str:
        """The text; what is new goes into `blobs`."""
        return json.dumps(
            {
                type_url: [self._encode_chunk(type_url, chunk, blobs) for chunk in _cut(named.values())]
                for type_url, named in inventory.types.items()
            }
        )

    def keep(self, living: Iterable[str]) -> None:
        """Only these blobs are there any more."""
        self._known.intersection_update(living)
        self._chunks = {key: each for key, each in self._chunks.items() if each in self._known}

    def _encode_chunk(self, type_url: str, chunk: Chunk, blobs: dict[str, bytes]) -> str:
        key = (type_url, *(each.version for each in chunk))
        if (known := self._chunks.get(key)) is None:
            rows = [[each.name, each.version, *self._encode_content(each, blobs)] for each in chunk]
            known = self._chunks[key] = self._put(_to_bytes(rows), blobs)
        return known

    def _encode_content(self, resource: Resource, blobs: dict[str, bytes]) -> tuple[str, str]:
        if isinstance(resource, Remembered):
            return "names", self._put(_to_bytes(sorted(resource.references)), blobs)
        return "body", self._put(resource.body, blobs)

    def _put(self, content: bytes, blobs: dict[str, bytes]) -> str:
        name = self._to_hash(content)
        if name not in self._known:
            self._known.add(name)
            blobs[name] = content
        return name


class Reader:
    """Decodes what a recorder has encoded."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs
        self._chunks: dict[tuple[str, str], dict[str, Resource]] = {}
        self._needs: dict[str, frozenset[str]] = {}

    def decode(self, text: str) -> Snapshot:
        """What the proxy had; ValueError where something is missing or is not what a recorder writes."""
        types: dict[str, Named] = {}
        with _as_value_error():
            for type_url, chunks in json.loads(text).items():
                named: dict[str, Resource] = {}
                for each in chunks:
                    named.update(self._chunk(type_url, each))
                types[type_url] = MappingProxyType(named)
        return Snapshot(MappingProxyType(types))

    def find_blobs(self, text: str) -> set[str]:
        """The names of all blobs that this text needs; ValueError."""
        with _as_value_error():
            chunks = {chunk for each in json.loads(text).values() for chunk in each}
            for chunk in chunks - self._needs.keys():
                self._needs[chunk] = frozenset(row[3] for row in json.loads(self._blobs[chunk]))
            return chunks.union(*(self._needs[chunk] for chunk in chunks))

    def _chunk(self, type_url: str, name: str) -> dict[str, Resource]:
        if (known := self._chunks.get((type_url, name))) is None:
            rows = json.loads(self._blobs[name])
            known = {row[0]: self._resource(type_url, *row) for row in rows}
            self._chunks[type_url, name] = known
        return known

    def _resource(self, type_url: str, name: str, version: str, kind: str, blob: str) -> Resource:
        content = self._blobs[blob]
        if kind == "body":
            return Resource(type_url, name, version, content)
        named = frozenset((url, each) for url, each in json.loads(content))
        return Remembered(type_url, name, version, b"", named)


def _cut(resources: Iterable[Resource]) -> Iterator[Chunk]:
    chunk: Chunk = []
    for each in resources:
        chunk.append(each)
        if each.version[:2] < f"{_CUT:02x}" or len(chunk) == _LONGEST:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _to_bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@contextmanager
def _as_value_error() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{error} is not there") from None
    except (AttributeError, IndexError, RecursionError, TypeError) as error:
        raise ValueError(f"it is no record: {error}") from None
