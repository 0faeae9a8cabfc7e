"""`authorization-policy` as a module says of each request what it says as a service, down to the rule."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.rbac.generated import document, policy_sets, requests
from e2e.rbac.native import DEMO, DESTINATIONS, JWT, NAMES, PRINCIPALS, SOURCES, Sent
from meshext.config import Document
from meshext.errors import ConfigError
from meshext.http.headers import Headers
from meshext.policy.decide import Decider, Verdict
from meshext.policy.facts import Facts
from meshext.policy.settings import Settings
from meshext_filters.authorization_policy import AuthorizationPolicy, tell_details
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.cli.runtime import to_configuration
from meshext_wasm.host.driver import Driver, Message, RefusedError
from meshext_wasm.host.guest import Ready, WasmtimeGuest
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.stream import Stream

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]  # the run-time library may have to be compiled first

PORT = 8080
ANSWER = Message(lines=((b":status", b"200"),))


@cache
def module() -> Ready:
    """The filter, compiled once."""
    return Ready(build_filters(["authorization-policy"], user_cache()).code)


def write(documents: list[dict[str, Any]]) -> str:
    """A configuration with these documents."""
    about = {"namespace": "shop", "trust_domain": "new.example", "aliases": ["old.example", "*.other"]}
    return json.dumps({"policies": documents, **about})


def start(configuration: str) -> Driver:
    """The module with what the command line makes of a configuration, or with one that was forged."""
    driver = Driver(WasmtimeGuest(module(), Machine(configuration=configuration.encode())))
    driver.configure()
    return driver


def given_to_module(text: str) -> str:
    """What the command line makes of a configuration."""
    return to_configuration([AuthorizationPolicy], [text])


def facts_of(sent: Sent) -> Facts:
    """The request as the filter is told of it."""
    return Facts(
        method=sent.method,
        target=sent.target.decode("utf-8", "surrogateescape"),
        host=sent.host.decode(),
        scheme="https",
        headers=Headers.from_lines(tuple((name.lower(), value) for name, value in sent.lines)),
        principal=PRINCIPALS[sent.caller.principal],
        peer_address=SOURCES[sent.caller.source],
        client_address=sent.client,
        destination_address=DESTINATIONS[sent.caller.destination],
        destination_port=PORT,
        sni=(NAMES[sent.caller.name] or "").lower(),
        claims=sent.claims,
        metadata={DEMO: sent.metadata or {}},
    )


def message_of(sent: Sent) -> Message:
    """The request as Envoy hands it over."""
    pseudo = {
        ":method": sent.method.encode(),
        ":scheme": b"https",
        ":authority": sent.host,
        ":path": sent.target,
    }
    lines = [(name.encode(), value) for name, value in pseudo.items()]
    return Message(lines=(*lines, *((name.lower().encode(), value) for name, value in sent.lines)))


def prepare(stream: Stream, sent: Sent) -> None:
    """What Envoy tells beside the message."""
    metadata: dict[str, Any] = {JWT: {"payload": sent.claims}} if sent.claims is not None else {}
    if sent.metadata is not None:
        metadata[DEMO] = sent.metadata
    stream.set_properties(
        {
            "connection.uri_san_peer_certificate": (PRINCIPALS[sent.caller.principal] or "").encode(),
            "connection.tls_version": b"TLSv1.3",
            "connection.requested_server_name": (NAMES[sent.caller.name] or "").lower().encode(),
            "source.address": f"{sent.client}:4711".encode(),
            "filter_state.meshext_direct_address": f"{SOURCES[sent.caller.source]}:4711".encode(),
            "destination.address": f"{DESTINATIONS[sent.caller.destination]}:{PORT}".encode(),
            "destination.port": PORT.to_bytes(8, "little"),
            "metadata": b"".join(
                entry(1, entry(1, name.encode()) + entry(2, struct(value)))
                for name, value in metadata.items()
            ),
        }
    )


def struct(value: Any) -> bytes:
    """A `google.protobuf.Struct`."""
    made = Struct()
    made.update(value)
    return made.SerializeToString()


def entry(number: int, data: bytes) -> bytes:
    """A field of bytes in a protobuf message."""
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def decided(driver: Driver, sent: Sent) -> str:
    """Details of the refusal by the module, "" where it lets pass."""
    passage = driver.exchange(
        message_of(sent), lambda _: ANSWER, prepare=lambda stream: prepare(stream, sent)
    )
    if passage.local is None:
        assert passage.arrived is not None
        return ""
    assert passage.local.status == 403, [each.text for each in driver.machine.logs]
    return passage.local.details.decode()


def told(verdict: Verdict) -> str:
    """The same of the service."""
    return "" if verdict.allowed else tell_details(verdict)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(policy_sets((PORT, 8081)), st.lists(requests, min_size=4, max_size=12))
def test_verdicts_and_rules_are_those_of_the_service(
    documents: list[dict[str, Any]], sent: list[Sent]
) -> None:
    text = write(documents)
    read = Settings.from_document(Document(text))
    decider, driver = Decider(read.policies, read.workload.trust), start(given_to_module(text))
    for each in sent:
        assert decided(driver, each) == told(decider.decide(facts_of(each))), each


def test_what_is_seldom_meant_is_said_when_it_starts() -> None:
    driver = start(
        given_to_module(write([document(0, "DENY", "shop", [{"to": [{"operation": {"methods": ["get"]}}]}])]))
    )
    [line] = [each.text for each in driver.machine.logs]
    assert "shop/p0: rules[0] methods: 'get': methods are compared with case; write 'GET'" in line


def test_documents_are_refused_before_the_module() -> None:
    with pytest.raises(
        ConfigError, match=r"p0: spec\.rules\[0\]\.to\[0\]\.operation\.ports\[0\]: 'x' is not a port"
    ):
        given_to_module(write([document(0, "DENY", "shop", [{"to": [{"operation": {"ports": ["x"]}}]}])]))


GOOD = {"name": "p", "namespace": "shop", "rules": [{"operations": [[]]}]}
WORKLOAD = {"namespace": "shop"}


def rule(**term: object) -> dict[str, object]:
    """A configuration of a module with one term."""
    return {"policies": [{**GOOD, "rules": [{"operations": [[term]]}]}], "workload": WORKLOAD}


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"policies": [document(0, "ALLOW", "shop", [])]}, "policies[0].apiVersion: unknown key"),
        ({"policies": [GOOD]}, "workload: missing"),
        ({"policies": [{**GOOD, "action": "REFUSE"}], "workload": WORKLOAD}, "policies[0].action: expected"),
        (
            {"policies": [{**GOOD, "action": "CUSTOM"}], "workload": WORKLOAD},
            "shop/p: CUSTOM asks another service",
        ),
        (
            rule(field="paths", name="paths", values=[7]),
            "policies[0].rules[0].operations[0][0].values[0]: expected",
        ),
        (rule(field="nothing", name="x", values=[]), "policies[0].rules[0].operations[0][0].field: expected"),
        (rule(field="ports", name="ports", values=["x"]), "shop/p: rules[0] ports: 'x' is no port"),
        (
            rule(field="ipBlocks", name="ipBlocks", values=["300.1.1.1"]),
            "shop/p: rules[0] ipBlocks: '300.1.1.1'",
        ),
        (rule(field="request.headers", name="x", values=["a"]), "shop/p: rules[0] x: key has 0 parts"),
        (
            rule(field="experimental", name="x", values=["a"], key=["a"]),
            "shop/p: rules[0] x: key has 1 parts",
        ),
    ],
)
def test_what_is_wrong_in_a_module_is_refused_with_path_and_reason(
    configuration: dict[str, object], reason: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        start(json.dumps(configuration))
    assert reason in str(refusal.value)
    assert "as `meshext config --mode wasm` writes it" in str(refusal.value) or "shop/p" in reason
