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
from meshext_wasm.build.filters import RESPONSE_HEADERS
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.glue.program_text import (
    BEGINNING,
    HEAD,
    READ_ATTRIBUTES,
    Names,
    begin_lines,
    chain_lines,
    decides,
    is_text,
)
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
    """The chains that are configured, by root id."""

    def __init__(self, facts: list[str]) -> None:
        super().__init__(facts)
        self.made: dict[str, Program] = {}

    def configure(self, text: str) -> None:
        number, _, rest = text.partition("\\n")
        program = make(int(number))
        program.configure(rest)
        self.made[root()] = program

    def begin(self, context: int, count: int, end: bool) -> int:
        return self.made[root()].begin(context, count, end)

'''


def decides_all(chain: Sequence[Seated]) -> bool:
    """Whether the chain is one that a build lets decide when a request begins."""
    return decides(chain) and not any(RESPONSE_HEADERS in inspect.getsource(each.cls) for each in chain)


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
            BEGINNING[False],
            BEGINNING[True],
            ROOT,
            *(line for each in names.values() for line in each.imports()),
            "",
        ]
        lines += [needs_line(seated) for seated in self.seated.values()]
        lines += [line for seated in self.seated.values() for line in metric_lines(seated)]
        lines += [line for seated in self.seated.values() for line in seat_lines(seated)]
        lines += records
        for number, classes in enumerate(self.chains):
            chain = [self.seated[cls] for cls in classes]
            made = [
                *chain_lines(chain, configs, facts),
                *begin_lines(chain, decides=decides_all(chain)),
            ]
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
