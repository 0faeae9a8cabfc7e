"""Filters made ready to serve: built once for each configuration and worker."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from meshext.bodies import HELD, REQUEST, RESPONSE, BodyStyle, buffer_room, choose_style, stops_tunnels
from meshext.errors import ConfigError, MeshextError, SpecError
from meshext.filter import Filter, class_needs
from meshext.http.context import Rights
from meshext.metrics import MetricRegistry
from meshext.needs import DEFAULT_MAX_BODY, Hook, Needs
from meshext.store import Store

BoundHook = Callable[..., object | Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One filter object with everything that would otherwise be looked up for each request.

    `reads_request` and `reads_response` say whether a hook wants the body, as a whole or in chunks.
    """

    instance: Filter
    needs: Needs
    hooks: Mapping[Hook, BoundHook]
    asynchronous: frozenset[Hook]
    make_state: Callable[[], object] | None
    rights: Rights
    reads_request: bool
    reads_response: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Filters in the order in which a request meets them; the response meets them in reverse.

    `request_body` and `response_body` say how bodies come to them, `room` how many bytes Envoy can hold of
    one by our configuration; what it cuts short is longer. `adds_late` says that a hook may put headers on
    the response when the request's headers have left, `stops_tunnels` that none can be carried,
    `completes` that a hook runs when an exchange has ended.
    """

    mounts: tuple[Mount, ...]
    request_body: BodyStyle = ""
    response_body: BodyStyle = ""
    room: int = DEFAULT_MAX_BODY
    adds_late: bool = False
    stops_tunnels: bool = False
    completes: bool = False

    @property
    def needs(self) -> tuple[Needs, ...]:
        """What each filter needs, in order."""
        return tuple(mount.needs for mount in self.mounts)


def build_mount(
    cls: type[Filter],
    config: object = None,
    *,
    store: Store | None = None,
    metrics: MetricRegistry | None = None,
) -> Mount:
    """A filter object for one configuration; `config` is what its `Config` parsed to, None without one."""
    needs = configured_needs(cls, config)
    instance = build_instance(cls, config, store=store, metrics=metrics)
    hooks: dict[Hook, BoundHook] = {
        hook: getattr(instance, hook.value) for hook in Hook if hook in needs.hooks
    }
    return Mount(
        instance=instance,
        needs=needs,
        hooks=hooks,
        asynchronous=frozenset(hook for hook, method in hooks.items() if inspect.iscoroutinefunction(method)),
        make_state=getattr(cls, "State", None),
        rights=Rights(
            filter_name=needs.name,
            namespace=needs.namespace,
            attributes=frozenset(needs.attributes),
            namespaces=needs.metadata_namespaces,
        ),
        reads_request=not needs.hooks.isdisjoint((REQUEST.whole, REQUEST.chunk)),
        reads_response=not needs.hooks.isdisjoint((RESPONSE.whole, RESPONSE.chunk)),
    )


def configured_needs(cls: type[Filter], config: object) -> Needs:
    """What a class needs for this configuration, by its own `needs` where it overrides it."""
    declared = class_needs(cls)
    try:
        needs = cls.needs(config)
    except MeshextError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(f"{cls.__name__}.needs raised {type(error).__name__}: {error}") from error
    if not isinstance(needs, Needs):
        raise SpecError(
            f"{cls.__name__}.needs returned {needs!r}; return super().needs(config) or a change of it"
        )
    if not needs.hooks <= declared.hooks:
        extra = ", ".join(sorted(needs.hooks - declared.hooks))
        raise SpecError(f"{cls.__name__}.needs asks for {extra}, which the class does not have")
    return needs


def build_instance(
    cls: type[Filter], config: object, *, store: Store | None, metrics: MetricRegistry | None
) -> Filter:
    """The object; what `__init__` refuses is a refused configuration, in one line."""
    instance = cls.__new__(cls)
    if store is not None:
        instance.store = store
    if metrics is not None:
        instance._metrics = metrics
    try:
        if getattr(cls, "Config", None) is None:
            instance.__init__()  # type: ignore[misc]  # after __new__, so that __init__ may use the host's store
        else:
            instance.__init__(config)  # type: ignore[misc]  # as above
    except MeshextError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError([f"{cls.__name__}: {type(error).__name__}: {error}"]) from error
    return instance


def build_chain(mounts: Sequence[Mount]) -> Chain:
    """A chain of at least one filter."""
    if not mounts:
        raise SpecError("no filter given; write one such as path/to/file.py:Class")
    needs = [mount.needs for mount in mounts]
    styles = choose_style(needs, REQUEST), choose_style(needs, RESPONSE)
    # where a body is held, the headers' hooks of the filters behind run when it has come
    late = any(each.may_add if styles[0] in HELD else each.adds_late for each in needs)
    completes = any(Hook.ON_COMPLETE in each.hooks for each in needs)
    return Chain(tuple(mounts), *styles, buffer_room(needs), late, stops_tunnels(*styles), completes)
