"""Commands that administer a mesh over the network, by a workload's certificate."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import service, shop
from e2e.mesh.world import mesh
from tests.ports import free_port

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


def test_a_viewer_looks_and_changes_nothing(tmp_path: Path) -> None:
    address, certificates = f"127.0.0.1:{free_port()}", tmp_path / "certificates"
    environment = {**os.environ, "MESHEXT_ADMIN": address, "MESHEXT_CERTS": str(certificates)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command, nowhere = [*MESHEXT, *words], tmp_path / "nowhere"
        return subprocess.run(
            [*command, "--state", str(nowhere)], capture_output=True, text=True, env=environment, timeout=60
        )

    options = ("--admin-listen", address, "--admin", "shop/checkout=viewer")
    with mesh(tmp_path, shop("checkout"), *options) as world:
        assert "set MESHEXT_CERTS to a folder of --write-certs" in run("proxy-status").stderr
        world.add("checkout-1", "--write-certs", str(certificates))
        wait_for("all are synced", lambda: (certificates / "cert-chain.pem").exists() and world.synced())
        shown = run("proxy-status")
        assert (shown.returncode, "checkout-1.shop" in shown.stdout) == (0, True), shown.stderr
        more = tmp_path / "more.yaml"
        more.write_text(service("more"))
        refused = run("apply", "-f", str(more))
        assert refused.returncode == 1
        assert "shop/checkout is viewer and may not Apply; that takes operator" in refused.stderr
        assert "more" not in run("get").stdout
