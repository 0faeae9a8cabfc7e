"""`meshext sidecar`: a workload's Envoy, its certificate, its registration, and the application itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from meshext_controlplane.agent.options import SidecarOptions

from meshext_controlplane.cli.interception_options import OPTIONS as TRANSPARENT
from meshext_controlplane.cli.interception_options import also_taking
from meshext_controlplane.cli.workload_api_options import OPTIONS as WORKLOAD_API

TOKEN_VARIABLE = "MESHEXT_TOKEN"

Command = Annotated[
    list[str] | None,
    typer.Argument(metavar="COMMAND", help="The application and its arguments, after `--`; none runs none."),
]
ControlPlane = Annotated[
    str, typer.Option("--control-plane", metavar="HOST:PORT", help="Where the control plane listens.")
]
Join = Annotated[
    str,
    typer.Option(metavar="HOST:PORT", help="Its port for tokens. [default: the one after --control-plane's]"),
]
Token = Annotated[
    str,
    typer.Option(
        envvar=TOKEN_VARIABLE,
        metavar="TOKEN",
        help="From `meshext token create`, for the first start; `ps` does not show $MESHEXT_TOKEN.",
    ),
]
Name = Annotated[str, typer.Option(metavar="NAME", help="The workload's name. [default: this host's]")]
AddressOption = Annotated[
    str,
    typer.Option(metavar="IP", help="Where peers reach the sidecar. [default: as the control plane sees us]"),
]
Port = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        metavar="NUMBER[:NAME][/PROTOCOL]=ADDRESS",
        help="A port of the workload, and where the application listens: HOST:PORT or unix:PATH; with"
        " --transparent `=ADDRESS` may be left out. Repeat it.",
    ),
]
Gateway = Annotated[
    bool,
    typer.Option(
        "--gateway", help="No application: listen where the Gateway documents for its token's labels say."
    ),
]
Grpc = Annotated[
    bool,
    typer.Option(
        "--grpc",
        help="No Envoy: the application dials xds:///HOST:PORT with gRPC's own client, which finds the mesh"
        " by $GRPC_XDS_BOOTSTRAP.",
    ),
]
Outbound = Annotated[
    int,
    typer.Option(
        metavar="PORT",
        help="Of the application's HTTP proxy; with --transparent, where its connections are led to.",
        min=1,
        max=65535,
    ),
]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Repeat it.")]
LocalityOption = Annotated[str, typer.Option(metavar="REGION[/ZONE[/SUBZONE]]", help="Of this machine.")]
Weight = Annotated[int, typer.Option(metavar="N", help="Its share of requests.", min=1, max=128)]
ProbeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--probe",
        metavar="PROBE",
        help="When the application is ready: tcp[:PORT] or http[:PORT]/PATH. [default: tcp at each port]",
    ),
]
ProbePeriod = Annotated[float, typer.Option(metavar="SECONDS", help="Between two probes.", min=0.1, max=3600)]
ProbeTimeout = Annotated[float, typer.Option(metavar="SECONDS", help="For an answer.", min=0.05, max=600)]
ProbeFailures = Annotated[
    int, typer.Option(metavar="N", help="So many in a row, and it is not ready.", min=1, max=100)
]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Key, certificate, sockets. [default: ~/.local/state/meshext/sidecars/NAME]"
    ),
]
WriteCerts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Also write key, certificate and roots there as files of mode 0600."),
]
Workers = Annotated[
    int, typer.Option("--concurrency", metavar="N", help="Envoy's workers; 0 is one for each core.", min=0)
]
Sotw = Annotated[bool, typer.Option("--sotw", help="Ask for whole states instead of differences.")]
Stats = Annotated[
    str, typer.Option(metavar="IP:PORT", help="Where Prometheus may ask Envoy. [default: nowhere]")
]
Metrics = Annotated[
    str, typer.Option(metavar="IP:PORT", help="Where it may ask the sidecar itself. [default: nowhere]")
]
DrainDelay = Annotated[
    float, typer.Option(metavar="SECONDS", help="For peers to learn that it leaves.", min=0, max=3600)
]
Drain = Annotated[float, typer.Option(metavar="SECONDS", help="For open requests to end.", min=0)]
Grace = Annotated[float, typer.Option(metavar="SECONDS", help="For the application to end.", min=0)]
EnvoyLogLevel = Annotated[str, typer.Option(metavar="LEVEL", help="Of Envoy's own log.")]
LogLevel = Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")]
LogFormat = Annotated[str, typer.Option(metavar="FORMAT", help="text or json.")]


@also_taking((*WORKLOAD_API, *TRANSPARENT))
def sidecar(
    control_plane: ControlPlane,
    command: Command = None,
    join: Join = "",
    token: Token = "",
    name: Name = "",
    address: AddressOption = "",
    port: Port = None,
    gateway: Gateway = False,
    grpc: Grpc = False,
    outbound: Outbound = 15001,
    label: Label = None,
    locality: LocalityOption = "",
    weight: Weight = 1,
    probe: ProbeOption = None,
    probe_period: ProbePeriod = 2.0,
    probe_timeout: ProbeTimeout = 1.0,
    probe_failures: ProbeFailures = 3,
    data: Data = None,
    write_certs: WriteCerts = None,
    concurrency: Workers = 1,
    sotw: Sotw = False,
    stats: Stats = "",
    metrics: Metrics = "",
    drain_delay: DrainDelay = 2.0,
    drain: Drain = 30.0,
    grace: Grace = 10.0,
    envoy_log_level: EnvoyLogLevel = "warning",
    log_level: LogLevel = "info",
    log_format: LogFormat = "text",
    **more: Any,
) -> None:
    """Run an application in the mesh, behind an Envoy of its own, or a gateway.

    Only the first start needs a token. The way out is $HTTP_PROXY; with --transparent (as root, before the
    application joins the network) rules lead all there. SIGTERM lets requests end, a second one ends them.

    Example: meshext sidecar --control-plane cp.example:15010 --port 8080:http=127.0.0.1:9000 -- ./server
    """
    raise typer.Exit(start(locals()))


def start(words: dict[str, Any]) -> int:
    """Run the sidecar that the options ask for; what it ends with."""
    import asyncio
    import os

    from meshext.hosts.log_lines import configure_logging
    from meshext_controlplane.cli.sidecar_options import build_options, check_logging, complete
    from meshext_controlplane.cli.workload_api_options import listen_early

    given = {**words, **words["more"]}
    os.environ.pop(TOKEN_VARIABLE, None)  # what we start has no business with it
    check_logging(given["log_level"], given["log_format"])
    configure_logging(given["log_level"], given["log_format"])
    options = build_options(**given)
    if options.interception is not None:
        from meshext_controlplane.agent.interception.applying import become, intercept, show_rules

        if given["dry_run"]:
            print(show_rules(options.interception), end="")
            return 0
        intercept(options.interception)
        listening = listen_early(options, options.interception.user)
        become(options.interception, *filter(None, (options.data, options.certificates)))
        options = complete(listening)
    return asyncio.run(_run(options))


async def _run(options: SidecarOptions) -> int:
    from meshext_controlplane.agent.running import run_agent
    from meshext_controlplane.agent.stopping import Stop, asked_by_signals

    stop = Stop()
    with asked_by_signals(stop):
        return await run_agent(options, stop)
