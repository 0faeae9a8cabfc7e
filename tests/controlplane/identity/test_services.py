"""Joining and Renewal over real TLS."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import grpc
import pytest
from cryptography import x509

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.services import RENEWAL
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore
from meshext_proto.meshext import svids_pb2
from tests.controlplane.identity.conftest import WEB, Hands
from tests.controlplane.identity.requests import csr, uri
from tests.controlplane.identity.serving import join, serving, unary

OTHER = SpiffeId("shop.example", "shop", "other")


def test_a_workload_joins_and_renews(store: StateStore, enrollment: Enrollment, tokens: Tokens) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served:
            member = await join(served.join, roots(enrollment), tokens.create(WEB).reveal())
            assert member.svid.spiffe_id == str(WEB)
            renewed = await member.renew(served.ads)
            assert renewed.spiffe_id == str(WEB)
            assert renewed.chain[0] != member.svid.chain[0]
            assert renewed.chain[1:] == member.svid.chain[1:]

    asyncio.run(run())


def test_each_refusal_has_its_status(store: StateStore, enrollment: Enrollment, tokens: Tokens) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served:
            token = tokens.create(WEB).reveal()
            member = await join(served.join, roots(enrollment), token)
            assert await status(join(served.join, roots(enrollment), token)) is UNAUTHENTICATED
            assert await status(join(served.join, roots(enrollment), "?")) is UNAUTHENTICATED
            assert await status(member.renew(served.ads, b"?")) is grpc.StatusCode.INVALID_ARGUMENT
            other = csr(uri("spiffe://shop.example/ns/shop/sa/other"))
            assert await status(member.renew(served.ads, other)) is grpc.StatusCode.INVALID_ARGUMENT
            Bans(store, enrollment.authority).add(str(WEB))
            assert await status(member.renew(served.ads)) is grpc.StatusCode.PERMISSION_DENIED
            store.close()
            assert await status(member.renew(served.ads)) is grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())


def test_the_port_of_ads_takes_only_our_certificates(
    store: StateStore, enrollment: Enrollment, tokens: Tokens, foreign: Enrollment, foreign_tokens: Tokens
) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served, serving(foreign.store, foreign) as elsewhere:
            stranger = await join(elsewhere.join, roots(foreign), foreign_tokens.create(WEB).reveal())
            stranger.svid.roots[:] = enrollment.authority.roots
            assert await status(stranger.renew(served.ads)) is grpc.StatusCode.UNAVAILABLE
            with pytest.raises(grpc.aio.AioRpcError):
                await join(served.ads, roots(enrollment), tokens.create(WEB).reveal())

    asyncio.run(run())


def test_trust_is_told_at_once(store: StateStore, enrollment: Enrollment, tokens: Tokens) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served:
            member = await join(served.join, roots(enrollment), tokens.create(WEB).reveal())
            banned = x509.load_der_x509_certificate((await member.renew(served.ads)).chain[0])
            async with member.watching(served.ads) as following:
                first = await following()
                assert list(first.roots) == list(enrollment.authority.roots)
                assert revoked(first.revocations) == set()
                Bans(store, enrollment.authority).add(f"{banned.serial_number:x}")
                served.feed.notify()
                assert revoked((await following()).revocations) == {banned.serial_number}

    asyncio.run(run())


def test_what_another_process_bans_is_told(store: StateStore, enrollment: Enrollment, tokens: Tokens) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served:
            member = await join(served.join, roots(enrollment), tokens.create(WEB).reveal())
            following = asyncio.create_task(served.feed.follow(interval=0.01))
            async with member.watching(served.ads) as told:
                await told()
                with StateStore(store.folder) as elsewhere:
                    Bans(elsewhere, enrollment.authority).add("abc")
                assert revoked((await told()).revocations) == {0xABC}
            following.cancel()

    asyncio.run(run())


def test_our_own_certificate_renews_itself(
    store: StateStore, enrollment: Enrollment, tokens: Tokens, clock: Hands
) -> None:
    async def run() -> None:
        clock.pass_by(hours=-13)
        async with serving(store, enrollment) as served:
            before = served.own.refresh()
            clock.pass_by(hours=13)
            await join(served.join, roots(enrollment), tokens.create(WEB).reveal())
            after = served.own.refresh()
            assert after.chain != before.chain
            assert served.own.not_after == clock() + timedelta(hours=24)
            clock.pass_by(hours=13)
            store.close()
            assert served.own.refresh() is after

    asyncio.run(run())


UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


async def status(call: object) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code()


def roots(enrollment: Enrollment) -> bytes:
    authority: CertificateAuthority = enrollment.authority
    return to_pem(authority.roots)


def revoked(revocations: object) -> set[int]:
    crls = [x509.load_der_x509_crl(each) for each in revocations]  # type: ignore[attr-defined]
    return {entry.serial_number for crl in crls for entry in crl}


def test_a_thousand_renewals_at_once_are_all_served(
    store: StateStore, enrollment: Enrollment, tokens: Tokens
) -> None:
    """As after a control plane was away for as long as certificates may wait; others are served meanwhile."""
    accounts = [SpiffeId("shop.example", "shop", f"web-{number}") for number in range(20)]

    async def run() -> None:
        async with serving(store, enrollment) as served, AsyncExitStack() as stack:
            made = [tokens.create(each).reveal() for each in (*accounts, OTHER)]
            members = [await join(served.join, roots(enrollment), token) for token in made[:-1]]
            asked: list[asyncio.Task[svids_pb2.Svid]] = []
            for member in members:
                channel = await stack.enter_async_context(member.channel(served.ads))
                message = svids_pb2.RenewRequest(csr=csr(key=member.key))
                call = partial(unary, channel, f"/{RENEWAL}/Renew", message, patience=100)
                asked += [asyncio.create_task(call()) for _ in range(50)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            async with members[0].watching(served.ads) as hear:
                assert (await hear()).roots
            assert (await join(served.join, roots(enrollment), made[-1])).svid.spiffe_id == str(OTHER)
            renewed = await asyncio.gather(*asked)
        assert len({each.chain[0] for each in renewed}) == 1000
        assert Counter(each.spiffe_id for each in renewed) == dict.fromkeys(map(str, accounts), 50)

    asyncio.run(run())
