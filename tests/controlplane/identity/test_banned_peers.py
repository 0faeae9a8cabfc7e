"""The real Envoy with what a workload is given: a banned peer is refused, also with a session from before."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshext.envoy.process import EnvoyProcess
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.keys import PrivateKey, new_key, to_pkcs8
from meshext_controlplane.identity.opening import create_authority, open_authority
from meshext_controlplane.identity.profiles import SVID_LIFE
from meshext_controlplane.identity.svid import Svid, Trust, to_pem
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import API, WEB, Hands
from tests.controlplane.identity.requests import csr

pytestmark = pytest.mark.envoy

TYPE = "type.googleapis.com/envoy.extensions"
HTTP = f"{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager"


@pytest.mark.parametrize("leaf_only", [True, False])
def test_a_banned_identity_is_refused(
    leaf_only: bool, store: StateStore, authority: CertificateAuthority, tmp_path: Path
) -> None:
    async def run() -> None:
        server, good, bad = (Held(authority, each) for each in (API, API, WEB))
        write_secrets(tmp_path, server, leaf_only=leaf_only)
        async with await EnvoyProcess.start(bootstrap(tmp_path), tmp_path / "run", concurrency=1) as envoy:
            port = envoy.port("main")
            clients = good.to_client(tmp_path / "good"), bad.to_client(tmp_path / "bad")
            before, session = await ask(port, clients[1])
            assert (before, (await ask(port, clients[0]))[0]) == (200, 200)
            assert await ask(port, clients[1], session) == (200, "resumed")

            Bans(store, authority).add(str(WEB))
            write_secrets(tmp_path, server, leaf_only=leaf_only)
            while (await ask(port, clients[1]))[0] == 200:
                pass
            assert (await ask(port, clients[1], session))[0] is None
            assert (await ask(port, clients[0]))[0] == 200

            Bans(store, authority).lift(str(WEB))
            write_secrets(tmp_path, server, leaf_only=leaf_only)
            while (await ask(port, clients[1]))[0] != 200:
                pass

    asyncio.run(run())


def test_a_renewed_issuing_authority_keeps_its_crl(clock: Hands, tmp_path: Path) -> None:
    """A peer that knows only the CRL from before takes one from after, and refuses who was banned."""

    async def run(store: StateStore) -> None:
        clock.pass_by(days=-200)
        create_authority(store, "shop.example", clock=clock)
        authority = open_authority(store, clock=clock)
        before = authority.issuer.certificate
        clock.pass_by(days=182)
        bad, server = (Held(authority, each, life=timedelta(days=30)) for each in (WEB, API))
        Bans(store, authority).add(bad.svid.serial)
        trust = authority.trust()
        clock.pass_by(days=18)
        good = Held(authority, API)
        assert authority.issuer.certificate != before
        assert open_authority(store, clock=clock).issuer.certificate == authority.issuer.certificate
        write_secrets(tmp_path, server, leaf_only=False, trust=trust)
        async with await EnvoyProcess.start(bootstrap(tmp_path), tmp_path / "run", concurrency=1) as envoy:
            port = envoy.port("main")
            assert (await ask(port, good.to_client(tmp_path / "good")))[0] == 200
            assert (await ask(port, bad.to_client(tmp_path / "bad")))[0] is None

    with StateStore(tmp_path / "old") as store:
        asyncio.run(run(store))


class Held:
    """A key and its certificate."""

    def __init__(
        self, authority: CertificateAuthority, identity: SpiffeId, *, life: timedelta = SVID_LIFE
    ) -> None:
        self.key: PrivateKey = new_key()
        self.svid: Svid = authority.issue(csr(key=self.key), identity, life=life)
        self.authority = authority

    def to_client(self, folder: Path) -> ssl.SSLContext:
        """TLS that shows the certificate and verifies the other side's up to the root."""
        folder.mkdir()
        (folder / "chain").write_bytes(to_pem(self.svid.chain))
        (folder / "key").write_bytes(to_pkcs8(self.key, Encoding.PEM))
        context = ssl.create_default_context(cadata=to_pem(self.authority.roots).decode())
        context.check_hostname = False
        context.load_cert_chain(folder / "chain", folder / "key")
        return context


async def ask(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | str | None = None
) -> tuple[int | None, Any]:
    """The status of a request on a new connection, None where it is refused; and its session."""
    return await asyncio.to_thread(_ask, port, context, session)


def _ask(port: int, context: ssl.SSLContext, session: Any) -> tuple[int | None, Any]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        try:
            with context.wrap_socket(raw, server_hostname="any", session=session) as tls:
                tls.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                head = tls.recv(4096)
                status = int(head.split()[1]) if head else None
                return status, "resumed" if tls.session_reused else tls.session
        except (ssl.SSLError, ConnectionError):
            return None, None


def write_secrets(folder: Path, held: Held, *, leaf_only: bool, trust: Trust | None = None) -> None:
    """Both secrets as files that Envoy watches."""
    now = trust or held.authority.trust()
    crls = b"".join(x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in now.revocations)
    context = {
        "trusted_ca": {"inline_string": to_pem(now.roots).decode()},
        "crl": {"inline_string": crls.decode()},
        "only_verify_leaf_cert_crl": leaf_only,
    }
    certificate = {
        "certificate_chain": {"inline_string": to_pem(held.svid.chain).decode()},
        "private_key": {"inline_string": to_pkcs8(held.key, Encoding.PEM).decode()},
    }
    for name, body in (
        ("ROOTCA", {"validation_context": context}),
        ("default", {"tls_certificate": certificate}),
    ):
        kind = f"{TYPE}.transport_sockets.tls.v3.Secret"
        part = folder / f"{name}.part"
        part.write_text(json.dumps({"resources": [{"@type": kind, "name": name, **body}]}))
        part.rename(folder / f"{name}.json")


def bootstrap(folder: Path) -> str:
    """A listener with mTLS that answers 200."""

    def sds(name: str) -> dict[str, object]:
        return {"name": name, "sds_config": {"path_config_source": {"path": str(folder / f"{name}.json")}}}

    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": HTTP,
        "stat_prefix": "main",
        "route_config": {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": [answer]}]},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": f"{TYPE}.filters.http.router.v3.Router"},
            }
        ],
    }
    tls = {
        "@type": f"{TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_certificate_sds_secret_configs": [sds("default")],
            "validation_context_sds_secret_config": sds("ROOTCA"),
        },
    }
    listener = {
        "name": "main",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [
            {
                "transport_socket": {"name": "tls", "typed_config": tls},
                "filters": [{"name": "http", "typed_config": manager}],
            }
        ],
    }
    node = {"id": "test", "cluster": "test"}
    return json.dumps({"node": node, "static_resources": {"listeners": [listener]}})
