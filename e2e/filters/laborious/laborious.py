"""A filter that never comes to an end, each time with other work: the budget has to know what work costs."""

import base64
import hashlib
import hmac
import json
import logging
import math
import random
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice

from meshext import Filter, Request, Respond

log = logging.getLogger("laborious")
WORD = re.compile(r"(a|b|ab)*c")
LONG = "the quick brown fox " * 5000
BYTES = LONG.encode()
NUMBERS = list(range(20000))
WORDS = LONG.split()
TABLE = {str(each): each for each in range(20000)}
HUGE = 3**5000


def step(number: int) -> int:
    return (number * 31 + 7) % 1000003


def long_body() -> int:
    total = 1
    while True:
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)
        total = step(total)


def tests() -> int:
    total = 0
    while True:
        if (total % 3 == 0 and total % 5 == 1) or (total % 7 == 2 and total % 11 == 3) or total % 13 == 4:
            total = total + step(total) % 17 + step(total + 1) % 19 + step(total + 2) % 23
        else:
            total = total + 1 + total % 29 % 31 % 37 % 41


def floats() -> float:
    total = 1.0
    while True:
        total = math.sin(total) + math.exp(-total) + math.sqrt(abs(total)) + total**0.5


def float_text() -> int:
    total = 0.1
    while True:
        total = float(repr(total * 1.0000001)) + float(f"{total:.3f}") / 1e9


def int_text() -> int:
    total = 0
    while True:
        total = int(str(total + 123456789)) % 1000000007


def huge_product() -> int:
    total = 0
    while True:
        total += (HUGE * HUGE) % 7


def huge_quotient() -> int:
    total = 0
    while True:
        total += (HUGE // 1234567890123456789) % 7


def huge_text() -> int:
    total = 0
    while True:
        total += len(str(HUGE))


def huge_sum() -> int:
    total = HUGE
    while True:
        total = (total + HUGE) & HUGE


def dict_get() -> int:
    total = 0
    while True:
        for word in WORDS:
            total += TABLE.get(word, 1)


def dict_set() -> int:
    made: dict[str, int] = {}
    while True:
        for number in range(1000):
            made[f"k{number}"] = number
            if number % 3 == 0:
                del made[f"k{number}"]


def dict_copy() -> int:
    total = 0
    while True:
        total += len(dict(TABLE))


def dict_list() -> int:
    total = 0
    while True:
        total += len(list(TABLE.items()))


def set_work() -> int:
    total = 0
    while True:
        total += len(set(NUMBERS) & set(NUMBERS))


def list_search() -> int:
    total = 0
    while True:
        total += NUMBERS.index(19999)


def list_contains() -> int:
    total = 0
    while True:
        total += -1 in NUMBERS


def list_insert() -> int:
    items = list(NUMBERS)
    while True:
        items.insert(0, 1)
        items.pop()


def list_pop() -> int:
    items = list(NUMBERS)
    while True:
        items.append(items.pop(0))


def list_slice() -> int:
    total = 0
    while True:
        total += len(NUMBERS[10:19990])


def list_reverse() -> int:
    items = list(NUMBERS)
    while True:
        items.reverse()


def list_equal() -> int:
    total = 0
    other = list(NUMBERS)
    while True:
        total += other == NUMBERS


def list_sort() -> int:
    items = [(number * 7919) % 20011 for number in NUMBERS]
    total = 0
    while True:
        total += len(sorted(items))


def list_sort_text() -> int:
    total = 0
    while True:
        total += len(sorted(WORDS))


def list_sort_key() -> int:
    total = 0
    while True:
        total += len(sorted(NUMBERS, key=lambda each: (each * 7919) % 20011))


def comprehension() -> int:
    total = 0
    while True:
        total += sum([each * 2 for each in NUMBERS if each % 3])


def built_ins() -> int:
    total = 0
    while True:
        total += sum(NUMBERS) + min(NUMBERS) + max(NUMBERS) + any(each < 0 for each in NUMBERS)


def pairs() -> int:
    total = 0
    while True:
        for index, (left, right) in enumerate(zip(NUMBERS, WORDS, strict=False)):
            total += index + left + len(right)


def iterators() -> int:
    total = 0
    while True:
        total += sum(islice(chain(NUMBERS, NUMBERS), 30000))


def deque_work() -> int:
    items = deque(NUMBERS)
    while True:
        items.rotate(7)
        items.append(items.popleft())


def text_lower() -> int:
    total = 0
    while True:
        total += len(LONG.upper().lower())


def text_title() -> int:
    total = 0
    while True:
        total += len(LONG.title().casefold())


def text_split() -> int:
    total = 0
    while True:
        total += len(LONG.split())


def text_split_at() -> int:
    total = 0
    while True:
        total += len(LONG.split("o"))


def text_join() -> int:
    total = 0
    while True:
        total += len(",".join(WORDS))


def text_replace() -> int:
    total = 0
    while True:
        total += len(LONG.replace("fox", "dog"))


def text_find() -> int:
    total = 0
    while True:
        total += LONG.find("foxy") + LONG.rfind("foxy") + ("foxy" in LONG)


def text_slice() -> int:
    total = 0
    while True:
        total += len(LONG[1:-1]) + len(LONG[::-1])


def text_iterate() -> int:
    total = 0
    while True:
        for char in LONG:
            total += ord(char)


def text_strip() -> int:
    total = 0
    padded = " " * 50000 + "x" + " " * 50000
    while True:
        total += len(padded.strip())


def text_tests() -> int:
    total = 0
    while True:
        total += LONG.isascii() + LONG.isalpha() + LONG.islower() + LONG.isprintable()


def text_equal() -> int:
    total = 0
    other = LONG[:-1] + " "
    while True:
        total += other == LONG


def text_hash() -> int:
    total = 0
    while True:
        total += ({LONG + str(total % 3): 1}).get(LONG, 0)


def text_format() -> int:
    total = 0
    while True:
        total += len(f"{total:>20}|{total:x}|{total!r:<10}|{'name':^12}|{1.5:.2f}")


def text_percent() -> int:
    total = 0
    while True:
        total += len("%s-%d-%5.1f" % ("name", total, 2.5))  # noqa: UP031 - this is the work


def text_encode() -> int:
    total = 0
    while True:
        total += len(LONG.encode().decode())


def text_wide() -> int:
    wide = "\u20ac" * 20000
    total = 0
    while True:
        total += len((wide + "x").encode().decode().upper())


def bytes_work() -> int:
    total = 0
    while True:
        total += BYTES.count(b"fox") + len(BYTES.split(b" ")) + len(BYTES.replace(b"o", b"00")) + sum(BYTES)


def bytes_hex() -> int:
    total = 0
    while True:
        total += len(bytes.fromhex(BYTES.hex()))


def digest() -> int:
    total = 0
    while True:
        total += hashlib.sha256(BYTES).digest()[0]


def digest_small() -> int:
    total = 0
    while True:
        total += hmac.new(b"key", str(total).encode(), hashlib.sha256).digest()[0]


def digest_others() -> int:
    total = 0
    while True:
        total += (
            hashlib.md5(BYTES).digest()[0]
            + hashlib.sha1(BYTES).digest()[0]
            + hashlib.sha512(BYTES).digest()[0]
        )


def base64_work() -> int:
    total = 0
    while True:
        total += len(base64.b64decode(base64.b64encode(BYTES)))


def json_work() -> int:
    text = json.dumps({"items": [{"id": each, "name": f"n{each}", "ok": True} for each in range(500)]})
    total = 0
    while True:
        total += len(json.dumps(json.loads(text)))


def pattern() -> int:
    total = 0
    while True:
        total += WORD.search("ab" * 5000) is None


def pattern_small() -> int:
    total = 0
    while True:
        total += re.match(r"([a-z]+)-(\d+)", "name-123") is not None


def pattern_replace() -> int:
    total = 0
    while True:
        total += len(re.sub(r"o(.)", r"\1o", LONG))


def raised() -> int:
    total = 0
    while True:
        try:
            if total >= 0:
                raise ValueError(f"number {total}")
        except ValueError as error:
            total += len(str(error))


def raised_deep() -> int:
    total = 0
    while True:
        try:
            descend(50)
        except KeyError:
            total += 1


def descend(depth: int) -> int:
    if depth == 0:
        return {"a": 1}["b"]
    return descend(depth - 1)


@dataclass(frozen=True)
class Point:
    x: int
    y: int
    name: str = "p"


def objects() -> int:
    total = 0
    while True:
        first, second = Point(total, 1), Point(total, 1)
        total += (first == second) + hash(first) % 2 + len(repr(first)) % 3


class Shape:
    def area(self) -> int:
        return 0


class Square(Shape):
    def __init__(self, side: int) -> None:
        self.side = side

    def area(self) -> int:
        return self.side * self.side


def methods() -> int:
    shapes: list[Shape] = [Square(3), Shape(), Square(5)]
    total = 0
    while True:
        for shape in shapes:
            total += shape.area()


def closures() -> int:
    adders: list[Callable[[int], int]] = [lambda each: each + 1, lambda each: each * 2 % 1009, step]
    total = 0
    while True:
        for adder in adders:
            total = adder(total)


def matching() -> int:
    total = 0
    items: list[object] = [1, "a", (1, 2), [3, 4], None, 2.5]
    while True:
        for item in items:
            match item:
                case int(number):
                    total += number
                case str(text):
                    total += len(text)
                case (_, _):
                    total += 2
                case _:
                    total += 1


def logged() -> int:
    total = 0
    while True:
        log.warning("again %d", total)
        total += 1


def unlogged() -> int:
    total = 0
    while True:
        log.debug("again %d", total)
        total += 1


def clock() -> int:
    total = 0
    while True:
        total += int(time.time()) % 2


def chance() -> int:
    total = 0
    generator = random.Random(7)
    while True:
        total += generator.randrange(1000) + (generator.random() < 0.5)


def secret() -> int:
    total = 0
    while True:
        total += len(secrets.token_hex(16))


def headers(request: Request) -> int:
    total = 0
    while True:
        request.headers["x-count"] = str(total % 10)
        total += len(request.headers.get("accept", "")) + len(request.headers.get("x-count", ""))


def headers_more(request: Request) -> int:
    total = 0
    while True:
        request.headers.add("x-more", "value")
        total += 1


def request_parts(request: Request) -> int:
    total = 0
    while True:
        total += (
            len(request.path) + len(request.query.get("page", "")) + len(request.cookies.get("session", ""))
        )


DEEDS: dict[str, Callable[[], object]] = {
    "long-body": long_body,
    "tests": tests,
    "floats": floats,
    "float-text": float_text,
    "int-text": int_text,
    "huge-product": huge_product,
    "huge-quotient": huge_quotient,
    "huge-text": huge_text,
    "huge-sum": huge_sum,
    "dict-get": dict_get,
    "dict-set": dict_set,
    "dict-copy": dict_copy,
    "dict-list": dict_list,
    "set-work": set_work,
    "list-search": list_search,
    "list-contains": list_contains,
    "list-insert": list_insert,
    "list-pop": list_pop,
    "list-slice": list_slice,
    "list-reverse": list_reverse,
    "list-equal": list_equal,
    "list-sort": list_sort,
    "list-sort-text": list_sort_text,
    "list-sort-key": list_sort_key,
    "comprehension": comprehension,
    "built-ins": built_ins,
    "pairs": pairs,
    "iterators": iterators,
    "deque-work": deque_work,
    "text-lower": text_lower,
    "text-title": text_title,
    "text-split": text_split,
    "text-split-at": text_split_at,
    "text-join": text_join,
    "text-replace": text_replace,
    "text-find": text_find,
    "text-slice": text_slice,
    "text-iterate": text_iterate,
    "text-strip": text_strip,
    "text-tests": text_tests,
    "text-equal": text_equal,
    "text-hash": text_hash,
    "text-format": text_format,
    "text-percent": text_percent,
    "text-encode": text_encode,
    "text-wide": text_wide,
    "bytes-work": bytes_work,
    "bytes-hex": bytes_hex,
    "digest": digest,
    "digest-small": digest_small,
    "digest-others": digest_others,
    "base64-work": base64_work,
    "json-work": json_work,
    "pattern": pattern,
    "pattern-small": pattern_small,
    "pattern-replace": pattern_replace,
    "raised": raised,
    "raised-deep": raised_deep,
    "objects": objects,
    "methods": methods,
    "closures": closures,
    "matching": matching,
    "logged": logged,
    "unlogged": unlogged,
    "clock": clock,
    "chance": chance,
    "secret": secret,
}
OF_REQUESTS: dict[str, Callable[[Request], int]] = {
    "headers": headers,
    "headers-more": headers_more,
    "request-parts": request_parts,
}


class Laborious(Filter):
    """Does what the header x-do says."""

    def __init__(self) -> None:
        pass

    def on_request(self, request: Request) -> Respond | None:
        """Do it, for ever."""
        deed = request.headers.get("x-do", "")
        if deed in DEEDS:
            DEEDS[deed]()
        elif deed in OF_REQUESTS:
            OF_REQUESTS[deed](request)
        return None
