"""Layers of word vectors for PyTorch; extra ``torch``.

::

    import torch
    from firth.layers.torch import embedding

    network = torch.nn.Sequential(embedding(wv), MyClassifier())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from firth.errors import MissingExtraError
from firth.layers._rows import check_mode, check_range, check_topn, rows_of

try:
    import torch
    from torch import nn
except ImportError as error:
    raise MissingExtraError("torch", "torch", "firth.layers.torch") from error

if TYPE_CHECKING:
    from collections.abc import Sized

    from firth.layers._rows import HasRows

__all__ = [
    "CosineModel",
    "NearestModel",
    "WordEmbedding",
    "WordEmbeddingBag",
    "cosine_model",
    "embedding",
    "embedding_bag",
    "nearest_model",
]


class WordEmbedding(nn.Embedding):  # type: ignore[misc]
    """PyTorch's `Embedding`, whose row of padding never moves; `embedding` makes it.

    Attributes
    ----------
    padding_vector : torch.Tensor, shape (vector_size,), or None
        What is given for padding, where that is not zeros. ``weight`` has zeros in its place, which
        no optimiser moves.
    """

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Look up ids of any shape; adds an axis of vector_size."""
        try:
            vectors = super().forward(ids)
        except IndexError as error:
            _check_range(ids, self.num_embeddings, error)
            raise
        if getattr(self, "padding_vector", None) is None:
            return vectors
        return torch.where((ids == self.padding_idx).unsqueeze(-1), self.padding_vector, vectors)


class WordEmbeddingBag(nn.EmbeddingBag):  # type: ignore[misc]
    """PyTorch's `EmbeddingBag`; `embedding_bag` makes it."""

    def forward(
        self,
        ids: torch.Tensor,
        offsets: torch.Tensor | None = None,
        per_sample_weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Reduce the vectors of each row of ids, or of each stretch that begins at an offset."""
        try:
            return super().forward(ids, offsets, per_sample_weights)
        except (IndexError, RuntimeError) as error:
            _check_range(ids, self.num_embeddings, error)
            raise


def _check_range(ids: torch.Tensor, n_rows: int, error: Exception) -> None:
    # Looked at only after PyTorch has refused something: what is right costs nothing.
    if ids.numel() and not ids.is_floating_point():
        lowest, highest = ids.aminmax()
        check_range(int(lowest), int(highest), n_rows, error)


def embedding(
    wv_or_matrix: HasRows,
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
    sparse: bool = False,
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
    sparse : bool
        Gradients of the rows that were looked up only, for `torch.optim.SparseAdam` and
        `torch.optim.SGD`: faster where the vocabulary is large.

    Returns
    -------
    WordEmbedding
        A `torch.nn.Embedding`: ids of shape (batch, length) to float32 (batch, length,
        vector_size). Its ``state_dict`` is that of PyTorch's layer.

    Raises
    ------
    ParameterError
        If there is no matrix of finite numbers, or padding or vocabulary do not fit it. So does the
        layer, if an id is out of range; on a GPU the error is CUDA's.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from firth.layers.torch import embedding
    >>> layer = embedding(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> layer(torch.tensor([[2, 1], [1, 0]])).tolist()
    [[[3.0, 4.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]]
    """
    matrix, padding_idx, padding_vector = rows_of(wv_or_matrix, padding_idx, vocab)
    layer: WordEmbedding = WordEmbedding.from_pretrained(
        torch.from_numpy(matrix), freeze=not trainable, padding_idx=padding_idx, sparse=sparse
    )
    if padding_vector is not None:
        layer.register_buffer("padding_vector", torch.from_numpy(padding_vector))
    return layer


def embedding_bag(
    wv_or_matrix: HasRows,
    mode: Literal["mean", "sum", "max"] = "mean",
    trainable: bool = False,
    padding_idx: int | None = None,
    *,
    vocab: Sized | None = None,
    sparse: bool = False,
) -> WordEmbeddingBag:
    """Make a layer that turns lists of ids into one vector each.

    Parameters
    ----------
    wv_or_matrix, trainable, padding_idx, vocab, sparse
        As in `embedding`. Padding does not count, whatever its row has.
    mode : "mean", "sum" or "max"
        What is made of the vectors of a list.

    Returns
    -------
    WordEmbeddingBag
        A `torch.nn.EmbeddingBag`: ids of shape (batch, length) to float32 (batch, vector_size);
        zeros for a list of padding only.

    Raises
    ------
    ParameterError
        As `embedding`, or if `mode` is none of these.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from firth.layers.torch import embedding_bag
    >>> layer = embedding_bag(np.array([[0, 0], [1, 2], [3, 4]], np.float32), padding_idx=0)
    >>> layer(torch.tensor([[2, 1], [1, 0]])).tolist()
    [[2.0, 3.0], [1.0, 2.0]]
    """
    check_mode(mode)
    matrix, padding_idx, _ = rows_of(wv_or_matrix, padding_idx, vocab, bag=True)
    layer: WordEmbeddingBag = WordEmbeddingBag.from_pretrained(
        torch.from_numpy(matrix),
        freeze=not trainable,
        mode=mode,
        padding_idx=padding_idx,
        sparse=sparse,
    )
    return layer


class CosineModel(nn.Module):  # type: ignore[misc]
    """Two words in, the cosine of their vectors out; `cosine_model` makes it."""

    def __init__(self, layer: nn.Embedding) -> None:
        super().__init__()
        self.embedding = layer

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Compare ids of any shape with others of the same."""
        return nn.functional.cosine_similarity(self.embedding(first), self.embedding(second), -1)


class NearestModel(nn.Module):  # type: ignore[misc]
    """Words in, those nearest to them out; `nearest_model` makes it."""

    def __init__(self, layer: nn.Embedding, topn: int) -> None:
        super().__init__()
        self.embedding, self.topn = layer, topn

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Find neighbours of ids of shape (batch,): ids and cosines, (batch, topn) each."""
        weight = self.embedding.weight
        lengths = torch.linalg.vector_norm(weight, dim=1)
        asked = nn.functional.normalize(self.embedding(ids), dim=-1)
        cosines = asked @ weight.T / lengths.clamp_min(torch.finfo(weight.dtype).tiny)
        # Neither a word itself nor a row without direction, such as that of padding.
        cosines.masked_fill_(lengths == 0, -torch.inf)
        cosines.scatter_(1, ids.unsqueeze(1).long(), -torch.inf)
        scores, rows = cosines.topk(min(self.topn, len(weight) - 1), dim=1)
        return rows, scores


def cosine_model(wv_or_layer: HasRows | nn.Embedding) -> CosineModel:
    """Make a model that compares two words.

    Parameters
    ----------
    wv_or_layer : torch.nn.Embedding, or what `embedding` takes
        A layer is shared, not copied, so that the model sees what it learns.

    Returns
    -------
    CosineModel
        Ids of shape (batch,) and others of shape (batch,) to cosines, float32 of shape (batch,);
        0 where a vector is zeros. Differentiable.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from firth.layers.torch import cosine_model
    >>> model = cosine_model(np.array([[3, 4], [4, 3], [-3, -4]], np.float32))
    >>> cosines = model(torch.tensor([0, 0]), torch.tensor([1, 2]))
    >>> [f"{cosine:.2f}" for cosine in cosines]
    ['0.96', '-1.00']
    """
    return CosineModel(_layer_of(wv_or_layer))


def nearest_model(wv_or_layer: HasRows | nn.Embedding, topn: int = 10) -> NearestModel:
    """Make a model that finds the nearest words of words, to look at while a layer learns.

    Parameters
    ----------
    wv_or_layer : torch.nn.Embedding, or what `embedding` takes
        A layer is shared, not copied.
    topn : int
        How many to find; fewer where there are fewer words.

    Returns
    -------
    NearestModel
        Ids of shape (batch,) to a pair: ids of neighbours, int64 (batch, topn), nearest first, and
        their cosines, float32 (batch, topn). The word itself is left out; rows of zeros come last,
        with minus infinity.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from firth.layers.torch import nearest_model
    >>> model = nearest_model(np.array([[3, 4], [4, 3], [-3, -4]], np.float32), topn=1)
    >>> model(torch.tensor([0, 2]))[0].tolist()
    [[1], [1]]
    """
    return NearestModel(_layer_of(wv_or_layer), check_topn(topn))


def _layer_of(wv_or_layer: HasRows | nn.Embedding) -> nn.Embedding:
    return wv_or_layer if isinstance(wv_or_layer, nn.Embedding) else embedding(wv_or_layer)
