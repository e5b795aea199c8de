"""Evaluation as gensim does it: the same lines passed over, the same numbers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, MissingExtraError, ParameterError
from firth.evaluation._analogies import METHODS, Method, answer_analogies
from firth.evaluation._lines import read_text
from firth.evaluation._test_sets import Analogy
from firth.evaluation._words import Lookup

if TYPE_CHECKING:
    import os

    from firth.evaluation._words import Embedding

logger = logging.getLogger("firth")

_METHODS: dict[str, Method] = dict(
    zip(("most_similar", "most_similar_cosmul"), METHODS, strict=True)
)


def word_analogies(
    embedding: Embedding,
    analogies: str | os.PathLike[str],
    restrict_vocab: int | None,
    case_insensitive: bool,
    dummy4unknown: bool,
    similarity_function: str,
) -> tuple[float, list[dict[str, Any]]]:
    """Do the work of `KeyedVectors.evaluate_word_analogies`; see there."""
    if similarity_function not in _METHODS:
        raise ParameterError(
            f"similarity_function is {similarity_function!r}; it must be one of "
            f"{', '.join(_METHODS)}"
        )
    path = Path(analogies).expanduser()
    sections: list[dict[str, Any]] = []
    begins: list[int] = []
    questions: list[Analogy] = []
    for number, line in enumerate(_lines(path), start=1):
        if line.startswith(": "):
            sections.append({"section": line.lstrip(": ").strip(), "correct": [], "incorrect": []})
            begins.append(len(questions))
            continue
        words = (line.upper() if case_insensitive else line).split()
        if not sections:
            raise FormatError(f"{path}: line {number:,}: missing section header before it")
        if len(words) != 4:
            logger.info("%s: line %s is passed over: no four words", path, f"{number:,}")
            continue
        questions.append(Analogy(words[0], words[1], words[2], (words[3],)))
    if not questions:
        raise FormatError(f"{path}: no question in it")
    lookup = Lookup(
        embedding,
        {word for q in questions for word in (q.a, q.b, q.c, *q.answers)},
        case_insensitive=case_insensitive,
        restrict_vocab=restrict_vocab,
    )
    answered = answer_analogies(questions, lookup, lookup.n_rows, _METHODS[similarity_function])
    total: dict[str, Any] = {"section": "Total accuracy", "correct": [], "incorrect": []}
    for section, begin, end in zip(sections, begins, [*begins[1:], len(questions)], strict=True):
        for i in range(begin, end):
            if answered.covered[i] or dummy4unknown:
                q = questions[i]
                side = "correct" if answered.right[i] else "incorrect"
                section[side].append((q.a, q.b, q.c, q.answers[0]))
        for side in ("correct", "incorrect"):
            total[side] += section[side]
        _share(section)
    missing = float(1 - np.mean(answered.covered))
    logger.info("analogies with unknown words: %.1f%%", 100 * missing)
    return _share(total), [*sections, total]


def word_pairs(
    embedding: Embedding,
    pairs: str | os.PathLike[str],
    delimiter: str,
    encoding: str,
    restrict_vocab: int | None,
    case_insensitive: bool,
    dummy4unknown: bool,
) -> tuple[Any, Any, float]:
    """Do the work of `KeyedVectors.evaluate_word_pairs`; see there."""
    try:
        from scipy.stats import pearsonr, spearmanr
    except ImportError as error:
        raise MissingExtraError("scipy", "evaluate", "evaluate_word_pairs") from error
    path = Path(pairs).expanduser()
    asked: list[tuple[str, str]] = []
    judged: list[float] = []
    for number, line in enumerate(_lines(path, encoding), start=1):
        if line.startswith("#"):
            continue
        try:
            a, b, judgement = (line.upper() if case_insensitive else line).split(delimiter)
            value = float(judgement)
        except ValueError:
            logger.info("%s: line %s is passed over: no words and number", path, f"{number:,}")
            continue
        asked.append((a, b))
        judged.append(value)
    lookup = Lookup(
        embedding,
        {word for pair in asked for word in pair},
        case_insensitive=case_insensitive,
        restrict_vocab=restrict_vocab,
    )
    first, known_first = lookup.units([a for a, _ in asked])
    second, known_second = lookup.units([b for _, b in asked])
    known = known_first & known_second
    cosines = np.einsum("ij,ij->i", first, second)
    kept = np.ones(len(known), np.bool_) if dummy4unknown else known
    if not kept.any():
        raise FormatError(
            f"{path}: no pair with a judgement and known words in it; the delimiter is "
            f"{delimiter!r}: give another one if the fields of the file have another between them"
        )
    gold = np.array(judged)[kept]
    spearman, pearson = spearmanr(gold, cosines[kept]), pearsonr(gold, cosines[kept])
    unknown = 100 * float(1 - np.mean(known))
    logger.info("Pearson correlation coefficient against %s: %.4f", path, pearson[0])
    logger.info("Spearman rank-order correlation coefficient against %s: %.4f", path, spearman[0])
    logger.info("pairs with unknown words: %.1f%%", unknown)
    return pearson, spearman, unknown


def _lines(path: Path, encoding: str = "utf-8") -> list[str]:
    return read_text(path, encoding).removesuffix("\n").split("\n")


def _share(section: dict[str, Any]) -> float:
    n_correct = len(section["correct"])
    n = n_correct + len(section["incorrect"])
    if n:
        logger.info("%s: %.1f%% (%d/%d)", section["section"], 100 * n_correct / n, n_correct, n)
    return n_correct / n if n else 0.0
