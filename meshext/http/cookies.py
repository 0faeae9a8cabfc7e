"""Cookies of a request (RFC 6265 section 4.2), read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshext.http.headers import Headers


class Cookies(Mapping[str, str]):
    """Cookie name to value as the client sent it, nothing unquoted or decoded; the first of a name wins.

    Space around names and values is no part of them, as most servers have it.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs():
            if key == name:
                return value
        raise KeyError(name)

    def get_all(self, name: str) -> list[str]:
        """Every value of that name, in order: which of them counts is up to whoever reads it behind us."""
        return [value for key, value in self._pairs() if key == name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self._pairs()))

    def __len__(self) -> int:
        return len({key for key, _ in self._pairs()})

    def __repr__(self) -> str:
        return f"Cookies({list(self)!r})"  # names only: values are secrets

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for line in self._headers.get_all("cookie"):
            for piece in line.split(";"):
                name, found, value = piece.partition("=")
                if found:
                    yield name.strip(" \t"), value.strip(" \t")
