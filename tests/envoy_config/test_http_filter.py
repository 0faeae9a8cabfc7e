"""The plan as HTTP filters: golden YAML, and what the real Envoy then sends to the service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshext.attributes import ATTRIBUTES, attribute_key, from_struct, from_text
from meshext.envoy.emit import emit_yaml, to_data
from meshext.envoy.http_filter import build_http_filters
from meshext.errors import UnsupportedError
from meshext.plan import Mode, Plan
from tests.envoy_config.conftest import Lab

Make = Callable[..., Plan]
ATTRIBUTE_NAMES = ("source.port", "request.path", "connection.mtls", "request.time")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("authz_headers", {}),
        (
            "authz_body_open",
            {
                "request_body": "whole",
                "max_body": 1000,
                "failure": "open",
                "attributes": ATTRIBUTE_NAMES,
                "metadata_namespaces": ("envoy.filters.http.jwt_authn",),
                "written_namespaces": ("meshext.a", 'meshext.b"]'),
            },
        ),
        ("proc_headers", {"mode": "proc"}),
        (
            "proc_everything",
            {
                "mode": "proc",
                "request_body": "whole",
                "request_trailers": True,
                "response_headers": True,
                "response_body": "whole",
                "response_trailers": True,
                "attributes": (*ATTRIBUTE_NAMES, "xds.virtual_host_name", "response.code"),
                "metadata_namespaces": ("envoy.filters.http.jwt_authn",),
                "timeout": 7.5,
                "failure": "open",
            },
        ),
    ],
)
def test_golden(
    name: str, changes: dict[str, object], make_plan: Make, golden: Callable[[str, str], None]
) -> None:
    filters = build_http_filters(make_plan(**changes))
    golden(emit_yaml([to_data(item) for item in filters]), f"{name}.yaml")


def test_authz_can_not_carry_every_attribute(make_plan: Make) -> None:
    with pytest.raises(UnsupportedError, match=r"xds\.virtual_host_name"):
        build_http_filters(make_plan(attributes=("xds.virtual_host_name",)))


def test_nothing_to_copy_without_a_namespace(make_plan: Make) -> None:
    assert len(build_http_filters(make_plan(written_namespaces=()))) == 1


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_identity_can_not_be_forged(mode: Mode, in_lab: Callable[..., None], make_plan: Make) -> None:
    names = ("route", "uri-san", "direct-address", "client-address", "cluster", "tls-version")
    forged = {f"x-meshext-{name}": "forged" for name in names} | {"x-forwarded-for": "9.9.9.9"}

    async def steps(lab: Lab) -> None:
        answer = await lab.ask("/", forged)
        assert answer.status == 200
        seen = {key: value for key, value in lab.probe.metadata.items() if key.startswith("x-meshext-")}
        assert sorted(seen) == [
            "x-meshext-client-address",
            "x-meshext-cluster",
            "x-meshext-direct-address",
            "x-meshext-route",
        ]
        assert seen["x-meshext-cluster"] == "one"
        assert seen["x-meshext-route"] == "default"
        assert str(seen["x-meshext-client-address"]).startswith("127.0.0.1:")
        assert seen["x-meshext-direct-address"] == seen["x-meshext-client-address"]

    in_lab(steps, make_plan(mode=mode))


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_attributes_by_metadata(mode: Mode, in_lab: Callable[..., None], make_plan: Make) -> None:
    names = tuple(name for name, row in ATTRIBUTES.items() if row.carrier == "metadata")

    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).status == 200
        values = {name: from_text(name, _text(lab, name)) for name in names}
        assert {name: value for name, value in values.items() if value is None} == dict.fromkeys(
            (
                "connection.requested_server_name",
                "connection.sha256_peer_certificate_digest",
                "connection.subject_local_certificate",
                "connection.subject_peer_certificate",
                "connection.tls_version",
                "connection.transport_failure_reason",
                "xds.filter_chain_name",
            )
        )
        assert values["connection.mtls"] is False
        assert values["request.protocol"] == "HTTP/1.1"
        assert str(values["source.address"]).endswith(f":{values['source.port']!r}")
        assert values["destination.port"] == lab.envoy.port("meshext")
        for name in names:
            assert values[name] is None or type(values[name]) is ATTRIBUTES[name].type

    in_lab(steps, make_plan(mode=mode, attributes=names))


@pytest.mark.envoy
def test_attributes_by_struct(in_lab: Callable[..., None], make_plan: Make) -> None:
    names = tuple(name for name, row in ATTRIBUTES.items() if row.carrier == "struct")

    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).status == 200
        values = {name: from_struct(name, lab.probe.attributes.get(name)) for name in names}
        assert values["xds.virtual_host_name"] == "all"
        assert values["response.code"] == 200
        assert values["response.code_details"] == "via_upstream"
        assert values["upstream.request_attempt_count"] == 1
        assert isinstance(values["upstream.cx_pool_ready_duration"], float)
        for name in names:
            assert values[name] is None or type(values[name]) is ATTRIBUTES[name].type

    in_lab(steps, make_plan(mode="proc", attributes=names, response_headers=True))


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
@pytest.mark.parametrize("path", ["/", "/deny"])
def test_metadata_lands_in_the_filters_own_namespace(
    mode: Mode, path: str, in_lab: Callable[..., None], make_plan: Make
) -> None:
    async def steps(lab: Lab) -> None:
        answer = await lab.ask(path)
        assert answer.status == (403 if mode == "authz" and path == "/deny" else 200)
        (line,) = await lab.access_log()
        assert line["metadata"] == {"meshext.demo": {"user": "ada"}}
        assert line["request_id"] == answer.headers["x-request-id"]

    in_lab(steps, make_plan(mode=mode))


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
@pytest.mark.parametrize("size", [1_048_576, 4_194_304])
def test_max_body_passes_and_one_byte_more_does_not(
    mode: Mode, size: int, in_lab: Callable[..., None], make_plan: Make
) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask(method="POST", body=b"x" * size)).status == 200
        assert lab.probe.bodies == [size]
        status = (await lab.ask(method="POST", body=b"x" * (size + 1))).status
        # Either Envoy refuses, or the service is shown that the body is too long.
        assert status == 413 or lab.probe.bodies[1:] == [size + 1]

    in_lab(steps, make_plan(mode=mode, request_body="whole", max_body=size))


@pytest.mark.envoy
@pytest.mark.parametrize("mode", ["authz", "proc"])
@pytest.mark.parametrize("size", [1_048_576, 20_000_000])
def test_the_same_over_http2(mode: Mode, size: int, in_lab: Callable[..., None], make_plan: Make) -> None:
    """There the limit is the stream's window, whatever the listener says."""

    async def steps(lab: Lab) -> None:
        assert await lab.post_http2("/", b"x" * size) == 200
        assert lab.probe.bodies == [size]
        status = await lab.post_http2("/", b"x" * (size + 1))
        assert status == 413 or lab.probe.bodies[1:] == [size + 1]

    in_lab(steps, make_plan(mode=mode, request_body="whole", max_body=size))


@pytest.mark.envoy
@pytest.mark.parametrize("longer", [1, 2, 500, 9000])
def test_authz_never_takes_a_cut_body_for_whole(
    longer: int, in_lab: Callable[..., None], make_plan: Make
) -> None:
    """Below the connection's own limit Envoy cuts the body at `max_request_bytes` and asks all the same."""

    async def steps(lab: Lab) -> None:
        status = (await lab.ask(method="POST", body=b"x" * (1000 + longer))).status
        assert status == 413 or lab.probe.bodies == [1001]

    in_lab(steps, make_plan(request_body="whole", max_body=1000))


@pytest.mark.envoy
def test_response_body_at_the_limit(in_lab: Callable[..., None], make_plan: Make) -> None:
    async def steps(lab: Lab) -> None:
        assert len((await lab.ask("/bytes/4194304")).body) == 4_194_304
        assert (await lab.ask("/bytes/4194305")).status == 500

    plan = make_plan(mode="proc", response_headers=True, response_body="whole", max_body=4_194_304)
    in_lab(steps, plan)


def _text(lab: Lab, name: str) -> str | None:
    value = lab.probe.metadata.get(attribute_key(name))
    assert value is None or isinstance(value, str)
    return value
