"""Checkpoints: a training that goes on where it was, after whatever stopped it.

A folder holds all that this takes::

    config.json      of kind "checkpoint": parameters and text, to be compared with those given
    corpus/          the encoded text with its vocabulary, so that a pipe need not be read again;
                     of GloVe counts/, its co-occurrences
    state-00000142/  behind chunk 142: matrices.safetensors without padding, and config.json with
    state-00000160/  position, losses, words, seconds and learning curve

A state stands between two chunks, with no chunk under way, and appears whole. The last two are
kept: if the newest is damaged, the one before is used.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from firth.corpus import Corpus
from firth.errors import FirthError, FormatError, OutputError, ParameterError
from firth.models._checks import finite
from firth.models._kept_phrases import phrase_folders
from firth.models._schedule import DivergedError, Run
from firth.storage import (
    check_target,
    open_tensors,
    read_config,
    save_tensors,
    write_config,
    write_folder,
)
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from firth.cooccurrence import Cooccurrences
    from firth.models._schedule import Course
    from firth.models._word_model import Matrices
    from firth.phrases import PhraseModel

logger = logging.getLogger("firth")

MATRICES_FILE = "matrices.safetensors"
# Time between two savings, as a multiple of what the last one took: so they take a tenth at most.
_SECONDS_PER_SECOND_OF_SAVING = 9.0
_ROWS_PER_BLOCK = 65_536


class Saved(Protocol):
    """What has a state to be saved."""

    def live_matrices(self) -> Matrices:
        """Give views of the matrices of the training that runs, without padding."""


class Checkpoints:
    """Saves the state of a training every now and then, and finds it again.

    Parameters
    ----------
    folder : str or Path
        Where they are, or are to be.
    every : float
        Seconds of training between two of them.
    resume : bool
        Whether to go on from the last one, if there is any.

    Raises
    ------
    ParameterError
        `every` is no number above 0.
    """

    def __init__(self, folder: str | os.PathLike[str], every: float, *, resume: bool) -> None:
        self.folder = Path(folder)
        self.every = finite("checkpoint_every", every, above=0.0)
        self.resume = resume
        self._lock: Any = None
        self._due = time.perf_counter() + self.every
        self._saved_at: int | None = None

    # --- the folder -----------------------------------------------------------------------------

    def open(self, told: Mapping[str, Any]) -> None:
        """Take possession of the folder, for a training that is told by its parameters and text.

        Raises
        ------
        OutputError
            There is a checkpoint already and `resume` is False, the folder is something else or
            cannot be written, or another process trains with it.
        ParameterError
            The checkpoint is of another text or of other parameters.
        """
        if (self.folder / "config.json").exists():
            config = read_config(self.folder, "checkpoint")
            if not self.resume:
                raise OutputError(
                    f"{self.folder}: has the checkpoint of a training already; go on from it with "
                    f"resume=True, or remove the folder"
                )
            self._take_lock()
            _compare(self.folder, config, told)
            self._clean_up()
            return
        if not (self.folder.is_dir() and all(map(_is_passing, self.folder.iterdir()))):
            check_target(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._clean_up()
            # Where a process that is killed leaves nothing outside of the folder.
            beside = self.folder / ".new.partial"
            beside.mkdir()
            write_config(beside, "checkpoint", **told)
            (beside / "config.json").replace(self.folder / "config.json")
            beside.rmdir()
        except OSError as error:
            if isinstance(error, FirthError):
                raise
            raise OutputError(f"{self.folder}: cannot be written: {error.strerror}") from error

    def _clean_up(self) -> None:
        """Remove what a process that was killed was writing."""
        for left in self.folder.glob(".*.partial"):
            shutil.rmtree(left, ignore_errors=True)

    def _take_lock(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise OutputError(
                f"{self.folder}: another process trains with this checkpoint; wait for it, or give "
                f"another folder"
            ) from None
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error}") from error
        self._lock = lock

    def close(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # --- the text -------------------------------------------------------------------------------

    def corpus(self) -> tuple[Vocab, Corpus] | None:
        """Open the encoded text that was kept, if it is there and whole."""
        place = self.folder / "corpus"
        if not place.is_dir():
            return None
        try:
            return Vocab.load(place), Corpus(place)
        except FirthError as error:
            logger.warning("reading the text again, since what was kept is damaged: %s", error)
            shutil.rmtree(place, ignore_errors=True)
            return None

    def keep_corpus(
        self, vocab: Vocab, corpus: Corpus, phrases: Sequence[PhraseModel] = ()
    ) -> tuple[Vocab, Corpus]:
        """Put an encoded text into the folder; without a copy where the disk is the same.

        With it goes what joined its phrases.

        Raises
        ------
        OutputError
            The disk is full.
        """
        place = self.folder / "corpus"
        with write_folder(place) as folder:
            _copy_files(corpus.folder, folder)
            if not (folder / VOCAB_FILE).exists():
                vocab.to_file(folder / VOCAB_FILE)
            for name, write in phrase_folders(phrases).items():
                write(folder / name)
        return vocab, Corpus(place)

    def counts(self) -> Cooccurrences | None:
        """Open the co-occurrences that were kept, if they are there and whole."""
        from firth.cooccurrence import Cooccurrences

        place = self.folder / "counts"
        if not place.is_dir():
            return None
        try:
            return Cooccurrences(place)
        except FirthError as error:
            logger.warning("counting again, since what was kept is damaged: %s", error)
            shutil.rmtree(place, ignore_errors=True)
            return None

    def keep_counts(
        self, counts: Cooccurrences, phrases: Sequence[PhraseModel] = ()
    ) -> Cooccurrences:
        """Put co-occurrences into the folder, as `keep_corpus` a text."""
        from firth.cooccurrence import Cooccurrences

        place = self.folder / "counts"
        with write_folder(place) as folder:
            _copy_files(counts.folder, folder)
            for name, write in phrase_folders(phrases).items():
                write(folder / name)
        return Cooccurrences(place)

    # --- states ---------------------------------------------------------------------------------

    def latest(
        self, plan: Course | None, shapes: Mapping[str, tuple[int, int]]
    ) -> tuple[Run, Matrices] | None:
        """Open the newest state that is whole.

        Parameters
        ----------
        plan : Course, optional
            What the training goes through, if it is to go on.
        shapes : mapping of str to (int, int)
            The matrices that there must be.
        """
        if not self.resume:
            return None
        for place in reversed(self._states()):
            try:
                found = read_state(place, shapes)
                if plan and found[0].position > plan.n_chunks:
                    raise FormatError(f"{place}: is behind the end of the training")
            except FirthError as error:
                logger.warning("a checkpoint is damaged, the one before is used: %s", error)
                continue
            self._saved_at = found[0].position
            if plan:
                logger.info(
                    "going on from a checkpoint: %s of %s words, after %.0f s of training",
                    f"{found[0].n_words:,}", f"{plan.n_words:,}", found[0].seconds,
                )  # fmt: skip
            return found
        return None

    def _states(self) -> list[Path]:
        return sorted(self.folder.glob("state-*"))

    def next_chunk(self, run: Run, plan: Course) -> int | None:  # noqa: ARG002 (those of a watch)
        """Checkpoints go by time."""
        return None

    def next_time(self, run: Run) -> float | None:  # noqa: ARG002
        """Give the time when the next state is to be saved."""
        return self._due

    def look(self, model: Saved, run: Run, plan: Course) -> None:
        """Save a state where it is time to; if the disk is full, training goes on."""
        if time.perf_counter() >= self._due and run.position < plan.n_chunks:
            self.save(model, run, plan)

    def save(self, model: Saved, run: Run, plan: Course) -> None:
        """Save the state of a training that stands between two chunks.

        Raises
        ------
        ParameterError
            The matrices have numbers that are none: the training has diverged.
        """
        if run.position == self._saved_at:
            return
        started = time.perf_counter()
        try:
            try:
                self._write(model, run, plan)
            except OutputError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT} or len(self._states()) < 2:
                    raise
                # The older of two makes room for the new one; the newer is still there.
                shutil.rmtree(self._states()[0], ignore_errors=True)
                self._write(model, run, plan)
        except OutputError as error:
            kept = self._states()
            logger.warning(
                "no checkpoint was written, and training goes on%s: %s",
                f"; the last one is {kept[-1].name}" if kept else "", error,
            )  # fmt: skip
        else:
            self._saved_at = run.position
            for old in self._states()[:-2]:
                shutil.rmtree(old, ignore_errors=True)
        seconds = time.perf_counter() - started
        wait = max(self.every, _SECONDS_PER_SECOND_OF_SAVING * seconds)
        self._due = time.perf_counter() + wait

    def with_last_state(self, error: DivergedError, hint: str = "") -> DivergedError:
        """Say in the error of a training that diverged what is left of it, and of what use."""
        kept = self._states()
        if not kept:
            return error
        return DivergedError(
            f"{error}. The last state that was good is in {self.folder} ({kept[-1].name}){hint}"
        )

    def _write(self, model: Saved, run: Run, plan: Course) -> None:
        matrices = model.live_matrices()
        checksums = {}
        for name, matrix in matrices.items():
            checksum = 0
            for block in _blocks(matrix):
                if not (np.isfinite(block.min()) and np.isfinite(block.max())):
                    raise plan.diverged(max(run.position - 1, 0))
                checksum = zlib.crc32(block.data, checksum)
            checksums[name] = checksum
        # Numbered by its place, so that names sort by age.
        with write_folder(self.folder / f"state-{run.position:010d}") as folder:
            save_tensors(folder / MATRICES_FILE, matrices)
            write_config(folder, "training_state", run=run.state(), checksums=checksums)


def open_checkpoints(
    folder: str | os.PathLike[str] | None, every: float, resume: bool
) -> Checkpoints | None:
    """Check what a caller gave for checkpoints.

    Raises
    ------
    ParameterError
        `resume` without a folder, or `every` is no number above 0.
    """
    if folder is not None:
        return Checkpoints(folder, every, resume=resume)
    if resume:
        raise ParameterError("resume=True goes on from a checkpoint: give checkpoint= its folder")
    return None


def read_state(place: Path, shapes: Mapping[str, tuple[int, int]]) -> tuple[Run, Matrices]:
    """Read a state, and check that it is whole.

    Raises
    ------
    FormatError
        It is not, or is another training's.
    """
    config = read_config(place, "training_state")
    tensors = open_tensors(place / MATRICES_FILE)
    try:
        run = Run.from_state(config["run"])
        checksums = {name: int(config["checksums"][name]) for name in shapes}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{place}: its config.json is damaged: {error!r}") from error
    for name, shape in shapes.items():
        matrix = tensors.get(name)
        if matrix is None or matrix.shape != shape or matrix.dtype != np.float32:
            size = " x ".join(f"{n:,}" for n in shape)
            raise FormatError(f"{place}: has no float32 matrix {name!r} of {size}")
        checksum = 0
        for block in _blocks(matrix):
            checksum = zlib.crc32(block.data, checksum)
        if checksum != checksums[name]:
            raise FormatError(f"{place}: the matrix {name!r} is not what was written")
    return run, {name: tensors[name] for name in shapes}


def _is_passing(path: Path) -> bool:
    """Tell what may be left of a process that was killed before its checkpoint began."""
    return path.name == "lock" or (path.name.startswith(".") and path.name.endswith(".partial"))


def _blocks(matrix: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for begin in range(0, len(matrix), _ROWS_PER_BLOCK):
        yield np.ascontiguousarray(matrix[begin : begin + _ROWS_PER_BLOCK])


def _copy_files(source: Path, target: Path) -> None:
    """Give the files of a folder second names; config.json is written anew, and so copied."""
    for file in source.iterdir():
        if file.is_file() and (file.name == "config.json" or not _linked(file, target / file.name)):
            shutil.copyfile(file, target / file.name)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        return False
    return True


def _compare(folder: Path, kept: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse to go on with a training that is not the one that was begun."""
    differences = []
    for part in given:
        old, new = kept.get(part), _as_json(given[part])
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(old.keys() | new.keys())
            differences += [
                f"{name} was {_short(old.get(name))} and is {_short(new.get(name))}"
                for name in names
                if old.get(name) != new.get(name)
            ]
        else:
            differences.append(f"{part} was {_short(old)} and is {_short(new)}")
    if differences:
        raise ParameterError(
            f"{folder}: is the checkpoint of another training: {'; '.join(differences)}. Give what "
            f"it was begun with, or another folder"
        )


def _as_json(value: Any) -> Any:
    """Give a value as it comes back from a file of JSON."""
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return value


def _short(value: Any) -> str:
    text = repr(value[0]) if isinstance(value, list) and len(value) == 1 else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def remove_checkpoint(folder: str | os.PathLike[str]) -> None:
    """Remove a checkpoint that is not needed any more, and nothing else.

    Parameters
    ----------
    folder : str or Path
        What was given as `checkpoint`; it may be gone already.

    Raises
    ------
    FormatError
        It is no checkpoint.
    """
    place = Path(folder)
    if not place.exists():
        return
    read_config(place, "checkpoint")
    for state in place.glob("state-*"):
        shutil.rmtree(state, ignore_errors=True)
    for left in place.glob(".*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    for name in ("corpus", "counts"):
        shutil.rmtree(place / name, ignore_errors=True)
    for name in ("lock", "config.json"):
        (place / name).unlink(missing_ok=True)
    with suppress(OSError):  # somebody has put something in
        place.rmdir()
