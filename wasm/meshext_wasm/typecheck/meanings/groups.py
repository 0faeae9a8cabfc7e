"""What a regular expression says of its groups, where it is written out."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a pattern: how many, their names, the numbers of those that are in every match, and the
    class of its texts, `str` or `bytes`."""

    count: int
    names: Mapping[str, int]
    always: frozenset[int]
    text: str = "str"

    def has(self, group: object) -> bool:
        """Whether a group, by number or name, is in every match."""
        number = self.names.get(group) if isinstance(group, str) else group
        return isinstance(number, int) and number in self.always


def read_groups(call: ast.Call, flags_at: int) -> Groups | None:
    """The groups of the pattern that a call has first; its flags are named, or the argument with that number.

    None where the pattern or its flags are not written out, or it does not compile.
    """
    named = (each.value for each in call.keywords if each.arg == "flags")
    flags = call.args[flags_at] if len(call.args) > flags_at else next(named, None)
    pattern = call.args[0] if call.args else None
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str | bytes):
        return None
    # a tenth of the compiler's imports, and most filters have no pattern
    from meshext_wasm.typecheck.meanings.patterns import parse_groups

    return parse_groups(pattern.value, flags)
