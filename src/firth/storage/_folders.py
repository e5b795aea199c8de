"""Folders with a ``config.json``, written whole or not at all."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from firth import _core
from firth.errors import FirthError, FormatError, OutputError, ParameterError, SourceError
from firth.storage._writing import is_about_writing, output_error, output_errors

CONFIG_FILE = "config.json"
FORMAT_VERSION = 1
_MAX_CONFIG_BYTES = 64 << 20


def write_config(folder: str | os.PathLike[str], kind: str, **fields: Any) -> None:
    """Write the ``config.json`` of a folder.

    Parameters
    ----------
    folder : str or Path
        The folder; from `write_folder`.
    kind : str
        What the folder holds: "keyed_vectors", "vocab" or "corpus".
    **fields
        What else to tell, as JSON can hold it: how it was made.
    """
    config = {"format": "firth", "format_version": FORMAT_VERSION, "kind": kind, **fields}
    text = json.dumps(config, indent=2, default=_jsonable) + "\n"
    path = Path(folder) / CONFIG_FILE
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise output_error(path, error) from error


def _jsonable(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise ParameterError(f"{CONFIG_FILE} cannot hold {type(value).__name__} {value!r}")


def read_config(folder: str | os.PathLike[str], *kinds: str) -> dict[str, Any]:
    """Read and check the ``config.json`` of a folder.

    Parameters
    ----------
    folder : str or Path
        The folder.
    *kinds : str
        The kinds that the caller can use; any without.

    Returns
    -------
    dict
        The fields of the file.

    Raises
    ------
    SourceError
        If there is no such folder.
    FormatError
        If the folder is not one of firth, is of another kind, or comes from a later version.
    """
    folder = Path(folder)
    path = folder / CONFIG_FILE
    if not folder.exists():
        raise SourceError(f"{folder}: no such folder; check the spelling and where you are")
    if not folder.is_dir():
        raise FormatError(f"{folder}: this is a file; give the folder that firth wrote")
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        raise FormatError(f"{folder}: no {CONFIG_FILE} in it: not a folder of firth") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(text) > _MAX_CONFIG_BYTES:
        raise FormatError(f"{path}: over {_MAX_CONFIG_BYTES >> 20} MiB: not written by firth")
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise FormatError(f"{path}: {where} is no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(config, dict) or config.get("format") != "firth":
        raise FormatError(
            f'{path}: has no "format": "firth": this folder was written by another program'
        )
    version = config.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FormatError(f'{path}: "format_version" is {version!r}, which is no version')
    if version > FORMAT_VERSION:
        raise FormatError(
            f"{path}: written by a later firth (format {version}, this one reads up to "
            f"{FORMAT_VERSION}); update firth"
        )
    if kinds and config.get("kind") not in kinds:
        wanted = " or ".join(repr(kind) for kind in kinds)
        raise FormatError(f"{path}: the folder is of kind {config.get('kind')!r}, not {wanted}")
    return config


def check_target(target: str | os.PathLike[str]) -> None:
    """Check that `write_folder` may write here; for long work that should not fail at its end.

    Parameters
    ----------
    target : str or Path
        The folder that is to be written.

    Raises
    ------
    OutputError
        If the target is a file, a folder that holds anything but what firth wrote there, or lies
        where nothing can be written.
    """
    path = _resolve(target)
    with output_errors(path):  # of folders that may not even be looked into
        if path.exists():
            _check_replaceable(path)
        parent = path.parent
        while not parent.exists():
            parent = parent.parent
    if not parent.is_dir():
        raise OutputError(f"{path}: cannot be made: {parent} is a file; choose another place")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: no permission to write in {parent}; choose another place")


def _resolve(target: str | os.PathLike[str]) -> Path:
    """Give the folder itself where the target is a link to it, so that the link is kept."""
    return Path(os.path.realpath(target))


def _check_replaceable(path: Path) -> None:
    if not path.is_dir():
        raise OutputError(f"{path}: this is a file, not a folder; choose another name")
    present = _names(path)
    if not present:
        return
    try:
        config = read_config(path)
    except FirthError as error:
        raise OutputError(
            f"{path}: exists and is no folder of firth, so that it is not replaced; choose another "
            f"name, or delete it yourself ({error})"
        ) from error
    written = config.get("files")
    known = set(written) if isinstance(written, list) else set()
    strangers = {n for n in present - known if n != CONFIG_FILE and not n.endswith(".safetensors")}
    if strangers:
        raise OutputError(
            f"{path}: replacing this folder would delete {_some(strangers)}, which firth did not "
            f"write; move that away or choose another name"
        )


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@contextmanager
def write_folder(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a folder beside its target and move it into place whole.

    A reader sees the old folder or the new one, never half of one. After any failure, an
    interruption too, the half-written folder is gone and the old one still there.

    Parameters
    ----------
    target : str or Path
        Where the folder is to be. Folders above it are made. A folder of firth that is there
        already, or an empty one, is replaced; anything else is refused.

    Yields
    ------
    Path
        The folder to write into until the block ends.

    Raises
    ------
    OutputError
        If the target must not be replaced, or the disk is full or cannot be written.

    Examples
    --------
    >>> from firth.storage import write_config, write_folder
    >>> with write_folder("model") as folder:
    ...     write_config(folder, "vocab", made_by="hand")
    """
    check_target(target)
    path = _resolve(target)
    beside = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
    made: list[Path] = []
    try:
        with output_errors(path):
            made = _make_parents(path.parent)
            beside.mkdir()
        try:
            yield beside
        except OutputError as error:
            # Name the place that was asked for: the one beside it is gone when this is read.
            named = OutputError(str(error).replace(str(beside), str(path)))
            named.errno = error.errno
            raise named from error
        except FirthError:
            raise
        except OSError as error:
            if is_about_writing(error, beside):
                raise output_error(path, error) from error
            raise
        with output_errors(path):
            _list_files(beside)
            _sync(beside)
            # Looked at again: training may have taken hours since the check above.
            check_target(path)
            _move_into_place(beside, path)
            made = []
            _sync_directory(path.parent)
    finally:
        # What is left here is the half-written folder after a failure, else the replaced one.
        shutil.rmtree(beside, ignore_errors=True)
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                break


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns the new ones, deepest first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return missing


def _list_files(folder: Path) -> None:
    """Note in ``config.json`` what was written, so that replacing the folder deletes only that."""
    path = folder / CONFIG_FILE
    if path.is_file():
        config = json.loads(path.read_bytes())
        config["files"] = sorted(_names(folder))
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="ascii")


def _move_into_place(new: Path, target: Path) -> None:
    if not target.exists() or not _names(target):
        new.rename(target)  # POSIX: an empty folder is replaced too
        return
    try:
        _core.exchange_paths(os.fsencode(new), os.fsencode(target))
    except OSError as error:
        if error.errno not in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}:
            raise
        _swap_by_renames(new, target)


def _swap_by_renames(new: Path, target: Path) -> None:
    """Exchange two folders on a file system that cannot; a moment passes without a target."""
    aside = new.with_name(new.name + ".old")
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    aside.rename(new)


def _sync(folder: Path) -> None:
    """Put a folder's files on the disk, so that the move does not get there before they do."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _sync_directory(path)
    _sync_directory(folder)


def _sync_directory(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder that may be written but not listed
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # network file systems
            raise
    finally:
        os.close(descriptor)
