"""A classifier that is a network: learned, asked, and written down as arrays."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from firth.errors import FormatError
from firth.layers import torch as layers
from firth.sequences import TextEncoder
from firth.tasks._networks import TextNetwork, make_network
from firth.tasks._settings import weights_of_classes
from firth.tasks._training import (
    TrainingRecord,
    adam_w,
    by_length,
    device_of,
    seeded,
    train_network,
)
from firth.tasks._words import training_words, with_unseen_words
from firth.vocab import Vocab, embedding_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from firth.sequences import Text
    from firth.tasks._settings import Settings
    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")

# The spread of vectors that begin at random, about that of trained ones: smaller ones learn later.
_SCRATCH_SPREAD = 0.1
_TEXTS_AT_A_TIME = 256


class NetworkClassifier:
    """A network over ids of texts.

    Attributes
    ----------
    encoder : TextEncoder
        Makes ids of texts; its vocabulary has the rows of the layer of vectors.
    network : TextNetwork
        Gives logits of ids.
    record : TrainingRecord
        What training did.
    n_truncated : int
        How many of the texts that were learned from are longer than the network reads.
    """

    def __init__(self, settings: Settings, vocab: Vocab, network: TextNetwork) -> None:
        self.settings, self.network = settings, network
        self.device = device_of(settings.device)
        network.to(self.device).eval()
        self.record = TrainingRecord()
        self.n_truncated = 0
        self.encoder = TextEncoder(
            vocab,
            settings.maxlen,
            padding="post",
            truncating="post",
            tokenizer=settings.tokenizer,
            lowercase=settings.lowercase,
        )
        self._padding = vocab["<pad>"]

    @classmethod
    def learn(
        cls,
        texts: Sequence[Text],
        numbers: NDArray[np.int64],
        classes: list[Any],
        wv: KeyedVectors | None,
        settings: Settings,
    ) -> NetworkClassifier:
        """Make a network of texts and the numbers of their classes."""
        counts = training_words(texts, settings)
        pretrained = settings.needs_vectors and wv is not None
        words = with_unseen_words(counts, wv, settings) if pretrained and wv else list(counts)
        # Words of the vectors alone count once: a vocabulary has no word that was never seen.
        vocab = Vocab({word: counts.get(word, 1) for word in words})
        with seeded(settings.seed):
            size = settings.vector_size if wv is None else wv.vector_size
            if pretrained and wv is not None:
                logger.info("%s", embedding_matrix(Vocab(counts), wv)[1])
                matrix, _ = embedding_matrix(vocab, wv)
            else:
                matrix = _random_rows(vocab, size, settings.seed)
            layer = layers.embedding(
                matrix, trainable=settings.embedding != "frozen", padding_idx=vocab["<pad>"]
            )
            network = make_network(
                settings.model,
                layer,
                len(classes),
                filters=settings.filters,
                dropout=settings.dropout,
            )
            made = cls(settings, vocab, network)
            made._train(texts, numbers, classes)
        return made

    def _train(self, texts: Sequence[Text], numbers: NDArray[np.int64], classes: list[Any]) -> None:
        settings = self.settings
        ids = self.encoder.encode(texts)
        self.n_truncated = self.encoder.n_truncated
        lengths = self._lengths(ids)
        held_out = hold_out(numbers, settings.validation, settings.seed)
        learned = np.flatnonzero(~np.isin(np.arange(len(ids)), held_out))
        targets = torch.from_numpy(numbers).to(self.device)
        counts = np.bincount(numbers[learned], minlength=len(classes)).tolist()
        weights = weights_of_classes(settings.class_weight, classes, counts)
        of_classes = None if weights is None else torch.tensor(weights, device=self.device)

        def loss_of(rows: NDArray[np.int64]) -> torch.Tensor:
            some = learned[rows]
            logits = self._logits(ids, lengths, some)
            return torch.nn.functional.cross_entropy(logits, targets[some], of_classes)

        def score() -> float:
            found = self._log_probabilities(ids[held_out], lengths[held_out])
            return float((found.argmax(axis=1) == numbers[held_out]).mean())

        self.record = train_network(
            self.network,
            loss_of,
            len(learned),
            optimizer=adam_w(self.network, settings.learning_rate),
            epochs=settings.epochs,
            batches=by_length(lengths[learned], settings.batch_size),
            seed=settings.seed,
            score=score if len(held_out) else None,
            patience=settings.patience,
            show_progress=settings.progress,
        )

    def log_probabilities(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        """Give the logarithms of the classes' probabilities, shape (n_texts, n_classes)."""
        ids = self.encoder.encode(texts)
        return self._log_probabilities(ids, self._lengths(ids))

    def _log_probabilities(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        self.network.eval()
        found = np.empty((len(ids), self.network.output.out_features), np.float32)
        order = np.argsort(lengths, kind="stable")
        for begin in range(0, len(ids), _TEXTS_AT_A_TIME):
            some = order[begin : begin + _TEXTS_AT_A_TIME]
            with torch.no_grad():
                logits = self._logits(ids, lengths, some)
            found[some] = logits.log_softmax(dim=1).cpu().numpy()
        return found

    def _lengths(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """Tell behind which word the padding of each text begins."""
        words = ids != self._padding
        behind = np.argmax(words[:, ::-1], axis=1) if ids.shape[1] else np.zeros(len(ids), np.int64)
        lengths: NDArray[np.int64] = np.where(words.any(axis=1), ids.shape[1] - behind, 0)
        return lengths

    def _logits(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> torch.Tensor:
        batch = self._batch(ids, lengths, rows)
        fast = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            logits = self.network(batch)
        return logits.float()

    def _batch(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> torch.Tensor:
        """Give the ids of some texts, as wide as the longest of them needs."""
        width = self.network.width(int(lengths[rows].max()), self.settings.maxlen)
        batch: NDArray[np.int32] = ids[rows, :width]
        if batch.shape[1] < width:
            batch = np.pad(batch, ((0, 0), (0, width - batch.shape[1])), constant_values=1)
        return torch.from_numpy(batch).to(self.device)

    # --- keeping --------------------------------------------------------------------------------

    @property
    def vocab(self) -> Vocab:
        """The words."""
        if self.encoder.vocab is None:
            raise AssertionError("it is given when this is made")
        return self.encoder.vocab

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Give the weights."""
        state = self.network.state_dict().items()
        return {name: np.ascontiguousarray(value.cpu().numpy()) for name, value in state}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], vocab: Vocab, n_classes: int, settings: Settings
    ) -> NetworkClassifier:
        """Make a classifier of what `tensors` gave.

        Raises
        ------
        FormatError
            If they do not fit the settings.
        """
        rows = tensors.get("embedding.weight")
        if rows is None or rows.ndim != 2 or len(rows) != len(vocab) or rows.dtype != np.float32:
            raise FormatError(f"has no matrix 'embedding.weight' of {len(vocab):,} rows of float32")
        layer = layers.embedding(
            rows, trainable=settings.embedding != "frozen", padding_idx=vocab["<pad>"]
        )
        network = make_network(
            settings.model, layer, n_classes, filters=settings.filters, dropout=settings.dropout
        )
        wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        have = {name: value.shape for name, value in tensors.items()}
        if wrong := sorted(n for n in {*wanted, *have} if wanted.get(n) != have.get(n)):
            name = wrong[0]
            raise FormatError(
                f"has the tensor {name!r} with the shape {have.get(name)}, where the network wants "
                f"{wanted.get(name)}"
            )
        # Copied: the file is mapped, and PyTorch has no arrays that cannot be written.
        network.load_state_dict(
            {name: torch.from_numpy(value.copy()) for name, value in tensors.items()}
        )
        return cls(settings, vocab, network)


def _random_rows(vocab: Vocab, size: int, seed: int) -> NDArray[np.float32]:
    """Draw vectors that no training has seen; that of padding is zeros."""
    random = np.random.default_rng(seed)
    matrix = random.normal(0, _SCRATCH_SPREAD, (len(vocab), size)).astype(np.float32)
    matrix[vocab["<pad>"]] = 0
    return matrix


def hold_out(numbers: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Choose texts to be held out, a share of each class, and never the last of one.

    Parameters
    ----------
    numbers : numpy.ndarray of int64, shape (n_texts,)
        The class of each text.
    share : float
        How many to hold out, from 0 to 1.
    seed : int
        Of the choice.

    Returns
    -------
    numpy.ndarray of int64
        Their numbers, in order; none of a class that has too few.
    """
    random = np.random.default_rng(seed)
    held = [
        random.permutation(rows)[: min(round(share * len(rows)), len(rows) - 1)]
        for rows in (np.flatnonzero(numbers == number) for number in np.unique(numbers))
    ]
    return np.sort(np.concatenate(held))
