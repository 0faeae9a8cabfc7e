"""From Envoy's messages to text: JSON for Envoy, YAML for people.

Both are protobuf's JSON form with the field names of Envoy's documentation (snake_case), fields in the order
of the .proto file, defaults left out, and `@type` first in every packed message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import betterproto2

Data: TypeAlias = dict[str, Any]
"""A message as plain data: what `json` and `yaml` read and write."""


def to_data(message: betterproto2.Message) -> Data:
    """The message as plain data."""
    import betterproto2

    return message.to_dict(casing=betterproto2.Casing.SNAKE)


def to_json(message: betterproto2.Message) -> str:
    """The message as one line of JSON, for `envoy -c FILE.json`."""
    return json.dumps(to_data(message))


def to_yaml(message: betterproto2.Message) -> str:
    """The message as YAML."""
    return emit_yaml(to_data(message))


def emit_yaml(data: Mapping[str, Any] | list[Any]) -> str:
    """Plain data as YAML in block style, keys in the order they have, text of several lines as a block."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class gives it
            return True  # the same data twice is written twice, which is what a reader expects

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    text: str = yaml.dump(
        data, Dumper=Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=1000
    )
    return text
