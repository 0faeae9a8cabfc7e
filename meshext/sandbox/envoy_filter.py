"""The factory behind the fixture `envoy_filter`: filter classes in, a running proxy out."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshext.config import read_config
from meshext.engine.chain import configured_needs
from meshext.errors import SpecError
from meshext.filter import Filter
from meshext.loading import assign, build_config
from meshext.plugins import check_class, load_filter
from meshext.sandbox.proxy import Proxy
from meshext.sandbox.setup import ECHO, Options, Setup, build_setup

if TYPE_CHECKING:
    from meshext.plan import Mode

FilterLike = type[Filter] | str
Given = str | Mapping[str, Any] | list[Any]
"""The name of a file, JSON, or plain data."""


class EnvoyFilter:
    """What the fixture `envoy_filter` is: called with filters, it gives the `Proxy` in front of them.

    `embed` compiles the filters of a setup, for mode wasm.
    """

    def __init__(self, embed: Callable[[Setup], Setup]) -> None:
        self._embed = embed
        self._proxies: list[Proxy] = []

    def __call__(
        self,
        filters: FilterLike | Sequence[FilterLike],
        /,
        *,
        config: Given | None = None,
        mode: Mode | None = None,
        echoes: Iterable[str] = (),
        upstream: Iterable[str] = (),
        routes: Given | None = None,
        tls: tuple[str, str, str | None] | None = None,
        jwt: Given | None = None,
    ) -> Proxy:
        """Start Envoy with these filters; it ends with the test.

        `filters` is a class at the top of a module, a spec, or a list of them in chain order; then `config`
        is a list too, or one mapping by the filters' names. `echoes` are names of built-in echo services;
        the rest is as the options of `meshext run`, where `config`, `routes` and `jwt` may be plain data
        and `tls` is certificate, key and the CA of client certificates (None for none); mode `wasm` compiles
        them. Raises MeshextError.
        """
        chain = [filters] if isinstance(filters, (str, type)) else list(filters)
        certificate, key, client_ca = tls or (None, None, None)
        options = Options(
            specs=tuple(each if isinstance(each, str) else to_spec(each) for each in chain),
            config=to_texts(config, each=not isinstance(filters, (str, type))),
            mode=mode,
            upstream=(*upstream, *(name + ECHO for name in echoes)),
            routes=to_text(routes) if routes is not None else None,
            tls_cert=certificate,
            tls_key=key,
            client_ca=client_ca,
            jwt=to_text(jwt) if jwt is not None else None,
        )
        setup = build_setup(options)
        ready = self._embed(setup) if mode == "wasm" else with_needs(setup, chain)
        proxy = Proxy.start(ready)
        self._proxies.append(proxy)
        return proxy

    def stop(self) -> None:
        """End every proxy that was started, the last one first."""
        while self._proxies:
            self._proxies.pop().stop()


def with_needs(setup: Setup, chain: Sequence[FilterLike]) -> Setup:
    """The setup with the needs of the classes, so that their module is not loaded here a second time."""
    classes = [load_filter(each) if isinstance(each, str) else each for each in chain]
    documents = assign(classes, [read_config(text) for text in setup.configs])
    return replace(
        setup,
        needs=tuple(
            configured_needs(cls, build_config(cls, document))
            for cls, document in zip(classes, documents, strict=True)
        ),
    )


def to_spec(cls: type[Filter]) -> str:
    """`path/to/file.py:Class`, by which the service finds the class in a process of its own."""
    check_class(cls, getattr(cls, "__qualname__", repr(cls)))
    try:
        file = inspect.getfile(cls)
    except (TypeError, OSError):
        file = ""
    if "<locals>" in cls.__qualname__ or not Path(file).is_file():
        raise SpecError(
            f"{cls.__qualname__} can not be loaded by the filter's service, which is a process of its own; "
            "put the class at the top level of a module"
        )
    return f"{Path(file).resolve()}:{cls.__qualname__}"


def to_texts(config: Given | None, *, each: bool) -> tuple[str, ...]:
    """What `--config` would be given; with `each` a list is one configuration for each filter."""
    if config is None:
        return ()
    return tuple(map(to_text, config)) if each and isinstance(config, list) else (to_text(config),)


def to_text(given: Given) -> str:
    """The name of a file or JSON as it is, plain data as JSON."""
    return given if isinstance(given, str) else json.dumps(given)
