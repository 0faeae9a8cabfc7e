"""The operations of a compiled pattern; each is four words: the operation and up to three operands."""

from __future__ import annotations

MATCH = 0
CHAR = 1
SET = 2
ANY = 3
ALL = 4
CHAR_IGNORE = 5
SPLIT = 6
JUMP = 7
SAVE = 8
LAST = 9
LINE_START = 10
TEXT_END = 11
LINE_END = 12
START = 13
END = 14
BORDER = 15
NO_BORDER = 16
BORDER_ASCII = 17
NO_BORDER_ASCII = 18
LOOK = 19
"""Whether one of the ways up to the first operand holds; then whether they end here, and whether none may."""
WAY = 20
"""Operations up to the first operand, which take as many characters as the second says."""
