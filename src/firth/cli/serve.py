"""The command that answers programs over HTTP: firth serve."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firth.cli.answers import print_line
from firth.cli.command import command, option
from firth.errors import ParameterError, SourceError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from firth.service import Limits, Models

logger = logging.getLogger("firth")

DEFAULT_PORT = 8000
LIMITS, ACCESS = "Limits", "Access"
POSITIVE = click.IntRange(min=1)


@command(
    "serve",
    "Answer questions about vectors over HTTP",
    examples="""
    firth serve wiki100
    firth serve wiki100 news=vectors.bin.gz --port 8080
    curl 'http://127.0.0.1:8000/v1/similar?word=tennis&k=10'
    FIRTH_TOKEN=... firth serve wiki100 --host 0.0.0.0 --workers 2
    """,
)
@click.argument("sources", metavar="VECTORS...", nargs=-1, required=True)
@option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Where to listen; this machine only unless said otherwise.",
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The port; 0 for any that is free.  [default: 8000, or the next one that is free]",
)
@option(
    "--workers",
    type=POSITIVE,
    default=1,
    metavar="N",
    help="Processes; those of a model folder share its memory.",
)
@option(
    "--token-file",
    type=click.Path(path_type=Path),
    section=ACCESS,
    metavar="FILE",
    help="A file whose first line is the token that requests must bring; or set FIRTH_TOKEN.",
)
@option(
    "--max-k",
    type=POSITIVE,
    default=1000,
    section=LIMITS,
    metavar="N",
    help="Neighbours of one question.",
)
@option(
    "--max-questions",
    type=POSITIVE,
    default=1000,
    section=LIMITS,
    metavar="N",
    help="Questions of one request.",
)
@option(
    "--max-body",
    type=POSITIVE,
    default=1 << 20,
    section=LIMITS,
    metavar="BYTES",
    help="Bytes of one request.",
)
@option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    section=LIMITS,
    metavar="SECONDS",
    help="For a request to arrive, and to be answered.",
)
@option(
    "--max-connections",
    type=POSITIVE,
    default=500,
    section=LIMITS,
    metavar="N",
    help="Connections of one worker at once.",
)
def serve(
    sources: tuple[str, ...], host: str, port: int | None, workers: int,
    token_file: Path | None, max_k: int, max_questions: int, max_body: int, timeout: float,
    max_connections: int,
) -> None:  # fmt: skip
    """Answer questions about VECTORS over HTTP, as JSON.

    VECTORS are model folders, vector files or names, each of which may be called something:
    NAME=VECTORS. /openapi.json tells what can be asked. Ctrl-C ends it.

    With a --host other than this machine itself, requests must bring a token.
    """
    from firth.service import (
        LOCAL_HOSTS,
        Limits,
        Models,
        address_of,
        listen,
        name_sources,
        run_workers,
    )

    token = read_token(token_file)
    is_local = host in LOCAL_HOSTS
    if not is_local and token is None:
        raise click.UsageError(
            f"With --host {host} others can ask, and a token is needed: set FIRTH_TOKEN, or "
            f"give --token-file. This makes one: openssl rand -hex 32"
        )
    limits = Limits(
        body=max_body, questions=max_questions, k=max_k, seconds=timeout,
        connections=max_connections,
    )  # fmt: skip
    make_app = MakeApp(
        name_sources(sources), limits, token, frozenset(LOCAL_HOSTS) if is_local else None
    )
    # Before the port is taken, whatever the number of workers: what is wrong is wrong at once.
    models = Models(make_app.sources, limits)
    bound = listen(host, DEFAULT_PORT if port is None else port, or_next=port is None)
    print_line(
        f"Serving {', '.join(make_app.sources)} at {address_of(bound, host)} (Ctrl-C ends it)"
    )
    if workers == 1:
        run_workers(partial(make_app.of, models), bound, limits=limits)
    else:
        warn_of_copies(models, workers)
        models.close()
        run_workers(make_app, bound, limits=limits, workers=workers)


def warn_of_copies(models: Models, workers: int) -> None:
    """Tell of vectors that workers cannot share."""
    for model in models:
        if model.path is None or not model.path.is_dir():
            logger.warning(
                "%s is no model folder, so that each of %d workers has a copy of it; firth "
                "convert makes a folder, which they share",
                model.name,
                workers,
            )


@dataclass(frozen=True)
class MakeApp:
    """Makes the application in each of several processes."""

    sources: dict[str, str]
    limits: Limits
    token: str | None
    hosts: frozenset[str] | None

    def __call__(self) -> ASGIApp:
        """Open the models and make the application."""
        from firth.service import Models

        return self.of(Models(self.sources, self.limits))

    def of(self, models: Models) -> ASGIApp:
        """Make the application over models that are open."""
        from firth.service import create_app

        return create_app(models, limits=self.limits, token=self.token, hosts=self.hosts)


def read_token(path: Path | None) -> str | None:
    """Read the token from the first line of a file, or from the environment.

    Raises
    ------
    SourceError
        If the file cannot be read.
    ParameterError
        If what is there is no token.
    """
    where = "the variable FIRTH_TOKEN" if path is None else str(path)
    try:
        text = os.environ.get("FIRTH_TOKEN") if path is None else path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: the token cannot be read: {error}") from None
    if text is None:
        return None
    token = (text.splitlines() or [""])[0].strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise ParameterError(
            f"{where} has no token: letters, digits and signs of ASCII, without spaces"
        )
    return token
