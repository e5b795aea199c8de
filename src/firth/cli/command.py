"""How commands of firth are declared: options in sections, examples under the help text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = "Options"
HELP_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class SectionedOption(click.Option):
    """An option that stands under a heading of its own in the help text."""

    def __init__(self, *args: Any, section: str = OPTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Tell the default, and leave the obvious out: that a number of words is positive."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class Command(click.Command):
    """A command whose help groups its options and ends with examples."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings, in the order of declaration."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = getattr(parameter, "section", OPTIONS)
                sections.setdefault(section, []).append(record)
        # The general ones come last: what a command does before how it talks.
        sections[OPTIONS] = sections.pop(OPTIONS, [])
        # One left column for all sections.
        width = max(len(names) for records in sections.values() for names, _ in records)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{names:<{width}}", text) for names, text in records])

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples, as they are."""
        write_examples(self.examples, formatter)


class Group(click.Group):
    """The ``firth`` command: its commands stand in the order in which people need them."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """List the commands in the order in which they were added."""
        return list(self.commands)

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples, as they are."""
        write_examples(self.examples, formatter)


def write_examples(examples: str, formatter: click.HelpFormatter) -> None:
    """Write lines of commands under the heading "Examples", without wrapping them."""
    lines = examples.strip().splitlines()
    if lines:
        with formatter.section("Examples"):
            for line in lines:
                formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")


def command(name: str, summary: str, *, examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function; its docstring is the help text."""
    return click.command(
        name,
        cls=Command,
        short_help=summary,
        examples=examples,
        context_settings=HELP_SETTINGS,
    )


def option(*names: str, section: str = OPTIONS, **settings: Any) -> Callable[[Function], Function]:
    """Declare an option under a heading, with its default shown."""
    settings.setdefault("show_default", True)
    return click.option(*names, cls=SectionedOption, section=section, **settings)
