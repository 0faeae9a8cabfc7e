"""Applications that prove who they are to each other by themselves, with what the Workload API gives them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding
from spiffe import TrustDomain, X509Source
from spiffe.workloadapi.x509_context import X509Context

from e2e.mesh.processes import PATIENCE
from e2e.mesh.world import Member

DOMAIN = TrustDomain("cluster.local")


def uri_of(member: Member) -> str:
    """The socket of a member's Workload API, as its application is told."""
    return f"unix://{member.folder / 'data' / 'workload.sock'}"


class Watched:
    """An X509Source that counts what it is told."""

    def __init__(self, member: Member) -> None:
        self.updates = 0
        self._changed = threading.Condition()
        self.source = X509Source(socket_path=uri_of(member), timeout_in_seconds=PATIENCE)
        self.source.subscribe_for_updates(self._note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.close()

    @property
    def context(self) -> X509Context:
        """The certificate and the roots of the moment."""
        return self.source.get_x509_context()

    @property
    def serial(self) -> int:
        """Of the certificate of the moment."""
        return self.context.default_svid.leaf.serial_number

    @property
    def roots(self) -> frozenset[bytes]:
        """DER of those that are trusted."""
        bundle = self.context.x509_bundle_set.get_bundle_for_trust_domain(DOMAIN)
        assert bundle is not None
        return frozenset(each.public_bytes(Encoding.DER) for each in bundle.x509_authorities)

    def wait(self, what: str, check: Callable[[Watched], object]) -> None:
        """Until that is so; it looks whenever it is told something."""
        with self._changed:
            assert self._changed.wait_for(lambda: check(self), PATIENCE), f"still not: {what}"

    def _note(self) -> None:
        with self._changed:
            self.updates += 1
            self._changed.notify_all()


def tls_context(context: X509Context, folder: Path, *, server: bool) -> ssl.SSLContext:
    """TLS with a certificate and for peers of the mesh alone."""
    svid = context.default_svid
    svid.save(folder / "chain.pem", folder / "key.pem", Encoding.PEM)
    bundle = context.x509_bundle_set.get_bundle_for_trust_domain(DOMAIN)
    assert bundle is not None
    bundle.save(folder / "roots.pem", Encoding.PEM)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(folder / "roots.pem")
    made.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return made


def peer_of(link: ssl.SSLObject | ssl.SSLSocket) -> str:
    """The SPIFFE ID that the peer has proved."""
    names: Any = (link.getpeercert() or {})["subjectAltName"]
    (found,) = [value for kind, value in names if kind == "URI"]
    return str(found)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[str, str]:
    """Whom each of both sees, the client's view first; ssl.SSLError where one refuses the other."""
    here, there, back, forth = (ssl.MemoryBIO() for _ in range(4))
    first = client.wrap_bio(here, forth)
    second = server.wrap_bio(there, back, server_side=True)
    waiting = {first, second}
    while waiting:
        for each in list(waiting):
            try:
                each.do_handshake()
                waiting.discard(each)
            except ssl.SSLWantReadError:
                pass
            there.write(forth.read())
            here.write(back.read())
    return peer_of(first), peer_of(second)
