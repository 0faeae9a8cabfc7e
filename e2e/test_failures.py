"""A filter that fails in every way there is, behind the real Envoy, in both modes and both policies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pytest

from e2e.filters import misbehaving
from e2e.filters.misbehaving import SECRET
from e2e.stage import Stage, Timed, received, report, staged, wait_for
from meshext.envoy.upstreams import Upstream, parse_upstream
from meshext.needs import FailureMode
from meshext.plan import Mode
from meshext.sandbox.client import Answer

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

MODES: tuple[Mode, ...] = ("authz", "proc")
POLICIES: tuple[FailureMode, ...] = ("closed", "open")
LIMIT = 0.2  # seconds, the default of every filter
ROOM = 1.0  # seconds that a busy machine may add
SERVED_AGAIN = 3.0  # seconds; one is promised where the machine is not busy
OUR_WORDS = ("x-added", "x-written", "x-late", SECRET, "Traceback", "misbehaving")


@dataclass(frozen=True, slots=True)
class Setting:
    """A running setup and what it does about a failure."""

    mode: Mode
    policy: FailureMode
    stage: Stage

    def check(self, got: Timed) -> None:
        """The exchange ended as the policy says, and nothing of the failing hook got out."""
        assert got.answer is not None
        text = f"{got.answer.headers} {got.answer.text}"
        assert [word for word in OUR_WORDS if word in text.replace("x-do", "")] == []
        if self.policy == "closed":
            assert got.status == 500
        else:
            assert got.status == 200
            assert received(got.answer, "x-written") == []

    def check_refusal_names_request(self, answer: Answer) -> None:
        """Ours, not Envoy's: it says where to look."""
        if self.policy == "closed":
            assert answer.text == f"internal error; request id: {answer.header('x-request-id')}\n"

    def served(self) -> bool:
        """Whether the filter runs again."""
        return "x-early" in str(self.stage.send().headers)

    def check_next(self) -> None:
        assert self.served()


class Named(NamedTuple):
    mode: Mode
    policy: FailureMode

    @property
    def specs(self) -> tuple[str, str]:
        first = "Requests" if self.mode == "authz" else "Everywhere"
        return tuple(  # type: ignore[return-value]  # of two
            f"misbehaving.py:{'Open' if self.policy == 'open' else ''}{name}"
            for name in (first, "AsyncRequests")
        )


SETTINGS = [Named(mode, policy) for mode in MODES for policy in POLICIES]
in_proc = pytest.mark.parametrize("setting", SETTINGS[2:], indirect=True, ids="-".join)
in_two = pytest.mark.parametrize("setting", SETTINGS[1:3], indirect=True, ids="-".join)


@pytest.fixture(scope="module", params=SETTINGS, ids="-".join)
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    named: Named = request.param
    with staged(*named.specs, mode=named.mode, log_level="debug") as stage:
        wait_for_spare(stage, 0)
        yield Setting(named.mode, named.policy, stage)
    told = [line for line in stage.lines if " access " in line and SECRET in line]
    assert told == [], "the access log holds metadata of a failed hook"


def wait_for_spare(stage: Stage, after: int) -> None:
    """Until a worker stands ready to take over; `after` is how many lines were there before."""
    ready = wait_for(lambda: any("is loaded and waits" in line for line in stage.lines[after:]))
    assert ready, "no spare worker"


def kind_of(what: str) -> Literal["raised", "overdue", "nonsense"]:
    if what in misbehaving.HANGS or what in misbehaving.ASYNC_HANGS:
        return "overdue"
    plain = what in misbehaving.NONSENSE and not what.startswith(("replaces", "smuggles"))
    return "nonsense" if plain else "raised"


def alone_where_it_hangs(names: Iterable[str]) -> list[Any]:
    """What hangs is answered by us in time, else by Envoy, which names no request: we need a core then."""
    hang = misbehaving.HANGS.keys() | misbehaving.ASYNC_HANGS.keys()
    return [pytest.param(each, marks=[pytest.mark.alone] if each in hang else []) for each in names]


@pytest.mark.parametrize("what", alone_where_it_hangs(misbehaving.ENDS))
def test_failing_hook(setting: Setting, what: str) -> None:
    got = setting.stage.timed(headers=[("x-do", what)])
    setting.check(got)
    assert got.answer is not None
    setting.check_refusal_names_request(got.answer)
    request_id = got.answer.header("x-request-id")
    log = setting.stage.logged(f"misbehaving [{request_id}] on_request failed ({kind_of(what)})")
    assert ("Traceback" in log) == (kind_of(what) != "nonsense" and what != "swallows once")
    assert len([line for line in setting.stage.lines if line.startswith("12:00:00.000")]) == 0
    setting.check_next()


@pytest.mark.parametrize(
    "what",
    alone_where_it_hangs([*misbehaving.ASYNC_RAISES, *misbehaving.ASYNC_HANGS, *misbehaving.ASYNC_NONSENSE]),
)
def test_failing_async_hook(setting: Setting, what: str) -> None:
    got = setting.stage.timed(headers=[("x-do-async", what), ("x-wait", "1")])
    setting.check(got)
    assert got.answer is not None
    setting.check_refusal_names_request(got.answer)
    request_id = got.answer.header("x-request-id")
    kind = kind_of(what) if what != "swallows once" else "overdue"
    setting.stage.logged(f"async-misbehaving [{request_id}] on_request failed ({kind})")
    setting.check_next()


@pytest.mark.parametrize("what", ["Exception", "loop", "str", "CR LF"])
def test_failing_body_hook(setting: Setting, what: str) -> None:
    check_later(setting, "on_request_body", what)


@in_proc
@pytest.mark.parametrize("what", ["Exception", "loop", "str", "CR LF"])
@pytest.mark.parametrize("hook", ["on_response", "on_response_body"])
def test_failing_response_hook(setting: Setting, hook: str, what: str) -> None:
    check_later(setting, hook, what)


def check_later(setting: Setting, hook: str, what: str) -> None:
    """What `on_request` put on the response is there, what the failing hook put there is not."""
    got = setting.stage.timed("POST", body=b"body", headers=[("x-do", what), ("x-in", hook)])
    setting.check(got)
    assert got.answer is not None
    setting.check_refusal_names_request(got.answer)
    assert got.answer.header("x-early") == "kept"
    setting.stage.logged(f"[{got.answer.header('x-request-id')}] {hook} failed ({kind_of(what)})")
    setting.check_next()


@in_proc
@pytest.mark.parametrize("what", ["Exception", "loop", "str"])
def test_failing_in_request_trailers(setting: Setting, what: str) -> None:
    headers = [("x-do", what), ("x-in", "on_request_trailers")]
    got = setting.stage.timed("POST", body=b"body", headers=headers, trailers=[("x-end", "1")])
    setting.check(got)
    setting.check_next()


@in_proc
@pytest.mark.parametrize("what", ["Exception", "loop", "str"])
def test_failing_in_response_trailers(setting: Setting, what: str) -> None:
    """With the body held back for its hook, the response has not begun yet."""
    headers = [("x-do", what), ("x-in", "on_response_trailers")]
    got = setting.stage.timed(target="/trailers?x-end=1", headers=headers)
    assert got.answer is not None
    assert got.status == (500 if setting.policy == "closed" else 200)
    assert got.answer.trailers == ([] if setting.policy == "closed" else [("x-end", "1")])
    setting.check_next()


@contextmanager
def slow_upstream(go_on: threading.Event) -> Iterator[Upstream]:
    """Answers one request: the response begins, and ends with a trailer when it is told to go on."""

    def serve() -> None:
        link, _ = server.accept()
        with link:
            link.recv(65536)
            link.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n")
            go_on.wait(30)
            link.sendall(b"0\r\nx-end: 1\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve)
        yield parse_upstream(f"slow=127.0.0.1:{server.getsockname()[1]}")
        served.result(30)


@pytest.mark.parametrize("policy", POLICIES)
def test_response_that_has_begun_is_cut_off(policy: FailureMode) -> None:
    spec = f"misbehaving.py:{'Open' if policy == 'open' else ''}OnlyTrailers"
    go_on = threading.Event()
    with slow_upstream(go_on) as upstream, staged(spec, mode="proc", upstreams=(upstream,)) as stage:
        with socket.create_connection(("127.0.0.1", stage.port), timeout=30) as link:
            link.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: close\r\n\r\n")
            got = b""
            while b"begun" not in got:
                got += link.recv(65536)
            go_on.set()
            while more := link.recv(65536):
                got += more
        stage.logged("nly-trailers [", "on_response_trailers failed (raised)")
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert got.endswith(b"0\r\nx-end: 1\r\n\r\n") == (policy == "open")


@pytest.mark.parametrize("what", ["Exception", "sleep"])
def test_state_that_fails(setting: Setting, what: str) -> None:
    setting.stage.send(target=f"/next-state?do={what}")
    got = setting.stage.timed()
    setting.check(got)
    setting.check_next()


@pytest.mark.alone
@pytest.mark.parametrize("what", ["sleep", "loop", "regex"])
def test_others_wait_no_longer_than_the_time_limit(setting: Setting, what: str) -> None:
    stage = setting.stage
    got, others = stage.meanwhile(lambda: stage.timed(headers=[("x-do", what)]), stage.timed)
    setting.check(got)
    worst = max(other.took for other in others)
    report(f"{setting.mode} {setting.policy} {what}: {len(others)} others, worst {worst * 1000:.0f} ms")
    assert {other.status for other in others} == {200}
    assert worst < LIMIT + ROOM


@pytest.mark.alone
@pytest.mark.parametrize("what", ["inescapable", "_exit"])
def test_killed_worker(setting: Setting, what: str) -> None:
    check_killed(setting, "x-do", what, "misbehaving")


@pytest.mark.alone
@in_two
@pytest.mark.parametrize("what", sorted(misbehaving.KILLS.keys() - {"inescapable", "_exit"}))
def test_worker_killed_in_other_ways(setting: Setting, what: str) -> None:
    check_killed(setting, "x-do", what, "misbehaving")


@pytest.mark.alone
@in_two
@pytest.mark.parametrize("what", misbehaving.ASYNC_KILLS)
def test_worker_killed_by_async_hook(setting: Setting, what: str) -> None:
    check_killed(setting, "x-do-async", what, "async-misbehaving")


def check_killed(setting: Setting, header: str, what: str, name: str) -> None:
    """The policy holds, the hook ran once, the log says what and where, and the spare serves soon.

    A filter that cancels all tasks cancels the server's too: its answer may be lost, and Envoy asks again.
    """
    stage, before = setting.stage, len(setting.stage.lines)
    got = stage.timed(target="/kills", headers=[(header, what)])
    began = time.monotonic()
    setting.check(got)
    assert got.answer is not None
    assert wait_for(setting.served)
    gap = time.monotonic() - began
    times = f"answered in {got.took * 1000:.0f} ms, next served after {gap * 1000:.0f} ms"
    report(f"{setting.mode} {setting.policy} {what}: {times}")
    assert got.took < LIMIT + ROOM
    assert gap < SERVED_AGAIN
    if what not in ("stops the loop", "cancels all"):
        stage.logged("the worker ended", f"in {name} on_request [{got.answer.header('x-request-id')}]")
    wait_for_spare(stage, before)
    ran = sum("saw /kills" in line for line in stage.lines[before:])
    assert ran == 1 or what == "cancels all"


def test_open_exchanges_of_a_killed_worker(setting: Setting) -> None:
    """What waits for its response in ext_proc gets the policy; ext_authz had answered already."""
    stage, before = setting.stage, len(setting.stage.lines)

    def kill() -> Timed:
        stage.logged("saw /delay/1500?killed")
        return stage.timed(headers=[("x-do", "_exit")])

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(stage.timed, target="/delay/1500?killed")
        setting.check(kill())
        ended = slow.result(30)
    expected = 500 if (setting.mode, setting.policy) == ("proc", "closed") else 200
    assert ended.status == expected
    wait_for_spare(stage, before)
    assert wait_for(setting.served)


@pytest.mark.parametrize("what", ["thread", "prints"])
def test_what_does_no_harm(setting: Setting, what: str) -> None:
    for _ in range(3):
        assert setting.stage.send(headers=[("x-do", what)]).status == 200
    setting.check_next()


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_chain_of_an_open_and_a_closed_filter(mode: Mode) -> None:
    """Each filter's own failure gets its own policy; a dead service gets the strictest."""
    with staged("misbehaving.py:OpenRequests", "misbehaving.py:AsyncRequests", mode=mode) as stage:
        passed = stage.send(headers=[("x-do", "Exception")])
        assert (passed.status, received(passed, "x-written")) == (200, [])
        assert stage.send(headers=[("x-do-async", "Exception")]).status == 500
        assert stage.send(headers=[("x-do", "_exit")]).status == 500
        assert wait_for(lambda: stage.send().status == 200)
