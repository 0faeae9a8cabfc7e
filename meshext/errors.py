"""Every error meshext raises on purpose, as one tree.

    MeshextError                     one clear line for a person; the command line exits with `exit_code`
    ├── ConfigError                  a configuration was refused (lists every mistake, each with its path)
    ├── OptionError                  an option of the service has a value that means nothing
    ├── SpecError                    a filter spec does not load, or its class can not be a filter
    ├── UnsupportedError             a runtime can not carry what the class asks for, by name
    ├── MissingExtraError            an optional dependency is not installed (names the pip command)
    ├── EnvoyError                   no Envoy for this platform, or Envoy refused or died
    ├── ProfileError                 a process can not be recorded, or what was recorded not be written
    ├── ListenError                  an address can not be listened on
    ├── RecordingError               a recording can not be written, or is none (lists every mistake)
    ├── ProtocolError                the peer broke the order of an exchange (ends as a gRPC error)
    │   └── ResponseCut              a response that had begun is cut off, by the same error
    ├── HeaderError                  a header, request line or status that is not legal HTTP
    ├── UndeclaredError              an attribute or metadata namespace was used without being declared
    ├── StoreError                   the store can not carry out what was asked
    │   └── StoreUnavailable         it can not be reached, or does not answer in time
    └── FilterFailure                a hook failed; what happens next is the filter's `failure` policy
        ├── HookRaised               it raised
        ├── HookOverdue              it ran past `time_limit`
        └── HookNonsense             it returned or wrote something that has no meaning

Text of an error names the value, the place, and what to write instead.
"""

from __future__ import annotations

from collections.abc import Sequence


class MeshextError(Exception):
    """Root of the tree; `exit_code` is what a command ends with when nobody handles it.

    `drawn` is true where the text has several lines that stand under each other as they are.
    """

    exit_code = 2
    drawn = False


class ConfigError(MeshextError):
    """A configuration was refused.

    `problems` holds one line for each mistake, all found in one go: `path: what is wrong, what to write`.
    """

    def __init__(self, problems: Sequence[str], *, source: str = "configuration") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


class OptionError(MeshextError):
    """An option of the service has a value that means nothing; the text names the option."""


class SpecError(MeshextError):
    """A filter spec (`path/to/file.py:Class`, `package.module:Class` or a plugin's name) does not load."""


class UnsupportedError(MeshextError):
    """A runtime can not carry what a filter asks for; the text names both and says which runtime can."""


class MissingExtraError(MeshextError):
    """An optional dependency is missing; the text is the exact command that installs it."""

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(f"{purpose} needs the {extra!r} extra: python3 -m pip install 'meshext[{extra}]'")


class EnvoyError(MeshextError):
    """Envoy could not be found, refused its configuration, or ended early."""


class ProfileError(MeshextError):
    """A process can not be recorded, or what was recorded can not be written."""


class ListenError(MeshextError):
    """An address can not be listened on: in use, not ours, or not an address."""


class RecordingError(MeshextError):
    """A recording can not be written, or can not be read.

    `problems` holds one line for each mistake; in a file's lines each begins with line and path.
    """

    def __init__(self, problems: Sequence[str], *, source: str) -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


class ProtocolError(MeshextError):
    """Events came in an order that no HTTP exchange has; the host ends the stream with a gRPC error."""


class ResponseCut(ProtocolError):
    """A filter answered or failed when the response had begun: the host ends the stream to cut it off."""


class HeaderError(MeshextError, ValueError):
    """A header name or value, request line or status that is not legal HTTP (RFC 9110 section 5)."""


class UndeclaredError(MeshextError, LookupError):
    """An attribute or metadata namespace was used that the class does not declare."""


class StoreError(MeshextError):
    """The store can not carry out what was asked, e.g. `add` on a value that is not a number."""


class StoreUnavailable(StoreError):
    """The store can not be reached, or did not answer in time.

    Whether the call took effect is not known. A hook that does not catch it has failed, and the filter's
    `failure` says what happens to the request.
    """


class FilterFailure(MeshextError):
    """A hook failed. The reason goes to the log with the request id, never to the client."""

    kind = "failure"


class HookRaised(FilterFailure):
    """The hook raised an exception (kept as `__cause__`)."""

    kind = "raised"


class HookOverdue(FilterFailure):
    """The hook ran past the filter's `time_limit`."""

    kind = "overdue"


class HookNonsense(FilterFailure):
    """The hook returned or wrote something that has no meaning in this phase."""

    kind = "nonsense"
