"""The SPIFFE Workload API as applications use it, with a client that we have not written."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import pytest
from cryptography import x509
from spiffe import JwtBundle, JwtSource, JwtSvid, WorkloadApiClient
from spiffe.errors import PySpiffeError

from e2e.identified import DOMAIN, Watched, shake_hands, tls_context, uri_of
from e2e.mesh.local import ask_socket
from e2e.mesh.processes import PATIENCE, Process, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import Member, World, mesh
from meshext_controlplane.identity.jwt_checking import key_id_of
from meshext_controlplane.state.store import FILE
from meshext_proto.spiffe import workload_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

NAMES = ("orders", "web")
LIFE = 90  # seconds: renewed after 41 to 49


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, shop(*NAMES), "--svid-life", str(LIFE)) as made:
        for name in NAMES:
            made.add(f"{name}-1")
        web = made.members[1]
        wait_for("calls are answered", lambda: web.reaches("orders"))
        yield made


def whoami(member: Member, audience: str) -> dict[str, Any]:
    """What the application itself finds out."""
    found: dict[str, Any] = json.loads(
        ask_socket(member.folder / "app.sock", f"/whoami?audience={quote(audience)}")
    )
    return found


def identity(name: str) -> str:
    return f"spiffe://{DOMAIN}/ns/shop/sa/{name}"


def folders(tmp_path: Path, *names: str) -> list[Path]:
    made = [tmp_path / f"tls-{name}" for name in names]
    for each in made:
        each.mkdir()
    return made


def test_an_application_proves_who_it_is(world: World, tmp_path: Path) -> None:
    """By the variable alone; then two of them to each other over TLS of their own, and by a token."""
    orders, web = world.members
    found = whoami(web, "orders")
    assert (found["id"], found["trusted"]) == (identity("web"), 1)
    assert sorted(each.name for each in (web.folder / "data").glob("workload*")) == [
        "workload-api.sock",
        "workload.sock",
    ]
    first, second = folders(tmp_path, *NAMES)
    with Watched(orders) as theirs, Watched(web) as ours:
        server = tls_context(theirs.context, first, server=True)
        client = tls_context(ours.context, second, server=False)
        assert shake_hands(client, server) == (identity("orders"), identity("web"))
    with WorkloadApiClient(uri_of(orders), default_timeout=20) as api:
        svid = api.validate_jwt_svid(found["token"], "orders")
        assert (str(svid.spiffe_id), svid.audience) == (identity("web"), {"orders"})
        with pytest.raises(PySpiffeError, match="for others"):
            api.validate_jwt_svid(found["token"], "billing")
        with pytest.raises(PySpiffeError, match="signature"):
            api.validate_jwt_svid(found["token"][:-6] + "AAAAAA", "orders")
        with pytest.raises(PySpiffeError, match="gets no token"):
            api.fetch_jwt_svid({"orders"}, svid.spiffe_id)


def test_renewals_come_by_themselves(world: World) -> None:
    orders = world.members[0]
    with Watched(orders) as watched:
        before, svid = watched.serial, watched.context.default_svid
        watched.wait("renewed", lambda it: it.serial != before)
        after = watched.context.default_svid
        assert after.leaf.not_valid_after_utc > svid.leaf.not_valid_after_utc
        assert after.private_key.public_key() == after.leaf.public_key()
        assert len(watched.roots) == 1


def test_another_root_reaches_applications(world: World, tmp_path: Path) -> None:
    """While the mesh goes from one root to another, its applications never refuse each other."""
    orders, web = world.members
    first, second = folders(tmp_path, *NAMES)
    with Watched(orders) as theirs, Watched(web) as ours:
        old_roots, old_context = ours.roots, ours.context
        rotating = Process("rotation", ["certs", "rotate-root", "--state", str(world.state)], world.folder)
        seen: set[int] = set()

        def meet() -> bool:
            server = tls_context(theirs.context, first, server=True)
            client = tls_context(ours.context, second, server=False)
            assert shake_hands(client, server) == (identity("orders"), identity("web"))
            seen.add(len(ours.roots))
            return rotating.process.poll() is not None

        wait_for("the old root is gone", meet, patience=110)
        assert rotating.process.returncode == 0, rotating.text
        for watched in (theirs, ours):
            watched.wait("one root is left", lambda it: len(it.roots) == 1 and it.roots != old_roots)
        assert seen == {1, 2}
        server = tls_context(theirs.context, first, server=True)
        client = tls_context(old_context, second, server=False)
        with pytest.raises(ssl.SSLError):
            shake_hands(client, server)
    assert whoami(web, "orders")["id"] == identity("web")


def test_keys_of_tokens_take_turns(world: World, tmp_path: Path) -> None:
    orders, web = world.members
    copy = tmp_path / "copy.db"
    with JwtSource(socket_path=uri_of(orders), timeout_in_seconds=PATIENCE) as source:
        first = whoami(web, "orders")["token"]
        bundle = source.get_bundle_for_trust_domain(DOMAIN)
        assert bundle is not None
        assert str(JwtSvid.parse_and_validate(first, bundle, {"orders"}).spiffe_id) == identity("web")
        assert world.run("certs", "rotate-jwt") == 0
        second = whoami(web, "mail")["token"]
        assert key_id_of(second) != key_id_of(first)
        JwtSvid.parse_and_validate(second, bundle, {"mail"})  # its key was known before
        assert world.run("backup", str(copy)) == 0
        world.control_plane.kill()
        assert is_believed(orders, first, "orders")
        (world.state / FILE).unlink()
        assert world.run("restore", str(copy)) == 0
        world.control_plane.restart()
        wait_for("it serves", lambda: world.control_plane.text.count("serving joining") == 2)
        assert key_id_of(whoami(web, "third")["token"]) == key_id_of(second)
        assert is_believed(orders, second, "mail")
        assert world.run("certs", "rotate-jwt", "--revoke") == 0
        wait_for("all keys of before are forgotten", lambda: not is_believed(orders, second, "mail"))
        third = wait_for("a new key signs", lambda: other_than(second, whoami(web, "mail")["token"]))
        assert is_believed(orders, third, "mail")
        wait_for("others hear of it", lambda: key_id_of(third) in kids(source))


def other_than(before: str, token: str) -> str:
    """That token where another key has signed it, else ""."""
    return token if key_id_of(token) != key_id_of(before) else ""


def is_believed(member: Member, token: str, audience: str) -> bool:
    """Whether a member's sidecar believes a token."""
    with WorkloadApiClient(uri_of(member), default_timeout=20) as api:
        try:
            return bool(api.validate_jwt_svid(token, audience))
        except PySpiffeError:
            return False


def kids(source: JwtSource) -> list[str]:
    bundle = source.get_bundle_for_trust_domain(DOMAIN)
    assert isinstance(bundle, JwtBundle)
    return list(bundle.jwt_authorities)


def test_who_is_banned_has_nothing_any_more(world: World) -> None:
    orders, web = world.members
    token = whoami(web, "orders")["token"]
    with grpc.insecure_channel(f"unix:{orders.folder / 'data' / 'workload.sock'}") as channel:
        call: Any = channel.unary_stream(
            "/SpiffeWorkloadAPI/FetchX509Bundles",
            None,
            workload_pb2.X509BundlesResponse.FromString,
        )
        bundles = call(b"", metadata=(("workload.spiffe.io", "true"),), timeout=PATIENCE)
        with Watched(web) as watched:
            serial = watched.serial
            assert serial not in revoked(next(bundles))
            assert is_believed(orders, token, "orders")
            assert world.run("ban", identity("web")) == 0
            while serial not in revoked(next(bundles)):
                pass
        assert not is_believed(orders, token, "orders")
        bundles.cancel()
    with WorkloadApiClient(uri_of(web), default_timeout=20) as api:
        for fetch in (api.fetch_x509_svid, api.fetch_x509_bundles, lambda: api.fetch_jwt_svid({"orders"})):
            wait_for("it is told so", partial(is_told, fetch, "is banned"))
        assert world.run("ban", "--lift", identity("web")) == 0
        wait_for("it is back", lambda: not refusal(api.fetch_x509_svid), patience=90)


def is_told(fetch: Callable[[], object], words: str) -> bool:
    """Whether the Workload API refuses, with these words."""
    return words in refusal(fetch)


def refusal(fetch: Callable[[], object]) -> str:
    """Why the Workload API gives nothing; "" where it does."""
    try:
        fetch()
    except PySpiffeError as error:
        return str(error)
    return ""


def revoked(message: workload_pb2.X509BundlesResponse) -> set[int]:
    """The serial numbers on all lists."""
    lists = [x509.load_der_x509_crl(each) for each in message.crl]
    return {entry.serial_number for each in lists for entry in each}


def test_a_gateway_offers_it_where_that_is_asked_for(tmp_path: Path) -> None:
    with mesh(tmp_path, {}) as world:
        silent = world.add_gateway("silent-1")
        spoken = world.add_gateway("spoken-1", "--workload-api", str(tmp_path / "api" / "w.sock"))
        wait_for("both are there", lambda: world.synced())
        assert not (silent.folder / "data" / "workload.sock").exists()
        with WorkloadApiClient(f"unix://{tmp_path}/api/w.sock", default_timeout=20) as api:
            assert str(api.fetch_x509_svid().spiffe_id) == f"spiffe://{DOMAIN}/ns/edge/sa/spoken-1"
        spoken.process.stop()
        assert list((tmp_path / "api").iterdir()) == []


WORKLOADS = """\
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: web, namespace: shop}
spec: {serviceAccount: web, command: [python, who.py]}
"""


def test_what_the_readme_shows_runs_in_a_mesh_on_this_machine(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (found,) = re.findall(r"<!-- who.py -->\n```python\n(.*?)```", readme, flags=re.DOTALL)
    folder = tmp_path / ("long-" * 12)
    (folder / "mesh").mkdir(parents=True)
    (folder / "who.py").write_text(found)
    (folder / "workloads.yaml").write_text(WORKLOADS)
    up = Process("up", ["up", str(folder), "--json"], tmp_path)
    log = folder / ".meshext" / "logs" / "web.shop.log"
    try:
        wait_for("it says who it is", lambda: log.exists() and f"\n{identity('web')}\n" in log.read_text())
    finally:
        up.stop()
