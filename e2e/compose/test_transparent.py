"""Transparent sidecars on hosts of their own: what goes where, and that nothing goes past them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.compose.holding import holding
from e2e.compose.load import load
from e2e.compose.project import ComposeError, Project
from e2e.compose.waiting import wait_for

APP, OTHER, BATCH = "web-1-app", "checkout-1-app", "batch-1-app"
REFUSED = "ConnectionRefusedError"
REGISTRY_ONLY = """\
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
"""
LEVELS = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: checkout, namespace: shop}
spec: {selector: {matchLabels: {app: checkout}}, mtls: {mode: %s}, portLevelMtls: {%s}}
"""

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stranger, namespace: shop}
spec:
  hosts: [stranger]
  resolution: %s
  addresses: [%s]
  ports:
    - {number: 8000, name: http, protocol: HTTP}
    - {number: 9000, name: tcp, protocol: TCP}
    - {number: 9443, name: tls, protocol: TLS}
"""
MORE = (
    """\
apiVersion: v1
kind: Service
metadata: {name: more, namespace: shop}
spec: {selector: {app: more}, ports: [{name: http, port: 81}, {name: tcp, port: 9001}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: more, namespace: shop}
spec: {hosts: [more], http: [{directResponse: {status: 418}}]}
---
"""
    + LEVELS % ("STRICT", '"7000": {mode: PERMISSIVE}')
)


def name_in(answer: dict[str, Any]) -> str:
    """Which application has answered; "" where none has."""
    if answer.get("status") == 200:
        return str(json.loads(answer["body"])["name"])
    found, colon, _ = str(answer.get("answer", "")).partition(": hello")
    return found if colon else ""


def caller_in(answer: dict[str, Any]) -> str:
    """The identity that the application was told of, by the certificate of its caller."""
    headers = {key.lower(): value for key, value in json.loads(answer["body"])["headers"].items()}
    parts = dict(each.partition("=")[::2] for each in headers["x-forwarded-client-cert"].split(";"))
    return str(parts["URI"])


def reaches(project: Project, service: str, target: str) -> str:
    """The application that somebody reaches at a target; "" for none."""
    return name_in(project.call(service, target))


@contextmanager
def documents(project: Project, name: str, text: str) -> Iterator[None]:
    """The mesh with other documents, for a while."""
    before = project.exec("control-plane", "cat", "/suite/mesh/mesh.yaml") if name == "mesh.yaml" else ""
    project.write(name, text)
    try:
        yield
    finally:
        project.write(name, before) if before else project.remove(name)


@pytest.mark.parametrize("host", ["checkout", "checkout.shop", "checkout.shop.svc.cluster.local"])
def test_a_plain_call_goes_over_mtls(suite: Project, host: str) -> None:
    answer = wait_for("checkout answers", lambda: _answered(suite, f"http://{host}/hello"))
    assert name_in(answer) == "checkout-1"
    assert caller_in(answer) == "spiffe://cluster.local/ns/shop/sa/web"
    assert json.loads(answer["body"])["path"] == "/hello"


def test_a_service_is_called_at_an_address_that_leads_nowhere_but_to_envoy(suite: Project) -> None:
    (address,) = suite.call(APP, "dns://checkout")["addresses"]
    assert address.startswith("240.240.")
    assert suite.call(APP, "dns://stranger")["addresses"] == [suite.address("stranger")]
    assert suite.call(APP, "dns://nobody.invalid")["error"] == "gaierror"


def test_a_workload_reaches_itself_through_its_peers_door(suite: Project) -> None:
    answer = wait_for("web answers itself", lambda: _answered(suite, "http://web/"))
    assert caller_in(answer) == "spiffe://cluster.local/ns/shop/sa/web"


def test_tcp_and_tls_go_to_the_service_by_its_address(suite: Project) -> None:
    wait_for("lines come back", lambda: reaches(suite, APP, "tcp://checkout:9000") == "checkout-1")
    assert reaches(suite, APP, "tls://checkout:9443") == "checkout-1 as checkout"
    # By the name in TLS too, wherever the connection seems to go.
    named = f"tls://{suite.address('stranger')}:9443/checkout.shop.svc.cluster.local"
    assert reaches(suite, APP, named) == "checkout-1 as checkout.shop.svc.cluster.local"


@pytest.mark.parametrize("target", ["http://{}:8080/", "tcp://{}:9000", "tls://{}:9443", "tcp://{}:7000"])
def test_whoever_is_not_in_the_mesh_is_refused(suite: Project, target: str) -> None:
    assert reaches(suite, "stranger", target.format(suite.address("checkout-1"))) == ""


@pytest.mark.parametrize(
    ("mode", "levels", "opened"),
    [
        ("STRICT", '"8080": {mode: PERMISSIVE}, "7000": {mode: DISABLE}', ["checkout-1", "", "checkout-1"]),
        ("DISABLE", '"8080": {mode: STRICT}', ["", "checkout-1", "checkout-1"]),
    ],
)
def test_ports_take_what_documents_say_told_or_not(
    suite: Project, mode: str, levels: str, opened: list[str]
) -> None:
    address = suite.address("checkout-1")

    def found() -> list[str]:
        targets = [f"http://{address}:8080/", f"tcp://{address}:9000", f"tcp://{address}:7000"]
        return [reaches(suite, "stranger", target) for target in targets]

    with documents(suite, "levels.yaml", LEVELS % (mode, levels)):
        wait_for("ports are open", lambda: found() == opened)
        wait_for("the mesh still gets in", lambda: reaches(suite, APP, "http://checkout/"))
        # A port that the service does not have is nobody's, and never the caller's own.
        assert reaches(suite, OTHER, "tcp://web:7000") == ""
    wait_for("all are closed again", lambda: found() == ["", "", ""])


def test_nobody_goes_round_by_ipv6(suite: Project) -> None:
    web, stranger = (suite.address(each, "GlobalIPv6Address") for each in ("web-1", "stranger"))
    assert reaches(suite, "stranger", f"http://[{stranger}]:8000/") == "stranger"
    assert suite.call("stranger", f"http://[{web}]:8080/")["error"] == REFUSED
    assert suite.call(APP, f"http://[{stranger}]:8000/")["error"] == REFUSED
    assert suite.call(APP, f"tcp://[{stranger}]:9000")["error"] == REFUSED


@pytest.mark.parametrize("port", [15001, 15006])
def test_envoys_own_ports_are_for_nobody(suite: Project, port: int) -> None:
    address = suite.address("checkout-1")
    for service, host in (("stranger", address), (APP, address), (OTHER, address), (OTHER, "127.0.0.1")):
        answer = suite.call(service, f"tcp://{host}:{port}")
        assert answer.get("answer", "") == ""
        assert reaches(suite, service, f"http://{host}:{port}/") == ""


def test_who_is_not_in_the_registry_is_called_or_not(suite: Project) -> None:
    targets = ("http://stranger:8000/", "tcp://stranger:9000", "tls://stranger:9443")

    def found() -> list[str]:
        return [reaches(suite, APP, target) for target in targets]

    assert found() == ["stranger", "stranger", "stranger as stranger"]
    text = suite.exec("control-plane", "cat", "/suite/mesh/mesh.yaml")
    rest = text[text.index("---") :]
    with documents(suite, "mesh.yaml", REGISTRY_ONLY + rest):
        wait_for("nobody else is called", lambda: found() == ["", "", ""])
        assert suite.call(APP, "http://checkout/", "host=stranger")["status"] == 502
        assert reaches(suite, APP, "http://checkout/") == "checkout-1"
    wait_for("everybody is called again", lambda: all(found()))


@pytest.mark.parametrize(
    ("resolution", "block"), [("DNS", ""), ("NONE", ""), ("NONE", "/30")], ids=["dns", "none", "block"]
)
def test_what_an_entry_names_is_in_the_registry(suite: Project, resolution: str, block: str) -> None:
    """By Host, by the name in TLS, and by address: of its own, wherever the port is, or in a block."""
    addresses = f"{suite.address('stranger')}{block}" if block else ""
    targets = (
        "http://stranger:8000/",
        "tcp://stranger:9000",
        "tls://stranger:9443",
        "greeting://stranger:9002",
    )
    text = suite.exec("control-plane", "cat", "/suite/mesh/mesh.yaml")
    rest = text[text.index("---") :]

    def found() -> list[str]:
        return [reaches(suite, APP, target).partition(" ")[0] for target in targets]

    with documents(suite, "mesh.yaml", REGISTRY_ONLY + rest):
        wait_for("nobody else is called", lambda: found() == [""] * 4)
        with documents(suite, "entry.yaml", ENTRY % (resolution, addresses)):
            wait_for("what the entry names is called", lambda: found() == [*["stranger"] * 3, ""])
            (address,) = suite.call(APP, "dns://stranger")["addresses"]
            assert address.startswith("240.240.") is (resolution == "DNS")
    wait_for("everybody is called again", lambda: all(found()))


def test_servers_that_speak_first_are_heard(suite: Project) -> None:
    wait_for("by the mesh", lambda: reaches(suite, APP, "greeting://checkout:9002") == "checkout-1")
    assert reaches(suite, APP, "greeting://stranger:9002") == "stranger"
    told = f"greeting://{suite.address('checkout-1')}:9002"
    for mode in ("DISABLE", "PERMISSIVE"):  # where TLS may come, Envoy waits for it a while
        with documents(suite, "levels.yaml", LEVELS % ("STRICT", f'"9002": {{mode: {mode}}}')):
            wait_for(f"by others, {mode}", lambda: reaches(suite, "stranger", told) == "checkout-1")
            assert reaches(suite, APP, "greeting://checkout:9002") == "checkout-1"
    wait_for("by nobody else", lambda: reaches(suite, "stranger", told) == "")


def test_rules_can_be_put_in_place_again(suite: Project) -> None:
    again = (
        "from meshext_controlplane.agent.interception.applying import intercept;"
        "from meshext_controlplane.agent.interception.settings import Interception;"
        "intercept(Interception())"
    )
    before = _rules(suite)
    assert "MESHEXT_OUTPUT" in before
    assert "DOCKER_OUTPUT" in before
    suite.exec("web-1", "/opt/meshext/bin/python", "-c", again)
    assert _rules(suite) == before
    assert reaches(suite, APP, "http://checkout/") == "checkout-1"


def test_envoy_and_its_agent_keep_no_privileges(suite: Project) -> None:
    script = "for p in /proc/[0-9]*; do cat $p/comm $p/status; done"
    told = suite.exec("web-1", "sh", "-c", script)
    running = {each.split()[0]: each for each in told.split("Name:") if each.strip()}
    for program in ("envoy", "meshext"):
        facts = dict(line.partition(":")[::2] for line in running[program].splitlines() if ":" in line)
        assert set(facts["Uid"].split()) == {"1337"}
        assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0


def test_an_application_can_not_become_who_passes(suite: Project) -> None:
    with pytest.raises(ComposeError, match="Operation not permitted"):
        suite.exec(APP, "python3", "-c", "import os; os.setuid(1337)")


def test_while_envoy_is_dead_nothing_passes(mesh: Project) -> None:
    address, stranger = mesh.address("web-1"), mesh.address("stranger")
    outgoing = (f"http://{stranger}:8000/", f"tcp://{stranger}:9000", "http://checkout/")
    incoming = (f"http://{address}:8080/", f"tcp://{address}:7000")
    mesh.exec("web-1", "python3", "-I", "-S", "/suite/send.py", "STOP", "sidecar")
    try:
        assert mesh.exec("web-1", "python3", "-I", "-S", "/suite/send.py", "KILL", "envoy").strip()
        wait_for("Envoy is gone", lambda: mesh.call(APP, outgoing[1]).get("error") == REFUSED)
        assert [mesh.call(APP, each)["error"] for each in outgoing[:2]] == [REFUSED] * 2
        assert mesh.call(APP, outgoing[2])["error"] in ("gaierror", REFUSED)
        assert [mesh.call("stranger", each)["error"] for each in incoming] == [REFUSED] * 2
    finally:
        mesh.exec("web-1", "python3", "-I", "-S", "/suite/send.py", "CONT", "sidecar")
    wait_for("the agent has started another one", lambda: reaches(mesh, APP, "http://checkout/"))
    assert reaches(mesh, "stranger", incoming[0]) == ""


def test_an_application_that_is_started_again_stays_behind_its_sidecar(mesh: Project) -> None:
    address = mesh.address("checkout-1")
    with load(mesh, "stranger", f"http://{address}:8080/") as calls:
        mesh.docker("restart", OTHER, "--time", "1")
        wait_for("it is back", lambda: reaches(mesh, APP, "http://checkout/"))
    assert calls.sent == calls.failures > 0


def test_an_application_whose_sidecar_is_gone_is_alone(mesh: Project) -> None:
    address, stranger = mesh.address("checkout-1"), mesh.address("stranger")
    with load(mesh, "stranger", f"http://{address}:8080/") as calls:
        mesh.docker("kill", "checkout-1")
        assert mesh.is_running(OTHER)
        for target in (f"tcp://{stranger}:9000", f"http://{stranger}:8000/", "http://web/"):
            assert "error" in mesh.call(OTHER, target)
        mesh.docker("start", "checkout-1")
        mesh.wait_healthy("checkout-1")
        assert "error" in mesh.call(OTHER, f"tcp://{stranger}:9000")
        mesh.docker("restart", OTHER, "--time", "1")
        wait_for("both are back", lambda: reaches(mesh, APP, "http://checkout/"))
        wait_for("it calls others", lambda: reaches(mesh, OTHER, "http://web/"))
    assert calls.sent == calls.failures > 0


def test_a_sidecar_is_started_again_beside_its_application(mesh: Project) -> None:
    address, stranger = mesh.address("batch-1-network"), mesh.address("stranger")
    wait_for("batch answers", lambda: reaches(mesh, APP, "http://batch/"))
    with load(mesh, "stranger", f"http://{address}:8080/") as calls:
        mesh.docker("kill", "batch-1")
        assert mesh.call(BATCH, f"http://{stranger}:8000/")["error"] == REFUSED
        # What the sidecar was told to leave alone, and nothing else.
        assert reaches(mesh, "stranger", f"tcp://{address}:7000") == "batch-1"
        assert reaches(mesh, BATCH, f"tls://{stranger}:9443/x") == "stranger as x"
        assert mesh.call("stranger", f"tcp://{address}:8080")["error"] == REFUSED
        mesh.docker("start", "batch-1")
        wait_for("others reach it again", lambda: reaches(mesh, APP, "http://batch/"))
        wait_for("it reaches others", lambda: reaches(mesh, BATCH, "http://web/"))
    assert calls.sent == calls.failures > 0


def test_an_application_finds_its_identity(mesh: Project) -> None:
    """Over a socket in a folder that both containers have; only the user who was named gets anything."""
    batch = {"id": "spiffe://cluster.local/ns/shop/sa/batch"}
    wait_for("it is told who it is", lambda: whoami(mesh) == batch)
    assert whoami(mesh, user="4711") == {"error": "UNAVAILABLE"}
    mesh.docker("kill", "batch-1")
    assert whoami(mesh) == {"error": "UNAVAILABLE"}
    mesh.docker("start", "batch-1")
    wait_for("it is told again", lambda: whoami(mesh) == batch)


def whoami(project: Project, *, user: str = "") -> object:
    """What the Workload API says to an application, or to another user in its container."""
    return json.loads(project.exec(BATCH, "python3", "/suite/whoami.py", user=user))


def test_edits_leave_open_connections_alone(suite: Project) -> None:
    wait_for("lines come back", lambda: reaches(suite, APP, "tcp://checkout:9000"))
    address = suite.address("checkout-1")
    with holding(suite, APP, "checkout", 9000) as ask:
        assert ask() == "checkout-1: hello"
        with documents(suite, "more.yaml", MORE):
            wait_for("a new service is known", lambda: suite.call(APP, "dns://more").get("addresses"))
            wait_for("its routes too", lambda: suite.call(APP, "http://more:81/").get("status") == 418)
            wait_for("a port is open", lambda: reaches(suite, "stranger", f"tcp://{address}:7000"))
            # Only chains of the port have changed, so nothing will be closed later. The one listener that is
            # replaced whole is that of DNS, which has no connections.
            manager = suite.stats("checkout-1", "^listener_manager")
            assert manager["listener_manager.listener_in_place_updated"] > 0
            assert manager["listener_manager.total_filter_chains_draining"] == 0
            assert manager["listener_manager.total_listeners_draining"] <= 1
            assert ask() == "checkout-1: hello"
        wait_for("it is gone", lambda: "error" in suite.call(APP, "dns://more"))
        assert ask() == "checkout-1: hello"


def _answered(project: Project, target: str) -> dict[str, Any] | None:
    answer = project.call(APP, target)
    return answer if answer.get("status") == 200 else None


def _rules(project: Project) -> str:
    """Every rule, without the lines that tell the time."""
    saved = [project.exec("web-1", f"{each}-save") for each in ("iptables", "ip6tables")]
    lines = "\n".join(saved).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))
