"""What is mapped, as far as maps know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.vocab import Vocab


class Vectors(Protocol):
    """Words and their vectors, as `KeyedVectors` are."""

    @property
    def vocab(self) -> Vocab:
        """The words, one for each row."""

    @property
    def index_to_key(self) -> Sequence[str]:
        """The same, in the order of the rows."""

    def __len__(self) -> int: ...

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a vector for a word."""

    def get_vectors(self, keys: Iterable[str], norm: bool = False) -> NDArray[np.float32]:
        """Give the vectors of words as rows, scaled to length 1 with `norm`."""

    def most_similar(self, positive: str, *, topn: int) -> Iterable[tuple[str, float]]:
        """Give the words nearest to one, with their cosines."""
