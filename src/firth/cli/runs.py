"""Options of ``firth train`` for long runs, and the command that draws how one went."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line
from firth.cli.command import command, option
from firth.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUN = "Run"
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
DEFAULT_SECONDS = 60.0
# Settings of models that learn in epochs, and what only those that learn from running text have.
GLOVE_SETTINGS = ("checkpoint_every", "resume", "early_stop")
SETTINGS = ("checkpoint_every", "resume", "deterministic", "early_stop", "probe")


class Duration(click.ParamType[float]):
    """A time such as 90, 90s, 5m or 2h, in seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the seconds of what stands on the command line."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*(s|m|min|h|)", str(value).strip())
        if not found or float(found[1]) <= 0:
            self.fail(f"{value!r} is no time: give seconds, or such as 60s, 5m or 2h", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of long runs."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


_OPTIONS = (
    option(
        "--checkpoint-every",
        type=Duration(),
        section=RUN,
        metavar="TIME",
        help="Save the state every 60s, 5m or 2h, in DIR.checkpoint, to go on from with --resume.",
    ),
    option(
        "--resume",
        is_flag=True,
        section=RUN,
        help="Go on from the checkpoint of DIR; begin where there is none.",
    ),
    option(
        "--deterministic",
        is_flag=True,
        section=RUN,
        help="The same bits each time with several threads too; slower.",
    ),
    option(
        "--probe",
        type=click.Path(dir_okay=False),
        multiple=True,
        section=RUN,
        metavar="FILE",
        help="Score the vectors on a test set behind each epoch: word pairs or analogies.",
    ),
    option(
        "--early-stop",
        type=click.IntRange(min=1),
        section=RUN,
        metavar="N",
        help="End when the probes, or the loss, have not got better for N epochs.",
    ),
)


def checkpoint_of(output: str | Path) -> Path:
    """Tell where the checkpoint of a model folder is."""
    path = Path(output)
    return path.with_name(path.name + ".checkpoint")


def with_runs(arguments: dict[str, Any], output: str | Path | None) -> dict[str, Any]:
    """Give the options of long runs their names in Python."""
    every, resume, patience, files = (
        arguments.pop(name, None) for name in ("checkpoint_every", "resume", "early_stop", "probe")
    )
    if (every or resume) and output is not None:
        arguments["checkpoint"] = checkpoint_of(output)
        arguments["checkpoint_every"] = every or DEFAULT_SECONDS
        arguments["resume"] = bool(resume)
    if not arguments.get("deterministic"):
        arguments.pop("deterministic", None)
    looking = _callbacks(files or (), patience)
    if looking:
        arguments["callbacks"] = looking
    return arguments


def _callbacks(files: Sequence[str], patience: int | None) -> list[Any]:
    from firth.models import EarlyStopping, Probe

    if files:
        return [Probe(file, patience=patience) for file in files]
    # A callback waits for so many epochs and ends the training behind the next one.
    return [EarlyStopping(patience=patience - 1)] if patience else []


@command(
    "plot-training",
    "Draw the learning curve of a model",
    examples="""
    firth plot-training vectors -o curve.png
    firth plot-training vectors small-vectors -o both.svg
    """,
)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@option("-o", "--output", metavar="FILE", required=True, help="The picture: .png, .svg or .pdf.")
def plot_training(folders: tuple[str, ...], output: str) -> None:
    """Draw the loss of the models in DIR along their training, and what probes saw.

    Several models are drawn into the same picture, to be compared.
    """
    from firth.models import plot_curves, read_curve

    target = Path(output)
    if target.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise OutputError(f"{output}: give a name that ends in .png, .svg or .pdf")
    if len({Path(folder).resolve() for folder in folders}) < len(folders):
        raise click.UsageError("A folder is given twice.")
    plot_curves({folder: read_curve(folder) for folder in folders}, target)
    print_line(f"Drawn to {output}.")
