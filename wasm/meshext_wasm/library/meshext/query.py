"""The query of a request: reads decoded, writes through, untouched pairs keep their bytes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, cast, overload

from meshext_wasm.library.meshext.legal import decode, encode
from meshext_wasm.library.raw import virtual
from meshext_wasm.library.urllib.parse.quoting import unquote_to_bytes

T = TypeVar("T")

UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~"
DIGITS = "0123456789ABCDEF"


class Query(Iterable[str]):
    """Query parameters, decoded as forms are (`+` is a space; WHATWG URL, urlencoded parsing)."""

    @virtual
    def read(self) -> str:
        """The raw target, of the request that this query is of."""
        raise NotImplementedError

    @virtual
    def write(self, raw: str) -> None:
        """Put another raw target in its place."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> str:
        for key, value in self.items():
            if key == name:
                return value
        raise KeyError(name)

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The first value of that name, else the default."""
        for key, value in self.items():
            if key == name:
                return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Every value of that name, in order."""
        found: list[str] = []
        for key, value in self.items():
            if key == name:
                found.append(value)
        return found

    def __setitem__(self, name: str, value: str) -> None:
        fresh = encode_part(name) + "=" + encode_part(value)
        made: list[str] = []
        placed = False
        for piece in self._pieces():
            if decode_pair(piece)[0] != name:
                made.append(piece)
            elif not placed:
                placed = True
                made.append(fresh)
        if not placed:
            made.append(fresh)
        self._write(made)

    def add(self, name: str, value: str) -> None:
        """One more pair at the end."""
        pieces = self._pieces()
        pieces.append(encode_part(name) + "=" + encode_part(value))
        self._write(pieces)

    def __delitem__(self, name: str) -> None:
        """Remove every pair of that name; silent where there is none."""
        pieces = self._pieces()
        kept: list[str] = []
        for piece in pieces:
            if decode_pair(piece)[0] != name:
                kept.append(piece)
        if len(kept) != len(pieces):
            self._write(kept)

    @overload
    def pop(self, name: str, default: str = ...) -> str: ...
    @overload
    def pop(self, name: str, default: T) -> str | T: ...
    def pop(self, name: str, default: object = "\0") -> object:
        """Remove every pair of that name; its first value, else the default."""
        found = self.get(name)
        if found is not None:
            del self[name]
            return found
        if isinstance(default, str) and default == "\0":
            raise KeyError(name)
        return default

    def setdefault(self, name: str, default: str) -> str:
        """The first value of that name, which becomes the default where there is none."""
        found = self.get(name)
        if found is None:
            self[name] = default
            return default
        return found

    def update(self, given: "Mapping[str, str] | Query | Iterable[tuple[str, str]]", /) -> None:
        """Set each name to its value; of several values of a name to the first."""
        if isinstance(given, Mapping):
            for name, value in cast("Mapping[str, str]", given).items():
                self[name] = value
        elif isinstance(given, Query):
            for name in given.names():
                self[name] = given[name]
        else:
            for name, value in given:
                self[name] = value

    def clear(self) -> None:
        """Remove every pair."""
        kept: list[str] = []
        for piece in self._pieces():
            if not piece:
                kept.append(piece)
        self._write(kept)

    def names(self) -> list[str]:
        """Distinct names, in order."""
        found: list[str] = []
        for key, _ in self.items():
            if key not in found:
                found.append(key)
        return found

    def keys(self) -> list[str]:
        """Distinct names, in order."""
        return self.names()

    def values(self) -> list[str]:
        """The first value of each name, in order."""
        return [self[name] for name in self.names()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        for key, _ in self.items():
            if key == name:
                return True
        return False

    def items(self) -> list[tuple[str, str]]:
        """Name and value of every pair, decoded, in order."""
        found: list[tuple[str, str]] = []
        for piece in self._pieces():
            if piece:
                found.append(decode_pair(piece))
        return found

    def __repr__(self) -> str:
        return f"Query({self.items()!r})"

    def _pieces(self) -> list[str]:
        raw = self.read().partition("?")[2]
        if raw:
            return raw.split("&")
        return []

    def _write(self, pieces: list[str]) -> None:
        path = self.read().partition("?")[0]
        if len(pieces) > 0:
            path = path + "?" + "&".join(pieces)
        self.write(path)


def decode_pair(piece: str) -> tuple[str, str]:
    """Name and value of one `name=value` piece."""
    name, _, value = piece.partition("=")
    return decode_part(name), decode_part(value)


def decode_part(raw: str) -> str:
    """One decoded name or value; bytes that are not UTF-8 survive as lone surrogates."""
    if "%" not in raw and "+" not in raw:
        return raw
    return decode(unquote_to_bytes(encode(raw.replace("+", " "))))


def encode_part(text: str) -> str:
    """One encoded name or value."""
    made: list[str] = []
    for byte in encode(text):
        char = chr(byte)
        if byte < 128 and char in UNRESERVED:
            made.append(char)
        else:
            made.append("%" + DIGITS[byte >> 4] + DIGITS[byte & 15])
    return "".join(made)
