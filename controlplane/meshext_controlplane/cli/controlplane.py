"""`meshext controlplane`: give sidecars their configuration and certificates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, VARIABLE

if TYPE_CHECKING:
    from meshext.hosts.address import Address
    from meshext_controlplane.server.options import ControlPlaneOptions
    from meshext_controlplane.server.ports import Ports

Config = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of documents, watched; without it `meshext apply` gives them."),
]
State = Annotated[
    Path,
    typer.Option(
        metavar="DIR", envvar=VARIABLE, help="Authority, tokens, applied documents; made where missing."
    ),
]
Listen = Annotated[str, typer.Option(metavar="ADDR", help="For sidecars: HOST:PORT.")]
Join = Annotated[str, typer.Option(metavar="ADDR", help="For joining with a token: HOST:PORT.")]
Metrics = Annotated[
    str, typer.Option(metavar="ADDR", help="Serve /metrics for Prometheus and /ready: HOST:PORT.")
]
AdminListen = Annotated[
    str, typer.Option(metavar="ADDR", help="Administration over mTLS, beside the local socket: HOST:PORT.")
]
Admin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NS/ACCOUNT=ROLE", help="Who may use it, by certificate: viewer or operator; repeat it."
    ),
]
Secret = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Passphrase or key that private keys in the state are sealed with."),
]
CaCert = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="An authority of your own for a first start, root or intermediate: PEM, up to the root.",
    ),
]
CaKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")]
SvidLife = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="Life of a workload's certificate; renewed at half of it.", min=60),
]
Init = Annotated[
    bool,
    typer.Option("--init", help="Begin anew although a control plane has run here and its state is lost."),
]
LogLevel = Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")]
LogFormat = Annotated[str, typer.Option(metavar="FORMAT", help="text or json.")]


def controlplane(
    config: Config = None,
    state: State = DEFAULT_STATE,
    listen: Listen = "127.0.0.1:15010",
    join_listen: Join = "127.0.0.1:15011",
    metrics: Metrics = "",
    admin_listen: AdminListen = "",
    admin: Admin = None,
    secret_file: Secret = None,
    ca_cert: CaCert = None,
    ca_key: CaKey = None,
    svid_life: SvidLife = 86_400,
    init: Init = False,
    log_level: LogLevel = "info",
    log_format: LogFormat = "text",
) -> None:
    """Serve configuration (xDS) and certificates to the sidecars of a mesh.

    Documents are Istio's kinds, as YAML; of a wrong one, told with its place, the last good version stays.

    Example: meshext controlplane --config mesh/ --state /var/lib/meshext --listen 0.0.0.0:15010
    """
    from meshext.hosts.address import parse_address
    from meshext_controlplane.server.options import ControlPlaneOptions
    from meshext_controlplane.server.roles import parse_roles

    options = ControlPlaneOptions(
        config=config,
        state=state,
        listen=parse_address(listen),
        join=parse_address(join_listen),
        metrics=optional(metrics),
        admin=optional(admin_listen),
        roles=parse_roles(admin or []),
        secret=read_secret(secret_file),
        init=init,
        life=timedelta(seconds=svid_life),
        authority=pair(ca_cert, ca_key),
    )
    serve(options, log_level, log_format)


def serve(options: ControlPlaneOptions, log_level: str, log_format: str) -> None:
    """Run it, and say where it listens."""
    from asyncio import run

    from meshext.hosts.log_lines import configure_logging
    from meshext_controlplane.server.running import run_control_plane

    configure_logging(log_level, log_format)
    run(run_control_plane(options, announce))


def optional(address: str) -> Address | None:
    """An address that need not be given."""
    from meshext.hosts.address import parse_address

    return parse_address(address) if address else None


def pair(certificates: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Both files or none; OptionError where one is missing."""
    from meshext.errors import OptionError

    if certificates is None and key is None:
        return None
    if certificates is None or key is None:
        raise OptionError("--ca-cert and --ca-key go together; give both")
    return certificates, key


def read_secret(path: Path | None) -> bytes | None:
    """The passphrase or key in a file, without the end of its line; OptionError where it can not be read."""
    from meshext.errors import OptionError

    if path is None:
        return None
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise OptionError(f"--secret-file {path}: {error.strerror}") from None


def announce(ports: Ports) -> None:
    """Say where it listens."""
    print(f"serving xds {ports.ads}\nserving joining {ports.join}", flush=True)
    if ports.metrics is not None:
        print(f"serving metrics {ports.metrics}", flush=True)
    if ports.remote_admin is not None:
        print(f"serving administration {ports.remote_admin}", flush=True)
