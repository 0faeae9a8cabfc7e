"""Claims about who is who, tried with connections of our own past every sidecar."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from meshext_controlplane.demo.claims.stage import (
    STOREFRONT,
    ClaimFails,
    Stage,
    expect,
    expect_status,
    identity_of,
    new_mark,
    only,
)
from meshext_controlplane.demo.strangers import make_stranger
from meshext_controlplane.demo.visits import Answer, Visit, call_directly
from meshext_controlplane.up.instances import Instance

LONGEST_LIFE = timedelta(hours=24, minutes=5)  # the default life, and the clock's leeway
FORGED = "By=spiffe://x;URI=spiffe://cluster.local/ns/shop/sa/storefront"
HEALTH = Visit(url="http://anything/healthz")


async def every_workload_has_a_certificate(stage: Stage) -> str:
    """Each sidecar shows a certificate with its own identity, and no longer a life than a day."""
    shortest = timedelta.max
    for each in stage.servers:
        certificate = await fetch_certificate(each)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        expect(uris == [stage.identity(each)], f"{each.node} shows {uris}")
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        expect(timedelta(0) < left <= LONGEST_LIFE, f"{each.node}'s certificate has {left} left")
        shortest = min(shortest, left)
    return f"{len(stage.servers)} sidecars, at least {shortest.total_seconds() / 3600:.1f} h left"


async def the_caller_is_known(stage: Stage) -> str:
    """The called application and its sidecar know the caller by the certificate, whatever he writes."""
    mark = new_mark()
    visit = Visit(url=f"{STOREFRONT}/?{mark}", headers={"x-user": "ann", "x-forwarded-client-cert": FORGED})
    answer = await stage.call(visit)
    expect_status(answer, 200, "a visit")
    caller = answer.value["caller"] if isinstance(answer.value, dict) else None
    expect(caller == identity_of("customers"), f"the storefront was told that {caller} calls")
    call = only(await stage.logged(mark, "storefront"), "the visit")
    expect(call.peer == identity_of("customers"), f"the sidecar has logged {call.peer or 'nobody'}")
    return f"{call.peer} in the application and in the log; what he claimed is gone"


async def plain_text_is_refused(stage: Stage) -> str:
    """A request without TLS gets no answer of HTTP from any sidecar."""
    for each in stage.servers:
        expect_none(await ask(each, None), each, "in plain text")
    return f"{len(stage.servers)} sidecars, no answer from any"


async def strangers_are_refused(stage: Stage) -> str:
    """TLS without a client certificate, or with one of somebody else's authority, gets no answer."""
    for each in stage.servers:
        expect_none(await ask(each, blind_context()), each, "without a certificate")
        with foreign_context(identity_of("storefront")) as context:
            expect_none(await ask(each, context), each, "with a foreign certificate")
    return f"{len(stage.servers)} sidecars; the foreign one says that it is the storefront"


async def ask(instance: Instance, tls: ssl.SSLContext | None) -> Answer:
    """One direct call to a workload's first port."""
    return await call_directly(instance.address, instance.ports[0].port, HEALTH, tls)


def expect_none(answer: Answer, instance: Instance, how: str) -> None:
    """ClaimFails where there was an answer, or where nobody listens, which would prove nothing."""
    expect(answer.status == 0, f"{instance.node} answers {answer.told()} {how}")
    reason = answer.body.decode(errors="replace")
    expect("Connect call failed" not in reason, f"{instance.node} is not there: {reason}")


def blind_context() -> ssl.SSLContext:
    """TLS that verifies nothing, since only what the other side does is looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def foreign_context(uri: str) -> Iterator[ssl.SSLContext]:
    """The same with a certificate for that URI from an authority that nobody knows."""
    with tempfile.TemporaryDirectory(prefix="mx-") as folder:
        file = Path(folder) / "stranger.pem"
        file.touch(mode=0o600)
        file.write_bytes(make_stranger(uri))
        context = blind_context()
        context.load_cert_chain(file)
        yield context


async def fetch_certificate(instance: Instance) -> x509.Certificate:
    """What a sidecar shows to whoever connects."""
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(
                instance.address, instance.ports[0].port, ssl=blind_context(), server_hostname="x"
            )
    except (OSError, TimeoutError) as error:
        raise ClaimFails(f"{instance.node} does not speak TLS: {error}") from None
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der)
