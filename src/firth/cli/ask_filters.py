"""Options that say among which words the asking commands look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from firth.cli.command import option
from firth.errors import SourceError, TextError

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")

SECTION = "Look only among"


class Ranks(click.ParamType[Any]):
    """A range of ranks by frequency, FROM:TO, counted from 1; either may be left out."""

    name = "ranks"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, int | None]:
        """Give the rows that the ranks stand for."""
        first, colon, last = str(value).partition(":")
        if not colon or not all(
            end == "" or (end.isdecimal() and int(end)) for end in (first, last)
        ):
            self.fail(
                f"{value!r} is no range of ranks; give two from 1 on, as in 100:5000", param, ctx
            )
        return {"clip_start": int(first or 1) - 1, "clip_end": int(last) if last else None}


def filter_options(function: Function) -> Function:
    """Declare the options; their values reach `filters_of` as keyword arguments."""
    for declare in reversed(
        (
            option("--prefix", section=SECTION, metavar="TEXT", help="Words that begin so."),
            option(
                "--pattern",
                section=SECTION,
                metavar="REGEX",
                help="Words in which this regular expression is found.",
            ),
            option(
                "--ranks",
                section=SECTION,
                metavar="FROM:TO",
                type=Ranks(),
                help="Words by how frequent they are: 1:10000 are the first ten thousand.",
            ),
            option(
                "--among",
                section=SECTION,
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="The words in a file, one a line.",
            ),
        )
    ):
        function = declare(function)
    return function


def filters_of(
    prefix: str | None, pattern: str | None, ranks: dict[str, Any] | None, among: Path | None
) -> dict[str, Any]:
    """Give the arguments of `KeyedVectors.most_similar_many` that the options stand for."""
    filters: dict[str, Any] = {"prefix": prefix, "pattern": pattern, **(ranks or {})}
    if among is not None:
        filters["among"] = _words_in(among)
    return filters


def _words_in(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: byte {error.start:,} is not UTF-8; convert the file") from error
    return [line.strip() for line in lines if line.strip()]
