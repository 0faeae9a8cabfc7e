"""From an instance of a `Config` class to the plain data that its Model reads.

A class that reads a format of somebody else's (`from_document`) is a dataclass too: what it read goes to
where that format is not known, such as a module inside Envoy.
"""

from __future__ import annotations

import dataclasses

from meshext.config.shapes import Model, plain_value


def to_plain(value: object, model: Model) -> object:
    """The same as plain data; fields that have their default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found: dict[str, object] = {}
        for field in model.records[type(value)]:
            given = getattr(value, field.name)
            if field.required or repr(plain_value(given)) != repr(field.default):
                found[field.name] = to_plain(given, model)
        return found
    if isinstance(value, list | tuple):
        return [to_plain(each, model) for each in value]
    if isinstance(value, dict):
        return {str(plain_value(key)): to_plain(each, model) for key, each in value.items()}
    return plain_value(value)
