"""`python -m meshext_filters.ab_routing`: a token with which a tester gets the variants of choice."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from meshext.config import parse_config, read_config
from meshext.errors import ConfigError, MeshextError
from meshext_filters.ab_routing.assignment import Assignment
from meshext_filters.ab_routing.config import Config
from meshext_filters.ab_routing.overrides import make_override

REFUSED = 2
HOURS = 24.0
MOST_HOURS = 24.0 * 366


class TokenError(MeshextError):
    """A token that would be worth nothing."""


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m meshext_filters.ab_routing",
        description="Make a token for a tester: whoever has it gets these variants until it ends.",
        epilog="Example: python -m meshext_filters.ab_routing --config config.yaml checkout=v2 --hours 8",
    )
    parser.add_argument("choices", nargs="+", metavar="EXPERIMENT=VARIANT", help="one for each experiment")
    parser.add_argument(
        "--config", required=True, metavar="FILE|JSON", help="the filter's; its first key signs"
    )
    parser.add_argument("--hours", type=float, default=HOURS, help=f"how long it is good (default {HOURS:g})")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a token, and on stderr where it goes."""
    given = build_parser().parse_args(arguments)
    try:
        config = parse_config(Config, read_config(given.config))
        choices = check_choices(given.choices, config)
        token = make_override(choices, key=first_key(config), expires=to_end(given.hours))
    except ConfigError as error:
        sys.stderr.writelines(f"{error.source}: {problem}\n" for problem in error.problems)
        return REFUSED
    except MeshextError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    sys.stdout.write(f"{token}\n")
    sys.stderr.write(f"good for {given.hours:g} hours, in {describe_places(config)}\n")
    return 0


def check_choices(words: Sequence[str], config: Config) -> dict[str, str]:
    """Variant by experiment, all of them in the configuration, and one to a layer."""
    choices: dict[str, str] = {}
    assignment = Assignment(config)
    for word in words:
        name, equals, variant = word.partition("=")
        if not equals:
            raise TokenError(f"{word!r}: write EXPERIMENT=VARIANT")
        if not assignment.known({name: variant}):
            raise TokenError(f"{word!r} is not in the configuration; there are {list_variants(config)}")
        layer = assignment.experiments[name].layer
        if any(
            other == name or (layer and assignment.experiments[other].layer == layer) for other in choices
        ):
            raise TokenError(f"{word!r}: nobody is in two experiments of one layer; leave one out")
        choices[name] = variant
    return choices


def list_variants(config: Config) -> str:
    """Every choice there is."""
    return ", ".join(f"{each.name}={variant}" for each in config.experiments for variant in each.variants)


def first_key(config: Config) -> str:
    """The key that signs."""
    if not config.keys:
        raise TokenError("keys is empty in the configuration, so it believes no token; write one there")
    return config.keys[0]


def to_end(hours: float) -> int:
    """When the token ends, in seconds since 1970."""
    if not 0 < hours <= MOST_HOURS:
        raise TokenError(f"--hours {hours:g}: write hours above 0, at most {MOST_HOURS:g}")
    return int(time.time() + hours * 3600)


def describe_places(config: Config) -> str:
    """Where the filter looks for it."""
    places = {"header": config.testers.header, "query parameter": config.testers.query}
    places["cookie"] = config.testers.cookie
    return (
        " or ".join(f"the {kind} {name}" for kind, name in places.items() if name) or "no place: see testers"
    )


if __name__ == "__main__":
    sys.exit(main())
