"""How the help of a verb looks: the words that its author gave and nothing of Python's types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperOption

WIDTH = 100


class VerbCommand(TyperCommand):
    """A command whose usage line and help show metavars as they are written."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        """`SPEC... [OPTIONS]`."""
        arguments = [argument_name(param) for param in self.params if isinstance(param, TyperArgument)]
        return [*arguments, "[OPTIONS]"]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The docstring; a paragraph that begins with `Example` keeps its lines."""
        self.help = keep_examples(self.help or "")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Two sections, arguments and options."""
        write_params(self.get_params(ctx), formatter)


def write_params(params: Sequence[object], formatter: Any) -> None:
    """The sections of arguments and of options, each row in two columns."""
    arguments = [
        (argument_name(param), param.help or "") for param in params if isinstance(param, TyperArgument)
    ]
    options = [option_row(param) for param in params if isinstance(param, TyperOption) and not param.hidden]
    for title, rows in (("Arguments", arguments), ("Options", options)):
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def keep_examples(text: str) -> str:
    """The text with click's mark, a line with a backspace, before each paragraph of commands to copy."""
    parts = text.split("\n\n")
    return "\n\n".join(f"\b\n{part}" if part.startswith("Example") else part for part in parts)


def argument_name(param: TyperArgument) -> str:
    """What stands for an argument on the usage line."""
    name = str(param.metavar or (param.name or "").upper())
    more = "..." if param.nargs != 1 and "..." not in name else ""
    return f"{name}{more}" if param.required else f"[{name}{more}]"


def option_row(param: TyperOption) -> tuple[str, str]:
    """Names and metavar of an option, and its help with its default."""
    names = ", ".join(sorted([*param.opts, *param.secondary_opts], key=len))  # typer's order is chance
    if not param.is_flag:
        names = f"{names} {param.metavar or (param.name or '').upper()}"
    shown = param.default if isinstance(param.default, str | int | float) else None
    plain = shown is None or shown is False or shown == "" or param.is_flag
    return names, param.help or "" if plain else f"{param.help or ''} [default: {shown}]"
