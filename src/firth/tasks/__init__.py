"""Word vectors put to work: texts told apart, names found in sentences.

What learns needs the extra ``tasks``, and is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from firth.tasks._conll import TaggedSentences, read_conll
from firth.tasks._tag_schemes import Entity, convert_tags, find_entities
from firth.tasks._tag_scores import EntityScore, TaggingScores, score_tags

if TYPE_CHECKING:
    from firth.tasks._tagger import FoundEntity, Tagger

__all__ = [
    "Entity",
    "EntityScore",
    "FoundEntity",
    "TaggedSentences",
    "Tagger",
    "TaggingScores",
    "convert_tags",
    "find_entities",
    "read_conll",
    "score_tags",
]


def __getattr__(name: str) -> Any:
    if name in {"FoundEntity", "Tagger"}:
        from firth.tasks import _tagger

        return getattr(_tagger, name)
    raise AttributeError(f"module 'firth.tasks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
