"""Word vectors measured: test sets, scores with intervals, models compared."""

from firth.evaluation._answers import first_score
from firth.evaluation._diff import Diff, Moved, diff
from firth.evaluation._evaluate import evaluate
from firth.evaluation._gensim import word_analogies, word_pairs
from firth.evaluation._reading import read_test_set, read_test_sets
from firth.evaluation._report import check_report
from firth.evaluation._results import Comparison, Evaluation, Score
from firth.evaluation._stability import StabilityBand, stability
from firth.evaluation._tables import Cell, Grid, Row, told, told_p
from firth.evaluation._test_sets import (
    Analogies,
    Analogy,
    Association,
    Associations,
    Categories,
    OutlierGroup,
    Outliers,
    TestSet,
    WordPairs,
)

__all__ = [
    "Analogies",
    "Analogy",
    "Association",
    "Associations",
    "Categories",
    "Cell",
    "Comparison",
    "Diff",
    "Evaluation",
    "Grid",
    "Moved",
    "OutlierGroup",
    "Outliers",
    "Row",
    "Score",
    "StabilityBand",
    "TestSet",
    "WordPairs",
    "check_report",
    "diff",
    "evaluate",
    "first_score",
    "read_test_set",
    "read_test_sets",
    "stability",
    "told",
    "told_p",
    "word_analogies",
    "word_pairs",
]
