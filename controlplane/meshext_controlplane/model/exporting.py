"""`exportTo`: which namespaces see a document."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_export(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names; ValueError where one is no namespace, `.`, `*` or `~`."""
    for name in names:
        if name not in (".", "*", "~") and not _NAMESPACE.fullmatch(name):
            raise ValueError(
                f"{name[:60]!r} is no namespace; write `*`, `.` (this one) or a namespace's name"
            )
    if len(names) > 1 and ("*" in names or "~" in names):
        raise ValueError("`*` (all) and `~` (none) stand alone; write only that, or only names")
    return names


ExportTo = Annotated[tuple[str, ...], AfterValidator(check_export)]
"""Namespaces; `.` is the document's own, `*` all, `~` none. Empty is all."""


def is_exported(export_to: tuple[str, ...], own: str, client: str) -> bool:
    """Whether a client's namespace sees a document of the namespace `own`."""
    if not export_to or "*" in export_to or client in export_to:
        return True
    return "." in export_to and own == client
