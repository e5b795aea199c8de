"""The phrases that a model's text was joined by, kept beside it: ``phrases-1``, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firth.phrases import FrozenPhrases, Phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from firth.phrases import PhraseModel


def phrase_folders(phrases: Sequence[PhraseModel]) -> dict[str, Callable[[Path], None]]:
    """Name the folders to be written, one for each pass, and what writes each.

    Of phrases that have learned from no text yet none are kept.
    """
    if any(isinstance(each, Phrases) and not each.corpus_word_count for each in phrases):
        return {}
    frozen = [each.freeze() if isinstance(each, Phrases) else each for each in phrases]
    return {f"phrases-{i}": each.save for i, each in enumerate(frozen, 1)}


def open_phrases(folder: Path) -> tuple[Phrases | FrozenPhrases, ...]:
    """Open what was kept in a folder; nothing where there was nothing.

    Raises
    ------
    FormatError
        One is damaged.
    """
    found: list[Phrases | FrozenPhrases] = []
    while (place := folder / f"phrases-{len(found) + 1}").is_dir():
        found.append(FrozenPhrases.load(place))
    return tuple(found)
