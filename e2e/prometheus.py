"""What services expose, as Prometheus reads it, and a real one (Debian's package) that answers queries."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from e2e.stage import wait_for
from tests.ports import free_port

CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: meshext
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
storage: {{exemplars: {{max_exemplars: 1000}}}}
"""
DEADLINE = 20.0  # seconds
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def exposed(port: int) -> str:
    """The text at `/metrics` on that port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def scrape(port: int) -> Series:
    """What Prometheus would read on that port."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposed(port))
        for sample in family.samples
    }


def total(port: int, name: str, **labels: str) -> float:
    """The sum of a metric's series with these labels."""
    return sum(
        value
        for (found, its), value in scrape(port).items()
        if found == name and labels.items() <= dict(its).items()
    )


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/"""

    port: int

    def query(self, text: str) -> list[dict[str, Any]]:
        """The samples of an instant query: each has `metric` (labels) and `value` (time and text)."""
        found: list[dict[str, Any]] = self._get("query", query=text)["result"]
        return found

    def number(self, text: str) -> float:
        """The one number of a query that adds up; 0 where there is no series."""
        found = self.query(text)
        return float(found[0]["value"][1]) if found else 0.0

    def exemplars(self, text: str) -> list[dict[str, Any]]:
        """Series with their exemplars: each has `seriesLabels` and `exemplars`."""
        now = time.time()
        found: list[dict[str, Any]] = self._get("query_exemplars", query=text, start=now - 3600, end=now + 60)
        return found

    def target_error(self) -> str:
        """What the last scrape complained of; "" where it went well."""
        (target,) = self._get("targets")["activeTargets"]
        return "" if target["health"] == "up" else f"{target['health']}: {target['lastError']}"

    def _get(self, what: str, **given: object) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(given)}"
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(program: str, scraped: int, folder: Path) -> Iterator[Prometheus]:
    """Prometheus on a free port, once it is ready; it scrapes 127.0.0.1:`scraped`."""
    file = folder / "prometheus.yml"
    file.write_text(CONFIGURATION.format(port=scraped))
    port = free_port()
    command = [
        program,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=error",
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            made = Prometheus(port)
            assert wait_for(lambda: is_ready(port)), (folder / "log").read_text()
            yield made
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            finally:
                process.kill()


def is_ready(port: int) -> bool:
    """Whether it says that it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=DEADLINE) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False
