"""What all listeners of a run share: authorities, callers, issuers of tokens, and the filters' services."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.limiting import slow
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.ways.attempts import USED_UP
from e2e.ways.callers import issue_all
from e2e.ways.policy import CONFIG
from e2e.ways.tokens import Issuers
from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.service import ServiceProcess
from meshext_controlplane.agent.filters import WantedFilter, lead, to_options
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.translate.translator import Translator
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

GUARD = f"{Path(__file__).with_name('guards.py')}:Guard"
LIMITS = {
    "rules": [
        {
            "name": "caller",
            "match": {"paths": ["/limited/*"]},
            "by": ["header:x-caller", "header:x-ground"],
            "limits": [slow(1_000_000)],
            "overrides": [{"callers": {"header:x-caller": [USED_UP]}, "limits": [slow(1)]}],
        }
    ]
}
"""One hit for a caller, at each listener that is tried."""


def policies(runtime: str, direction: str) -> Iterator[dict[str, Any]]:
    """The policy as a runtime has it, and in those that ask filters two filters more."""
    config = yaml.safe_load(CONFIG)
    if runtime == "native":
        yield from config["policies"]
        return
    filters = (("guard", GUARD, None, 2), ("limits", "rate-limit", LIMITS, 1))
    for name, spec, own, priority in (*filters, ("policy", "authorization-policy", config, 0)):
        yield {
            "apiVersion": "meshext.dev/v1",
            "kind": "FilterPolicy",
            "metadata": {"name": f"{name}-{direction}", "namespace": "shop"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "direction": direction,
                "filter": spec,
                "phase": "AUTHZ",
                "priority": priority,
                "mode": runtime,
                **({"config": own} if own else {}),
            },
        }


def authentication(issuers: Issuers, keys: str) -> dict[str, Any]:
    """The RequestAuthentication that believes the issuers; some keys are fetched at `keys`."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "tokens", "namespace": "shop"},
        "spec": {"jwtRules": issuers.rules(keys)},
    }


@dataclass(slots=True)
class Scene:
    """Shared by every listener of a run; what is opened ends with `stack`."""

    stack: ExitStack
    folder: Path
    background: Background = field(default_factory=Background)
    issuers: Issuers = field(default_factory=Issuers)
    pairs: dict[str, Pair] = field(default_factory=dict)
    services: dict[tuple[str, str], Path] = field(default_factory=dict)
    authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        self.stack.callback(self.background.close)
        self.authority = Authority(self.folder, "ca")
        self.pairs = issue_all(self.authority, Authority(self.folder, "foreign"))

    def contexts(self) -> dict[str, ssl.SSLContext]:
        """TLS of every caller; "" shows nothing."""
        return {"": plain_client(), **{name: pair.to_client() for name, pair in self.pairs.items()}}

    def server(self, name: str) -> Pair:
        """A certificate for both ends, of a service account of the mesh."""
        sans: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(f"spiffe://td.test/ns/shop/sa/{name}"),
            x509.DNSName("localhost"),
        ]
        return self.authority.issue(f"server-{name}", sans, more=(ExtendedKeyUsageOID.SERVER_AUTH,))

    def serve(self, wanted: WantedFilter) -> Path:
        """The socket of a filter's service; one serves all that want the same."""
        key = (wanted.spec, wanted.config)
        if key not in self.services:
            socket = self.folder / f"service-{len(self.services)}.sock"
            started = self.background.run(
                ServiceProcess.start(to_options(wanted, socket), on_line=lambda _: None)
            )
            self.stack.callback(lambda: self.background.run(started.stop()))
            self.services[key] = socket
        return self.services[key]

    def proxy(
        self,
        stack: ExitStack,
        texts: Iterable[str],
        *,
        transparent: Transparent | None = None,
        background: Background | None = None,
        envoy: Callable[[Path], Path] | None = None,
    ) -> tuple[EnvoyProcess, Mesh]:
        """A running Envoy for the first workload of a mesh, with its certificate and filters.

        It is started in the network of `background`; `envoy` makes the program, given the folder it runs in.
        """
        mesh = parse_mesh("\n---\n".join(texts))
        translator, workload = Translator(mesh), mesh.workloads[0]
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mx-")))
        for each in translator.services_of(workload):
            wanted = WantedFilter(each.name, each.filter, each.config, each.socket)
            lead(folder / each.socket, self.serve(wanted))
        own = self.server(workload.name)
        stack.enter_context(serving_secrets(folder / "sds.sock", build_secrets(own, self.authority.file)))
        snapshot = translator.snapshot(proxy_of(workload, transparent=transparent))
        bootstrap = json.dumps(to_bootstrap(snapshot, sds=folder / "sds.sock"))
        program = envoy(folder) if envoy else None
        listeners = None if transparent is None else ("virtual-inbound", "virtual-outbound")
        starting = background or self.background
        started = starting.run(
            EnvoyProcess.start(
                bootstrap, folder, concurrency=1, within=True, envoy=program, listeners=listeners
            )
        )
        stack.callback(lambda: starting.run(started.stop()))
        return started, mesh


@contextmanager
def opened_scene() -> Iterator[Scene]:
    """A scene, and its end."""
    with TemporaryDirectory(prefix="mx-") as name, ExitStack() as stack:
        yield Scene(stack, Path(name))
