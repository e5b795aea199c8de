"""What words are coloured by: clusters, frequency, or what a file says."""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, InputError, MissingExtraError, ParameterError, SourceError
from firth.maps._colours import N_GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from firth.maps._choosing import Chosen

_LARGEST = 64 << 20
_NAMING = 3  # words that name a cluster
# Words of Persian and Hindi have them, and pictures made of several: they are seen in what they do.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Colouring:
    """What each word is coloured by: a group or a value.

    Attributes
    ----------
    title : str
        What the colours say.
    groups : numpy.ndarray of int64, shape (n_words,)
        The group of each; -1 for none. Empty where there are values.
    names : list of str
        What the groups are called.
    values : numpy.ndarray of float64, shape (n_words,)
        The value of each, from 0 to 1; NaN for none. Empty where there are groups.
    ends : tuple of str
        What the values 0 and 1 stand for.
    """

    title: str
    groups: NDArray[np.int64]
    names: list[str]
    values: NDArray[np.float64]
    ends: tuple[str, str] = ("", "")

    @property
    def is_scale(self) -> bool:
        """Whether words have values."""
        return bool(len(self.values))


def by_groups(title: str, groups: NDArray[np.int64], names: list[str]) -> Colouring:
    """Colour by groups."""
    return Colouring(title, groups, names, np.empty(0))


def by_values(title: str, values: NDArray[np.float64], ends: tuple[str, str]) -> Colouring:
    """Colour by values, of which those that are not finite are none."""
    return Colouring(title, np.empty(0, np.int64), [], values, ends)


def clusters(chosen: Chosen, n_clusters: int, seed: int) -> Colouring:
    """Find clusters of the vectors by k-means, named by words in their middle."""
    if isinstance(n_clusters, bool) or not 1 <= n_clusters <= N_GROUPS:
        raise ParameterError(
            f"clusters must be 1 to {N_GROUPS}, as many colours as all people tell apart, not "
            f"{n_clusters!r}"
        )
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "map", "colouring words by clusters") from error
    # Equal vectors are one, and k-means finds no more clusters than there are.
    n_clusters = min(n_clusters, len(np.unique(chosen.vectors, axis=0)))
    # Several threads add up in another order each time, and a word may change its cluster.
    with threadpool_limits(limits=1):
        means = KMeans(n_clusters, n_init=4, random_state=seed).fit(chosen.vectors)
    found = means.labels_.astype(np.int64)
    order = np.argsort(-np.bincount(found, minlength=n_clusters), kind="stable")
    groups = np.argsort(order)[found]
    names = [
        _name(chosen, np.flatnonzero(groups == new), means.cluster_centers_[old])
        for new, old in enumerate(order.tolist())
    ]
    return by_groups("clusters of the vectors", groups, names)


def _name(chosen: Chosen, members: NDArray[np.int64], centre: NDArray[Any]) -> str:
    """Name a cluster by its most typical words, of the more frequent half, which people know."""
    known = members[: max(_NAMING, len(members) // 2)]
    near = np.argsort(-(chosen.vectors[known] @ centre.astype(np.float32)), kind="stable")
    return ", ".join(shown(chosen.words[i], 16) for i in known[near[:_NAMING]].tolist())


def frequency(chosen: Chosen) -> Colouring:
    """Colour by how often words were seen; by their places where that is not known."""
    counts = chosen.counts.astype(np.float64)
    if counts.any():
        title, sign = "how often the word was seen", 1.0
    else:
        title, sign = "place in the vocabulary", -1.0
        counts = np.where(chosen.rows < 0, 0.0, chosen.rows + 1.0)
    logs = np.log(counts, out=np.full(len(counts), np.nan), where=counts > 0)
    if np.isnan(logs).all():
        return by_values(title, logs, ("", ""))
    least, most = np.nanmin(counts[counts > 0]), counts.max()
    ends = (f"{least:,.0f}", f"{most:,.0f}")
    return by_values(title, _scaled(sign * logs), ends if sign > 0 else ends[::-1])


def from_mapping(words: list[str], given: Mapping[str, Any], title: str) -> Colouring:
    """Colour by what is given for each word: numbers, or names of groups."""
    found = [given.get(word) for word in words]
    there = [value for value in found if value is not None]
    if not there:
        raise InputError(f"{title}: says nothing of any of the {len(words):,} words of the map")
    numbers = [_number(value) for value in found]
    if sum(math.isfinite(number) for number in numbers) == len(there):
        values = np.array(numbers)
        ends = tuple(f"{end:,.4g}" for end in (np.nanmin(values), np.nanmax(values)))
        return by_values(title, _scaled(values), (ends[0], ends[1]))
    counted = Counter(str(value) for value in there)
    names = [name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
    if len(names) > N_GROUPS:
        names = [*names[: N_GROUPS - 1], "others"]
    group_of = {name: group for group, name in enumerate(names)}
    others = group_of.get("others", -1)
    groups = [-1 if value is None else group_of.get(str(value), others) for value in found]
    return by_groups(title, np.array(groups), [shown(name, 40) for name in names])


def read_words(path: str | PathLike[str]) -> list[str]:
    """Read words, one a line; of a line with tabs what stands before the first."""
    words = [line.split("\t")[0].strip() for line in _lines(path)]
    return [word for word in words if word]


def read_groups(path: str | PathLike[str]) -> dict[str, str]:
    """Read what words are coloured by: a word, a tab, and its group or number, a line each."""
    groups: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        word, tab, group = line.partition("\t")
        if not tab:
            word, _, group = line.strip().rpartition(" ")
        if not word.strip() or not group.strip():
            raise FormatError(
                f"{path}: line {number:,} is {line[:60]!r}; give a word, a tab, and its group or "
                f"a number"
            )
        groups[word.strip()] = group.strip()
    if not groups:
        raise FormatError(f"{path}: is empty; give lines of a word, a tab, and its group")
    return groups


def shown(word: str, most: int = 30) -> str:
    r"""Write a word as it can be drawn: control characters as escapes, and not endlessly long.

    Examples
    --------
    >>> shown("a\tb")
    'a\\tb'
    """
    if not word.isprintable():
        word = "".join(
            c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii")
            for c in word
        )
    return word if len(word) <= most else word[: most - 1] + "…"


def _lines(path: str | PathLike[str]) -> list[str]:
    from firth.text import open_text

    path = Path(path).expanduser()
    try:
        with path.open("rb") as file:
            packed = file.read(_LARGEST + 1)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    blocks: list[bytes] = []
    n_bytes = 0
    # By its bytes alone: whatever the name of the file ends in, it is lines.
    for block in open_text(io.BytesIO(packed)).blocks():
        n_bytes += len(block)
        if max(n_bytes, len(packed)) > _LARGEST:
            raise FormatError(f"{path}: more than {_LARGEST >> 20} MiB: not a list of words")
        blocks.append(bytes(block))
    return b"".join(blocks).decode("utf-8").removeprefix("\ufeff").splitlines()


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    least, most = np.nanmin(values), np.nanmax(values)
    return (values - least) / ((most - least) or 1.0)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
