"""Sources by name and by address: downloaded, verified, converted once."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from firth.errors import FirthError, FormatError, ParameterError, SourceError
from firth.hub._catalogue import find_source, suggestions
from firth.hub._http import shown
from firth.hub._sources import Source
from firth.hub._store import (
    Item,
    item_of_address,
    item_of_source,
    locked,
    obtain,
    read_record,
    store_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

    from firth.formats import VectorTable

# What comes from an address and is no vectors is kept if it is larger: it took time to come.
_LARGEST_PAGE = 1 << 20
# The options of `read_vectors` that load all of a file as it is.
DEFAULTS: dict[str, Any] = {
    "only": None, "limit": None, "dtype": "float32", "strict": False, "errors": "strict",
    "format": None,
}  # fmt: skip


def source_of_address(address: str) -> Source:
    """Make a source of an address; its fragment may name the member of an archive."""
    address, _, member = address.partition("#")
    item = item_of_address(address)
    return Source(
        name=address,
        kind="vectors",
        family="address",
        title="",
        file=item.path.name,
        addresses=(address,),
        member=member or None,
    )


def download(name: str, *, again: bool = False, progress: bool | None = None) -> Path:
    """Download a source of the catalogue, or the file at an address, and tell where it is.

    A file that is there already is not downloaded again. What is broken off goes on where it was at
    the next call.

    Parameters
    ----------
    name : str
        A name in `list_sources`, or an http or https address.
    again : bool
        Download it even so, as when its publisher has replaced it.
    progress : bool, optional
        False: none. None or True: a bar on a terminal, log lines elsewhere.

    Returns
    -------
    Path
        The file as it was published, in firth's cache folder; for 20 Newsgroups, the folder that it
        was unpacked into.

    Raises
    ------
    SourceError
        There is no source of this name.
    DownloadError
        It cannot be downloaded, or what came is not what was published; the message tells where
        to put the file by hand.
    OutputError
        There is no room for it.

    Examples
    --------
    >>> import firth
    >>> path = firth.download("text8")  # doctest: +SKIP
    >>> len(firth.build_vocab(path))  # doctest: +SKIP
    71290
    """
    source = _source_named(name)
    item = _item(source)
    path, record = obtain(item, again=again, show=progress)
    if not source.unpack:
        return path
    from firth.hub._unpack import unpack

    folder = store_folder("unpacked") / source.name
    with locked(folder, "folder"):
        return unpack(path, folder, record.sha256)


def _source_named(name: str) -> Source:
    if not isinstance(name, str):
        raise ParameterError(f"name is {name!r}: give the name of a source, or an address")
    if name.casefold().startswith(("http://", "https://")):
        return source_of_address(name)
    found = find_source(name)
    if found is None:
        close = suggestions(name)
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        raise SourceError(
            f"no source is called {name!r}.{meant} firth.list_sources() tells them all"
        )
    return found


def _item(source: Source) -> Item:
    return item_of_address(source.name) if source.family == "address" else item_of_source(source)


def open_named(source: Source, options: dict[str, Any], *, show: bool | None = None) -> VectorTable:
    """Open the vectors of a source; `options` are those of `read_vectors`."""
    from firth.formats import read_vectors

    if source.kind != "vectors":
        raise SourceError(
            f"{source.name} has no vectors, it is {_what(source)}: firth.download({source.name!r}) "
            f"gives its path"
        )
    partly = options["only"] is not None or options["limit"] is not None
    item = _item(source)
    folder = _folder_for(source, item, options)
    table = _open_converted(folder, item, strict=options["strict"])
    if table is not None and partly:
        chosen = {name: options[name] for name in ("only", "limit", "dtype")}
        some = read_vectors(folder, progress=False, **chosen)
        some.report = table.report
        return some
    if table is not None and options["format"] is None:
        return table
    if partly or options["format"] is not None:
        return _read_download(source, item, options, show=show)
    return convert(source, options, show=show)


def _what(source: Source) -> str:
    return "a text to train on" if source.kind == "corpus" else "a test set"


def convert(source: Source, options: dict[str, Any], *, show: bool | None = None) -> VectorTable:
    """Make the model folder of a source, which opens by memory map, and open it."""
    from firth.formats import save_folder

    item = _item(source)
    folder = _folder_for(source, item, options)
    with locked(folder, "conversion"):
        strict = options["strict"]
        table = _open_converted(folder, item, strict=strict)
        if table is not None:
            return table
        table = _read_download(source, item, options, show=show)
        record = read_record(item.path)
        notes: dict[str, Any] = {
            "source": {
                "name": shown(source.name),
                "member": source.member,
                "sha256": record.sha256 if record else None,
                "strict": strict,
                "licence": source.licence,
            }
        }
        if table.report is not None:
            notes["load_report"] = asdict(table.report)
        save_folder(
            table, folder, {name: v for name, v in notes.items() if name not in table.config}
        )
        # The matrix in memory makes way for the one on the disk.
        del table
        opened = _open_converted(folder, item, strict=strict)
    if opened is None:
        raise FormatError(f"{folder}: was changed while it was being written; load it again")
    return opened


def prepare(name: str, *, progress: bool | None = None) -> Path:
    """Download vectors by name or address, convert them, and tell where the model folder is."""
    source = _source_named(name)
    open_named(source, dict(DEFAULTS), show=progress)
    return _folder_for(source, _item(source), DEFAULTS)


def is_here(source: Source) -> bool:
    """Tell whether a source is on this machine: downloaded, or put there by hand."""
    try:
        item = _item(source)
        return item.path.is_file() or _folder_for(source, item, DEFAULTS).is_dir()
    except FirthError:  # no place for a cache
        return False


def _folder_for(source: Source, item: Item, options: dict[str, Any]) -> Path:
    """Give the place of a model folder; what was read differently lies somewhere else."""
    name = source.name
    if source.family == "address":
        name = f"addresses/{item.path.parent.name}-{re.sub(r'[.].*', '', item.path.name)}"
        if source.member:
            name += "-" + re.sub(r"[^\w.+-]", "_", source.member)
    if options["dtype"] != "float32":
        name += f"-{options['dtype']}"
    if options["errors"] != "strict":
        name += f"-{options['errors']}"
    return store_folder("vectors") / name


def _open_converted(folder: Path, item: Item, *, strict: bool) -> VectorTable | None:
    """Open the model folder that was made of a download, if it is there and of this download."""
    from firth.formats import LoadReport, open_folder

    try:
        table = open_folder(folder)
    except FirthError:
        return None
    made_of = table.config.get("source")
    if not isinstance(made_of, dict) or (strict and not made_of.get("strict")):
        return None
    record = read_record(item.path)
    if record is not None and made_of.get("sha256") != record.sha256:
        return None
    report = table.config.get("load_report")
    if table.report is None and isinstance(report, dict):
        try:
            table.report = LoadReport(**report)
        except TypeError:  # of another version of firth
            table.report = None
    return table


def _read_download(
    source: Source, item: Item, options: dict[str, Any], *, show: bool | None
) -> VectorTable:
    from firth.formats import read_vectors

    path, _ = obtain(item, show=show)
    try:
        return read_vectors(
            path / source.member if source.member else path, progress=show, **options
        )
    except FormatError as error:
        if source.family != "address" or path.stat().st_size > _LARGEST_PAGE:
            raise
        # The page of an error, most likely: it may be another file tomorrow.
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.json").unlink(missing_ok=True)
        address = urlsplit(shown(source.name))._replace(query="").geturl()
        message = str(error).replace(str(path), address)
        raise FormatError(message) from error
