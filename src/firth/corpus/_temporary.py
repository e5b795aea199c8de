"""Corpora that are gone when they are closed."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from firth.corpus._corpus import Corpus
from firth.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firth.vocab import Vocab


def in_temporary_folder(make: Callable[[Path], Vocab]) -> tuple[Vocab, Corpus]:
    """Have a corpus written into a temporary folder, which is removed when the corpus is closed.

    Parameters
    ----------
    make : callable
        Takes the folder, writes the corpus into it, and returns its vocabulary.

    Raises
    ------
    OutputError
        There is no place, or the disk is full.
    """
    try:
        temporary = tempfile.TemporaryDirectory(prefix="firth-corpus-")
    except OSError as error:
        raise OutputError(
            f"no place for the encoded text: {error}; set TMPDIR to a folder that can be written"
        ) from error
    try:
        made = make(Path(temporary.name))
        return made, Corpus(temporary.name, remove=temporary.cleanup)
    except BaseException as error:
        temporary.cleanup()
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutputError(
                f"{temporary.name}: the disk is full, and the encoded text needs 4 bytes a word; "
                f"free some space, or set TMPDIR to another place"
            ) from error
        raise
