"""Taggers with and without word vectors, on the same sentences and with several seeds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from firth.errors import ParameterError
from firth.tasks._tag_schemes import entities_of
from firth.tasks._tag_scores import EntityScore
from firth.tasks._tagger import Tagger

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from firth.tasks._conll import TaggedSentences
    from firth.tasks._tag_scores import TaggingScores
    from firth.vectors import KeyedVectors

Embedding: TypeAlias = Literal["frozen", "fine-tuned", "scratch"]

logger = logging.getLogger("firth")

EMBEDDINGS: tuple[Embedding, ...] = ("scratch", "frozen", "fine-tuned")


@dataclass(frozen=True)
class TaggerRun:
    """One tagger, trained and scored.

    Attributes
    ----------
    embedding : str
        "scratch", "frozen" or "fine-tuned".
    seed : int
        Of the training.
    scores : TaggingScores
        On the sentences to test with.
    new_names : EntityScore
        Of those entities of which no word was seen in training, in whatever case.
    seconds : float
        How long it learned.
    best_epoch : int
        The pass that was kept.
    """

    embedding: str
    seed: int
    scores: TaggingScores
    new_names: EntityScore
    seconds: float
    best_epoch: int

    def to_dict(self) -> dict[str, Any]:
        """Give all as JSON can hold it."""
        return {
            "embedding": self.embedding,
            "seed": self.seed,
            "scores": self.scores.to_dict(),
            "new_names": self.new_names.to_dict(),
            "seconds": self.seconds,
            "best_epoch": self.best_epoch,
        }


@dataclass(frozen=True)
class Spread:
    """A figure over several seeds.

    Attributes
    ----------
    mean : float
        The mean.
    deviation : float
        The standard deviation of a single seed's figure; NaN for one seed alone.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Compute both."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else float("nan"))

    def __str__(self) -> str:
        known = self.deviation == self.deviation
        return f"{self.mean:.4f}" + (f" ± {self.deviation:.4f}" if known else "")


# What a table tells of each embedding.
FIGURES: dict[str, Callable[[TaggerRun], float]] = {
    "precision": lambda run: run.scores.precision,
    "recall": lambda run: run.scores.recall,
    "F1": lambda run: run.scores.f1,
    "F1, each name once": lambda run: run.scores.surface.f1 if run.scores.surface else 0.0,
    "F1, new names": lambda run: run.new_names.f1,
    "seconds": lambda run: run.seconds,
}


@dataclass(frozen=True)
class TaggerComparison:
    """Taggers that were compared.

    Attributes
    ----------
    runs : list of TaggerRun
        One for each embedding and seed.
    """

    runs: list[TaggerRun]

    def rows(self) -> Iterator[tuple[str, int, dict[str, Spread]]]:
        """Give each embedding, the number of its seeds, and its figures."""
        for embedding in dict.fromkeys(run.embedding for run in self.runs):
            runs = [run for run in self.runs if run.embedding == embedding]
            figures = {
                name: Spread.of([value(run) for run in runs]) for name, value in FIGURES.items()
            }
            yield embedding, len(runs), figures

    def to_dict(self) -> dict[str, Any]:
        """Give all as JSON can hold it."""
        return {
            "runs": [run.to_dict() for run in self.runs],
            "embeddings": {
                embedding: {
                    name: {"mean": each.mean, "deviation": each.deviation if n > 1 else None}
                    for name, each in figures.items()
                }
                for embedding, n, figures in self.rows()
            },
        }

    def __str__(self) -> str:
        lines = []
        for embedding, n_seeds, figures in self.rows():
            told = ", ".join(f"{name} {each}" for name, each in figures.items())
            lines.append(f"{embedding} ({n_seeds} seeds): {told}")
        return "\n".join(lines)


def compare_taggers(
    train: TaggedSentences,
    test: TaggedSentences,
    vectors: KeyedVectors | str | os.PathLike[str],
    *,
    validation: TaggedSentences | None = None,
    embeddings: Sequence[Embedding] = EMBEDDINGS,
    seeds: int | Sequence[int] = 3,
    **parameters: Any,
) -> TaggerComparison:
    """Train taggers with and without vectors, and score them on the same sentences.

    Parameters
    ----------
    train, test : TaggedSentences
        Pairs of words and tags, as `read_conll` gives them.
    vectors : KeyedVectors, str or path
        What is known of words from elsewhere.
    validation : TaggedSentences, optional
        Sentences to stop by; some of `train` without.
    embeddings : sequence of str
        Which of "scratch", "frozen" and "fine-tuned" to compare.
    seeds : int or sequence of int
        How many of each, from 1; or which.
    **parameters
        Others of `Tagger`.

    Returns
    -------
    TaggerComparison
        Scores of each, and their means and spread.

    Raises
    ------
    ParameterError
        As `Tagger`, or if there are no seeds.
    """
    chosen = list(range(1, seeds + 1)) if isinstance(seeds, int) else list(seeds)
    if not chosen:
        raise ParameterError(f"seeds is {seeds!r}; give 1 or more")
    if wrong := [each for each in embeddings if each not in EMBEDDINGS]:
        raise ParameterError(f"embedding is {wrong[0]!r}, which is none of {EMBEDDINGS}")
    wv = Tagger(vectors).load_vectors()
    runs = []
    for embedding in embeddings:
        for seed in chosen:
            tagger = Tagger(
                None if embedding == "scratch" else wv, embedding=embedding, seed=seed, **parameters
            )
            tagger.fit(*train, validation=validation)
            runs.append(score_tagger(tagger, train, test))
            logger.info("%s, seed %d: F1 %.4f", embedding, seed, runs[-1].scores.f1)
    return TaggerComparison(runs)


def score_tagger(tagger: Tagger, train: TaggedSentences, test: TaggedSentences) -> TaggerRun:
    """Score a tagger that has learned, on all entities and on those whose words are new."""
    scores = tagger.evaluate(*test)
    seen = {word.lower() for words in train.words for word in words}
    n_true = n_predicted = n_right = 0
    for words, tags, predicted in zip(*test, tagger.predict(test.words), strict=True):
        there, found = (
            {
                entity
                for entity in entities_of(some)
                if seen.isdisjoint(w.lower() for w in words[entity.begin : entity.end])
            }
            for some in (tags, predicted)
        )
        n_true, n_predicted = n_true + len(there), n_predicted + len(found)
        n_right += len(there & found)
    return TaggerRun(
        tagger.embedding or "",
        tagger.seed,
        scores,
        EntityScore(n_true, n_predicted, n_right),
        tagger.record_.seconds,
        tagger.record_.best_epoch,
    )
