"""`meshext config`: what one's own Envoy needs for filters, as YAML to paste, or put into a bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meshext.envoy.insertion import Insertion
    from meshext.envoy.service_cluster import Backend
    from meshext.plan import Plan

DEFAULT_ADDRESS = "127.0.0.1:9000"

Specs = Annotated[
    list[str], typer.Argument(metavar="SPEC...", help="path/to/file.py:Class, module:Class or a name.")
]
Mode = Annotated[
    str | None,
    typer.Option(
        metavar="proc|authz|wasm", help="By default the service that does least; wasm runs inside Envoy."
    ),
]
Configs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
    ),
]
ServiceAddress = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDR",
        help="Where `meshext serve` listens: HOST:PORT or unix:PATH; repeatable. [default: 127.0.0.1:9000]",
    ),
]
Ca = Annotated[
    str | None, typer.Option(metavar="FILE", help="The service speaks TLS: the CA of its certificate (PEM).")
]
ServerName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A name in that certificate; by default the host of the address."),
]
ClientCert = Annotated[
    str | None, typer.Option(metavar="FILE", help="The certificate that Envoy shows the service (PEM).")
]
ClientKey = Annotated[str | None, typer.Option(metavar="FILE", help="Its private key (PEM).")]
ModuleFile = Annotated[
    str | None,
    typer.Option(
        "--module",
        metavar="FILE",
        help="With --mode wasm: where Envoy finds the module. [default: the filter's name.wasm]",
    ),
]
Into = Annotated[
    str | None, typer.Option(metavar="FILE", help="Put it into this bootstrap and print the whole.")
]


def config(
    specs: Specs,
    mode: Mode = None,
    config: Configs = None,
    address: ServiceAddress = None,
    ca: Ca = None,
    server_name: ServerName = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    module: ModuleFile = None,
    into: Into = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the parts as JSON.")] = False,
) -> None:
    """Print what Envoy needs to ask `meshext serve`: HTTP filter, cluster, and settings around them.

    All of it is derived from the filters. With --into the file itself stays as it is.

    Examples:
      meshext config filter.py:Hello --address unix:/run/hello.sock
      meshext config filter.py:Hello --mode proc --into envoy.yaml > with-hello.yaml
      meshext config filter.py:Hello --mode wasm --module /etc/envoy/hello.wasm --into envoy.yaml > with.yaml
    """
    from meshext.cli.faults import UsageError
    from meshext.cli.selection import load_quietly, parse_mode
    from meshext.loading import load_needs
    from meshext.plan import build_plan

    if as_json and into:
        raise UsageError("--json and --into do not go together")
    chosen = parse_mode(mode)
    service = parse_backend(address or [DEFAULT_ADDRESS], (ca, server_name, client_cert, client_key))
    configs = config or ()
    if chosen == "wasm":
        print(wasm_text(specs, configs, file=module or "", into=into, as_json=as_json), end="")
        return
    plan = build_plan(load_quietly(lambda: load_needs(specs, configs)), chosen)
    print(service_text(plan, service, serve_command(specs, configs, service), into, as_json=as_json), end="")


def service_text(plan: Plan, service: Backend, command: str, into: str | None, *, as_json: bool) -> str:
    """What Envoy needs to ask a service that this command starts."""
    if into:
        return insert(into, plan, inserter(plan, service))
    return to_json(plan, service) if as_json else to_text(plan, service, command=command)


def wasm_text(
    specs: Sequence[str], configs: Sequence[str], *, file: str, into: str | None, as_json: bool
) -> str:
    """What Envoy needs to run the filters itself, from a module that `meshext build` makes."""
    import json

    from meshext.cli.envoy_parts import build_settings, has_bodies
    from meshext.cli.runtimes import find_embedding
    from meshext.cli.selection import load_quietly
    from meshext.envoy.bootstrap import buffer_limit
    from meshext.envoy.emit import emit_yaml, to_data
    from meshext.envoy.insertion import insert_module
    from meshext.envoy.wasm_filter import build_wasm_filters
    from meshext.envoy.wasm_stats import build_stats_config
    from meshext.plan import build_plan

    _, outline = find_embedding("wasm")
    module, needs = load_quietly(lambda: outline(specs, configs, file))
    plan = build_plan(needs, "wasm")
    if into:
        return insert(into, plan, lambda text, source: insert_module(text, plan, module, source=source))
    parts = {
        "http_filters": [to_data(each) for each in build_wasm_filters(module)],
        "http_connection_manager": build_settings(plan),
        "listener": {"per_connection_buffer_limit_bytes": buffer_limit(plan)} if has_bodies(plan) else {},
        "bootstrap": {"stats_config": to_data(build_stats_config(module.labels))},
    }
    if as_json:
        return json.dumps({"mode": "wasm", **parts}, indent=2) + "\n"
    command = f"meshext build {' '.join(specs)} -o {module.file}"
    return f"# Envoy reads the module from a file, made by:\n#   {command}\n\n{emit_yaml(parts)}"


def parse_backend(addresses: Sequence[str], tls: tuple[str | None, ...]) -> Backend:
    """The service at these addresses; `tls` is CA, name, certificate and key, None where not given."""
    from meshext.envoy.service_cluster import Backend
    from meshext.envoy.service_tls import parse_service_tls
    from meshext.envoy.upstreams import parse_address

    places = tuple(parse_address(each, source="--address") for each in addresses)
    ca, name, certificate, key = tls
    return Backend(addresses=places, tls=parse_service_tls(ca, name, certificate, key, places[0]))


def inserter(plan: Plan, service: Backend) -> Callable[[str, str], Insertion]:
    """What puts a service's filters into a bootstrap, given as its text and where that came from."""
    from meshext.envoy.insertion import insert_filter

    return lambda text, source: insert_filter(text, plan, service, source=source)


def insert(bootstrap: str, plan: Plan, put: Callable[[str, str], Insertion]) -> str:
    """The bootstrap with the filters in it; what in it weakens them is said on stderr."""
    from meshext.cli.envoy_parts import find_notes
    from meshext.cli.output import print_warning
    from meshext.config import read_config

    document = read_config(bootstrap)
    insertion = put(document.text, document.source)
    for warning in [*insertion.warnings, *find_notes(plan, bootstrap=document.text)]:
        print_warning(warning)
    return insertion.text


def to_json(plan: Plan, service: Backend) -> str:
    """The parts under the names that the YAML form has."""
    import json

    from meshext.cli.envoy_parts import build_parts

    return json.dumps(build_parts(plan, service), indent=2) + "\n"


def to_text(plan: Plan, service: Backend, *, command: str) -> str:
    """The parts as YAML, with comments that say where each belongs and how the service is started."""
    from meshext.cli.envoy_parts import build_settings, comment, find_notes
    from meshext.envoy.emit import emit_yaml
    from meshext.envoy.insertion import emit_config

    notes = "".join(comment(f"- {note}") for note in find_notes(plan))
    settings = {"http_connection_manager": build_settings(plan)}
    return (
        f"# Envoy asks this service:\n#   {command}\n\n{emit_config(plan, service)}\n"
        "# Settings of that same connection manager. They leave a path one reading only, so that filters\n"
        "# decide on the path that the upstream gets. Behind a trusted proxy leave use_remote_address out.\n"
        f"{emit_yaml(settings)}" + (f"\n# Mind:\n{notes}" if notes else "")
    )


def serve_command(specs: Sequence[str], configs: Sequence[str], service: Backend) -> str:
    """The command that serves the filters, to copy into a shell; an inline configuration is left out of it.

    It may hold secrets, and what is printed here is meant to be kept.
    """
    import shlex

    from meshext.config.documents import looks_like_json

    shown = ["JSON" if looks_like_json(given) else given for given in configs]
    options = [word for given in shown for word in ("--config", given)]
    if service.tls:
        options += ["--tls-cert", "FILE", "--tls-key", "FILE"]
        options += ["--client-ca", "FILE"] if service.tls.certificate else []
    listen = str(service.addresses[0])
    if len(service.addresses) > 1 and listen.startswith("unix:"):  # one for each worker
        listen = listen.removesuffix(".0")
        options += ["--workers", str(len(service.addresses))]
    command = shlex.join(["meshext", "serve", *specs, *options, "--listen", listen])
    return "\n#   ".join(command.splitlines())
