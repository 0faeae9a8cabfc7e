"""The hatch build hook that puts `meshext_proto` into the wheel.

It is written to a temporary folder and never into the checkout: uv keeps the editable wheel and uses it for
another checkout of the same state, where a folder that only the build had written would be missing.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MADE = "MESHEXT_PROTO"
"""The variable that names a package which `generate.py` has made before: images keep it between builds."""


class MessagesHook(BuildHookInterface):
    """Generates Envoy's messages when a wheel is built, editable or not; hatchling calls it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate the package and tell hatchling to take it in; `version` is "standard" or "editable"."""
        if self.target_name != "wheel":
            return
        self.scratch = tempfile.TemporaryDirectory(prefix="meshext-proto-")
        if made := os.environ.get(MADE):
            package = Path(made)
        else:
            generator = load_generator(Path(self.root, "proto", "generate.py"))
            package = generator.generate(Path(self.scratch.name))
        included = "force_include_editable" if version == "editable" else "force_include"
        build_data[included][str(package)] = package.name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what `initialize` has written; the wheel holds its copy."""
        if self.target_name == "wheel":
            self.scratch.cleanup()


def load_generator(path: Path) -> ModuleType:
    """Import the generator by its path: `proto` is no package of ours and not on the build's path."""
    spec = importlib.util.spec_from_file_location("meshext_generate", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"no generator at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
