"""`meshext run`: the real Envoy with filters in front of an upstream, on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext.cli.selection import compile_quietly, load_quietly, parse_mode
from meshext.cli.service_options import (
    Config,
    LogFormat,
    LogLevel,
    Metrics,
    Otel,
    Specs,
    Store,
    Watch,
    Workers,
)
from meshext.errors import MeshextError, OptionError
from meshext.lifeline import watch_parent

if TYPE_CHECKING:
    from meshext.sandbox import Options, Sandbox, Setup
    from meshext.sandbox.calls import Example, Result
    from meshext.sandbox.recompiling import Version

INTERRUPTED = 130
INSTEAD = {
    "store": "the store is Envoy's own",
    "metrics": "metrics are Envoy's: /stats/prometheus of its admin interface",
    "otel": "traces are Envoy's",
    "record": "nothing is recorded",
}
"""Options that mean nothing where filters run inside Envoy, and what is there in their place."""

Upstream = Annotated[
    list[str] | None,
    typer.Option(metavar="[NAME=]HOST:PORT", help="Where requests go; NAME=echo is a built-in echo service."),
]
Routes = Annotated[str | None, typer.Option(metavar="FILE", help="Routes by path and header, as YAML.")]
Listen = Annotated[str, typer.Option(metavar="[HOST:]PORT", help="Where Envoy listens; 0 takes a free port.")]
ModeName = Annotated[
    str | None,
    typer.Option(
        metavar="proc|authz|wasm", help="By default the service that does least; wasm compiles into Envoy."
    ),
]
TlsCert = Annotated[str | None, typer.Option(metavar="FILE", help="Serve TLS with this certificate (PEM).")]
TlsKey = Annotated[str | None, typer.Option(metavar="FILE", help="Its private key (PEM).")]
ClientCa = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Verify client certificates, where one is given, by this CA."),
]
Jwt = Annotated[
    str | None, typer.Option(metavar="FILE", help="JWT providers, as YAML; their claims are metadata.")
]
Record = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write every exchange to this file (mode 0600), for meshext replay."),
]
Redact = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Leave out this header's value in the recording, beside authorization, cookie, set-cookie and "
        "proxy-authorization. Paths, bodies and metadata are written as they are.",
    ),
]
Try = Annotated[bool, typer.Option("--try", help="Send the suggested calls, show what happened, end 0 or 1.")]
SANDBOX = ("routes", "listen", "tls_cert", "tls_key", "client_ca", "jwt", "record")
SERVICE = ("log_level", "log_format", "workers", "watch", "store", "metrics", "otel")
"""Options that go on under their own name, to Envoy and to the service."""


def run(
    specs: Specs,
    upstream: Upstream = None,
    routes: Routes = None,
    listen: Listen = "0",
    mode: ModeName = None,
    config: Config = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    client_ca: ClientCa = None,
    jwt: Jwt = None,
    record: Record = None,
    redact: Redact = None,
    try_calls: Try = False,
    watch: Watch = False,
    workers: Workers = 1,
    store: Store = "",
    metrics: Metrics = "",
    otel: Otel = False,
    log_level: LogLevel = "info",
    log_format: LogFormat = "text",
) -> None:
    """Run the real Envoy with filters in front of an upstream (an echo service unless told otherwise).

    The line `ready URL` says that traffic flows. Ctrl-C ends everything. With --watch a filter that changed
    takes over without a request lost; where it needs something else of Envoy, or is compiled into it, the
    listener is replaced.

    With --try, the calls are those of `expect.yaml` beside the filter's file, or beside the configuration.

    Example: meshext run filters/examples/01_hello/filter.py:Hello
    """
    given = dict(locals())
    parent = os.getppid()
    from meshext.sandbox import build_setup, fill_in
    from meshext.sandbox.calls import find_example

    example = find_example(specs[0], config[0] if config else "")
    setup = load(build_setup(fill_in(to_options(given), example)))
    raise typer.Exit(asyncio.run(serve_until_told(setup, example, try_calls=try_calls, parent=parent)))


def to_options(given: Mapping[str, Any]) -> Options:
    """What `run` was given, each argument by its name."""
    from meshext.sandbox import Options

    return Options(
        specs=tuple(given["specs"]),
        config=tuple(given["config"] or ()),
        mode=parse_mode(given["mode"]),
        upstream=tuple(given["upstream"] or ()),
        redact=tuple(given["redact"] or ()),
        **{name: given[name] for name in SANDBOX + SERVICE},
    )


def load(setup: Setup) -> Setup:
    """The setup with what its filters need, so that what is wrong with them is said before all else."""
    from meshext.loading import load_needs

    if setup.mode == "wasm":
        return embed(setup)
    return replace(setup, needs=tuple(load_quietly(lambda: load_needs(setup.specs, setup.configs))))


def embed(setup: Setup) -> Setup:
    """The setup with its filters compiled, every step told on standard error."""
    from meshext.cli.runtimes import find_embedding

    refuse_services(setup)
    compile_filters, _ = find_embedding("wasm")
    module, needs = compile_quietly(
        lambda: compile_filters(setup.specs, setup.configs, lambda step: write_log(f"compiling: {step}"))
    )
    write_log(f"compiled: {len(module.code)} bytes, {module.plugin}")
    return replace(setup, module=module, needs=needs)


def refuse_services(setup: Setup) -> None:
    """Say which option asks for something that only a service has."""
    for option, advice in INSTEAD.items():
        if getattr(setup, option):
            raise OptionError(f"--{option} is for services; inside Envoy {advice}")


async def compile_again(setup: Setup) -> Version:
    """The filters as they are now, compiled."""
    from meshext.cli.embedding import recompile

    write_log("compiling what has changed")
    return await recompile("wasm", setup.specs, setup.configs, write_log)


async def serve_until_told(setup: Setup, example: Example, *, try_calls: bool, parent: int) -> int:
    """Start everything, then try the calls or wait for Ctrl-C, our parent's end, or an end nobody wanted."""
    from meshext.sandbox import Sandbox

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    ending = asyncio.create_task(told.wait())
    orphaned = asyncio.create_task(watch_parent(parent=parent))
    sandbox = Sandbox(setup, on_line=write_log, compile_again=lambda: compile_again(setup))
    work = try_all(sandbox, example) if try_calls else serve(sandbox, example)
    working = asyncio.create_task(work)
    await asyncio.wait({working, ending, orphaned}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        return working.result()
    working.cancel()  # its sandbox ends whatever was started
    await asyncio.wait({working})
    return INTERRUPTED if try_calls else 0


async def serve(sandbox: Sandbox, example: Example) -> int:
    """Say that traffic flows and what to try, then wait for an end that nobody wanted."""
    async with sandbox:
        say(f"ready {sandbox.url}")
        suggest(sandbox.url, sandbox.plan.mode, example)
        raise MeshextError(await sandbox.wait())


async def try_all(sandbox: Sandbox, example: Example) -> int:
    """Send every call and, when all logs are written, show what happened; 1 where a call went wrong."""
    from meshext.cli.trying import show_results
    from meshext.sandbox.calls import try_call

    results: list[Result] = []
    async with sandbox:
        say(f"ready {sandbox.url}")
        for call in example.calls:
            results.append(await asyncio.to_thread(try_call, call, sandbox.url))
    show_results(results)
    return 0 if all(not result.problems for result in results) else 1


def suggest(url: str, mode: str, example: Example) -> None:
    """What to try, ready to paste."""
    from meshext.sandbox.calls import to_curl

    say(f"mode {mode}; try, in another terminal (Ctrl-C ends this):")
    for call in example.calls:
        say(f"  {to_curl(call, url)}    # {call.name}")


def say(line: str) -> None:
    """A line for the person, on standard output."""
    print(line, flush=True)


def write_log(line: str) -> None:
    """A line of somebody's log, on standard error; lost where that takes none, since traffic goes on."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
