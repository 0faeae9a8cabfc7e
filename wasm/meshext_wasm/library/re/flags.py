"""Flags inside a pattern: `(?im)` at its start, `(?i-s:...)` around a part."""

from __future__ import annotations

from meshext_wasm.library.re.nodes import ASCII, DOTALL, IGNORECASE, LOCALE, MULTILINE, UNICODE, VERBOSE
from meshext_wasm.library.re.scanner import Scanner

LETTERS = "aimsuxL"
KINDS = ASCII | UNICODE | LOCALE


def flag_of(letter: str) -> int:
    """What a letter means; 0 for one that is no flag."""
    if letter == "i":
        return IGNORECASE
    if letter == "m":
        return MULTILINE
    if letter == "s":
        return DOTALL
    if letter == "x":
        return VERBOSE
    if letter == "a":
        return ASCII
    if letter == "u":
        return UNICODE
    return LOCALE if letter == "L" else 0


def take_global_flags(scanner: Scanner) -> None:
    """`(?im)` at the start."""
    while scanner.text.startswith("(?", scanner.at):
        end = scanner.at + 2
        while end < len(scanner.text) and scanner.text[end] in LETTERS:
            end += 1
        if end == scanner.at + 2 or end >= len(scanner.text) or scanner.text[end] != ")":
            return
        scanner.at += 2
        scanner.flags |= take_added(scanner)


def take_added(scanner: Scanner) -> int:
    """The flags to turn on, and what ends them: `)`, `:` or `-`."""
    result = 0
    letter = scanner.take()
    while letter != "-":
        if letter == "L":
            scanner.fail("the flag LOCALE is not supported", scanner.at - 1)
        if letter == "u" and scanner.is_bytes():
            scanner.fail("bad inline flags: cannot use 'u' flag with a bytes pattern", scanner.at)
        result |= flag_of(letter)
        if flag_of(letter) & KINDS != 0 and result & KINDS != flag_of(letter):
            scanner.fail("bad inline flags: flags 'a', 'u' and 'L' are incompatible", scanner.at)
        letter = next_letter(scanner, "missing -, : or )", "):-")
        if letter == ")" or letter == ":":
            break
    return result


def next_letter(scanner: Scanner, missing: str, ends: str) -> str:
    """One more flag, or what ends them."""
    letter = scanner.here()
    if letter == "":
        scanner.fail(missing, scanner.at)
    if letter not in ends and flag_of(letter) == 0:
        scanner.fail("unknown flag" if letter.isalpha() else missing, scanner.at)
    return scanner.take()


def take_removed(scanner: Scanner) -> int:
    """The flags to turn off, and the colon behind them."""
    result = 0
    letter = next_letter(scanner, "missing flag", "")
    while letter != ":":
        if flag_of(letter) & KINDS != 0:
            scanner.fail("bad inline flags: cannot turn off flags 'a', 'u' and 'L'", scanner.at)
        result |= flag_of(letter)
        letter = next_letter(scanner, "missing :", ":")
    return result


def parse_flags(scanner: Scanner, flags: int, start: int) -> int:
    """The flags inside `(?i:` or `(?i-s:`; what stands behind `(?` is at hand."""
    letter = scanner.here()
    if letter == "":
        scanner.fail("unexpected end of pattern", scanner.at)
    if letter != "-" and flag_of(letter) == 0:
        scanner.fail(f"unknown extension ?{letter}", start + 1)
    added = take_added(scanner)
    end = scanner.text[scanner.at - 1]
    if end == ")":
        scanner.fail("global flags not at the start of the expression", start)
    removed = take_removed(scanner) if end == "-" else 0
    if added & removed != 0:
        scanner.fail("bad inline flags: flag turned on and off", scanner.at - 1)
    if added & KINDS != 0:
        removed |= KINDS & ~added
    return (flags | added) & ~removed
