"""What one configured filter needs: `meshext.needs`, with each hook as a bit.

A build writes what the class says. `Filter.needs` gives that to a class which changes it for a configuration.
"""

from meshext_wasm.library.meshext.errors import SpecError

ON_REQUEST = 1
ON_REQUEST_BODY = 2
ON_REQUEST_CHUNK = 4
ON_REQUEST_TRAILERS = 8
ON_RESPONSE = 16
ON_RESPONSE_BODY = 32
ON_RESPONSE_CHUNK = 64
ON_RESPONSE_TRAILERS = 128
ON_COMPLETE = 256

NAMES = (
    "on_request",
    "on_request_body",
    "on_request_chunk",
    "on_request_trailers",
    "on_response",
    "on_response_body",
    "on_response_chunk",
    "on_response_trailers",
    "on_complete",
)


def hook_name(hook: int) -> str:
    """The name of a hook."""
    for at in range(len(NAMES)):
        if hook == 1 << at:
            return NAMES[at]
    return NAMES[-1]


def parse_hook(name: str) -> int:
    """The hook of that name; SpecError lists the names there are."""
    for at in range(len(NAMES)):
        if NAMES[at] == name:
            return 1 << at
    raise SpecError(f"{name!r} is not a hook; the hooks are {', '.join(NAMES)}")


class Needs:
    """What one configured filter asks for; `hooks` is the sum of its hooks' numbers."""

    def __init__(
        self,
        name: str,
        hooks: int,
        max_body: int,
        fails_open: bool,
        passes_oversize: bool,
        attributes: tuple[str, ...],
        metadata_namespaces: tuple[str, ...],
    ) -> None:
        self.name = name
        self.hooks = hooks
        self.max_body = max_body
        self.fails_open = fails_open
        self.passes_oversize = passes_oversize
        self.attributes = attributes
        self.metadata_namespaces = metadata_namespaces

    @property
    def namespace(self) -> str:
        """The metadata namespace this filter writes to."""
        return "meshext." + self.name

    def without(self, *hooks: str) -> "Needs":
        """The same needs less some hooks, for a configuration that does not use them."""
        made = self.copied(self.attributes, self.metadata_namespaces)
        for name in hooks:
            made.hooks = made.hooks & ~parse_hook(name)
        return made

    def adding(
        self, *, attributes: tuple[str, ...] = (), metadata_namespaces: tuple[str, ...] = ()
    ) -> "Needs":
        """The same needs and more, for a configuration that reads more."""
        return self.copied(
            joined(self.attributes, attributes), joined(self.metadata_namespaces, metadata_namespaces)
        )

    def copied(self, attributes: tuple[str, ...], namespaces: tuple[str, ...]) -> "Needs":
        """The same with other attributes and namespaces."""
        return Needs(
            self.name,
            self.hooks,
            self.max_body,
            self.fails_open,
            self.passes_oversize,
            attributes,
            namespaces,
        )


def joined(known: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    """Names of both, each once, in the order first seen."""
    made: list[str] = []
    for name in known:
        made.append(name)
    for name in added:
        if name not in made:
            made.append(name)
    return tuple(made)


class Asked:
    """Whose needs are asked for just now."""

    def __init__(self) -> None:
        self.needs = Needs("", 0, 0, False, False, (), ())


ASKED = Asked()


def ask_about(needs: Needs) -> None:
    """From now on `Filter.needs` gives these: what the class says of itself."""
    ASKED.needs = needs
