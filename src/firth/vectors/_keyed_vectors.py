"""Words and their vectors, to be asked and kept."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError
from firth.vectors._evaluation import EvaluatedVectors
from firth.vectors._filters import Among, Pattern, candidates, clip
from firth.vectors._matrix import unit
from firth.vectors._questions import (
    Key,
    Question,
    Terms,
    Unseen,
    Vector,
    check_oov,
    check_topn,
    only_word,
    sides,
    weighted_terms,
    words_of,
)
from firth.vectors._results import Neighbours, NeighbourTable

if TYPE_CHECKING:
    from firth.maps import WordMap

# Questions that are answered at a time: bounds the memory for their vectors, and how long Ctrl-C
# takes.
_BATCH = 1024


class Indexer(Protocol):
    """What gensim calls an indexer: something that finds neighbours of a vector by itself."""

    def most_similar(self, vector: NDArray[np.float32], num_neighbors: int) -> Any: ...


class KeyedVectors(EvaluatedVectors):
    """Words and their vectors, to be asked; names and meanings are those of gensim 4.

    Wherever a word is asked for, the number of its row does as well.

    Parameters
    ----------
    vocab : Vocab
        The words, one for each row. Or, as in gensim, the size of vectors that will be added.
    vectors : numpy.ndarray, shape (n_words, vector_size)
        Their vectors. Float32 and float16 that is C-contiguous is kept as it is, not copied: do
        not change it. Float16 is searched as it is; vectors that are handed out are float32.
    dtype : "float32", "float16" or "int8"
        What vectors are kept in that will be added to none; otherwise they stay what they are.
    vector_size : int, optional
        The size of vectors that will be added, in place of `vocab` and `vectors`.
    count : int
        How many there will be; taken as in gensim, and not needed.
    norms : numpy.ndarray of float32, shape (n_words,), optional
        The lengths of the vectors; computed when they are needed otherwise.
    scales : numpy.ndarray of float32, shape (n_words,), optional
        What each row of `vectors` is to be multiplied with, where these are int8; see `astype`.
    subwords : Subwords, optional
        What makes vectors for words that are not there. With subwords any word has a vector, and
        whatever asks for one takes it; neighbours are looked for among the words that are there.
    config : dict, optional
        How the vectors were made; kept in the ``config.json`` of the folder that `save` writes.
    load_report : LoadReport, optional
        What was repaired while the vectors were read.

    Raises
    ------
    ParameterError
        If the vectors are no matrix of numbers with one row for each word, or those of subwords
        have another size.

    Notes
    -----
    A row of zeros has no direction: its similarity to everything is 0. One with NaN has a
    similarity of NaN. Neither is ever found as a neighbour, nor has any.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.vectors import KeyedVectors
    >>> from firth.vocab import Vocab
    >>> vocab = Vocab.from_words(["king", "queen", "cabbage"])
    >>> wv = KeyedVectors(vocab, np.array([[4, 1], [4, 2], [-1, 3]], np.float32))
    >>> wv.most_similar("king", topn=1)[0][0]
    'queen'
    >>> wv.doesnt_match(["king", "queen", "cabbage"])
    'cabbage'
    """

    # --- nearest neighbours ---------------------------------------------------------------------

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
        indexer: Indexer | None = ...,
        *,
        among: Among | None = ...,
        prefix: str | None = ...,
        pattern: Pattern | None = ...,
        oov: Unseen = ...,
        approximate: bool = ...,
    ) -> Neighbours: ...
    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: None = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
        indexer: Indexer | None = ...,
        *,
        among: None = ...,
        prefix: None = ...,
        pattern: None = ...,
        oov: Unseen = ...,
        approximate: bool = ...,
    ) -> NDArray[np.float32]: ...
    def most_similar(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Indexer | None = None,
        *,
        among: Among | None = None,
        prefix: str | None = None,
        pattern: Pattern | None = None,
        oov: Unseen = "error",
        approximate: bool = False,
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a sum of words and vectors.

        "a is to b as c is to ...?" is ``most_similar(positive=[b, c], negative=[a])``: 3CosAdd of
        Mikolov, Yih and Zweig (2013), "Linguistic Regularities in Continuous Space Word
        Representations", section 4.

        Parameters
        ----------
        positive, negative : str, int, numpy.ndarray, tuple, or a list of these, optional
            What counts for and against: words, whose vectors are scaled to length 1; arrays of
            shape (vector_size,), which are taken as they are; or pairs of one of these and its
            weight, in place of 1 and -1.
        topn : int or None
            How many words to find; None for the similarities of all.
        clip_start, clip_end : int
            Look only among the rows from `clip_start` to before `clip_end`: a band of frequency,
            where the frequent words come first.
        restrict_vocab : int, optional
            Look only among this many first (most frequent) words; goes before the clips.
        indexer : object, optional
            Whatever has gensim's ``most_similar(vector, topn)``: it is asked instead.
        among : iterable of str, or numpy.ndarray, optional
            Look only among these words (those that are not there cannot be found), numbers of
            rows, or rows where an array of shape (n_words,) is true.
        prefix : str, optional
            Look only among words that begin so.
        pattern : str or re.Pattern, optional
            Look only among words in which this regular expression is found.
        oov : "error", "skip", "zero" or "mean"
            What to do about a word that has no vector: raise an error, leave it out, or take a
            vector of zeros or the mean of all for it.
        approximate : bool
            Ask the index that `build_index` built, among all words: far faster, and a few are
            missed, as many as its `recall` says.

        Returns
        -------
        Neighbours, or numpy.ndarray of float32, shape (clip_end - clip_start,)
            A list of words with their cosine, nearest first; the words asked with are left out.
            Empty if the filters leave nothing, or `oov` no word to ask with. With ``topn=None``
            the cosines of all rows, those too.

        Raises
        ------
        WordNotFoundError
            If a word is not there and `oov` is "error".
        ParameterError
            If there is nothing to ask with, a vector has another size, a filter is none, or
            `approximate` goes with filters or without an index.

        Notes
        -----
        All filters given must be passed. Rows that are not among them are not scored.
        """
        if approximate and indexer is not None:
            raise ParameterError("give an indexer, or approximate=True for the index; not both")
        begin, end = clip(len(self), clip_start, clip_end, restrict_vocab)
        if topn is None:
            if approximate or not (among is prefix is pattern is None):
                raise ParameterError(
                    "topn=None gives the similarities of all rows of a range; give topn=len(wv) to "
                    "have all words that a filter leaves"
                )
            return self._matrix.cosines(self._direction(positive, negative, oov)[0], begin, end)
        topn = check_topn(topn)
        if indexer is not None and topn:
            direction, _ = self._direction(positive, negative, oov)
            found: Neighbours = indexer.most_similar(direction, topn)
            return found
        vector, rows = self._asked(positive, negative, oov)
        chosen = candidates(self._vocab, begin, end, among, prefix, pattern)
        nearest = self._nearest(vector[None], topn, [rows], chosen, approximate=approximate)
        return NeighbourTable(self._vocab, [""], *nearest)[0]

    def most_similar_many(
        self,
        questions: Iterable[Question] | NDArray[Any],
        topn: int = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        *,
        among: Among | None = None,
        prefix: str | None = None,
        pattern: Pattern | None = None,
        oov: Unseen = "error",
        approximate: bool = False,
    ) -> NeighbourTable:
        """Ask many questions at once; far faster than one after the other.

        Parameters
        ----------
        questions : iterable, or numpy.ndarray of shape (n_questions, vector_size)
            Each a word, a vector, or a pair (positive, negative) of what `most_similar` takes.
        topn : int
            How many words to find for each.
        clip_start, clip_end, restrict_vocab, among, prefix, pattern, oov, approximate
            As in `most_similar`, for all questions.

        Returns
        -------
        NeighbourTable
            What `most_similar` gives for each: a sequence of lists of (word, cosine), with the
            arrays `rows` and `scores` of all of them.

        Raises
        ------
        WordNotFoundError
            If a word is not there and `oov` is "error".
        ParameterError
            If a question is none, a vector has another size, or a filter is none.

        Examples
        --------
        ``wv.most_similar_many(["king", (["woman", "son"], ["man"])], topn=1)`` gives the nearest
        word of each of the two questions.
        """
        topn = check_topn(topn)
        asked = words_of("questions", questions)  # type: ignore[arg-type]
        begin, end = clip(len(self), clip_start, clip_end, restrict_vocab)
        chosen = candidates(self._vocab, begin, end, among, prefix, pattern)
        n_rows = chosen.stop - chosen.start if isinstance(chosen, slice) else len(chosen)
        rows = np.empty((len(asked), min(topn, n_rows)), np.int64)
        scores = np.empty(rows.shape, np.float32)
        for first in range(0, len(asked), _BATCH):
            part = slice(first, first + _BATCH)
            directions, exclude = self._directions(asked[part], oov)
            found = self._nearest(directions, topn, exclude, chosen, approximate=approximate)
            rows[part], scores[part] = found
        return NeighbourTable(self._vocab, asked, rows, scores)

    @overload
    def most_similar_cosmul(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        restrict_vocab: int | None = ...,
    ) -> Neighbours: ...
    @overload
    def most_similar_cosmul(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: None = ...,
        restrict_vocab: int | None = ...,
    ) -> NDArray[np.float32]: ...
    def most_similar_cosmul(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words whose similarities multiply best: 3CosMul.

        The product of the similarities to what is positive over that to what is negative, each
        moved to [0, 1]: Levy and Goldberg (2014), "Linguistic Regularities in Sparse and Explicit
        Word Representations", equation 4 with 0.000001 for epsilon.

        Parameters
        ----------
        positive, negative : str, int, numpy.ndarray, or a list of these, optional
            Words, whose vectors are scaled to length 1, and arrays of shape (vector_size,), which
            are taken as they are.
        topn : int or None
            How many words to find; None for the scores of all.
        restrict_vocab : int, optional
            Look only among this many first (most frequent) words.

        Returns
        -------
        Neighbours, or numpy.ndarray of float32, shape (n_words,)
            Words with their score, best first; the words asked with are left out.

        Raises
        ------
        WordNotFoundError
            If a word is not there.
        ParameterError
            If nothing is positive, or a term has a weight.
        """
        asked = weighted_terms(positive, negative)
        if set(asked.weights) - {1.0, -1.0}:
            raise ParameterError("3CosMul knows no weights; give words and vectors alone")
        if 1.0 not in asked.weights:
            raise ParameterError("nothing is positive: give a word or vector in positive")
        n = clip(len(self), 0, None, restrict_vocab)[1]
        over, under = np.ones(n, np.float32), np.ones(n, np.float32)
        for term, weight in zip(asked.terms, asked.weights, strict=True):
            if isinstance(term, np.ndarray):
                vector = self._check_vector(term)
            else:
                vector = self.get_vector(term, norm=True)
            cosines = self._matrix.cosines(vector.astype(np.float32, copy=False), 0, n)
            product = over if weight > 0 else under
            product *= (1 + cosines) / 2
        scores = over / (under + np.float32(0.000001))
        if topn is None:
            return scores
        # What has no direction is found by no question.
        scores[self._matrix.norms[:n] == 0] = np.nan
        exclude = [row for row in self._rows_asked_with(asked.terms) if row < n]
        scores[exclude] = np.nan
        best = np.flatnonzero(np.isfinite(scores))
        best = best[np.argsort(-scores[best], kind="stable")[: check_topn(topn)]]
        words = self._vocab.words_at(best)
        return Neighbours(zip(words, scores[best].tolist(), strict=True))

    def similar_by_word(
        self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a word; as `most_similar` of it."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_key(
        self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a word; as `most_similar` of it."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(
        self, vector: Vector, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a vector, shape (vector_size,); as `most_similar` of it."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """Return the cosine of two words as a share of those of the neighbours of the first.

        Leeuwenberg, Vela, Dehdari and van Genabith (2016), "A Minimally Supervised Approach for
        Synonym Extraction with Word Embeddings", equation 1: above 0.10 with ten neighbours, the
        two are more similar than any pair of words is on average.

        Parameters
        ----------
        wa, wb : str or int
            The words.
        topn : int
            How many neighbours of `wa` to compare with.

        Raises
        ------
        ParameterError
            If `wa` has no neighbours.
        WordNotFoundError
            If a word is not there.
        """
        neighbours = self.most_similar(wa, topn=topn)
        if not neighbours:
            raise ParameterError(f"{wa!r} has no neighbours to compare with")
        return self.similarity(wa, wb) / sum(neighbours.scores)

    # --- to be looked at --------------------------------------------------------------------------

    def map(self, words: Iterable[str] | None = None, **options: Any) -> "WordMap":
        """Lay words out in a plane, so that similar ones are near each other.

        Parameters
        ----------
        words : iterable of str, optional
            Which words; the 2000 most frequent ones if nothing is said.
        **options
            `top`, `around`, `method`, `color`, `seed` and the others of `firth.map_words`.

        Returns
        -------
        WordMap
            The words with their coordinates; its `save` draws pictures and pages.

        Raises
        ------
        FirthError
            As `firth.map_words`.

        Examples
        --------
        >>> import numpy as np
        >>> import firth
        >>> vocab = firth.Vocab.from_words(["king", "queen", "cabbage"])
        >>> wv = firth.KeyedVectors(vocab, np.array([[4, 1], [4, 2], [-1, 3]], np.float32))
        >>> wv.map(method="pca", color="frequency")
        WordMap(3 words by principal components)
        """
        from firth.maps import map_words

        return map_words(self, words, **options)

    # --- within -----------------------------------------------------------------------------------

    def _direction(
        self, positive: Terms, negative: Terms, oov: Unseen = "error"
    ) -> tuple[NDArray[np.float32], list[int]]:
        """Give the direction of a question, of length 1, and the rows of its words."""
        asked = weighted_terms(positive, negative)
        terms, weights = asked.terms, asked.weights
        if check_oov(oov) != "error":
            known = [isinstance(term, np.ndarray) or term in self for term in terms]
            if oov == "mean" and not all(known):
                mean = unit(self._matrix.mean())
                terms = [t if there else mean for t, there in zip(terms, known, strict=True)]
            else:  # zeros count for nothing, and what is skipped does not either
                pairs = zip(terms, weights, known, strict=True)
                kept = [(term, weight) for term, weight, there in pairs if there]
                if not kept:
                    return np.zeros(self.vector_size, np.float32), []
                terms, weights = [t for t, _ in kept], [w for _, w in kept]
        direction = self.get_mean_vector(terms, weights, post_normalize=True, ignore_missing=False)
        return direction, self._rows_asked_with(terms)

    def _asked(
        self, positive: Terms, negative: Terms, oov: Unseen
    ) -> tuple[NDArray[np.float32], list[int]]:
        """Give a vector in the direction of a question, of any length, and the rows of its words.

        A word's own is taken as it is, since it is what is mostly asked.
        """
        word = only_word(positive, negative)
        row = -1 if word is None else self._vocab.get(word, -1)
        check_oov(oov)
        if row >= 0:
            return self._matrix.floats(slice(row, row + 1))[0], [row]
        return self._direction(positive, negative, oov)

    def _directions(
        self, questions: list[Any], oov: Unseen
    ) -> tuple[NDArray[np.float32], list[list[int]]]:
        """Give the directions of some questions as rows, and the rows of the words of each.

        As of `_asked`, they have any length.
        """
        check_oov(oov)
        if set(map(type, questions)) <= {str}:  # far faster, and what is mostly asked
            rows = self._vocab.ids(questions)
            if (rows >= 0).all():
                return self._matrix.floats(rows), [[row] for row in rows.tolist()]
        asked = [self._asked(*sides(question), oov) for question in questions]
        return np.stack([vector for vector, _ in asked]), [rows for _, rows in asked]

    def _rows_asked_with(self, terms: Iterable[Key | Vector]) -> list[int]:
        rows = [self._row(term) for term in terms if not isinstance(term, np.ndarray)]
        return [row for row in rows if row >= 0]
