"""Names of Python that are not compiled, and what to write instead of each."""

from __future__ import annotations

NAMES: dict[str, str] = {
    "getattr": "the attribute itself: x.name",
    "setattr": "the assignment itself: x.name = value",
    "hasattr": "isinstance, or a field that may be None",
    "delattr": "x.name = None",
    "eval": "the expression itself",
    "exec": "the statements themselves",
    "compile": "the code itself",
    "open": "what the configuration holds",
    "input": "what the request holds",
    "globals": "the names themselves",
    "locals": "the names themselves",
    "vars": "the fields by their names",
    "dir": "the fields by their names",
    "id": "`is`, to ask whether two are the same object",
    "memoryview": "slices of bytes",
    "bytearray": "bytes, or a list of numbers",
    "complex": "two floats",
    "__import__": "an import at the top of the module",
    "breakpoint": "logging",
    "print": "logging.getLogger(__name__).info(...), which goes to Envoy's log",
    "callable": "isinstance",
    "astuple": "a tuple of the fields by their names",
    "fields": "the fields by their names",
    "issubclass": "isinstance with an instance",
}


def hint_for_name(name: str) -> str:
    """What to write instead of a name that is not known."""
    return NAMES.get(name, "a name that is defined or imported here")


METRICS = (
    "metrics inside of Envoy are names of the filter's class",
    "`seen = Counter(...)` there, and self.seen",
)
TEMPLATE = ("a template that is not written out is not compiled", "the template in the call, or an f-string")
ATTRIBUTES: dict[tuple[str, str], tuple[str, str]] = {
    ("Counter", "of"): METRICS,
    ("Gauge", "of"): METRICS,
    ("Histogram", "of"): METRICS,
    ("str", "format"): TEMPLATE,
    ("str", "format_map"): TEMPLATE,
}
"""Attributes that CPython has: the reason why they are not compiled, and what to write instead."""
EXEMPLAR = ("Envoy keeps no exemplars, so {name}() takes none inside of it", "it without the exemplar")
IMPORTED: dict[tuple[str, str], tuple[str, str]] = {
    ("meshext.attributes", "ATTRIBUTES"): (
        "the list of Envoy's attributes stays outside of a module",
        "the names that the filter declares: attributes = (...,)",
    ),
}
"""Names of modules of the SDK, in the same way."""
