"""The wheel: what `pip install meshext` puts into a person's environment."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {"meshext", "meshext_filters", "meshext_wasm", "meshext_controlplane", "meshext_proto"}


@pytest.fixture
def wheel(tmp_path: Path, require: Callable[[str, str], str]) -> list[str]:
    """The names in the wheel of this checkout."""
    uv = os.environ.get("UV") or require("uv", "python3 -m pip install uv")
    command = [uv, "build", "--wheel", "--out-dir", str(tmp_path), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert built.returncode == 0, built.stderr
    [path] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.slow
def test_wheel_holds_our_packages_alone(wheel: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    [information] = [top for top in tops if top.endswith(".dist-info")]
    assert tops - {information} == TOP_LEVEL
    assert "meshext_proto/envoy/service/auth/v3/external_auth_pb2.py" in wheel
    assert "meshext_proto/envoy/service/ext_proc/v3/external_processor_pb2.pyi" in wheel
    assert {f"{top}/py.typed" for top in TOP_LEVEL} <= set(wheel)
    assert "meshext_filters/costs.json" in wheel
    assert f"{information}/licenses/LICENSE" in wheel
