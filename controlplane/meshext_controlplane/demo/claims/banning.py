"""A claim about whom the mesh takes in, and whom it throws out again, tried by joining it ourselves."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.errors import JoinError
from meshext_controlplane.agent.joining import join
from meshext_controlplane.agent.svid import Svid, make_key
from meshext_controlplane.demo.claims.stage import STOREFRONT, ClaimFails, Stage, expect, identity_of
from meshext_controlplane.demo.visits import Visit, call_directly
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.tokens import JoinToken
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.up.tokens import create_tokens

INSPECTOR = "inspector"
PATIENCE = 10.0  # seconds for a ban to be in force
VISIT = Visit(url=f"{STOREFRONT}/")


async def the_banned_are_refused(stage: Stage) -> str:
    """Who joins with a token is let in by its certificate; the token joins once; who is banned is refused."""
    token = await make_token(stage)
    svid = await join_mesh(stage, token)
    storefront = stage.instance("storefront")
    port = storefront.ports[0].port
    with shown(svid) as tls:
        answer = await call_directly(storefront.address, port, VISIT, tls)
        caller = answer.value.get("caller") if isinstance(answer.value, dict) else None
        expect(caller == identity_of(INSPECTOR), f"who has joined is answered {answer.told()}")
        await expect_used(stage, token)
        await asyncio.to_thread(ban, stage.mesh.state, identity_of(INSPECTOR))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (await call_directly(storefront.address, port, VISIT, tls)).status:
            expect(loop.time() - begun < PATIENCE, f"{PATIENCE:g} s after the ban it is still answered")
            await asyncio.sleep(0.05)
    seconds = loop.time() - begun
    return f"{caller} joined and was answered, its token is used up; refused {seconds:.1f} s after its ban"


async def make_token(stage: Stage) -> str:
    """A token for somebody who is no workload of the shop."""
    stranger = replace(stage.instance("customers"), name=INSPECTOR, service_account=INSPECTOR)
    (token,) = await asyncio.to_thread(create_tokens, stage.mesh.state, [stranger])
    return token


async def join_mesh(stage: Stage, token: str) -> Svid:
    """What the control plane gives for it, and a key of ours."""
    host, _, port = stage.mesh.joining.rpartition(":")
    return await join(
        TcpAddress(host, int(port)), token, bytes.fromhex(JoinToken.parse(token).root), make_key()
    )


async def expect_used(stage: Stage, token: str) -> None:
    """ClaimFails where the token joins a second time, with another key."""
    try:
        await join_mesh(stage, token)
    except JoinError:
        return
    raise ClaimFails("a token has joined twice")


def ban(state: Path, who: str) -> None:
    """As `meshext ban` does."""
    with StateStore(state, create=False) as store:
        Bans(store, read_facts(store)).add(who, reason="tried by the demo")


@contextmanager
def shown(svid: Svid) -> Iterator[ssl.SSLContext]:
    """TLS of a client that shows this certificate, and believes the mesh's roots alone."""
    with tempfile.TemporaryDirectory(prefix="mx-") as folder:
        file = Path(folder) / "svid.pem"
        file.touch(mode=0o600)
        file.write_bytes(svid.key_pem + svid.chain_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # SVIDs name workloads, not hosts
        context.load_verify_locations(cadata=svid.roots_pem.decode())
        context.load_cert_chain(file)
        yield context
