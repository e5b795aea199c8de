"""Scores of word vectors on three published test sets, for the benchmarks.

Spearman's correlation on WordSim-353 and SimLex-999, and the share of Google's analogies that
3CosAdd answers, all over the questions whose words are known; words are lower-cased. The same code
scores firth's vectors and a peer's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from firth import KeyedVectors

DATA = Path(os.environ.get("FIRTH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SIMILARITY_SETS = {"WordSim-353": "EN-WS-353-ALL.txt", "SimLex-999": "EN-SIMLEX-999.txt"}
TEST_SETS = [*SIMILARITY_SETS, "Google analogies"]


def scores(wv: KeyedVectors) -> dict[str, float]:
    """Score vectors on all test sets; empty where the data folder is absent."""
    if not (DATA / "eval").is_dir():
        return {}
    result = {
        name: similarity_score(wv, DATA / "eval" / "similarity" / file)
        for name, file in SIMILARITY_SETS.items()
    }
    result["Google analogies"] = analogy_score(wv, DATA / "eval" / "questions-words.txt")
    return result


def similarity_score(wv: KeyedVectors, path: Path) -> float:
    """Spearman's correlation between the cosines and people's judgements."""
    from scipy.stats import spearmanr  # not above: what only trains shall not pay for it

    human, ours = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        first, second, judged = line.lower().split()[:3]
        if first in wv and second in wv:
            human.append(float(judged))
            ours.append(wv.similarity(first, second))
    return float(spearmanr(human, ours).statistic)


def analogy_score(wv: KeyedVectors, path: Path) -> float:
    """Share of the covered questions answered rightly by 3CosAdd, question words left out."""
    lines = path.read_text(encoding="utf-8").lower().splitlines()
    questions = [line.split() for line in lines if not line.startswith(":")]
    covered = [words for words in questions if all(word in wv for word in words)]
    asked = [([b, c], [a]) for a, b, c, _ in covered]
    answers = wv.most_similar_many(asked, topn=1)
    right = [best[0][0] == words[3] for best, words in zip(answers, covered, strict=True)]
    return float(np.mean(right))
