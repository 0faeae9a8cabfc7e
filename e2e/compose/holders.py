"""Who holds which certificate of a suite's mesh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from e2e.compose.project import Project


def holdings(project: Project) -> dict[str, Any]:
    """What `meshext certs` says."""
    found = json.loads(project.meshext("certs", "--json"))
    assert isinstance(found, dict)
    return found


def newest(project: Project) -> Mapping[str, Mapping[str, str]]:
    """The certificate of each holder that is not banned, by the token that its line began with."""
    held = [each for each in holdings(project)["certificates"] if each["newest"] and not each["banned"]]
    return {each["token"]: each for each in held if each["token"]}
