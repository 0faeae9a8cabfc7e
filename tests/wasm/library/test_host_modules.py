"""time, secrets, random and logging with a host that a test makes."""

import base64
import logging as real_logging
import random as real_random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.library import logging, random, secrets, time, uuid
from meshext_wasm.library.raw import EMULATION, store64, word
from tests.wasm.library.comparing import outcome

LINES: list[tuple[int, str]] = []


def clock_time_get(clock: word, precision: object, out: word) -> word:
    store64(out, 1_700_000_000_123_456_789 if clock == 0 else 42)
    return word(0)


def random_get(out: word, size: word) -> word:
    EMULATION.memory[out : out + size] = bytes(range(int(size)))
    return word(0)


def proxy_log(level: word, text: word, size: word) -> word:
    LINES.append((int(level), EMULATION.memory[text : text + size].decode()))
    return word(0)


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    LINES.clear()
    EMULATION.hosts |= {"clock_time_get": clock_time_get, "random_get": random_get, "proxy_log": proxy_log}
    yield
    for name in ("clock_time_get", "random_get", "proxy_log"):
        del EMULATION.hosts[name]


def test_time() -> None:
    assert time.time_ns() == 1_700_000_000_123_456_789
    assert time.time() == 1_700_000_000_123_456_789 / 1e9
    assert (time.monotonic_ns(), time.monotonic()) == (42, 42e-9)


def test_secrets() -> None:
    assert secrets.token_bytes(4) == b"\0\1\2\3"
    assert secrets.token_hex(3) == "000102"
    assert secrets.token_urlsafe() == base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
    assert outcome(secrets.token_bytes, -1) == (ValueError, "negative argument not allowed")
    assert secrets.randbelow(10) == 0
    assert secrets.choice(["a"]) == "a"


def test_random_uuids() -> None:
    made = uuid.uuid4()
    assert str(made) == "00010203-0405-4607-8809-0a0b0c0d0e0f"
    assert (made.version, made.variant) == (4, uuid.RFC_4122)


@settings(max_examples=15, deadline=None)
@given(st.integers(-(2**100), 2**100), st.integers(1, 10**12), st.integers(0, 100))
def test_random_is_cpythons(seed: int, bound: int, bits: int) -> None:
    ours, real = random.Random(seed), real_random.Random(seed)
    for _ in range(3):
        assert ours.random() == real.random()
        assert ours.getrandbits(bits) == real.getrandbits(bits)
        assert ours.randrange(bound) == real.randrange(bound)
        assert ours.randint(-5, bound) == real.randint(-5, bound)
        assert ours.uniform(1.5, 9) == real.uniform(1.5, 9)
        assert ours.choice("abcdefg") == real.choice("abcdefg")
        assert ours.choices([1, 2, 3], k=4) == real.choices([1, 2, 3], k=4)
    mine, theirs = list(range(20)), list(range(20))
    ours.shuffle(mine)
    real.shuffle(theirs)
    assert mine == theirs


def test_a_long_run_of_random_numbers() -> None:
    ours, real = random.Random(7), real_random.Random(7)
    assert [ours.random() for _ in range(700)] == [real.random() for _ in range(700)]


@pytest.mark.parametrize("arguments", [(0,), (3, 3), (1, 10, 0)])
def test_empty_ranges(arguments: tuple[int, ...]) -> None:
    assert outcome(random.Random(1).randrange, *arguments) == outcome(
        real_random.Random(1).randrange, *arguments
    )


def test_logging() -> None:
    log = logging.getLogger("policy")
    assert logging.getLogger("policy") is log
    log.warning("%s has %d of %.1f%%", "a", 3, 4.25)
    log.debug("100%")
    log.error("%d", "x")
    log.setLevel(logging.ERROR)
    log.info("not there")
    log.critical({"a": 1})
    logging.info("%(a)s", {"a": 5})
    log.exception("failed", exc_info=ValueError("why"))
    assert LINES == [
        (3, "policy: a has 3 of 4.2%"),
        (1, "policy: 100%"),
        (4, "policy: %d ('x',) (logging: %d format: a real number is required, not str)"),
        (5, "policy: {'a': 1}"),
        (2, "root: 5"),
        (4, "policy: failed\nValueError: why"),
    ]
    for level in (0, 10, 20, 25, 30, 40, 50):
        assert logging.getLevelName(level) == real_logging.getLevelName(level)
