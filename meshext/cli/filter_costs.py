"""What a filter was measured to cost: `costs.json` in the package that it comes from.

    {"measured": {"date": "2026-01-31", "cpu": "...", "python": "3.11.9"},
     "filters": {"ab-routing": {"microseconds": 21.5, "request": "GET /"}}}

`microseconds` are CPU for a request with the example of its page, beyond a filter that does nothing.
`python -m e2e.bench.pages` writes the file for the filters that ship with us.
"""

from __future__ import annotations

import json
from importlib.resources import files

from meshext.filter import Filter

FILE = "costs.json"


def read_costs(cls: type[Filter]) -> str:
    """A sentence about what was measured of an installed filter; "" where nothing was."""
    package = cls.__module__.partition(".")[0]
    try:
        found = json.loads(files(package).joinpath(FILE).read_text(encoding="utf-8"))
        cost, how = found["filters"][cls.name], found["measured"]
        machine = f"Python {how['python']} on {how['cpu']}"
        return (
            f"{cost['microseconds']:g} us of CPU for a request ({cost['request']}) with the example below, "
            f"beyond a filter that does nothing; measured {how['date']} with {machine}."
        )
    except (ModuleNotFoundError, OSError, ValueError, KeyError, TypeError):
        return ""  # its distribution measured nothing
