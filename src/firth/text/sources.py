"""Sources of text: what they have in common, and those that are files and streams."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from firth.errors import TextError
from firth.text.documents import field_of_plain_text, file_blocks
from firth.text.encoding import gather_blocks
from firth.text.records import no_field_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firth.text.files import CountedFile, TextFile


class TextSource(ABC):
    """Text as a stream of blocks of UTF-8.

    Attributes
    ----------
    name : str
        What messages call it.
    n_bytes : int or None
        Size of what is read, in bytes on disk (compressed where it is); None when unknown.
    """

    name: str
    n_bytes: int | None = None

    @abstractmethod
    def blocks(self) -> Iterator[bytes]:
        r"""Read the text.

        Returns
        -------
        iterator of bytes
            Valid UTF-8, about 1 MiB each. A block ends after a line; where a line is longer than
            a block, after ASCII whitespace: no token is split. Each file, document or record ends
            with ``\n``.

        Raises
        ------
        TextError
            Bytes that are not UTF-8 under ``errors="strict"``, a damaged or cut-off archive, a
            record without its field, 64 MiB without whitespace; or a stream is read again.
        SourceError
            A file cannot be read.
        """

    @property
    def n_bytes_read(self) -> int:
        """How far the present pass has come, in the unit of `n_bytes`."""
        return 0

    def fingerprint(self) -> dict[str, object] | None:
        """Tell this text from every other, as far as that is possible without reading it.

        Returns
        -------
        dict or None
            Files with their sizes and times, and how they are read, ready for JSON; None where
            the text comes from a stream or from an iterable.
        """
        return None


class FileSource(TextSource):
    """Text of files, one after the other; also of streams, which can be read only once.

    Parameters
    ----------
    files : list of TextFile
        What to read, in this order.
    field : str or None
        The field of the text, for files of records.
    errors : str
        The policy for bytes that are not UTF-8, as in ``open``.

    Raises
    ------
    ParameterError
        A field is given for plain text, or is missing for records.
    """

    def __init__(self, files: list[TextFile], field: str | None, errors: str) -> None:
        self.files = files
        self.field = field
        self.errors = errors
        self.name = files[0].name if len(files) == 1 else f"{files[0].name} ... {files[-1].name}"
        sizes = [file.size for file in files if file.size is not None]
        self.n_bytes = sum(sizes) if len(sizes) == len(files) else None
        self._n_bytes_before = 0
        self._reading: tuple[CountedFile, int | None] | None = None
        self._is_spent = False
        for file in files:
            self._check_field(file)

    def blocks(self) -> Iterator[bytes]:
        """Read the files; see `TextSource.blocks`."""
        if self._is_spent:
            raise TextError(
                f"{self.name} is a stream and has been read already: save it in a file to read "
                "it more than once"
            )
        self._is_spent = any(file.is_stream for file in self.files)
        return gather_blocks(self._read())

    @property
    def n_bytes_read(self) -> int:
        """See `TextSource.n_bytes_read`."""
        if self._reading is None:
            return self._n_bytes_before
        file, size = self._reading
        # The table of contents of an archive is read besides its members.
        return self._n_bytes_before + (file.n_read if size is None else min(file.n_read, size))

    def fingerprint(self) -> dict[str, object] | None:
        """See `TextSource.fingerprint`."""
        if any(file.is_stream for file in self.files):
            return None
        return {
            "files": [file.absolute_name() for file in self.files],
            "sizes": [file.size for file in self.files],
            "mtimes_ns": [file.mtime_ns for file in self.files],
            "field": self.field,
            "errors": self.errors,
        }

    def _read(self) -> Iterator[bytes]:
        self._n_bytes_before = 0
        for file in self.files:
            with file.open() as opened:
                self._reading = opened, file.size
                yield from file_blocks(opened, file, self.field, self.errors)
                self._reading = None
                self._n_bytes_before += opened.n_read if file.size is None else file.size

    def _check_field(self, file: TextFile) -> None:
        """Refuse a field too many or too few before any work is done, where the name tells."""
        kind = file.record_format(self.field)
        if kind is None and self.field is not None and not file.is_zip():
            raise field_of_plain_text(file.name, self.field)
        if kind is not None and self.field is None:
            if file.is_stream:
                raise no_field_given(file.name)
            with file.open() as opened:
                # The reader of the format finds out which fields there are, and raises.
                next(file_blocks(opened, file, None, self.errors), None)
