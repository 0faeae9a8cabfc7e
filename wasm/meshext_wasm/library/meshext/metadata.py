"""Envoy's dynamic metadata as a filter reads it, and what it may write there: `meshext.http.metadata`."""

from collections.abc import Iterator

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.meshext.errors import UndeclaredError
from meshext_wasm.library.meshext.surroundings import Surroundings

MAX_DEPTH = 32
LARGEST = int(1.7976931348623157e308)


class Metadata:
    """Metadata by namespace; one that is declared but absent is empty, an undeclared one raises."""

    def __init__(self, surroundings: Surroundings, filter_name: str, declared: tuple[str, ...]) -> None:
        self._surroundings = surroundings
        self._filter = filter_name
        self._declared = declared

    def __getitem__(self, namespace: str) -> dict[str, object]:
        if namespace not in self._declared:
            raise UndeclaredError(
                f"{self._filter}: metadata namespace {namespace!r} is not declared; "
                f"add it to the class: metadata_namespaces = ({namespace!r},)"
            )
        return self._surroundings.metadata(namespace)

    def get(self, namespace: str) -> dict[str, object]:
        """As with `[namespace]`: a declared one is always there."""
        return self[namespace]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def __contains__(self, namespace: object) -> bool:
        if not isinstance(namespace, str) or namespace not in self._declared:
            return False
        return self._surroundings.has_metadata(namespace)

    def __repr__(self) -> str:
        return f"Metadata({list(self._declared)!r})"


def check_json(value: object, where: str, depth: int = 0) -> object:
    """The value as metadata can carry it; ValueError names what can not be carried."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{where}: nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_text(value, where)
    if isinstance(value, int):
        if value > LARGEST or value < -LARGEST:
            raise ValueError(
                f"{where}: {repr(value)[:30]} is beyond what metadata can carry; write it as text"
            )
        return value
    if isinstance(value, float):
        if value - value != 0.0:
            raise ValueError(f"{where}: {value!r} is not a number that metadata can carry")
        return value
    if isinstance(value, list):
        return check_items(value, where, depth)
    if isinstance(value, tuple):
        return check_items(list(value), where, depth)
    if isinstance(value, dict):
        return check_pairs(value, where, depth)
    raise not_json(value, where)


def check_items(items: list[object], where: str, depth: int) -> list[object]:
    """A list, item by item."""
    made: list[object] = []
    for item in items:
        made.append(check_json(item, f"{where}[{len(made)}]", depth + 1))
    return made


def check_pairs(pairs: dict[object, object], where: str, depth: int) -> dict[str, object]:
    """A mapping, whose keys are text."""
    made: dict[str, object] = {}
    for key, item in pairs.items():
        if not isinstance(key, str):
            raise not_json(pairs, where)
        made[check_text(key, where)] = check_json(item, f"{where}.{key}", depth + 1)
    return made


def not_json(value: object, where: str) -> ValueError:
    """The refusal of a value that is no JSON."""
    return ValueError(f"{where}: {type_name(value)} is not JSON; write str, numbers, lists, dicts of str")


def check_text(text: str, where: str) -> str:
    """The text as protobuf can carry it; ValueError where it holds a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{where}: {repr(text)[:80]} holds bytes that are not UTF-8; decode them first"
        ) from None
    return text


def survives_copy(value: object) -> bool:
    """Whether a value is the same after Lua had it, which copies it into Envoy's dynamic metadata: Lua knows
    no null, no empty list and no NUL."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, list):
        for item in value:
            if not survives_copy(item):
                return False
        return len(value) > 0
    if isinstance(value, dict):
        for key, item in value.items():
            if not survives_copy(key) or not survives_copy(item):
                return False
    return value is not None
