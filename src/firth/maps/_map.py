"""Words in a plane, and how they get there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.maps import _choosing, _groups
from firth.maps._projecting import check_method, nearest, project

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from firth.maps._groups import Colouring
    from firth.maps._vectors import Vectors

COLOURINGS = ("clusters", "frequency")
_NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "principal components"}
_LISTED = 8  # neighbours that the page lists beside a word


@dataclass(frozen=True)
class WordMap:
    """Words in a plane; what `map_words` makes.

    Attributes
    ----------
    words : list of str
        The words, the most frequent first.
    coordinates : numpy.ndarray of float32, shape (n_words, 2)
        Their points.
    counts : numpy.ndarray of int64, shape (n_words,)
        How often each was seen; 0 where that is not known.
    rows : numpy.ndarray of int64, shape (n_words,)
        Their places in the vocabulary; -1 where the vector was made of subwords.
    colouring : Colouring
        What colours say: `groups` with their `names`, or `values`.
    neighbours : numpy.ndarray of int64, shape (n_words, 8)
        The nearest words of each among these, by the cosines of the full vectors.
    cosines : numpy.ndarray of float32, shape (n_words, 8)
        How near they are.
    method : str
        How the plane was made.
    around : str or None
        The word in the middle, where there is one.
    """

    words: list[str]
    coordinates: NDArray[np.float32]
    counts: NDArray[np.int64] = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    colouring: Colouring = field(repr=False)
    neighbours: NDArray[np.int64] = field(repr=False)
    cosines: NDArray[np.float32] = field(repr=False)
    method: str
    around: str | None = None

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"WordMap({len(self):,} words by {_NAMES[self.method]})"

    @property
    def title(self) -> str:
        """What the picture is headed with, unless it is told otherwise."""
        what = f"{len(self):,} words"
        if self.around is not None:
            what = f"{_groups.shown(self.around)} and the {len(self) - 1:,} words nearest to it"
        return f"{what}, by {_NAMES[self.method]}"

    def save(
        self,
        file: str | os.PathLike[str],
        *,
        theme: str = "light",
        title: str | None = None,
        labels: int | None = None,
    ) -> None:
        """Draw the map.

        Parameters
        ----------
        file : str or Path
            Where; it appears whole. Its suffix says what it becomes: a picture (``.png``,
            ``.svg``, ``.pdf``), or a page with hover and search that needs nothing else
            (``.html``).
        theme : "light" or "dark"
            The colours of a picture. A page has both, and begins with this one if it is dark.
        title : str, optional
            What stands above.
        labels : int, optional
            The most words to be written in a picture; as many as find a place if not given. The
            frequent ones come first.

        Raises
        ------
        MissingExtraError
            Matplotlib is not installed: the extra `map` has it.
        ParameterError
            There is no such theme.
        OutputError
            The suffix is another one, or the file cannot be written.
        """
        from firth.maps._files import PAGE, check_target, save_figure, save_text
        from firth.maps._fonts import need_matplotlib, told_missing_glyphs

        path = check_target(file, with_page=True)
        need_matplotlib("drawing a map")
        if labels is not None and (isinstance(labels, bool) or labels < 0):
            raise ParameterError(f"labels must be 0 or more, not {labels!r}")
        if path.suffix.lower() == PAGE:
            from firth.maps import _page

            save_text(_page.page(self, theme=theme, title=title), path)
        else:
            from firth.maps import _picture

            with told_missing_glyphs():
                figure = _picture.draw(self, theme=theme, title=title, labels=labels)
                save_figure(figure, path)

    def _repr_png_(self) -> bytes:
        """Show the map in a notebook."""
        from firth.maps import _picture

        written = io.BytesIO()
        _picture.draw(self, theme="light", title=None, labels=None).savefig(written, format="png")
        return written.getvalue()


def map_words(
    wv: Vectors,
    words: Iterable[str] | None = None,
    *,
    top: int | None = None,
    around: str | None = None,
    method: str = "tsne",
    color: str | os.PathLike[str] | Mapping[str, Any] = "clusters",
    clusters: int = 7,
    perplexity: float = 30.0,
    n_neighbours: int = 15,
    seed: int = 1,
    show_progress: bool = False,
    on_progress: Callable[[float], None] = lambda _: None,
) -> WordMap:
    """Lay words out in a plane, so that similar ones are near each other.

    Parameters
    ----------
    wv : KeyedVectors
        The words and their vectors.
    words : iterable of str, optional
        Which words; those without a vector are left out, with a warning.
    top : int, optional
        Otherwise so many first (most frequent) words: 2000 if nothing is said. With `around` so
        many neighbours, 300 if nothing is said.
    around : str, optional
        Otherwise this word and its nearest neighbours.
    method : "tsne", "umap" or "pca"
        How; see `firth.maps.project`.
    color : "clusters", "frequency", mapping, or path
        What colours say: clusters of the full vectors, found by k-means; how often words were
        seen; or the number or group that a mapping has for a word, or a file with lines of word,
        tab, number or group. Of more than seven groups the smaller ones are put together.
    clusters : int
        How many clusters, 1 to 7.
    perplexity, n_neighbours, seed, show_progress, on_progress
        As in `firth.maps.project`.

    Returns
    -------
    WordMap
        The words with their coordinates; its `save` draws pictures and pages.

    Raises
    ------
    ParameterError
        If parameters are out of range, or words are too few for the method.
    InputError
        If no word is left, or `color` knows none of them.
    WordNotFoundError
        If `around` is not there.
    MissingExtraError
        If a package is not installed that the extra `map` brings.

    Notes
    -----
    A plane cannot keep all distances. Words that are together in it are similar; how far apart
    groups are, and how large, says little. Ask `KeyedVectors.most_similar` for neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> import firth
    >>> vocab = firth.Vocab.from_words(["king", "queen", "cabbage", "leek"])
    >>> wv = firth.KeyedVectors(vocab, np.array([[4, 1], [4, 2], [-1, 3], [-2, 3]], np.float32))
    >>> firth.map_words(wv, method="pca", color="frequency")
    WordMap(4 words by principal components)
    """
    given: Mapping[str, Any] | None = None
    title = "color"
    if isinstance(color, Mapping):
        given = color
    elif color not in COLOURINGS:
        if not Path(color).exists():
            raise ParameterError(
                f"color is {str(color)!r}, which is no file; there are "
                f"{' and '.join(COLOURINGS)} too"
            )
        given, title = _groups.read_groups(color), Path(color).stem
    chosen = _choosing.choose(wv, words, top, around)
    check_method(method, len(chosen.words))
    if given is not None:
        colouring = _groups.from_mapping(chosen.words, given, title)
    elif color == "clusters":
        colouring = _groups.clusters(chosen, clusters, seed)
    else:
        colouring = _groups.frequency(chosen)
    points = project(
        chosen.vectors, method, perplexity=perplexity, n_neighbours=n_neighbours, seed=seed,
        show_progress=show_progress, on_progress=on_progress,
    )  # fmt: skip
    near, cosines = nearest(chosen.vectors, min(_LISTED, len(chosen.words) - 1))
    return WordMap(
        chosen.words, points, chosen.counts, chosen.rows, colouring, near, cosines, method, around
    )
