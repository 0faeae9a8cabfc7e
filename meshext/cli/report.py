"""What `meshext check` found out, as data, and the two forms in which it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from meshext.cli import schema_table
from meshext.cli.output import Row, format_table, heading
from meshext.cli.runtimes import Verdict, find_runtimes, judge, rows
from meshext.cli.study import Study, counted, study_lines
from meshext.cli.study import to_data as study_data
from meshext.config import build_model, config_schema, takes_text, with_docs
from meshext.engine.chain import build_mount
from meshext.errors import ConfigError
from meshext.filter import Filter, class_needs
from meshext.loading import build_config, load_configured
from meshext.needs import Hook, Needs
from meshext.plan import default_mode
from meshext.plugins import load_filter

BODY_HOOKS = frozenset({Hook.ON_REQUEST_BODY, Hook.ON_RESPONSE_BODY})
CHUNK_HOOKS = frozenset({Hook.ON_REQUEST_CHUNK, Hook.ON_RESPONSE_CHUNK})
OVERSIZE = {"refuse": "a longer one is refused", "pass": "a longer one flows past unseen"}
CHUNKS = {False: "as they come", True: "may be held back (full duplex)"}
FAILURES = {"closed": "closed: the client gets a 500", "open": "open: goes on as if the hook had not run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterReport:
    """One filter; `missing` is why it does not run without a configuration, "" where it does."""

    spec: str
    cls: type[Filter]
    needs: Needs
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The chain of filters, what they use, what each runtime says to it, and what compiling it told."""

    filters: tuple[FilterReport, ...]
    rows: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    study: Study | None = None

    @property
    def default_mode(self) -> str:
        """The mode that is taken where nobody asks for one."""
        return default_mode([each.needs for each in self.filters])

    def carried_by(self) -> list[str]:
        """Modes of the services that can carry the chain."""
        return [verdict.runtime.mode for verdict in self.verdicts if verdict.can and verdict.runtime.mode]


def build_report(specs: Sequence[str], configs: Sequence[str]) -> Report:
    """Everything about the filters. Raises SpecError, and ConfigError for what was given and is wrong.

    Without a configuration, filters that can not do without one are judged by their class.
    """
    filters = [report_bare(spec) for spec in specs] if not configs else report_configured(specs, configs)
    needs = [each.needs for each in filters]
    chain = [(each.cls, each.needs) for each in filters]
    return Report(
        filters=tuple(filters),
        rows=tuple(rows(needs)),
        verdicts=tuple(judge(runtime, chain) for runtime in find_runtimes()),
    )


def report_configured(specs: Sequence[str], configs: Sequence[str]) -> list[FilterReport]:
    """Filters with their configurations, made ready once: what `__init__` refuses is refused here."""
    return [
        FilterReport(spec=spec, cls=cls, needs=build_mount(cls, config).needs, missing="")
        for spec, (cls, config) in zip(specs, load_configured(specs, configs), strict=True)
    ]


def report_bare(spec: str) -> FilterReport:
    """A filter without a configuration."""
    cls = load_filter(spec)
    try:
        config = build_config(cls, None)
    except ConfigError as error:
        if not requires_config(cls):
            raise  # its own defaults are refused: no configuration is at fault
        return FilterReport(spec=spec, cls=cls, needs=class_needs(cls), missing="; ".join(error.problems))
    return FilterReport(spec=spec, cls=cls, needs=build_mount(cls, config).needs, missing="")


def requires_config(cls: type[Filter]) -> bool:
    """Whether the filter can not do without a configuration."""
    config_type = getattr(cls, "Config", None)
    if config_type is None or takes_text(config_type):
        return config_type is not None
    return bool(config_schema(config_type, owner=cls).get("required"))


def judged(verdict: Verdict, mode: str | None, study: Study) -> Verdict:
    """The verdict of a runtime after it has compiled the filters."""
    if verdict.runtime.mode != mode or not study.mistakes:
        return verdict
    said = f"it does not compile: {counted(len(study.mistakes), 'mistake')}, see below"
    return replace(verdict, refusals=(*verdict.refusals, said))


def to_data(report: Report) -> dict[str, object]:
    """The report as plain data: what `--json` prints."""
    return {
        "filters": [_filter_data(each) for each in report.filters],
        "default_mode": report.default_mode,
        "runtimes": [_verdict_data(verdict, report.rows) for verdict in report.verdicts],
        "compiled": study_data(report.study) if report.study else None,
    }


def _filter_data(each: FilterReport) -> dict[str, object]:
    needs = each.needs
    config_type = getattr(each.cls, "Config", None)
    return {
        "spec": each.spec,
        "class": each.cls.__qualname__,
        "name": needs.name,
        "hooks": [hook.value for hook in Hook if hook in needs.hooks],
        "attributes": list(needs.attributes),
        "metadata_namespaces": list(needs.metadata_namespaces),
        "writes_metadata": needs.namespace,
        "time_limit": needs.time_limit,
        "max_body": needs.max_body,
        "failure": needs.failure,
        "oversize": needs.oversize,
        "duplex": needs.duplex,
        "schema": config_schema(config_type, owner=each.cls) if config_type else None,
        "needs_configuration": each.missing or None,
    }


def _verdict_data(verdict: Verdict, used: Sequence[str]) -> dict[str, object]:
    runtime = verdict.runtime
    return {
        "name": runtime.name,
        "mode": runtime.mode or None,
        "can": verdict.can,
        "refusals": list(verdict.refusals),
        "abilities": {row: runtime.ability(row) for row in used},
    }


def show_report(report: Report) -> None:
    """Print the report for people."""
    for each in report.filters:
        print("\n".join([heading(f"{each.needs.name} ({each.spec})"), *_filter_lines(each), ""]))
    print("\n".join([heading("runtimes"), *_ability_lines(report), "", *_verdict_lines(report)]))
    if report.study:
        print("\n".join(["", *study_lines(report.study)]))


def _filter_lines(each: FilterReport) -> Iterator[str]:
    needs = each.needs
    facts = [
        ("hooks", ", ".join(hook.value for hook in Hook if hook in needs.hooks)),
        ("reads", ", ".join([*needs.attributes, *needs.metadata_namespaces])),
        ("metadata", f"written to {needs.namespace}"),
        ("time limit", f"{needs.time_limit * 1000:g} ms for each hook"),
        ("body", _body_line(needs)),
        ("chunks", CHUNKS[needs.duplex] if needs.hooks & CHUNK_HOOKS else ""),
        ("failure", FAILURES[needs.failure]),
        ("config", _config_line(each)),
    ]
    yield from format_table([fact for fact in facts if fact[1]], indent="  ")
    yield from _config_table(each.cls)


def _body_line(needs: Needs) -> str:
    return f"up to {needs.max_body} bytes; {OVERSIZE[needs.oversize]}" if needs.hooks & BODY_HOOKS else ""


def _config_line(each: FilterReport) -> str:
    config_type = getattr(each.cls, "Config", None)
    if config_type is None:
        return "none"
    kind = "a text" if takes_text(config_type) else "these fields"
    return f"{kind}; required: {each.missing}" if each.missing else kind


def _config_table(cls: type[Filter]) -> Iterator[str]:
    config_type = getattr(cls, "Config", None)
    found = schema_table.to_rows(with_docs(build_model(config_type, owner=cls))) if config_type else []
    if found:
        yield from format_table([schema_table.HEADINGS, *found], indent="    ")


def _ability_lines(report: Report) -> list[str]:
    runtimes = [verdict.runtime for verdict in report.verdicts]
    table: list[Row] = [("", *(runtime.name for runtime in runtimes))]
    table += [(row, *(runtime.ability(row) for runtime in runtimes)) for row in report.rows]
    return format_table(table, indent="  ")


def _verdict_lines(report: Report) -> Iterator[str]:
    table: list[Row] = []
    for verdict in report.verdicts:
        default = verdict.runtime.mode == report.default_mode
        option = f"--mode {verdict.runtime.mode}" if verdict.runtime.mode else "in tests"
        said = verdict.refusals or (_consent(report, verdict, default=default),)
        table += [(name, text) for name, text in zip([f"{option}:", *[""] * len(said)], said, strict=False)]
    yield from format_table(table, indent="  ")


def _consent(report: Report, verdict: Verdict, *, default: bool) -> str:
    """What stands there where nothing is refused."""
    if default:
        return "yes, by default"
    if verdict.runtime.study is not None and report.study is None:
        return f"yes, if they compile: see with --mode {verdict.runtime.mode}"
    return "yes"
