"""Layers of word vectors for JAX, as modules of Flax NNX; extra ``jax``.

::

    from flax import nnx
    from firth.layers.jax import embedding


    class Classifier(nnx.Module):
        def __init__(self, wv, rngs):
            self.embedding = embedding(wv)
            self.dense = nnx.Linear(wv.vector_size, 2, rngs=rngs)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from firth.errors import MissingExtraError
from firth.layers._rows import check_mode, check_range, rows_of

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise MissingExtraError("jax", "jax", "firth.layers.jax") from error
try:
    from flax import nnx
except ImportError as error:
    raise MissingExtraError("flax", "jax", "firth.layers.jax") from error

if TYPE_CHECKING:
    from collections.abc import Sized

    from firth.layers._rows import HasRows, Rows

__all__ = ["Frozen", "WordEmbedding", "WordEmbeddingBag", "embedding", "embedding_bag"]


class Frozen(nnx.Variable):  # type: ignore[misc]
    """A variable that is saved with a module and not trained: it is no `nnx.Param`."""


class WordEmbedding(nnx.Module):  # type: ignore[misc]
    """Ids to vectors, with a row of padding that never moves; `embedding` makes it.

    Attributes
    ----------
    embedding : nnx.Param or Frozen
        The rows, shape (n_ids, vector_size). That of padding is zeros, which no optimiser moves.
    padding_vector : Frozen
        What is given for padding, where that is not zeros, shape (vector_size,); else of shape ().
    padding_idx : int or None
        The id of padding.
    """

    def __init__(self, rows: Rows, trainable: bool) -> None:
        kind = nnx.Param if trainable else Frozen
        padding = np.float32(0) if rows.padding_vector is None else rows.padding_vector
        self.embedding = kind(jnp.asarray(rows.matrix))
        self.padding_vector = Frozen(jnp.asarray(padding))
        self.padding_idx = rows.padding_idx

    def __call__(self, ids: jax.Array) -> jax.Array:
        """Look up ids of any shape; adds an axis of vector_size."""
        ids = jnp.asarray(ids)
        matrix = self.embedding[...]
        if isinstance(self.embedding, Frozen):
            matrix = jax.lax.stop_gradient(matrix)
        if ids.size and not isinstance(ids, jax.core.Tracer):
            check_range(int(ids.min()), int(ids.max()), len(matrix))
        # A negative id would be taken from the end.
        rows = jnp.where(ids < 0, len(matrix), ids)
        vectors = matrix.at[rows].get(mode="fill", fill_value=jnp.nan)
        if self.padding_idx is None:
            return vectors
        # Cuts off the gradient, too.
        padding = jax.lax.stop_gradient(self.padding_vector[...])
        return jnp.where((ids == self.padding_idx)[..., None], padding, vectors)


class WordEmbeddingBag(WordEmbedding):
    """One vector for each list of ids; `embedding_bag` makes it."""

    def __init__(self, rows: Rows, trainable: bool, mode: str) -> None:
        super().__init__(rows, trainable)
        self.mode = mode

    def __call__(self, ids: jax.Array) -> jax.Array:
        """Reduce the vectors of ids of shape (..., length) to one, (..., vector_size)."""
        vectors = super().__call__(ids)
        counts = jnp.ones(jnp.shape(ids), bool)
        if self.padding_idx is not None:
            counts = jnp.asarray(ids) != self.padding_idx
        n_words = counts.sum(axis=-1, keepdims=True)
        if self.mode == "max":
            largest = jnp.max(vectors, -2, initial=-jnp.inf, where=counts[..., None])
            return jnp.where(n_words > 0, largest, 0)
        total = vectors.sum(axis=-2)
        return total if self.mode == "sum" else total / jnp.maximum(n_words, 1)


def embedding(
    wv_or_matrix: HasRows,
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
) -> WordEmbedding:
    """Make a module that turns ids into word vectors.

    Parameters
    ----------
    wv_or_matrix : KeyedVectors, array_like of shape (n_ids, vector_size), or other
        The rows, which are copied: of vectors (the ids are those of ``wv.key_to_index``), of a
        matrix, of ``vocab.embedding``, or of what `firth.embedding_matrix` returns.
    trainable : bool
        Let training move the rows: they are an `nnx.Param`. Otherwise they are `Frozen`, have no
        gradient, and stay as they are, to the bit.
    padding_idx : int, optional
        The id of padding, whose row never moves. Without, that of ``vocab.padding_token``.
    vocab : Vocab, mapping of str to int, or list of str, optional
        The words whose ids will be given, to check that they fit the rows.

    Returns
    -------
    WordEmbedding
        A `flax.nnx.Module`: ids of shape (batch, length) to float32 (batch, length, vector_size).

    Raises
    ------
    ParameterError
        If there is no matrix of finite numbers, or padding or vocabulary do not fit it. So does the
        module, if an id is out of range; under `jax.jit` it gives NaN for that id.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.layers.jax import embedding
    >>> layer = embedding(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> layer(np.array([[2, 1], [1, 0]])).tolist()
    [[[3.0, 4.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]]
    """
    return WordEmbedding(rows_of(wv_or_matrix, padding_idx, vocab), trainable)


def embedding_bag(
    wv_or_matrix: HasRows,
    mode: Literal["mean", "sum", "max"] = "mean",
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
) -> WordEmbeddingBag:
    """Make a module that turns lists of ids into one vector each.

    Parameters
    ----------
    wv_or_matrix, trainable, padding_idx, vocab
        As in `embedding`. Padding does not count, whatever its row has.
    mode : "mean", "sum" or "max"
        What is made of the vectors of a list.

    Returns
    -------
    WordEmbeddingBag
        Ids of shape (batch, length) to float32 (batch, vector_size); zeros for a list of padding
        only.

    Raises
    ------
    ParameterError
        As `embedding`, or if `mode` is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.layers.jax import embedding_bag
    >>> layer = embedding_bag(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> layer(np.array([[2, 1], [1, 0]])).tolist()
    [[2.0, 3.0], [1.0, 2.0]]
    """
    check_mode(mode)
    rows = rows_of(wv_or_matrix, padding_idx, vocab, bag=True)
    return WordEmbeddingBag(rows, trainable, mode)
