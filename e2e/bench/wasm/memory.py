"""Memory for each VM: Envoy's own, with the module in none, one, two and eight of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from e2e.bench.gateways import find_manager, start_envoy
from e2e.bench.load import Load
from e2e.bench.rounds import Settings
from e2e.bench.usage import resident
from e2e.bench.wasm.modules import SPEC, compile_c, compile_python
from e2e.bench.wasm.stands import build_bootstrap
from e2e.bench.wasm.ways import Way
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.emit import to_data
from meshext.envoy.wasm_filter import Module, build_wasm_filters

COUNTS = (1, 2, 8)
REQUESTS = 2000
MEBI = 2**20


async def run_vms(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Filters in VMs of their own, and the same number in one."""
    modules = {"policy": compile_python(SPEC), "C by hand": compile_c("policy")}
    counts = COUNTS if settings.whole else COUNTS[:2]
    found: dict[str, Any] = {"none": await weigh([], settings)}
    for name, module in modules.items():
        for count in counts:
            tell(f"memory: {count} times {name}")
            own = [replace(module, name=f"{module.name}{number}") for number in range(count)]
            found[f"{name}, own VMs, {count}"] = await weigh(own, settings)
            if count > 1:
                found[f"{name}, one VM, {count}"] = await weigh([module] * count, settings)
    few, many = counts[0], counts[-1]
    return {
        "anonymous_mib": found,
        "a_vm_mib": {
            name: round(
                (found[f"{name}, own VMs, {many}"] - found[f"{name}, own VMs, {few}"]) / (many - few), 2
            )
            for name in modules
        },
    }


async def weigh(modules: list[Module], settings: Settings) -> float:
    """MiB of Envoy's anonymous memory after some requests through so many filters."""
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    try:
        data = json.loads(build_bootstrap(Way(name=""), folder, None))
        filters = find_manager(data)["http_filters"]
        for number, module in enumerate(modules):
            (wasm,) = build_wasm_filters(module)
            filters.insert(-1, {**to_data(wasm), "name": f"wasm{number}"})
        envoy = await start_envoy(json.dumps(data), folder, listeners=(LISTENER,))
        try:
            address = f"127.0.0.1:{envoy.port(LISTENER)}"
            await settings.send(
                address, Load(requests=max(40, round(REQUESTS * settings.scale)), connections=4)
            )
            return round(resident(envoy.pid, "Pss_Anon") / MEBI, 2)
        finally:
            await envoy.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def to_table(found: dict[str, Any]) -> str:
    """MiB, and those above Envoy without a filter."""
    sizes = found["anonymous_mib"]
    lines = [f"  {name:26}{size:8.1f} MiB{size - sizes['none']:+8.1f}" for name, size in sizes.items()]
    lines += [f"  a VM of {name}: {size:.2f} MiB" for name, size in found["a_vm_mib"].items()]
    return "\n".join(lines) + "\n"
