"""What a generated program may say: expressions by type, with holes for expressions of other types.

A hole is `<type>`; `<small>` is a literal from 0 to 4, `<seventy>` one of 70 bits, `<name:type>` a variable.
Nothing here depends on the order of a set, on identity, or on a value that grows in a loop without being cut.
"""

from __future__ import annotations

from typing import Final

EXPRESSIONS: Final[dict[str, list[str]]] = {
    "int": [
        "(<int> + <int>)", "(<int> - <int>)", "(<int> * <int>)", "(<int> // <int>)", "(<int> % <int>)",
        "(<int> & <int>)", "(<int> | <int>)", "(<int> ^ <int>)", "(<int> << <small>)",
        "(<int> >> <small>)", "(-<int>)", "(~<int>)", "abs(<int>)", "len(<str>)", "len(<list>)",
        "len(<dict>)", "len(<words>)", "(<int> if <bool> else <int>)", "min(<int>, <int>)",
        "max(<int>, <int>, <int>)", "<list>[<int>]", "<dict>[<str>]", "<dict>.get(<str>, <int>)",
        "sum(<list>)", "int(<str>)", "<str>.find(<str>)", "<str>.count(<str>)", "<str>.index(<str>)",
        "<list>.index(<int>)", "<list>.count(<int>)", "<pair>[0]", "divmod(<int>, <int>)[1]",
        "int(<bool>)", "<bytes>[<int>]", "(<name:int> := <int> % <seventy>)", "(<name:int> ** <small>)",
        "<box>.size", "<box>.grow(<int>)", "<box>.area()", "<list>[-1]", "(<maybe> or <int>)",
        "ord(<str>)", "int(<float>)", "round(<float>)", "max(<list>)", "<int>.bit_length()", "len(<set>)",
        "helper(<int>, <str>)", "len({v % 3 for v in <list>})", "sum(v for v in <list> if v > <int>)",
        "int(<str>, 16)", "twice(inc, <int>)", "twice(lambda v: v * 2 + <int>, <int>)", "<point>.x",
        "<point>.sum()",
    ],
    "float": [
        "(<float> + <float>)", "(<float> - <float>)", "(<float> * <float>)", "(<int> / <int>)",
        "(<float> / <float>)", "(-<float>)", "abs(<float>)", "float(<int>)", "float(<str>)",
        "round(<float>, 2)", "(<float> // <float>)", "(<float> if <bool> else <float>)",
        "min(<float>, <float>)", "(<float> % <float>)", "(<int> * <float>)", "(<float> + <int>)",
        "sum(v / 4 for v in <list>)",
    ],
    "bool": [
        "(<int> < <int>)", "(<int> <= <int> < <int>)", "(<int> == <int>)", "(<int> != <int>)",
        "(<str> == <str>)", "(<str> < <str>)", "(<str> in <str>)", "(<int> in <list>)",
        "(<str> in <dict>)", "(<int> not in <list>)", "(not <bool>)", "(<bool> and <bool>)",
        "(<bool> or <bool>)", "<str>.startswith(<str>)", "(<maybe> is None)", "<str>.endswith(<str>)",
        "(<list> == <list>)", "(<float> < <int>)", "(<float> >= <float>)",
        "any(v > <int> for v in <list>)", "all(v != <int> for v in <list>)", "<str>.isdigit()",
        "(<set> <= <set>)", "bool(<list>)", "bool(<str>)", "(<box> == <box>)", "(<point> == <point>)",
        "(<dict> == <dict>)", "(<bytes> == <bytes>)", "isinstance(<box>, Wide)", "(<pair> < <pair>)",
        "(<int> in <set>)", "(<list> < <list>)", "<str>.isalpha()", "(<float> == <int>)",
        "(<maybe> == <int>)",
    ],
    "str": [
        "(<str> + <str>)", "(<str> * <small>)", "<str>[<int>]", "<str>[<int>:<int>]", "<str>[::-1]",
        "<str>.upper()", "<str>.lower()", "<str>.strip()", "<str>.replace(<str>, <str>)", "str(<int>)",
        "str(<float>)", "repr(<str>)", "<str>.join(<words>)", "<pair>[1]", "<str>.title()",
        "<str>.partition(<str>)[2]", "<str>.zfill(<small>)", "<str>.encode().decode()",
        "('%s=%d' % (<str>, <int>))", "'{}:{:>5}'.format(<str>, <int>)", "str(<list>)", "repr(<box>)",
        "<box>.name", "(<str> if <bool> else <str>)", "<words>[<int>]", "<str>.ljust(<small>, '.')",
        'f"{<name:int>:>6}|{<name:str>!r}"', 'f"{<name:float>:.2f} {<name:int>:x} {<name:str>}"',
        "str(<dict>)", "chr(65 + <small>)", "<bytes>.hex()", "str(<pair>)", "str(<maybe>)",
        "repr(<point>)", "<str>.lstrip(<str>)", "str(<bool>)", "repr(<bytes>)", "min(<words>)",
        "<str>.capitalize()", "<str>.removeprefix(<str>)", "str(<set>)[:1]", "<str>.center(9, '*')",
        "<bytes>.decode()", "str(<floats>)",
    ],
    "bytes": [
        "<str>.encode()", "(<bytes> + <bytes>)", "<bytes>[<int>:<int>]", "bytes(<list>)",
        "bytes([<small>, 255])", "<bytes>.upper()", "(<bytes> * <small>)", "<bytes>[::-1]",
        "<str>.encode('latin-1')",
    ],
    "list": [
        "[<int>, <int>, <int>]", "(<list> + <list>)", "<list>[<int>:<int>]", "<list>[::-1]",
        "sorted(<list>)", "[v * 2 for v in <list>]", "[v for v in <list> if v > <int>]",
        "list(range(<small>))", "sorted(<set>)", "list(<dict>.values())", "[len(w) for w in <words>]",
        "(<list> * <small>)", "list(reversed(<list>))", "list(<bytes>)",
        "list(map(lambda v: v + <int>, <list>))", "sorted(<list>, key=lambda v: -v)",
        "[i * v for i, v in enumerate(<list>)]", "[p + q for p, q in zip(<list>, <list>)]", "<list>[::2]",
        "[p - q for p in <list> for q in range(<small>)]", "list(filter(lambda v: v % 2 == 0, <list>))",
        "sorted(<list>, reverse=True)",
    ],
    "floats": [
        "[<float>, <float>]", "[v / 2 for v in <list>]", "sorted([<float>, 1.5, <float>])",
    ],
    "words": [
        "<str>.split()", "<str>.split(<str>)", "[str(v) for v in <list>]", "sorted(<dict>)",
        "list(<dict>)", "[<str>, <str>]", "list(<str>)", "<str>.splitlines()",
        "[w.upper() for w in <words>]", "<str>.rsplit('X', 1)", "sorted(<words>, key=len)",
        "sorted(<words>)", "(<words> + <words>)",
    ],
    "dict": [
        "{'k': <int>, <str>: <int>}", "{str(v): v for v in <list>}", "dict(<dict>)", "(<dict> | <dict>)",
        "{k: v + 1 for k, v in <dict>.items()}", "{w: len(w) for w in <words>}",
        "dict(zip(<words>, <list>))",
    ],
    "set": [
        "set(<list>)", "{<int>, <int>}", "(<set> | <set>)", "(<set> & <set>)", "(<set> - <set>)",
        "(<set> ^ <set>)",
    ],
    "pair": [
        "(<int>, <str>)",
    ],
    "maybe": [
        "(<int> if <bool> else None)", "<dict>.get(<str>)",
    ],
    "box": [
        "Box(<int>)", "Box(<int>, <str>)", "Wide(<int>)", "(<box> if <bool> else <box>)",
    ],
    "point": [
        "Point(<int>, <int>)", "Point(<int>)",
    ],
}  # fmt: skip

LITERALS: Final[dict[str, list[str]]] = {
    "int": [
        "0", "1", "2", "3", "-1", "7", "10", "100", "-17", "4611686018427387903", "9223372036854775808",
    ],
    "float": [
        "0.0", "1.5", "-2.25", "0.1", "1e16", "1e-7", "3.0",
    ],
    "bool": [
        "True", "False",
    ],
    "str": [
        "''", "'a'", "'Hello World'", "' x y '", "'42'", "'-7'", "'é✓'", "'aXbXc'", "'X'", "'k'", "'ß1'",
    ],
    "bytes": [
        "b''", "b'abc'", "b'\\xff\\x00'",
    ],
    "list": [
        "[1, 2, 3]", "[5]", "[3, -1, 2, 3]",
    ],
    "floats": [
        "[0.5, 2.0]",
    ],
    "words": [
        "['b', 'a', 'cc']", "['x']",
    ],
    "dict": [
        "{'k': 1}", "{'a': 2, 'b': 3}",
    ],
    "set": [
        "{1, 2}", "{3}",
    ],
    "pair": [
        "(1, 'one')",
    ],
    "maybe": [
        "None if True else 0",
    ],
    "box": [
        "Box(2)", "Wide(3)",
    ],
    "point": [
        "Point(1, 2)",
    ],
}  # fmt: skip

ANNOTATIONS: Final[dict[str, str]] = {
    "int": "int", "float": "float", "bool": "bool", "str": "str", "bytes": "bytes", "list": "list[int]",
    "floats": "list[float]", "words": "list[str]", "dict": "dict[str, int]", "set": "set[int]",
    "pair": "tuple[int, str]", "maybe": "int | None", "box": "Box", "point": "Point",
}  # fmt: skip

CUT: Final[dict[str, str]] = {
    "int": "({}) % <seventy>", "float": "({}) % 1000.0", "str": "({})[:30]", "bytes": "({})[:30]",
    "list": "({})[:9]", "floats": "({})[:9]", "words": "({})[:9]",
}  # fmt: skip
"""What keeps a value from growing from round to round of a loop."""

EFFECTS: Final[list[str]] = [
    "<name:list>.append(<int> % <seventy>)", "<name:list>.insert(<int>, <int> % <seventy>)",
    "<name:list>.sort()", "<name:list>.reverse()", "<name:list>.pop()", "<name:list>.remove(<int>)",
    "<name:list>[<int>] = <int> % <seventy>", "del <name:list>[<int>]",
    "<name:dict>[<str>] = <int> % <seventy>", "<name:dict>.update(<dict>)", "<name:dict>.pop(<str>)",
    "del <name:dict>[<str>]", "<name:dict>.setdefault(<str>, <int> % <seventy>)",
    "<name:set>.add(<int> % <seventy>)", "<name:set>.discard(<int>)", "<name:set>.remove(<int>)",
    "<name:box>.size = <int> % <seventy>", "<name:box>.grow(<int>)", "trace.append(<str>)",
    "trace.append(str(<int>))", "trace.append(repr(<float>))", "<name:list>[<int>:<int>] = <list>",
    "<name:dict>.clear()", "trace.append(str(<bool>))", "<name:list>.extend(<list>[:5])",
    "<name:point>.x = <int> % <seventy>",
]  # fmt: skip
