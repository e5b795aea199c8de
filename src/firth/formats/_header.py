"""The header of word2vec's two formats: rows and dims, as text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firth.errors import FormatError
from firth.formats._rows import counted
from firth.formats._text_rows import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource

# Twenty digits are more than any file has bytes.
_HEADER = re.compile(rb"(\xef\xbb\xbf)?(\d{1,20})[ \t]+(\d{1,20})[ \t]*\r?\n")
MOST_DIMS = 1_000_000


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes
    ----------
    rows, dims : int
        The size of the matrix, as claimed.
    length : int
        Of the header, in bytes, with its line end.
    notes : list of str
        What was passed over.
    """

    rows: int
    dims: int
    length: int
    notes: list[str] = field(default_factory=list)

    def check(self, source: VectorSource, options: ReadOptions, least_row: int) -> None:
        """Check the claims against each other and against the size of the file.

        Parameters
        ----------
        source : VectorSource
            Its size is compared where it is known.
        options : ReadOptions
            With a limit, fewer rows may be there than are claimed.
        least_row : int
            The bytes that a row takes at least.

        Raises
        ------
        FormatError
            The claims cannot be true.
        """
        if not 1 <= self.dims <= MOST_DIMS:
            raise FormatError(
                f"{source.name}: the header says {self.dims:,} dims; firth reads from 1 to "
                f"{MOST_DIMS:,}"
            )
        if self.rows == 0:
            raise FormatError(f"{source.name}: has no words: the header says 0 rows")
        # One row too many is a common mistake, and told apart from a lie when the rows are read.
        least = self.length + (self.rows - 1) * least_row
        if options.limit is None and source.size is not None and least > source.size:
            raise FormatError(
                f"{source.name}: cut off, or its header is wrong: {counted(self.rows, 'row')} of "
                f"{counted(self.dims, 'number')} take {least:,} bytes at least, but the file ends "
                f"at byte {source.size:,}. Get the file again"
            )


def read_header(source: VectorSource) -> Header | None:
    """Read the header of a source, which does not move; None where there is none."""
    found = _HEADER.match(source.head)
    if found is None:
        return None
    notes = ["a byte-order mark was passed over"] if found[1] == BYTE_ORDER_MARK else []
    return Header(int(found[2]), int(found[3]), found.end(), notes)
