"""What a runtime can put on its wire; what it can not is refused by name, never answered differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshext.actions import Respond
from meshext.errors import HookNonsense
from meshext.http.additions import Additions
from meshext.http.metadata import Json
from meshext.http.parts import HeaderChange, group


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A runtime's abilities.

    `utf8_only`: header values and bodies of answers travel as protobuf strings. `repeats_headers`: a header
    that is written may have any number of lines. `copies_metadata`: what is written passes through Lua, which
    knows no null, no empty list and no NUL.
    """

    name: str
    request_body_writable: bool
    utf8_only: bool
    repeats_headers: bool
    copies_metadata: bool

    @property
    def body_refusal(self) -> str | None:
        """Why `request.body` can not be assigned in on_request_body, if it can not."""
        if self.request_body_writable:
            return None
        return f"{self.name} can not change a request's body; use --mode proc"

    def check_change(self, change: HeaderChange) -> None:
        """Refuse written headers that this runtime would garble."""
        if self.repeats_headers and not self.utf8_only:
            return
        for name, values in change.replace:
            if not self.repeats_headers and len(values) > 1:
                raise HookNonsense(self.several_lines(name))
            if self.utf8_only:
                check_utf8(self.name, name, values)

    def check_additions(self, additions: Additions) -> None:
        """Refuse additions to the response that this runtime would garble."""
        lines, replaced = additions
        added = group(lines, {name for name, _ in lines})
        for name in replaced:
            if not self.repeats_headers and len(added.get(name, ())) != 1:
                raise HookNonsense(self.mixed_lines(name))
        for name, values in added.items():
            if self.utf8_only:
                check_utf8(self.name, name, values)

    def check_metadata(self, written: Mapping[str, Json]) -> None:
        """Refuse metadata that this runtime would garble."""
        if not self.copies_metadata:
            return
        for key, value in written.items():
            if not survives_lua({key: value}):
                raise HookNonsense(
                    f"metadata {key!r}: {self.name} carries no None, no empty list and no NUL; "
                    "leave them out, or use --mode proc"
                )

    def several_lines(self, name: str) -> str:
        """Why a request header can not be written with several lines."""
        return f"header {name!r} is repeated: {self.name} joins written lines with a comma; use --mode proc"

    def mixed_lines(self, name: str) -> str:
        """Why a header can not be put on the response the way it was written."""
        return (
            f"response header {name!r}: {self.name} can not remove the response's own lines, "
            "nor put several in their place; add to them, set one, or use --mode proc"
        )

    def check_respond(self, respond: Respond) -> None:
        """Refuse an answer that this runtime would garble."""
        if not self.utf8_only:
            return
        for name, value in respond.to_lines():
            check_utf8(self.name, name, (value,))
        if not is_utf8(respond.body):
            raise HookNonsense(
                f"{self.name} carries answers as UTF-8 text, and this body is not; use --mode proc"
            )


PROC = Carrier(
    name="ext_proc", request_body_writable=True, utf8_only=False, repeats_headers=True, copies_metadata=False
)
AUTHZ = Carrier(
    name="ext_authz", request_body_writable=False, utf8_only=True, repeats_headers=False, copies_metadata=True
)
IN_PROCESS = Carrier(
    name="in process",
    request_body_writable=True,
    utf8_only=False,
    repeats_headers=True,
    copies_metadata=False,
)


def survives_lua(value: Json) -> bool:
    """Whether a value is the same after Lua had it."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, list):
        return bool(value) and all(map(survives_lua, value))
    if isinstance(value, dict):
        return all(map(survives_lua, value)) and all(map(survives_lua, value.values()))
    return value is not None


def check_utf8(carrier: str, name: str, values: tuple[bytes, ...]) -> None:
    """Refuse written values that are no text."""
    for value in values:
        if not (value.isascii() or is_utf8(value)):
            raise HookNonsense(
                f"header {name!r}: {carrier} carries written values as UTF-8 text, "
                f"and {value!r} is not; use --mode proc"
            )


def is_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
