"""English that every machine with Python has: the language reference and docstrings.

The reference is ``pydoc_data/topics.py``, the text behind ``help("for")``; the docstrings are those
of the standard library and of the packages on ``sys.path``. Nothing is imported and nothing is
executed: files are read as text. A scan by one regular expression finds a docstring several times
faster than :mod:`ast` does, and does not mind a file that this Python cannot compile.
"""

from __future__ import annotations

import ast
import os
import re
import stat
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A demo that somebody waits for: packages past this much source (about ten seconds) are left out.
MAX_SOURCE_BYTES = 200_000_000
# Larger files are generated tables; what English they have is not worth their size.
MAX_FILE_BYTES = 2_000_000
FEWEST_WORDS = 4

# Test suites repeat themselves, vendored packages are copies, and idlelib and lib2to3 speak of
# little but each other.
SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "_vendor", "_vendored", "vendor", "vendored", "idlelib", "lib2to3", "test"}
    | {"tests", "testing", "site-packages", "dist-packages"}
)

# A comment, a string in three quotes, or a string in one: enough of Python's grammar to know where
# a string starts. It opens with one character class because `re` skips to that at memory speed.
_COMMENT_OR_STRING = re.compile(
    r"""["'#](?:
        (?<=\#) [^\n]*
      | (?<=") ""  (?P<double> (?: [^"\\] | \\. | "(?!"") )* ) (?:""\"|\Z)
      | (?<=') ''  (?P<single> (?: [^'\\] | \\. | '(?!'') )* ) (?:'''|\Z)
      | (?<=") (?: [^"\\\n] | \\. )* "?
      | (?<=') (?: [^'\\\n] | \\. )* '?
    )""",
    re.VERBOSE | re.DOTALL,
)
_EXAMPLE_CODE = re.compile(r"^\s*(?:>>>|\.\.\.(?:\s|$)|\.\. |:\w+:|\$ ).*$", re.MULTILINE)
_MARKUP = re.compile(r"[`*|\\]+|:\w+:(?=`)|[=~^-]{3,}")
_PARAGRAPH_END = re.compile(r"\n\s*\n")
_WORD = re.compile(r"[^\W\d_]+")


def paragraphs() -> Iterator[str]:
    """Gather the English of this machine's Python, one paragraph at a time.

    Yields
    ------
    str
        A paragraph on one line, without markup and example code; each only once.
    """
    seen: set[int] = set()
    for text in _texts():
        for paragraph in split_paragraphs(text):
            fingerprint = hash(paragraph)
            if fingerprint not in seen:
                seen.add(fingerprint)
                yield paragraph


def _texts() -> Iterator[str]:
    yield from reference_topics(Path(sysconfig.get_path("stdlib")) / "pydoc_data" / "topics.py")
    source_bytes = 0
    for path in source_files(_package_folders()):
        source = _read(path)
        source_bytes += len(source)
        if source_bytes > MAX_SOURCE_BYTES:
            return
        yield from docstrings(source)


def reference_topics(path: Path) -> Iterator[str]:
    """Read the sections of Python's language reference that ``help()`` shows.

    Parameters
    ----------
    path : Path
        The file ``pydoc_data/topics.py``: one dictionary of string literals, which is read, not
        imported. A Python without it has none.

    Yields
    ------
    str
        The text of a section.
    """
    try:
        tree = ast.parse(_read(path))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for value in node.values:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def source_files(folders: Iterable[Path]) -> Iterator[Path]:
    """List the Python files of packages, in the order of their names.

    Parameters
    ----------
    folders : iterable of Path
        Where packages lie; test suites and vendored copies below them are left out.

    Yields
    ------
    Path
        A ``.py`` file of at most 2 MB.
    """
    for folder in folders:
        for where, subfolders, names in os.walk(folder):
            subfolders[:] = sorted(
                name
                for name in subfolders
                if name not in SKIPPED_FOLDERS and not name.endswith((".dist-info", ".egg-info"))
            )
            for name in sorted(names):
                if name.endswith(".py"):
                    yield Path(where, name)


def docstrings(source: str) -> Iterator[str]:
    r"""Find the docstrings of a Python source without compiling it.

    A docstring is a string in three quotes that stands alone on its line, first in the file or
    after the colon that opens a class or function.

    Parameters
    ----------
    source : str
        The text of a Python file.

    Yields
    ------
    str
        The text between the quotes, escapes as they are written.

    Examples
    --------
    >>> list(docstrings('def f():\n    \"\"\"Say why.\"\"\"\n    return \"\"\"data\"\"\"'))
    ['Say why.']
    """
    comments: dict[int, int] = {}
    for found in _COMMENT_OR_STRING.finditer(source):
        start, end = found.span()
        if source[start] == "#":
            comments[end] = start
            continue
        text = found["double"] or found["single"]
        if text is None:
            continue
        if source[start - 1 : start] in {"r", "R", "u", "U"}:
            start -= 1
        if _opens_a_block(source, start, comments):
            yield text


def _opens_a_block(source: str, start: int, comments: dict[int, int]) -> bool:
    """Tell whether only blank and comment lines lie between ``start`` and a colon, or the top."""
    at = start
    while at > 0 and source[at - 1] in " \t":
        at -= 1
    if at > 0 and source[at - 1] != "\n":
        return False
    while True:
        while at > 0 and source[at - 1].isspace():
            at -= 1
        if at not in comments:
            return at == 0 or source[at - 1] == ":"
        at = comments[at]


def split_paragraphs(text: str) -> Iterator[str]:
    """Cut a docstring into paragraphs of plain English.

    Parameters
    ----------
    text : str
        A docstring or a section of the reference, with markup and examples.

    Yields
    ------
    str
        A paragraph on one line, of four words or more.
    """
    for paragraph in _PARAGRAPH_END.split(_EXAMPLE_CODE.sub("\n", text)):
        line = " ".join(_MARKUP.sub(" ", paragraph).split())
        if len(_WORD.findall(line)) >= FEWEST_WORDS:
            yield line


def _package_folders() -> list[Path]:
    """List where the standard library and the installed packages lie, each once."""
    folders = [Path(sysconfig.get_path("stdlib"))]
    folders += [
        Path(entry)
        for entry in sys.path
        if Path(entry).name in {"site-packages", "dist-packages"} and Path(entry).is_dir()
    ]
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def _read(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
