"""The query of a request: reads decoded, writes through, untouched pairs keep their bytes."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from meshext.http.legal import decode, encode


class HasTarget(Protocol):
    """Whoever owns the raw target (path and query)."""

    def read_target(self) -> str:
        """The raw target."""

    def write_target(self, target: str) -> None:
        """Replace the raw target."""


class Query(MutableMapping[str, str]):
    """Query parameters, decoded as forms are (`+` is a space; WHATWG URL, urlencoded parsing).

    `query["a"]` is the first `a`; `query["a"] = x` replaces it in place, drops further ones, or appends.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: HasTarget) -> None:
        self._owner = owner

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs():
            if key == name:
                return value
        raise KeyError(name)

    def get_all(self, name: str) -> list[str]:
        """Every value of that name, in order."""
        return [value for key, value in self._pairs() if key == name]

    def __setitem__(self, name: str, value: str) -> None:
        pieces = self._pieces()
        fresh = f"{encode_part(name)}={encode_part(value)}"
        at = next((i for i, piece in enumerate(pieces) if decode_pair(piece)[0] == name), len(pieces))
        rest = [piece for piece in pieces[at:] if decode_pair(piece)[0] != name]
        self._write([*pieces[:at], fresh, *rest])

    def add(self, name: str, value: str) -> None:
        """One more pair at the end."""
        self._write([*self._pieces(), f"{encode_part(name)}={encode_part(value)}"])

    def __delitem__(self, name: str) -> None:
        """Remove every pair of that name; silent where there is none."""
        pieces = self._pieces()
        kept = [piece for piece in pieces if decode_pair(piece)[0] != name]
        if len(kept) != len(pieces):
            self._write(kept)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self._pairs()))

    def __len__(self) -> int:
        return len({key for key, _ in self._pairs()})

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]  # every pair: a view over names would hide repeated ones
        """Name and value of every pair, decoded, in order."""
        return self._pairs()

    def __repr__(self) -> str:
        return f"Query({self._pairs()!r})"

    def _pieces(self) -> list[str]:
        raw = self._owner.read_target().partition("?")[2]
        return raw.split("&") if raw else []

    def _pairs(self) -> list[tuple[str, str]]:
        return [decode_pair(piece) for piece in self._pieces() if piece]

    def _write(self, pieces: list[str]) -> None:
        path = self._owner.read_target().partition("?")[0]
        self._owner.write_target(f"{path}?{'&'.join(pieces)}" if pieces else path)


def decode_pair(piece: str) -> tuple[str, str]:
    """Name and value of one `name=value` piece."""
    name, _, value = piece.partition("=")
    return decode_part(name), decode_part(value)


def decode_part(raw: str) -> str:
    """One decoded name or value; bytes that are not UTF-8 survive as lone surrogates."""
    return decode(unquote_to_bytes(encode(raw.replace("+", " "))))


def encode_part(text: str) -> str:
    """One encoded name or value."""
    return quote(encode(text), safe="")
