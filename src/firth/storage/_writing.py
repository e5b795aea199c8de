"""What a failed write means to the one who asked for it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firth.errors import FirthError, OutputError

_WRITING_ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EACCES: "no permission to write here",
    errno.EPERM: "no permission to write here",
    errno.EROFS: "this file system is read-only",
    errno.EIO: "the disk reports an error",
}


def is_about_writing(error: OSError, folder: Path) -> bool:
    """Tell a failure to write in a folder from any other."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}:
        return True
    # A source that must not be read raises EACCES too: only what lies in the folder is meant.
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    return name is not None and Path(name).is_relative_to(folder)


def output_error(path: Path, error: OSError) -> OutputError:
    """Say which path cannot be written, why, and what to do."""
    why = _WRITING_ERRORS.get(error.errno or 0, error.strerror or str(error))
    todo = "free some space" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "check the place"
    result = OutputError(f"{path}: cannot be written: {why}; {todo} or choose another one")
    result.errno = error.errno
    return result


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Raise errors of the system within the block as those of writing a path."""
    try:
        yield
    except FirthError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
