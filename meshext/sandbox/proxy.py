"""A sandbox for code that is not async: it runs in a thread of its own, and is used from yours.

What the fixture `envoy_filter` gives (`meshext.pytest_plugin`).
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from meshext.sandbox.client import Answer, send
from meshext.sandbox.sandbox import Sandbox
from meshext.sandbox.setup import Setup

if TYPE_CHECKING:
    import ssl

    from meshext.plan import Plan

T = TypeVar("T")

HeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]


class Proxy:
    """A running Envoy with filters; `start`, use, `stop`. Every method may be called from any thread.

    `url` is where Envoy listens, `logs` every line that Envoy, the filters and the access log wrote so far.
    """

    def __init__(self, setup: Setup) -> None:
        self.url = ""
        self.logs: list[str] = []
        self._setup = setup
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        # Envoy and the service end with the thread that started them (meshext.lifeline): this one.
        self._thread = threading.Thread(target=self._loop.run_forever, name="meshext-proxy", daemon=True)
        self._sandbox: Sandbox | None = None

    @classmethod
    def start(cls, setup: Setup) -> Self:
        """Start everything and return when traffic flows; what is refused is raised as a MeshextError."""
        proxy = cls(setup)
        proxy._thread.start()
        try:
            proxy._run(proxy._enter())
        except BaseException:
            proxy.stop()
            raise
        return proxy

    def stop(self) -> None:
        """End everything; nothing is left behind. May be called again."""
        if self._loop.is_closed():
            return
        try:
            if self._sandbox is not None:
                self._run(self._sandbox.__aexit__(None, None, None))
            self._run(self._finish())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def plan(self) -> Plan:
        """What Envoy was asked for, its `mode` among it."""
        return self._running().plan

    def request(
        self,
        method: str = "GET",
        target: str = "/",
        *,
        headers: HeadersLike = (),
        body: bytes | str = b"",
        trailers: HeadersLike = (),
        host: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send one request exactly as written and wait for the whole answer.

        `tls` is the client's side of an https URL, by default one that trusts the server and has no
        certificate.
        """
        return send(
            self.url,
            method,
            target,
            headers=to_pairs(headers),
            body=body.encode() if isinstance(body, str) else body,
            trailers=to_pairs(trailers),
            host=host,
            tls=tls,
        )

    def upstream(self, answer: Answer) -> dict[str, Any]:
        """What the echo service received, by its answer; AssertionError where the request did not get there.

        `upstream` (its name), `method`, `target`, `path`, `query`, `host`, `headers` (pairs), `body`.
        """
        try:
            received = json.loads(answer.text)
        except ValueError:
            received = None
        if not isinstance(received, dict) or "upstream" not in received:
            raise AssertionError(
                f"the request did not reach an echo service: {answer.status} {answer.text[:200]!r}"
            )
        return received

    def wait_for_log(self, pattern: str, *, limit: float = 10.0) -> str:
        """The first line in which the regular expression is found, now or within `limit` seconds."""
        found: list[str] = []

        def look() -> bool:
            found.extend(line for line in self.logs if re.search(pattern, line))
            return bool(found)

        with self._news:
            if not self._news.wait_for(look, limit):
                logs = "\n".join(self.logs)
                raise AssertionError(f"no line with {pattern!r} in {limit:g} s; the log so far:\n{logs}")
        return found[0]

    def envoy_stats(self, pattern: str = "") -> dict[str, int]:
        """Envoy's counters and gauges whose name has the regular expression (RE2) in it."""
        envoy = self._running().envoy
        assert envoy is not None
        return self._run(envoy.admin.stats(pattern))

    def envoy_metrics(self) -> str:
        """Envoy's metrics in Prometheus' text format; those of filters inside of Envoy are among them."""
        envoy = self._running().envoy
        assert envoy is not None
        return self._run(envoy.admin.get("/stats/prometheus")).decode()

    def _running(self) -> Sandbox:
        if self._sandbox is None:
            raise RuntimeError("the proxy is not running")
        return self._sandbox

    async def _enter(self) -> None:
        sandbox = Sandbox(self._setup, on_line=self._note)
        await sandbox.__aenter__()
        self._sandbox, self.url = sandbox, sandbox.url

    async def _finish(self) -> None:
        """End what is still under way: a start that was interrupted cleans up after itself."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    def _note(self, line: str) -> None:
        with self._news:
            self.logs.append(line)
            self._news.notify_all()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def to_pairs(given: HeadersLike) -> list[tuple[str, str]]:
    """Header lines as pairs."""
    return list(given.items() if isinstance(given, Mapping) else given)
