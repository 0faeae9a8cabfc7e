"""`meshext serve`: filters as a service beside Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from meshext.cli.service_options import (
    ClientCa,
    Config,
    Drain,
    LogFormat,
    LogLevel,
    MaxInFlight,
    Metrics,
    Otel,
    Specs,
    Store,
    TlsCert,
    TlsKey,
    Watch,
    Workers,
)

if TYPE_CHECKING:
    from meshext.hosts.address import Address
    from meshext.hosts.report import Report

Listen = Annotated[
    str, typer.Option(metavar="ADDR", help="HOST:PORT (port 0 takes a free one) or unix:PATH.")
]


def serve(
    specs: Specs,
    listen: Listen = "127.0.0.1:9000",
    config: Config = None,
    workers: Workers = 1,
    drain: Drain = 30.0,
    max_in_flight: MaxInFlight = 10_000,
    watch: Watch = False,
    store: Store = "",
    metrics: Metrics = "",
    otel: Otel = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    client_ca: ClientCa = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = "text",
) -> None:
    """Serve filters to Envoy: ext_authz, ext_proc and gRPC health on one port.

    Filters run in the order given. One line `serving ADDR` for each address on standard output says that it
    listens; of a Unix socket each of several workers has its own, PATH.0, PATH.1 and so on, and Envoy's
    cluster names them all. SIGTERM and Ctrl-C let open exchanges end; a second one ends them.

    Example: meshext serve filters/examples/01_hello/filter.py:Hello --listen unix:/run/hello.sock
    """
    given = dict(locals())
    from meshext.cli.service_options import build_options
    from meshext.hosts.log_lines import configure_logging
    from meshext.hosts.supervisor import Supervisor

    options = build_options(**given)
    configure_logging(options.log_level, options.log_format)
    raise typer.Exit(Supervisor(options, ready=announce).run())


def announce(addresses: tuple[Address, ...], _report: Report) -> None:
    """Say where it listens."""
    print("\n".join(f"serving {address}" for address in addresses), flush=True)
