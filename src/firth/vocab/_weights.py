"""How much words weigh in a sentence."""

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError


def smooth_inverse_frequency(counts: NDArray[np.number], a: float = 1e-3) -> NDArray[np.float32]:
    """Weigh words by how rare they are: a / (a + p), where p is a word's share of the text.

    Parameters
    ----------
    counts : numpy.ndarray, shape (n_words,)
        How often each word was seen; its share is that over the sum of all.
    a : float
        The share at which a word weighs one half.

    Returns
    -------
    numpy.ndarray of float32, shape (n_words,)
        Near 1 for rare words, near 0 for frequent ones.

    Raises
    ------
    ParameterError
        If `a` is not above 0, or no word was seen.

    References
    ----------
    Arora, Liang and Ma (2017), "A Simple but Tough-to-Beat Baseline for Sentence Embeddings",
    equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.vocab import smooth_inverse_frequency
    >>> smooth_inverse_frequency(np.array([999, 1])).round(3)
    array([0.001, 0.5  ], dtype=float32)
    """
    if not 0 < a < float("inf"):
        raise ParameterError(f"a must be above 0, not {a}; 0.001 is usual")
    total = counts.sum(dtype=np.float64)
    if not total > 0:
        raise ParameterError(
            "no word has a count, and so none a frequency; give vectors with counts, or others"
        )
    weights: NDArray[np.float32] = (a / (a + counts / total)).astype(np.float32)
    return weights
