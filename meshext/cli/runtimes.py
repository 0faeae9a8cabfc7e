"""Which runtime can carry a filter, what each does with what the filter uses, and why one can not.

Ours are the two services and the test harness. Another distribution adds one by the entry point group
`meshext.runtimes`: the object is a `Runtime`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from meshext.attributes import ATTRIBUTES
from meshext.cli.verbs import broken_plugin
from meshext.engine.carrier import AUTHZ, IN_PROCESS, PROC, Carrier
from meshext.errors import MeshextError, UnsupportedError
from meshext.filter import Filter
from meshext.needs import Hook, Needs
from meshext.plan import check_authz

if TYPE_CHECKING:
    from meshext.cli.study import Study
    from meshext.envoy.wasm_filter import Module

GROUP = "meshext.runtimes"

YES, NO = "yes", "no"

Embed = Callable[[Sequence[str], Sequence[str], Callable[[str], None]], "tuple[Module, tuple[Needs, ...]]"]
Studying = Callable[[Sequence[str], Sequence[str], Callable[[str], None]], "Study"]
Outline = Callable[[Sequence[str], Sequence[str], str], "tuple[Module, tuple[Needs, ...]]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Something that carries filters.

    `mode` is what `--mode` takes, "" for a runtime that serves no traffic. `refusals` gives a line for each
    thing that this runtime can not carry, `ability` a word or two for one row of the table (see `rows`).
    `embed` is there where the filters run inside of Envoy: specs and configurations to a module, each step
    told on the way; `outline` gives the same but for the code, which is in a file of that name. `study`
    compiles them and tells what they do; it takes what `embed` takes.
    """

    name: str
    mode: str
    refusals: Callable[[type[Filter], Needs], Iterable[str]]
    ability: Callable[[str], str]
    embed: Embed | None = None
    outline: Outline | None = None
    study: Studying | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one runtime can carry the whole chain, and if not, why not."""

    runtime: Runtime
    refusals: tuple[str, ...]

    @property
    def can(self) -> bool:
        """Nothing is refused."""
        return not self.refusals


def find_runtimes() -> list[Runtime]:
    """Ours, then those of other distributions by name."""
    return [
        Runtime(name=AUTHZ.name, mode="authz", refusals=authz_refusals, ability=authz_ability),
        Runtime(name=PROC.name, mode="proc", refusals=no_refusals, ability=proc_ability),
        *plugin_runtimes(),
        Runtime(name=IN_PROCESS.name, mode="", refusals=no_refusals, ability=harness_ability),
    ]


def plugin_runtimes() -> Iterator[Runtime]:
    """Runtimes of other distributions; MeshextError where one does not load."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found = point.load()
            if not isinstance(found, Runtime):
                raise TypeError(f"{found!r:.80} is not a meshext.cli.runtimes.Runtime")
        except MeshextError:
            raise
        except Exception as error:
            raise broken_plugin(f"runtime {point.name!r}", point, error) from error
        yield found


def find_embedding(mode: str) -> tuple[Embed, Outline]:
    """How filters are put into Envoy for a mode; UnsupportedError where nobody has it."""
    for runtime in plugin_runtimes():
        if runtime.mode == mode and runtime.embed is not None and runtime.outline is not None:
            return runtime.embed, runtime.outline
    raise UnsupportedError(f"--mode {mode} is not installed: python3 -m pip install 'meshext[wasm]'")


def judge(runtime: Runtime, chain: Sequence[tuple[type[Filter], Needs]]) -> Verdict:
    """What the runtime says to a chain of filters."""
    lines = (line for cls, needs in chain for line in runtime.refusals(cls, needs))
    return Verdict(runtime, tuple(dict.fromkeys(lines)))


def rows(chain: Sequence[Needs]) -> list[str]:
    """What the filters use, of those things in which runtimes may differ: the rows of the table."""
    hooks = frozenset().union(*(needs.hooks for needs in chain))
    attributes = dict.fromkeys(name for needs in chain for name in needs.attributes)
    metadata = [METADATA] if any(needs.metadata_namespaces for needs in chain) else []
    written = [BODY, HEADER_VALUES] if hooks - {Hook.ON_COMPLETE} else []
    return [*(hook.value for hook in Hook if hook in hooks), *attributes, *metadata, *written]


METADATA = "metadata of other filters"
BODY = "Respond.body"
HEADER_VALUES = "header values written"


def authz_refusals(_cls: type[Filter], needs: Needs) -> Iterator[str]:
    """Each hook and attribute is tried alone, so that all of what ext_authz refuses is said at once."""
    bare = replace(needs, hooks=frozenset(), attributes=())
    parts = [replace(bare, hooks=frozenset({hook})) for hook in Hook if hook in needs.hooks]
    parts += [replace(bare, attributes=(name,)) for name in needs.attributes]
    for part in parts:
        try:
            check_authz([part])
        except UnsupportedError as error:
            yield str(error)


def no_refusals(_cls: type[Filter], _needs: Needs) -> Iterable[str]:
    """A runtime that carries everything there is."""
    return ()


def authz_ability(row: str) -> str:
    """ext_authz sees the request only, before the upstream does."""
    probe = Needs(
        name=AUTHZ.name,
        hooks=frozenset({Hook(row)} if row in set(Hook) else ()),
        attributes=(row,) if row in ATTRIBUTES else (),
    )
    return NO if any(authz_refusals(Filter, probe)) else ability(AUTHZ, row)


def proc_ability(row: str) -> str:
    """ext_proc sees both messages; of the end it knows what went through it."""
    return "at the end of the stream" if row == Hook.ON_COMPLETE else ability(PROC, row)


def harness_ability(row: str) -> str:
    """The harness runs everything; what Envoy would tell is forged."""
    return "forged" if row in ATTRIBUTES or row == METADATA else ability(IN_PROCESS, row)


def ability(carrier: Carrier, row: str) -> str:
    """What follows from what the runtime can put on its wire."""
    if row in (BODY, HEADER_VALUES):
        return "UTF-8 text" if carrier.utf8_only else "bytes"
    if row == Hook.ON_REQUEST_BODY:
        return "whole" if carrier.request_body_writable else "whole, read only"
    if row in (Hook.ON_REQUEST_CHUNK, Hook.ON_RESPONSE_CHUNK):
        return "in chunks"
    return "whole" if row == Hook.ON_RESPONSE_BODY else YES
