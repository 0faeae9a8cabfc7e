"""A filter without bounds of its own: it does what the header x-do says, in the hook that x-in names."""

from collections.abc import Callable

from meshext import Filter, Request, Respond, Response


def loop() -> int:
    while True:
        pass


def loop_catching() -> int:
    count = 0
    while True:
        try:
            count += 1
            if count % 3 == 0:
                raise ValueError(count)
        except BaseException:
            count += 1
        finally:
            count += 1


def loop_in_finally() -> int:
    try:
        raise ValueError("first")
    finally:
        while True:
            pass


def call_forever(number: int) -> int:
    while True:
        number = number + call_twice(number)


def call_twice(number: int) -> int:
    return number % 7 + len(str(number))


def fork(number: int) -> int:
    if number == 0:
        return 1
    return fork(number - 1) + fork(number - 1)


def recurse(number: int) -> int:
    return recurse(number + 1) + 1


def recurse_wide(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> int:
    i, j, k, m = a + b, c + d, e + f, g + h
    n = recurse_wide(b, c, d, e, f, g, h, a + 1)
    return n + i + j + k + m + a * b + c * d + e * f + g * h


def recurse_catching(number: int) -> int:
    try:
        return recurse_catching(number + 1)
    except RecursionError:
        return recurse_catching(number + 1)


def recurse_by_value(step: Callable[[int], int]) -> int:
    return step(1) + recurse_by_value(step)


def double_text() -> int:
    text = "x"
    while True:
        text = text + text


def repeat_text() -> int:
    return len("x" * (1 << 40))


def keep_items() -> int:
    kept: list[list[int]] = []
    while True:
        kept.append([1, 2, 3, 4, 5, 6, 7, 8, 9, 10] * 100)


def keep_catching() -> int:
    kept: list[str] = []
    while True:
        try:
            kept.append("y" * 100000)
        except MemoryError:
            kept.append("z")


def power() -> int:
    exponent = 10**9
    result: int = 10**exponent
    return result


def square() -> int:
    number = 3
    while True:
        number = number * number


def shift() -> int:
    return 1 << (1 << 40)


def factorial_text() -> int:
    number = 1
    for each in range(1, 1 << 30):
        number *= each
    return len(str(number))


def sort_forever() -> int:
    items = list(range(200000))
    while True:
        items.sort(key=lambda item: (item * 7919) % 200003)


def search_forever() -> int:
    text = "a" * 100000 + "b"
    found = 0
    while True:
        found += text.count("aaaaaaaaab")


def index() -> int:
    return [1, 2, 3][len("abc")]


def key() -> int:
    return {"a": 1}["b"]


def divide() -> int:
    return 1 // len("")


def number() -> int:
    return int("a number")


def decode() -> int:
    return len(b"\xff".decode())


def attribute() -> int:
    return Half(skip=True).late


class Half:
    late: int

    def __init__(self, *, skip: bool) -> None:
        if not skip:
            self.late = 1


def unpack() -> int:
    parts = "a,b,c".split(",")
    first, second = parts
    return len(first + second)


def check() -> int:
    assert len("abc") == 4, "three is not four"
    return 0


class Refused(Exception):
    pass


def chain() -> int:
    try:
        raise Refused("inner")
    except Refused as error:
        raise ValueError("outer") from error


ENDLESS: dict[str, Callable[[], int]] = {
    "loop": loop,
    "loop-catching": loop_catching,
    "loop-in-finally": loop_in_finally,
    "call-forever": lambda: call_forever(1),
    "fork": lambda: fork(1000),
    "sort-forever": sort_forever,
    "search-forever": search_forever,
}
DEEP: dict[str, Callable[[], int]] = {
    "recurse": lambda: recurse(0),
    "recurse-wide": lambda: recurse_wide(1, 2, 3, 4, 5, 6, 7, 8),
    "recurse-catching": lambda: recurse_catching(0),
    "recurse-by-value": lambda: recurse_by_value(call_twice),
}
LARGE: dict[str, Callable[[], int]] = {
    "double-text": double_text,
    "repeat-text": repeat_text,
    "keep-items": keep_items,
    "keep-catching": keep_catching,
    "power": power,
    "square": square,
    "shift": shift,
    "factorial-text": factorial_text,
}
WRONG: dict[str, Callable[[], int]] = {
    "index": index,
    "key": key,
    "divide": divide,
    "number": number,
    "decode": decode,
    "attribute": attribute,
    "unpack": unpack,
    "check": check,
    "chain": chain,
}
DEEDS: dict[str, Callable[[], int]] = {**ENDLESS, **DEEP, **LARGE, **WRONG}


class Closed(Filter):
    """Refuses what it could not judge."""

    def on_request(self, request: Request) -> Respond | None:
        """Do what is asked."""
        self.do(request.headers.get("x-do", "") if request.headers.get("x-in", "") == "request" else "")
        request.headers["x-judged"] = "yes"
        return None

    def on_response(self, response: Response) -> None:
        """Do what is asked."""
        deed = response.headers.get("x-do", "")
        self.do(deed)
        response.headers["x-seen"] = "yes"

    def do(self, deed: str) -> None:
        """One of the deeds."""
        if deed:
            response = DEEDS[deed]()
            assert response < 0


class Open(Closed):
    """Lets pass what it could not judge."""

    failure = "open"
