"""The policy rate-limit through the real Envoy, with a real Redis, in each mode that carries it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority
from e2e.limiting import Issuer, believed, limiting, slow
from e2e.prometheus import exposed
from e2e.stage import Stage, Timed, report, wait_for
from meshext.envoy.downstream_tls import DownstreamTls
from meshext.errors import UnsupportedError
from meshext.limits import Algorithm
from meshext.plan import Mode
from meshext.stores.pipeline import PATIENCE
from tests.ports import free_port
from tests.store.redis_server import RedisServer

pytestmark = pytest.mark.envoy

MODES: tuple[Mode, ...] = ("authz", "proc")
ROOM = 0.25  # seconds that a busy machine may add to a request


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Mode:
    found: Mode = request.param
    return found


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def statuses(stage: Stage, count: int, **options: Any) -> list[int]:
    return [stage.send(**options).status for _ in range(count)]


def test_limits_fields_overrides_and_a_dry_run(mode: Mode) -> None:
    rules = [
        {
            "name": "user",
            "by": ["header:x-user"],
            "match": {"not_paths": ["/items"]},
            "limits": [slow(2, name="few"), {"rate": 50, "per": "1h", "name": "hourly"}],
            "overrides": [{"callers": {"header:x-user": ["root"]}, "unlimited": True}],
        },
        {"name": "trial", "match": {"not_paths": ["/items"]}, "dry_run": True, "limits": [slow(1)]},
        {
            "name": "items",
            "match": {"paths": ["/items"]},
            "limits": [slow(10)],
            "hits": {"header": "x-items"},
        },
    ]
    with limiting({"rules": rules}, mode=mode) as stage:
        asked = ["8", "3", "0", "x", "-1", "1", "1"]
        items = [stage.send(target="/items", headers=[("x-items", each)]).status for each in asked]
        assert items == [200, 429, 200, 400, 400, 200, 429]
        first = stage.send(target="/first", headers=[("x-user", "ann")])
        assert first.status == 200
        assert first.header("ratelimit-policy") == '"few";q=2;w=25920000, "hourly";q=50;w=3600'
        assert (first.header("ratelimit") or "").startswith('"few";r=1;t=12960000, "hourly";r=49;t=')
        assert statuses(stage, 1, target="/second", headers=[("x-user", "ann")]) == [200]
        refused = stage.send(target="/third", headers=[("x-user", "ann")])
        assert (refused.status, refused.text) == (429, "too many requests\n")
        assert refused.header("ratelimit-policy") == first.header("ratelimit-policy")
        assert '"few";r=0;t=' in (refused.header("ratelimit") or "")
        assert '"hourly";r=48;t=' in (refused.header("ratelimit") or "")  # the refused one moved nothing
        assert 12_959_000 < int(refused.header("retry-after") or 0) <= 12_960_000
        assert statuses(stage, 3, headers=[("x-user", "root")]) == [200] * 3
        assert statuses(stage, 1, headers=[("x-user", "bob")]) == [200]
        assert "meshext.rate-limit" not in stage.logged(" access ", "GET /first ")
        assert '{"meshext.rate-limit":{"would_refuse":["trial"]}}' in stage.logged(" access ", "GET /second ")
        third = stage.logged(" access ", "GET /third ", "rate_limited")
        assert '"refused":["user"]' in third
        assert '"would_refuse":["trial"]' in third


def test_the_response_tells_the_cost() -> None:
    rule = {"name": "tokens", "limits": [slow(10)], "hits": {"response_header": "x-cost", "most": 100}}
    with limiting({"rules": [rule]}) as stage:
        assert stage.sandbox.plan.mode == "proc"
        for target, left in {"/headers?x-cost=4": 6, "/x": 5, "/headers?x-cost=25": 0}.items():
            answer = stage.send(target=target)
            assert answer.status == 200
            assert (answer.header("ratelimit") or "").startswith(f'"tokens";r={left};t=')
        refused = stage.send(target="/headers?x-cost=1")
        owed = 4 + 1 + 25 - 10 + 1  # and the one hit that it wants itself
        assert refused.status == 429
        wait = owed * 300 * 86_400 // 10
        assert wait - 100 < int(refused.header("retry-after") or 0) <= wait


def test_a_cost_in_the_response_is_refused_for_ext_authz_by_name() -> None:
    rule = {"name": "tokens", "limits": [slow(10)], "hits": {"response_header": "x-cost"}}
    with pytest.raises(UnsupportedError, match="on_response"), limiting({"rules": [rule]}, mode="authz"):
        pass


def test_callers_by_certificate(mode: Mode, tmp_path: Path) -> None:
    """Whatever headers say, and with limits of their own for some."""
    authority = Authority(tmp_path, "ca")
    server = authority.issue("server", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    ids = {name: f"spiffe://td.test/ns/{name}/sa/x" for name in ("web", "batch", "other")}
    clients = {
        name: authority.issue(name, [x509.UniformResourceIdentifier(uri)]).to_client()
        for name, uri in ids.items()
    }
    rule = {
        "name": "peer",
        "by": ["peer"],
        "limits": [slow(2)],
        "overrides": [{"callers": {"peer": ["spiffe://td.test/ns/batch/*"]}, "limits": [slow(4)]}],
    }
    tls = DownstreamTls(certificate=server.certificate, key=server.key, client_ca=authority.file)
    with limiting({"rules": [rule]}, mode=mode, tls=tls) as stage:
        forged = [("x-forwarded-client-cert", f"URI={ids['batch']}")]
        passed = {
            name: statuses(stage, 6, tls=client, headers=forged).count(200)
            for name, client in clients.items()
        }
        assert passed == {"web": 2, "batch": 4, "other": 2}


def test_callers_by_claim(mode: Mode) -> None:
    """Of one provider: another's tokens name nobody here, nor does a token that Envoy refuses."""
    ours, theirs = Issuer("ours"), Issuer("theirs")
    rule = {"name": "user", "by": ["claim:sub"], "limits": [slow(2)]}
    config = {"rules": [rule], "jwt_provider": "ours"}
    with limiting(config, mode=mode, jwt=believed(ours, theirs)) as stage:

        def bearer(token: str) -> dict[str, Any]:
            return {"headers": [("authorization", f"Bearer {token}")]}

        assert statuses(stage, 3, **bearer(ours.token(sub="ann"))) == [200, 200, 429]
        assert statuses(stage, 1, **bearer(ours.token(sub="bob"))) == [200]
        assert statuses(stage, 1, **bearer(theirs.token(sub="ann"))) == [200]  # as if it had no name
        assert statuses(stage, 2, **bearer(theirs.token(sub="cid"))) == [200, 429]
        assert statuses(stage, 1) == [429]
        assert statuses(stage, 1, **bearer(ours.token(sub="bob")[:-4] + "AAAA")) == [401]


@pytest.mark.slow
@pytest.mark.parametrize("then", ["closed", "open", "local"])
def test_redis_killed_stopped_and_back(mode: Mode, then: str, redis: RedisServer) -> None:
    """The declared behaviour each time and at once, and the shared count again when Redis is back."""
    config = {"rules": [{"name": "all", "limits": [slow(1000)]}], "store_away": then}
    wanted = {"closed": {503}, "open": {200}, "local": {200}}[then]
    with limiting(config, mode=mode, store=redis.url) as stage:
        assert wait_for(lambda: counted(stage.timed()) if then != "local" else stage.timed().status == 200)
        usual = [stage.timed().took for _ in range(30)]
        times = []
        for lose, back in ((redis.kill, redis.start), (redis.pause, redis.resume)):
            lose()
            results = [stage.timed() for _ in range(30)]
            assert {got.status for got in results} == wanted
            assert {counted(got) for got in results} == {then == "local"}
            times += [got.took for got in results]
            back()
            assert wait_for(lambda: left(stage.timed()) > 0)
        assert max(times) < PATIENCE + ROOM
        assert statistics.median(times) < statistics.median(usual) + PATIENCE  # the first ones wait alone
    added = [1000 * (took - statistics.median(usual)) for took in (statistics.median(times), max(times))]
    report(f"{mode} {then}: away adds {added[0]:.1f} ms in the middle, {added[1]:.1f} at most")


def left(got: Timed) -> int:
    """What the field says is left; -1 where nobody counted."""
    text = (got.answer.header("ratelimit") if got.answer else None) or ";r=-1;"
    return int(text.partition(";r=")[2].partition(";")[0])


def counted(got: Timed) -> bool:
    return left(got) >= 0


@pytest.mark.slow
def test_each_worker_counts_for_itself_while_redis_is_away(redis: RedisServer) -> None:
    config = {"rules": [{"name": "all", "limits": [slow(5)]}], "store_away": "local"}
    with limiting(config, store=redis.url) as stage:
        redis.kill()
        results = [stage.timed() for _ in range(20)]
        assert {got.status for got in results[-10:]} == {429}
        redis.start()
        assert wait_for(lambda: stage.timed().status == 200)


@pytest.mark.slow
def test_workers_and_services_share_one_exact_count(redis: RedisServer) -> None:
    """Two services of two and one worker, hit by eight at once: not one too many, nor one too few."""
    rules = [
        {
            "name": algorithm.replace("_", "-"),
            "match": {"paths": [f"/{algorithm}"]},
            "by": ["client_address"],
            "limits": [{"rate": 60, "per": "300d", "algorithm": algorithm}],
        }
        for algorithm in get_args(Algorithm)
    ]
    url = f"{redis.url}?patience=5"  # a busy machine must not look like a Redis that is away
    with (
        limiting({"rules": rules}, workers=2, store=url) as one,
        limiting({"rules": rules}, store=url, mode="proc") as two,
    ):
        for algorithm in get_args(Algorithm):
            assert passed_of([one, two], f"/{algorithm}") == 60


@pytest.mark.slow
def test_workers_share_the_memory_of_their_service() -> None:
    rule = {"name": "all", "by": ["client_address"], "limits": [slow(60)]}
    with limiting({"rules": [rule]}, workers=2) as stage:
        got = ask_all([stage], "/")
        lost = got.count(503)  # counted or not, on a machine that is too busy
        assert 60 - lost <= got.count(200) <= 60
        assert set(got) <= {200, 429, 503}


def passed_of(stages: list[Stage], target: str) -> int:
    """How many of 150 requests passed; the others were refused."""
    got = ask_all(stages, target)
    assert set(got) == {200, 429}
    return got.count(200)


def ask_all(stages: list[Stage], target: str) -> list[int]:
    """The statuses of 150 requests, eight at once."""
    with ThreadPoolExecutor(8) as pool:
        return list(
            pool.map(lambda number: stages[number % len(stages)].timed(target=target).status, range(150))
        )


def test_the_metrics_tell_what_was_decided() -> None:
    port = free_port()
    rule = {"name": "user", "by": ["header:x-user"], "limits": [slow(1)]}
    with limiting({"rules": [rule]}, metrics=f"127.0.0.1:{port}") as stage:
        assert statuses(stage, 3, headers=[("x-user", "ann")]) == [200, 429, 429]
        line = 'rate_limit_requests_total{filter="rate-limit",outcome="refused",rule="user"} 2'
        assert wait_for(lambda: line in exposed(port)), exposed(port)
        assert 'rate_limit_hits_total{filter="rate-limit",rule="user"} 1' in exposed(port)
        assert "ann" not in exposed(port)
