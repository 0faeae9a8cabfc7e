"""`meshext proxy-config` on dumps: tables, JSON, secrets, and whatever else may be in a file."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from meshext.cli.main import main
from meshext_controlplane.agent.dump import clusters, endpoints, listeners, routes, secrets
from meshext_controlplane.agent.dump.document import Dump
from meshext_controlplane.agent.svid import make_key
from tests.controlplane.agent.authority import Authority, pem_of

DUMP = Path(__file__).with_name("dump.json")
KINDS = ("cluster", "listener", "route", "endpoint", "secret")


@pytest.mark.parametrize("kind", KINDS)
def test_tables(kind: str, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]) -> None:
    assert main(["proxy-config", kind, "-f", str(DUMP)]) == 0
    golden(capsys.readouterr().out, f"{kind}.txt")


@pytest.mark.parametrize("kind", KINDS)
def test_json_has_each_message_with_version_and_state(
    kind: str, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert main(["proxy-config", kind, "-f", str(DUMP), "--json"]) == 0
    golden(capsys.readouterr().out, f"{kind}.json")


def test_a_dump_of_a_dump_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proxy-config", "all", "-f", str(DUMP)]) == 0
    saved = tmp_path / "dump.json"
    saved.write_text(capsys.readouterr().out)
    assert json.loads(saved.read_text()) == json.loads(DUMP.read_text())


def secret_dump(authority: Authority, **more: Any) -> dict[str, Any]:
    key = make_key()
    name = x509.UniformResourceIdentifier("spiffe://mesh.test/ns/shop/sa/a")
    leaf = authority.leaf(key.public_key(), [name], **more).public_bytes(Encoding.PEM)
    pair = {
        "certificate_chain": {"inline_bytes": b64encode(leaf).decode()},
        "private_key": {"inline_bytes": b64encode(pem_of(key)).decode()},
    }
    entry = {"name": "default", "secret": {"name": "default", "tls_certificate": pair}}
    section = {
        "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
        "dynamic_active_secrets": [entry],
    }
    return {"configs": [section], "bootstrap": {"password": "p4ss"}}


@pytest.mark.parametrize("kind", ["secret", "all"])
def test_no_key_is_ever_shown(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "dump.json"
    saved.write_text(json.dumps(secret_dump(Authority())))
    assert main(["proxy-config", kind, "-f", str(saved), "--json"]) == 0
    shown = capsys.readouterr().out
    assert ("[redacted]" in shown, "p4ss" in shown) == (True, False)
    assert b64encode(b"-----BEGIN PRIVATE KEY")[:20].decode() not in shown


@pytest.mark.parametrize(
    ("age", "valid"), [(timedelta(), "yes"), (timedelta(days=2), "expired"), (timedelta(days=-2), "not yet")]
)
def test_certificates_say_whose_they_are_and_until_when(age: timedelta, valid: str) -> None:
    ((name, kind, _, is_valid, _, _, owner),) = secrets.rows(Dump(secret_dump(Authority(), age=age)))
    expected = ("default", "certificate", valid, "spiffe://mesh.test/ns/shop/sa/a")
    assert (name, kind, is_valid, owner) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "this is no JSON"),
        (b"\xff\xfe", "this is no JSON"),
        (b"[" * 100_000, "this is no JSON"),
        (b"[]", "this is no configuration dump"),
        (b'{"configs": {}}', "this is no configuration dump"),
    ],
    ids=["cut", "no text", "deep", "list", "other"],
)
def test_what_is_no_dump_is_refused(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "dump.json"
    saved.write_bytes(content)
    assert main(["proxy-config", "cluster", "-f", str(saved)]) == 2
    assert said in capsys.readouterr().err


def test_a_sidecar_that_does_not_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proxy-config", "cluster", "--data", str(tmp_path)]) == 2
    assert f"no sidecar runs in '{tmp_path}'" in capsys.readouterr().err
    assert main(["proxy-config", "cluster"]) == 2
    assert "name the workload" in capsys.readouterr().err


NAMES = sorted(
    {
        word
        for module in ("clusters", "endpoints", "listeners", "routes", "secrets", "document")
        for word in Path(clusters.__file__).with_name(f"{module}.py").read_text().replace('"', " ").split()
        if word.isidentifier()
    }
)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=25,
)
sections = st.sampled_from(
    [
        "ClustersConfigDump",
        "EndpointsConfigDump",
        "ListenersConfigDump",
        "RoutesConfigDump",
        "SecretsConfigDump",
    ]
)
entries = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("cluster", "listener", "secret", "active_state", "route_config"), trees)
    ),
    max_size=3,
)


@given(sections, st.sampled_from(["clusters", "listeners", "secrets", "route_configs"]), entries)
def test_nothing_in_a_dump_breaks_a_table(section: str, kind: str, found: list[Any]) -> None:
    config = {"@type": f"x.{section}", f"dynamic_{kind}": found, f"static_{kind}": found}
    dump = Dump({"configs": [config], "cluster_statuses": found})
    for module in (clusters, endpoints, listeners, routes, secrets):
        for row in module.rows(dump):
            assert all(isinstance(cell, str) for cell in row)
            assert len(row) == len(module.HEADINGS)
