"""What to start: from what a person says, in the words of the command line, to plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshext.errors import OptionError, SpecError
from meshext.hosts.options import CONNECTION_AGE, DRAIN, MAX_IN_FLIGHT, WATCHED_AGE, ServiceOptions
from meshext.plan import Mode

if TYPE_CHECKING:
    from meshext.envoy.downstream_tls import DownstreamTls
    from meshext.envoy.jwt import Jwt
    from meshext.envoy.routes import Route
    from meshext.envoy.upstreams import Upstream
    from meshext.envoy.wasm_filter import Module
    from meshext.needs import Needs
    from meshext.sandbox.calls import Example

ECHO = "=echo"
SHARED = (
    "log_level",
    "log_format",
    "workers",
    "drain",
    "max_in_flight",
    "connection_age",
    "watch",
    "store",
    "metrics",
    "otel",
    "record",
    "redact",
)
"""What is said to the service as it was said to us: fields of Setup and of ServiceOptions."""

LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What to start. `echoes` are names of built-in echo services; one called `echo` stands in for none.

    `port` 0 takes a free one. `mode` None takes the least that carries the filters. `needs` are the
    filters' where somebody has loaded them already; else they are loaded. With a `module` no service is
    started: the filters run inside of Envoy.
    """

    specs: tuple[str, ...]
    configs: tuple[str, ...] = ()
    needs: tuple[Needs, ...] = ()
    module: Module | None = None
    mode: Mode | None = None
    host: str = "127.0.0.1"
    port: int = 0
    upstreams: tuple[Upstream, ...] = ()
    echoes: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    tls: DownstreamTls | None = None
    jwt: Jwt | None = None
    log_level: str = "info"
    log_format: str = "text"
    workers: int = 1
    store: str = ""
    drain: float = DRAIN
    max_in_flight: int = MAX_IN_FLIGHT
    connection_age: float = CONNECTION_AGE
    record: str = ""
    redact: tuple[str, ...] = ()
    watch: bool = False
    metrics: str = ""
    otel: bool = False

    def service_options(self, address: str) -> ServiceOptions:
        """What its filter service is asked to do; OptionError where that means nothing."""
        return ServiceOptions(
            specs=self.specs,
            configs=self.configs,
            address=address,
            **{name: getattr(self, name) for name in SHARED},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person says: every field as the option of `meshext run` of that name.

    `config`, `routes` and `jwt` are names of files, or JSON.
    """

    specs: tuple[str, ...]
    config: tuple[str, ...] = ()
    mode: Mode | None = None
    upstream: tuple[str, ...] = ()
    routes: str | None = None
    listen: str = "0"
    tls_cert: str | None = None
    tls_key: str | None = None
    client_ca: str | None = None
    jwt: str | None = None
    log_level: str = "info"
    record: str | None = None
    redact: tuple[str, ...] = ()
    log_format: str = "text"
    workers: int = 1
    watch: bool = False
    store: str = ""
    metrics: str = ""
    otel: bool = False


def fill_in(options: Options, example: Example) -> Options:
    """The options, where they leave something open as the example beside the filter has it."""
    alone = len(options.specs) == 1
    config = (example.config,) if example.config is not None and alone else ()
    return replace(
        options,
        config=options.config or config,
        mode=options.mode or example.mode,
        upstream=options.upstream or tuple(name + ECHO for name in example.echoes),
        routes=options.routes or (None if options.upstream else example.routes),
        jwt=options.jwt or example.jwt,
    )


def build_setup(options: Options) -> Setup:
    """What to start; MeshextError says what is wrong with an option."""
    from meshext.config import read_config
    from meshext.envoy.downstream_tls import parse_tls
    from meshext.envoy.jwt import parse_jwt
    from meshext.envoy.routes import parse_routes
    from meshext.envoy.upstreams import UnixAddress, Upstream, parse_upstream

    if options.log_level.lower() not in LEVELS:
        raise SpecError(f"--log-level {options.log_level!r} is not a level; write {', '.join(LEVELS)}")
    # The address of an echo service is only known once it runs.
    echoes = tuple(
        parse_upstream(f"{text.removesuffix(ECHO)}=unix:/echo") for text in split(options.upstream, echo=True)
    )
    upstreams = tuple(parse_upstream(text) for text in split(options.upstream, echo=False))
    known = (*upstreams, *echoes) or (Upstream("echo", UnixAddress("/echo")),)
    host, port = parse_listen(options.listen)
    return Setup(
        specs=options.specs,
        configs=options.config,
        mode=options.mode,
        host=host,
        port=port,
        upstreams=upstreams,
        echoes=tuple(echo.name for echo in echoes),
        routes=parse_routes(read_config(options.routes), known) if options.routes else (),
        tls=parse_tls(options.tls_cert, options.tls_key, options.client_ca),
        jwt=parse_jwt(read_config(options.jwt)) if options.jwt else None,
        log_level=options.log_level,
        record=check_record(options),
        redact=options.redact,
        log_format=options.log_format,
        workers=options.workers,
        watch=options.watch,
        connection_age=WATCHED_AGE if options.watch else CONNECTION_AGE,
        store=options.store,
        metrics=options.metrics,
        otel=options.otel,
    )


def check_record(options: Options) -> str:
    """The file of `--record`, which is made or found to be a recording of ours; "" for none."""
    from meshext.recording.file import RecordingFile
    from meshext.recording.redaction import check_redacted

    check_redacted(options.redact)
    if not options.record:
        if options.redact:
            raise OptionError("--redact without --record has nothing to leave out")
        return ""
    file = RecordingFile(options.record)
    file.close()
    return file.path


def split(upstreams: Iterable[str], *, echo: bool) -> list[str]:
    """Those that ask for an echo service, or those that do not."""
    return [text for text in upstreams if text.endswith(ECHO) == echo]


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of `--listen`."""
    from meshext.hosts.address import parse_address

    address = parse_address(text)
    if address.path:
        raise SpecError(f"--listen {text!r}: Envoy listens on [HOST:]PORT here")
    return address.host, address.port
