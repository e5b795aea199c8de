"""Matrices whose rows are the words of a vocabulary, made of vectors of words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth.errors import ParameterError
from firth.vocab._checks import shortened

if TYPE_CHECKING:
    from firth.vocab._tokens import Vocab
    from firth.vocab._word_list import WordList

Unknown: TypeAlias = Literal["zero", "mean", "normal", "subword"]
MakeVector: TypeAlias = Callable[[int], ArrayLike]
UNKNOWN = ("zero", "mean", "normal", "subword")
_ROWS_AT_A_TIME = 1 << 14
_MOST_MISSING = 20
# Numbers of rows that a caller made up should not take all memory.
_MOST_EMPTY = 1 << 20


class HasVectors(Protocol):
    """What vectors are taken from: `firth.KeyedVectors`, which lives above this room."""

    @property
    def vocab(self) -> Any: ...
    @property
    def vectors(self) -> NDArray[Any]: ...
    @property
    def vector_size(self) -> int: ...
    @property
    def subwords(self) -> Any: ...


@dataclass(frozen=True)
class VocabCoverage:
    """How many words of a vocabulary have vectors; special tokens do not count.

    Attributes
    ----------
    n_words : int
        How many words there are.
    n_found : int
        How many have a vector of their own, as they are written or in lower case.
    n_lowercase : int
        How many of these only in lower case.
    n_subword : int
        For how many of the others subwords made one.
    n_tokens : int
        How often all words were seen; 0 if that is not known.
    n_tokens_found : int
        How often those were seen that have a vector, of subwords too.
    missing : list of (str, int)
        The most frequent words without a vector, with how often they were seen.
    """

    n_words: int
    n_found: int
    n_lowercase: int
    n_subword: int
    n_tokens: int
    n_tokens_found: int
    missing: list[tuple[str, int]] = field(repr=False)

    @property
    def types(self) -> float:
        """The share of the words that have a vector, from 0 to 1."""
        return (self.n_found + self.n_subword) / max(1, self.n_words)

    @property
    def tokens(self) -> float:
        """The share of the text that they are, from 0 to 1; NaN where counts are not known."""
        return self.n_tokens_found / self.n_tokens if self.n_tokens else float("nan")

    def __str__(self) -> str:
        n_have, text = self.n_found + self.n_subword, ""
        if self.n_tokens:
            text = f"; {100 * self.tokens:.1f} % of the text"
        share = f"({100 * self.types:.1f} %{text})"
        parts = [f"{n_have:,} of {self.n_words:,} words have vectors {share}"]
        if self.n_lowercase:
            parts.append(f"{self.n_lowercase:,} of them in lower case")
        if self.n_subword:
            parts.append(f"{self.n_subword:,} made of subwords")
        if self.missing:
            parts.append(f"without: {', '.join(word for word, _ in self.missing[:5])}")
        return "; ".join(parts)


@dataclass(frozen=True)
class _Targets:
    """Words, and the rows of the matrix to be made that are theirs."""

    words: list[str]
    rows: NDArray[np.int64]
    n_rows: int
    counts: NDArray[np.int64]
    is_special: NDArray[np.bool_]
    padding: int | None


def embedding_matrix(
    vocab: "Vocab | Mapping[str, int] | Sequence[str]",
    wv: HasVectors,
    unknown: Unknown | MakeVector = "zero",
    lowercase_fallback: bool = True,
    *,
    seed: int = 1,
) -> tuple[NDArray[np.float32], VocabCoverage]:
    """Make the matrix of a vocabulary: row i is the vector of the word with the id i.

    It is what an embedding layer of a network is filled with.

    Parameters
    ----------
    vocab : Vocab, or mapping of str to int, or sequence of str
        The words and their ids. A mapping may leave ids out, as Keras's ``word_index`` leaves 0:
        their rows are zeros.
    wv : KeyedVectors
        Where vectors come from.
    unknown : "zero", "mean", "normal", "subword", or callable
        The row of a word that has no vector: zeros; the mean of all vectors; drawn at random from a
        normal distribution that has their mean and spread in each dimension; made of the word's
        subwords; or the vector that a function makes of `vector_size`, such as ``numpy.ones``.
    lowercase_fallback : bool
        Take the vector of a word in lower case where there is none as it is written.
    seed : int
        Of "normal".

    Returns
    -------
    matrix : numpy.ndarray of float32, shape (n_ids, vector_size)
        The row of ``vocab.padding_token`` is zeros whatever `unknown` is.
    coverage : VocabCoverage
        How many words were found, and the most frequent ones that were not.

    Raises
    ------
    ParameterError
        If `unknown` is none of these, or "subword" where `wv` has no subwords, or ids are none.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab, embedding_matrix
    >>> vectors = np.array([[1, 2], [3, 4]], np.float32)
    >>> wv = KeyedVectors(Vocab.from_words(["hello", "world"]), vectors)
    >>> matrix, coverage = embedding_matrix(Vocab({"Hello": 3, "there": 1}), wv)
    >>> matrix.tolist()
    [[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]
    >>> print(coverage)
    1 of 2 words have vectors (50.0 %; 75.0 % of the text); 1 of them in lower case; without: there
    """
    if not callable(unknown) and unknown not in UNKNOWN:
        raise ParameterError(f"unknown is {unknown!r}, which is none of {', '.join(UNKNOWN)}")
    if unknown == "subword" and wv.subwords is None:
        raise ParameterError(
            "unknown='subword' needs vectors with subwords, as fastText's have; these have none: "
            "give 'zero', 'mean' or 'normal'"
        )
    targets = _targets_of(vocab)
    as_written = wv.vocab.ids(targets.words)
    found = as_written.copy()
    if lowercase_fallback:
        others = np.flatnonzero(found < 0)
        found[others] = wv.vocab.ids([targets.words[i].lower() for i in others.tolist()])
    source = wv.vectors
    matrix = np.zeros((targets.n_rows, wv.vector_size), np.float32)
    for begin in range(0, len(found), _ROWS_AT_A_TIME):
        some = found[begin : begin + _ROWS_AT_A_TIME]
        vectors = source[some].astype(np.float32, copy=False)
        some[~np.isfinite(vectors).all(axis=1)] = -1  # NaN is no vector
        vectors[some < 0] = 0
        matrix[targets.rows[begin : begin + _ROWS_AT_A_TIME]] = vectors
    missing = np.flatnonzero(found < 0)
    made = np.zeros(len(found), np.bool_)
    if unknown == "subword":
        missing = missing[~targets.is_special[missing]]
        vectors = wv.subwords.vectors([targets.words[i] for i in missing.tolist()])
        matrix[targets.rows[missing]] = vectors
        made[missing] = (vectors != 0).any(axis=1)
    elif unknown != "zero":
        matrix[targets.rows[missing]] = _made_up(source, len(missing), unknown, seed)
    if targets.padding is not None:
        matrix[targets.padding] = 0
    return matrix, _coverage(targets, as_written, found, made)


def _made_up(
    vectors: NDArray[Any], n: int, unknown: "Unknown | MakeVector", seed: int
) -> NDArray[np.floating]:
    """Make rows for words without vectors."""
    vector_size = vectors.shape[1]
    if callable(unknown):
        vector = np.asarray(unknown(vector_size), np.float32)
        if vector.shape != (vector_size,):
            raise ParameterError(
                f"the vector made for unknown words has the shape {vector.shape}; it must have "
                f"({vector_size},)"
            )
        return np.broadcast_to(vector, (n, vector_size))
    total, squares, n_used = np.zeros(vector_size), np.zeros(vector_size), 0
    for begin in range(0, len(vectors), _ROWS_AT_A_TIME):
        some = vectors[begin : begin + _ROWS_AT_A_TIME].astype(np.float64)
        some = some[np.isfinite(some).all(axis=1)]
        total += some.sum(axis=0)
        squares += (some**2).sum(axis=0)
        n_used += len(some)
    mean = total / max(1, n_used)
    if unknown == "mean":
        return np.broadcast_to(mean, (n, vector_size))
    spread = np.sqrt(np.maximum(squares / max(1, n_used) - mean**2, 0))
    return np.random.default_rng(seed).normal(mean, spread, (n, vector_size))


def _coverage(
    targets: _Targets,
    as_written: NDArray[np.int64],
    found: NDArray[np.int64],
    made: NDArray[np.bool_],
) -> VocabCoverage:
    is_word = ~targets.is_special
    has_vector = (found >= 0) | made
    without = np.flatnonzero(is_word & ~has_vector)
    # The most frequent first; where counts are the same or not known, in the order of the words.
    first = without[np.argsort(-targets.counts[without], kind="stable")[:_MOST_MISSING]]
    return VocabCoverage(
        n_words=int(is_word.sum()),
        n_found=int((is_word & (found >= 0)).sum()),
        n_lowercase=int((is_word & (found >= 0) & (as_written < 0)).sum()),
        n_subword=int((is_word & made).sum()),
        n_tokens=int(targets.counts[is_word].sum()),
        n_tokens_found=int(targets.counts[is_word & has_vector].sum()),
        missing=[(targets.words[i], int(targets.counts[i])) for i in first.tolist()],
    )


def _targets_of(vocab: "Vocab | Mapping[str, int] | Sequence[str]") -> _Targets:
    if isinstance(vocab, str):
        raise ParameterError(f"vocab is the string {shortened(vocab)}; give a vocabulary or a list")
    if isinstance(vocab, Mapping):
        return _targets_of_mapping(vocab)
    if not isinstance(vocab, Sequence):
        tokens = vocab.special_tokens
        special = {*tokens.pop("reserved_tokens", []), *tokens.values()}
        words = list(vocab.words)
        is_special = np.array([word in special for word in words], np.bool_)
        padding = None if vocab.padding_token is None else vocab.get(vocab.padding_token)
        return _Targets(words, np.arange(len(words)), len(words), vocab.counts, is_special, padding)
    words, nothing = list(vocab), np.zeros(len(vocab), np.int64)
    return _Targets(words, np.arange(len(words)), len(words), nothing, nothing > 0, None)


def _targets_of_mapping(ids: Mapping[str, int]) -> _Targets:
    words, rows = list(ids), np.array(list(ids.values()))
    if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0):
        raise ParameterError(f"ids are whole numbers from 0; there are others: {shortened(ids)}")
    if len(np.unique(rows)) < len(rows):
        raise ParameterError("two words have the same id; each needs one of its own")
    n_rows = int(rows.max(initial=-1)) + 1
    if n_rows > len(words) + _MOST_EMPTY:
        raise ParameterError(
            f"the highest id is {n_rows - 1:,}, and there are {len(words):,} words: the matrix "
            f"would be nearly empty; number words from 0 or 1"
        )
    nothing = np.zeros(len(words), np.int64)
    return _Targets(words, rows.astype(np.int64), n_rows, nothing, nothing > 0, None)


class TokenEmbedding:
    """The words of a vocabulary with their vectors, as GluonNLP has them.

    `Vocab.set_embedding` makes it.

    Attributes
    ----------
    idx_to_vec : numpy.ndarray of float32, shape (n_words, vector_size)
        Row i is the vector of the word with the id i.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab
    >>> matrix = np.array([[1, 2], [3, 4]], np.float32)
    >>> vocab = Vocab({"hello": 2, "there": 1})
    >>> vocab.set_embedding(KeyedVectors(Vocab.from_words(["hello", "world"]), matrix))
    >>> vocab.embedding["hello"].tolist(), vocab.embedding["unseen"].tolist()
    ([1.0, 2.0], [0.0, 0.0])
    """

    def __init__(self, vocab: "Vocab", matrix: NDArray[np.float32]) -> None:
        self._vocab = vocab
        self.idx_to_vec = matrix

    def __len__(self) -> int:
        return len(self.idx_to_vec)

    def __contains__(self, token: object) -> bool:
        return token in self._vocab

    def __getitem__(self, tokens: str | Sequence[str]) -> NDArray[np.float32]:
        return self.get_vecs_by_tokens(tokens)

    def __repr__(self) -> str:
        n_words, vector_size = self.idx_to_vec.shape
        return f"TokenEmbedding({n_words:,} words, vector_size={vector_size})"

    @property
    def idx_to_token(self) -> "WordList":
        """The words in the order of their ids."""
        return self._vocab.words

    @property
    def token_to_idx(self) -> Mapping[str, int]:
        """The id of each word."""
        return self._vocab.token_to_idx

    @property
    def unknown_token(self) -> str | None:
        """What stands for words that are not there."""
        return self._vocab.unknown_token

    def get_vecs_by_tokens(
        self, tokens: str | Sequence[str], lower_case_backup: bool = False
    ) -> NDArray[np.float32]:
        """Return the vector of a word, or those of a list of words as rows.

        Parameters
        ----------
        tokens : str, or sequence of str
            The words; the unknown token stands for those that are not there.
        lower_case_backup : bool
            Look for a word that is not there in lower case first.

        Returns
        -------
        numpy.ndarray of float32, shape (vector_size,) or (n_tokens, vector_size)
            A copy.

        Raises
        ------
        WordNotFoundError
            If a word is not there, and there is no unknown token.
        """
        words = [tokens] if isinstance(tokens, str) else list(tokens)
        if lower_case_backup:
            words = [word if word in self._vocab else word.lower() for word in words]
        vectors: NDArray[np.float32] = self.idx_to_vec[self._vocab.to_indices(words)]
        return vectors[0] if isinstance(tokens, str) else vectors

    def update_token_vectors(self, tokens: str | Sequence[str], new_embedding: ArrayLike) -> None:
        """Change the vectors of words that are there.

        Parameters
        ----------
        tokens : str, or sequence of str
            The words.
        new_embedding : array_like, shape (vector_size,) or (n_tokens, vector_size)
            Their new vectors.

        Raises
        ------
        ParameterError
            If a word is not there, or the vectors have another shape.
        """
        words = [tokens] if isinstance(tokens, str) else list(tokens)
        if unknown := [word for word in words if word not in self._vocab]:
            raise ParameterError(f"{shortened(unknown[0])} is not in the vocabulary")
        vectors = np.asarray(new_embedding, np.float32)
        shape = (len(words), self.idx_to_vec.shape[1])
        if vectors.shape != (shape[1:] if isinstance(tokens, str) else shape):
            raise ParameterError(f"vectors of shape {vectors.shape} were given; {shape} is wanted")
        self.idx_to_vec[[self._vocab[word] for word in words]] = vectors


def joined_embeddings(
    vocab: "Vocab",
    embeddings: Sequence[HasVectors | None],
    unknown: "Unknown | MakeVector",
    lowercase_fallback: bool,
    seed: int,
) -> NDArray[np.float32]:
    """Make the matrix of a vocabulary from several sources; see `Vocab.set_embedding`."""
    sources = [wv for wv in embeddings if wv is not None and hasattr(wv, "vector_size")]
    if not sources or len(sources) < len(embeddings):
        raise ParameterError(
            "give one embedding or more, of KeyedVectors: vocab.set_embedding(wv); or None alone"
        )
    parts = [embedding_matrix(vocab, wv, unknown, lowercase_fallback, seed=seed) for wv in sources]
    return np.concatenate([matrix for matrix, _ in parts], axis=1)
