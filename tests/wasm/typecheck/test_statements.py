"""Statements and declarations, compiled, against CPython."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.wasm.compiled import compiled, outcome_of

SOURCE = """
from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

LIMIT = 3
NAMES: dict[str, int] = {"a": 1}


class Color(Enum):
    RED = "r"
    GREEN = "g"

    def short(self) -> str:
        return self.value[0] + self.name[0]


class Level(Enum):
    LOW = auto()
    HIGH = auto()


@dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Key:
    name: str
    size: int = 1

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"size is {self.size}")


class Base:
    kind = "base"

    def __init__(self, x: int) -> None:
        self.x = x
        self.seen: list[str] = []

    def name(self) -> str:
        self.seen.append("base")
        return "base"

    @property
    def twice(self) -> int:
        return self.x * 2

    @twice.setter
    def twice(self, value: int) -> None:
        self.x = value // 2

    @staticmethod
    def double(x: int) -> int:
        return 2 * x

    def __len__(self) -> int:
        return self.x


class Sub(Base):
    def __init__(self) -> None:
        super().__init__(3)
        self.y = "s"

    def name(self) -> str:
        return self.y + super().name()


class Problem(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Managed:
    def __init__(self, log: list[str], swallow: bool) -> None:
        self.log = log
        self.swallow = swallow

    def __enter__(self) -> int:
        self.log.append("in")
        return 5

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.log.append("out" if error is None else f"out {error}")
        return self.swallow


def loops(n: int) -> tuple[int, str]:
    total = 0
    for i in range(n):
        if i == 2:
            continue
        if i > 5:
            break
        total += i
    else:
        return total, "all"
    while total > 3:
        total -= 2
    else:
        total *= 10
    return total, "some"


def tries(n: int) -> list[str]:
    log: list[str] = []
    for i in range(n):
        try:
            log.append(f"try {i}")
            if i == 1:
                raise Problem(i, "one")
            if i == 2:
                continue
            if i == 3:
                int("x")
            if i == 4:
                break
        except Problem as problem:
            log.append(f"{problem} {problem.code}")
        except (KeyError, ValueError) as error:
            log.append(str(error))
        else:
            log.append("else")
        finally:
            log.append("finally")
    return log


def chained(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Problem(1, "bad") from error


def again(n: int) -> int:
    try:
        return 10 // n
    except ZeroDivisionError:
        if n == 0:
            raise
        return -1


def final(n: int) -> int:
    try:
        if n > 0:
            return n
    finally:
        n = -n
        if n < -5:
            return 0
    return n


def withs(fail: bool, swallow: bool) -> list[str]:
    log: list[str] = []
    with Managed(log, swallow) as five, Managed(log, False):
        log.append(f"body {five}")
        if fail:
            raise ValueError("oops")
    log.append("after")
    return log


def early(n: int) -> tuple[int, list[str]]:
    log: list[str] = []
    for i in range(n):
        with Managed(log, False):
            if i == 1:
                return i, log
    return -1, log


def unbound(n: int) -> int:
    if n > 1:
        value = n
    return value


def deleted(n: int) -> int:
    value = n
    del value
    if n > 1:
        value = 2
    return value


def closures(n: int) -> tuple[int, list[int]]:
    count = 0

    def add(k: int) -> int:
        nonlocal count
        count += k
        return count

    makers = [add(i) for i in range(n)]
    later = lambda: count  # noqa: E731
    count += 100
    return later(), makers


def unpacked(items: list[int]) -> tuple[int, list[int], int]:
    a, *middle, b = items
    x = y = a
    (x, y), z = (y, x), 3
    return x + y + z, middle, b


def narrowed(value: int | str | list[int] | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, (str, list)) and len(value) > 3:
        return "long"
    if not isinstance(value, int):
        return "short"
    return str(value + 1)


def matched(value: object) -> str:
    match value:
        case 1 | 2:
            return "small"
        case int(n) if n > 100:
            return f"large {n}"
        case str() as text:
            return text.upper()
        case Point(x=x, y=0):
            return f"on the axis {x}"
        case [first, *rest]:
            return f"{first} and {len(rest)}"
        case None:
            return "none"
        case _:
            return "other"


def enums(text: str) -> tuple[str, str, bool, bool]:
    color = Color(text)
    return color.short(), str(color) + repr(color), color is Color.RED, color == Color.GREEN


def levels() -> list[int]:
    return [Level.LOW.value, Level.HIGH.value, len({Level.LOW: 1, Level.HIGH: 2, Color.RED: 3})]


def points(x: int) -> tuple[str, bool, bool, int]:
    p, q = Point(x), Point(1, tags=["a"])
    p.tags.append("z")
    return repr(p) + repr(q), p < q, p == Point(x, 0, ["z"]), len(q.tags)


def keys(size: int) -> tuple[int, str]:
    found = {Key("a", size): 1}
    return found[Key(name="a", size=size)], repr(Key("b"))


def unhashable(x: int) -> int:
    return hash(Point(x))


def objects(x: int) -> list[object]:
    items: list[Base] = [Base(x), Sub()]
    items[0].twice = 9
    names = [each.name() for each in items]
    found = [bool(each) for each in items]
    return [names, found, items[1].twice, items[0].x, Base.double(x), Base.kind, items[1].seen]


def globals_(n: int) -> int:
    global LIMIT_SEEN
    LIMIT_SEEN += n
    NAMES["b"] = n
    return LIMIT_SEEN + LIMIT + sum(NAMES.values())


LIMIT_SEEN = 0


def asserted(n: int) -> int:
    assert n > 0, f"{n} is too small"
    return n


def augmented(n: int) -> tuple[int, list[int], str]:
    items = [1, 2]
    items[0] += n
    items += [n]
    text = "a"
    text *= n
    return items[-1], items, text


def typed() -> float:
    total = 0.0
    for each in (1, 2.5, 3):
        total += each
    return total


class Version:
    def __init__(self, text: str) -> None:
        self.parts = [int(each) for each in text.split(".")]

    def __lt__(self, other: Version) -> bool:
        return self.parts < other.parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(tuple(self.parts))

    def __str__(self) -> str:
        return ".".join(str(each) for each in self.parts)


def versions(texts: list[str]) -> list[str]:
    found = sorted({Version(each) for each in texts})
    return [str(each) for each in found]


class Shape:
    def area(self) -> float:
        raise NotImplementedError

    def told(self) -> str:
        return f"{type(self).__name__} {self.area()}"


class Square(Shape):
    def __init__(self, side: float) -> None:
        self.side = side

    def area(self) -> float:
        return self.side * self.side


class Nothing(Shape):
    pass


def shapes(n: int) -> str:
    items: list[Shape] = [Square(1.5), Square(n)]
    if n > 2:
        items.append(Nothing())
    return ", ".join(each.told() for each in items)


def recursive(n: int) -> int:
    def fib(k: int) -> int:
        return k if k < 2 else fib(k - 1) + fib(k - 2)

    return fib(n)


def context(n: int) -> tuple[str, str, str]:
    try:
        try:
            return "", "", str(1 // n)
        except ZeroDivisionError as error:
            raise KeyError(n) from error
    except KeyError as error:
        return repr(error), repr(error.__cause__), repr(error.__context__)


def unnamed(n: int) -> str:
    for i in range(3):
        try:
            if i == n:
                raise ValueError(i)
        except ValueError as error:
            if i:
                break
    else:
        error = ValueError("none")
    return str(error)


def grown(n: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    rest = []
    for i in range(n):
        found.setdefault("odd" if i % 2 else "even", []).append(i)
        rest.append(i)
    found["rest"] = rest
    return found
"""

CASES: list[tuple[str, tuple[object, ...]]] = [
    *(("loops", (n,)) for n in (0, 3, 5, 9)),
    *(("tries", (n,)) for n in (1, 2, 3, 4, 6)),
    *(("chained", (text,)) for text in ("5", "x")),
    *(("again", (n,)) for n in (0, 3)),
    *(("final", (n,)) for n in (0, 3, 9)),
    *(("withs", (fail, swallow)) for fail in (True, False) for swallow in (True, False)),
    *(("early", (n,)) for n in (1, 3)),
    *(("unbound", (n,)) for n in (1, 2)),
    *(("deleted", (n,)) for n in (1, 2)),
    ("closures", (4,)),
    *(("unpacked", (items,)) for items in ([1, 2], [1, 2, 3, 4], [1])),
    *(("narrowed", (value,)) for value in (None, "ab", "abcd", [1, 2, 3, 4], [], 7)),
    *(("matched", (value,)) for value in (1, 101, 50, "x", [1, 2, 3], [], None, 2.5, b"")),
    *(("enums", (text,)) for text in ("r", "g", "b")),
    ("levels", ()),
    *(("points", (x,)) for x in (0, 1, 2)),
    *(("keys", (size,)) for size in (1, -1)),
    ("unhashable", (1,)),
    ("objects", (4,)),
    ("globals_", (4,)),
    *(("asserted", (n,)) for n in (1, 0)),
    ("augmented", (3,)),
    ("typed", ()),
    ("grown", (5,)),
    *(("unnamed", (n,)) for n in (0, 1, 5)),
    ("versions", (["1.10", "1.9", "1.9", "0.1"],)),
    *(("shapes", (n,)) for n in (2, 3)),
    ("recursive", (12,)),
    *(("context", (n,)) for n in (0, 1)),
]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    import sys
    import types

    module = types.ModuleType("program")
    sys.modules["program"] = module
    exec(SOURCE, module.__dict__)
    del sys.modules["program"]
    return module.__dict__


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=lambda each: str(each)[:40])
def test_as_in_cpython(
    names: dict[str, Callable[..., object]], name: str, arguments: tuple[object, ...]
) -> None:
    assert compiled(SOURCE).outcome(name, *arguments) == outcome_of(names[name], *arguments)
