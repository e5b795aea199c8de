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
from typing import TYPE_CHECKING

import click

from firth.cli.answers import ReaderGoneError, print_message
from firth.cli.ask import analogy, odd_one_out, similar, similarity
from firth.cli.command import HELP_SETTINGS, Group
from firth.cli.demo import demo
from firth.cli.info import info
from firth.cli.train import INTERRUPTED, train
from firth.errors import FirthError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

SUCCESS, FAILURE, USAGE = 0, 1, 2
# What a shell reports for a program that a signal ended: 128 and the signal's number.
TERMINATED = 143
BROKEN_PIPE = 141


@click.group(
    cls=Group,
    context_settings=HELP_SETTINGS,
    examples="""
    firth demo                                # try it: no data needed, about a minute
    firth train corpus.txt.gz -o vectors      # train on a text
    firth similar vectors computers           # ask
    """,
)
@click.version_option(package_name="firth", message="firth %(version)s")
def firth() -> None:
    """Train word vectors on any text, and ask them.

    Each command tells more: firth train --help
    """


for _command in (train, similar, analogy, similarity, odd_one_out, info, demo):
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
        130 after Ctrl-C.
    """
    with warnings.catch_warnings():
        _talk_like_a_command()
        terminated = _terminate_like_an_interrupt()
        try:
            status = _run(arguments)
        except ReaderGoneError:
            _close_standard_output()
            return BROKEN_PIPE
        return TERMINATED if terminated.is_set() and status == INTERRUPTED else status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = firth.main(arguments, prog_name="firth", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
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


def _talk_like_a_command() -> None:
    """Send what the library logs and warns about to standard error, a line each."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print_message(f"warning: {message}")

    warnings.showwarning = show
    logger = logging.getLogger("firth")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    # On a terminal there is a bar instead, which lines in between would tear apart.
    logger.setLevel(logging.WARNING if sys.stderr.isatty() else logging.INFO)


def _terminate_like_an_interrupt() -> threading.Event:
    """Let a polite kill, as batch systems send it, clean up and keep what was learned."""
    terminated = threading.Event()

    def stop(number: int, frame: object) -> None:  # noqa: ARG001 (the signature of a handler)
        terminated.set()
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
    return terminated


def _close_standard_output() -> None:
    """Keep Python from complaining, at its exit, that nobody reads any more."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
