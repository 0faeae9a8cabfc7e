"""Prints the configuration of the one FilterPolicy in a file, as JSON: what its service has to run with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

if __name__ == "__main__":
    document = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(document["spec"]["config"]))
