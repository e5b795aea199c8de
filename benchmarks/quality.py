"""Scores of word vectors on three published test sets, for the benchmarks.

Spearman's correlation on WordSim-353 and SimLex-999, and the share of Google's analogies that
3CosAdd answers, all over the questions whose words are known, without regard to case. The same code
scores firth's vectors and a peer's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from firth.evaluation import first_score, read_test_set

if TYPE_CHECKING:
    from firth import KeyedVectors

DATA = Path(os.environ.get("FIRTH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
FILES = {
    "WordSim-353": "similarity/EN-WS-353-ALL.txt",
    "SimLex-999": "similarity/EN-SIMLEX-999.txt",
    "Google analogies": "questions-words.txt",
}
TEST_SETS = list(FILES)


def scores(wv: KeyedVectors) -> dict[str, float]:
    """Score vectors on all test sets; empty where the data folder is absent."""
    folder = DATA / "eval"
    if not folder.is_dir():
        return {}
    return {name: first_score(wv, read_test_set(folder / file))[0] for name, file in FILES.items()}
