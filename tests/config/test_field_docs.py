"""Docstrings under the fields of a `Config`."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass

from meshext.config import build_model, config_example, config_schema, with_docs
from meshext.config.field_docs import field_docs


@dataclass
class Base:
    """Not a field's."""

    first: int
    """From
    the base."""
    second: str = "2"
    """Hidden by the class below."""
    third: int = 3


@dataclass
class Below(Base):
    second: str = "two"
    """Its own."""
    told: bool = field(default=True, metadata={"help": "By metadata."})
    """By docstring."""
    bare: int = 0

    def method(self) -> None:
        """No field's."""


def test_fields_and_those_of_bases() -> None:
    docs = {"first": "From the base.", "second": "Its own.", "told": "By docstring."}
    assert field_docs(Below) == docs
    helps = [each.help for each in with_docs(build_model(Below)).records[Below]]
    assert helps == ["From the base.", "Its own.", "", "By metadata.", ""]


def test_readers_of_the_model_have_them() -> None:
    properties = config_schema(Base)["properties"]
    assert isinstance(properties, dict)
    assert properties["first"] == {"type": "integer", "description": "From the base."}
    assert "# From the base.\nfirst: 10  # required\n" in config_example(Base)


def test_without_a_source_there_are_none() -> None:
    assert field_docs(make_dataclass("Made", [("a", int)])) == {}
