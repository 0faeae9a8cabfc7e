"""A verb of `meshext` with verbs of its own, such as `meshext token create`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from meshext.cli.help import WIDTH, keep_examples, write_params


class VerbGroup(TyperGroup):
    """A group whose help looks as that of a verb."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The docstring; a paragraph that begins with `Example` keeps its lines."""
        self.help = keep_examples(self.help or "")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options, then the verbs."""
        write_params(self.get_params(ctx), formatter)
        with formatter.section("Verbs"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(WIDTH)) for name in self.commands]
            )
