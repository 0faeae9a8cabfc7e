"""What gRPC's own client finds in an agent's folder, and what an agent keeps for several streams."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meshext.errors import ConfigError
from meshext_controlplane.agent.certificate_files import CHAIN, KEY
from meshext_controlplane.agent.certificate_versions import write_version
from meshext_controlplane.agent.errors import DirectoryError
from meshext_controlplane.agent.grpc_bootstrap import GrpcSetup, build_grpc_bootstrap
from meshext_controlplane.agent.last_good import LastGood, SotwWatch
from meshext_controlplane.agent.svid import Svid, build_csr, check_svid, make_key
from meshext_controlplane.cli.sidecar_options import build_options
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality
from meshext_controlplane.snapshot import CLUSTER, ROUTE
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2
from tests.controlplane.agent.authority import Authority
from tests.controlplane.agent.test_last_good import body_of
from tests.controlplane.agent.test_options import GIVEN
from tests.controlplane.agent.test_options import IDENTITY as CHECKOUT

IDENTITY = "spiffe://cluster.local/ns/shop/sa/caller"


def make_svid() -> Svid:
    key = make_key()
    return check_svid(Authority().svid(build_csr(key), IDENTITY), key)


def test_the_bootstrap(golden: Callable[[str, str], None]) -> None:
    setup = GrpcSetup(
        name="caller-1",
        identity=SpiffeId("cluster.local", "shop", "caller"),
        agent=Path("/var/lib/caller/agent.sock"),
        certificates=Path("/var/lib/caller/certificates"),
        locality=Locality("eu", "a"),
    )
    golden(build_grpc_bootstrap(setup), "bootstrap.json")


def test_a_version_is_whole_and_private(tmp_path: Path) -> None:
    link = tmp_path / "certificates"
    for _ in range(4):
        svid = make_svid()
        write_version(link, svid)
        key = load_pem_private_key((link / KEY).read_bytes(), None)
        leaf = x509.load_pem_x509_certificate((link / CHAIN).read_bytes())
        assert key.public_key() == leaf.public_key()
    assert link.is_symlink()
    assert stat.S_IMODE(link.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in link.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3  # the link, the newest, the one before


def test_whoever_reads_the_version_before_goes_on(tmp_path: Path) -> None:
    link = tmp_path / "certificates"
    write_version(link, make_svid())
    before = link.resolve()
    write_version(link, make_svid())
    assert (before / KEY).read_bytes() != (link / KEY).read_bytes()


def test_where_it_can_not_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryError, match="can not write certificates"):
        write_version(tmp_path / "file" / "certificates", make_svid())


def take(watch: SotwWatch, type_url: str, names: list[str], there: dict[str, int], nonce: str) -> None:
    """One response, and the client's yes."""
    response = discovery_pb2.DiscoveryResponse(type_url=type_url, nonce=nonce)
    for name, version in there.items():
        response.resources.add(value=body_of(type_url, name, version))
    watch.sent(response.SerializeToString())
    request = discovery_pb2.DiscoveryRequest(type_url=type_url, response_nonce=nonce, resource_names=names)
    assert watch.asked(request.SerializeToString()) == ""


def test_streams_keep_what_the_others_have() -> None:
    last_good = LastGood()
    one, other = SotwWatch(last_good, shares=True), SotwWatch(last_good, shares=True)
    take(one, CLUSTER, ["a", "b"], {"a": 1, "b": 1}, "1")
    take(one, ROUTE, ["a"], {"a": 1}, "2")
    take(other, CLUSTER, ["c"], {"c": 1}, "1")
    take(other, ROUTE, ["c"], {"c": 1}, "2")
    assert sorted(each.name for each in last_good) == ["a", "a", "b", "c", "c"]
    take(one, CLUSTER, ["a", "b"], {"a": 2}, "3")
    assert last_good.named(CLUSTER).keys() == {"a", "c"}


def test_options_of_an_agent_without_envoy(golden: Callable[[str, str], None]) -> None:
    given: dict[str, Any] = {**GIVEN, "grpc": True, "port": [], "probe": []}
    options = build_options(**given)
    assert (options.grpc, options.own_ports) == (True, ())
    assert options.workload(CHECKOUT).ports == ()
    wrong = {"port": ["8080=a:1"], "probe": ["tcp"], "gateway": True, "stats": "127.0.0.1:9"}
    with pytest.raises(ConfigError) as error:
        build_options(**{**given, **wrong})
    golden("\n".join(error.value.problems) + "\n", "mistakes.txt")
