"""`meshext check --mode wasm`: filters compiled, read, and tried."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from meshext import Filter
from meshext.cli.study import Mistake, Study, Use
from meshext.errors import ConfigError, UnsupportedError
from meshext.loading import load_configured
from meshext.needs import Hook
from meshext.plugins import load_filter
from meshext.sandbox.calls import find_example
from meshext_wasm.build.cache import Cache, user_cache
from meshext_wasm.build.filters import Built, build_filters, check_filters
from meshext_wasm.build.library import load_or_compile
from meshext_wasm.build.pipeline import RUN_TIME, check_own
from meshext_wasm.cli.reading import find_hook, touch
from meshext_wasm.cli.runtime import to_configuration
from meshext_wasm.cli.trying import try_calls
from meshext_wasm.diagnostics.diagnostic import CompileError
from meshext_wasm.glue.seat_text import Seated
from meshext_wasm.host.driver import RefusedError
from meshext_wasm.source.loading import Folder, program_root
from meshext_wasm.tree.program import Unit


def study(specs: Sequence[str], configs: Sequence[str], on_step: Callable[[str], None]) -> Study:
    """What the compiler says of a chain of filters, and their module.

    Where a class asks for what no module carries, its code is checked all the same.
    """
    cache = user_cache()
    on_step("run-time library and filters")
    try:
        chain, unit = check_filters(specs, load_or_compile(cache))
        uses = tuple(find_uses(chain, unit))
        built = build_filters(specs, cache)
    except CompileError as error:
        return Study(mistakes=tuple(find_mistakes(error)), drawn=str(error))
    except UnsupportedError:
        return check_alone([load_filter(spec) for spec in specs], cache)
    on_step("exchanges")
    found = Study(size=len(built.code), uses=uses)
    return try_module(found, built, specs, configs or own_config(specs))


def check_alone(classes: Sequence[type[Filter]], cache: Cache) -> Study:
    """What the compiler says of the filters' own modules, without a chain around them."""
    mistakes: dict[Mistake, None] = {}
    drawn: dict[str, None] = {}
    for cls in classes:
        root, module = program_root(Path(inspect.getfile(cls)))
        try:
            check_own(module, Folder(root), load_or_compile(cache), RUN_TIME)
        except CompileError as error:
            mistakes |= dict.fromkeys(find_mistakes(error))
            drawn[str(error)] = None
    return Study(refused=True, mistakes=tuple(mistakes), drawn="\n\n".join(drawn))


def own_config(specs: Sequence[str]) -> Sequence[str]:
    """The configuration of the example beside a filter that stands alone."""
    config = find_example(specs[0]).config if len(specs) == 1 else None
    return [] if config is None else [config]


def try_module(study: Study, built: Built, specs: Sequence[str], configs: Sequence[str]) -> Study:
    """The study with what exchanges through the module cost."""
    calls = find_example(specs[0], configs[0] if configs else "").calls
    try:
        load_configured(specs, configs)
        configuration = to_configuration([load_filter(spec) for spec in specs], configs)
        tried = try_calls(built.code, configuration, built.needs, calls)
    except (ConfigError, RefusedError) as error:
        return replace(study, why_not=f"not tried without a configuration: {error}")
    return replace(
        study,
        phases=tried.phases,
        properties=tried.properties,
        exchanges=len(calls),
        failures=tried.failures,
    )


def find_uses(chain: Sequence[Seated], unit: Unit) -> Iterator[Use]:
    """What each hook of each filter touches."""
    for seated in chain:
        for hook in Hook:
            found = find_hook(unit, seated.cls, hook.value) if hook in seated.needs.hooks else None
            if found is not None:
                touched = touch(unit, found)
                yield Use(
                    filter=seated.needs.name,
                    hook=hook.value,
                    reads=tuple(touched.reads),
                    writes=tuple(touched.writes),
                )


def find_mistakes(error: CompileError) -> Iterator[Mistake]:
    """Each with its place."""
    for each in error.diagnostics:
        yield Mistake(
            file=each.loc.file,
            line=each.loc.line,
            column=each.loc.column,
            reason=each.reason,
            hint=each.hint,
        )
