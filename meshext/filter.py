"""The base class of every policy."""

from __future__ import annotations

import difflib
import inspect
import re
from typing import Any, ClassVar

from meshext.attributes import check_attributes
from meshext.awaiting import check_awaited
from meshext.bodies import REQUEST, RESPONSE
from meshext.errors import SpecError
from meshext.escapes import may_add
from meshext.mentions import may_skip
from meshext.metrics import MetricRegistry
from meshext.needs import DEFAULT_MAX_BODY, DEFAULT_TIME_LIMIT, FailureMode, Hook, Needs, Oversize
from meshext.store import MemoryStore, Store

NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
LONGEST_TIME_LIMIT = 60.0  # seconds
LARGEST_BODY = 1 << 30  # bytes
CHUNK_HOOKS = frozenset({REQUEST.chunk, RESPONSE.chunk})


class Filter:
    """A policy: override the hooks you need, and declare beside them what they use.

    `name` is kebab-case of the class name unless given; metadata is written to `meshext.<name>`.
    `time_limit` is in seconds for each hook, `max_body` in bytes; `failure` says what happens to the
    exchange when a hook fails. A nested `Config` dataclass (or `Config = str`) is the configuration, a
    nested `State` dataclass what one exchange keeps. An object lives per configuration and per worker.

    A body comes as a whole (`on_request_body`) or in chunks (`on_request_chunk(request, chunk, last)`, which
    returns None to leave the chunk, bytes to put in its place, b"" to swallow it); never both ways in one
    class. A message without a body has one empty chunk that is the last; where trailers follow, an empty last
    chunk comes before them, to which nothing can be added. Behind a filter that wants the whole body, that is
    one chunk. `duplex = True` lets chunks be held back, merged and split, and bytes be added before trailers.
    `oversize = "pass"` lets a body above `max_body` flow past unseen, in a chain as long as no other filter
    has to see it. `skip_body()` in a headers hook does so for one message.
    """

    name: ClassVar[str] = ""
    attributes: ClassVar[tuple[str, ...]] = ()
    metadata_namespaces: ClassVar[tuple[str, ...]] = ()
    max_body: ClassVar[int] = DEFAULT_MAX_BODY
    time_limit: ClassVar[float] = DEFAULT_TIME_LIMIT
    failure: ClassVar[FailureMode] = "closed"
    oversize: ClassVar[Oversize] = "refuse"
    duplex: ClassVar[bool] = False

    store: Store
    _metrics: MetricRegistry

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Filter:
        """What `__init__` may already use: a store and metrics of its own, replaced by the host's."""
        made = super().__new__(cls)
        made.store = MemoryStore()
        made._metrics = MetricRegistry(cls)
        return made

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = kebab_case(cls.__name__)

    def __init__(self, config: Any = None) -> None:
        self.config = config

    @classmethod
    def needs(cls, config: Any) -> Needs:  # noqa: ARG003  # for subclasses whose needs depend on it
        """What this configuration needs; override to switch hooks off or to read more.

        `return super().needs(config).without("on_response")`, or `.adding(attributes=(...))`.
        """
        return class_needs(cls)


def class_needs(cls: type[Filter]) -> Needs:
    """What a class needs by its hooks and attributes alone; SpecError where they make no sense."""
    hooks = find_hooks(cls)
    check_styles(cls, hooks)
    return Needs(
        name=check_filter_name(cls),
        hooks=hooks,
        attributes=check_names(cls, "attributes"),
        metadata_namespaces=check_names(cls, "metadata_namespaces"),
        max_body=check_max_body(cls),
        time_limit=check_time_limit(cls),
        failure=check_failure(cls),
        oversize=check_oversize(cls),
        duplex=check_duplex(cls, hooks),
        may_skip=may_skip(cls),
        may_add=may_add(cls),
    )


def find_hooks(cls: type[Filter]) -> frozenset[Hook]:
    """The hooks a class overrides; a misspelt one is refused, since it would silently never run."""
    known = [hook.value for hook in Hook]
    for name in dir(cls):
        if not name.startswith("on_"):
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; the hooks are {', '.join(known)}"
            raise SpecError(f"{cls.__name__}.{name} is not a hook{hint}")
        check_hook(cls, name)
    hooks = frozenset(hook for hook in Hook if hasattr(cls, hook.value))
    if not hooks:
        raise SpecError(
            f"{cls.__name__} has no hooks; write one, such as: def on_request(self, request): ..."
        )
    return hooks


def check_hook(cls: type[Filter], name: str) -> None:
    """A hook is a plain or async method that takes one argument."""
    method = inspect.getattr_static(cls, name)
    if not inspect.isfunction(method):
        raise SpecError(
            f"{cls.__name__}.{name} is {type(method).__name__}; write it as def {name}(self, ...)"
        )
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise SpecError(f"{cls.__name__}.{name} yields; a hook returns None or a Respond")
    arguments = arguments_of(name)
    try:
        inspect.signature(method).bind(None, *arguments)
    except TypeError:
        wanted = f"{', '.join(('self', *arguments[:-1]))} and {arguments[-1]}"
        raise SpecError(f"{cls.__name__}.{name}{inspect.signature(method)}: a hook takes {wanted}") from None
    check_awaited(cls.__name__, method)


def arguments_of(hook: str) -> tuple[str, ...]:
    """What a hook is called with."""
    first = {"on_complete": "exchange"}.get(hook, "request" if "request" in hook else "response")
    return (first, "chunk", "last") if hook in CHUNK_HOOKS else (first,)


def check_styles(cls: type[Filter], hooks: frozenset[Hook]) -> None:
    """One style of bodies for each direction."""
    for direction in (REQUEST, RESPONSE):
        if {direction.whole, direction.chunk} <= hooks:
            raise SpecError(
                f"{cls.__name__} has {direction.whole} and {direction.chunk}: a body comes as a whole or in "
                "chunks; keep one of them"
            )


def check_filter_name(cls: type[Filter]) -> str:
    """A name that is fit for a metadata namespace and a log line."""
    if not isinstance(cls.name, str) or not NAME.fullmatch(cls.name) or len(cls.name) > 100:
        raise SpecError(
            f"{cls.__name__}.name is {cls.name!r}; write lower case words with dashes, such as 'ab-routing'"
        )
    return cls.name


def check_names(cls: type[Filter], attribute: str) -> tuple[str, ...]:
    """A declared tuple of names; a bare string is the usual slip."""
    names = getattr(cls, attribute)
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        raise SpecError(f"{cls.__name__}.{attribute} is {names!r}; write a tuple of str, such as ('a.b',)")
    if attribute == "attributes":
        check_attributes(names)
    return tuple(names)


def check_max_body(cls: type[Filter]) -> int:
    """Bytes, at least one."""
    size = cls.max_body
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_BODY:
        raise SpecError(f"{cls.__name__}.max_body is {size!r}; write bytes from 1 to {LARGEST_BODY}")
    return size


def check_time_limit(cls: type[Filter]) -> float:
    """Seconds for each hook."""
    limit = cls.time_limit
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit <= LONGEST_TIME_LIMIT:
        raise SpecError(
            f"{cls.__name__}.time_limit is {limit!r}; write seconds above 0, at most {LONGEST_TIME_LIMIT:g}"
        )
    return float(limit)


def check_failure(cls: type[Filter]) -> FailureMode:
    """`closed` or `open`."""
    if cls.failure not in ("closed", "open"):
        raise SpecError(f"{cls.__name__}.failure is {cls.failure!r}; write 'closed' or 'open'")
    return cls.failure


def check_oversize(cls: type[Filter]) -> Oversize:
    """`refuse` or `pass`."""
    if cls.oversize not in ("refuse", "pass"):
        raise SpecError(f"{cls.__name__}.oversize is {cls.oversize!r}; write 'refuse' or 'pass'")
    return cls.oversize


def check_duplex(cls: type[Filter], hooks: frozenset[Hook]) -> bool:
    """Full duplex, which is for chunks, and which Envoy never lets fail open."""
    if not isinstance(cls.duplex, bool):
        raise SpecError(f"{cls.__name__}.duplex is {cls.duplex!r}; write True or False")
    if cls.duplex and cls.failure == "open":
        raise SpecError(
            f"{cls.__name__}: duplex = True and failure = 'open' do not go together, since Envoy never lets "
            "full duplex fail open; use failure = 'closed', or leave duplex out"
        )
    if cls.duplex and not hooks & CHUNK_HOOKS:
        raise SpecError(
            f"{cls.__name__}: duplex = True is for chunks; write on_request_chunk, or leave it out"
        )
    return cls.duplex


def kebab_case(name: str) -> str:
    """`ABRouting` becomes `ab-routing`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+", "-", name)
    return words.strip("-").lower()
