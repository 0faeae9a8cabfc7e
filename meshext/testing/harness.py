"""The harness: a filter, or a chain of them, in this process."""

from __future__ import annotations

import asyncio
import json
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from meshext.attributes import check_attributes, from_request, select_attributes
from meshext.config import Document
from meshext.engine.carrier import IN_PROCESS
from meshext.engine.chain import Mount, build_chain, build_mount
from meshext.engine.engine import Engine
from meshext.errors import ConfigError, HeaderError
from meshext.filter import Filter
from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.legal import decode
from meshext.http.metadata import Namespaces
from meshext.http.parts import RequestParts
from meshext.http.peer import Peer
from meshext.loading import build_config
from meshext.metrics import MetricRegistry
from meshext.plan import Plan, build_plan
from meshext.store import MemoryStore, NamespacedStore, Store
from meshext.testing.carriage import with_length
from meshext.testing.clock import FrozenClock
from meshext.testing.outcome import HeadersLike, Outcome, Reply, UpstreamRequest, lines_of
from meshext.testing.passage import Passage, Sent
from meshext.testing.patience import WATCH
from meshext.testing.records import keep_records

Response = Reply | Callable[[UpstreamRequest], Reply]
BY_RESPONSE = "response."


class Harness:
    """A filter made ready once, as a worker does it; `request` sends exchanges through it.

    `cls` is a Filter class, or a list of them in chain order; then `config` is a list too. A configuration
    is what YAML would give (mapping, list, scalar), text where `Config` is `str` or to be read as YAML, or
    an instance of `Config`. `now` (seconds since 1970) freezes `time.time`, `time.time_ns` and the store's
    clock while the filter runs; `advance` moves them. Raises what `meshext check` would refuse.
    """

    def __init__(
        self,
        cls: type[Filter] | Sequence[type[Filter]],
        config: object = None,
        *,
        now: float | None = None,
    ) -> None:
        classes = (cls,) if isinstance(cls, type) else tuple(cls)
        configs = pair_configs(classes, (config,) if isinstance(cls, type) else config)
        self._classes = classes
        self._clock = FrozenClock(now) if now is not None else None
        self._store = MemoryStore(lambda: time.time())
        self._requests = 0
        with self._frozen():
            mounts = [
                self._mount(each, own_config(each, given))
                for each, given in zip(classes, configs, strict=True)
            ]
        self.chain = build_chain(mounts)
        self.plan: Plan = build_plan(self.chain.needs, "proc")
        """What Envoy would be asked for; the exchange is driven by it."""
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def filter(self) -> Any:
        """The first filter's object, to look at what it keeps on `self`."""
        return self.chain.mounts[0].instance

    @property
    def store(self) -> Store:
        """The first filter's store."""
        return self.chain.mounts[0].instance.store

    def value(self, name: str, /, **labels: str | int | bool) -> float:
        """A metric of the first filter that has one of that name; KeyError lists what there is."""
        registries = [mount.instance._metrics for mount in self.chain.mounts]
        for registry in registries:
            if any(metric.name == name for metric in registry.metrics()):
                return registry.value(name, **labels)
        return registries[0].value(name, **labels)

    def advance(self, seconds: float) -> None:
        """Move the frozen clock on."""
        if self._clock is None:
            raise ValueError("the clock is not frozen; write Harness(..., now=0)")
        self._clock.advance(seconds)

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable, such as `harness.store.get("key")`, on the harness's own event loop."""

        async def wait() -> Any:
            return await awaitable

        with self._frozen():
            return self._event_loop().run_until_complete(wait())

    def request(self, method: str = "GET", target: str = "/", **parts: Any) -> Outcome:
        """Send one request; what it may consist of is said at `exchange`, which async tests await."""
        return self._event_loop().run_until_complete(self.exchange(method, target, **parts))

    async def exchange(
        self,
        method: str = "GET",
        target: str = "/",
        *,
        host: str = "example.test",
        scheme: str = "http",
        headers: HeadersLike = (),
        body: bytes = b"",
        chunks: Sequence[bytes] = (),
        trailers: HeadersLike = (),
        peer: Peer | None = None,
        client_address: str = "",
        route: str = "",
        cluster: str = "",
        attributes: Mapping[str, AttributeValue] | None = None,
        metadata: Namespaces | None = None,
        response: Response | None = None,
    ) -> Outcome:
        """One exchange, from the request to what the client gets.

        `peer`, `client_address`, `route`, `cluster`, `attributes` and `metadata` are what Envoy would tell.
        `chunks` is the body in the pieces that it comes in. `response` is the upstream's answer, or makes
        it from the request as the upstream got it.
        """
        pieces = tuple(chunks) or ((body,) if body else ())
        body = b"".join(pieces)
        parts = request_line(method, target, host, scheme, headers, body, trailers)
        self._requests += 1
        surroundings = Surroundings(
            peer=peer or Peer(),
            client_address=client_address,
            route=route,
            cluster=cluster,
            request_id=first(parts, "x-request-id") or f"harness-{self._requests}",
            metadata={name: dict(values) for name, values in (metadata or {}).items()},
        )
        sent = self._forge(parts, pieces, lines_of(trailers), surroundings, attributes or {})
        return await self._drive(sent, response)

    async def _drive(self, sent: Sent, response: Response | None) -> Outcome:
        clock = self._clock.time if self._clock is not None else time.monotonic
        engine = Engine(self.chain, watch=WATCH, carrier=IN_PROCESS, clock=clock)
        passage = Passage(engine, self.plan, to_upstream(response))
        with self._frozen(), WATCH.kept(), keep_records() as logs:
            try:
                outcome = await passage.run(sent)
            finally:
                await engine.complete()
        return replace(outcome, failures=passage.failures(), logs=tuple(logs))

    def _forge(
        self,
        parts: RequestParts,
        chunks: tuple[bytes, ...],
        trailers: Lines,
        surroundings: Surroundings,
        attributes: Mapping[str, AttributeValue],
    ) -> Sent:
        """What is sent, with attributes: those that tell of the request itself, and the forged ones."""
        check_attributes(attributes)
        texts = [(name, decode(value)) for name, value in parts.to_lines()]
        asked = select_attributes(self.plan.attributes, "request")
        late = {name: value for name, value in attributes.items() if name.startswith(BY_RESPONSE)}
        surroundings.attributes.update(
            {attribute.name: from_request(attribute.name, texts) for attribute in asked}
            | {name: value for name, value in attributes.items() if name not in late}
        )
        return Sent(
            parts=parts, chunks=chunks, trailers=trailers, surroundings=surroundings, response_attributes=late
        )

    def _mount(self, cls: type[Filter], config: object) -> Mount:
        return build_mount(
            cls, config, store=NamespacedStore(self._store, cls.name), metrics=MetricRegistry(cls)
        )

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            weakref.finalize(self, self._loop.close)
        return self._loop

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self._clock is not None:
                stack.enter_context(self._clock.frozen(self._classes))
            yield


def pair_configs(classes: Sequence[type[Filter]], configs: object) -> Sequence[object]:
    """One configuration for each class; without any, each has its defaults."""
    if configs is None:
        return [None] * len(classes)
    if not isinstance(configs, (list, tuple)) or len(configs) != len(classes):
        raise ConfigError([f"{len(classes)} filters take a list of {len(classes)} configurations"])
    return configs


def own_config(cls: type[Filter], given: object) -> object:
    """What the filter's `__init__` gets, checked as a configuration file would be."""
    config_type = getattr(cls, "Config", None)
    if given is None or (config_type not in (None, str) and isinstance(given, config_type)):
        return build_config(cls, None) if given is None else given
    if isinstance(given, str):
        return build_config(cls, Document(given))
    try:
        return build_config(cls, Document(json.dumps(given)))
    except TypeError as error:
        raise ConfigError([f"{error}; write mappings, lists, text and numbers, as YAML has them"]) from error


def request_line(
    method: str, target: str, host: str, scheme: str, headers: HeadersLike, body: bytes, trailers: HeadersLike
) -> RequestParts:
    """The request's head as a client would send it, with the length of its body."""
    lines = lines_of(headers)
    names = {name for name, _ in lines}
    if body and not trailers and not names & {"content-length", "transfer-encoding"}:
        lines = with_length(lines, len(body))
    if any(name == "host" or name.startswith(":") for name, _ in lines):
        raise HeaderError("write host=..., not a header: it is not among a request's headers")
    return RequestParts(lines, method, scheme, host, "" if method == "CONNECT" else target)


def first(parts: RequestParts, name: str) -> str:
    """The first line of that name as text; "" where there is none."""
    return next((decode(value) for key, value in parts.lines if key == name), "")


def to_upstream(response: Response | None) -> Callable[[UpstreamRequest], Reply]:
    """The upstream as a callable."""
    if response is None:
        return lambda _: Reply()
    return (lambda _: response) if isinstance(response, Reply) else response
