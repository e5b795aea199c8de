"""What all families of subwords have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class Subwords(ABC):
    """Makes the vector of any word from the vectors of its parts.

    Attributes
    ----------
    family : str
        How ``config.json`` names it: "fasttext", "floret", "finalfusion", "explicit".
    """

    family: ClassVar[str]

    @property
    @abstractmethod
    def vector_size(self) -> int:
        """The number of dimensions."""

    @property
    @abstractmethod
    def rows(self) -> NDArray[Any]:
        """The vectors of the parts, shape (n_rows, vector_size), of float32 or float16."""

    @abstractmethod
    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Make the vectors of unseen words, shape (n_words, vector_size); a row of NaN never.

        A word that has no parts at all gets a row of zeros.
        """

    @abstractmethod
    def parts(self, word: str) -> tuple[list[str], NDArray[np.int64]]:
        """Tell the n-grams of a word and the row of each; -1 for one that has none."""

    def select_words(self, rows: NDArray[np.int64]) -> Subwords:  # noqa: ARG002
        """Give the same for a vocabulary of which only some rows are kept."""
        return self

    def astype(self, dtype: type[np.float16 | np.float32] | str) -> Self:
        """Give the same with vectors of another precision."""
        # What half precision cannot hold becomes infinite, as in the matrix of the words.
        with np.errstate(over="ignore"):
            tensors = {
                name: array.astype(dtype, copy=False) if array.dtype.kind == "f" else array
                for name, array in self.tensors().items()
            }
        return self.from_parts(self.config(), tensors)

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Tell its parameters, as JSON can hold them."""

    @abstractmethod
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Give its arrays by name, for ``subwords.safetensors``."""

    @classmethod
    @abstractmethod
    def from_parts(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `config` and `tensors` gave.

        Raises
        ------
        ParameterError
            If they do not fit each other.
        """
