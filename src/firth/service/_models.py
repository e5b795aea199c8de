"""The models that are served: opened by name, looked after while they are on disk."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from firth.errors import FirthError, MissingExtraError, ParameterError, SourceError
from firth.hub import load
from firth.machine import usable_cores
from firth.service._limits import Limits
from firth.service._problems import Problem
from firth.service._search import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    from firth.vectors import KeyedVectors

    Stamp = tuple[tuple[int, int, int, int] | None, ...]

T = TypeVar("T")

logger = logging.getLogger("firth")

# What is looked at to see whether a folder was replaced, or got an index.
_TELLING = ("config.json", "index.safetensors")


def name_sources(sources: Sequence[str]) -> dict[str, str]:
    """Give each of the sources that a user has named a name to be asked by.

    Parameters
    ----------
    sources : sequence of str
        Paths and names of the catalogue, or NAME=SOURCE to choose the name.

    Returns
    -------
    dict of str to str
        Names and sources, in the order given.

    Raises
    ------
    ParameterError
        If there is no source, or two would have the same name.

    Examples
    --------
    >>> name_sources(["models/wiki100", "news=/data/vectors.bin.gz"])
    {'wiki100': 'models/wiki100', 'news': '/data/vectors.bin.gz'}
    """
    if not sources:
        raise ParameterError("there are no vectors to serve: give a folder, a file or a name")
    named: dict[str, str] = {}
    for given in sources:
        name, equals, source = given.partition("=")
        if not equals or not name or "/" in name or Path(given).exists():
            source = given
            name = Path(given.rstrip("/")).expanduser().resolve().name or given
            if Path(given).is_file():
                name = name.split(".")[0] or name
        if not source:
            raise ParameterError(f"{given!r} names no vectors; give NAME=VECTORS, or VECTORS alone")
        if name in named:
            raise ParameterError(
                f"two models would be called {name!r}; give one another name: {name}-2={source}"
            )
        named[name] = source
    return named


@dataclass
class ServedModel:
    """A model as it was opened: its vectors, and the lanes to their neighbours.

    Attributes
    ----------
    name : str
        What it is asked by.
    wv : KeyedVectors
        Its words and vectors.
    path : Path or None
        The file or folder that it is of; None for a source by name.
    fault : str or None
        Why what is on disk by now is not what is served; None if it is.
    index_fault : str or None
        Why it cannot be asked approximately; None if it can.
    recall : float or None
        How much its index finds; None without one.
    """

    name: str
    wv: KeyedVectors
    exact: Lane
    approximate: Lane
    threads: Executor
    path: Path | None = None
    stamp: Stamp | None = None
    fault: str | None = None
    index_fault: str | None = None
    recall: float | None = None

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function where it does not keep other requests waiting."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)

    def lane(self, *, approximate: bool) -> Lane:
        """Give the lane for one kind of search.

        Raises
        ------
        Problem
            If the model has no index.
        """
        if approximate and self.index_fault is not None:
            raise Problem(400, f"{self.name} cannot be asked approximately: {self.index_fault}")
        return self.approximate if approximate else self.exact


class Models:
    """The models of a service, by name.

    Parameters
    ----------
    vectors : mapping of str to str, path or KeyedVectors
        Names, and what `firth.load` takes for each; or vectors that are loaded. The first is the
        one that is asked where a request names none.
    limits : Limits, optional
        How many questions may wait.

    Raises
    ------
    FirthError
        What `firth.load` raises.
    """

    def __init__(self, vectors: Mapping[str, Any], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        # Searches have threads of their own, one a lane, and never wait for anything else.
        self._searching = ThreadPoolExecutor(2 * len(vectors) + 2, "firth-search")
        self.threads = ThreadPoolExecutor(2 * len(vectors) + 2 * usable_cores(), "firth-service")
        self._models: dict[str, ServedModel] = {}
        for name, given in vectors.items():
            self._models[name] = self._open(name, given)

    def __iter__(self) -> Iterator[ServedModel]:
        # A copy: a training puts models here from another thread.
        return iter(list(self._models.values()))

    def __len__(self) -> int:
        return len(self._models)

    def get(self, name: str | None) -> ServedModel:
        """Give a model by its name, or the first one.

        Raises
        ------
        Problem
            If there is none of this name.
        """
        if not self._models:
            raise Problem(404, "there are no vectors yet")
        if name is None:
            return next(iter(self))
        try:
            return self._models[name]
        except KeyError:
            names = ", ".join(self._models)
            raise Problem(404, f"there is no model {name[:100]!r}; there are: {names}") from None

    def put(self, name: str, given: Any) -> None:
        """Serve other vectors under a name, or under a new one.

        Parameters
        ----------
        name : str
            The name.
        given : str, path or KeyedVectors
            What `firth.load` takes, or vectors that are loaded.

        Raises
        ------
        FirthError
            What `firth.load` raises.
        """
        self._models[name] = self._open(name, given)

    def refresh(self) -> None:
        """Open again what was replaced on disk; what is gone or damaged is served as it was."""
        for model in self:
            if model.path is None:
                continue
            stamp = _stamp_of(model.path)
            if stamp == model.stamp:
                if model.fault is not None:
                    logger.warning("%s: %s is there again", model.name, model.path)
                    model.fault = None
            elif stamp is None:
                self._note(model, f"{model.path} is gone; served is what was there before")
            else:
                self._replace(model)

    def close(self) -> None:
        """Let the threads end."""
        for threads in (self._searching, self.threads):
            threads.shutdown(wait=False, cancel_futures=True)

    def _replace(self, model: ServedModel) -> None:
        assert model.path is not None
        try:
            new = self._open(model.name, model.path)
        except (FirthError, OSError) as error:
            self._note(model, f"what is there by now cannot be opened: {error}")
            return
        self._models[model.name] = new
        logger.warning("%s: %s was replaced, and is served as it is now", model.name, model.path)

    def _note(self, model: ServedModel, fault: str) -> None:
        if model.fault != fault:
            logger.warning("%s: %s", model.name, fault)
            model.fault = fault

    def _open(self, name: str, given: Any) -> ServedModel:
        path = stamp = None
        if isinstance(given, str | Path):
            path = Path(given).expanduser()
            # Before it is opened: what is replaced meanwhile is opened once more.
            stamp = _stamp_of(path)
            path = None if stamp is None else path
            wv = load(given)
        else:
            wv = given
        if not len(wv):
            raise SourceError(f"{name}: there are no words in it to serve")
        exact, about = (
            Lane(
                partial(_search, wv, approximate=approximate),
                self._searching,
                self._limits.waiting,
            )
            for approximate in (False, True)
        )
        model = ServedModel(name, wv, exact, about, self.threads, path, stamp)
        try:
            index = wv.index
        except (FirthError, MissingExtraError) as error:
            model.index_fault = str(error)
        else:
            model.recall = None if index is None else round(float(index.recall), 4)
            if index is None:
                model.index_fault = "it has no index; firth index builds one"
        wv.fill_norms()
        return model


def _search(wv: KeyedVectors, questions: Sequence[Any], k: int, *, approximate: bool) -> Any:
    return wv.most_similar_many(questions, topn=k, approximate=approximate)


def _stamp_of(path: Path) -> Stamp | None:
    """Tell one state of a file or folder from the next; None if there is nothing."""
    stamps = [_stamp_of_file(path / name) for name in _TELLING] if path.is_dir() else []
    stamps = stamps or [_stamp_of_file(path)]
    return tuple(stamps) if any(stamps) else None


def _stamp_of_file(path: Path) -> tuple[int, int, int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size
