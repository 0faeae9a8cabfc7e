"""From the configuration's text to an instance of `Config`, or every mistake at once."""

from meshext_wasm.library.proxy.json_reader import Reader
from meshext_wasm.library.proxy.problems import Problems
from meshext_wasm.library.proxy.shapes import Record


def read_document(text: str) -> object:
    """What a text of JSON says; an empty one is an empty mapping."""
    if text.strip() == "":
        return {}
    if text.startswith("\n"):
        raise ValueError(
            "this is a protobuf Struct, not JSON; write the configuration as a google.protobuf.StringValue"
        )
    return Reader(text).document()


def read_config(record: Record, value: object, source: str) -> object:
    """An instance of a filter's `Config`; ValueError lists every mistake."""
    problems = Problems()
    made = record.read(value, "", False, problems)
    if len(problems.lines) > 0:
        raise ValueError(f"{source}: {problems.text()}")
    return made


def part_of(value: object, name: str, names: list[str]) -> object:
    """The part of a chain's configuration that is a filter's, under its name; an empty mapping where it has
    none."""
    if not isinstance(value, dict):
        raise ValueError(f"with several filters, a configuration is a mapping from {', '.join(names)}")
    for key in value:
        if key not in names:
            raise ValueError(f"unknown key {key!r}; the filters of this chain are {', '.join(names)}")
    if name in value:
        return value[name]
    return {}


def check_empty(text: str, source: str) -> None:
    """The same for the text itself, which need not be read for that."""
    if "".join(text.split()) not in ("", "null", "{}"):
        raise ValueError(f"{source} takes no configuration; leave it out")


def check_nothing(value: object, source: str) -> None:
    """Refuse a configuration for a filter that has none."""
    if value is not None and value != {}:
        raise ValueError(f"{source} takes no configuration; leave it out")
