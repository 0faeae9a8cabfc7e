"""From a text to documents: each that is right is taken, each that is wrong is refused with its place.

A text is YAML (several documents, `kind: List` unfolded) or JSON. Where the text as a whole can not be read
there are no documents. Nothing here raises, whatever the bytes are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from meshext.config import MAX_BYTES, Document, Plain, parse_documents
from meshext.config.documents import decode_text
from meshext.config.places import Path
from meshext.config.wording import nearest, shown
from meshext.errors import ConfigError
from meshext.policy import documents as policies
from meshext.policy.documents import PolicyReader, Written
from meshext.policy.findings import Findings
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.base import MeshDocument, Meta
from meshext_controlplane.model.kinds import ELSEWHERE, KINDS, NOT_YET, Kinds
from meshext_controlplane.sources.places import Key, Mistake, Origin, Placed, Problem, place_mistakes
from meshext_controlplane.sources.wording import describe_error, find_value, place_error

MOST_DOCUMENTS = 10_000  # in one text
MOST_MISTAKES = 100  # told of one text
BOOKKEEPING = ("apiVersion", "kind", "status")  # beside what a document's class has

_LINE = re.compile(r"line (\d+)(?:, column \d+)?: (.*)", re.DOTALL)
_EXAMPLE = "apiVersion: security.istio.io/v1 and kind: AuthorizationPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text holds. `refused` are the objects that have a mistake; `whole` is false where the text could
    not be read at all, so that nobody knows what it was meant to hold."""

    origin: Origin
    documents: tuple[Placed, ...] = ()
    problems: tuple[Problem, ...] = ()
    refused: tuple[Key, ...] = ()
    whole: bool = True


Known = Mapping[Key, Placed]
"""Documents of an earlier reading; one that is written as before is taken over as the same object."""

NOTHING_KNOWN: Known = MappingProxyType({})


def read_bytes(
    content: bytes, origin: Origin, *, known: Known = NOTHING_KNOWN, kinds: Kinds = KINDS
) -> Reading:
    """The documents of a file's content; `origin` says where it is, its text is put in."""
    if len(content) > MAX_BYTES:
        return _unreadable(origin, [f"has more than {MAX_BYTES} bytes; split it into several files"])
    try:
        text = decode_text(content, origin.source)
    except ConfigError as error:
        return _unreadable(origin, error.problems)
    return read_text(Origin(origin.source, text, origin.rank), known=known, kinds=kinds)


def read_text(origin: Origin, *, known: Known = NOTHING_KNOWN, kinds: Kinds = KINDS) -> Reading:
    """The documents of a text; one that is not of `kinds` is refused."""
    try:
        values = parse_documents(Document(origin.text, origin.source))
    except ConfigError as error:
        return _unreadable(origin, error.problems)
    written = [each for number, value in enumerate(values) for each in unfold((number,), value)]
    if len(written) > MOST_DOCUMENTS:
        told = f"has {len(written)} documents, more than {MOST_DOCUMENTS}; split it into several files"
        return _unreadable(origin, [told])
    reader = _Reader(origin, known, kinds)
    for each in written:
        reader.read(each)
    return reader.reading()


def unfold(path: Path, value: Plain) -> list[Written]:
    """A document, or those of a `kind: List`."""
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List"):
        items = value.get("items")
        if isinstance(items, list):
            return [Written((*path, "items", at), item) for at, item in enumerate(items)]
    return [Written(path, value)]


def _unreadable(origin: Origin, told: Sequence[str]) -> Reading:
    problems = []
    for each in dict.fromkeys(told):
        found = _LINE.fullmatch(each)
        line, rest = (int(found[1]), found[2]) if found else (0, each)
        text, _, hint = rest.rpartition("; ") if "; " in rest else (rest, "", "")
        problems.append(
            Problem(source=origin.source, line=line, key=None, path="", text=text, hint=hint or _REPAIR)
        )
    return Reading(origin=origin, problems=tuple(problems), whole=False)


_REPAIR = "correct it there; documents before it count only when the whole file can be read"


class _Reader:
    """Reads the documents of one text; collects what is right and what is wrong."""

    def __init__(self, origin: Origin, known: Known, kinds: Kinds) -> None:
        self._origin = origin
        self._kinds = kinds
        self._known = known
        self._placed: list[Placed] = []
        self._refused: list[Key] = []
        self._mistakes: list[Mistake] = []

    def reading(self) -> Reading:
        told = place_mistakes(self._origin, self._mistakes[:MOST_MISTAKES])
        return Reading(
            origin=self._origin,
            documents=tuple(self._placed),
            problems=tuple(told),
            refused=tuple(self._refused),
        )

    def read(self, written: Written) -> None:
        """One document: placed, or refused with all of its mistakes."""
        kind = _find_kind(written.value, self._kinds)
        if isinstance(kind, str):
            self._refuse(written, None, [((), kind)])
            return
        value = written.value
        assert isinstance(value, dict)
        key = _guess_key(kind, value)
        earlier = self._known.get(key) if key else None
        if earlier is not None and same(earlier.value, value) and type(earlier.document) is kind:
            document: MeshDocument = earlier.document
        else:
            found = READERS.get(kind, read_model)(kind, value)
            if not isinstance(found, MeshDocument):
                self._refuse(written, key, found)
                return
            document = found
        self._placed.append(Placed(document=document, value=value, origin=self._origin, path=written.path))

    def _refuse(self, written: Written, key: Key | None, mistakes: Sequence[tuple[Path, str]]) -> None:
        if key is not None:
            self._refused.append(key)
        for path, text in mistakes:
            self._mistakes.append(
                Mistake(path=(*written.path, *path), within=len(written.path), text=text, key=key)
            )


def same(one: Plain, other: Plain) -> bool:
    """Whether two documents are written alike; unlike `==` it tells 1 from true and from 1.0."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _find_kind(value: Plain, kinds: Kinds) -> type[MeshDocument] | str:
    """The class of a document, or what is wrong with its kind or version."""
    if not isinstance(value, dict):
        return f"expected a mapping, got {shown(value)}; write {_EXAMPLE}"
    kind, version = value.get("kind"), value.get("apiVersion")
    if not isinstance(kind, str) or not kind:
        return f"has no kind; write for example {_EXAMPLE}"
    if kind not in kinds:
        return _refuse_kind(kind, kinds)
    versions = kinds[kind].VERSIONS
    if version not in versions:
        found = f"expected apiVersion {' or '.join(versions)} for {kind}, got {shown(version)}"
        return f"{found}; write apiVersion: {versions[0]}"
    return kinds[kind]


def _refuse_kind(kind: str, kinds: Kinds) -> str:
    if kind in NOT_YET:
        return f"{kind} is not supported yet; {NOT_YET[kind] or 'leave it out'}"
    if kind in ELSEWHERE:
        return f"{kind} is no part of the mesh's configuration: it {ELSEWHERE[kind]}"
    listed = ", ".join(sorted(kinds))
    guess = nearest(kind, list(kinds))
    return f"{shown(kind)} is no kind here; {f'did you mean {guess}?' if guess else f'kinds are {listed}'}"


def _guess_key(kind: type[MeshDocument], value: Mapping[str, Plain]) -> Key | None:
    """Whose document it is, as far as it says; the default namespace where it says nothing."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace", "default")
    if not isinstance(name, str) or not isinstance(namespace, str) or not name:
        return None
    return kind.KIND, namespace, name


Mistakes = list[tuple[Path, str]]


def read_model(kind: type[MeshDocument], value: Mapping[str, Plain]) -> MeshDocument | Mistakes:
    """A document by its class, or every mistake in it."""
    body = {name: part for name, part in value.items() if name not in BOOKKEEPING}
    try:
        return kind.model_validate_json(json.dumps(body))
    except ValidationError as error:
        found = error.errors(include_url=False)
        mistakes = []
        for each in found:
            path, text = place_error(each, kind, body)
            if each["type"] != "too_short" or not _is_told_below(path, found, body):
                mistakes.append((path, text or describe_error(each, path, kind, body)))
        return list(dict.fromkeys(mistakes))


def _is_told_below(path: Path, found: Sequence[ErrorDetails], body: Plain) -> bool:
    """Whether a list is only too short because of wrong items, which are told by themselves."""
    value = find_value(body, path)
    return (
        isinstance(value, list | dict)
        and bool(value)
        and any(each["type"] != "too_short" and each["loc"][: len(path)] == path for each in found)
    )


def read_policy(_kind: type[MeshDocument], value: Mapping[str, Plain]) -> MeshDocument | Mistakes:
    """An AuthorizationPolicy by the reader that filters have too."""
    findings = Findings(Document(""))
    policy = PolicyReader(findings, Written((), dict(value)), "", custom=True).read()
    meta = read_model(_Headed, {"metadata": value.get("metadata")})
    if isinstance(meta, list):
        told = {path for path, _, _ in findings.found}
        others = [each for each in meta if each[0] not in told and not _told_of_name(each[0], told)]
        return [*((path, text) for path, _, text in findings.found), *others]
    if findings.found:
        return [(path, text) for path, _, text in findings.found]
    settled = replace(policy, namespace=meta.metadata.namespace)
    return AuthorizationPolicy(metadata=meta.metadata, policy=settled)


def _told_of_name(path: Path, told: set[Path]) -> bool:
    return path[:1] == ("metadata",) and ("metadata",) in told


class _Headed(MeshDocument):
    """A document of which only the head is read."""

    KIND = policies.KIND
    VERSIONS = policies.VERSIONS

    metadata: Meta


Read = Callable[[type[MeshDocument], Mapping[str, Plain]], MeshDocument | Mistakes]

READERS: Mapping[type[MeshDocument], Read] = MappingProxyType({AuthorizationPolicy: read_policy})
"""Kinds that are not read by their class alone."""
