"""A program from a seed: typed, so that it compiles, and made so that it ends."""

from __future__ import annotations

import random
import re
import warnings
from dataclasses import dataclass, field

from tests.wasm.differential.words import ANNOTATIONS, CUT, EFFECTS, EXPRESSIONS, LITERALS, PLAIN

HOLE = re.compile(r"<(name:)?(\w+)>")
SEVENTY_BITS = str(2**70)
"""What int expressions are cut to where they could grow: still no small int."""
PARAMETERS = {
    "a": "int", "b": "int", "x": "float", "s": "str", "items": "list", "table": "dict", "flag": "bool",
    "raw": "bytes", "maybe": "maybe", "numbers": "set",
}  # fmt: skip
CAUGHT = (
    "ValueError", "(KeyError, IndexError)", "Exception", "ZeroDivisionError", "LookupError",
    "ArithmeticError", "Oops", "(ValueError, TypeError)", "UnicodeError", "Lost", "OverflowError",
)  # fmt: skip
ERRORS = (
    "ValueError(s)", "Oops(a)", "KeyError(s)", "Deep(a, s)", "Lost", "RuntimeError(s, b)", "TypeError()",
    "IndexError('no')",
)  # fmt: skip
UNSHOWN = frozenset("box point money bag shape color key queue any_list rank verb spot".split())
"""Kinds whose values are shown by their repr, as the module's can not be read from outside."""
STATEMENTS = ("assign", "assign", "assign", "effect", "effect", "again", "leave", "unpack")
COMPOUND = ("if", "for", "while", "try", "closure", "match", "with", "chain", "shapes", "sequence")


def generate(seed: str, name: str) -> str:
    """The source of one function, that takes PARAMETERS and gives a list of what it found. What Python itself
    refuses, such as a walrus where a comprehension iterates, is made again."""
    for attempt in range(100):
        source = Generator(random.Random(f"{seed}/{attempt}" if attempt else seed)).program(name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(source, "program.py", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        return source
    raise AssertionError(f"no program from the seed {seed!r}")


@dataclass
class Generator:
    chance: random.Random
    scope: dict[str, str] = field(default_factory=lambda: dict(PARAMETERS))
    loops: int = 0
    count: int = 0

    def program(self, name: str) -> str:
        parameters = ", ".join(f"{each}: {ANNOTATIONS[kind]}" for each, kind in PARAMETERS.items())
        lines = ["trace: list[str] = []", "box = Box(a % 100)", "point = Point(b, 3)"]
        self.scope |= {"box": "box", "point": "point"}
        for _ in range(self.chance.randint(2, 4)):
            lines += self.guarded() if self.chance.random() < 0.7 else self.statement(2)
        shown = ", ".join(self.shown(each, kind) for each, kind in self.scope.items())
        lines.append(f"return [trace, {shown}]")
        return "\n".join([f"def {name}({parameters}) -> list[object]:", *indented(lines)])

    def shown(self, name: str, kind: str) -> str:
        """A variable as the program gives it back."""
        return f"repr({name})" if kind in UNSHOWN or kind == "any" else name

    def guarded(self) -> list[str]:
        """A statement whose failure is told, not the end of the program."""
        return [
            "try:",
            *self.inner(self.chance.choice((1, 1, 2))),
            "except Exception as error:",
            "    trace.append(repr(error))",
        ]

    def pick(self, items: list[str] | tuple[str, ...]) -> str:
        return items[self.chance.randrange(len(items))]

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def named(self, kind: str) -> str | None:
        names = [each for each, other in self.scope.items() if other == kind]
        return self.pick(names) if names else None

    def expression(self, kind: str, depth: int) -> str:
        """An expression of a kind; at depth 0 a variable or a literal."""
        if kind == "small":
            return str(self.chance.randint(0, 4))
        if kind == "seventy":
            return SEVENTY_BITS
        if kind in PLAIN:
            return self.pick(PLAIN[kind])
        name = self.named(kind)
        if depth <= 0 or self.chance.random() < 0.25:
            return name if name and self.chance.random() < 0.7 else f"({self.pick(LITERALS[kind])})"
        return self.filled(self.pick(EXPRESSIONS[kind]), depth) or f"({self.pick(LITERALS[kind])})"

    def filled(self, template: str, depth: int) -> str | None:
        """A template with its holes filled; None where a variable that it needs is missing."""
        if any(self.named(each[2]) is None for each in HOLE.finditer(template) if each[1]):
            return None
        return HOLE.sub(
            lambda hole: (self.named(hole[2]) or "") if hole[1] else self.expression(hole[2], depth - 1),
            template,
        )

    def block(self, depth: int, length: int) -> list[str]:
        return [line for _ in range(length) for line in self.statement(depth)]

    def inner(self, depth: int) -> list[str]:
        """A block in which what is new stays."""
        before = dict(self.scope)
        lines = self.block(depth, self.chance.choice((1, 1, 2, 3)))
        self.scope = before
        return indented(lines)

    def statement(self, depth: int) -> list[str]:
        kinds = [*STATEMENTS, *(COMPOUND if depth > 0 else ())]
        made: list[str] = getattr(self, f"make_{self.pick(kinds)}")(depth)
        return made

    def cut(self, kind: str, value: str) -> str:
        """A value for a variable: ints always small enough, others where they could grow in a loop."""
        if kind == "int" or (self.loops and kind in CUT):
            return CUT[kind].replace("<seventy>", SEVENTY_BITS).format(value)
        return value

    def make_assign(self, depth: int) -> list[str]:
        kind = self.pick(list(ANNOTATIONS))
        value = self.cut(kind, self.expression(kind, 3))
        name = self.fresh()
        self.scope[name] = kind
        return [f"{name}: {ANNOTATIONS[kind]} = {value}"]

    def make_again(self, depth: int) -> list[str]:
        name = self.pick(list(self.scope))
        kind = self.scope[name]
        value = self.expression(kind, 3)
        if kind == "int" and self.chance.random() < 0.3 and not self.loops:
            return [f"{name} {self.pick(('+=', '-=', '*=', '//=', '%='))} {value}"]
        return [f"{name} = {self.cut(kind, value)}"]

    def make_unpack(self, depth: int) -> list[str]:
        first, second, third = self.fresh(), self.fresh(), self.fresh()
        forms = [
            (f"{first}, {second} = {self.expression('pair', 2)}", {first: "int", second: "str"}),
            (f"{first}, *{second} = {self.expression('list', 2)}", {first: "int", second: "list"}),
            (f"*{first}, {second} = {self.expression('words', 2)}", {first: "words", second: "str"}),
            (
                f"({first}, {second}), {third} = {self.expression('pair', 2)}, {self.expression('float', 2)}",
                {first: "int", second: "str", third: "float"},
            ),
            (f"{first} = {second} = {self.expression('list', 2)}", {first: "list", second: "list"}),
            (f"{first}, {second} = {self.expression('str', 2)}", {first: "str", second: "str"}),
        ]
        line, new = forms[self.chance.randrange(len(forms))]
        self.scope |= new
        lines = [line]
        for name, kind in new.items():
            if kind == "int":
                lines.append(f"{name} %= {SEVENTY_BITS}")
        return lines

    def make_effect(self, depth: int) -> list[str]:
        return [self.filled(self.pick(EFFECTS), 2) or "trace.append('.')"]

    def make_leave(self, depth: int) -> list[str]:
        test = self.expression("bool", 2)
        ways = [
            f"raise {self.pick(ERRORS)}",
            f"raise {self.pick(ERRORS)}",
            "return [trace, a, s]",
            "assert flag, s",
        ]
        if self.loops:
            ways += ["break", "continue", "break", "continue"]
        return [f"if {test}:", f"    {self.pick(ways)}"]

    def make_if(self, depth: int) -> list[str]:
        lines = [f"if {self.expression('bool', 3)}:", *self.inner(depth - 1)]
        if self.chance.random() < 0.3:
            lines += [f"elif {self.expression('bool', 2)}:", *self.inner(depth - 1)]
        return lines + (["else:", *self.inner(depth - 1)] if self.chance.random() < 0.6 else [])

    def make_for(self, depth: int) -> list[str]:
        one, two = self.fresh(), self.fresh()
        heads = [
            (f"for {one} in range({self.chance.randint(0, 5)}):", {one: "int"}),
            (f"for {one} in range({self.chance.randint(3, 9)}, 0, -2):", {one: "int"}),
            (f"for {one} in {self.expression('list', 2)}[:6]:", {one: "int"}),
            (f"for {one} in {self.expression('str', 2)}[:6]:", {one: "str"}),
            (f"for {one} in {self.expression('bytes', 2)}[:6]:", {one: "int"}),
            (f"for {one} in Color:", {one: "color"}),
            (f"for {one}, {two} in enumerate({self.expression('list', 1)}[:5]):", {one: "int", two: "int"}),
            (
                f"for {one}, {two} in list({self.expression('dict', 1)}.items())[:5]:",
                {one: "str", two: "int"},
            ),
            (f"for {one}, {two} in {self.expression('pairs', 1)}[:5]:", {one: "str", two: "int"}),
            (
                f"for {one}, {two} in zip({self.expression('words', 1)}, {self.expression('floats', 1)}):",
                {one: "str", two: "float"},
            ),
            (f"for {one} in sorted({self.expression('set', 1)})[:5]:", {one: "int"}),
            (f"for {one} in reversed({self.expression('tuple', 1)}[:5]):", {one: "int"}),
            (f"for {one} in list({self.expression('groups', 1)}.values())[:4]:", {one: "list"}),
        ]  # fmt: skip
        head, new = heads[self.chance.randrange(len(heads))]
        return self.loop(depth, [head], new, [])

    def make_while(self, depth: int) -> list[str]:
        name = self.fresh()
        lines = self.loop(
            depth,
            [f"while {name} < {self.chance.randint(1, 5)} and {self.expression('bool', 2)}:"],
            {},
            [f"    {name} += 1"],
        )
        return [f"{name} = 0", *lines]

    def loop(self, depth: int, head: list[str], new: dict[str, str], first: list[str]) -> list[str]:
        before = dict(self.scope)
        self.scope |= new
        self.loops += 1
        lines = [*head, *first, *self.inner(depth - 1)]
        self.loops -= 1
        self.scope = before
        return lines + (["else:", *self.inner(depth - 1)] if self.chance.random() < 0.2 else [])

    def make_try(self, depth: int) -> list[str]:
        lines = ["try:", *self.inner(depth - 1)]
        for caught in self.chance.sample(CAUGHT, self.chance.randint(0, 2)):
            lines += [f"except {caught} as error:", "    trace.append(str(error))", *self.inner(depth - 1)]
        if len(lines) > 2 and any(each.startswith("except") for each in lines):
            lines += ["else:", *self.inner(depth - 1)] if self.chance.random() < 0.3 else []
            if self.chance.random() < 0.6:
                return lines
        return [*lines, "finally:", *self.inner(depth - 1)]

    def make_chain(self, depth: int) -> list[str]:
        """Exceptions that come from others."""
        origin = self.pick((" from error", " from error", " from None", ""))
        return [
            "try:",
            "    try:", *indented(self.inner(depth - 1)), f"        raise {self.pick(ERRORS)}",
            f"    except {self.pick(CAUGHT)} as error:",
            f"        raise {self.pick(ERRORS)}{origin}",
            "except Exception as error:",
            "    trace.append(repr(error) + repr(error.__cause__))",
            "    trace.append(str(error.args))",
        ]  # fmt: skip

    def make_with(self, depth: int) -> list[str]:
        name = self.fresh()
        heads = [
            (f"with Managed(trace, {self.expression('bool', 1)}) as {name}:", {name: "int"}),
            (f"with Managed(trace, {self.expression('bool', 1)}):", {}),
            (
                f"with Managed(trace, flag) as {name}, Managed(trace, {self.expression('bool', 1)}):",
                {name: "int"},
            ),
        ]
        head, new = heads[self.chance.randrange(len(heads))]
        before = dict(self.scope)
        self.scope |= new
        lines = [head, *self.inner(depth - 1)]
        self.scope = before
        return lines

    def make_closure(self, depth: int) -> list[str]:
        name, parameter, result = self.fresh(), self.fresh(), self.fresh()
        shared = self.named("int") or "a"
        before, loops, self.loops = dict(self.scope), self.loops, 0
        self.scope = {each: kind for each, kind in before.items() if kind in ("int", "list", "str")} | {
            parameter: "int"
        }
        value, told = self.expression("int", 2), self.expression("int", 2)
        self.scope, self.loops = before, loops
        lines = [f"def {name}({parameter}: int) -> int:"]
        if ":=" not in value + told and shared not in PARAMETERS and shared.startswith("v"):
            lines += [f"    nonlocal {shared}", f"    {shared} = ({value}) % {SEVENTY_BITS}"]
        call = self.pick(
            (f"{name}({self.expression('int', 1)})", f"twice({name}, {self.expression('int', 1)})")
        )
        lines += [f"    return ({told}) % {SEVENTY_BITS}", f"{result}: int = {call}"]
        self.scope[result] = "int"
        return lines

    def make_match(self, depth: int) -> list[str]:
        return [
            f"match {self.expression('int', 2)} % 4:",
            "    case 0:", *indented(self.inner(depth - 1)),
            "    case 1 | 2:", *indented(self.inner(depth - 1)),
            "    case _:", *indented(self.inner(depth - 1)),
        ]  # fmt: skip

    def make_shapes(self, depth: int) -> list[str]:
        """`match` on classes."""
        name = self.fresh()
        lines = [f"match {self.expression('shape', 2)}:", f"    case Square({name}):"]
        lines += self.with_names({name: "int"}, depth)
        lines += [f"    case Circle(radius={name}_1, label=str({name}_2)) if {self.expression('bool', 2)}:"]
        lines += self.with_names({f"{name}_1": "float", f"{name}_2": "str"}, depth)
        return [*lines, "    case _:", *indented(self.inner(depth - 1))]

    def make_sequence(self, depth: int) -> list[str]:
        """`match` on sequences, mappings and any value."""
        name = self.fresh()
        if self.chance.random() < 0.5:
            lines = [f"match {self.expression('list', 2)}:", "    case []:", *indented(self.inner(depth - 1))]
            lines += [f"    case [{name}]:", *self.with_names({name: "int"}, depth)]
            lines += [f"    case [{name}_1, *{name}_2]:"]
            return lines + self.with_names({f"{name}_1": "int", f"{name}_2": "list"}, depth)
        lines = [f"match {self.expression('any', 2)}:", f"    case int({name}) if {name} > 3:"]
        lines += [f"        {name} %= 1000", *self.with_names({name: "int"}, depth)]
        lines += [f"    case str({name}_1):", *self.with_names({f"{name}_1": "str"}, depth)]
        return [*lines, "    case None | [] | {}:", *indented(self.inner(depth - 1))]

    def with_names(self, new: dict[str, str], depth: int) -> list[str]:
        """The block of a case that binds names."""
        before = dict(self.scope)
        self.scope |= new
        lines = indented(self.inner(depth - 1))
        self.scope = before
        return lines


def indented(lines: list[str]) -> list[str]:
    return [f"    {each}" for each in lines]
