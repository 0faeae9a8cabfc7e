"""datetime and operator in compiled programs against CPython's: the same source runs in both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wasm.compiled import Program, compiled, outcome_of
from tests.wasm.library.test_datetime import ISO, TEMPLATES, TORN

SOURCE = """
import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import reduce
from operator import attrgetter, itemgetter, methodcaller


def read(text: str) -> str:
    return repr(datetime.fromisoformat(text))


def moved(text: str, seconds: float, minutes: int) -> list[str]:
    there = timezone(timedelta(minutes=minutes))
    moment = datetime.fromtimestamp(seconds, there)
    told = datetime.fromisoformat(text).replace(tzinfo=there)
    later = moment + timedelta(days=1, hours=-2) * 1.5
    words = [str(moment), repr(later - told), str(later > told), str(told.timestamp())]
    same = hash(moment) == hash(moment.astimezone(UTC))
    return [*words, str(moment.isocalendar()), str(moment.weekday()), str(same), repr(there)]


def written(text: str, template: str) -> str:
    return datetime.fromisoformat(text).strftime(template)


def logged(text: str) -> str:
    found = datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
    return f"{found:%A %j} {found.date()!r} {found.timetz()}"


def is_open(text: str) -> bool:
    now = datetime.fromisoformat(text)
    return now.weekday() < 5 and time(9) <= now.time() < time(17, 30) and now.date() != date(2024, 12, 24)


def halves(days: float, parts: int) -> list[object]:
    whole = timedelta(days)
    weeks, rest = divmod(whole, timedelta(7))
    return [str(whole / parts), whole // parts == whole / parts, whole / timedelta(hours=3), weeks, str(rest)]


def borders() -> list[object]:
    return [str(datetime.max), str(date.min), repr(timedelta.max), repr(time.max), str(timedelta.resolution)]


class Route:
    def __init__(self, name: str, weight: int) -> None:
        self.name = name
        self.weight = weight


def routes(names: list[str]) -> list[object]:
    made = [Route(each, number % 3) for number, each in enumerate(names)]
    pairs = list({each: len(each) for each in names}.items())
    return [
        [each.name for each in sorted(made, key=attrgetter("weight", "name"))],
        sorted(pairs, key=itemgetter(1), reverse=True),
        max(pairs, key=operator.itemgetter(1, 0)),
        list(map(methodcaller("center", 5, "-"), names)),
        [operator.contains(names, "a"), operator.not_(names), operator.getitem(names, 0)],
    ]


def sums(numbers: list[int]) -> list[object]:
    signs: dict[str, Callable[[int, int], bool]] = {"<": operator.lt, "==": operator.eq, ">=": operator.ge}
    return [
        reduce(operator.or_, numbers, 0),
        reduce(operator.mul, numbers, 1),
        [name for name, compare in signs.items() if compare(sum(numbers), 3)],
        list(map(operator.neg, numbers)),
        operator.sub(len(numbers), 7),
    ]
"""


@cache
def program() -> Program:
    return compiled(SOURCE)


@cache
def real() -> dict[str, Callable[..., object]]:
    made: dict[str, Callable[..., object]] = {}
    exec(SOURCE, made)  # the program itself, in CPython
    return made


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    program()


def check(name: str, *arguments: object) -> None:
    assert program().outcome(name, *arguments) == outcome_of(real()[name], *arguments)


@given(ISO | TORN)
def test_reading(text: str) -> None:
    check("read", text)


@given(st.datetimes().map(str), st.floats(-1e11, 1e11), st.integers(-1500, 1500))
def test_moments(text: str, seconds: float, minutes: int) -> None:
    check("moved", text, seconds, minutes)
    check("is_open", text)


@given(st.datetimes().map(str), TEMPLATES)
def test_templates(text: str, template: str) -> None:
    check("written", text, template)


@settings(deadline=None)
@given(st.datetimes().map("{:%d/%b/%Y:%H:%M:%S +0130}".format) | st.text("0123456789/:+ Jan", max_size=28))
def test_reading_a_log(text: str) -> None:
    check("logged", text)


@given(st.floats(-1e6, 1e6), st.integers(-9, 9))
def test_stretches(days: float, parts: int) -> None:
    check("halves", days, parts)


def test_borders() -> None:
    check("borders")


@given(st.lists(st.text("abc", max_size=4), min_size=1, max_size=6))
def test_getters(names: list[str]) -> None:
    check("routes", names)


@given(st.lists(st.integers(), max_size=5))
def test_operators(numbers: list[int]) -> None:
    check("sums", numbers)
