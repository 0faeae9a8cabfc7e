"""The whole module that is written for a build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshext.errors import UnsupportedError
from meshext.needs import Hook
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.glue.seat_text import NUMBERS, Seated, needs_line, seat_lines

LIBRARY = "meshext_wasm.library"

HEAD = f'''"""Written for a build: the filters of one chain, seated."""

from typing import Literal, cast

from {LIBRARY}.meshext.exchange import Exchange
from {LIBRARY}.meshext.request import Request
from {LIBRARY}.meshext.response import Response
from {LIBRARY}.meshext.view import Surroundings, View
from {LIBRARY}.proxy import callbacks
from {LIBRARY}.proxy.configuring import check_nothing, part_of, read_config, read_document
from {LIBRARY}.proxy.program import Program, install
from {LIBRARY}.proxy.seat import Chunk, Ending, Needs, Seat
from {LIBRARY}.proxy.seat import {", ".join(hook.name for hook in Hook)}
from {LIBRARY}.proxy.shapes import Choice, DictOf, Field, ListOf, OneOf, Record, Scalar, TupleOf'''


def write_program(chain: Sequence[Seated], facts: Sequence[str]) -> str:
    """The text of the module; `facts` are what the filters' code asks of the surroundings."""
    return "\n".join([*program_lines(chain, facts), ""])


def program_lines(chain: Sequence[Seated], facts: Sequence[str]) -> Iterator[str]:
    """Line by line."""
    names = [Names(seated) for seated in chain]
    configs = {
        seated.number: ConfigText(
            seated.cls,
            getattr(seated.cls, "Config"),  # noqa: B009  # any class may have one
            seated.number,
            each.find,
        )
        for seated, each in zip(chain, names, strict=True)
        if seated.has_config and not is_text(seated)
    }
    records = [line for config in configs.values() for line in config.lines()]
    yield HEAD
    for each in names:
        yield from each.imports()
    yield ""
    yield "CALLBACKS = callbacks.PASSAGES"
    for seated in chain:
        yield needs_line(seated)
    for seated in chain:
        yield from seat_lines(seated)
    yield from records
    yield from chain_lines(chain, configs, facts)
    yield from ("", "", "install(Chain())")


class Names:
    """How the classes of one filter's module are written; what is written is imported."""

    def __init__(self, seated: Seated) -> None:
        self._seated = seated
        self._tops = {seated.top: None}
        if seated.has_state:
            self.find(getattr(seated.cls, "State"))  # noqa: B009  # any class may have one

    def find(self, cls: type) -> str:
        """A class by the outermost one around it, which gets the filter's number."""
        if cls.__module__ != self._seated.cls.__module__:
            raise UnsupportedError(
                f"{self._seated.needs.name}: it uses {cls.__qualname__} of another module; "
                "define it in the filter's own"
            )
        self._tops[cls.__qualname__.partition(".")[0]] = None
        return self._seated.write(cls)

    def imports(self) -> Iterator[str]:
        """The lines that import them."""
        for top in self._tops:
            yield f"from {self._seated.module} import {top} as {top}{self._seated.number}"


def chain_lines(
    chain: Sequence[Seated], configs: dict[int, ConfigText], facts: Sequence[str]
) -> Iterator[str]:
    """The class that configures and seats all of them."""
    hooks = sum(NUMBERS[hook] for hook in frozenset().union(*(each.needs.hooks for each in chain)))
    yield from ("", "", "class Chain(Program):", '    """The chain."""', "")
    yield "    def __init__(self) -> None:"
    yield f"        super().__init__({hooks}, {list(facts)!r})"
    for seated in chain:
        yield f"        self.filter{seated.number}: {seated.name} | None = None"
    yield ""
    yield "    def configure(self, text: str) -> None:"
    yield '        """Make the filters."""'
    yield from configure_lines(chain, configs)
    yield ""
    yield "    def seat(self, surroundings: Surroundings) -> list[Seat]:"
    yield '        """A place for each filter."""'
    yield "        seats: list[Seat] = []"
    for seated in chain:
        number = seated.number
        yield f"        filter{number} = self.filter{number}"
        yield f"        if filter{number} is not None:"
        view = f"View(surroundings, {seated.needs.name!r}, NEEDS{number}.attributes)"
        yield f"            seats.append(Seat{number}(filter{number}, {view}))"
    yield "        return seats"


def configure_lines(chain: Sequence[Seated], configs: dict[int, ConfigText]) -> Iterator[str]:
    """The body of `configure`: a chain of several is configured by a mapping from their names."""
    names = [seated.needs.name for seated in chain]
    takes_text = len(chain) == 1 and chain[0].has_config and is_text(chain[0])
    if not takes_text:
        yield "        document = read_document(text)"
    for seated in chain:
        number, name = seated.number, seated.needs.name
        part = "document" if len(chain) == 1 else f"part_of(document, {name!r}, {names!r})"
        if takes_text:
            yield f"        self.filter{number} = {seated.name}(text)"
        elif not seated.has_config:
            yield f"        check_nothing({part}, {name!r})"
            yield f"        self.filter{number} = {seated.name}()"
        else:
            kind = seated.write(getattr(seated.cls, "Config"))  # noqa: B009  # as above
            read = f"read_config({configs[number].root}, {part}, {name!r})"
            config = f"cast('{kind}', {read})"
            yield f"        self.filter{number} = {seated.name}({config})"


def is_text(seated: Seated) -> bool:
    """Whether its configuration is the text itself."""
    return getattr(seated.cls, "Config", None) is str
