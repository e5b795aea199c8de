"""The network of a tagger: words and characters in, scores of tags out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from firth.layers import torch as layers
from firth.tasks._crf import ConditionalRandomField
from firth.tasks._tag_schemes import OUTSIDE, may_follow
from firth.tasks._tag_words import N_SPECIAL, PADDING, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from firth.tasks._tag_words import EncodedSentences

_CHARACTER_SIZE = 30
_N_FILTERS = 50
_CHARACTER_HIDDEN = 25
_N_CONVOLUTIONS = 3
_WIDTH = 3
_SENTENCES_AT_A_TIME = 64


@dataclass(frozen=True)
class Batch:
    """Some sentences, one a row, filled up to the longest.

    Attributes
    ----------
    rows : torch.Tensor of int64, shape (batch, length)
        Rows of the words' vectors.
    words : torch.Tensor of int64, shape (batch, length)
        Which of the distinct words of `characters` stands there.
    characters : torch.Tensor of int64, shape (n_distinct, n_characters), or None
        Of the distinct words of these sentences.
    mask : torch.Tensor of bool, shape (batch, length)
        Where there are words.
    """

    rows: torch.Tensor
    words: torch.Tensor
    characters: torch.Tensor | None
    mask: torch.Tensor


def make_batch(
    encoded: EncodedSentences, sentences: NDArray[np.int64], device: torch.device
) -> Batch:
    """Lay out some of the sentences, by their numbers."""
    at, mask = positions(encoded, sentences)
    words = np.where(mask, encoded.words[at], 0)
    rows = np.where(mask, encoded.rows[words], PADDING)
    characters = None
    if encoded.characters is not None:
        distinct, words_here = np.unique(words, return_inverse=True)
        words = words_here.reshape(words.shape)
        chosen = encoded.characters[distinct]
        longest = int((chosen != PADDING).sum(axis=1).max(initial=1))
        characters = torch.from_numpy(chosen[:, :longest]).to(device)
    return Batch(
        torch.from_numpy(rows).to(device),
        torch.from_numpy(words).to(device),
        characters,
        torch.from_numpy(mask).to(device),
    )


def positions(
    encoded: EncodedSentences, sentences: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Tell where the words of some sentences are, (batch, length), and where there are none."""
    lengths = encoded.lengths[sentences]
    column = np.arange(lengths.max(initial=0))
    mask = column < lengths[:, None]
    at = np.where(mask, (encoded.ends[sentences] - lengths)[:, None] + column, 0)
    return at, mask


class WordVectors(nn.Module):  # type: ignore[misc]
    """Vectors that are learned, and behind them such that stay as they are.

    Parameters
    ----------
    learned : numpy.ndarray of float32, shape (n_learned, vector_size)
        How they begin; rows 0 and 1 are those of padding and of unknown words.
    fixed : numpy.ndarray of float32, shape (n_fixed, vector_size), or None
        The others.
    dropout : float
        The share of words that are unknown ones while it learns, so that there is something to
        learn from for these.
    """

    def __init__(
        self, learned: NDArray[np.float32], fixed: NDArray[np.float32] | None, dropout: float
    ) -> None:
        super().__init__()
        self.learned = layers.embedding(learned, trainable=True, padding_idx=PADDING)
        self.fixed = None if fixed is None or not len(fixed) else layers.embedding(fixed)
        self.dropout = dropout
        self.vector_size = learned.shape[1]

    @classmethod
    def empty(cls, vector_size: int) -> WordVectors:
        """Make one without words."""
        return cls(np.zeros((N_SPECIAL, vector_size), np.float32), None, 0)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Look up rows of shape (batch, length); adds an axis of vector_size."""
        if self.training and self.dropout:
            drop = torch.rand(rows.shape, device=rows.device) < self.dropout
            rows = rows.masked_fill(drop & (rows != PADDING), UNKNOWN)
        if self.fixed is None:
            return self.learned(rows)
        n_learned = self.learned.num_embeddings
        is_fixed = (rows >= n_learned).unsqueeze(2)
        return torch.where(
            is_fixed,
            self.fixed((rows - n_learned).clamp_min(0)),
            self.learned(rows.masked_fill(is_fixed.squeeze(2), PADDING)),
        )


class CharacterConvolution(nn.Module):  # type: ignore[misc]
    """A vector of a word's characters: filters over three neighbours, and the largest of each.

    Ma and Hovy (2016), "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF".
    """

    size = _N_FILTERS

    def __init__(self, n_characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_characters, _CHARACTER_SIZE, padding_idx=PADDING)
        bound = (3 / _CHARACTER_SIZE) ** 0.5
        with torch.no_grad():
            self.embedding.weight[1:].uniform_(-bound, bound)
        self.filters = nn.Conv1d(_CHARACTER_SIZE, _N_FILTERS, _WIDTH, padding=_WIDTH // 2)

    def forward(self, characters: torch.Tensor) -> torch.Tensor:
        """Make vectors (n_words, size) of numbers of characters (n_words, n_characters)."""
        found = self.filters(self.embedding(characters).transpose(1, 2))
        found = found.masked_fill((characters == PADDING).unsqueeze(1), -torch.inf)
        return found.amax(dim=2).clamp_min(-1e4)


class CharacterLSTM(nn.Module):  # type: ignore[misc]
    """A vector of a word's characters: the ends of two LSTMs; Lample et al. (2016)."""

    size = 2 * _CHARACTER_HIDDEN

    def __init__(self, n_characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_characters, _CHARACTER_SIZE, padding_idx=PADDING)
        self.lstm = nn.LSTM(
            _CHARACTER_SIZE, _CHARACTER_HIDDEN, batch_first=True, bidirectional=True
        )

    def forward(self, characters: torch.Tensor) -> torch.Tensor:
        """Make vectors (n_words, size) of numbers of characters (n_words, n_characters)."""
        lengths = (characters != PADDING).sum(dim=1).clamp_min(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(characters), lengths, True, enforce_sorted=False
        )
        _, (ends, _) = self.lstm(packed)
        return ends.transpose(0, 1).flatten(1)


class BidirectionalLSTM(nn.Module):  # type: ignore[misc]
    """Words in the light of those before and behind them: an LSTM in each direction.

    Two networks, of which one gets each sentence from its end: twice as fast on a processor as one
    in both directions over packed sequences, and the same.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.backwards = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.size = 2 * hidden_size

    def forward(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Give vectors (batch, length, size) for vectors (batch, length, input_size)."""
        column = torch.arange(vectors.shape[1], device=vectors.device)
        lengths = batch.mask.sum(dim=1, keepdim=True)
        mirrored = torch.where(batch.mask, lengths - 1 - column, column).unsqueeze(2)
        before, _ = self.forwards(vectors)
        behind, _ = self.backwards(_taken(vectors, mirrored))
        return torch.cat([before, _taken(behind, mirrored)], dim=2)


def _taken(vectors: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    return vectors.gather(1, columns.expand_as(vectors))


class Convolutions(nn.Module):  # type: ignore[misc]
    """Words in the light of their neighbours: convolutions, each adding to what came before it.

    Three of width 3 with steps of 1, 2 and 4 see 7 words on either side: Strubell et al. (2017),
    "Fast and accurate entity recognition with iterated dilated convolutions".
    """

    def __init__(self, input_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.size = 2 * hidden_size
        self.first = nn.Linear(input_size, self.size)
        self.filters = nn.ModuleList(
            nn.Conv1d(self.size, self.size, _WIDTH, padding=2**i, dilation=2**i)
            for i in range(_N_CONVOLUTIONS)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Give vectors (batch, length, size) for vectors (batch, length, input_size)."""
        empty = ~batch.mask.unsqueeze(1)
        found = torch.relu(self.first(vectors)).transpose(1, 2)
        for each in self.filters:
            found = found.masked_fill(empty, 0)
            found = found + self.dropout(torch.relu(each(found)))
        return found.transpose(1, 2)


class TaggingNetwork(nn.Module):  # type: ignore[misc]
    """Scores of tags for each word.

    Parameters
    ----------
    vectors : WordVectors
        Of the words.
    tags : sequence of str
        Those of BIOES.
    kind : "bilstm" or "cnn"
        What looks at the words around.
    characters : "cnn", "bilstm" or None
        What looks at the characters of each.
    n_characters : int
        How many characters there are.
    hidden_size : int
        How large the vector of a word is in each direction.
    dropout : float
        The share of figures that are left out while it learns.
    crf : bool
        Learn which tags follow which. Without, they follow each other as they may, that is all.
    """

    def __init__(
        self,
        vectors: WordVectors,
        tags: Sequence[str],
        *,
        kind: str,
        characters: str | None,
        n_characters: int,
        hidden_size: int,
        dropout: float,
        crf: bool,
    ) -> None:
        super().__init__()
        self.vectors = vectors
        of_kind = {"cnn": CharacterConvolution, "bilstm": CharacterLSTM, None: None}[characters]
        self.characters = None if of_kind is None else of_kind(n_characters)
        size = vectors.vector_size + (0 if self.characters is None else self.characters.size)
        self.context: nn.Module
        if kind == "bilstm":
            self.context = BidirectionalLSTM(size, hidden_size)
        else:
            self.context = Convolutions(size, hidden_size, dropout)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(self.context.size, len(tags))
        self.crf = _chain(tags)
        if not crf:
            for parameter in self.crf.parameters():
                nn.init.zeros_(parameter).requires_grad_(False)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Give scores of shape (batch, length, n_tags)."""
        vectors = self.vectors(batch.rows)
        if self.characters is not None:
            of_characters = self.characters(batch.characters)[batch.words]
            vectors = torch.cat([vectors, of_characters], dim=2)
        found = self.context(self.dropout(vectors), batch)
        return self.scores(self.dropout(found))


def decode(
    network: TaggingNetwork,
    encoded: EncodedSentences,
    device: torch.device,
    *,
    with_probabilities: bool = False,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Tag sentences, some at a time, those that are about as long together.

    Yields
    ------
    rows : numpy.ndarray of int64, shape (batch,)
        Which sentences; none without words.
    tags : numpy.ndarray of int64, shape (batch, length)
        Numbers of their tags.
    probabilities : numpy.ndarray of float32, shape (batch, length)
        How probable these are; empty if not wanted.
    """
    order = np.argsort(encoded.lengths, kind="stable")
    order = order[encoded.lengths[order] > 0]
    network.eval()
    probabilities = np.empty(0, np.float32)
    for begin in range(0, len(order), _SENTENCES_AT_A_TIME):
        rows = order[begin : begin + _SENTENCES_AT_A_TIME]
        batch = make_batch(encoded, rows, device)
        with torch.no_grad():
            scores = network(batch)
            tags = network.crf.decode(scores, batch.mask)
        if with_probabilities:
            of_tags = network.crf.probabilities(scores, batch.mask)
            probabilities = of_tags.gather(2, tags.unsqueeze(2)).squeeze(2).cpu().numpy()
        yield rows, tags.cpu().numpy(), probabilities


def tags_of(labels: Sequence[str]) -> list[str]:
    """List the tags of BIOES for these labels."""
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BIES")]


def _chain(tags: Sequence[str]) -> ConditionalRandomField:
    return ConditionalRandomField(
        np.array([[may_follow(a, b) for b in tags] for a in tags]),
        np.array([may_follow(OUTSIDE, tag) for tag in tags]),
        np.array([may_follow(tag, OUTSIDE) for tag in tags]),
    )
