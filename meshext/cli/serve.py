"""`meshext serve`: filters as a service beside Envoy."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help="path/to/file.py:Class, module:Class or a name.")
    ],
    listen: Annotated[
        str, typer.Option(metavar="ADDR", help="HOST:PORT (port 0 takes a free one) or unix:PATH.")
    ] = "127.0.0.1:9000",
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
        ),
    ] = None,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve filters to Envoy: ext_authz, ext_proc and gRPC health on one port.

    Filters run in the order given. One line `serving ADDR` on standard output says that it listens.

    Example: meshext serve filters/examples/01_hello/filter.py:Hello --listen unix:/run/hello.sock
    """
    import logging

    from meshext.hosts.address import Address, parse_address
    from meshext.hosts.log_lines import configure_logging
    from meshext.hosts.supervisor import Supervisor

    if log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise typer.BadParameter(f"{log_level!r} is not a level; write debug, info, warning or error")
    configure_logging(log_level)
    logging.captureWarnings(True)

    def ready(address: Address) -> None:
        print(f"serving {address}", flush=True)

    supervisor = Supervisor(specs, config or (), parse_address(listen), log_level=log_level, ready=ready)
    raise typer.Exit(supervisor.run())
