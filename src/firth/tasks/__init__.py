"""Word vectors put to work: texts told apart, names found in sentences.

What learns needs the extra ``tasks``, and is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from firth.tasks._conll import TaggedSentences, read_conll
from firth.tasks._tag_schemes import Entity, FoundEntity, convert_tags, find_entities
from firth.tasks._tag_scores import EntityScore, TaggingScores, score_tags
from firth.tasks._tag_words import split_words

if TYPE_CHECKING:
    from firth.tasks._tag_compare import TaggerComparison, TaggerRun, compare_taggers
    from firth.tasks._tagger import Tagger

__all__ = [
    "Entity",
    "EntityScore",
    "FoundEntity",
    "TaggedSentences",
    "Tagger",
    "TaggerComparison",
    "TaggerRun",
    "TaggingScores",
    "compare_taggers",
    "convert_tags",
    "find_entities",
    "read_conll",
    "score_tags",
    "split_words",
]


def __getattr__(name: str) -> Any:
    if name == "Tagger":
        from firth.tasks._tagger import Tagger

        return Tagger
    if name in {"TaggerComparison", "TaggerRun", "compare_taggers"}:
        from firth.tasks import _tag_compare

        return getattr(_tag_compare, name)
    raise AttributeError(f"module 'firth.tasks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
