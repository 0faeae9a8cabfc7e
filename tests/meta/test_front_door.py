"""The public names of `meshext`, pinned: one that comes or goes is a decision."""

from __future__ import annotations

import subprocess
import sys

import meshext

NAMES = """
    ConfigError Cookies Counter Exchange Filter Gauge HeaderError Headers Histogram Limit
    MeshextError Metadata Needs Outcome Peer Query Request Respond Response SpecError Store
    StoreError StoreUnavailable UndeclaredError UnsupportedError verify_signature
""".split()


def test_the_names_are_these() -> None:
    assert sorted(meshext.__all__) == sorted(NAMES)


def test_every_name_is_there_and_says_what_it_is_for() -> None:
    assert [name for name in meshext.__all__ if not getattr(meshext, name).__doc__] == []


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = {"grpc", "meshext_proto", "envoy_data_plane", "cryptography", "typer", "rich", "asyncio"}
    code = f"import sys, meshext; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
