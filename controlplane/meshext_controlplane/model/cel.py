"""Expressions in CEL that Envoy evaluates: read before a proxy sees them, since one that it refuses costs it
the whole listener.

The grammar is that of https://github.com/google/cel-spec (doc/langdef.md), without what Envoy 1.40 refuses:
macros that go through lists, messages, and functions that it does not have. What an expression names is not
looked up: a name that is not there gives nothing, and Envoy takes that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NoReturn

from pydantic import AfterValidator

from meshext.config.wording import nearest
from meshext_controlplane.model.matching import check_regex

LONGEST = 4096  # characters
_DEEPEST = 12  # expressions within each other
_LONGEST_CHAIN = 24  # operators and dots, one upon the other; Envoy's parser ends at 32

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<float>(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.\d+(?:[eE][-+]?\d+)?))
    |(?P<int>(?:0x[0-9a-fA-F]+|\d+)[uU]?)
    |(?P<text>[bB]?[rR]?(?:\"\"\"|'''|"|'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|[0-3][0-7]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"""
)
_BYTES_ESCAPE = re.compile(r"""\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|[0-3][0-7]{2})""")
_LIMITS = {False: 2**63 - 1, True: 2**64 - 1}  # of int, of uint
_KEYWORDS = frozenset({"in", "true", "false", "null"})
_RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var void "
    "while".split()
)
_OPERATORS = frozenset("|| && == != < <= > >= in + - * / %".split())
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_TIMES = (
    "getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes "
    "getMonth getSeconds"
)

FUNCTIONS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        **dict.fromkeys(
            "bool bytes double duration dyn int size timestamp type uint".split(), frozenset({1})
        ),
        **dict.fromkeys("contains endsWith matches startsWith".split(), frozenset({2})),
        "re.capture": frozenset({2}),
        "re.captureN": frozenset({2}),
        "re.extract": frozenset({3}),
    }
)
"""How many arguments each function takes, asked of Envoy one by one."""

METHODS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        **dict.fromkeys("contains endsWith matches startsWith".split(), frozenset({1})),
        **dict.fromkeys(_TIMES.split(), frozenset({0, 1})),
        "size": frozenset({0}),
    }
)
"""The same of functions that stand behind a value and a dot."""

_PATTERN_PART = re.compile(
    r"""(?P<repeat>\{\d+(?:,\d*)?\})|(?P<letters>\\[pP])|(?P<others>\[\^(?:\\.|[^\]\\])*\]|\.|[^\x00-\x7f]|\\[DSW])
    |(?P<some>\[(?:\\.|[^\]\\])*\]|\\.|[()|])|(?P<one>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIZES = {"letters": 1000, "others": 11, "some": 3, "one": 1}
"""About how many instructions RE2 makes of a part, and not fewer."""

_LARGEST_PATTERN = 90

Token = tuple[str, str, int]
"""Kind, text, and where it begins."""


def check_cel(text: str) -> str:
    """The expression; ValueError says where Envoy would stop reading, and what it would take."""
    if len(text) > LONGEST:
        raise ValueError(f"the expression has {len(text)} characters; write at most {LONGEST}")
    _Reader(text).read()
    return text


Cel = Annotated[str, AfterValidator(check_cel)]


class _Reader:
    """One expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _split(text)
        self._at = 0
        self._depth = 0

    def read(self) -> None:
        if self._expression() > _LONGEST_CHAIN:
            raise ValueError(
                f"{self._text[:60]!r} has more than {_LONGEST_CHAIN} operators and dots one upon the other; "
                "write it shorter"
            )
        if self._kind != "end":
            self._refuse("an operator or the end")

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _word(self) -> str:
        kind, text, _ = self._tokens[self._at]
        return text if kind in ("mark", "name") else ""

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += token[0] != "end"
        return token

    def _take(self, *words: str) -> bool:
        """Whether one of these stands here; then it is read."""
        found = self._word in words
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._take(word):
            self._refuse(word)

    def _refuse(self, wanted: str) -> NoReturn:
        kind, text, at = self._tokens[self._at]
        found = "it ends" if kind == "end" else f"{text[:20]!r} stands"
        raise ValueError(f"{self._text[:60]!r}: {found} at character {at + 1}; write {wanted} there")

    def _expression(self) -> int:
        """How many operators and dots are one upon the other in it."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"{self._text[:60]!r} is nested more than {_DEEPEST} deep; write it flatter")
        chain = self._operands()
        if self._take("?"):
            chain = max(chain, self._operands())
            self._expect(":")
            chain = max(chain, self._expression()) + 1
        self._depth -= 1
        return chain

    def _operands(self) -> int:
        """Values with operators between them; which binds closer changes nothing about what is taken."""
        longest, operators, several = self._unary(), 0, 0
        while self._word in _OPERATORS:
            if self._word in ("||", "&&"):  # of these Envoy makes a tree, not a chain
                operators, several = 0, 1
            else:
                operators += 1
            self._at += 1
            longest = max(longest, self._unary() + operators)
        return longest + several

    def _unary(self) -> int:
        sign = self._word
        if sign in ("!", "-"):
            while self._take(sign):
                pass
        return self._value()

    def _value(self) -> int:
        chain, longest = self._primary(), 0
        while self._word in (".", "["):
            chain += 1
            if self._take("["):
                longest = max(longest, self._expression())
                self._expect("]")
            else:
                self._at += 1
                longest = max(longest, self._member())
        return chain + longest

    def _member(self) -> int:
        name = self._name()
        return self._call(name, METHODS, "a value has no method") if self._word == "(" else 0

    def _name(self) -> str:
        if self._kind != "name" or self._word in _KEYWORDS:
            self._refuse("a name")
        return self._next()[1]

    def _primary(self) -> int:
        kind, text, _ = self._tokens[self._at]
        if kind in ("int", "float", "text") or text in ("true", "false", "null"):
            self._at += 1
            return 0
        if self._take("("):
            chain = self._expression()
            self._expect(")")
            return chain
        if self._take("["):
            return self._list("]")[1] + 1
        if self._take("{"):
            return self._list("}")[1] + 1
        self._take(".")
        return self._identifier()

    def _identifier(self) -> int:
        if self._word in _RESERVED:
            self._refuse("another name, since CEL keeps this one")
        name = self._name() if self._kind == "name" else self._refuse("a value")
        if self._word == "." and name == "re" and self._tokens[self._at + 2][1] == "(":
            self._at += 1
            name = f"re.{self._name()}"
        if self._word == "(" and name == "has":
            return self._has()
        if self._word == "(":
            return self._call(name, FUNCTIONS, "there is no function")
        if self._word == "{":
            self._refuse("no message")
        return 0

    def _has(self) -> int:
        """`has` wants a field of something."""
        self._at += 1
        chain = self._value()
        before = self._tokens[self._at - 2 : self._at]
        if [kind for kind, _, _ in before] != ["mark", "name"] or before[0][1] != ".":
            self._refuse("has(VALUE.FIELD)")
        self._expect(")")
        return chain

    def _call(self, name: str, known: Mapping[str, frozenset[int]], missing: str) -> int:
        counts = known.get(name)
        if counts is None:
            hint = "Envoy goes through no lists" if name in _MACROS else _tell_other(name, known)
            raise ValueError(f"{self._text[:60]!r}: {missing} {name!r}; {hint}")
        self._at += 1
        begin = self._at
        given, chain = self._list(")")
        if given not in counts:
            wanted = " or ".join(map(str, sorted(counts)))
            raise ValueError(f"{self._text[:60]!r}: {name} has {given} arguments; write {wanted}")
        if name.rpartition(".")[2] in ("matches", "extract", "capture", "captureN"):
            self._check_pattern(begin, given)
        return chain + 1

    def _list(self, end: str) -> tuple[int, int]:
        """What stands between commas, to the end; how many there are, and the longest chain in one."""
        count = chain = 0
        while self._word != end:
            chain = max(chain, self._expression())
            if end == "}":
                self._expect(":")
                chain = max(chain, self._expression())
            count += 1
            if self._word != end:
                self._expect(",")
                if self._word == end and end == ")":
                    self._refuse("an argument")
        self._at += 1
        return count, chain

    def _check_pattern(self, begin: int, given: int) -> None:
        """A pattern that is written out: the last argument of `matches`, the second of others."""
        if given == 1:
            pattern = self._tokens[begin : begin + 2]
        else:
            commas = [at for at in range(begin, self._at) if self._tokens[at][1] == ","]
            pattern = self._tokens[commas[0] + 1 : commas[0] + 3] if commas else []
        if len(pattern) == 2 and pattern[0][0] == "text" and pattern[1][1] in (")", ","):
            _check_size(check_regex(_plain(pattern[0][1])))


def _check_size(pattern: str) -> None:
    """Envoy takes patterns of 100 instructions of RE2 here; ValueError for one that may have more."""
    size = 0
    for part in _PATTERN_PART.finditer(pattern):
        if part["repeat"]:
            size *= max(int(number) for number in re.findall(r"\d+", part[0]))
        else:
            size += _SIZES[str(part.lastgroup)]
    if size > _LARGEST_PATTERN:
        raise ValueError(f"the pattern {pattern[:40]!r} is too large for CEL in Envoy; write a shorter one")


def _split(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            where = f"{text[at]!r} at character {at + 1}"
            raise ValueError(f"{text[:60]!r}: {where} is nothing in CEL; leave it out")
        kind, end = str(found.lastgroup), found.end()
        if kind == "text":
            end = _end_of_text(text, found[0], end)
        elif kind == "int":
            _check_number(found[0])
        if kind != "space":
            tokens.append((kind, text[at:end], at))
        at = end
    return [*tokens, ("end", "", len(text))]


def _end_of_text(text: str, opening: str, at: int) -> int:
    """Where a text ends that has begun; ValueError where it does not, or an escape is none."""
    prefix = opening.rstrip("\"'").lower()
    quote = opening[len(prefix) :]
    escapes = _BYTES_ESCAPE if "b" in prefix else _ESCAPE
    while not text.startswith(quote, at):
        if at >= len(text) or (text[at] in "\r\n" and len(quote) == 1):
            raise ValueError(f"{text[:60]!r}: a text has no end; write {quote} behind it")
        if text[at] == "\\" and "r" not in prefix:
            found = escapes.match(text, at)
            if found is None or not _is_character(found[0]):
                raise ValueError(f"{text[:60]!r}: {text[at : at + 2]} is no escape; a backslash is \\\\")
            at = found.end()
        else:
            at += 1
    return at + len(quote)


def _is_character(escape: str) -> bool:
    if escape[1] not in "uU":
        return True
    code = int(escape[2:], 16)
    return code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF


def _check_number(text: str) -> None:
    digits = text.rstrip("uU")
    number = int(digits, 16 if digits.startswith("0x") else 10)
    if number > _LIMITS[digits != text]:
        raise ValueError(f"the number {text[:30]} is too large; write at most {_LIMITS[digits != text]}")


def _plain(literal: str) -> str:
    """The characters of a text as far as a pattern cares: simple escapes of backslashes and quotes."""
    prefix = literal[: len(literal) - len(literal.lstrip("bBrR"))].lower()
    body = literal[len(prefix) :]
    size = 3 if body.startswith(("'''", '"""')) and len(body) >= 6 else 1
    inside = body[size:-size]
    return inside if "r" in prefix else re.sub(r"\\(.)", r"\1", inside)


def _tell_other(name: str, known: Mapping[str, frozenset[int]]) -> str:
    meant = nearest(name, known)
    return f"write {meant}" if meant else f"write one of {', '.join(sorted(known))}"
