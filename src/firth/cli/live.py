"""The explorer beside ``firth train``: the training and its vectors, watched in the browser."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line, print_message
from firth.cli.command import option
from firth.cli.explore import DEFAULT_PORT, LOCAL, open_page
from firth.cli.models import FASTTEXT, WORD2VEC
from firth.errors import FirthError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from firth.models import CallbackAny2Vec
    from firth.service import LiveTraining


def live_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options about it."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


_OPTIONS = (
    option(
        "--explore",
        is_flag=True,
        section="Run",
        help="Watch it in the browser: loss, speed, neighbours as they change; then explore.",
    ),
    option(
        "--no-browser",
        is_flag=True,
        section="Run",
        help="With --explore: only print the address of the page.",
    ),
)


class Watcher:
    """What watches a training, or nobody.

    Attributes
    ----------
    callbacks : sequence of CallbackAny2Vec
        To be handed to the model.
    """

    callbacks: Sequence[CallbackAny2Vec] = ()

    def stay(self, output: str) -> None:
        """Let people explore what was saved, until Ctrl-C."""


class _InBrowser(Watcher):
    def __init__(self, live: LiveTraining, address: str, *, by_time: bool) -> None:
        self.callbacks = live.callbacks(by_time=by_time)
        self._live = live
        self._address = address

    def stay(self, output: str) -> None:
        self._live.keep(Path(output))
        print_line(f"Exploring it at {self._address} (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


@contextmanager
def watcher(output: str, model: str, *, explore: bool, no_browser: bool) -> Iterator[Watcher]:
    """Open the explorer beside a training, if it is wanted.

    Parameters
    ----------
    output : str
        The folder that the model will be saved to.
    model : str
        The value of ``--model``.
    explore : bool
        Whether it is wanted.
    no_browser : bool
        Leave the browser to the user.

    Raises
    ------
    click.UsageError
        The model is not trained step by step.
    """
    if not explore:
        if no_browser:
            raise click.UsageError("--no-browser goes with --explore.")
        yield Watcher()
        return
    if model == "ppmi":
        raise click.UsageError(
            "--explore does not go with --model ppmi, which is computed at once; firth explore "
            "shows it then."
        )
    from firth.service import (
        LOCAL_HOSTS,
        BackgroundServer,
        LiveTraining,
        Models,
        create_app,
        explorer_routes,
    )

    models = Models({})
    name = Path(output).resolve().name
    live = LiveTraining(models, name)
    routes = explorer_routes(models, live=name)
    app = create_app(models, hosts=LOCAL_HOSTS, training=live, routes=routes)
    with BackgroundServer(app, host=LOCAL, port=DEFAULT_PORT, or_next=True) as server:
        print_message(f"watch it at {server.url}")
        if not no_browser:
            open_page(server.url)
        try:
            yield _InBrowser(live, server.url, by_time=model in WORD2VEC | FASTTEXT)
        except FirthError as error:
            live.fail(str(error))
            raise
        finally:
            live.close()
