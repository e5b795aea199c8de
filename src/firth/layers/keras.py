"""Layers of word vectors for Keras 3, with any of its backends; extra ``keras``.

::

    import keras
    from firth.layers.keras import embedding

    network = keras.Sequential([embedding(wv), keras.layers.GlobalAveragePooling1D(), ...])

A model with these layers that was saved opens again after ``import firth.layers.keras``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from firth.errors import MissingExtraError
from firth.layers._rows import check_mode, check_range, check_topn, rows_of

try:
    import keras
    from keras import ops
except ImportError as error:
    if error.name in {None, "keras"}:
        raise MissingExtraError("keras", "keras", "firth.layers.keras") from error
    purpose = "Keras (the environment variable KERAS_BACKEND names its backend: torch, jax, ...)"
    raise MissingExtraError(error.name.partition(".")[0], "torch", purpose) from error

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized

    from firth.layers._rows import HasRows

__all__ = [
    "WordEmbedding",
    "WordEmbeddingBag",
    "cosine_model",
    "embedding",
    "embedding_bag",
    "nearest_model",
]


@keras.saving.register_keras_serializable("firth")
class WordEmbedding(keras.layers.Embedding):  # type: ignore[misc]
    """Keras's `Embedding` with a row of padding that never moves; `embedding` makes it.

    Parameters
    ----------
    input_dim, output_dim : int
        The number of ids, and the size of the vectors.
    padding_idx : int, optional
        The id of padding.
    padding_vector : sequence of float, optional
        What is given for padding in place of zeros. The weights have zeros in its place, which no
        optimiser moves.
    mask_padding : bool
        Tell the layers behind which places are padding, as ``mask_zero`` does for 0.
    **options
        Those of Keras's `Embedding`.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        padding_idx: int | None = None,
        padding_vector: Sequence[float] | None = None,
        mask_padding: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(input_dim, output_dim, **options)
        self.padding_idx, self.mask_padding = padding_idx, mask_padding
        self.padding_vector = None if padding_vector is None else tuple(padding_vector)
        self.supports_masking = mask_padding

    def call(self, inputs: Any) -> Any:
        """Look up ids of any shape; adds an axis of output_dim."""
        ids = ops.cast(inputs, "int32")
        checked = _checked(ids, self.input_dim)
        vectors = super().call(ids)
        if self.padding_idx is not None:
            # Cuts off the gradient, too.
            padding = ops.zeros((), vectors.dtype)
            if self.padding_vector is not None:
                padding = ops.convert_to_tensor(self.padding_vector, vectors.dtype)
            is_padding = ops.expand_dims(ops.equal(ids, self.padding_idx), -1)
            vectors = ops.where(is_padding, padding, vectors)
        if not checked:
            known = ops.logical_and(ids >= 0, ids < self.input_dim)
            nan = ops.convert_to_tensor(np.nan, vectors.dtype)
            vectors = ops.where(ops.expand_dims(known, -1), vectors, nan)
        return vectors

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:  # noqa: ARG002 (Keras's signature)
        """Tell where there are words and not padding; None unless `mask_padding`."""
        if not self.mask_padding or self.padding_idx is None:
            return None
        return ops.not_equal(inputs, self.padding_idx)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters, to make the layer again."""
        return {
            **super().get_config(),
            "padding_idx": self.padding_idx,
            "padding_vector": self.padding_vector,
            "mask_padding": self.mask_padding,
        }


@keras.saving.register_keras_serializable("firth")
class WordEmbeddingBag(WordEmbedding):
    """One vector for each list of ids; `embedding_bag` makes it.

    Parameters
    ----------
    input_dim, output_dim, padding_idx, **options
        As for `WordEmbedding`.
    mode : "mean", "sum" or "max"
        What is made of the vectors of a list.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        padding_idx: int | None = None,
        mode: str = "mean",
        **options: Any,
    ) -> None:
        super().__init__(input_dim, output_dim, padding_idx, **options)
        self.mode = check_mode(mode)

    def call(self, inputs: Any) -> Any:
        """Reduce the vectors of ids of shape (..., length) to one, (..., output_dim)."""
        vectors = super().call(inputs)
        counts = ops.ones_like(inputs, vectors.dtype)
        if self.padding_idx is not None:
            counts = ops.cast(ops.not_equal(inputs, self.padding_idx), vectors.dtype)
        n_words = ops.sum(counts, axis=-1, keepdims=True)
        if self.mode == "max":
            lowest = ops.convert_to_tensor(-np.inf, vectors.dtype)
            vectors = ops.where(ops.expand_dims(counts, -1) > 0, vectors, lowest)
            return ops.where(n_words > 0, ops.max(vectors, axis=-2), ops.zeros_like(n_words))
        total = ops.sum(vectors, axis=-2)
        return total if self.mode == "sum" else total / ops.maximum(n_words, 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of what comes out."""
        return (*input_shape[:-1], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters, to make the layer again."""
        config = {**super().get_config(), "mode": self.mode}
        return {name: config[name] for name in config.keys() - {"padding_vector", "mask_padding"}}


def _checked(ids: Any, n_rows: int) -> bool:
    """Check the range of ids that can be looked at; tells whether they could."""
    if 0 in ids.shape:
        return True
    try:
        lowest, highest = int(ops.min(ids)), int(ops.max(ids))
    except Exception:  # noqa: BLE001 (each backend has its own error for what is being traced)
        return False
    check_range(lowest, highest, n_rows)
    return True


def embedding(
    wv_or_matrix: HasRows,
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
    mask_padding: bool = False,
    **options: Any,
) -> WordEmbedding:
    """Make a layer that turns ids into word vectors.

    Parameters
    ----------
    wv_or_matrix : KeyedVectors, array_like of shape (n_ids, vector_size), or other
        The rows, which are copied: of vectors (the ids are those of ``wv.key_to_index``), of a
        matrix, of ``vocab.embedding``, or of what `firth.embedding_matrix` returns.
    trainable : bool
        Let training move the rows. Otherwise they stay as they are, to the bit.
    padding_idx : int, optional
        The id of padding, whose row never moves. Without, that of ``vocab.padding_token``.
    vocab : Vocab, mapping of str to int, or list of str, optional
        The words whose ids will be given, to check that they fit the rows.
    mask_padding : bool
        Tell the layers behind which places are padding, as Keras's ``mask_zero`` does for 0.
    **options
        Those of `keras.layers.Embedding`, such as ``name``.

    Returns
    -------
    WordEmbedding
        A `keras.layers.Embedding`: ids of shape (batch, length) to float32 (batch, length,
        vector_size).

    Raises
    ------
    ParameterError
        If there is no matrix of finite numbers, or padding or vocabulary do not fit it. So does the
        layer, if an id is out of range; inside of a compiled function, as in ``fit``, it gives NaN
        for that id, unless the backend raises its own error.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.layers.keras import embedding
    >>> layer = embedding(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> np.array(layer(np.array([[2, 1], [1, 0]]))).tolist()
    [[[3.0, 4.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]]
    """
    matrix, padding_idx, padding_vector = rows_of(wv_or_matrix, padding_idx, vocab)
    return WordEmbedding(
        matrix.shape[0],
        matrix.shape[1],
        padding_idx=padding_idx,
        padding_vector=None if padding_vector is None else padding_vector.tolist(),
        mask_padding=mask_padding,
        weights=matrix,
        trainable=trainable,
        **options,
    )


def embedding_bag(
    wv_or_matrix: HasRows,
    mode: Literal["mean", "sum", "max"] = "mean",
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
    **options: Any,
) -> WordEmbeddingBag:
    """Make a layer that turns lists of ids into one vector each.

    Parameters
    ----------
    wv_or_matrix, trainable, padding_idx, vocab, **options
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
    >>> from firth.layers.keras import embedding_bag
    >>> layer = embedding_bag(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> np.array(layer(np.array([[2, 1], [1, 0]]))).tolist()
    [[2.0, 3.0], [1.0, 2.0]]
    """
    check_mode(mode)
    matrix, padding_idx, _ = rows_of(wv_or_matrix, padding_idx, vocab, bag=True)
    return WordEmbeddingBag(
        matrix.shape[0],
        matrix.shape[1],
        padding_idx=padding_idx,
        mode=mode,
        weights=matrix,
        trainable=trainable,
        **options,
    )


@keras.saving.register_keras_serializable("firth")
class _Nearest(keras.layers.Layer):  # type: ignore[misc]
    """Scores all rows of an embedding against vectors of some of them."""

    def __init__(self, layer: keras.layers.Embedding, topn: int, **options: Any) -> None:
        super().__init__(**options)
        self.embedding, self.topn = layer, topn

    def call(self, ids: Any) -> tuple[Any, Any]:
        matrix = ops.convert_to_tensor(self.embedding.embeddings)
        lengths = ops.norm(matrix, axis=1)
        asked = ops.normalize(self.embedding(ids), axis=-1)
        cosines = ops.matmul(asked, ops.transpose(matrix))
        cosines = cosines / ops.maximum(lengths, np.finfo(np.float32).tiny)
        # Neither a word itself nor a row without direction, such as that of padding.
        rows = ops.arange(self.embedding.input_dim, dtype="int32")
        itself = ops.equal(rows, ops.expand_dims(ops.cast(ids, "int32"), -1))
        cosines = ops.where(ops.logical_or(itself, lengths == 0), -np.inf, cosines)
        scores, found = ops.top_k(cosines, min(self.topn, self.embedding.input_dim - 1))
        return found, scores

    def get_config(self) -> dict[str, Any]:
        layer = keras.saving.serialize_keras_object(self.embedding)
        return {**super().get_config(), "layer": layer, "topn": self.topn}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _Nearest:
        config["layer"] = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**config)


def cosine_model(wv_or_layer: HasRows | keras.layers.Embedding) -> keras.Model:
    """Make a model that compares two words.

    Parameters
    ----------
    wv_or_layer : keras.layers.Embedding, or what `embedding` takes
        A layer is shared, not copied, so that the model sees what it learns.

    Returns
    -------
    keras.Model
        Inputs ``first`` and ``second``, ids of shape (batch,), to cosines, float32 of shape
        (batch,); 0 where a vector is zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.layers.keras import cosine_model
    >>> model = cosine_model(np.array([[3, 4], [4, 3], [-3, -4]], np.float32))
    >>> cosines = model.predict([np.array([0, 0]), np.array([1, 2])], verbose=0)
    >>> [f"{cosine:.2f}" for cosine in cosines]
    ['0.96', '-1.00']
    """
    layer = _layer_of(wv_or_layer)
    first, second = (keras.Input((), dtype="int32", name=name) for name in ("first", "second"))
    cosine = keras.layers.Dot(axes=-1, normalize=True, name="cosine")
    scores = cosine([layer(first), layer(second)])
    return keras.Model([first, second], ops.squeeze(scores, -1), name="cosine_model")


def nearest_model(wv_or_layer: HasRows | keras.layers.Embedding, topn: int = 10) -> keras.Model:
    """Make a model that finds the nearest words of words, to look at while a layer learns.

    Parameters
    ----------
    wv_or_layer : keras.layers.Embedding, or what `embedding` takes
        A layer is shared, not copied.
    topn : int
        How many to find; fewer where there are fewer words.

    Returns
    -------
    keras.Model
        Ids of shape (batch,) to a pair: ids of neighbours, int32 (batch, topn), nearest first, and
        their cosines, float32 (batch, topn). The word itself is left out; rows of zeros come last,
        with minus infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.layers.keras import nearest_model
    >>> model = nearest_model(np.array([[3, 4], [4, 3], [-3, -4]], np.float32), topn=1)
    >>> np.array(model(np.array([0, 2]))[0]).tolist()
    [[1], [1]]
    """
    nearest = _Nearest(_layer_of(wv_or_layer), check_topn(topn), name="nearest")
    ids = keras.Input((), dtype="int32", name="ids")
    return keras.Model(ids, nearest(ids), name="nearest_model")


def _layer_of(wv_or_layer: HasRows | keras.layers.Embedding) -> keras.layers.Embedding:
    is_layer = isinstance(wv_or_layer, keras.layers.Embedding)
    return wv_or_layer if is_layer else embedding(wv_or_layer)
