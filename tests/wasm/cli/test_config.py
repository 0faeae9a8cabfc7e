"""`meshext config --mode wasm`: Envoy takes what it prints, and runs the module that `meshext build` made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from meshext.envoy.wasm_filter import FILTER, STATE_FILTER
from tests.cli.test_config import bootstrap, check_with_envoy

pytestmark = pytest.mark.timeout(600)  # the run-time library may have to be compiled first

ROOT = Path(__file__).parents[3]
REWRITES = str(ROOT / "filters/examples/05_rewrite_and_reroute/filter.py")
PEER = """from meshext import Filter, Request


class Peer(Filter):
    failure = "open"

    def on_request(self, request: Request) -> None:
        request.headers["x-peer"] = request.peer.address
"""


def meshext(folder: Path, *arguments: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "meshext", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.envoy
def test_envoy_takes_a_bootstrap_with_the_module_in_it(tmp_path: Path) -> None:
    module = tmp_path / "rewrites.wasm"
    meshext(tmp_path, "build", REWRITES, "-o", str(module))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(bootstrap()))
    config = ["--config", '{"share": 30}', "--mode", "wasm", "--module", str(module)]
    out, _ = meshext(tmp_path, "config", REWRITES, *config, "--into", "mine.yaml")
    data = yaml.safe_load(out)
    assert "clusters" not in data["static_resources"]
    check_with_envoy(data, tmp_path)
    data_with_mistake = yaml.safe_load(out.replace('{"share": 30}', '{"share": 130}'))
    with pytest.raises(AssertionError, match="Unable to create Wasm plugin"):
        check_with_envoy(data_with_mistake, tmp_path)


def test_what_the_filter_needs_comes_along_and_what_weakens_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "peer.py").write_text(PEER)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(bootstrap()))
    out, err = meshext(tmp_path, "config", "peer.py:Peer", "--mode", "wasm", "--into", "mine.yaml")
    [listener] = yaml.safe_load(out)["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert [each["name"] for each in manager["http_filters"]][:2] == [STATE_FILTER, FILTER]
    assert manager["http_filters"][1]["typed_config"]["config"]["vm_config"]["code"]["local"] == {
        "filename": "peer.wasm"
    }
    assert manager["merge_slashes"] is True
    assert "merge_slashes was not set" in err
    assert "while the service is gone" not in err
