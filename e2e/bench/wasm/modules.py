"""The modules that are measured: ours from Python, others from C beside it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from e2e.bench.load import LoadError
from meshext.envoy.wasm_filter import Module
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters

POLICY = Path(__file__).parent / "policy"
SPEC = f"{POLICY / 'policy.py'}:Policy"
CLANG = (sys.executable, "-m", "ziglang", "cc", "--target=wasm32-freestanding")
OPTIONS = ("-O2", "-s", "-nostdlib", "-Wall", "-Wextra", "-Werror", "-Wl,--no-entry")


def compile_c(name: str) -> Module:
    """A module of a source in C that stands in `policy`; LoadError where there is no compiler."""
    with tempfile.TemporaryDirectory(prefix="meshext-bench-") as folder:
        made = Path(folder) / "module.wasm"
        command = [*CLANG, *OPTIONS, "-o", str(made), str(POLICY / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LoadError(f"{name}.c: {done.stderr.strip()[-500:]} (python3 -m pip install ziglang)")
        return Module(name=f"{name}-c", code=made.read_bytes())


def compile_python(*specs: str) -> Module:
    """A module of filters that take no configuration."""
    built = build_filters(specs, user_cache())
    return Module(name=built.name, code=built.code, reads_peer="peer" in built.facts)
