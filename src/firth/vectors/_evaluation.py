"""gensim's evaluation of vectors."""

import os
from typing import Any

from firth.vectors._comparing import ComparedVectors


class EvaluatedVectors(ComparedVectors):
    """How `KeyedVectors` are evaluated by gensim's names; `firth.evaluate` does more."""

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Score the vectors on a file of analogies; as gensim's method of this name.

        Parameters
        ----------
        analogies : str or path
            Four words a line, under headings that begin with a colon and a space; also compressed.
            Lines that have not four words are passed over.
        restrict_vocab : int or None
            Use only so many first words, to ask and to answer.
        case_insensitive : bool
            Compare words in upper case; of several the first, most frequent one is used.
        dummy4unknown : bool
            Count questions with unknown words as wrong instead of leaving them out.
        similarity_function : "most_similar" or "most_similar_cosmul"
            3CosAdd or 3CosMul.

        Returns
        -------
        score : float
            The share of right answers.
        sections : list of dict
            For each section, and for all ("Total accuracy"), its name in ``section`` and the
            questions, in upper case where case does not matter, in ``correct`` and ``incorrect``.

        Raises
        ------
        SourceError
            There is no such file.
        FormatError
            It has no question, or one before the first heading.
        ParameterError
            There is no such function.
        """
        from firth.evaluation import word_analogies

        return word_analogies(
            self, analogies, restrict_vocab, case_insensitive, dummy4unknown, similarity_function
        )

    def evaluate_word_pairs(
        self,
        pairs: str | os.PathLike[str],
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Any, Any, float]:
        """Compare similarities with people's judgements; as gensim's method of this name.

        Parameters
        ----------
        pairs : str or path
            Two words and a number a line; also compressed. Other lines, and those that begin with
            ``#``, are passed over.
        delimiter : str
            What stands between them.
        encoding : str
            Of the file.
        restrict_vocab : int or None
            Use only so many first words.
        case_insensitive : bool
            Compare words in upper case; of several the first, most frequent one is used.
        dummy4unknown : bool
            Give pairs with unknown words a similarity of 0 instead of leaving them out.

        Returns
        -------
        pearson, spearman : results of SciPy
            Each a pair of the correlation and its two-sided p-value.
        oov_ratio : float
            The percentage of pairs with unknown words.

        Raises
        ------
        SourceError
            There is no such file.
        FormatError
            There is no pair with a judgement whose words are known.
        MissingExtraError
            SciPy is not installed: the extra `evaluate`.
        """
        from firth.evaluation import word_pairs

        return word_pairs(
            self, pairs, delimiter, encoding, restrict_vocab, case_insensitive, dummy4unknown
        )
