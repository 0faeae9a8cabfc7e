"""What is asked together is one change of the state, and each has an answer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import BannedError, CsrError, TokenError
from meshext_controlplane.identity.grouped import MOST, Grouped, Joining, Renewal
from meshext_controlplane.identity.keys import new_key
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.svid import Svid
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.state.bans import BanRecord, insert_ban
from meshext_controlplane.state.certificates import list_certificates
from meshext_controlplane.state.errors import StateError
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread
from tests.controlplane.identity.conftest import API, WEB, to_peer
from tests.controlplane.identity.requests import csr

Renew = Callable[[Peer, bytes], Awaitable[Svid]]


@pytest.fixture
def web(enrollment: Enrollment, tokens: Tokens) -> Peer:
    return to_peer(enrollment.join(tokens.create(WEB).reveal(), csr()))


@pytest.fixture
def changes(enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many renewals each change had."""
    sizes: list[int] = []
    whole = enrollment.renew_all

    def renew_all(requests: Sequence[tuple[Peer, bytes]]) -> list[Svid | Exception]:
        sizes.append(len(requests))
        return whole(requests)

    monkeypatch.setattr(enrollment, "renew_all", renew_all)
    return sizes


@contextmanager
def renewing(enrollment: Enrollment) -> Iterator[Renew]:
    thread = StateThread()
    try:
        grouped: Grouped[Renewal] = Grouped(enrollment.renew_all, thread)
        yield lambda peer, request: grouped.ask((peer, request))
    finally:
        thread.close()


def test_one_change_and_an_answer_for_each(
    enrollment: Enrollment, tokens: Tokens, store: StateStore, web: Peer, changes: list[int]
) -> None:
    api = to_peer(enrollment.join(tokens.create(API).reveal(), csr()))
    with store.writing() as transaction:
        insert_ban(transaction, BanRecord("identity", str(API), "stolen", 1))

    async def run() -> list[Svid | BaseException]:
        with renewing(enrollment) as renew:
            asked = [renew(web, csr()) for _ in range(10)] + [renew(web, b"no request"), renew(api, csr())]
            return await asyncio.gather(*asked, return_exceptions=True)

    *good, garbage, banned = asyncio.run(run())
    assert len({each.serial for each in good if isinstance(each, Svid)}) == 10
    assert (type(garbage), type(banned)) == (CsrError, BannedError)
    assert changes == [12]
    with store.reading() as transaction:
        held = {each.serial for each in list_certificates(transaction, at=0)}
    assert {each.serial for each in good if isinstance(each, Svid)} < held


def test_a_change_has_an_end_and_who_has_gone_gets_nothing(
    enrollment: Enrollment, web: Peer, changes: list[int]
) -> None:
    requests = [csr() for _ in range(MOST // 2)]

    async def run() -> list[Svid | BaseException]:
        with renewing(enrollment) as renew:
            first = asyncio.ensure_future(renew(web, csr()))
            await asyncio.sleep(0)
            later = [asyncio.ensure_future(renew(web, each)) for each in requests]
            await asyncio.sleep(0)
            for each in later[::2]:
                each.cancel()
            return await asyncio.gather(first, *later, return_exceptions=True)

    found = asyncio.run(run())
    assert sum(changes) == sum(isinstance(each, Svid) for each in found) == 1 + MOST // 4


def test_a_state_that_can_not_be_written_is_told_to_all(enrollment: Enrollment, web: Peer) -> None:
    enrollment.store.close()

    async def run() -> list[Svid | BaseException]:
        with renewing(enrollment) as renew:
            return await asyncio.gather(*(renew(web, csr()) for _ in range(3)), return_exceptions=True)

    assert [type(each) for each in asyncio.run(run())] == [StateError] * 3


def test_joins_are_one_change_and_what_is_refused_leaves_its_token(
    enrollment: Enrollment, tokens: Tokens, store: StateStore
) -> None:
    texts = [tokens.create(WEB).reveal() for _ in range(20)]
    banned = tokens.create(API).reveal()
    with store.writing() as transaction:
        insert_ban(transaction, BanRecord("identity", str(API), "stolen", 1))
    asked = [(text, csr()) for text in texts]
    asked += [(texts[0], csr(key=new_key())), (banned, csr()), (texts[1], b"no request"), ("no token", csr())]
    *good, again, refused, garbage, none = enrollment.join_all(asked)
    assert len({each.serial for each in good if isinstance(each, Svid)}) == 20
    assert [type(each) for each in (again, refused, garbage, none)] == [
        TokenError,
        BannedError,
        CsrError,
        TokenError,
    ]
    unused = [each.identity for each in tokens.all() if each.used is None]
    assert unused == [str(API)]


def test_joins_that_come_together_are_few_changes(
    enrollment: Enrollment, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    whole = enrollment.join_all

    def join_all(requests: Sequence[Joining]) -> list[Svid | Exception]:
        sizes.append(len(requests))
        return whole(requests)

    monkeypatch.setattr(enrollment, "join_all", join_all)
    asked = [(tokens.create(WEB).reveal(), csr()) for _ in range(MOST // 2)]

    async def run() -> list[Svid]:
        thread = StateThread()
        try:
            grouped: Grouped[Joining] = Grouped(enrollment.join_all, thread)
            return await asyncio.gather(*map(grouped.ask, asked))
        finally:
            thread.close()

    found = asyncio.run(run())
    assert len({each.serial for each in found}) == MOST // 2
    assert sizes == [MOST // 2]
