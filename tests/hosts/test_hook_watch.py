"""Time limits on the main thread, with the real timer signal."""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest

from meshext.errors import HookOverdue, HookRaised
from meshext.hosts.hook_watch import HookWatch
from meshext.hosts.pulse import Pulse

pytestmark = pytest.mark.alone

LIMIT = 0.05  # seconds


@pytest.fixture
def pulse() -> Pulse:
    return Pulse.private()


@pytest.fixture
def watch(pulse: Pulse) -> Iterator[HookWatch]:
    watch = HookWatch(pulse)
    watch.start()
    yield watch
    watch.stop()


def loop(_: object) -> None:
    while True:
        pass


def loop_around_exceptions(_: object) -> None:
    while True:
        with suppress(Exception):
            time.sleep(0.001)


def swallow(_: object) -> str:
    try:
        time.sleep(60)
    except BaseException:
        return "swallowed"
    return "slept"


def loop_below_the_collector(_: object) -> None:
    ends = time.monotonic() + 2 * LIMIT

    def callback(_phase: str, _info: dict[str, int]) -> None:
        while time.monotonic() < ends:
            pass

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)
    loop(None)


class Final:
    def __del__(self) -> None:
        ends = time.monotonic() + 2 * LIMIT
        while time.monotonic() < ends:
            pass


def loop_in_a_finalizer(_: object) -> None:
    Final()
    loop(None)


def change(_: object) -> None:
    try:
        time.sleep(60)
    except BaseException:
        raise ValueError("something else") from None


HANGS: list[Callable[[object], object]] = [
    loop,
    loop_around_exceptions,
    loop_below_the_collector,
    loop_in_a_finalizer,
    swallow,
    change,
    lambda _: time.sleep(60),
    lambda _: threading.Event().wait(60),
    lambda _: re.match(r"(a+)+$", "a" * 64 + "b"),
    lambda _: 3**10**9,
]


@pytest.mark.parametrize("hook", HANGS)
def test_hang_is_ended(watch: HookWatch, pulse: Pulse, hook: Callable[[object], object]) -> None:
    with pytest.raises(HookOverdue, match=r"0\.05 s"):
        watch.call(hook, None, LIMIT)
    assert pulse.due() == 0.0
    assert watch.call(lambda given: given, "next", LIMIT) == "next"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_what_a_hook_raises_comes_out(watch: HookWatch, pulse: Pulse, error: BaseException) -> None:
    def hook(_: object) -> None:
        raise error

    async def later(_: object) -> None:
        await asyncio.sleep(0)
        raise error

    async def attempt() -> None:
        with pytest.raises(type(error)):
            await watch.call_async(later, None, LIMIT)

    with pytest.raises(type(error)):
        watch.call(hook, None, LIMIT)
    asyncio.run(attempt())
    assert pulse.due() == 0.0


def run(watch: HookWatch, hook: Callable[[Any], Coroutine[Any, Any, object]]) -> object:
    return asyncio.run(watch.call_async(hook, None, LIMIT))


class TestAsync:
    def test_waiting_costs_others_nothing(self, watch: HookWatch) -> None:
        async def hook(_: object) -> str:
            await asyncio.sleep(0.001)
            return "done"

        async def many() -> list[object]:
            return await asyncio.gather(*(watch.call_async(hook, None, 5.0) for _ in range(50)))

        assert asyncio.run(many()) == ["done"] * 50

    def test_never_ending(self, watch: HookWatch) -> None:
        async def hook(_: object) -> None:
            await asyncio.Event().wait()

        with pytest.raises(HookOverdue):
            run(watch, hook)

    @pytest.mark.parametrize("block", HANGS)
    def test_blocking_the_loop(
        self, watch: HookWatch, pulse: Pulse, block: Callable[[object], object]
    ) -> None:
        async def hook(_: object) -> object:
            await asyncio.sleep(0)
            return block(None)

        with pytest.raises(HookOverdue):
            run(watch, hook)
        assert pulse.due() == 0.0

    def test_one_that_goes_on_is_left_behind(self, watch: HookWatch) -> None:
        async def main() -> int:
            steps, enough = [0], asyncio.Event()

            async def stubborn(_: object) -> None:
                while not enough.is_set():
                    try:
                        await asyncio.sleep(0.001)
                    except asyncio.CancelledError:
                        steps[0] += 1
                        enough.set()

            with pytest.raises(HookOverdue):
                await watch.call_async(stubborn, None, LIMIT)
            await asyncio.wait_for(enough.wait(), 10)
            return steps[0]

        assert asyncio.run(main()) == 1

    def test_one_left_behind_that_blocks_is_ended_too(self, watch: HookWatch, pulse: Pulse) -> None:
        async def main() -> None:
            ended = asyncio.Event()

            async def hook(_: object) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    try:
                        time.sleep(60)  # noqa: ASYNC251  # what it must not do
                    finally:
                        ended.set()

            with pytest.raises(HookOverdue):
                await watch.call_async(hook, None, LIMIT)
            await asyncio.wait_for(ended.wait(), 10)

        asyncio.run(main())
        assert pulse.due() == 0.0

    def test_cancelling_itself_is_its_own_failure(self, watch: HookWatch) -> None:
        async def hook(_: object) -> None:
            raise asyncio.CancelledError

        with pytest.raises(HookRaised):
            run(watch, hook)

    def test_end_of_the_exchange_cancels_it(self, watch: HookWatch) -> None:
        async def main() -> bool:
            begun, cancelled = asyncio.Event(), asyncio.Event()

            async def hook(_: object) -> None:
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.set()

            exchange = asyncio.ensure_future(watch.call_async(hook, None, 60))
            await begun.wait()
            exchange.cancel()
            with pytest.raises(asyncio.CancelledError):
                await exchange
            return await asyncio.wait_for(cancelled.wait(), 10)

        assert asyncio.run(main())


def test_pulse_tells_when_the_running_hook_is_due(watch: HookWatch, pulse: Pulse) -> None:
    before = time.monotonic()
    due = watch.call(lambda _: pulse.due(), None, 7.0)
    assert isinstance(due, float)
    assert before + 7.0 <= due <= time.monotonic() + 7.0


def test_timer_goes_back_to_whoever_had_it() -> None:
    fired: list[int] = []
    old = signal.signal(signal.SIGALRM, lambda number, _: fired.append(number))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 300.0)
    try:
        watch = HookWatch()
        watch.start()
        watch.stop()
        remaining, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 200.0 < remaining <= 300.0
        signal.raise_signal(signal.SIGALRM)
        assert fired == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, old)
