"""Words and their vectors, to be asked approximately."""

import logging
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import FirthError, FormatError, MissingExtraError, OutputError, ParameterError
from firth.formats import open_folder
from firth.vectors._sentences import SentenceVectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firth.approximate import NeighbourIndex
    from firth.vectors._matrix import Rows, VectorMatrix

logger = logging.getLogger("firth")

INDEX_FILE = "index.safetensors"


class IndexedVectors(SentenceVectors):
    """What `KeyedVectors` does with an index; see there."""

    _folder: "Path | None" = None  # of firth, that these were loaded from
    _index: "NeighbourIndex | None" = None
    _index_of: "tuple[VectorMatrix, int] | None" = None  # its matrix, and that one's version

    def build_index(self, kind: str = "rabitq", **options: Any) -> "NeighbourIndex":
        """Build an index for ``most_similar(..., approximate=True)``, and measure what it finds.

        `save` keeps it with the vectors, and `save_index` in the folder that they were loaded
        from; there it opens by memory map.

        Parameters
        ----------
        kind : "rabitq" or "hnsw"
            Codes of a bit a number, made in a second, or a hierarchical navigable small world
            graph, which is faster to ask from about a million words on.
        **options
            Those of `firth.approximate.NeighbourIndex.build`: bits, or dtype, connectivity and
            expansion_add; expansion_search, target_recall, n_questions, seed, workers, progress.

        Returns
        -------
        NeighbourIndex
            Its `recall` is the share of the true ten nearest that it finds.

        Raises
        ------
        ParameterError
            If a parameter is out of its range, or no vector has a direction.
        MissingExtraError
            If usearch, which makes graphs, is not installed: ``pip install 'firth[index]'``.

        Examples
        --------
        ``wv.build_index().recall`` is 0.95 or a little more, unless the vectors are hard to search.
        """
        from firth.approximate import NeighbourIndex

        matrix = self._matrix
        index = NeighbourIndex.build(matrix.array, matrix.norms_as_kept, kind=kind, **options)
        self._index, self._index_of = index, (matrix, matrix.version)
        return index

    @property
    def index(self) -> "NeighbourIndex | None":
        """The index that `build_index` built, or that the folder of the vectors has; else None.

        Raises
        ------
        FormatError
            If the folder has one that is damaged, or that of another matrix.
        """
        matrix = self._matrix
        if self._index_of != (matrix, matrix.version):
            self._index = None
        if self._index is None and self._folder is not None and not self.changed:
            path = self._folder / INDEX_FILE
            if path.exists():
                from firth.approximate import NeighbourIndex

                self._index = NeighbourIndex.open(path, matrix.array, matrix.norms_as_kept)
                self._index_of = matrix, matrix.version
        return self._index

    def save_index(self) -> None:
        """Put the index into the folder that the vectors were loaded from, and change nothing else.

        Raises
        ------
        ParameterError
            If there is no index, or the vectors were not loaded from a folder of firth: `save` them
            with their index.
        OutputError
            If the folder holds other vectors by now, or the file cannot be written.
        """
        index = self.index
        if index is None:
            raise ParameterError("there is no index to save; call build_index() first")
        if self._folder is None:
            raise ParameterError(
                "these vectors were not loaded from a folder of firth; save(folder) keeps them "
                "with their index"
            )
        try:
            there = self._of(open_folder(self._folder))._matrix  # noqa: SLF001 (as this one)
            same = index.is_of(there.array, there.norms_as_kept)
        except FirthError:
            same = False
        if not same:
            raise OutputError(
                f"{self._folder}: the vectors there are not those that the index is of, so that "
                f"it is not put there; save(folder) keeps the vectors with their index"
            )
        index.save(self._folder / INDEX_FILE)

    def _at(self, folder: "Path") -> Self:
        """Note the folder that these were loaded from: an index may lie there."""
        self._folder = folder.absolute()
        return self

    def _index_files(self) -> "dict[str, Callable[[Path], None]]":
        """Tell what belongs into a folder beside the vectors: the file of an index, if any."""
        try:
            index = self.index
        except (FormatError, MissingExtraError) as error:
            logger.warning("the index is not kept with the vectors: %s", error)
            return {}
        return {} if index is None else {INDEX_FILE: index.save}

    def _nearest(
        self,
        directions: NDArray[np.float32],
        topn: int,
        exclude: list[list[int]],
        chosen: "Rows",
        *,
        approximate: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest rows of many questions among the chosen; about these, by the index."""
        if not approximate:
            return self._matrix.top(directions, topn, exclude, chosen)
        if not isinstance(chosen, slice) or chosen != slice(0, len(self)):
            raise ParameterError(
                "approximate=True looks among all words: leave out clips, restrict_vocab, filters"
            )
        index = self.index
        if index is None:
            raise ParameterError(
                "approximate=True needs an index, and there is none: call build_index() first"
            )
        return index.search(directions, topn, exclude)

    def __getstate__(self) -> dict[str, Any]:
        # An index stays at home: another process builds its own, or opens that of the folder.
        return self.__dict__ | {"_index": None}
