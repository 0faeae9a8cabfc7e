"""Envoy's matchers as plain data: `envoy.type.matcher.v3`, in protobuf's JSON form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from meshext.policy.patterns import parse_block

Data: TypeAlias = dict[str, Any]
"""A message in protobuf's JSON form, field names as in the .proto file."""

PRESENT = ".+"
"""Istio's expression for any text that is not empty."""


def regex_matcher(regex: str) -> Data:
    """`StringMatcher` of an RE2 expression on the whole text."""
    return {"safe_regex": {"regex": regex}}


def string_matcher(value: str, *, prefix: str = "", ignore_case: bool = False) -> Data:
    """`StringMatcher` of a value's form; `prefix` is put before it, as `spiffe://` before a principal."""
    if value == "*":
        return regex_matcher(PRESENT)
    if value.startswith("*"):
        if prefix:
            return regex_matcher(f"{prefix}.*{quote(value[1:])}")
        return _cased({"suffix": value[1:]}, ignore_case)
    if value.endswith("*"):
        return _cased({"prefix": prefix + value[:-1]}, ignore_case)
    return _cased({"exact": prefix + value}, ignore_case)


def exact_matcher(value: str) -> Data:
    """`StringMatcher` of that text, whatever stars are in it."""
    return {"exact": value}


def header_matcher(name: str, value: str, *, ignore_case: bool = False) -> Data:
    """`HeaderMatcher` of a value's form; `*` asks for the header alone, which may be empty."""
    if value == "*":
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": string_matcher(value, ignore_case=ignore_case)}


def cidr_range(block: str) -> Data:
    """`CidrRange` of an address or block."""
    address, _, length = block.partition("/")
    full = 32 if parse_block(address).version == 4 else 128
    return {"address_prefix": address, "prefix_len": int(length) if length else full}


def metadata_matcher(namespace: str, path: Sequence[str], value: Data) -> Data:
    """`MetadataMatcher` of the value that a path of keys leads to."""
    return {"filter": namespace, "path": [{"key": key} for key in path], "value": value}


def list_or_text(matchers: Sequence[Data]) -> Data:
    """`ValueMatcher` of a text that one matches, or a list with such a text."""
    forms = [
        {
            "or_match": {
                "value_matchers": [{"list_match": {"one_of": {"string_match": each}}}, {"string_match": each}]
            }
        }
        for each in matchers
    ]
    return forms[0] if len(forms) == 1 else {"or_match": {"value_matchers": forms}}


def quote(text: str) -> str:
    """The text as an RE2 expression that matches only it."""
    return re.sub(r"([^A-Za-z0-9_/\-\x80-\U0010ffff])", r"\\\1", text)


def _cased(matcher: Data, ignore_case: bool) -> Data:
    return {**matcher, "ignore_case": True} if ignore_case else matcher
