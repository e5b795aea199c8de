"""The rows that a layer is filled with, of whatever holds a matrix; the same for all frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index as as_index
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from firth.errors import ParameterError
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    from collections.abc import Sized

    from numpy.typing import ArrayLike, NDArray

    HasRows: TypeAlias = KeyedVectors | ArrayLike | tuple[ArrayLike, object] | Any

MODES = ("mean", "sum", "max")


class Rows(NamedTuple):
    """What a layer starts with.

    Attributes
    ----------
    matrix : numpy.ndarray of float32, shape (n_ids, vector_size)
        A copy of its own. The row of padding is zeros: its gradient is zero, and from there no
        optimiser moves a weight that is zero, with weight decay and momentum neither.
    padding_idx : int or None
        The id of padding.
    padding_vector : numpy.ndarray of float32, shape (vector_size,), or None
        What the layer gives for padding in place of zeros.
    """

    matrix: NDArray[np.float32]
    padding_idx: int | None
    padding_vector: NDArray[np.float32] | None


def rows_of(
    given: HasRows, padding_idx: int | None = None, vocab: Sized | None = None, *, bag: bool = False
) -> Rows:
    """Check what a layer is to be made of.

    Parameters
    ----------
    given : KeyedVectors, array_like, TokenEmbedding, or tuple
        What has the matrix; a tuple is what `firth.embedding_matrix` returns.
    padding_idx : int, optional
        The id of padding; from the end if it is negative. Without, that of ``padding_token`` of
        the vocabulary.
    vocab : Vocab, mapping or list, optional
        The words whose ids the layer will be given: as many as there are rows.
    bag : bool
        Padding does not count in a bag, so that its vector is of no account.

    Raises
    ------
    ParameterError
        If there is no matrix of finite numbers, or padding or vocabulary do not fit it.
    """
    array, words = _matrix_of(given)
    _check_vocab(len(array), vocab)
    if padding_idx is None:
        padding_idx = _padding_of(vocab)
    if padding_idx is not None:
        padding_idx = _checked_padding(padding_idx, len(array))
    with np.errstate(over="ignore"):  # what is too large is told below
        matrix = np.array(array, np.float32, order="C")
    _check_finite(matrix, words)
    padding_vector = None
    if padding_idx is not None:
        if matrix[padding_idx].any() and not bag:
            padding_vector = matrix[padding_idx].copy()
        matrix[padding_idx] = 0
    return Rows(matrix, padding_idx, padding_vector)


def check_mode(mode: str) -> str:
    """Refuse a way to reduce a bag that there is not."""
    if mode not in MODES:
        raise ParameterError(f"mode is {mode!r}, which is none of {', '.join(MODES)}")
    return mode


def check_topn(topn: int) -> int:
    """Refuse a number of neighbours that is none."""
    if type(topn) is not int or topn < 1:
        raise ParameterError(f"topn must be a whole number of 1 or more, not {topn!r}")
    return topn


def check_range(lowest: int, highest: int, n_rows: int, cause: BaseException | None = None) -> None:
    """Refuse ids that a layer does not have; the lowest and the highest that were given."""
    if lowest >= 0 and highest < n_rows:
        return
    wrong = lowest if lowest < 0 else highest
    advice = (
        "a word that is not in the vocabulary needs the id of an unknown word, not -1"
        if wrong < 0
        else "they come from a larger vocabulary than that of the layer"
    )
    raise ParameterError(
        f"there is no row {wrong:,}: ids go from 0 to {n_rows - 1:,}, and those given from "
        f"{lowest:,} to {highest:,}; {advice}"
    ) from cause


def _matrix_of(given: Any) -> tuple[NDArray[Any], Any]:
    """Find the matrix, and the words of its rows where they are known."""
    words = None
    if isinstance(given, KeyedVectors):
        array, words = given.vectors, given.vocab.words
    elif isinstance(getattr(given, "wv", None), KeyedVectors):
        raise ParameterError(
            f"the layer is to be made of {type(given).__name__}; give its vectors: model.wv"
        )
    elif hasattr(given, "idx_to_vec"):
        array = np.asarray(given.idx_to_vec)
    elif isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]) == 2:
        array = np.asarray(given[0])
    else:
        array = _as_array(given)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiu":
        raise ParameterError(
            f"a layer needs a matrix of numbers of shape (n_ids, vector_size), not "
            f"{array.dtype} of shape {array.shape}; give KeyedVectors, or a matrix such as "
            f"firth.embedding_matrix makes"
        )
    return array, words


def _as_array(given: Any) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ParameterError(
            f"a layer needs KeyedVectors or a matrix, not {type(given).__name__}: {error}"
        ) from error


def _check_vocab(n_rows: int, vocab: Sized | None) -> None:
    if vocab is None:
        return
    # Keras's word_index begins at 1, and leaves ids out: the highest counts, not how many.
    n_ids = 1 + max(vocab.values(), default=-1) if isinstance(vocab, Mapping) else len(vocab)
    if n_ids != n_rows:
        raise ParameterError(
            f"vocabulary and matrix do not fit: there are {n_ids:,} ids and {n_rows:,} rows; make "
            f"the matrix of this vocabulary: firth.embedding_matrix(vocab, wv)"
        )


def _padding_of(vocab: Any) -> int | None:
    token = getattr(vocab, "padding_token", None)
    padding_idx: int | None = None if token is None else vocab.get(token)
    return padding_idx


def _checked_padding(padding_idx: int, n_rows: int) -> int:
    try:
        # True and False are numbers, too; "no padding" is what None says.
        row = as_index("" if isinstance(padding_idx, bool) else padding_idx)  # type: ignore[arg-type]
    except TypeError:
        raise ParameterError(
            f"padding_idx is {padding_idx!r}; give the number of a row, or None"
        ) from None
    if not -n_rows <= row < n_rows:
        raise ParameterError(
            f"padding_idx is {row:,}, but the matrix has {n_rows:,} rows, from 0 to {n_rows - 1:,}"
        )
    return row % n_rows


def _check_finite(matrix: NDArray[np.float32], words: Any) -> None:
    # The sum of a row is finite unless one of its numbers is not, or nearly: those are looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(matrix.sum(axis=1)))
    bad = suspects[~np.isfinite(matrix[suspects]).all(axis=1)]
    if len(bad):
        first = f"row {bad[0]:,}" + (f" ({words[int(bad[0])]!r})" if words is not None else "")
        raise ParameterError(
            f"{len(bad):,} rows of the matrix have numbers that are not finite, the first is "
            f"{first}; a network learns nothing from them: set these rows to zeros"
        )
