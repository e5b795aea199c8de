"""Test sets: questions with known answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class TestSet:
    """Questions with known answers; see the classes derived from it for each kind.

    Attributes
    ----------
    name : str
        What tables call it.
    """

    __test__: ClassVar[bool] = False  # pytest takes it for tests of its own otherwise
    kind: ClassVar[str] = ""

    name: str

    def words(self) -> Iterator[str]:
        """Give every word that occurs, some more than once."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


@dataclass(frozen=True)
class Analogy:
    """a is to b as c is to any of `answers`."""

    a: str
    b: str
    c: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Analogies(TestSet):
    """Analogies: a is to b as c is to d.

    Attributes
    ----------
    sections : dict of str to list of Analogy
        The questions by the heading that they stand under.
    """

    kind: ClassVar[str] = "analogies"

    sections: dict[str, list[Analogy]]

    def words(self) -> Iterator[str]:
        """Give every word that occurs, some more than once."""
        for questions in self.sections.values():
            for question in questions:
                yield question.a
                yield question.b
                yield question.c
                yield from question.answers

    def __len__(self) -> int:
        return sum(map(len, self.sections.values()))


@dataclass(frozen=True)
class WordPairs(TestSet):
    """Pairs of words with people's judgements of how similar, or how related, they are.

    Attributes
    ----------
    pairs : list of (str, str)
        The words.
    judgements : list of float
        A number for each pair; more is more similar.
    """

    kind: ClassVar[str] = "similarity"

    pairs: list[tuple[str, str]]
    judgements: list[float]

    def words(self) -> Iterator[str]:
        """Give every word that occurs, some more than once."""
        for pair in self.pairs:
            yield from pair

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True)
class Categories(TestSet):
    """Words that belong to classes.

    Attributes
    ----------
    members : list of str
        The words.
    classes : list of str
        The class of each.
    """

    kind: ClassVar[str] = "categories"

    members: list[str]
    classes: list[str]

    def words(self) -> Iterator[str]:
        """Give every word."""
        yield from self.members

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class OutlierGroup:
    """Words that belong together, and others that do not belong to them."""

    name: str
    members: tuple[str, ...]
    outliers: tuple[str, ...]


@dataclass(frozen=True)
class Outliers(TestSet):
    """Groups of words; each of a group's outliers among its members makes a question.

    Attributes
    ----------
    groups : list of OutlierGroup
        The groups.
    """

    kind: ClassVar[str] = "outliers"

    groups: list[OutlierGroup]

    def words(self) -> Iterator[str]:
        """Give every word that occurs, some more than once."""
        for group in self.groups:
            yield from group.members
            yield from group.outliers

    def __len__(self) -> int:
        return sum(len(group.outliers) for group in self.groups)


@dataclass(frozen=True)
class Association:
    """Two sets of target words, and two of attributes that they may be associated with.

    Attributes
    ----------
    name : str
        What is told apart, such as "flowers, insects: pleasant, unpleasant".
    x, y : tuple of str
        The targets.
    a, b : tuple of str
        The attributes. The effect is positive where `x` is nearer to `a` and `y` to `b`.
    """

    name: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True)
class Associations(TestSet):
    """Tests of association between word lists, as WEAT's.

    Attributes
    ----------
    tests : list of Association
        The tests.
    """

    kind: ClassVar[str] = "associations"

    tests: list[Association] = field(default_factory=list)

    def words(self) -> Iterator[str]:
        """Give every word that occurs, some more than once."""
        for test in self.tests:
            for some in (test.x, test.y, test.a, test.b):
                yield from some

    def __len__(self) -> int:
        return sum(len(test.x) + len(test.y) for test in self.tests)
