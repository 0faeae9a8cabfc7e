"""A compiled filter can not hurt Envoy: no hang, no trap, no leak, whatever its code does.

One worker, so that a hook which held it up would hold up everything.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.filters.unbounded.unbounded import DEEDS, DEEP, ENDLESS, LARGE, WRONG
from meshext.envoy.wasm_filter import Module
from meshext.testing import Reply
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from tests.conformance.case import Arrived, Got, Send
from tests.conformance.waiting import wait_for
from tests.wasm.failing import FAILING, LIMITED, LIMITS
from tests.wasm.host.envoy import EnvoyWithModule

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

FILTER = Path(__file__).parent / "filters" / "unbounded" / "unbounded.py"
HELD_UP = 3.0  # seconds: a hook has about 0.05, a busy machine may take its time
OVERDUE = "it took more steps than a hook has"
SAID: dict[str, tuple[str, ...]] = {
    # A callback's garbage is collected after it, so an endless one may also come to the end of its memory.
    **dict.fromkeys(ENDLESS, (OVERDUE, "MemoryError")),
    **dict.fromkeys(DEEP, ("RecursionError: maximum recursion depth exceeded",)),
    **dict.fromkeys(LARGE, ("MemoryError", "OverflowError")),
    "loop": (OVERDUE,),
    "loop-in-finally": (OVERDUE,),
    "recurse-catching": (OVERDUE, "RecursionError", "MemoryError"),
    "keep-catching": (OVERDUE,),
    "index": ("IndexError: list index out of range",),
    "key": ("KeyError: 'b'",),
    "divide": ("ZeroDivisionError: integer division or modulo by zero",),
    "number": ("ValueError: invalid literal for int() with base 10: 'a number'",),
    "decode": ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",),
    "attribute": ("AttributeError: 'Half' object has no attribute 'late'",),
    "unpack": ("ValueError: too many values to unpack (expected 2)",),
    "check": ("AssertionError: three is not four",),
    "chain": ("ValueError: outer",),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Envoy with the filter, and what the filter does about a failure."""

    closed: bool
    envoy: EnvoyWithModule

    def send(self, send: Send, reply: Reply = Reply()) -> tuple[Got, Arrived | None]:  # noqa: B008
        """An exchange, which may not take long."""
        begun = time.monotonic()
        result = self.envoy.send(send, reply)
        assert time.monotonic() - begun < HELD_UP
        return result

    def check_next(self) -> None:
        """The filter works as if nothing had been."""
        got, arrived = self.send(Send())
        assert got.status == 200
        assert got.headers.get("x-seen") == "yes"
        assert arrived is not None
        assert arrived.headers.get("x-judged") == "yes"

    def check_ended(self, got: Got, deed: str) -> None:
        """As the failure policy says, with the reason in the log and nowhere else."""
        assert got.status == (500 if self.closed else 200)
        assert b"Error" not in got.body
        self.check_said(SAID[deed])
        assert not [line for line in self.envoy.log if "Function: " in line.message]

    def check_said(self, reasons: Sequence[str]) -> None:
        """One of them stands in the log, if need be a little later."""

        def said() -> bool:
            return any(reason in line for line in self.envoy.lines() for reason in reasons)

        wait_for(said)
        assert said(), (reasons, self.envoy.lines())


@pytest.fixture(scope="module", params=["Closed", "Open"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    built = build_filters([f"{FILTER}:{request.param}"], user_cache())
    module = Module(name=request.param, code=built.code)
    with EnvoyWithModule(module, tmp_path_factory.mktemp("envoy")) as running:
        yield Setting(request.param == "Closed", running)


def doing(deed: str) -> Send:
    return Send(headers=(("x-do", deed), ("x-in", "request")))


@pytest.mark.parametrize("deed", DEEDS)
def test_a_request_hook_that_fails_costs_its_own_exchange_only(stage: Setting, deed: str) -> None:
    stage.envoy.log.clear()
    got, arrived = stage.send(doing(deed))
    stage.check_ended(got, deed)
    if stage.closed:
        assert arrived is None
    else:
        assert arrived is not None
        assert arrived.headers.get("x-judged") is None
    stage.check_next()


@pytest.mark.parametrize("deed", ["loop-catching", "recurse", "keep-items", "square", "chain"])
def test_a_response_hook_that_fails_costs_its_own_exchange_only(stage: Setting, deed: str) -> None:
    stage.envoy.log.clear()
    got, _ = stage.send(Send(), Reply(headers={"x-do": deed}))
    stage.check_ended(got, deed)
    assert got.headers.get("x-seen") is None
    stage.check_next()


@pytest.mark.parametrize("deed", ENDLESS)
def test_others_are_served_while_a_hook_runs_away(stage: Setting, deed: str) -> None:
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(stage.send, doing(deed)) for _ in range(4)]
        other = pool.submit(stage.send, Send())
        assert other.result()[0].status == 200
        assert {each.result()[0].status for each in running} <= {200, 500}
    stage.check_next()


@pytest.mark.parametrize("deed", WRONG)
def test_a_traceback_names_file_and_line(stage: Setting, deed: str) -> None:
    stage.envoy.log.clear()
    stage.send(doing(deed))
    wait_for(lambda: any('File "unbounded.py", line ' in line for line in stage.envoy.lines()))
    assert any("Traceback (most recent call last):" in line for line in stage.envoy.lines())


DISPATCH = '''
from collections.abc import Callable

from meshext import Filter, Request, Respond


class Failing(Filter):
    """Does what the header x-do says."""

    def on_request(self, request: Request) -> Respond | None:
        """Do it."""
        deed = request.headers.get("x-do", "")
        if deed:
            DEEDS[deed]()
        request.headers["x-judged"] = "yes"
        return None


DEEDS: dict[str, Callable[[], object]] = {
'''
DEEDS_OF_CORPUS = [
    node.name
    for text in (FAILING, LIMITED)
    for node in ast.parse(text).body
    if isinstance(node, ast.FunctionDef) and not node.args.args
    # The others are what these call.
    if isinstance(node.returns, ast.Name) and node.returns.id == "object"
]


def reasons(deed: str) -> tuple[str, ...]:
    """What the log may say of a function of the corpus: by CPython, or by what is known of a limit."""
    if deed in LIMITS:
        return tuple("more steps than a hook has" if each == "Exhausted" else each for each in LIMITS[deed])
    names: dict[str, Any] = {"__name__": "filter"}
    exec(FAILING, names)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, the module has to say the same
        names[deed]()
    return (f"{caught.type.__name__}: {caught.value}" if str(caught.value) else caught.type.__name__,)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    file = tmp_path_factory.mktemp("corpus") / "filter.py"
    table = "".join(f'    "{each}": {each},\n' for each in DEEDS_OF_CORPUS)
    file.write_text(f"{FAILING}{LIMITED}{DISPATCH}{table}}}\n")
    built = build_filters([f"{file}:Failing"], user_cache())
    module = Module(name="Failing", code=built.code)
    with EnvoyWithModule(module, tmp_path_factory.mktemp("envoy")) as running:
        yield Setting(True, running)


@pytest.mark.parametrize("deed", DEEDS_OF_CORPUS)
def test_whatever_fails_is_refused_with_pythons_reason(corpus: Setting, deed: str) -> None:
    corpus.envoy.log.clear()
    got, arrived = corpus.send(doing(deed))
    assert got.status == 500
    assert arrived is None
    corpus.check_said(reasons(deed))
    got, arrived = corpus.send(Send())
    assert got.status == 200
    assert arrived is not None
    assert arrived.headers.get("x-judged") == "yes"
