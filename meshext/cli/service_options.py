"""The options of a service, as `meshext serve` and `meshext run` both take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext.errors import OptionError

if TYPE_CHECKING:
    from meshext.hosts.options import ServiceOptions, TlsFiles

Specs = Annotated[
    list[str], typer.Argument(metavar="SPEC...", help="path/to/file.py:Class, module:Class or a name.")
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Processes that serve; about one for each core. Envoy makes one connection for each of its "
        "threads, and a connection stays with one worker.",
    ),
]
Drain = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="How long open exchanges may go on after SIGTERM or Ctrl-C."),
]
MaxInFlight = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Open exchanges in each worker; what comes on top is refused at once and gets the filter's "
        "failure mode.",
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Load code and configuration again when they change; what is wrong is said and not taken.",
    ),
]
Store = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="Where self.store keeps its data: redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// (TLS), "
        "unix:///PATH, redis+cluster://HOST,HOST or redis+sentinel://HOST,HOST/SERVICE[/DB]; behind a ? "
        "patience=SECONDS that a call waits (0.025), and options of the redis library such as ssl_ca_certs. "
        "By default in memory, which several workers share.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(metavar="HOST:PORT", help="Answer Prometheus at /metrics there: one total of all workers."),
]
Otel = Annotated[
    bool,
    typer.Option("--otel", help="Traces and metrics to OpenTelemetry; OTEL_* variables say where and what."),
]
LogFormat = Annotated[str, typer.Option(metavar="text|json", help="Log lines for people or for programs.")]
TlsCert = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Serve TLS with this certificate (PEM); read again on change."),
]
TlsKey = Annotated[str | None, typer.Option(metavar="FILE", help="Its private key (PEM).")]
ClientCa = Annotated[
    str | None, typer.Option(metavar="FILE", help="Refuse clients without a certificate of this CA (mTLS).")
]
LogLevel = Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")]


def build_options(
    *,
    listen: str,
    config: Sequence[str] | None,
    tls_cert: str | None,
    tls_key: str | None,
    client_ca: str | None,
    watch: bool,
    **given: Any,
) -> ServiceOptions:
    """What `meshext serve` was given, each argument by its name there; OptionError where it means nothing."""
    from meshext.hosts.options import CONNECTION_AGE, WATCHED_AGE, ServiceOptions

    return ServiceOptions(
        address=listen,
        configs=tuple(config or ()),
        tls=build_tls(tls_cert, tls_key, client_ca),
        watch=watch,
        connection_age=WATCHED_AGE if watch else CONNECTION_AGE,
        **{**given, "specs": tuple(given["specs"])},
    )


def build_tls(cert: str | None, key: str | None, client_ca: str | None) -> TlsFiles | None:
    """The TLS files of the service's own port; OptionError where one is missing or wrong."""
    from meshext.hosts.credentials import Certificates
    from meshext.hosts.options import TlsFiles

    if not cert and not key:
        if client_ca:
            raise OptionError("--client-ca needs --tls-cert and --tls-key")
        return None
    if not cert or not key:
        raise OptionError("--tls-cert and --tls-key go together")
    files = TlsFiles(cert=cert, key=key, client_ca=client_ca or "")
    Certificates(files)
    return files
