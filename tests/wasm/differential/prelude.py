"""What every generated program stands on: classes of each kind, functions that take functions, imports."""

from __future__ import annotations

from typing import Final

PRELUDE: Final = """
import base64
import binascii
import hashlib
import hmac
import html
import ipaddress
import itertools
import json
import math
import re
import string
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum, StrEnum, auto
from functools import cache, partial, reduce
from typing import Callable, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit


class Oops(ValueError):
    def __init__(self, code: int) -> None:
        super().__init__(f"oops {code}")
        self.code = code


class Lost(Exception):
    pass


class Deep(Lost):
    pass


class Box:
    def __init__(self, size: int, name: str = "box") -> None:
        self.size = size
        self.name = name

    def grow(self, by: int) -> int:
        self.size = (self.size + by) % 1000003
        return self.size

    def area(self) -> int:
        return self.size * 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and self.size == other.size

    def __hash__(self) -> int:
        return self.size % 7

    def __repr__(self) -> str:
        return f"Box({self.size}, {self.name!r})"


class Wide(Box):
    def __init__(self, size: int) -> None:
        super().__init__(size, "wide")
        self.extra = 1

    def area(self) -> int:
        if self.size == 13:
            raise Oops(self.size)
        return super().area() + self.extra


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents % 1000003

    def __add__(self, other: "Money") -> "Money":
        return Money(self.cents + other.cents)

    def __mul__(self, by: int) -> "Money":
        return Money(self.cents * by)

    def __lt__(self, other: "Money") -> bool:
        return self.cents < other.cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    def __hash__(self) -> int:
        return hash(self.cents)

    def __bool__(self) -> bool:
        return self.cents != 0

    def __str__(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02d}"

    def __repr__(self) -> str:
        return f"Money({self.cents})"


class Bag:
    def __init__(self, items: list[int]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> int:
        return self.items[index]

    def __contains__(self, item: object) -> bool:
        return item in self.items

    @property
    def total(self) -> int:
        return sum(self.items)

    @classmethod
    def of(cls, first: int, second: int = 2) -> "Bag":
        return Bag([first, second])

    @staticmethod
    def least(items: list[int]) -> int:
        return min(items)

    def __repr__(self) -> str:
        return f"Bag({self.items})"


@dataclass
class Point:
    x: int
    y: int = 4

    def sum(self) -> int:
        return self.x + self.y


@dataclass(frozen=True, order=True)
class Key:
    name: str
    number: int = 0
    tags: tuple[str, ...] = ()


@dataclass
class Square:
    side: int


@dataclass
class Circle:
    radius: float
    label: str = "o"


Shape = Square | Circle


class Color(Enum):
    RED = "r"
    GREEN = "g"
    BLUE = "b"

    def next(self) -> "Color":
        return Color.GREEN if self is Color.RED else Color.BLUE


class Level(Enum):
    LOW = auto()
    HIGH = auto()


class Rank(IntEnum):
    LOW = 1
    MID = 5
    HIGH = 9


class Verb(StrEnum):
    GET = "GET"
    POST = auto()


class Spot(NamedTuple):
    x: int
    tag: str = "t"


class Managed:
    def __init__(self, trace: list[str], swallow: bool) -> None:
        self.trace = trace
        self.swallow = swallow

    def __enter__(self) -> int:
        self.trace.append("in")
        return len(self.trace)

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> bool:
        self.trace.append("out" if error is None else f"out {error!r}")
        return self.swallow


def helper(number: int, text: str) -> int:
    if number < 0:
        raise ValueError(text)
    return number + len(text)


def inc(number: int) -> int:
    return number + 1


def twice(function: Callable[[int], int], number: int) -> int:
    return function(function(number))


def adder(by: int) -> Callable[[int], int]:
    def add(number: int) -> int:
        return number + by

    return add


def named(first: int, *, second: int = 2, third: str = "t") -> str:
    return f"{first}/{second}/{third}"


def total(*numbers: int, scale: int = 1) -> int:
    return sum(numbers) * scale


def labels(first: int = 0, **more: int) -> str:
    return f"{first} {more}"


@cache
def squared(number: int) -> int:
    if number == 13:
        raise Oops(number)
    return number * number


def address(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
        return f"{found!r} {found.is_private} {found in ipaddress.ip_network('10.0.0.0/8')}"
    except ValueError as error:
        return str(error)


def area(shape: Shape) -> float:
    match shape:
        case Square(side=side) if side > 100:
            return -1.0
        case Square(side):
            return float(side * side)
        case Circle(radius=radius, label="o"):
            return radius * 2
        case Circle():
            return 0.5


def kind(value: object) -> str:
    match value:
        case None:
            return "none"
        case True | False:
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str() as text if text:
            return f"str {text[0]!r}"
        case [first, *rest]:
            return f"list {first!r} {len(rest)}"
        case {"k": found}:
            return f"k {found!r}"
        case dict():
            return "dict"
    return "other"


def caught(function: Callable[[int], int], number: int) -> str:
    try:
        return str(function(number))
    except (ValueError, KeyError) as error:
        return f"caught {error!r}"
    finally:
        number += 1


def chained(number: int) -> str:
    try:
        try:
            return str(10 // number)
        except ZeroDivisionError as error:
            raise Deep("deep", number) from error
    except Lost as error:
        return f"{error!r} {error.__cause__!r} {error.args}"
"""
