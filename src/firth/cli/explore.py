"""The command that opens vectors in the browser: firth explore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from firth.cli.answers import print_line, print_message
from firth.cli.command import command, option

if TYPE_CHECKING:
    from firth.service import Models

DEFAULT_PORT = 8765
LOCAL = "127.0.0.1"


@command(
    "explore",
    "Open vectors in the browser: a map to wander in",
    examples="""
    firth explore wiki100
    firth explore news-1990 news-2020             # two models side by side
    firth explore wiki100 --no-browser --port 8080
    firth explore glove.6B.50d                    # by name, downloaded the first time
    """,
)
@click.argument("first", metavar="VECTORS")
@click.argument("second", metavar="[VECTORS2]", required=False)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=f"The port; 0 for any that is free.  [default: {DEFAULT_PORT}, or the next free one]",
)
@option("--no-browser", is_flag=True, help="Only print the address of the page.")
def explore(first: str, second: str | None, port: int | None, no_browser: bool) -> None:
    """Open VECTORS in the browser: a map of the words, with search, neighbours and analogies.

    With VECTORS2 the two stand side by side. Each may be called something: NAME=VECTORS. The page
    is served to this machine only, and asks nothing of any other. The map is made once, and kept
    in the folder of the model. Ctrl-C ends it.
    """
    from firth.service import (
        LOCAL_HOSTS,
        Models,
        address_of,
        create_app,
        explorer_routes,
        listen,
        name_sources,
        run_workers,
    )

    models = Models(name_sources([first] if second is None else [first, second]))
    app = create_app(models, hosts=frozenset(LOCAL_HOSTS), routes=explorer_routes(models))
    bound = listen(LOCAL, DEFAULT_PORT if port is None else port, or_next=port is None)
    address = address_of(bound, LOCAL)
    print_line(f"Exploring {_told(models)} at {address} (Ctrl-C ends it)")
    if not no_browser:
        open_page(address)
    run_workers(lambda: app, bound)


def _told(models: Models) -> str:
    return " and ".join(f"{model.name} ({len(model.wv):,} words)" for model in models)


def open_page(address: str) -> None:
    """Open the page; who has no browser here reads the address above."""
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        print_message(f"no browser was found; open {address} yourself")
