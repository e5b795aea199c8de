"""Networks that tell texts apart, over a layer of word vectors.

Each reads the ids of a batch of texts, filled up behind, and knows how much of what they are filled
up with it has to see: then a batch of short texts need not be as long as the longest text of all,
and gives the same answer as if it were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = ("cnn", "kim")


class TextNetwork(nn.Module):  # type: ignore[misc]
    """What the networks have in common.

    Attributes
    ----------
    least : int
        The shortest text that gives anything, in words.
    reach : int
        How much padding behind its words a text needs for an answer that more would not change.
    """

    least: int
    reach: int

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def _begin_as_in_keras(self) -> None:
        """Draw weights by Glorot and Bengio's rule; with PyTorch's smaller ones learning waits."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def width(self, longest: int, maxlen: int) -> int:
        """Tell how wide a batch must be whose longest text has so many words."""
        return max(self.least, min(maxlen, longest + self.reach))


class PoolingNetwork(TextNetwork):
    """The network of Keras's tutorial on pre-trained word embeddings (Chollet 2016).

    Three convolutions of 5 words with rectified outputs, each followed by a maximum: over 5 places,
    over 5, and over all that is left (35 places in texts of 1,000 words, which is what the tutorial
    writes). Then a layer of as many units as there are filters.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        The layer of vectors.
    n_classes : int
        How many logits to give.
    filters : int
        Of each convolution, and units of the last layer but one.
    dropout : float
        Share of those units that are left out while learning; of the vectors' dimensions too.
    """

    # A place behind the last convolution sees 5 + 4 + 4*5 + 4*5 + 4*25 words, and the next one
    # begins 25 words later.
    least = 149
    reach = 149 + 25 - 1

    def __init__(
        self, embedding: nn.Embedding, n_classes: int, *, filters: int, dropout: float
    ) -> None:
        super().__init__(embedding)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_inputs, filters, 5)
            for n_inputs in (embedding.embedding_dim, filters, filters)
        )
        self.hidden = nn.Linear(filters, filters)
        self.output = nn.Linear(filters, n_classes)
        self.vector_dropout, self.dropout = nn.Dropout1d(dropout / 2), nn.Dropout(dropout)
        self._begin_as_in_keras()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Give logits, shape (batch, n_classes), of ids, shape (batch, length)."""
        places = self.vector_dropout(self.embedding(ids).transpose(1, 2))
        first, second, third = self.convolutions
        places = nn.functional.max_pool1d(first(places), 5).relu()
        places = nn.functional.max_pool1d(second(places), 5).relu()
        found = third(places).amax(dim=2).relu()
        return self.output(self.dropout(self.hidden(found).relu()))


class KimNetwork(TextNetwork):
    """Filters of several widths beside each other, and their maxima over the text (Kim 2014).

    "Convolutional Neural Networks for Sentence Classification", section 2, with filters of 3, 4 and
    5 words; without the limit to the length of the last layer's weights.

    Parameters
    ----------
    embedding, n_classes, dropout
        As of `PoolingNetwork`; dropout is that of the maxima.
    filters : int
        Of each width; 100 in the paper.
    """

    widths = (3, 4, 5)
    least = reach = 5

    def __init__(
        self, embedding: nn.Embedding, n_classes: int, *, filters: int, dropout: float
    ) -> None:
        super().__init__(embedding)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding.embedding_dim, filters, width) for width in self.widths
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(len(self.widths) * filters, n_classes)
        self._begin_as_in_keras()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Give logits, shape (batch, n_classes), of ids, shape (batch, length)."""
        places = self.embedding(ids).transpose(1, 2)
        found = [convolution(places).amax(dim=2).relu() for convolution in self.convolutions]
        return self.output(self.dropout(torch.cat(found, dim=1)))


def make_network(
    name: str, embedding: nn.Embedding, n_classes: int, *, filters: int, dropout: float
) -> TextNetwork:
    """Make the network of a name in `NETWORKS`."""
    makers: dict[str, Callable[..., TextNetwork]] = {"cnn": PoolingNetwork, "kim": KimNetwork}
    return makers[name](embedding, n_classes, filters=filters, dropout=dropout)
