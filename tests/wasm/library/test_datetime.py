"""datetime beside CPython's."""

from __future__ import annotations

import datetime as real
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library import datetime as ours
from tests.wasm.library.same import assert_same

MODULES = (ours, real)
WHOLE = st.integers(-3, 70) | st.sampled_from([0, 366, 1900, 2024, 9999, 10000, 999999, 1000000])
YEARS = st.integers(1, 9999) | st.sampled_from([0, 4, 1900, 2000, 2024, 10000])
NUMBERS = st.integers(-(10**7), 10**7) | st.floats(-1e5, 1e5) | st.sampled_from([0.5, 1.5, -2.5, 1e9, 10**15])
ZONED = st.integers(-1439, 1439).map(lambda minutes: real.timezone(real.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=st.none() | ZONED).map(lambda moment: moment.replace(fold=0))
DELTAS = st.timedeltas() | st.timedeltas(real.timedelta(-2), real.timedelta(2))
DATES = (
    "2024-02-29 20240229 2024-W09-4 2024W094 2024-W09 2024W09 2024-060 2024-2-9 0000-01-01 2023-W53".split()
)
CLOCKS = [
    "",
    "T",
    "T12",
    " 12:30",
    "T1230",
    "T12:30:15",
    "T123015.25",
    "T12:30:15,1234567",
    "T24:00",
    "T12:3",
]
ZONES = ["", "Z", "+01:00", "-0530", "+00:00", "+01:02:03.5", "+24:00", "-1", "z"]
ISO = st.tuples(*map(st.sampled_from, (DATES, CLOCKS, ZONES))).map("".join)
TORN = st.tuples(ISO, st.integers(0, 20), st.text("0123456789-:.,+ZTW ", max_size=2)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
)
LETTERS = st.sampled_from([f"%{each}" for each in "aAbBcCdDeFfgGhHIjklmMnpPrRStTuUVwWxXyYzZ%"])
TEMPLATES = st.lists(LETTERS | st.text(" -/\xe9", max_size=2), max_size=5).map("".join)
READ = st.sampled_from(
    "%Y-%m-%d|%d/%b/%Y:%H:%M:%S %z|%I:%M %p|%y%j|%A %d %B %Y|%H:%M:%S.%f|%a, %d %b %Y %T|%|%Q|%Y %Z|%Y(%m)"
    "|%Y-%m-%dT%H:%M:%SZ|%m %d|%H%M%S%z".split("|")
)


@pytest.fixture(scope="module", autouse=True)
def in_utc() -> Iterator[None]:
    """CPython asks where it is."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def check(body: Callable[[ModuleType], object]) -> None:
    """The same of both modules."""
    assert_same(lambda: body(ours), lambda: body(real))


def rebuild(module: ModuleType, value: object) -> Any:
    """One of CPython's values in a module."""
    return eval(repr(value), {"datetime": module})


def methodcaller(name: str, value: object) -> Callable[[ModuleType], object]:
    """What calls a method of a value that is rebuilt."""
    return lambda module: getattr(rebuild(module, value), name)()


def read(module: ModuleType, *, text: str, template: str) -> object:
    """A text read by a template."""
    return module.datetime.strptime(text, template)


@settings(deadline=None)
@given(YEARS, WHOLE, WHOLE)
def test_dates(year: int, month: int, day: int) -> None:
    check(lambda module: module.date(year, month, day))
    check(lambda module: module.date.fromisocalendar(year, month, day))
    check(lambda module: module.date.fromordinal(year * 366 + month))


@settings(deadline=None)
@given(st.dates(), DELTAS, st.dates())
@example(real.date(1, 1, 1), real.timedelta(-1), real.date(9999, 12, 31))
def test_what_is_known_of_a_date(day: real.date, delta: real.timedelta, other: real.date) -> None:
    for name in ("isoformat", "weekday", "isoweekday", "toordinal", "ctime", "isocalendar", "__str__"):
        check(methodcaller(name, day))
    check(lambda module: rebuild(module, day) + rebuild(module, delta))
    check(lambda module: rebuild(module, day) - rebuild(module, delta))
    check(lambda module: rebuild(module, day) - rebuild(module, other))
    check(lambda module: rebuild(module, day).replace(month=other.month, day=other.day))
    check(lambda module: rebuild(module, day) < rebuild(module, other))


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from("days seconds microseconds milliseconds minutes hours weeks".split()), NUMBERS
    )
)
def test_stretches(given: dict[str, float]) -> None:
    check(lambda module: module.timedelta(**given))
    check(lambda module: str(module.timedelta(**given)))


@settings(deadline=None)
@given(DELTAS, DELTAS, st.integers(-9, 9) | st.floats(allow_nan=True, allow_infinity=True))
@example(real.timedelta(microseconds=5), real.timedelta(0), 2)
@example(real.timedelta(microseconds=5), real.timedelta(0), -2.5)
def test_arithmetic_of_stretches(one: real.timedelta, other: real.timedelta, number: float) -> None:
    def body(module: ModuleType, sign: str) -> object:
        names = {"a": rebuild(module, one), "b": rebuild(module, other), "n": number}
        return eval(sign, names)

    for sign in "a+b a-b -a abs(a) a/b a//b a%b divmod(a,b) a<b a>=b a==b bool(a) a*n n*a a/n".split():
        check(partial(body, sign=sign))
    check(lambda module: rebuild(module, one).total_seconds())
    if isinstance(number, int):
        check(lambda module: body(module, "a//n"))


@settings(deadline=None)
@given(MOMENTS, MOMENTS, DELTAS)
def test_moments(one: real.datetime, other: real.datetime, delta: real.timedelta) -> None:
    names = "isoformat weekday isoweekday toordinal ctime isocalendar __str__ utcoffset tzname date time"
    for name in [*names.split(), "timetz", "dst"]:
        check(methodcaller(name, one))
    check(lambda module: rebuild(module, one) + rebuild(module, delta))
    check(lambda module: rebuild(module, one) - rebuild(module, delta))
    check(lambda module: rebuild(module, one) - rebuild(module, other))
    check(lambda module: rebuild(module, one) == rebuild(module, other))
    check(lambda module: rebuild(module, one) <= rebuild(module, other))
    if one.year > 1:  # CPython asks where it is the day before
        check(lambda module: rebuild(module, one).astimezone(rebuild(module, other.tzinfo or real.UTC)))
        check(lambda module: rebuild(module, one).timestamp())
    check(lambda module: rebuild(module, one).replace(tzinfo=rebuild(module, other.tzinfo), hour=other.hour))
    check(lambda module: rebuild(module, one).timetz() < rebuild(module, other).timetz())


def test_equal_moments_have_one_hash() -> None:
    one = ours.datetime(2024, 1, 1, 12, tzinfo=ours.UTC)
    other = ours.datetime(2024, 1, 1, 14, tzinfo=ours.timezone(ours.timedelta(hours=2)))
    assert one == other
    assert hash(one) == hash(other)
    assert one != one.replace(tzinfo=None)


@settings(deadline=None)
@given(WHOLE, WHOLE, WHOLE, WHOLE)
def test_times_of_day(hour: int, minute: int, second: int, microsecond: int) -> None:
    check(lambda module: module.time(hour, minute, second, microsecond))
    check(lambda module: module.datetime(2024, 2, 29, hour, minute, second, microsecond, module.UTC))
    check(lambda module: module.timezone(module.timedelta(hours=hour, minutes=minute), "x"))
    check(lambda module: str(module.timezone(module.timedelta(hours=hour, seconds=second))))


@settings(deadline=None)
@given(st.integers(-(10**11), 10**12) | st.floats(-1e12, 1e12) | st.floats(-10, 2e9) | st.floats(1e19))
@example(1.0000005)
@example(float("nan"))
def test_timestamps(seconds: float) -> None:
    check(lambda module: module.datetime.fromtimestamp(seconds, module.timezone(module.timedelta(hours=-3))))
    check(lambda module: module.datetime.utcfromtimestamp(seconds))


@settings(max_examples=400, deadline=None)
@given(ISO | TORN)
def test_reading_what_iso_8601_writes(text: str) -> None:
    check(lambda module: module.datetime.fromisoformat(text))
    check(lambda module: module.date.fromisoformat(text))
    check(lambda module: module.time.fromisoformat(text.partition("T")[2]))


@settings(deadline=None)
@given(MOMENTS, st.sampled_from("auto hours minutes seconds milliseconds microseconds years".split()))
def test_writing_what_iso_8601_reads(moment: real.datetime, timespec: str) -> None:
    check(lambda module: rebuild(module, moment).isoformat("\xe9", timespec))
    check(lambda module: rebuild(module, moment).timetz().isoformat(timespec))
    check(lambda module: module.datetime.fromisoformat(moment.isoformat()))


@settings(deadline=None)
@given(MOMENTS, TEMPLATES)
def test_templates(moment: real.datetime, template: str) -> None:
    check(lambda module: rebuild(module, moment).strftime(template))
    check(lambda module: rebuild(module, moment).date().strftime(template))
    check(lambda module: f"{rebuild(module, moment).timetz():{template}}")


@settings(max_examples=300, deadline=None)
@given(MOMENTS, READ, READ, st.text("0123456789:/ -ZAM", max_size=9))
def test_reading_by_templates(moment: real.datetime, template: str, other: str, noise: str) -> None:
    try:
        text = moment.replace(year=max(moment.year, 1000)).strftime(template)
    except ValueError:
        text = noise
    for each in (text, noise, text + noise):
        check(partial(read, text=each, template=template))
        check(partial(read, text=each, template=other))


@pytest.mark.parametrize("template", ["%-d", "%s", "%Q"])
def test_letters_that_are_not_written(template: str) -> None:
    with pytest.raises(ValueError, match="is not supported"):
        ours.date(2024, 1, 1).strftime(template)
