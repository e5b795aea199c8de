"""Pictures and pages become files, whole or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import OutputError
from firth.storage import output_errors

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

PICTURES = (".png", ".svg", ".pdf")
PAGE = ".html"
# No dates and no chance: the same picture is the same file.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_SETTINGS: Any = {
    # Text stays text: it can be searched, and edited by who makes a slide of it.
    "svg.fonttype": "none",
    "svg.hashsalt": "firth",
    "pdf.fonttype": 42,
}


def check_target(file: str | os.PathLike[str], *, with_page: bool = False) -> Path:
    """Tell before the work whether a picture can be written there."""
    path = Path(file).expanduser()
    suffixes = (*PICTURES, PAGE) if with_page else PICTURES
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if path.suffix.lower() not in suffixes:
        named = ", ".join(suffixes[:-1])
        raise OutputError(f"{path}: give a name that ends in {named} or {suffixes[-1]}")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure of Matplotlib."""
    from matplotlib import rc_context

    suffix = path.suffix.lower()
    with rc_context(_SETTINGS):
        _save(
            path,
            lambda beside: figure.savefig(
                beside,
                format=suffix[1:],
                facecolor=figure.get_facecolor(),
                metadata=_METADATA[suffix],
            ),
        )


def save_text(text: str, path: Path) -> None:
    """Write a page."""
    _save(path, lambda beside: beside.write_text(text, encoding="utf-8", newline="\n"))


def _save(path: Path, write: Callable[[Path], object]) -> None:
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.partial")
    with output_errors(path):
        try:
            write(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
