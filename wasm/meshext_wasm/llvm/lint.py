"""What our text for LLVM must not have: promises that, once broken, let LLVM remove checks.

`nsw`, `nuw` and `inbounds` turn an overflow into a value that may be anything; `unreachable` lets LLVM drop
whatever leads to it, so a trap has to stand before it; `undef` and `poison` are values that may be anything.
"""

from __future__ import annotations

import re

WORDS = tuple(
    "nsw nuw inbounds exact undef poison fast nnan ninf noundef nonnull dereferenceable mustprogress "
    "willreturn inrange disjoint".split()
)
PROMISES = re.compile(rf"(?<![\w.\"%@-])({'|'.join(WORDS)})(?![\w.\":-])|@(llvm\.assume)\b")
SUSPECT = (*WORDS, "llvm.assume", "unreachable")
"""A line without any of these, which is nearly every one, needs no closer look."""
QUOTED = re.compile(r'"[^"]*"')


class LintError(AssertionError):
    """Our text makes a promise: a mistake in the compiler, named with its lines."""


def check_text(text: str) -> None:
    """LintError for promises and for `unreachable` without a trap before it."""
    problems = []
    lines = text.splitlines()
    suspect = [each for each in SUSPECT if each in text]
    for number, line in enumerate(lines):
        if not any(each in line for each in suspect):
            continue
        bare = QUOTED.sub('""', line)
        found = PROMISES.search(bare)
        if found:
            problems.append(f"line {number + 1}: {found[0]}: {line.strip()}")
        before = QUOTED.sub('""', lines[number - 1]) if number else ""
        if bare.strip() == "unreachable" and "@llvm.trap()" not in before:
            problems.append(f"line {number + 1}: unreachable without a trap before it")
    if problems:
        raise LintError("\n".join(problems))
