"""A pattern's text to its parts, as CPython reads it. What can not be matched in linear time is refused."""

from __future__ import annotations

from meshext_wasm.library.re import operations
from meshext_wasm.library.re.escapes import parse_escape, set_escape
from meshext_wasm.library.re.flags import parse_flags, take_global_flags
from meshext_wasm.library.re.nodes import (
    ALTERNATIVES,
    ANY,
    ASSERTION,
    EMPTY,
    GROUP,
    LOOK,
    MULTILINE,
    REPEAT,
    SEQUENCE,
    UNBOUNDED,
    VERBOSE,
    CharSet,
    Node,
    assertion_node,
    char_node,
    set_node,
)
from meshext_wasm.library.re.scanner import Scanner

MOST = 4294967295


def parse(scanner: Scanner) -> Node:
    """The whole pattern; `scanner.flags` has the flags that it sets itself, too."""
    take_global_flags(scanner)
    result = parse_alternatives(scanner, scanner.flags)
    if scanner.at < len(scanner.text):
        scanner.fail("unbalanced parenthesis", scanner.at)
    return result


def parse_alternatives(scanner: Scanner, flags: int) -> Node:
    """Sequences with `|` between them."""
    result = Node(ALTERNATIVES, flags)
    result.parts.append(parse_sequence(scanner, flags))
    while scanner.skip("|"):
        result.parts.append(parse_sequence(scanner, flags))
    return result if len(result.parts) > 1 else result.parts[0]


def parse_sequence(scanner: Scanner, flags: int) -> Node:
    """Items up to `|`, `)` or the end."""
    result = Node(SEQUENCE, flags)
    while True:
        found = scanner.here()
        if found == "" or found == "|" or found == ")":
            return result
        if flags & VERBOSE != 0 and skip_blank(scanner, found):
            continue
        if found in "*+?" or (found == "{" and is_count(scanner)):
            repeat(scanner, result, flags)
        else:
            item = parse_item(scanner, flags)
            if item.kind != EMPTY:
                result.parts.append(item)


def skip_blank(scanner: Scanner, found: str) -> bool:
    """Go past what a verbose pattern leaves out."""
    if found in " \t\n\r\v\f":
        scanner.at += 1
        return True
    if found != "#":
        return False
    end = scanner.text.find("\n", scanner.at)
    scanner.at = len(scanner.text) if end < 0 else end + 1
    return True


def is_count(scanner: Scanner) -> bool:
    """Whether `{` begins `{2}`, `{2,}`, `{,3}` or `{2,3}`; else it stands for itself."""
    at = scanner.at + 1
    text = scanner.text
    if at < len(text) and text[at] == "}":
        return False
    while at < len(text) and "0" <= text[at] <= "9":
        at += 1
    if at < len(text) and text[at] == ",":
        at += 1
        while at < len(text) and "0" <= text[at] <= "9":
            at += 1
    return at < len(text) and text[at] == "}"


def repeat(scanner: Scanner, sequence: Node, flags: int) -> None:
    """`*`, `+`, `?` or a count: the last item becomes a repeat of itself."""
    start = scanner.at
    result = Node(REPEAT, flags)
    found = scanner.take()
    result.low = 1 if found == "+" else 0
    result.high = 1 if found == "?" else UNBOUNDED
    if found == "{":
        read_counts(scanner, result, start)
    if len(sequence.parts) == 0 or sequence.parts[-1].kind == ASSERTION:
        scanner.fail("nothing to repeat", start)
    item = sequence.parts.pop()
    if item.kind == REPEAT:
        scanner.fail("multiple repeat", start)
    if scanner.skip("?"):
        result.lazy = True
    elif scanner.here() == "+":
        scanner.fail("a possessive repeat is not supported; leave out its second +", scanner.at)
    if item.can_be_empty() and result.high != 1 and result.high != 0:
        scanner.fail("a repeat of what can be empty is not supported; let each round take a character", start)
    result.parts.append(item)
    sequence.parts.append(result)


def read_counts(scanner: Scanner, result: Node, start: int) -> None:
    """`2}`, `2,}`, `,3}` or `2,3}`."""
    low = scanner.digits()
    high = low
    if scanner.skip(","):
        high = scanner.digits()
    scanner.at += 1
    result.low = int(low) if low != "" else 0
    result.high = int(high) if high != "" else UNBOUNDED
    if result.low >= MOST or result.high >= MOST:
        raise OverflowError("the repetition number is too large")
    if result.high != UNBOUNDED and result.high < result.low:
        scanner.fail("min repeat greater than max repeat", start + 1)


def parse_item(scanner: Scanner, flags: int) -> Node:
    """One item without its repeat."""
    found = scanner.here()
    if found == "\\":
        return parse_escape(scanner, flags)
    if found == "(":
        return parse_group(scanner, flags)
    if found == "[":
        return parse_set(scanner, flags)
    scanner.at += 1
    if found == ".":
        return Node(ANY, flags)
    if found == "^":
        place = operations.LINE_START if flags & MULTILINE != 0 else operations.START
        return assertion_node(place, flags)
    if found == "$":
        place = operations.LINE_END if flags & MULTILINE != 0 else operations.TEXT_END
        return assertion_node(place, flags)
    return char_node(ord(found), flags)


def parse_group(scanner: Scanner, flags: int) -> Node:
    """What stands in parentheses."""
    start = scanner.at
    scanner.at += 1
    result = Node(GROUP, flags)
    inner = flags
    if scanner.skip("?"):
        if scanner.skip("#"):
            end = scanner.text.find(")", scanner.at)
            if end < 0:
                scanner.fail("missing ), unterminated comment", start)
            scanner.at = end + 1
            return Node(EMPTY, flags)
        if scanner.skip("P<"):
            open_group(scanner, result, start)
        elif begins_look(scanner, result):
            result.point = start
        elif not scanner.skip(":"):
            inner = parse_extension(scanner, flags, start)
    else:
        open_group(scanner, result, -1)
    result.parts.append(parse_alternatives(scanner, inner))
    if not scanner.skip(")"):
        scanner.fail("missing ), unterminated subpattern", start)
    return result


def begins_look(scanner: Scanner, result: Node) -> bool:
    """Go past `=`, `!`, `<=` or `<!`: what stands in the parentheses looks ahead or back."""
    for text in ("=", "!", "<=", "<!"):
        if scanner.skip(text):
            result.kind = LOOK
            result.low = 1 if len(text) == 2 else 0
            result.high = 1 if text.endswith("!") else 0
            return True
    return False


def open_group(scanner: Scanner, result: Node, start: int) -> None:
    """A group that is remembered; with a name unless `start` is below 0."""
    scanner.groups += 1
    result.group = scanner.groups
    if start < 0:
        return
    place = scanner.at
    name = scanner.take_until(">", "group name", start)
    if not name.isidentifier():
        scanner.fail(f"bad character in group name {name!r}", place)
    if name in scanner.names:
        known = scanner.names[name]
        scanner.fail(f"redefinition of group name {name!r} as group {result.group}; was group {known}", place)
    scanner.names[name] = result.group


def parse_extension(scanner: Scanner, flags: int, start: int) -> int:
    """`(?i:` or `(?i-s:`: the flags inside. Everything else behind `(?` is refused by its name."""
    for text, name in (
        (">", "an atomic group"),
        ("(", "a conditional"),
        ("P=", "a backreference"),
    ):
        if scanner.text.startswith(text, scanner.at):
            scanner.fail(f"{name} is not supported: it can not be matched in linear time", start)
    return parse_flags(scanner, flags, start)


def parse_set(scanner: Scanner, flags: int) -> Node:
    """What stands in brackets."""
    start = scanner.at
    scanner.at += 1
    chars = CharSet(flags)
    chars.negated = scanner.skip("^")
    first = True
    while first or scanner.here() != "]":
        if scanner.here() == "":
            scanner.fail("unterminated character set", start)
        first = False
        take_range(scanner, chars, start)
    scanner.at += 1
    single = len(chars.ranges) == 2 and chars.ranges[0] == chars.ranges[1] and chars.categories == ""
    return char_node(chars.ranges[0], flags) if single and not chars.negated else set_node(chars)


def take_range(scanner: Scanner, chars: CharSet, start: int) -> None:
    """One character of a set, a range or a category."""
    place = scanner.at
    low = take_character(scanner)
    letter = scanner.text[scanner.at - 1]
    if scanner.here() != "-" or scanner.text.startswith("-]", scanner.at):
        if low < 0:
            chars.categories += letter
        else:
            chars.add(low, low)
        return
    scanner.at += 1
    if scanner.here() == "":
        scanner.fail("unterminated character set", start)
    high = take_character(scanner)
    if low < 0 or high < 0 or high < low:
        scanner.fail(f"bad character range {scanner.text[place : scanner.at]}", place)
    chars.add(low, high)


def take_character(scanner: Scanner) -> int:
    """One character of a set; below 0 for a category."""
    if scanner.here() == "\\":
        return set_escape(scanner)
    return ord(scanner.take())
