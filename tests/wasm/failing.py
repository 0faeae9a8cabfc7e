"""Programs that fail: functions without parameters, each ending in an exception, one module of them all.

FAILING fail as in CPython, by class and text. LIMITS fail by a limit of the compiled world that CPython does
not have, or has elsewhere; what they end with stands beside their name. None of them may trap, hang, or do
harm to what is called after it.
"""

from __future__ import annotations

FAILING = """
import json
from collections import deque
from enum import Enum


class Own(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class Quiet(Exception):
    pass


class Color(Enum):
    RED = "red"


class Node:
    value: int

    def __init__(self, known: bool) -> None:
        if known:
            self.value = 1


class Picky:
    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    def __hash__(self) -> int:
        return 1


class Unordered:
    pass


def numbers() -> list[int]:
    return [1, 2, 3]


def words() -> dict[str, int]:
    return {"a": 1}


def list_index() -> object:
    return numbers()[3]


def list_index_negative() -> object:
    return numbers()[-4]


def list_assign() -> object:
    a = numbers()
    a[7] = 1
    return a


def list_delete() -> object:
    a = numbers()
    del a[3]
    return a


def list_pop_empty() -> object:
    a: list[int] = []
    return a.pop()


def list_pop_far() -> object:
    return numbers().pop(9)


def list_remove() -> object:
    a = numbers()
    a.remove(9)
    return a


def list_find() -> object:
    return numbers().index(9)


def slice_step() -> object:
    step = 0
    return numbers()[::step]


def slice_assign() -> object:
    a = numbers()
    a[::2] = [1]
    return a


def tuple_index() -> object:
    return tuple(numbers())[5]


def text_index() -> object:
    return "abc"[len("abcd")]


def text_find() -> object:
    return "abc".index("x")


def text_split() -> object:
    return "abc".split("")


def text_fill() -> object:
    return "a".center(9, "")


def text_order() -> object:
    values: list[object] = ["a", 1]
    return sorted(values, key=lambda each: each)


def text_encode() -> object:
    return "\\u00e9".encode("ascii")


def text_decode() -> object:
    return b"ab\\xff".decode()


def text_decode_cut() -> object:
    return b"ab\\xe2\\x82".decode("utf-8")


def text_encoding() -> object:
    return "a".encode("none-such")


def character() -> object:
    return chr(0x110000)


def code_point() -> object:
    return ord("ab")


def hex_digits() -> object:
    return bytes.fromhex("0g")


def bytes_index() -> object:
    return b"ab"[2]


def bytes_range() -> object:
    return bytes([1, 256])


def int_text() -> object:
    return int("12x")


def int_text_empty() -> object:
    return int("")


def int_base() -> object:
    return int("9", 8)


def float_text() -> object:
    return float("1.2.3")


def zero_division() -> object:
    return 1 // len("")


def zero_modulo() -> object:
    return 1 % len("")


def zero_float() -> object:
    return 1.5 / len("")


def int_of_nan() -> object:
    return int(float("nan"))


def int_of_infinity() -> object:
    return int(float("inf"))


def shift() -> object:
    return 1 << -len("a")


def to_bytes() -> object:
    return (256).to_bytes(1, "big")


def dict_key() -> object:
    return words()["b"]


def dict_delete() -> object:
    a = words()
    del a["b"]
    return a


def dict_pop() -> object:
    return words().pop("b")


def dict_pop_empty() -> object:
    a: dict[str, int] = {}
    return a.popitem()


def dict_grows() -> object:
    a = words()
    for key in a:
        a[key + "x"] = 1
    return a


def set_remove() -> object:
    a = set(numbers())
    a.remove(9)
    return a


def set_shrinks() -> object:
    a = set(numbers())
    for each in a:
        a.discard(each)
    return a


def deque_empty() -> object:
    a: deque[int] = deque()
    return a.popleft()


def unpack_few() -> object:
    a, b, c, d = numbers()
    return (a, b, c, d)


def unpack_many() -> object:
    a, b = numbers()
    return (a, b)


def unpack_rest() -> object:
    a, b, c, d, *e = numbers()
    return (a, b, c, d, e)


def strict_zip() -> object:
    return list(zip(numbers(), [1], strict=True))


def empty_max() -> object:
    a: list[int] = []
    return max(a)


def range_step() -> object:
    step = 0
    return range(1, 2, step)


def next_empty() -> object:
    a: list[int] = []
    return next(iter(a))


def unbound() -> object:
    if len("a") > 1:
        value = 1
    return value


def unset_field() -> object:
    return Node(False).value


def own_exception() -> object:
    raise Own(7)


def quiet_exception() -> object:
    raise Quiet


def assertion() -> object:
    assert len("a") == 2, "one character"
    return None


def not_implemented() -> object:
    raise NotImplementedError("later")


def raised_from() -> object:
    try:
        return words()["b"]
    except KeyError as error:
        raise ValueError("no such word") from error


def raised_again() -> object:
    try:
        return numbers()[3]
    except IndexError:
        raise


def raised_in_finally() -> object:
    try:
        return numbers()[3]
    finally:
        raise Own(8)


def raised_in_handler() -> object:
    try:
        raise Own(9)
    except Own as error:
        return words()[f"{error.code}"]


def raised_in_comprehension() -> object:
    return [10 // each for each in [2, 1, 0]]


def raised_in_key() -> object:
    return sorted(numbers(), key=lambda each: 10 // (each - 2))


def raised_in_equality() -> object:
    return Picky() in [Picky()]


def raised_in_hash() -> object:
    return {Picky(): 1, Picky(): 2}


def unordered() -> object:
    values: list[object] = [Unordered(), Unordered()]
    return sorted(values, key=lambda each: each)


def enum_value() -> object:
    return Color("blue")


def json_text() -> object:
    return json.loads("{1: 2}")
"""

LIMITS: dict[str, tuple[str, ...]] = {
    "endless": ("Exhausted",),
    "endless_catching": ("Exhausted",),
    "endless_finally": ("Exhausted",),
    "endless_iterator": ("Exhausted", "MemoryError"),
    "recursion": ("RecursionError",),
    "recursion_mutual": ("RecursionError",),
    "recursion_large": ("RecursionError",),
    "memory_list": ("MemoryError", "Exhausted"),
    "memory_text": ("MemoryError", "Exhausted"),
    "memory_repeat": ("MemoryError",),
    "memory_dict": ("MemoryError", "Exhausted"),
    "large_power": ("OverflowError",),
    "large_shift": ("OverflowError",),
    "large_product": ("OverflowError", "Exhausted"),
}
"""What may end each of LIMITED."""

LIMITED = """
from collections.abc import Iterator
from itertools import count


def endless() -> object:
    number = 0
    while True:
        number += 1
    return number


def endless_catching() -> object:
    number = 0
    while True:
        try:
            while True:
                number += 1
        except Exception:
            number = 0
        except BaseException:
            number = 1
    return number


def endless_finally() -> object:
    number = 0
    while True:
        try:
            while True:
                number += 1
        finally:
            number = 0
            continue
    return number


def endless_iterator() -> object:
    return list(count())


def down(depth: int) -> int:
    return down(depth + 1) + 1


def recursion() -> object:
    return down(0)


def ping(depth: int) -> int:
    return pong(depth + 1) + 1


def pong(depth: int) -> int:
    return ping(depth + 1) + 1


def recursion_mutual() -> object:
    return ping(0)


def wide(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> int:
    x = [a, b, c, d, e, f, g, h]
    y = (wide(b, c, d, e, f, g, h, a), a, b, c, d, e, f, g, h)
    return sum(x) + sum(y)


def recursion_large() -> object:
    return wide(1, 2, 3, 4, 5, 6, 7, 8)


def memory_list() -> object:
    kept: list[list[int]] = []
    while True:
        kept.append([0] * 1000)
    return kept


def memory_text() -> object:
    text = "ab"
    while True:
        text += text
    return text


def memory_repeat() -> object:
    return "a" * (1 << 40)


def memory_dict() -> object:
    kept: dict[int, str] = {}
    number = 0
    while True:
        kept[number] = "x" * 100
        number += 1
    return kept


def large_power() -> object:
    return 3 ** (1 << 20)


def large_shift() -> object:
    return 1 << (1 << 20)


def large_product() -> object:
    number = 3
    while True:
        number *= number
    return number
"""
