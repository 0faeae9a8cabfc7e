"""Envoy's dynamic metadata as a filter reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from meshext.errors import UndeclaredError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Namespaces = dict[str, dict[str, Json]]

MAX_DEPTH = 32
LARGEST = int(1.7976931348623157e308)  # metadata's numbers are doubles


class Metadata(Mapping[str, Mapping[str, Json]]):
    """Metadata by namespace; one that is declared but absent is empty, an undeclared one raises."""

    __slots__ = ("_declared", "_filter", "_namespaces")

    def __init__(self, namespaces: Namespaces, *, declared: tuple[str, ...], filter_name: str) -> None:
        self._namespaces = namespaces
        self._declared = declared
        self._filter = filter_name

    def __getitem__(self, namespace: str) -> Mapping[str, Json]:
        if namespace not in self._declared:
            raise UndeclaredError(
                f"{self._filter}: metadata namespace {namespace!r} is not declared; "
                f"add it to the class: metadata_namespaces = ({namespace!r},)"
            )
        return self._namespaces.get(namespace, {})

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def __contains__(self, namespace: object) -> bool:
        return namespace in self._declared and namespace in self._namespaces

    def __repr__(self) -> str:
        return f"Metadata({list(self)!r})"


def check_json(value: object, *, where: str, depth: int = 0) -> Json:
    """The value as metadata can carry it; ValueError names what can not be carried."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{where}: nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_text(value, where)
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise ValueError(f"{where}: {value!r:.30} is beyond what metadata can carry; write it as text")
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{where}: {value!r} is not a number that metadata can carry")
        return value
    if isinstance(value, (list, tuple)):
        return [check_json(item, where=f"{where}[{i}]", depth=depth + 1) for i, item in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {
            check_text(cast(str, key), where): check_json(item, where=f"{where}.{key}", depth=depth + 1)
            for key, item in value.items()
        }
    raise ValueError(f"{where}: {type(value).__name__} is not JSON; write str, numbers, lists, dicts of str")


def check_text(text: str, where: str) -> str:
    """The text as protobuf can carry it; ValueError where it holds a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where}: {text!r:.80} holds bytes that are not UTF-8; decode them first") from None
    return text
