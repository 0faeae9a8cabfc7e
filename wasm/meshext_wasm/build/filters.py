"""From filter specs to one module: what is written for the build, compiled with the filters' own files."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshext import Filter
from meshext.errors import UnsupportedError
from meshext.filter import class_needs
from meshext.needs import Hook, Needs
from meshext.plugins import load_filter
from meshext_wasm.build.cache import Cache
from meshext_wasm.build.collecting import no_collections
from meshext_wasm.build.library import Library, load_or_compile
from meshext_wasm.build.pipeline import RUN_TIME, check_own, compile_program, link_program
from meshext_wasm.build.showing import STAGES
from meshext_wasm.glue.program_text import write_program
from meshext_wasm.glue.refusals import refuse
from meshext_wasm.glue.seat_text import Seated
from meshext_wasm.source.file import SourceFile, parse_source
from meshext_wasm.source.imports import find_imports
from meshext_wasm.source.loading import Files, Folder, Texts, program_root
from meshext_wasm.tree.program import Unit

ENTRY = "meshext_seating"
FACTS = ("peer", "route", "cluster")
"""What of the surroundings is asked of Envoy only where a filter's code names it."""

RESPONSE_HEADERS = "response_headers"
"""What a filter's code names where a request's hook puts something on the response."""
WRITES = "set_metadata"
"""What a filter's code names where it writes metadata."""

REQUEST_BODIES = frozenset({Hook.ON_REQUEST_BODY, Hook.ON_REQUEST_CHUNK})
RESPONSE_BODIES = frozenset({Hook.ON_RESPONSE_BODY, Hook.ON_RESPONSE_CHUNK})
ALWAYS = (
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_request_headers",
)


AS_THEY_ARE = ("meshext.policy.", "meshext.config.redaction")
"""How the modules of the SDK begin that compile as a filter's own, since they know nothing but each other."""


@dataclass(frozen=True, slots=True)
class Some:
    """Those files of a place whose modules begin so."""

    place: Files
    starts: tuple[str, ...]

    def find(self, module: str) -> tuple[str, str, bool] | None:
        """The place's, where it is one of them."""
        return self.place.find(module) if module.startswith(self.starts) else None


SDK = Some(Folder(Path(inspect.getfile(Filter)).parents[1]), AS_THEY_ARE)


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Files of several places."""

    places: tuple[Files, ...]

    def find(self, module: str) -> tuple[str, str, bool] | None:
        """The first place's that has it."""
        return next((found for each in self.places if (found := each.find(module)) is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A module: its code, the chain's needs, what of the surroundings it reads, whether it writes metadata,
    the text written for it."""

    name: str
    code: bytes
    needs: tuple[Needs, ...]
    facts: tuple[str, ...]
    writes: bool
    written: str


@no_collections()
def build_filters(
    specs: Sequence[str], cache: Cache, *, on_step: Callable[[str], None] = lambda _: None
) -> Built:
    """A chain of filters as a module. SpecError, UnsupportedError or CompileError says what is refused."""
    chain, folders = seat_filters([load_filter(spec) for spec in specs])
    sources = read_sources(chain)
    facts = find_facts(sources)
    adds = any(RESPONSE_HEADERS in text for text in sources)
    written = write_program(chain, facts, adds=adds)
    on_step("run-time library")
    library = load_or_compile(cache)
    on_step("filters")
    own, trusted = files_of(written, folders)
    program = compile_program(ENTRY, own, library, cache, trusted=trusted)
    on_step("link")
    needs = tuple(seated.needs for seated in chain)
    exports = choose_exports(library, needs, adds=adds)
    code = link_program(program, library, exports)
    return Built(
        name="+".join(each.name for each in needs),
        code=code,
        needs=needs,
        facts=facts,
        writes=mentions(sources, WRITES),
        written=written,
    )


def show_filters(specs: Sequence[str], cache: Cache, stage: str) -> str:
    """A chain of filters at one of `build.showing.STAGES`, as text."""
    library = load_or_compile(cache)
    return STAGES[stage](check_filters(specs, library)[1], library.compiled.copies)


@no_collections()
def check_filters(specs: Sequence[str], library: Library) -> tuple[list[Seated], Unit]:
    """A chain of filters, and its program in the core language. Raises as `build_filters`."""
    chain, folders = seat_filters([load_filter(spec) for spec in specs])
    sources = read_sources(chain)
    adds = any(RESPONSE_HEADERS in text for text in sources)
    own, trusted = files_of(write_program(chain, find_facts(sources), adds=adds), folders)
    return chain, check_own(ENTRY, own, library, trusted)


def files_of(written: str, folders: Sequence[Folder]) -> tuple[Files, Files]:
    """Where the filters' modules are found, and where those that may use the library's dialect."""
    return FirstOf((*folders, SDK)), FirstOf((Texts({ENTRY: written}), RUN_TIME))


def seat_filters(classes: Sequence[type[Filter]]) -> tuple[list[Seated], list[Folder]]:
    """What is known of each filter, and the folders that their modules are found from."""
    chain: list[Seated] = []
    roots: dict[Path, None] = {}
    for number, cls in enumerate(classes):
        needs = class_needs(cls)
        refuse(cls, needs)
        root, module = program_root(Path(inspect.getfile(cls)))
        roots[root] = None
        chain.append(
            Seated(
                cls=cls,
                needs=needs,
                module=module,
                number=number,
                has_config=hasattr(cls, "Config"),
                has_state=hasattr(cls, "State"),
            )
        )
    check_modules(chain)
    return chain, [Folder(root) for root in roots]


def check_modules(chain: Sequence[Seated]) -> None:
    """Refuse two filters whose files have one name: a module finds the first folder's only."""
    homes: dict[str, Path] = {}
    for seated in chain:
        home = Path(inspect.getfile(seated.cls))
        if homes.setdefault(seated.module, home) != home:
            raise UnsupportedError(
                f"{home} and {homes[seated.module]} are both called {seated.module}; rename one, or build "
                "them into a module each"
            )


def read_sources(chain: Sequence[Seated]) -> list[str]:
    """The texts of the filters' modules, and of those that they import beside the library."""
    texts: dict[tuple[Path, str], str] = {}
    for seated in chain:
        root, _ = program_root(Path(inspect.getfile(seated.cls)))
        waiting = [seated.module, *map(seated.module_of, classes_of(seated))]
        while waiting:
            name = waiting.pop()
            found = Folder(root).find(name)
            if found is None or (root, name) in texts:
                continue
            file, text, package = found
            texts[(root, name)] = text
            source = parse_source(name, file, text, package=package)
            if isinstance(source, SourceFile):
                for each in find_imports(source):
                    waiting += [each.module, *(f"{each.module}.{part}" for part, _ in each.names)]
    return list(texts.values())


def classes_of(seated: Seated) -> list[type]:
    """The classes above the filter's, its configuration and state: what it has may be in their modules."""
    inner = [getattr(seated.cls, name, None) for name in ("Config", "State")]
    return [
        *seated.cls.__mro__[1:-2],
        *(each for each in inner if isinstance(each, type) and each is not str),
    ]


def find_facts(texts: Sequence[str]) -> tuple[str, ...]:
    """Those facts whose name is an attribute somewhere in the filters' sources."""
    return tuple(name for name in FACTS if mentions(texts, name))


def mentions(texts: Sequence[str], name: str) -> bool:
    """Whether something of that name is asked of an object."""
    return any(re.search(rf"\.{name}\b", text) for text in texts)


def choose_exports(library: Library, needs: Sequence[Needs], *, adds: bool) -> dict[str, str]:
    """The callbacks that this chain has a use for: Envoy calls what is exported, and calls cost time.

    `adds`: whether a request's hook may put headers on the response.
    """
    hooks = frozenset[Hook]().union(*(each.hooks for each in needs))
    wanted = set(ALWAYS)
    if adds or hooks != {Hook.ON_REQUEST}:
        wanted |= {"proxy_on_response_headers", "proxy_on_log"}
    if hooks & REQUEST_BODIES:
        wanted |= {"proxy_on_request_body", "proxy_on_request_trailers"}
    if hooks & RESPONSE_BODIES:
        wanted |= {"proxy_on_response_body", "proxy_on_response_trailers"}
    if Hook.ON_REQUEST_TRAILERS in hooks:
        wanted.add("proxy_on_request_trailers")
    if Hook.ON_RESPONSE_TRAILERS in hooks:
        wanted.add("proxy_on_response_trailers")
    return {name: symbol for name, symbol in library.compiled.exports.items() if name in wanted}
