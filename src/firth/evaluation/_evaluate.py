"""Models scored on test sets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from firth.errors import ParameterError
from firth.evaluation._answers import Answers, ask, layout_of
from firth.evaluation._parameters import whole
from firth.evaluation._reading import TestSetSource, read_test_sets
from firth.evaluation._results import Evaluation, SetResult, Uncovered
from firth.evaluation._words import Embedding, Lookup, has_direction
from firth.progress import progress as show_progress

if TYPE_CHECKING:
    from firth.evaluation._test_sets import TestSet

logger = logging.getLogger("firth")

#: As gensim's: analogies are asked, and answered, among so many first words.
RESTRICT_VOCAB = 300_000


def evaluate(
    vectors: Embedding | Mapping[str, Embedding] | Iterable[Embedding],
    sets: TestSetSource | Iterable[TestSetSource],
    *,
    uncovered: Uncovered = "skip",
    restrict_vocab: int | None = RESTRICT_VOCAB,
    case_insensitive: bool = True,
    subwords: bool = False,
    n_resamples: int = 1000,
    seed: int = 1,
    progress: bool | None = False,
) -> Evaluation:
    """Score word vectors on test sets: analogies, similarity, categories, outliers, associations.

    Parameters
    ----------
    vectors : KeyedVectors, mapping of str to KeyedVectors, or iterable of KeyedVectors
        The models, by the names that tables shall have.
    sets : path, TestSet, or iterable of these
        Files and folders of test sets as their authors distribute them; see `read_test_set`.
    uncovered : "skip", "wrong" or "common"
        What becomes of questions with a word that a model does not have. "skip" leaves them out.
        "wrong" counts them as answered wrongly: an analogy as missed, a pair as of cosine 0, a word
        as in the wrong cluster, an outlier as not found. "common" leaves out what any of the models
        does not have, so that all are scored on the same questions. Associations are about known
        words always.
    restrict_vocab : int or None
        Analogies are asked, and answered, among so many first (most frequent) words; None for all.
    case_insensitive : bool
        Whether words that differ in case are the same; the first row of several is used.
    subwords : bool
        Whether unseen words have the vectors of their subwords, where a model has some. Answers to
        analogies are looked for, and asked with, words that are there.
    n_resamples : int
        Test sets that are drawn again for intervals and paired tests; 0 for neither.
    seed : int
        Of what is drawn.
    progress : bool or None
        None or True: a bar on a terminal, lines of the log elsewhere.

    Returns
    -------
    Evaluation
        Scores with coverage and intervals; it compares models, prints tables and writes reports.

    Raises
    ------
    ParameterError
        There are no models or no test sets, or a parameter is out of its range.
    SourceError, FormatError
        A test set cannot be read; the message has file and line.
    MissingExtraError
        Categories need scikit-learn, associations need SciPy: the extra `evaluate`.

    Notes
    -----
    Intervals are percentiles of the bootstrap (Efron 1979), over what a test set is made of; see
    `Score` and the page on evaluation.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab, evaluate
    >>> from firth.evaluation import WordPairs
    >>> vocab = Vocab.from_words(["king", "queen", "cabbage"])
    >>> wv = KeyedVectors(vocab, np.array([[4, 1], [4, 2], [-1, 3]], np.float32))
    >>> pairs = [("king", "queen"), ("queen", "cabbage"), ("king", "cabbage")]
    >>> found = evaluate(wv, WordPairs("royal", pairs, [9.0, 2.0, 1.0]))
    >>> found.score("royal", "Spearman").value
    1.0
    """
    _check(uncovered, restrict_vocab, n_resamples)
    models = by_name(vectors)
    test_sets = read_test_sets(sets)
    answers: list[dict[str, Answers]] = [{} for _ in test_sets]
    told: dict[str, dict[str, Any]] = {}
    with show_progress(
        "evaluating", total=len(models) * len(test_sets), unit="test sets", show=progress
    ) as bar:
        for name, embedding in models.items():
            lookup = _look_up(embedding, test_sets, case_insensitive, subwords)
            told[name] = _describe(name, embedding, lookup)
            n_rows = min(lookup.n_rows, restrict_vocab or lookup.n_rows)
            for test_set, of_set in zip(test_sets, answers, strict=True):
                of_set[name] = ask(test_set, lookup, n_rows)
                bar.advance()
    results = [
        SetResult(test_set, layout_of(test_set), of_set)
        for test_set, of_set in zip(test_sets, answers, strict=True)
    ]
    settings = {
        "restrict_vocab": restrict_vocab,
        "case_insensitive": case_insensitive,
        "subwords": subwords,
        "n_resamples": n_resamples,
        "seed": seed,
    }
    return Evaluation(
        results, told, uncovered=uncovered, n_resamples=n_resamples, seed=seed, settings=settings
    )


def _check(uncovered: str, restrict_vocab: object, n_resamples: object) -> None:
    if uncovered not in get_args(Uncovered):
        raise ParameterError(
            f"uncovered is {uncovered!r}; it must be one of {', '.join(get_args(Uncovered))}"
        )
    if restrict_vocab is not None:
        whole("restrict_vocab", restrict_vocab, 1)
    whole("n_resamples", n_resamples, 0)


def by_name(vectors: Any) -> dict[str, Embedding]:
    """Give every model a name, and check that it is one."""
    if isinstance(vectors, Mapping):
        models = dict(vectors)
    elif hasattr(vectors, "vocab") or not isinstance(vectors, Iterable):
        models = {"vectors": vectors}
    elif isinstance(vectors, str):
        models = {vectors: vectors}
    else:
        models = {f"model {i}": each for i, each in enumerate(vectors, start=1)}
    if not models:
        raise ParameterError("there are no models; give at least one")
    for name, each in models.items():
        if not hasattr(each, "vocab") or not hasattr(each, "norms"):
            raise ParameterError(
                f"{each!r:.60} is no KeyedVectors: give firth.load(...) of it, or the wv of a model"
            )
        if not isinstance(name, str):
            raise ParameterError(f"{name!r:.60} is no name of a model; give strings")
    return models


def _look_up(
    embedding: Embedding, test_sets: list[TestSet], case_insensitive: bool, subwords: bool
) -> Lookup:
    words = (word for test_set in test_sets for word in test_set.words())
    return Lookup(embedding, words, case_insensitive=case_insensitive, subwords=subwords)


def _describe(name: str, embedding: Embedding, lookup: Lookup) -> dict[str, Any]:
    n_rows, vector_size = lookup.vectors.shape
    without = int(n_rows - np.count_nonzero(has_direction(embedding.norms)))
    if without:
        logger.warning(
            "%s: %s of %s vectors are zero, NaN or infinite and are left out; %s of them are of "
            "words of the test sets",
            name, f"{without:,}", f"{n_rows:,}", f"{lookup.n_without_direction:,}",
        )  # fmt: skip
    return {"words": n_rows, "vector_size": int(vector_size), "without_direction": without}
