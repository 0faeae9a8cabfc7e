"""Cookies of a request (RFC 6265 section 4.2), read only."""

from collections.abc import Iterable, Iterator
from typing import TypeVar, overload

from meshext_wasm.library.meshext.headers import Headers

T = TypeVar("T")


class Cookies(Iterable[str]):
    """Cookie name to value as the client sent it, nothing unquoted or decoded; the first of a name wins."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs():
            if key == name:
                return value
        raise KeyError(name)

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The first cookie of that name, else the default."""
        for key, value in self._pairs():
            if key == name:
                return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Every value of that name, in order."""
        found: list[str] = []
        for key, value in self._pairs():
            if key == name:
                found.append(value)
        return found

    def names(self) -> list[str]:
        """Distinct names, in order."""
        found: list[str] = []
        for key, _ in self._pairs():
            if key not in found:
                found.append(key)
        return found

    def keys(self) -> list[str]:
        """Distinct names, in order."""
        return self.names()

    def items(self) -> list[tuple[str, str]]:
        """Name and first value of each cookie."""
        found: list[tuple[str, str]] = []
        for name in self.names():
            found.append((name, self[name]))
        return found

    def values(self) -> list[str]:
        """The first value of each name, in order."""
        return [self[name] for name in self.names()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        for key, _ in self._pairs():
            if key == name:
                return True
        return False

    def __repr__(self) -> str:
        return f"Cookies({self.names()!r})"  # names only: values are secrets

    def _pairs(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for line in self._headers.get_all("cookie"):
            for piece in line.split(";"):
                name, mark, value = piece.partition("=")
                if mark:
                    found.append((name.strip(" \t"), value.strip(" \t")))
        return found
