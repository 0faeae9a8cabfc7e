"""Expressions of the standard library, and of the methods of built-in classes that are seldom used.

Holes as in `grammar`; `<ispec>`, `<fspec>`, `<sspec>` are format specifications, `<pattern>` a regular
expression, `<step>` the step of a slice, `<form>` a `%` template of one int, `<real>` of one float.
"""

from __future__ import annotations

from typing import Final

PLAIN: Final[dict[str, list[str]]] = {
    "ispec": [
        "", "d", "5", "<6", ">7", "^8", "05", "+", " ", ",", "_", "x", "X", "#x", "o", "b", "#b", "*^9d",
        "08x", "-4", ",d", "+,", "_x", "#010x", "e", ".2f", "%", "c",
    ],
    "fspec": [
        "", ".2f", "8.3f", "e", ".3e", "g", ".3g", "+.1f", "010.2f", ",.2f", "%", ".1%", "<9.1f", "^12",
        "G", "#.3g", "_.1f", ".0f", "E", " .2f", ".17g",
    ],
    "sspec": [
        "", "5", "<6", ">7", "^9", ".2", "*>8", "6.3", "s", "é^5",
    ],
    "form": [
        "%d", "%5d|", "%-5d|", "%05d", "%x", "%#x", "%o", "%+d", "% d", "%X", "%i", "%s", "%r",
    ],
    "real": [
        "%f", "%.2f", "%8.3f|", "%e", "%g", "%+.1f", "%-9.2f|", "%s", "%r", "%G", "%%%.0f",
    ],
    "pattern": [
        "r'\\\\d+'", "r'[a-z]+'", "r'(\\\\w)(\\\\w)'", "r'^\\\\s*(\\\\S+)'", "r'l+'", "r'(?i)hello|WORLD'",
        "r'.$'", "r'\\\\b\\\\w'", "r'(?P<head>\\\\w)(?P<rest>\\\\w*)'", "r'[^aeiou\\\\s]{2,3}'", "r'a.*?X'",
        "r'(a|X)+'", "r'\\\\W'", "r'x?y?\\\\d'",
    ],
    "step": [
        "1", "2", "-1", "-2", "3",
    ],
    "lower": [
        "'-'", "''", "'<>'", "r'[\\\\g<0>]'",
    ],
}  # fmt: skip

EXPRESSIONS: Final[dict[str, list[str]]] = {
    "int": [
        "(<rank> + <int>)", "<rank>.value", "(<int> - <rank>)", "(-<rank>)", "[<int>, <int>][Rank.LOW]",
        "<spot>.x", "<spot>[0]", "len(<spot>)", "total(<int>, *<list>)", "total(*<list>, scale=<small>)",
        "squared(<int>)", "partial(helper, <int>)(<str>)", "partial(total, <int>)()", "len(<verb>)",
        "inc(<rank>)", "sum(v for v in <list> if v != Rank.MID)",
        "hash(<int>)", "math.gcd(<int>, <int>)", "math.isqrt(abs(<int>))",
        "math.lcm(<int>, <small>)", "math.comb(abs(<int>) % 20, <small>)", "math.floor(<float>)",
        "math.ceil(<float>)", "math.trunc(<float>)", "int.from_bytes(<bytes>, 'big')",
        "int.from_bytes(<bytes>, 'little', signed=True)", "binascii.crc32(<bytes>)",
        "int(hashlib.sha256(<bytes>).hexdigest()[:8], 16)", "Counter(<words>).total()",
        "Counter(<list>)[<int>]", "reduce(lambda p, q: p ^ q, <list>, <int>)", "len(json.dumps(<dict>))",
        "<int>.bit_count()", "int(<str>, 0)", "int(<str>, 36)", "<str>.rfind(<str>)", "<str>.rindex(<str>)",
        "<str>.find(<str>, <int>)", "<str>.count(<str>, <int>, <int>)", "<bytes>.find(<bytes>)",
        "<bytes>.count(<bytes>)", "<bytes>.index(<bytes>)", "<list>.index(<int>, <small>)", "len(<frozen>)",
        "<money>.cents", "len(<bag>)", "<bag>[<int>]", "<bag>.total", "Bag.least(<list>)",
        "adder(<int>)(<int>)", "<point>.y", "<key>.number", "len(<groups>)", "len(<any_list>)",
        "<queue>[<int>]", "len(<queue>)", "<queue>.count(<int>)", "min(<list>, default=<int>)",
        "max(<words>, key=len, default='').count('a')", "sum(<list>, <int>)",
        "sum([len(w) for w in <words>])", "ord(<str>[<small>])", "int(<str>.strip() or '7')",
        "(<int> if <str> else <int>)", "round(<int>, -2)", "int(round(<float>, 1))",
        "[v for v in <list>][<int>]", "{k: v for k, v in <pairs>}[<str>]",
        "next((v for v in <list> if v > <int>), <int>)", "len(<str>.encode('utf-8'))", "(<int> and <int>)",
        "len({k for k, _ in <pairs>})", "(lambda p, q: p - q)(<int>, <int>)", "int('0b101', 2) + <int>",
        "(<list> or [<int>])[0]", "pow(<int>, <small>)", "pow(<int>, <small>, 1000007)",
        "int.from_bytes(<str>.encode(), 'big')", "[i for i, w in enumerate(<words>) if w][<int>]",
        "Level.HIGH.value", "(3 if <color> is Color.RED else <int>)", "sum(1 for _ in <str>)",
        "(<int> & 0xff) << <small>",
    ],
    "float": [
        "math.sqrt(<float>)", "math.fabs(<float>)", "math.fsum(<floats>)", "round(math.sin(<float>), 6)",
        "(<float> ** 2)", "math.copysign(<float>, <float>)", "math.fmod(<float>, <float>)",
        "math.ldexp(<float>, <small>)", "sum(<floats>)", "max(<floats>)", "divmod(<float>, <float>)[0]",
        "area(<shape>)", "math.modf(<float>)[0]", "float(<str>.strip() or 'nan')", "(<int> / 7)",
        "round(<float>) / 2", "round(<float>, <small>)", "float(<str>)", "(math.pi * <int>)",
        "min(<floats>, default=0.0)", "(<float> or 2.5)", "math.degrees(<float>)", "(10 ** -<small>) * 1.5",
        "sum(v * 0.1 for v in <list>)", "abs(<float> - <float>)", "float(<bool>)", "math.inf",
        "math.floor(<float>) / 3",
    ],
    "bool": [
        "(<rank> < <int>)", "(<rank> == <rank>)", "(<int> >= <rank>)", "(<verb> == <str>)",
        "(<verb> < <verb>)", "(<spot> == <spot>)", "(<spot> < <spot>)", "(<pair> == <spot>)",
        "(<rank> in <list>)", "(<verb> in <str>)", "(<str> in (Verb.GET, 'a'))", "(<str> in <spot>)",
        "({<spot>: 1} == {<spot>: 1})",
        "<float>.is_integer()", "math.isnan(<float>)", "math.isinf(<float>)",
        "(re.search(<pattern>, <str>) is not None)", "(re.fullmatch(<pattern>, <str>) is None)",
        "<set>.isdisjoint(<set>)", "(<frozen> == <set>)", "hmac.compare_digest(<bytes>, <bytes>)",
        "(<color> is Color.RED)", "(<color> == <color>)", "(<words> < <words>)", "<str>.isalnum()",
        "<str>.isupper()", "<str>.islower()", "<str>.isspace()", "<str>.istitle()", "<str>.isidentifier()",
        "<str>.isnumeric()", "<str>.isdecimal()", "<str>.isascii()", "<str>.isprintable()",
        "<str>.startswith((<str>, <str>))", "<bytes>.startswith(<bytes>)", "<bytes>.endswith(<bytes>)",
        "isinstance(<any>, int)", "isinstance(<any>, (str, list))", "(<any> == <any>)",
        "(<money> < <money>)", "(<money> == <money>)", "bool(<money>)", "(<int> in <bag>)", "bool(<bag>)",
        "(<key> < <key>)", "(<key> == <key>)", "(<key> in {<key>: 1})", "(<str> in <groups>)",
        "(<queue> == <queue>)", "(<set> < <set>)", "(<set> >= <set>)", "<set>.issubset(<frozen>)",
        "<set>.issuperset(<list>)", "(<bytes> in <bytes>)", "(<bytes> < <bytes>)", "any(<list>)",
        "all(<list>)", "all(w for w in <words>)", "any(k == <str> and v > 1 for k, v in <pairs>)",
        "(<pairs> == <pairs>)", "isinstance(<shape>, Square)", "(<shape> == <shape>)",
        "(<float> == <float>)", "(<int> != <float>)", "(<maybe> is not None and <maybe> == <int>)",
        "<bytes>.isdigit()", "<bytes>.isalpha()", "(<str> <= <str> < <str>)",
        "math.isclose(<float>, <float>)", "(<int> > <int> > <int>)", "(None is <maybe>)", "<str>.isdigit()",
        "(<tuple> < <tuple>)", "(<int> in <tuple>)", "(<str>.lower() in ('a', 'hello world'))",
    ],
    "str": [
        "str(<rank>)", "repr(<rank>)", "('%d|%s' % (<rank>, <verb>))", "repr(<verb>)", "(<verb> + <str>)",
        "<verb>.lower()", "<str>.join([<verb>.value, <str>])", "repr(<spot>)", "<spot>[1]",
        "str(<spot>._asdict())", "labels(a=<int>, b=<int>)", "labels(<int>, **<dict>)", "quote(<str>)",
        "unquote(<str>)", "str(parse_qsl(<str>))", "urlsplit(<str>).path", "urlencode(<dict>)",
        "html.escape(<str>)", "address(<str>)", "str(ipaddress.ip_address(abs(<int>) % 2**32))",
        "Rank[<str>].name", "json.dumps([<rank>, <verb>, <int>])", "str(sorted([<rank>, <rank>]))",
        "f'{Rank.MID:>4}{Verb.POST:*^8}'", "str(dict([(<verb>.value, <rank>.value)]))",
        'f"{<name:int>:<ispec>}"', 'f"{<name:float>:<fspec>}"', 'f"{<name:str>:<sspec>}"',
        'f"{<name:str>!r:<sspec>}"', "format(<int>, '<ispec>')", "format(<float>, '<fspec>')",
        "format(<str>, '<sspec>')", "('<form>' % <int>)", "('<form>' % (<int>,))", "('<real>' % <float>)",
        "('%s %s' % (<list>, <dict>))", "('%-6s|%6.2s|' % (<str>, <str>))", "json.dumps(<any>)",
        "json.dumps(<dict>, sort_keys=True, indent=2)", "json.dumps(<list>, separators=(',', ':'))",
        "json.dumps(<str>)", "json.dumps(<str>, ensure_ascii=False)", "json.dumps(<groups>)",
        "base64.b64encode(<bytes>).decode()", "hashlib.md5(<bytes>).hexdigest()",
        "hashlib.sha1(<bytes>).hexdigest()", "hashlib.sha512(<bytes>).hexdigest()[:20]",
        "hmac.new(<bytes>, <bytes>, 'sha256').hexdigest()[:16]", "re.sub(<pattern>, <lower>, <str>)",
        "str(re.split(<pattern>, <str>))", "re.escape(<str>)",
        "(m.group() if (m := re.search(<pattern>, <str>)) else 'no')",
        "re.sub(<pattern>, lambda m: m.group().upper(), <str>)", "str(re.match(<pattern>, <str>) is None)",
        "<str>.swapcase()", "<str>.casefold()", "<str>.expandtabs(4)", "<str>.rjust(<small>, '0')",
        "<str>.rpartition(<str>)[0]", "<str>.removesuffix(<str>)", "<str>.rstrip()", "<str>.strip(<str>)",
        "<str>.rstrip(<str>)", "<str>.replace(<str>, <str>, <small>)", "<str>[<int>:<int>:<step>]",
        "ascii(<str>)", "hex(<int>)", "bin(<int>)", "oct(<int>)", "chr(abs(<int>) % 1114112)", "str(<any>)",
        "repr(<any>)", "repr(<color>)", "str(<color>)", "<color>.name", "<color>.value",
        "str(Color(<str>))", "repr(<key>)", "str(<money>)", "repr(<bag>)", "repr(<shape>)", "<key>.name",
        "' '.join(sorted(<words>, key=str.lower))", "string.ascii_letters[<int>]", "kind(<any>)",
        "kind(<int>)", "kind(<dict>)", "kind(<maybe>)", "caught(lambda v: <int> + helper(v, 'z'), <int>)",
        "chained(<int>)", "named(<int>, third=<str>)", "named(second=<int>, first=1)",
        "str(<bytes>, 'utf-8', 'replace')", "<bytes>.decode('latin-1')",
        "<bytes>.decode('utf-8', 'replace')", "<bytes>.decode('ascii', 'ignore')",
        "<bytes>.decode('utf-8', 'surrogateescape')", "''.join(reversed(<str>))",
        "''.join(c for c in <str> if c.isalpha())", "','.join(map(str, <list>))",
        "''.join([c.upper() for c in <str>])", "str(<tuple>)", "repr(<queue>)",
        "str(Counter(<str>).most_common(2))", "str(sorted(<frozen>))", "str(<pairs>)", "str(<groups>)",
        "max(<words>)", "max(<words>, key=len)", "min(<words>, key=lambda w: (len(w), w))",
        "'{0} {1} {0}'.format(<int>, <str>)", "'{:>8.3f}|{!r}'.format(<float>, <str>)",
        "'{name}={value}'.format(name=<str>, value=<maybe>)", "str(replace(<key>, number=<int>))",
        "type(<any>).__name__", "str(None if <bool> else <float>)", "str(<shape>)", "<str>.zfill(<small>)",
        "<str>.center(<small>)", "str([<float>, <int>])", "str({<str>: <float>})", "str((<str>,))",
        "repr(<str>.splitlines(True))", "str(divmod(<int>, <int>))", "str(<float> == <float>)",
        "<str>.title().swapcase()", "<words>[0]", "<pairs>[0][0]", "str(<str>.split('l', 1))",
        "str(<floats>)", "repr(json.loads(<json>))", "str(json.loads(<json>) == <any>)",
        "str([*<str>][:3])", "str(dict(sorted(<dict>.items())))",
        "str(list(zip(<words>, <list>, <floats>)))", "str(max(<pairs>, key=lambda p: p[1]))",
        "str(OrderedDict(<dict>.items()))", "str(math.frexp(<float>))", "str(int(<float> * 100) / 100)",
        "str(<int> ** <small>)", "repr(-<float>)", "(<str> or <str>)", "(<str> and <str>)",
    ],
    "bytes": [
        "<bytes>.replace(<bytes>, <bytes>)", "<bytes>.strip()", "<bytes>.lower()",
        "<bytes>.join([<bytes>, <bytes>])", "bytes.fromhex(<str>)", "base64.b64decode(<bytes>)",
        "base64.urlsafe_b64encode(<bytes>)", "base64.b32encode(<bytes>)",
        "hashlib.sha256(<bytes>).digest()[:6]", "<int>.to_bytes(<small>, 'big')",
        "(<int> & 0xffffffff).to_bytes(8, 'little')", "<int>.to_bytes(9, 'big', signed=True)",
        "<bytes>.ljust(<small>)", "<bytes>.zfill(9)", "<bytes>.partition(<bytes>)[0]",
        "binascii.hexlify(<bytes>)", "binascii.unhexlify(<bytes>)", "<bytes>.removeprefix(<bytes>)",
        "<bytes>.split(<bytes>)[0]", "<str>.encode('ascii', 'replace')",
        "<str>.encode('utf-8', 'surrogatepass')", "<str>.encode('ascii', 'backslashreplace')",
        "<bytes>.title()", "<bytes>.swapcase()", "<bytes>.rjust(9, b'-')", "<bytes>.lstrip(b'a')",
        "bytes(<small>)", "<bytes>[<int>:<int>:<step>]", "re.sub(rb'[a-c]', b'-', <bytes>)",
        "(<bytes> or <bytes>)", "base64.b64decode(base64.b64encode(<bytes>))",
    ],
    "list": [
        "[v * Rank.MID for v in <list>]", "list(map(squared, <list>))",
        "list(itertools.chain(<list>, <list>))", "list(itertools.islice(<list>, <small>))",
        "list(itertools.accumulate(<list>, lambda p, q: p - q))",
        "[p * q for p, q in itertools.product(<list>[:3], <list>[:3])]", "list(<queue>)",
        "list(Counter(<list>).values())", "[v for v in <list> if v not in <set>]",
        "list(dict.fromkeys(<list>))", "sorted(<list>, key=abs)",
        "sorted(<list>, key=lambda v: (v % 3, -v))", "[*<list>, <int>]", "[*<list>, *<list>]",
        "<list>[<int>:<int>:<step>]", "list(divmod(<int>, <int>))", "[len(g) for g in <groups>.values()]",
        "<groups>[<str>]", "<groups>.get(<str>, [<int>])", "[int(w) for w in <words> if w.isdigit()]",
        "list(map(len, <words>))", "[ord(c) for c in <str>]", "<list>.copy()",
        "[q for p in [<list>, <list>] for q in p if q]", "list(range(<small>, <int> % 9, <step>))",
        "[v for v in <list> if (w := v * 2) > 4 and w != 6]", "[<int> for _ in range(<small>)]",
        "list(itertools.takewhile(lambda v: v > 0, <list>))", "[p for p, _ in itertools.pairwise(<list>)]",
        "<bag>.items", "list(<tuple>)", "[v if v % 2 else -v for v in <list>]", "list(<frozen> & {1, 2})",
        "[sum(g) for g in <groups>.values()]", "[v for _, v in sorted(<pairs>)]",
        "[v for g in <groups>.values() for v in g]", "sorted(set(<list>) | <set>)",
        "list(itertools.filterfalse(lambda v: v > 1, <list>))",
        "[a + b + c for a, b, c in zip(<list>, <list>, <list>)]", "(<list> if <bool> else <list>)",
        "sorted(<list>, reverse=<bool>)", "[f(<int>) for f in [inc, adder(<int>), abs]]",
        "[<pair>[0], <point>.x]", "<list>[:-<small>]", "[*range(<small>)]",
    ],
    "words": [
        "re.findall(r'\\w+', <str>)", "re.findall(r'(\\w)\\w', <str>)", "[k for k, _ in <pairs>]",
        "<str>.split(None, 1)", "<str>.rsplit(<str>, <small>)", "[f'{w}!' for w in <words>]",
        "list(<groups>)", "sorted(<words>, key=lambda w: (len(w), w), reverse=True)",
        "[w for w in <words> if w.startswith('a') or <str> in w]", "list(map(str.upper, <words>))",
        "[c for w in <words> for c in w]", "[*<str>.partition('l')]", "sorted({*<words>})",
        "list({w: None for w in <words>})", "<words>[::-1]", "[repr(v) for v in <floats>]",
        "[str(v) for v in <tuple>]", "list(filter(None, <words>))",
        "[b.hex() for b in <bytes>.split(b'a')]", "[c.name for c in Color]",
        "[w.strip().title() for w in <words>]", "list(<key>.tags)",
        "[m.group() for m in re.finditer(<pattern>, <str>)]",
    ],
    "floats": [
        "[v * 1.1 for v in <list>]", "[*<floats>, <float>]", "sorted(<floats>, key=abs)",
        "[round(v, 1) for v in <floats>]", "[area(s) for s in [<shape>, <shape>]]", "<floats>[::-1]",
        "[float(v) for v in <list>]",
    ],
    "dict": [
        "dict(Counter(<words>))", "{w: <int> for w in <words> if w}", "{**<dict>, <str>: <int>}",
        "{**<dict>, **<dict>}", "dict(<pairs>)", "{k: len(g) for k, g in <groups>.items()}",
        "{k: v for k, v in <dict>.items() if v > <int>}", "dict(sorted(<dict>.items()))",
        "{v: k for k, v in enumerate(<words>)}", "dict.fromkeys(<words>, <int>)", "<dict>.copy()",
        "{k: v for v, k in enumerate(<str>)}", "dict(sorted(<dict>.items(), key=lambda p: -p[1]))",
        "{c.value: <int> for c in Color}", "dict(OrderedDict(<pairs>))",
    ],
    "set": [
        "{v % 5 for v in <list>}", "set(<tuple>)", "<set>.union(<list>)", "<set>.intersection(<set>)",
        "<set>.difference(<frozen>)", "<set>.symmetric_difference(<set>)", "set(<dict>.values())",
        "{len(w) for w in <words>}", "<set>.copy()", "set(range(<small>))", "{*<set>, <int>}",
        "set(<frozen>)",
    ],
    "frozen": [
        "frozenset(<list>)", "frozenset({<int>, 1})", "frozenset(<set> | {2})", "(<frozen> | <frozen>)",
        "(<frozen> - <frozen>)", "frozenset()",
    ],
    "groups": [
        "{w[:1]: [len(w)] for w in <words>}", "dict(<groups>)", "{<str>: <list>, 'k': <list>}",
        "{str(v % 2): [v] for v in <list>}", "{k: sorted(g) for k, g in <groups>.items()}",
    ],
    "pairs": [
        "list(<dict>.items())", "list(zip(<words>, <list>))", "[(w, len(w)) for w in <words>]",
        "sorted(<pairs>)", "sorted(<dict>.items(), key=lambda p: (p[1], p[0]))", "[(<str>, <int>)]",
        "[<pair>[::-1] for _ in range(<small>)]", "Counter(<words>).most_common()",
        "Counter(<str>).most_common(3)",
    ],
    "tuple": [
        "tuple(<list>)", "(*<list>, <int>)", "(<tuple> + <tuple>)[:9]", "<tuple>[<int>:<int>]",
        "tuple(v + 1 for v in <list>)", "tuple(sorted(<tuple>))",
    ],
    "color": [
        "Color.RED", "Color.BLUE", "Color(<str>)", "<color>.next()", "(<color> if <bool> else Color.GREEN)",
        "list(Color)[<int>]",
    ],
    "key": [
        "Key(<str>)", "Key(<str>, <int>)", "Key(name=<str>, tags=tuple(<words>))",
        "replace(<key>, name=<str>)", "min(<key>, <key>)", "max([<key>, <key>])",
    ],
    "money": [
        "Money(<int>)", "(<money> + <money>)", "(<money> * <int>)", "min(<money>, <money>)",
        "(<money> or Money(5))", "sorted([<money>, <money>])[0]",
    ],
    "bag": [
        "Bag(<list>)", "Bag.of(<int>)", "Bag.of(<int>, second=<int>)",
    ],
    "shape": [
        "Square(<int>)", "Circle(<float>)", "Circle(<float>, label=<str>)",
        "(<shape> if <bool> else <shape>)",
    ],
    "queue": [
        "deque(<list>)", "deque(<list>, maxlen=<small>)", "deque([<int>, <int>])", "<queue>.copy()",
    ],
    "any": [
        "json.loads(<json>)", "json.loads(json.dumps(<dict>))", "json.loads(json.dumps(<list>))",
        "json.loads(<str>)", "<int>", "<str>", "<list>", "<dict>", "<maybe>", "<float>",
        "(<any> if <bool> else <any>)", "<bool>",
    ],
    "any_list": [
        "[<int>, <str>, None]", "[<any>, <any>]",
    ],
    "pair": [
        "<spot>[:2]", "(<spot>.x, <spot>.tag)",
        "(<int>, <str>[<small>])", "(len(<str>), <str>)", "(<pair> if <bool> else <pair>)",
    ],
    "maybe": [
        "(<maybe> if <bool> else <int>)", "next((v for v in <list> if v > <int>), None)",
        "(int(<str>) if <str>.isdigit() else None)", "<dict>.get(<str>)",
    ],
    "json": [
        '\'{"a": [1, 2.5, "x", null, true]}\'', '\'[1, {"k": -3e2}, "\\\\u00e9\\\\n"]\'', '\'"text"\'',
        "'17'", "'[1,'", '\'{"a": 1,}\'', "' [ ] '", "'[1 2]'", "json.dumps(<groups>)",
        "json.dumps(<words>)", "<str>", "'123456789012345678901234567890'", "'1e400'", "'nul'",
    ],
    "box": [
        "Wide(<int>)", "[Box(<int>), Wide(<int>)][<small>]",
    ],
    "point": [
        "replace(<point>, x=<int>)", "Point(y=<int>, x=1)",
    ],
    "rank": [
        "Rank(<int>)", "(<rank> if <bool> else Rank.HIGH)", "Rank['MID']", "max(<rank>, <rank>)",
        "list(Rank)[<small>]",
    ],
    "verb": [
        "Verb(<str>)", "(<verb> if <bool> else Verb.GET)", "Verb['POST']",
    ],
    "spot": [
        "Spot(<int>)", "Spot(<int>, <str>)", "<spot>._replace(x=<int>)", "Spot(*<pair>)",
        "min(<spot>, <spot>)", "Spot(tag=<str>, x=<int>)",
    ],
}  # fmt: skip

LITERALS: Final[dict[str, list[str]]] = {
    "frozen": [
        "frozenset({1, 3})", "frozenset({5})",
    ],
    "groups": [
        "{'g': [1, 2], 'h': [3]}",
    ],
    "pairs": [
        "[('a', 1), ('b', 2)]", "[('k', 0)]",
    ],
    "tuple": [
        "(1, 2, 3)", "(0,)",
    ],
    "color": [
        "Color.RED", "Color.GREEN",
    ],
    "key": [
        "Key('k')", "Key('a', 2, ('t',))",
    ],
    "money": [
        "Money(250)", "Money(0)",
    ],
    "bag": [
        "Bag([1, 2])", "Bag([])",
    ],
    "shape": [
        "Square(3)", "Circle(1.5)",
    ],
    "queue": [
        "deque([1, 2])", "deque([3], maxlen=2)",
    ],
    "any": [
        "None", "1", "'t'", "2.5", "True", "[1]",
    ],
    "any_list": [
        "[1, 'a', None]",
    ],
    "json": [
        "'[1, 2]'", '\'{"k": 5}\'', "'nope'",
    ],
    "int": [
        "True", "2**70", "-(2**63)", "4611686018427387904", "-4611686018427387905", "12345678901234567890",
    ],
    "float": [
        "float('nan')", "float('inf')", "-0.0", "123456789.125", "5e-324", "1.7976931348623157e308",
        "0.30000000000000004",
    ],
    "str": [
        "'\\x00'", "'\\U0001f600z'", '\'tab\\tquote\\\'"\'', "'\\ud800'", "'İI'", "'ﬁ'", "'a,b,,c'",
        "'1_000'", "'١٢'", "'r'", "'1.5e3'",
    ],
    "bytes": [
        "b'YWJj'", "b'68656c6c6f'", "b'a b  c'", "b'\\xc3\\xa9'", "b'ABC123'",
    ],
    "rank": [
        "Rank.LOW", "Rank.HIGH",
    ],
    "verb": [
        "Verb.GET", "Verb.POST",
    ],
    "spot": [
        "Spot(1)", "Spot(2, 'u')",
    ],
}  # fmt: skip

ANNOTATIONS: Final[dict[str, str]] = {
    "rank": "Rank", "verb": "Verb", "spot": "Spot",
    "frozen": "frozenset[int]", "groups": "dict[str, list[int]]", "pairs": "list[tuple[str, int]]",
    "tuple": "tuple[int, ...]", "color": "Color", "key": "Key", "money": "Money", "bag": "Bag",
    "shape": "Shape", "queue": "deque[int]", "any": "object", "any_list": "list[object]",
}  # fmt: skip

CUT: Final[dict[str, str]] = {
    "tuple": "({})[:9]", "pairs": "({})[:9]", "dict": "dict(list(({}).items())[:9])",
    "set": "set(sorted({})[:9])", "frozen": "frozenset(sorted({})[:9])",
    "groups": "{{k: g[:5] for k, g in list(({}).items())[:5]}}", "queue": "deque(({}), maxlen=9)",
}  # fmt: skip

EFFECTS: Final[list[str]] = [
    "<name:groups>.setdefault(<str>, []).append(<int> % <seventy>)",
    "<name:queue>.append(<int> % <seventy>)", "<name:queue>.appendleft(<int> % <seventy>)",
    "<name:queue>.popleft()", "<name:queue>.rotate(<small>)", "<name:queue>.pop()",
    "trace.append(kind(<any>))", "trace.append(chained(<int>))", "trace.append(repr(<key>))",
    "<name:set>.update(<list>)", "<name:list>.sort(key=abs, reverse=<bool>)",
    "<name:list>.sort(reverse=True)", "<name:list>.clear()", "del <name:list>[<int>:<int>]",
    "<name:list>[<int>:<int>:<step>] = <list>", "<name:dict>.popitem()", "<name:dict>.pop(<str>, <int>)",
    "<name:set>.clear()", "<name:set>.difference_update(<set>)",
    "<name:bag>.items.append(<int> % <seventy>)", "<name:point>.y += <int> % <seventy>",
    "<name:list>[<int>] += <int> % <seventy>", "<name:dict>[<str>] = <dict>.get(<str>, 0) % <seventy>",
    "<name:dict> |= {<str>: <int> % <seventy>}", "<name:list> += [<int> % <seventy>]",
    "trace.append(str(<any>))", "trace += <words>[:3]", "<name:groups>[<str>] = <list>[:4]",
    "<name:set> ^= {<int> % 9}", "<name:queue>.extend(<list>[:3])", "trace.append(caught(inc, <int>))",
    "trace.append(repr(area(<shape>)))",
]  # fmt: skip
