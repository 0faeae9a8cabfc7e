"""What our text for LLVM must not have: promises that, once broken, let LLVM remove checks.

`nsw`, `nuw` and `inbounds` turn an overflow into a value that may be anything; `unreachable` lets LLVM drop
whatever leads to it, so a trap has to stand before it; `undef` and `poison` are values that may be anything.
"""

from __future__ import annotations

import re

PROMISES = re.compile(
    r"(?<![\w.\"%@-])(nsw|nuw|inbounds|exact|undef|poison|fast|nnan|ninf|noundef|nonnull|dereferenceable|"
    r"mustprogress|willreturn|inrange|disjoint)(?![\w.\":-])|@(llvm\.assume)\b"
)
QUOTED = re.compile(r'"[^"]*"')


class LintError(AssertionError):
    """Our text makes a promise: a mistake in the compiler, named with its lines."""


def check_text(text: str) -> None:
    """LintError for promises and for `unreachable` without a trap before it."""
    problems = []
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = QUOTED.sub('""', line)
        found = PROMISES.search(bare)
        if found:
            problems.append(f"line {number}: {found[0]}: {line.strip()}")
        if bare.strip() == "unreachable" and "@llvm.trap()" not in before:
            problems.append(f"line {number}: unreachable without a trap before it")
        before = bare
    if problems:
        raise LintError("\n".join(problems))
