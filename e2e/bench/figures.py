"""Figures: the raw ones as JSON, and a table with the ratios for a person."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from e2e.bench.load import find_h2load
from e2e.bench.rounds import Round, Settings, Stand
from meshext.envoy.binary import envoy_version, find_envoy

PACKAGES = ("meshext", "grpcio", "protobuf", "opentelemetry-sdk", "prometheus-client")
Table = dict[str, dict[str, Any]]


def describe_machine() -> dict[str, Any]:
    """What it ran on: enough to judge whether two files compare."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": [round(each, 2) for each in os.getloadavg()],
    }


def describe_versions(loader: str) -> dict[str, str]:
    """What was measured, and with what."""
    found = {name: metadata.version(name) for name in PACKAGES}
    found |= {"python": platform.python_version(), "envoy": envoy_version(find_envoy())}
    if loader == "h2load":
        done = subprocess.run([find_h2load(), "--version"], capture_output=True, text=True, check=True)
        found["h2load"] = done.stdout.split("/")[-1].strip()
    return found


def to_record(machine: dict[str, Any], settings: Settings, loader: str, cases: Table) -> dict[str, Any]:
    """Everything, as data."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine,
        "versions": describe_versions(loader),
        "settings": {
            "rounds": settings.rounds,
            "scale": settings.scale,
            "connections": settings.connections,
            "loader": loader,
        },
        "cases": cases,
    }


def to_case(stands: list[Stand], mode: str, decision: str, body: int) -> dict[str, Any]:
    """One case's rounds, and what follows from them."""
    rounds = {stand.variant.name: stand.rounds for stand in stands}
    names = {1: "bare", 2: "bare, 2 Envoy threads"}
    yardsticks = {stand.variant.name: rounds[names[stand.variant.threads]] for stand in stands}
    variants = {
        stand.variant.name: {
            "rounds": [asdict(each) for each in stand.rounds],
            "median": middle(stand.rounds),
            "ratio": ratios(stand.rounds, yardsticks[stand.variant.name]),
            "memory_mb": stand.memory,
            "start_up_s": round(stand.service.start_up, 2) if stand.service else None,
        }
        for stand in stands
    }
    return {"mode": mode, "decision": decision, "body_bytes": body, "variants": variants}


def middle(rounds: list[Round]) -> dict[str, float]:
    """The median of every figure."""
    columns = [asdict(each) for each in rounds]
    return {name: round(statistics.median(each[name] for each in columns), 3) for name in columns[0]}


def ratios(rounds: list[Round], yardstick: list[Round]) -> dict[str, float] | None:
    """The service's CPU against the bare servicer's of the same round: median, least, most."""
    found = [mine.service / its.service for mine, its in zip(rounds, yardstick, strict=True) if its.service]
    if not found or not rounds[0].service:
        return None
    return {
        "median": round(statistics.median(found), 3),
        "least": round(min(found), 3),
        "most": round(max(found), 3),
    }


def to_table(cases: Table) -> str:
    """CPU in microseconds a request, latency in milliseconds, medians over the rounds."""
    head = ("", "service", "ratio", "Envoy", "p50", "p99", "busy p50", "busy p99", "MiB", "start s")
    rows: list[tuple[str, ...]] = [head]
    for name, case in cases.items():
        rows.append((name, *[""] * (len(head) - 1)))
        rows += [to_row(variant, found) for variant, found in case["variants"].items()]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def to_row(variant: str, found: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table."""
    median, ratio = found["median"], found["ratio"]
    return (
        f"  {variant}",
        f"{median['service']:.0f}" if median["service"] else "-",
        f"{ratio['median']:.2f}" if ratio else "-",
        f"{median['envoy']:.0f}",
        f"{median['calm_p50']:.2f}",
        f"{median['calm_p99']:.2f}",
        f"{median['busy_p50']:.2f}",
        f"{median['busy_p99']:.2f}",
        "+".join(f"{each:.0f}" for each in found["memory_mb"]) or "-",
        f"{found['start_up_s']:.1f}" if found["start_up_s"] else "-",
    )


def write_record(path: Path, record: dict[str, Any]) -> None:
    """The file, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)
