"""Many chains of filters in one module: the plugin's root id says which of them is meant.

So all cases share one virtual machine. A plugin's configuration begins with a line: the chain's number.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence

from meshext import Filter
from meshext.filter import class_needs
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.glue.program_text import HEAD, READ_ATTRIBUTES, Names, chain_lines, is_text
from meshext_wasm.glue.seat_text import Seated, metric_lines, needs_line, seat_lines
from tests.conformance.compiled.notes import NotesAsText
from tests.conformance.compiled.slicing import slice_module

Chain = tuple[type[Filter], ...]

ROOT = "from meshext_wasm.library.proxy.host import read_property"

CHOOSING = '''

def root() -> str:
    """The root id of the plugin that the callback is for."""
    name = read_property("plugin_root_id")
    return "" if name is None else name.decode()


class Choosing(Program):
    """The chains that are configured, by root id; `hooks` are those of the last exchange that began."""

    def __init__(self, facts: list[str]) -> None:
        super().__init__(facts)
        self.made: dict[str, Program] = {}

    def configure(self, text: str) -> None:
        number, _, rest = text.partition("\\n")
        program = make(int(number))
        program.configure(rest)
        self.made[root()] = program

    def read_early(self, surroundings: Surroundings, line: RequestLine, lines: Lines) -> None:
        self.made[root()].read_early(surroundings, line, lines)

    def read_late(self, surroundings: Surroundings) -> None:
        self.made[root()].read_late(surroundings)

    def seat(self, surroundings: Surroundings) -> list[Seat]:
        program = self.made[root()]
        self.set_hooks(program.hooks)
        return program.seat(surroundings)

'''


class Suite:
    """The classes of several chains, and the text that seats them."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.chains = chains
        classes = list(dict.fromkeys(cls for chain in chains for cls in chain))
        modules = list(dict.fromkeys(cls.__module__ for cls in classes))
        self.stems = {module: f"case_{number}" for number, module in enumerate(modules)}
        self.seated = {cls: self._seat(cls, number) for number, cls in enumerate(classes)}

    def files(self) -> dict[str, str]:
        """The modules of the classes, cut down to what they need."""
        found = {}
        for module, stem in self.stems.items():
            names = {cls.__qualname__ for cls in self.seated if cls.__module__ == module}
            tree = ast.parse(slice_module(inspect.getsource(sys.modules[module]), names))
            found[stem] = ast.unparse(ast.fix_missing_locations(NotesAsText().visit(tree)))
        return found

    def text(self, facts: Sequence[str]) -> str:
        """The module that is written; `facts` are what it asks of the surroundings."""
        names = {seated.number: Names(seated) for seated in self.seated.values()}
        configs = {
            seated.number: ConfigText(cls, getattr(cls, "Config"), seated.number, names[seated.number].find)  # noqa: B009
            for cls, seated in self.seated.items()
            if seated.has_config and not is_text(seated)
        }
        records = [line for config in configs.values() for line in config.lines()]
        lines = [
            HEAD,
            READ_ATTRIBUTES,
            ROOT,
            *(line for each in names.values() for line in each.imports()),
            "",
        ]
        lines += [needs_line(seated) for seated in self.seated.values()]
        lines += [line for seated in self.seated.values() for line in metric_lines(seated)]
        lines += [line for seated in self.seated.values() for line in seat_lines(seated)]
        lines += records
        for number, chain in enumerate(self.chains):
            made = chain_lines([self.seated[cls] for cls in chain], configs, facts)
            lines += [line.replace("class Chain(", f"class Chain{number}(") for line in made]
        return "\n".join([*lines, *self._making(), CHOOSING, f"install(Choosing({list(facts)!r}))", ""])

    def _making(self) -> Iterator[str]:
        yield from ("", "", "def make(number: int) -> Program:", '    """The chain of that number."""')
        for number in range(len(self.chains)):
            yield f"    if number == {number}:"
            yield f"        return Chain{number}()"
        yield "    raise ValueError('no such chain')"

    def _seat(self, cls: type[Filter], number: int) -> Seated:
        return Seated(
            cls=cls,
            needs=class_needs(cls),
            module=self.stems[cls.__module__],
            number=number,
            has_config=hasattr(cls, "Config"),
            has_state=hasattr(cls, "State"),
        )
