"""The whole module that is written for a build."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

from meshext.config import reads_itself
from meshext.needs import Hook
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.glue.seat_text import Seated, metric_lines, needs_line, seat_lines

LIBRARY = "meshext_wasm.library"

HEAD = f'''"""Written for a build: the filters of one chain, seated."""

from typing import Literal, cast

from {LIBRARY}.meshext.exchange import Exchange
from {LIBRARY}.meshext.lines import Lines
from {LIBRARY}.meshext.needs import Needs, ask_about
from {LIBRARY}.meshext.needs import {", ".join(hook.name for hook in Hook)}
from {LIBRARY}.meshext.request import Request, RequestLine
from {LIBRARY}.meshext.response import AnyResponse, Response
from {LIBRARY}.meshext.surroundings import Surroundings
from {LIBRARY}.meshext.view import View
from {LIBRARY}.meshext.store import Store
from {LIBRARY}.proxy import callbacks
from {LIBRARY}.proxy.configuring import check_empty, check_nothing, part_of, read_config, read_document
from {LIBRARY}.proxy.program import Program, at_once, install
from {LIBRARY}.proxy.seat import Chunk, Ending, Seat
from {LIBRARY}.proxy.shapes import Choice, DictOf, Field, ListOf, OneOf, Record, Scalar, TupleOf'''

BEGINNING = (
    f"from {LIBRARY}.proxy.beginning import begin_passage",
    f"from {LIBRARY}.proxy.deciding import decide",
)
"""What begins an exchange: by whether that decides it."""
READ_ATTRIBUTES = f"from {LIBRARY}.meshext.attributes import check_attributes, read_early, read_late"


def write_program(chain: Sequence[Seated], facts: Sequence[str], *, adds: bool = True) -> str:
    """The text of the module; `facts` are what its code asks of the surroundings, `adds` says whether
    a request's hook may put something on the response."""
    return "\n".join([*program_lines(chain, facts, decides=not adds and decides(chain)), ""])


def decides(chain: Sequence[Seated]) -> bool:
    """Whether there is one filter that has `on_request` alone, in each of its configurations."""
    return len(chain) == 1 and chain[0].needs.hooks == {Hook.ON_REQUEST} and not chain[0].has_needs


def program_lines(chain: Sequence[Seated], facts: Sequence[str], *, decides: bool) -> Iterator[str]:
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
    yield BEGINNING[decides]
    if any(map(reads_attributes, chain)):
        yield READ_ATTRIBUTES
    for each in names:
        yield from each.imports()
    yield ""
    yield "CALLBACKS = callbacks.PASSAGES"
    for seated in chain:
        yield needs_line(seated)
        yield from metric_lines(seated)
    for seated in chain:
        yield from seat_lines(seated)
    yield from records
    yield from chain_lines(chain, configs, facts)
    yield from begin_lines(chain, decides=decides)
    yield from ("", "", "install(Chain())")


class Names:
    """How the classes of one filter are written; what is written is imported."""

    def __init__(self, seated: Seated) -> None:
        self._seated = seated
        self._tops = {(seated.module, seated.top): seated.write(seated.cls).partition(".")[0]}
        if seated.has_state:
            self.find(getattr(seated.cls, "State"))  # noqa: B009  # any class may have one

    def find(self, cls: type) -> str:
        """A class by the outermost one around it, which gets the filter's number."""
        written = self._seated.write(cls)
        top = cls.__qualname__.partition(".")[0]
        self._tops[(self._seated.module_of(cls), top)] = written.partition(".")[0]
        return written

    def imports(self) -> Iterator[str]:
        """The lines that import them."""
        for (module, top), name in self._tops.items():
            yield f"from {module} import {top} as {name}"


def chain_lines(
    chain: Sequence[Seated], configs: dict[int, ConfigText], facts: Sequence[str]
) -> Iterator[str]:
    """The class that configures and seats all of them."""
    yield from ("", "", "class Chain(Program):", '    """The chain."""', "")
    yield "    def __init__(self) -> None:"
    yield f"        super().__init__({list(facts)!r})"
    for seated in chain:
        yield f"        self.filter{seated.number}: {seated.name} | None = None"
        yield f"        self.needs{seated.number} = NEEDS{seated.number}"
    yield ""
    yield "    def configure(self, text: str) -> None:"
    yield '        """Make the filters."""'
    yield from configure_lines(chain, configs)
    if any(map(reads_attributes, chain)):
        yield from attribute_lines(chain)
    yield ""
    yield "    def seat(self, surroundings: Surroundings) -> list[Seat]:"
    yield '        """A place for each filter."""'
    for seated in chain:
        number = seated.number
        yield f"        filter{number} = self.filter{number}"
        yield f"        if filter{number} is None:"
        yield "            return []"
    yield "        return ["
    for seated in chain:
        number = seated.number
        needs = f"self.needs{number}"
        yield f"            Seat{number}(filter{number}, {needs}, View(surroundings, {needs})),"
    yield "        ]"


def begin_lines(chain: Sequence[Seated], *, decides: bool) -> Iterator[str]:
    """The method that begins an exchange; where that decides it, also the one that seats the only filter."""
    yield ""
    yield "    def begin(self, context: int, count: int, end: bool) -> int:"
    yield '        """A request begins."""'
    if not decides:
        yield "        return begin_passage(self, context, count, end)"
        return
    number = chain[0].number
    yield "        return decide(self, count)"
    yield ""
    yield "    def only(self, surroundings: Surroundings) -> Seat | None:"
    yield '        """The place of the filter."""'
    yield f"        filter_, needs = self.filter{number}, self.needs{number}"
    yield "        if filter_ is None:"
    yield "            return None"
    yield f"        return Seat{number}(filter_, needs, View(surroundings, needs))"


def attribute_lines(chain: Sequence[Seated]) -> Iterator[str]:
    """The methods that ask Envoy for what the filters declared."""
    yield ""
    yield "    def read_early(self, surroundings: Surroundings, line: RequestLine, lines: Lines) -> None:"
    yield '        """Attributes of connection and request."""'
    for seated in chain:
        yield f"        read_early(surroundings, self.needs{seated.number}.attributes, line, lines)"
    yield ""
    yield "    def read_late(self, surroundings: Surroundings) -> None:"
    yield '        """Attributes of the response."""'
    for seated in chain:
        yield f"        read_late(surroundings, self.needs{seated.number}.attributes)"


def reads_attributes(seated: Seated) -> bool:
    """Whether a filter declares attributes, or may in one of its configurations."""
    return bool(seated.needs.attributes) or seated.has_needs


def configure_lines(chain: Sequence[Seated], configs: dict[int, ConfigText]) -> Iterator[str]:
    """The body of `configure`: a chain of several is configured by a mapping from their names."""
    names = [seated.needs.name for seated in chain]
    takes_text = len(chain) == 1 and (not chain[0].has_config or is_text(chain[0]))
    if not takes_text:
        yield "        document = read_document(text)"
    for seated in chain:
        number, name = seated.number, seated.needs.name
        part = "document" if len(chain) == 1 else f"part_of(document, {name!r}, {names!r})"
        config = f"config{number}"
        if not seated.has_config:
            config = ""
            check = f"check_empty(text, {name!r})" if takes_text else f"check_nothing({part}, {name!r})"
            yield f"        {check}"
        elif takes_text:
            config = "text"
        else:
            kind = seated.write(getattr(seated.cls, "Config"))  # noqa: B009  # as above
            read = f"read_config({configs[number].root}, {part}, {source_of(seated)!r})"
            yield f"        {config} = cast('{kind}', {read})"
        if seated.has_needs:
            yield f"        ask_about(NEEDS{number})"
            yield f"        self.needs{number} = {seated.name}.needs({config or None})"
            yield f"        check_attributes(self.needs{number}.attributes)"
        yield f"        filter{number} = {seated.name}({config})"
        if uses_store(seated):
            yield f"        filter{number}.store = Store({name!r})"
            yield f"        filter{number}.store.prepare()"
        yield f"        self.filter{number} = filter{number}"
    hooks = " | ".join(f"self.needs{seated.number}.hooks" for seated in chain)
    yield f"        self.set_hooks({hooks})"


def source_of(seated: Seated) -> str:
    """Whose configuration it is; one that the class itself reads is none of its documents."""
    config_type = getattr(seated.cls, "Config")  # noqa: B009  # as above
    written = ", as `meshext config --mode wasm` writes it" if reads_itself(config_type) else ""
    return f"{seated.needs.name}{written}"


def uses_store(seated: Seated) -> bool:
    """Whether any code in the modules of the filter's classes asks for the store."""
    return any(".store" in inspect.getsource(each) for each in seated.cls.__mro__[:-2])


def is_text(seated: Seated) -> bool:
    """Whether its configuration is the text itself."""
    return getattr(seated.cls, "Config", None) is str
