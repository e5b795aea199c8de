"""The command line: ``firth train``, ``firth similar`` and the others.

Commands are thin: they read arguments, call the library and print. Nothing here imports NumPy
before a command needs it, so that help, completion and mistakes in usage answer at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from firth.cli import (
    ask,
    classify,
    convert,
    demo,
    diff,
    evaluate,
    explore,
    export,
    index,
    info,
    maps,
    phrases,
    plot,
    runs,
    serve,
    sources,
    tag,
    train,
)
from firth.cli.answers import ReaderGoneError, print_message
from firth.cli.command import HELP_SETTINGS, Group
from firth.cli.train import INTERRUPTED
from firth.errors import FirthError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["main"]

SUCCESS, FAILURE, USAGE = 0, 1, 2
# What a shell reports for a program that a signal ended: 128 and the signal's number.
KILLED = 143
BROKEN_PIPE = 141


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings=HELP_SETTINGS,
    examples="""
    firth demo                                # try it: no data needed, about a minute
    firth train corpus.txt.gz -o vectors      # train on a text
    firth similar vectors computers           # ask
    """,
)
@click.version_option(package_name="firth", message="firth %(version)s")
@click.pass_context
def firth(ctx: click.Context) -> None:
    """Train word vectors on any text, and ask them.

    Each command tells more: firth train --help
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(USAGE)


for _command in (
    train.train, phrases.phrases, ask.similar, ask.analogy, ask.similarity, ask.odd_one_out,
    evaluate.evaluate, diff.diff, diff.stability,
    classify.classify, tag.tag,
    maps.map_, explore.explore, plot.plot, runs.plot_training, serve.serve,
    sources.list_, sources.download, convert.convert, export.export, index.index,
    info.info, demo.demo,
):  # fmt: skip
    firth.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after the program's name; those of the process if not given.

    Returns
    -------
    int
        The exit status: 0 after success, 1 after an error of the input, 2 after wrong usage,
        130 after Ctrl-C, 143 after a kill, 141 when nobody reads the output any more.
    """
    with _messages_on_standard_error(), _kill_as_interrupt() as killed:
        try:
            status = _run(arguments)
        except ReaderGoneError:
            _close_standard_output()
            return BROKEN_PIPE
        return KILLED if killed.is_set() and status == INTERRUPTED else status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = firth.main(arguments, prog_name="firth", standalone_mode=False)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "firth"
        message = error.format_message()
        print_message(f"{message if message[-1] in '.?)' else message + '.'} Try '{path} --help'.")
        return USAGE
    except click.ClickException as error:
        print_message(error.format_message())
        return FAILURE
    except (click.Abort, KeyboardInterrupt):
        print_message("interrupted")
        return INTERRUPTED
    except ParameterError as error:
        print_message(str(error))
        return USAGE
    except FirthError as error:
        print_message(str(error))
        return FAILURE
    except MemoryError:
        print_message("not enough memory")
        return FAILURE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print_message(f"{where}{error.strerror or error}")
        return FAILURE
    return status if isinstance(status, int) else SUCCESS


class _StandardErrorHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


@contextmanager
def _messages_on_standard_error() -> Iterator[None]:
    """Show what the library logs and warns about, a line each."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print_message(f"warning: {message}")

    logger = logging.getLogger("firth")
    handler, level = _StandardErrorHandler(), logger.level
    with warnings.catch_warnings():
        warnings.showwarning = show
        logger.addHandler(handler)
        # On a terminal there is a bar instead, which lines in between would tear apart.
        on_terminal = sys.stderr is not None and sys.stderr.isatty()
        logger.setLevel(logging.WARNING if on_terminal else logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


@contextmanager
def _kill_as_interrupt() -> Iterator[threading.Event]:
    """Let a polite kill, as batch systems send it, clean up and keep what was learned."""
    killed = threading.Event()

    def stop(number: int, frame: object) -> None:  # noqa: ARG001 (the signature of a handler)
        killed.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield killed
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield killed
    finally:
        signal.signal(signal.SIGTERM, before)


def _close_standard_output() -> None:
    """Keep Python from complaining, at its exit, that nobody reads any more."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
