"""One filter's seat as source text: which hooks it has, and how each is called."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meshext import Filter
from meshext.metrics import Metric
from meshext.needs import Hook, Needs
from meshext_wasm.source.loading import program_root

NUMBERS = {hook: 1 << index for index, hook in enumerate(Hook)}
"""The numbers that the library gives the hooks."""

CHUNKS = frozenset({Hook.ON_REQUEST_CHUNK, Hook.ON_RESPONSE_CHUNK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """One filter of a chain: `name` is that of its class in the text, `module` where it is imported from."""

    cls: type[Filter]
    needs: Needs
    module: str
    number: int
    has_config: bool
    has_state: bool

    @property
    def has_needs(self) -> bool:
        """Whether what it needs depends on its configuration."""
        return any("needs" in vars(each) for each in self.cls.__mro__ if each not in (Filter, object))

    def module_of(self, cls: type) -> str:
        """Where a class is imported from: the filter's module, or another one that it has it from."""
        if cls.__module__ == self.cls.__module__:
            return self.module
        return program_root(Path(inspect.getfile(cls)))[1]

    @property
    def top(self) -> str:
        """The name that is imported: the class, or the outermost class around it."""
        return self.cls.__qualname__.partition(".")[0]

    @property
    def name(self) -> str:
        """The class in the text."""
        return self.write(self.cls)

    @property
    def state(self) -> str:
        """The type of its state, which a class around it or a base may have defined."""
        return self.write(getattr(self.cls, "State")) if self.has_state else "None"  # noqa: B009

    def write(self, cls: type) -> str:
        """A class in the text: by the outermost one around it, with our number; one of another module with
        that module's name too, since two may be called alike."""
        top, dot, rest = cls.__qualname__.partition(".")
        home = self.module_of(cls)
        prefix = "" if home == self.module else home.replace(".", "_") + "_"
        return f"{prefix}{top}{self.number}{dot}{rest}"


def seat_lines(seated: Seated) -> Iterator[str]:
    """The class of its seat."""
    state = seated.state
    yield from ("", "", f"class Seat{seated.number}(Seat):")
    yield from (f'    """`{seated.needs.name}` in one exchange."""', "")
    yield f"    def __init__(self, filter_: {seated.name}, needs: Needs, view: View) -> None:"
    yield f"        request: Request[{state}] = Request(view)"
    yield "        super().__init__(needs, view, request)"
    yield "        self.filter = filter_"
    yield "        self.request = request"
    yield f"        self.response: Response[{state}] | None = None"
    if seated.has_state:
        yield "        self.stateful = False"
    yield ""
    yield "    def make_response(self) -> AnyResponse:"
    yield '        """The response."""'
    yield f"        response: Response[{state}] = Response(self.view, self.request)"
    yield "        self.response = response"
    yield "        return response"
    yield ""
    yield "    def call(self, hook: int, chunk: Chunk, ending: Ending) -> object:"
    yield '        """Call a hook."""'
    if seated.has_state:
        yield "        if not self.stateful:"
        yield f"            self.request.state = {state}()"
        yield "            self.stateful = True"
    for hook in Hook:
        if hook in seated.needs.hooks:
            yield from hook_lines(seated, hook)
    yield "        return None"


def hook_lines(seated: Seated, hook: Hook) -> Iterator[str]:
    """The call of one hook."""
    state = seated.state
    yield f"        if hook == {hook.name}:"
    if hook is Hook.ON_COMPLETE:
        yield f"            seen: Response[{state}] | None = None"
        yield "            status: int | None = None"
        yield "            if ending.seen:"
        yield "                seen = self.response"
        yield "                status = self.answered.status"
        yield f"            exchange: Exchange[{state}] = Exchange("
        yield "                self.request, seen, status, ending.request_size, ending.response_size,"
        yield "                ending.duration, ending.response_after,"
        yield "            )"
        yield f"            return {called(seated, hook, 'exchange')}"
        return
    rest = ", chunk.data, chunk.last" if hook in CHUNKS else ""
    if "request" in hook.value:
        yield f"            return {called(seated, hook, f'self.request{rest}')}"
        return
    yield "            response = self.response"
    yield "            if response is not None:"
    yield f"                return {called(seated, hook, f'response{rest}')}"


def called(seated: Seated, hook: Hook, arguments: str) -> str:
    """The call of a hook; one that is async answers at once."""
    call = f"self.filter.{hook.value}({arguments})"
    is_async = inspect.iscoroutinefunction(getattr(seated.cls, hook.value))
    return f"at_once({call})" if is_async else call


def needs_line(seated: Seated) -> str:
    """What the filter's class needs, as the library's object."""
    needs = seated.needs
    hooks = sum(NUMBERS[hook] for hook in needs.hooks)
    return (
        f"NEEDS{seated.number} = Needs({needs.name!r}, {hooks}, {needs.max_body}, "
        f"{needs.failure == 'open'}, {needs.oversize == 'pass'}, {needs.attributes!r}, "
        f"{needs.metadata_namespaces!r})"
    )


def metric_lines(seated: Seated) -> Iterator[str]:
    """Whose each metric is."""
    for name in dict.fromkeys(name for cls in seated.cls.__mro__ for name in vars(cls)):
        if isinstance(inspect.getattr_static(seated.cls, name), Metric):
            yield f"{seated.name}.{name}.own({seated.needs.name!r})"
