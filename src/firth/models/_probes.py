"""Probes: how good the vectors are, seen while they are trained."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.evaluation import TestSet, first_score, read_test_set
from firth.models._callbacks import CallbackAny2Vec
from firth.models._checks import at_least_1, finite

if TYPE_CHECKING:
    from firth.models._schedule import Plan, Run
    from firth.models._trainable import Trainable

logger = logging.getLogger("firth")

type_of_watched = str | os.PathLike[str] | Sequence[str] | Callable[["Trainable"], Any]


class Probe(CallbackAny2Vec):
    """Looks at the vectors every now and then: evaluates a test set, or watches neighbours.

    What it saw goes into the learning curve (`learning_curve` of the model, ``training.jsonl`` in
    its folder) and to the log. The training waits while it looks, which is not counted in
    `training_seconds`.

    Parameters
    ----------
    watch : path, list of str, or callable
        - the file of a test set: pairs of words with people's judgements, as WordSim-353
          (``word word number`` in each line), scored by Spearman's correlation; or analogies, as
          Google's (four words in each line, headings after ``:``), scored by the share that
          3CosAdd answers;
        - words, whose nearest neighbours are noted;
        - a function of the model that returns a number, or a dictionary of numbers.
    words : int, optional
        Look whenever so many words more were trained on.
    seconds : float, optional
        Look whenever it was trained for so many seconds more. Without both: behind each epoch.
    name : str, optional
        What the curve calls it; the name of the file or function if not given.
    patience : int, optional
        End the training when the score has not risen for so many looks.
    topn : int, default 5
        Neighbours of each word.

    Raises
    ------
    ParameterError
        `watch` is none of these, or a number is out of its range.
    SourceError, FormatError
        The file cannot be read, or is no test set.

    Notes
    -----
    Spearman 1904, "The proof and measurement of association between two things". Mikolov, Yih and
    Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations", section 4.

    Examples
    --------
    >>> from firth.models import Probe, Word2Vec
    >>> probe = Probe(lambda model: model.wv.similarity("king", "queen"), name="royal")
    >>> text = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 100
    >>> model = Word2Vec(text, vector_size=16, sample=0, epochs=4, workers=1, callbacks=[probe])
    >>> [point["epochs"] for point in model.learning_curve if point.get("probe") == "royal"]
    [1.0, 2.0, 3.0, 4.0]
    """

    def __init__(
        self,
        watch: type_of_watched,
        *,
        words: int | None = None,
        seconds: float | None = None,
        name: str | None = None,
        patience: int | None = None,
        topn: int = 5,
    ) -> None:
        if words is not None and seconds is not None:
            raise ParameterError("a probe looks every so many words= or seconds=; give one of them")
        self.words = None if words is None else at_least_1("words", words)
        self.seconds = None if seconds is None else finite("seconds", seconds, above=0.0)
        self.patience = None if patience is None else at_least_1("patience", patience)
        self.topn = at_least_1("topn", topn)
        self._looked_at = -1
        self._watched: TestSet | list[str] | Callable[[Trainable], Any]
        self.name: str
        if isinstance(watch, str | os.PathLike):
            self._watched = read_test_set(Path(watch))
            self.name = name or Path(watch).stem
        elif callable(watch):
            self._watched = watch
            self.name = name or str(getattr(watch, "__name__", type(watch).__name__))
        elif words_given := _words(watch):
            self._watched = words_given
            self.name = name or "neighbours"
            if patience is not None:
                raise ParameterError("neighbours have no score; patience= goes with one")
        else:
            raise ParameterError(
                f"a probe watches a test file, a list of words or a function, not {watch!r:.60}"
            )

    # --- when -----------------------------------------------------------------------------------

    def next_chunk(self, run: Run, plan: Plan) -> int | None:
        """Give the chunk before which it looks next."""
        if self.seconds is not None:
            return None
        if self.words is None:
            return (run.position // plan.chunks_per_epoch + 1) * plan.chunks_per_epoch
        return plan.chunk_behind((run.n_words // self.words + 1) * self.words)

    def next_time(self, run: Run) -> float | None:
        """Give the time when it looks next."""
        if self.seconds is None:
            return None
        due = (run.seconds // self.seconds + 1) * self.seconds
        return time.perf_counter() + due - run.seconds

    def _is_due(self, run: Run, plan: Plan) -> bool:
        """Tell whether a mark was passed since the last point of the curve that it made."""
        if run.position >= plan.n_chunks:
            return True
        seen = [point for point in run.curve.points if point.get("probe") == self.name]
        last = seen[-1] if seen else {"words": 0, "seconds": 0.0}
        if self.seconds is not None:
            return bool(run.seconds // self.seconds > last["seconds"] // self.seconds)
        if self.words is not None:
            return bool(run.n_words // self.words > last["words"] // self.words)
        return run.position % plan.chunks_per_epoch == 0

    # --- what -----------------------------------------------------------------------------------

    def look(self, model: Trainable, run: Run, plan: Plan) -> Mapping[str, float] | None:
        """Look, where it is time to, and note what was seen."""
        if self._looked_at == run.position or not self._is_due(run, plan):
            return None
        self._looked_at = run.position
        point: dict[str, Any] = {
            "words": run.n_words,
            "epochs": round(run.position / plan.chunks_per_epoch, 4),
            "seconds": round(run.seconds, 3),
            "probe": self.name,
        }
        scores = self._scores(model, point)
        run.curve.note(point)
        if scores:
            told = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
            logger.info("probe after %s words: %s", f"{run.n_words:,}", told)
        self._stop_where_it_got_no_better(model, run)
        return scores

    def _scores(self, model: Trainable, point: dict[str, Any]) -> dict[str, float]:
        watched = self._watched
        if isinstance(watched, list):
            point["neighbours"] = {
                word: [near for near, _ in model.wv.most_similar(word, topn=self.topn)]
                for word in watched
                if word in model.wv.vocab
            }
            for word, near in point["neighbours"].items():
                logger.info("probe: %s: %s", word, ", ".join(near))
            return {}
        if isinstance(watched, TestSet):
            value, point["n_known"] = first_score(model.wv, watched)
        else:
            value = watched(model)
        try:
            if isinstance(value, Mapping):
                point["scores"] = {str(name): float(score) for name, score in value.items()}
                return dict(point["scores"])
            score = float(value)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"the probe {self.name!r} returned {value!r:.60}; it must return a number, or a "
                f"dictionary of numbers"
            ) from error
        # JSON knows no NaN, and no curve can show one.
        point["score"] = score if math.isfinite(score) else None
        return {self.name: score}

    def _stop_where_it_got_no_better(self, model: Trainable, run: Run) -> None:
        if self.patience is None:
            return
        best, waited = -math.inf, 0
        for point in run.curve.points:
            if point.get("probe") == self.name and point.get("score") is not None:
                waited = 0 if point["score"] > best else waited + 1
                best = max(best, point["score"])
        if waited >= self.patience:
            model.stop_training(
                f"the probe {self.name} has not risen above {best:.4f} for {waited} looks"
            )


def _words(watch: object) -> list[str]:
    """Give the words to watch, or none where it is anything else."""
    words = list(watch) if isinstance(watch, list | tuple) else []
    return words if all(isinstance(word, str) for word in words) else []
