"""What a control plane takes from its folder before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext.errors import ConfigError
from meshext.hosts.address import Address
from meshext_controlplane.server.options import ControlPlaneOptions
from meshext_controlplane.server.running import find_trust_domain, open_authority
from meshext_controlplane.state.store import StateStore

GOOD = """\
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomain: shop.example}
"""
WRONG = GOOD.replace("trustDomain", "trustDomian")


def options(folder: Path, text: str) -> ControlPlaneOptions:
    (folder / "mesh.yaml").write_text(text)
    nowhere = Address(host="127.0.0.1")
    return ControlPlaneOptions(config=folder, state=folder / "state", listen=nowhere, join=nowhere)


def test_the_trust_domain_is_that_of_the_mesh(tmp_path: Path) -> None:
    with StateStore(tmp_path / "state") as store:
        assert open_authority(options(tmp_path, GOOD), store).trust_domain == "shop.example"
        assert find_trust_domain(options(tmp_path, ""), store) == "shop.example"


def test_a_first_start_with_a_wrong_mesh_config_is_refused(tmp_path: Path) -> None:
    with StateStore(tmp_path / "state") as store:
        with pytest.raises(ConfigError, match="trustDomian"):
            find_trust_domain(options(tmp_path, WRONG), store)
        open_authority(options(tmp_path, GOOD), store)
        assert find_trust_domain(options(tmp_path, WRONG), store) == "shop.example"
