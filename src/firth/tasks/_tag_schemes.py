"""Tags of words and the entities that they mark.

Three ways to write the same entities::

               Sally     Johnson   grows   oranges   in   Palm      Beach     Florida
    IOB1       I-person  I-person  O       O         O    I-place   I-place   B-place
    IOB2       B-person  I-person  O       O         O    B-place   I-place   B-place
    BIOES      B-person  E-person  O       O         O    B-place   E-place   S-place

IOB1 (Ramshaw and Marcus 1995) writes B only where an entity follows another of the same label, IOB2
(Tjong Kim Sang and Veenstra 1999) at the beginning of each, and BIOES also tells where they end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Scheme: TypeAlias = Literal["IOB1", "IOB2", "BIOES"]
SCHEMES: tuple[Scheme, ...] = ("IOB1", "IOB2", "BIOES")
OUTSIDE = "O"
_PREFIXES = "BIES"


class Entity(NamedTuple):
    """Neighbouring words that name something.

    Attributes
    ----------
    label : str
        What it is, such as "person".
    begin, end : int
        Its words are ``words[begin:end]``.
    """

    label: str
    begin: int
    end: int


class FoundEntity(NamedTuple):
    """An entity that was found in a sentence.

    Attributes
    ----------
    words : tuple of str
        Its words.
    label : str
        What it is.
    begin, end : int
        Where these words stand in the sentence: ``[begin:end]``.
    probability : float
        That of its least probable tag.
    """

    words: tuple[str, ...]
    label: str
    begin: int
    end: int
    probability: float


def is_tag(tag: object) -> bool:
    """Tell whether this is ``O``, or a label behind ``B-``, ``I-``, ``E-`` or ``S-``."""
    return isinstance(tag, str) and (
        tag == OUTSIDE or (len(tag) > 2 and tag[0] in _PREFIXES and tag[1] == "-")
    )


def check_tags(tags: Iterable[object], where: str) -> None:
    """Refuse what is no tag.

    Raises
    ------
    ParameterError
        If one is none.
    """
    for i, tag in enumerate(tags):
        if not is_tag(tag):
            raise ParameterError(
                f"{where}[{i}] is {tag!r:.60}, which is no tag: write O, or B-, I-, E- or S- and a "
                f"label, as in B-person"
            )


def find_entities(tags: Sequence[str]) -> list[Entity]:
    """Find the entities that the tags of one sentence mark.

    All schemes are read, and what breaks their rules as the scorer of CoNLL-2000 reads it: an
    entity begins with B, S, another label, or whatever follows O, E or S.

    Parameters
    ----------
    tags : sequence of str
        A tag for each word, such as "O" and "B-person".

    Returns
    -------
    list of Entity
        In the order of the words.

    Raises
    ------
    ParameterError
        If one is no tag.

    Examples
    --------
    >>> from firth.tasks import find_entities
    >>> find_entities(["B-person", "I-person", "O", "B-place"])
    [Entity(label='person', begin=0, end=2), Entity(label='place', begin=3, end=4)]
    """
    check_tags(tags, "tags")
    return entities_of(tags)


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """Find entities as `find_entities`, of tags that have been checked."""
    entities = []
    label, begin, is_open = "", 0, False
    for i, tag in enumerate(tags):
        prefix, its_label = tag[0], tag[2:]
        if is_open and (prefix in "BSO" or its_label != label):
            entities.append(Entity(label, begin, i))
            is_open = False
        if prefix != OUTSIDE and not is_open:
            label, begin, is_open = its_label, i, True
        if is_open and prefix in "ES":
            entities.append(Entity(label, begin, i + 1))
            is_open = False
    if is_open:
        entities.append(Entity(label, begin, len(tags)))
    return entities


def write_tags(entities: Iterable[Entity], n_words: int, scheme: Scheme) -> list[str]:
    """Write the tags of a sentence whose entities, in order and without overlap, are known."""
    tags = [OUTSIDE] * n_words
    last: Entity | None = None
    for entity in entities:
        label, begin, end = entity
        touches = last is not None and last.end == begin and last.label == label
        first = "I" if scheme == "IOB1" and not touches else "B"
        tags[begin:end] = [f"{first}-{label}", *[f"I-{label}"] * (end - begin - 1)]
        if scheme == "BIOES":
            tags[end - 1] = f"{'S' if end - begin == 1 else 'E'}-{label}"
        last = entity
    return tags


def convert_tags(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Write the tags of one sentence in another scheme.

    Parameters
    ----------
    tags : sequence of str
        A tag for each word, in any scheme.
    scheme : "IOB1", "IOB2" or "BIOES"
        The other one.

    Returns
    -------
    list of str
        As many tags, of the same entities.

    Raises
    ------
    ParameterError
        If one is no tag, or there is no such scheme.

    Examples
    --------
    >>> from firth.tasks import convert_tags
    >>> convert_tags(["B-person", "I-person", "O", "B-place"], "BIOES")
    ['B-person', 'E-person', 'O', 'S-place']
    """
    check_scheme(scheme)
    return write_tags(find_entities(tags), len(tags), scheme)


def check_scheme(scheme: object) -> None:
    """Refuse a scheme that is none."""
    if scheme not in SCHEMES:
        raise ParameterError(f"scheme is {scheme!r}, which is none of {', '.join(SCHEMES)}")


def scheme_of(sentences: Iterable[Sequence[str]]) -> Scheme:
    """Tell in which scheme tags are written, of tags that have been checked.

    Where none tells, as with entities of one word after I, it is IOB2.
    """
    begins_with_i = needless_b = False
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            prefix = tag[0]
            if prefix in "ES":
                return "BIOES"
            continues = before[0] in "BI" and before[2:] == tag[2:]
            begins_with_i |= prefix == "I" and not continues
            needless_b |= prefix == "B" and not continues
            before = tag
    # Some B at the beginning of an entity: IOB2, and an I there is a slip.
    return "IOB1" if begins_with_i and not needless_b else "IOB2"


def may_follow(before: str, after: str) -> bool:
    """Tell whether a tag of BIOES may follow another.

    Examples
    --------
    >>> may_follow("B-person", "E-person"), may_follow("B-person", "O")
    (True, False)
    """
    if before[0] in "BI":
        return after[0] in "IE" and after[2:] == before[2:]
    return after[0] in "BSO"
