"""One mistake in a program, many of them, and the error that carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meshext.errors import MeshextError
from meshext_wasm.diagnostics.drawing import draw
from meshext_wasm.tree.program import Loc


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that explains the first: where the other class is, where the name was deleted."""

    loc: Loc
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is refused: the place, the reason, what to write instead, and other places that matter.

    `follows`: it speaks of a type that nothing is known of, as happens where its annotation was refused.
    """

    loc: Loc
    reason: str
    hint: str = ""
    notes: tuple[Note, ...] = ()
    follows: bool = False


class CompileError(MeshextError):
    """A program was refused; `diagnostics` has every mistake, in the order of the source."""

    drawn = True

    def __init__(self, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(draw_diagnostic(each, sources) for each in self.diagnostics))


@dataclass(slots=True)
class Collector:
    """Mistakes as they are found; the same one twice counts once."""

    found: dict[tuple[Loc, str], Diagnostic] = field(default_factory=dict)

    def add(self, diagnostic: Diagnostic) -> None:
        """Remember one."""
        self.found.setdefault((diagnostic.loc, diagnostic.reason), diagnostic)

    def leave_out(self, file: str) -> None:
        """Forget the mistakes in a file where there are others too."""
        others = {key: each for key, each in self.found.items() if each.loc.file != file}
        self.found = others or self.found

    def ordered(self) -> list[Diagnostic]:
        """All, by file and place; what follows from others only where there are none."""

        def key(each: Diagnostic) -> tuple[str, int, int, int, str]:
            loc = each.loc
            return loc.file, loc.line, loc.column, -loc.end_column, each.reason

        causes = [each for each in self.found.values() if not each.follows]
        return sorted(causes or self.found.values(), key=key)

    def raise_any(self, sources: Mapping[str, str]) -> None:
        """Raise CompileError if there is a mistake. `sources` are the texts by the file names in the Locs."""
        if self.found:
            raise CompileError(self.ordered(), sources)


def draw_diagnostic(diagnostic: Diagnostic, sources: Mapping[str, str]) -> str:
    """One mistake for a person: place and reason, the source line underlined, the hint, the notes."""
    lines = [draw(diagnostic.loc, diagnostic.reason, sources.get(diagnostic.loc.file, ""))]
    if diagnostic.hint:
        lines.append(f"    write instead: {diagnostic.hint}")
    lines += [draw(note.loc, note.text, sources.get(note.loc.file, "")) for note in diagnostic.notes]
    return "\n".join(lines)
