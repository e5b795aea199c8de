"""PPMI and its singular value decomposition (Levy and Goldberg 2014; Levy et al. 2015)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError, MissingExtraError, ParameterError
from firth.machine import usable_cores
from firth.models._checks import at_least_1, finite, whole
from firth.models._counted import Counted, TextSettings, counted
from firth.models._kept_phrases import phrase_folders
from firth.models._texts import models_of_phrases
from firth.progress import progress as show_progress
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from firth.cooccurrence import Cooccurrences
    from firth.models._texts import type_of_source
    from firth.vocab import Vocab

DEFAULT_WINDOW = 5
# Power iterations, each of two products with the matrix. Fewer are faster and cost quality: on 17
# million words, one of them half of the analogies.
_POWER_ITERATIONS = 7
_ENTRIES_PER_BLOCK = 1 << 22


class PPMI(Counted):
    """Word vectors by a truncated singular value decomposition of a matrix of PPMI.

    Counts and decomposes when it is made; `wv` are the vectors. Without a text it waits for
    `firth.cluster.train`. No learning rates, no epochs, the same result each time.

    Parameters
    ----------
    sentences : iterable of lists of str, optional
        Tokens of each sentence; read once, so that a generator will do. With `tokenizer`, an
        iterable of texts instead.
    corpus_file : str, path, list of paths or binary file, optional
        Text, in any form that `firth.text.open_text` reads.
    cooccurrences : Cooccurrences, optional
        What `firth.count_cooccurrences` counted. Not more than one of `sentences`, `corpus_file`
        and this is given; the parameters of counting and of text go with the first two only.
    vector_size : int, default 100
        Dimensions of a vector.
    window : int, default 5
        Words on either side of a word that count as its context.
    symmetric : bool, default True
        Whether the words on both sides are context, or only those to the left.
    distance_weighting : bool, default True
        Whether a pair at distance d counts ``1 / d``, or 1.
    min_count : int, default 5
        Words seen less often are left out.
    negative : float, default 1
        PMI is lowered by the logarithm of this, as skip-gram with so many negatives does.
    context_smoothing : float, default 0.75
        Contexts are counted to this power; 1 smooths nothing.
    eigenvalue_weighting : float, default 0.5
        Singular values are taken to this power: 1 is the decomposition as it is, 0 leaves them out.
    seed : int, default 1
        Of the decomposition, which is randomised.
    workers : int, optional
        Threads that count; one for each core if not given.
    memory_limit : float, default 2.0
        Gigabytes that counting may take. The decomposition needs the matrix in memory, some 16
        bytes for each pair.
    keep_cooccurrences : str or Path, optional
        A folder where the counts are kept, for `Cooccurrences`; they are temporary otherwise.
    max_final_vocab : int, optional
        At most this many words, the most frequent ones.
    tokenizer, lowercase, field, errors, phrases
        How text is read, as for `Word2Vec`.
    progress : bool, optional
        None or True: a bar if standard error is a terminal, else lines of the logger "firth";
        False: nothing.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors, to be asked.
    singular_values : numpy.ndarray of float32, shape (vector_size,)
        The largest of the matrix, falling.
    corpus_total_words : int
        Words of the vocabulary in the text.
    n_pairs, n_positive : int
        Pairs of words that were counted, and those whose PMI is above 0.
    counting_seconds, training_seconds : float
        How long counting and decomposing took, without reading the text.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or goes with another source.
    SourceError, TextError
        The text cannot be read, or is empty.
    VocabularyError
        No word is left.
    InputError
        No sentence has two words, or no pair has a positive PMI.
    OutputError
        The disk is full.
    FormatError
        The co-occurrences are damaged.
    MissingExtraError
        scikit-learn is not installed.

    Notes
    -----
    An entry is ``max(0, log(x S / (r c^a)) - log(negative))``: x is the count of the pair, r the
    sum of its row, c that of its column, a the `context_smoothing` and S the sum of all ``c^a``
    (Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", equation 11;
    Levy, Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons Learned from
    Word Embeddings", sections 3.2 and 3.3). The decomposition is scikit-learn's `randomized_svd`
    (Halko, Martinsson and Tropp 2011).

    Examples
    --------
    >>> from firth.models import PPMI
    >>> sentences = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 100
    >>> model = PPMI(sentences, vector_size=3, progress=False)
    >>> model.wv.most_similar("king", topn=1)[0][0]
    'queen'
    """

    interrupted = False  # there is nothing to keep of a decomposition that is not finished

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        cooccurrences: Cooccurrences | None = None,
        vector_size: int = 100,
        *,
        window: int = DEFAULT_WINDOW,
        symmetric: bool = True,
        distance_weighting: bool = True,
        min_count: int = 5,
        negative: float = 1.0,
        context_smoothing: float = 0.75,
        eigenvalue_weighting: float = 0.5,
        seed: int = 1,
        workers: int | None = None,
        memory_limit: float = 2.0,
        keep_cooccurrences: str | os.PathLike[str] | None = None,
        max_final_vocab: int | None = None,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        phrases: Any = None,
        progress: bool | None = None,
    ) -> None:
        self.vector_size = at_least_1("vector_size", vector_size)
        self.negative = finite("negative", negative, above=0.0)
        self.context_smoothing = finite("context_smoothing", context_smoothing)
        self.eigenvalue_weighting = finite("eigenvalue_weighting", eigenvalue_weighting)
        self.seed = whole("seed", seed)
        if seed < 0:
            raise ParameterError(f"seed must be 0 or more, not {seed}")
        self.workers = usable_cores() if workers is None else at_least_1("workers", workers)
        self._progress = progress
        _check_extra()
        self._phrases = models_of_phrases(phrases)
        self.settings = settings = TextSettings(
            window, symmetric, distance_weighting, min_count, max_final_vocab, memory_limit,
            keep_cooccurrences, tokenizer, lowercase, field, errors, self._phrases or None,
        )  # fmt: skip
        if cooccurrences is None and sentences is None and corpus_file is None:
            settings.check()
            self.min_count = min_count
            return
        with counted(
            cooccurrences,
            sentences,
            corpus_file,
            settings,
            TextSettings(DEFAULT_WINDOW),
            workers=self.workers,
            progress=progress,
        ) as (counts, self.counting_seconds):
            self.window, self.symmetric = counts.window, counts.symmetric
            self.distance_weighting = counts.distance_weighting
            self.min_count = min_count
            self.corpus_total_words, self.n_pairs = counts.n_tokens, counts.n_nonzero
            self._train(counts)

    def _train(self, counts: Cooccurrences) -> None:
        from sklearn.utils.extmath import randomized_svd

        self._check_size(len(counts))
        started = time.perf_counter()
        with show_progress("computing PPMI and its SVD", unit="pairs", show=self._progress) as bar:
            matrix = ppmi(counts, self.negative, self.context_smoothing)
            self._check_positive(int(matrix.nnz))
            bar.advance(self.n_positive)
            self._decompose(matrix, counts.vocab, randomized_svd)
        self.training_seconds = time.perf_counter() - started

    def _check_size(self, n_words: int) -> None:
        if self.vector_size > n_words:
            raise ParameterError(
                f"vector_size={self.vector_size} is more than the {n_words:,} words, and a "
                f"decomposition has no more dimensions than its matrix; lower it"
            )

    def _check_positive(self, n_positive: int) -> None:
        self.n_positive = n_positive
        if not n_positive:
            raise InputError(
                f"none of the {self.n_pairs:,} pairs has a PMI above log(negative) = "
                f"{np.log(self.negative):.3g}: the words of this text stand together by "
                f"chance; lower negative, or give more text"
            )

    def _decompose(self, matrix: Any, vocab: Vocab, randomized_svd: Callable[..., Any]) -> None:
        seed = np.random.MT19937(np.random.SeedSequence(self.seed))
        left, values, _ = randomized_svd(
            matrix,
            self.vector_size,
            n_iter=_POWER_ITERATIONS,
            random_state=np.random.RandomState(seed),
        )
        self.singular_values: NDArray[np.float32] = values.astype(np.float32)
        weights = self.singular_values**self.eigenvalue_weighting
        self.wv = KeyedVectors(vocab, np.ascontiguousarray(left * weights, dtype=np.float32))

    def train_by(
        self,
        make_matrix: Callable[[], tuple[Any, int]],
        randomized_svd: Callable[..., Any],
        vocab: Vocab,
        **figures: float,
    ) -> None:
        """Decompose a matrix that is somewhere else.

        Parameters
        ----------
        make_matrix : callable
            Gives the matrix of PPMI, and how many of its entries are above 0.
        randomized_svd : callable
            Decomposes it, with the parameters of scikit-learn's.
        vocab : Vocab
            Its words.
        **figures : float
            `corpus_total_words`, `n_pairs` and `counting_seconds`.
        """
        vars(self).update(figures)
        text = self.settings
        self.window, self.symmetric = text.window, text.symmetric
        self.distance_weighting = text.distance_weighting
        self._check_size(len(vocab))
        started = time.perf_counter()
        matrix, n_positive = make_matrix()
        self._check_positive(n_positive)
        self._decompose(matrix, vocab, randomized_svd)
        self.training_seconds = time.perf_counter() - started

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the vectors, and how they were made, to a folder.

        Parameters
        ----------
        folder : str or Path
            The folder, which `firth.load` and `KeyedVectors.load` open; one that firth wrote is
            replaced.

        Raises
        ------
        OutputError
            The folder is something else, or the disk is full.
        """
        self.wv.save(
            folder,
            extra_config={"training": self._manifest()},
            extra_files=phrase_folders(self._phrases),
        )

    def _manifest(self) -> dict[str, Any]:
        """Describe how the vectors were made."""
        names = (
            "vector_size", "window", "symmetric", "distance_weighting", "min_count", "negative",
            "context_smoothing", "eigenvalue_weighting", "seed",
        )  # fmt: skip
        return {
            "algorithm": "ppmi-svd",
            "parameters": {name: getattr(self, name) for name in names},
            "n_words": self.corpus_total_words,
            "n_pairs": self.n_pairs,
            "n_positive": self.n_positive,
            "counting_seconds": round(self.counting_seconds, 3),
            "seconds": round(self.training_seconds, 3),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    def __repr__(self) -> str:
        if not self.is_trained:
            return f"PPMI(not trained, vector_size={self.vector_size})"
        return (
            f"PPMI({len(self.wv):,} words x {self.vector_size}, {self.n_positive:,} of "
            f"{self.n_pairs:,} pairs above 0)"
        )


def _check_extra() -> None:
    """Look for scikit-learn before hours of counting rather than after."""
    try:
        import sklearn.utils.extmath  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("sklearn", "svd", "PPMI") from error


def ppmi(counts: Cooccurrences, negative: float, context_smoothing: float) -> Any:
    """Compute shifted positive PMI.

    Returns
    -------
    scipy.sparse.csr_array of float32, shape (n_words, n_words)
        Its positive entries.
    """
    matrix = counts.to_scipy()
    row_sums = np.asarray(matrix.sum(axis=1, dtype=np.float64)).reshape(-1)
    column_sums = np.asarray(matrix.sum(axis=0, dtype=np.float64)).reshape(-1)
    of_row, of_column = logarithms(row_sums, column_sums, negative, context_smoothing)
    starts = matrix.indptr
    begin = 0
    while begin < len(counts):
        end = int(np.searchsorted(starts, starts[begin] + _ENTRIES_PER_BLOCK, side="right")) - 1
        end = min(max(end, begin + 1), len(counts))
        entries = slice(int(starts[begin]), int(starts[end]))
        of_rows = np.repeat(of_row[begin:end], np.diff(starts[begin : end + 1]))
        columns = of_column[matrix.indices[entries]]
        matrix.data[entries] = positive_pmi(matrix.data[entries], of_rows, columns)
        begin = end
    matrix.eliminate_zeros()
    return matrix


def logarithms(
    row_sums: NDArray[np.float64],
    column_sums: NDArray[np.float64],
    negative: float,
    context_smoothing: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute what PMI takes off the logarithm of a count, for its row and for its column."""
    smoothed = column_sums**context_smoothing
    with np.errstate(divide="ignore"):  # words without a context have no entries either
        of_row = np.log(row_sums) + np.log(negative)
        of_column = np.log(smoothed) - np.log(smoothed.sum())
    return of_row, of_column


def positive_pmi(
    counts: NDArray[np.float32], of_row: NDArray[np.float64], of_column: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute PPMI of counts; the others are the `logarithms` of the row and column of each."""
    pmi: NDArray[np.float64] = np.log(counts, dtype=np.float64) - (of_row + of_column)
    return np.maximum(pmi, 0)
