"""JSON text to values, with the errors of CPython's own decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NoReturn, cast, overload

from meshext_wasm.library.builtins.text import piece, point_at
from meshext_wasm.library.json.strings import read_string
from meshext_wasm.library.raw import value_open

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
Pairs = Callable[[list[tuple[str, object]]], object]
Objects = Callable[[dict[str, object]], object]


class JSONDecodeError(ValueError):
    """Text that is no JSON: `msg` says why, `pos` where in `doc`, `lineno` and `colno` count from 1."""

    msg: str
    doc: str
    pos: int
    lineno: int
    colno: int

    def __init__(self, msg: str, doc: str, pos: int) -> None:
        self.msg = msg
        self.doc = doc
        self.pos = pos
        self.lineno = doc.count("\n", 0, pos) + 1
        self.colno = pos - doc.rfind("\n", 0, pos)
        super().__init__(f"{msg}: line {self.lineno} column {self.colno} (char {pos})")


class Scanner:
    """A text, and what is done with its objects."""

    text: str
    length: int
    pairs: Pairs | None
    objects: Objects | None
    at: int

    def __init__(self, text: str, pairs: Pairs | None, objects: Objects | None) -> None:
        self.text = text
        self.length = len(text)
        self.pairs = pairs
        self.objects = objects
        self.at = 0

    def here(self) -> int:
        """The character at hand; -1 at the end."""
        return point_at(self.text, self.at) if self.at < self.length else -1

    def skip_spaces(self) -> int:
        """Go to the next character that is no white space; that character."""
        while True:
            found = self.here()
            if found != 32 and found != 10 and found != 13 and found != 9:
                return found
            self.at += 1

    def fail(self, reason: str, place: int) -> NoReturn:
        """Say that the text is no JSON."""
        raise JSONDecodeError(reason, self.text, place)

    def take_word(self, expected: str) -> bool:
        """Go past a word, if it stands here."""
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def take_string(self) -> str:
        """The string whose quote is at hand."""
        found = read_string(self.text, self.at + 1)
        if found.failure != "":
            self.fail(found.failure, found.end)
        self.at = found.end
        return found.text


@overload
def loads(
    s: str | bytes, *, object_hook: None = ..., object_pairs_hook: None = ...
) -> Annotated[Json, Any]: ...


@overload
def loads(
    s: str | bytes, *, object_hook: Objects | None = ..., object_pairs_hook: Pairs | None = ...
) -> Any: ...


def loads(
    s: str | bytes, *, object_hook: Objects | None = None, object_pairs_hook: Pairs | None = None
) -> object:
    """The value of a JSON text; bytes are UTF-8."""
    text = s if isinstance(s, str) else decode(s)
    if isinstance(s, str) and text.startswith("\ufeff"):
        raise JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
    scanner = Scanner(text, object_pairs_hook, object_hook)
    scanner.skip_spaces()
    result = read_value(scanner)
    scanner.skip_spaces()
    if scanner.at != scanner.length:
        scanner.fail("Extra data", scanner.at)
    return result


def decode(data: bytes) -> str:
    """The text of bytes, a mark at the start left out."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise UnicodeDecodeError("utf-8", data, 0, 1, "UTF-16 and UTF-32 are not supported, send UTF-8")
    return data.decode("utf-8", "surrogatepass")


def read_value(scanner: Scanner) -> Json:
    """The value at hand."""
    found = scanner.here()
    if found == 34:
        return scanner.take_string()
    if found == 123:
        return read_object(scanner)
    if found == 91:
        return read_array(scanner)
    if found == 45 or 48 <= found <= 57:
        if found == 45 and scanner.take_word("-Infinity"):
            return float("-inf")
        return read_number(scanner)
    if scanner.take_word("true"):
        return True
    if scanner.take_word("false"):
        return False
    if scanner.take_word("null"):
        return None
    if scanner.take_word("NaN"):
        return float("nan")
    if not scanner.take_word("Infinity"):
        scanner.fail("Expecting value", scanner.at)
    return float("inf")


def read_array(scanner: Scanner) -> list[object]:
    """The array whose bracket is at hand."""
    result: list[object] = []
    value_open(result)
    scanner.at += 1
    if scanner.skip_spaces() != 93:
        while True:
            result.append(read_value(scanner))
            found = scanner.skip_spaces()
            if found == 93:
                break
            if found != 44:
                scanner.fail("Expecting ',' delimiter", scanner.at)
            scanner.at += 1
            scanner.skip_spaces()
    scanner.at += 1
    return result


def read_object(scanner: Scanner) -> Json:
    """The object whose brace is at hand."""
    pairs: list[tuple[str, object]] = []
    scanner.at += 1
    if scanner.skip_spaces() != 125:
        while True:
            pairs.append(read_pair(scanner))
            found = scanner.skip_spaces()
            if found == 125:
                break
            if found != 44:
                scanner.fail("Expecting ',' delimiter", scanner.at)
            scanner.at += 1
            scanner.skip_spaces()
    scanner.at += 1
    return made_of(scanner, pairs)


def made_of(scanner: Scanner, pairs: list[tuple[str, object]]) -> Json:
    """What becomes of the pairs of an object."""
    if scanner.pairs is not None:
        return cast(Json, scanner.pairs(pairs))
    result: dict[str, object] = {}
    value_open(result)
    for key, value in pairs:
        result[key] = value
    return result if scanner.objects is None else cast(Json, scanner.objects(result))


def read_pair(scanner: Scanner) -> tuple[str, object]:
    """A name and its value."""
    if scanner.here() != 34:
        scanner.fail("Expecting property name enclosed in double quotes", scanner.at)
    key = scanner.take_string()
    if scanner.skip_spaces() != 58:
        scanner.fail("Expecting ':' delimiter", scanner.at)
    scanner.at += 1
    scanner.skip_spaces()
    return key, read_value(scanner)


def read_number(scanner: Scanner) -> int | float:
    """The number at hand; what does not belong to it stays."""
    start = scanner.at
    if scanner.here() == 45:
        scanner.at += 1
    if scanner.here() == 48:
        scanner.at += 1
    elif take_digits(scanner) == 0:
        scanner.at = start
        scanner.fail("Expecting value", start)
    whole = scanner.at
    if scanner.here() == 46:
        scanner.at += 1
        if take_digits(scanner) == 0:
            scanner.at = whole
    end = scanner.at
    if scanner.here() == 69 or scanner.here() == 101:
        scanner.at += 1
        if scanner.here() == 43 or scanner.here() == 45:
            scanner.at += 1
        if take_digits(scanner) == 0:
            scanner.at = end
    shown = piece(scanner.text, start, scanner.at)
    return int(shown) if scanner.at == whole else float(shown)


def take_digits(scanner: Scanner) -> int:
    """Go past digits; how many."""
    start = scanner.at
    while 48 <= scanner.here() <= 57:
        scanner.at += 1
    return scanner.at - start
