"""Queries: `a=1&b=2`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from meshext_wasm.library.builtins.enums import plain_value
from meshext_wasm.library.urllib.parse.quoting import quote_plus, unquote


def parse_qsl(
    qs: str,
    keep_blank_values: bool = False,
    strict_parsing: bool = False,
    encoding: str = "utf-8",
    errors: str = "replace",
    max_num_fields: int | None = None,
    separator: str = "&",
) -> list[tuple[str, str]]:
    """The pairs of a query, in their order."""
    if separator == "":
        raise ValueError("Separator must be of type string or bytes.")
    if max_num_fields is not None and qs != "" and max_num_fields < 1 + qs.count(separator):
        raise ValueError("Max number of fields exceeded")
    made: list[tuple[str, str]] = []
    pieces: list[str] = qs.split(separator) if qs != "" else []
    for piece in pieces:
        if piece == "" and not strict_parsing:
            continue
        name, sign, value = piece.partition("=")
        if sign == "":
            if strict_parsing:
                raise ValueError(f"bad query field: {piece!r}")
            if not keep_blank_values:
                continue
        if value != "" or keep_blank_values:
            first = unquote(name.replace("+", " "), encoding, errors)
            made.append((first, unquote(value.replace("+", " "), encoding, errors)))
    return made


def parse_qs(
    qs: str,
    keep_blank_values: bool = False,
    strict_parsing: bool = False,
    encoding: str = "utf-8",
    errors: str = "replace",
    max_num_fields: int | None = None,
    separator: str = "&",
) -> dict[str, list[str]]:
    """The values of a query by name."""
    made: dict[str, list[str]] = {}
    for name, value in parse_qsl(
        qs, keep_blank_values, strict_parsing, encoding, errors, max_num_fields, separator
    ):
        if name in made:
            made[name].append(value)
        else:
            made[name] = [value]
    return made


def urlencode(
    query: Mapping[str, object] | Iterable[tuple[str, object]], doseq: bool = False, safe: str = ""
) -> str:
    """The query of some pairs; with `doseq` a list or tuple becomes a pair for each of its items."""
    pairs: Iterable[tuple[str, object]] = ()
    if isinstance(query, Mapping):
        pairs = cast("Mapping[str, object]", query).items()
    else:
        pairs = query
    made: list[str] = []
    for name, value in pairs:
        key = quoted(name, safe)
        if doseq and isinstance(value, list | tuple):
            for each in cast("Iterable[object]", value):
                made.append(key + "=" + quoted(each, safe))
        else:
            made.append(key + "=" + quoted(value, safe))
    return "&".join(made)


def quoted(value: object, safe: str) -> str:
    """One name or value."""
    if isinstance(value, bytes):
        return quote_plus(value, safe)
    return quote_plus(str(plain_value(value)), safe)
