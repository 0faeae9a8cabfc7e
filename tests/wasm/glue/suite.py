"""Many chains of filters in one module: the first line of its configuration says which one it is."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Sequence

from meshext import Filter
from meshext.filter import class_needs
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.glue.program_text import HEAD, Names, chain_lines, is_text
from meshext_wasm.glue.seat_text import Seated, needs_line, seat_lines
from tests.wasm.glue.slicing import slice_module

NOTE_MODULE = "tests.conformance.case"
NOTE = '''"""Notes of filters, as lines of the log."""

from meshext_wasm.library.proxy.host import INFO, log


def note(text: str) -> None:
    """One note."""
    log(INFO, "note " + text)
'''
MARK = "note "


class NotesAsText(ast.NodeTransformer):
    """`note(a, b)` becomes `note(repr((a, b)))`, which a log can carry."""

    def visit_Call(self, node: ast.Call) -> ast.AST:  # the name that ast calls
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "note":
            shown = ast.Call(ast.Name("repr"), [ast.Tuple(node.args, ast.Load())], [])
            return ast.Call(node.func, [shown], [])
        return node


class Suite:
    """The classes of several chains, and the text that seats them."""

    def __init__(self, chains: Sequence[Sequence[type[Filter]]]) -> None:
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
        """The module that is written."""
        names = {seated.number: Names(seated) for seated in self.seated.values()}
        configs = {
            seated.number: ConfigText(cls, getattr(cls, "Config"), seated.number, names[seated.number].find)  # noqa: B009
            for cls, seated in self.seated.items()
            if seated.has_config and not is_text(seated)
        }
        records = [line for config in configs.values() for line in config.lines()]
        lines = [HEAD, *(line for each in names.values() for line in each.imports()), ""]
        lines += [needs_line(seated) for seated in self.seated.values()]
        lines += [line for seated in self.seated.values() for line in seat_lines(seated)]
        lines += records
        for number, chain in enumerate(self.chains):
            made = chain_lines([self.seated[cls] for cls in chain], configs, facts)
            lines += [line.replace("class Chain(", f"class Chain{number}(") for line in made]
        return "\n".join([*lines, *self._choosing(), ""])

    def _choosing(self) -> list[str]:
        lines = ["", "", "def make(number: int) -> Program:"]
        for number in range(len(self.chains)):
            lines += [f"    if number == {number}:", f"        return Chain{number}()"]
        return [
            *lines,
            "    raise ValueError('no such chain')",
            "",
            "",
            "class Choosing(Program):",
            "    def __init__(self) -> None:",
            "        super().__init__(0, [])",
            "",
            "    def configure(self, text: str) -> None:",
            "        number, _, rest = text.partition('\\n')",
            "        program = make(int(number))",
            "        install(program)",
            "        program.configure(rest)",
            "",
            "",
            "install(Choosing())",
        ]

    def _seat(self, cls: type[Filter], number: int) -> Seated:
        return Seated(
            cls=cls,
            needs=class_needs(cls),
            module=self.stems[cls.__module__],
            number=number,
            has_config=hasattr(cls, "Config"),
            has_state=hasattr(cls, "State"),
        )
