"""Skip-gram and CBOW (Mikolov et al. 2013)."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, ClassVar

from firth import _core
from firth.corpus import MAX_SENTENCE_LENGTH
from firth.errors import ParameterError, VocabularyError
from firth.machine import usable_cores
from firth.models._callbacks import CallbackAny2Vec, check_callbacks
from firth.models._checkpoints import open_checkpoints
from firth.models._checks import at_least_1, check_instruction_set, finite, one_of, whole
from firth.models._kept_model import KeptModel
from firth.models._predicting import PredictingModel
from firth.models._sampling import (
    copies_of_commonest_noise,
    expected_touches,
    expected_updates,
    keep_limits,
    noise_tables,
    share_kept,
    shares_of_rows,
)
from firth.models._texts import TextOptions, type_of_source
from firth.models._trainable import warn_caller
from firth.progress import format_count

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.models._schedule import ChunkTrainer
    from firth.models._word_model import Matrices

MOST_COPIES_OF_A_NEGATIVE = 2.0
# Rows of each matrix that every thread has copies of; with more, exchanging them takes more than it
# saves.
HOT_ROWS = 128
# Parameters of gensim that nobody's call should break at: what they may be, and why nothing else.
_FIXED = (
    ("hashfxn", (None, hash), "vectors are drawn from seed alone"),
    ("null_word", (0,), "there is no word for gaps; add one to your sentences"),
    ("sorted_vocab", (1,), "rows go by falling count, which search and the kernels count on"),
)

logger = logging.getLogger("firth")


class Word2Vec(PredictingModel, KeptModel):
    """Word vectors by skip-gram or CBOW, with negative sampling or hierarchical softmax.

    With a text it trains when it is made; without one, `build_vocab` and `train` do the same in
    steps. `wv` are the vectors. Names and defaults are gensim's.

    Parameters
    ----------
    sentences : iterable of lists of str, optional
        Tokens of each sentence; read once, so that a generator will do. With `tokenizer`, an
        iterable of texts instead. Or the pair that `firth.encode_corpus` returned.
    corpus_file : str, path, list of paths or binary file, optional
        Text, in any form that `firth.text.open_text` reads. Either this or `sentences`, or neither.
    vector_size : int, default 100
        Dimensions of a vector.
    alpha : float, default 0.025
        Learning rate at the start.
    window : int, default 5
        Words on either side of a word that count as its context.
    min_count : int, default 5
        Words seen less often are left out.
    max_vocab_size : int, optional
        The same as `max_final_vocab`; where both are given, the lower one holds.
    sample : float, default 1e-3
        Share of the text above which words are thinned out; 0 keeps all. For large texts 1e-4 or
        1e-5.
    seed : int, default 1
        Of all that is random. With ``workers=1``, the same seed gives the same bits.
    workers : int, optional
        Threads; one for each core if not given.
    min_alpha : float, default 1e-4
        Learning rate at the end; it falls in between along a straight line.
    sg : {0, 1}, default 0
        1 for skip-gram, 0 for CBOW.
    hs : {0, 1}, default 0
        1 for hierarchical softmax: a word is told from all others by its path through a Huffman
        tree. Instead of negative sampling where `negative` is 0, else beside it.
    negative : int, default 5
        Words drawn at random that each context is told apart from, 0 to 255; 0 for none, with `hs`.
    ns_exponent : float, default 0.75
        They are drawn in proportion to their counts to this power.
    cbow_mean : {0, 1}, default 1
        Whether CBOW takes the mean of the context vectors, or their sum.
    epochs : int, default 5
        Passes over the text.
    trim_rule : callable, optional
        Called with each word, its count and `min_count` when the words are chosen; returns
        `RULE_KEEP`, `RULE_DISCARD` or `RULE_DEFAULT`. Not kept with the model.
    batch_words : int, optional
        Words in the chunks that threads take, about; 65,536 if not given. Random numbers depend on
        it.
    compute_loss : bool, default False
        Taken for gensim's sake: the loss is always computed.
    callbacks : sequence of CallbackAny2Vec, optional
        What looks at the training in between.
    comment : str, optional
        Kept with the model.
    hashfxn, null_word, sorted_vocab
        Must be gensim's defaults.
    shrink_windows : bool, default True
        Whether each window is drawn from 1 to `window`, so that near words weigh more.
    max_final_vocab : int, optional
        At most this many words, the most frequent ones.
    tokenizer : str, callable, Tokenizer or tokenizers.Tokenizer, optional
        How text is split: "whitespace", the default, or "words", or what
        `firth.text.make_tokenizer` takes.
    lowercase : bool, default False
        Whether words are lower-cased.
    field : str, optional
        Where the text is in .jsonl, .csv, .tsv and .parquet files.
    errors : str, default "strict"
        What to do with bytes that are not UTF-8, as in ``open``.
    phrases : int, Phrases, FrozenPhrases or list of these, optional
        Join phrases before training (``new_york``): how many times to learn and join them, or the
        models to join them by; see `firth.phrases.encode_phrases`.
    deterministic : bool, default False
        Whether several workers, too, give the same bits for the same seed; slower, and each worker
        has a copy of the matrices.
    checkpoint : str or Path, optional
        A folder to save the state of the training in, so that it can go on after a crash.
    checkpoint_every : float, default 60.0
        Seconds of training between two of them.
    resume : bool, default False
        Whether to go on from the checkpoint, where there is one.
    progress : bool, optional
        None or True: a bar if standard error is a terminal, else lines of the logger "firth";
        False: nothing.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors, to be asked.
    syn1neg : numpy.ndarray of float32, shape (n_words, vector_size)
        The vectors of the words as targets, under gensim's name; with `negative`.
    syn1 : numpy.ndarray of float32, shape (n_words - 1, vector_size)
        The vectors of the inner nodes of the tree, the root first; with `hs`.
    loss : float
        Mean loss of the last epoch: for each pair of a context and a word (for CBOW: for each
        word), ``-log sigmoid(u . v)`` plus ``-log sigmoid(-n . v)`` of each negative ``n``; with
        `hs`, ``-log`` of the word's probability, or both.
    epoch_losses : list of float
        The same of each epoch.
    corpus_count, corpus_total_words : int
        Sentences, and words of the vocabulary, in the text.
    n_words_trained, n_examples : int
        Words gone through in all epochs, and the pairs (for CBOW: words) that were learned from.
    training_seconds, words_per_second : float
        How long that took, without reading the text, and how fast it was. All of these are of the
        last training.
    interrupted : bool
        Whether Ctrl-C ended the training early; `wv` holds what was learned until then.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or both `sentences` and `corpus_file` are there; or the
        training diverged.
    SourceError, TextError
        The text cannot be read, or is empty.
    VocabularyError
        No word is left.
    InputError
        No sentence has two words.

    Notes
    -----
    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", equation 4, and section 2.1 for `hs`. The negatives of a word are shared by
    all contexts of its window (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed
    Memory"), and up to four windows are scored before their rows change; both make matrix products
    of what were single dot products, and leave the quality as it is.

    Examples
    --------
    >>> from firth.models import Word2Vec
    >>> sentences = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 100
    >>> model = Word2Vec(sentences, vector_size=16, sample=0, epochs=20, workers=1, progress=False)
    >>> len(model.wv), model.wv["king"].shape
    (6, (16,))
    >>> model.wv.most_similar("king", topn=1)[0][0]
    'queen'
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = (
        "vector_size", "alpha", "window", "min_count", "max_vocab_size", "sample", "seed",
        "workers", "min_alpha", "sg", "hs", "negative", "ns_exponent", "cbow_mean", "epochs",
        "batch_words", "comment", "deterministic", "max_final_vocab", "shrink_windows",
    )  # fmt: skip

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        *,
        sample: float = 1e-3,
        seed: int = 1,
        workers: int | None = None,
        min_alpha: float = 1e-4,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[..., int] | None = None,
        epochs: int = 5,
        null_word: int = 0,
        trim_rule: Callable[[str, int, int], int] | None = None,
        sorted_vocab: int = 1,
        batch_words: int | None = None,
        compute_loss: bool = False,
        callbacks: Sequence[CallbackAny2Vec] = (),
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        phrases: Any = None,
        deterministic: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = 60.0,
        resume: bool = False,
        progress: bool | None = None,
    ) -> None:
        self.vector_size = at_least_1("vector_size", vector_size)
        self.window = at_least_1("window", window)
        if window > MAX_SENTENCE_LENGTH:
            raise ParameterError(
                f"window must be at most {MAX_SENTENCE_LENGTH:,}, where sentences are cut, not "
                f"{window}"
            )
        self.min_count = at_least_1("min_count", min_count)
        self.hs = one_of("hs", hs)
        self.negative = whole("negative", negative)
        self.epochs = at_least_1("epochs", epochs)
        self.workers = usable_cores() if workers is None else at_least_1("workers", workers)
        self.max_vocab_size = _at_least_1_or_none("max_vocab_size", max_vocab_size)
        self.max_final_vocab = _at_least_1_or_none("max_final_vocab", max_final_vocab)
        self.batch_words = _at_least_1_or_none("batch_words", batch_words)
        if not 0 <= negative <= _core.MAX_NEGATIVE:
            raise ParameterError(f"negative must be 0 to {_core.MAX_NEGATIVE}, not {negative}")
        if not hs and not negative:
            raise ParameterError(
                "negative=0 leaves nothing to learn from, unless hs is set: give 5 negatives or "
                "so, or choose hierarchical softmax"
            )
        self.seed = whole("seed", seed)
        if seed < 0:
            raise ParameterError(f"seed must be 0 or more, not {seed}")
        self.alpha = finite("alpha", alpha, above=0.0)
        self.min_alpha = finite("min_alpha", min_alpha)
        if min_alpha > alpha:
            raise ParameterError(f"min_alpha ({min_alpha}) must not be above alpha ({alpha})")
        self.sample = finite("sample", sample)
        self.ns_exponent = finite("ns_exponent", ns_exponent, at_least=-math.inf)
        check_instruction_set()
        self.sg = one_of("sg", sg)
        self.cbow_mean = one_of("cbow_mean", cbow_mean)
        self.shrink_windows = bool(shrink_windows)
        if comment is not None and not isinstance(comment, str):
            raise ParameterError(f"comment must be a string, not {comment!r:.60}")
        self.comment = comment
        given = {"hashfxn": hashfxn, "null_word": null_word, "sorted_vocab": sorted_vocab}
        for name, fine, why in _FIXED:
            if given[name] not in fine:
                raise ParameterError(f"{name} must be left as it is: {why}")
        self.compute_loss = bool(compute_loss)
        looking = check_callbacks(callbacks)
        # As the manifest tells it, before any has learned.
        self.phrases = phrases if phrases is None or isinstance(phrases, int) else repr(phrases)
        text = TextOptions.of(tokenizer, lowercase, field, errors, phrases)
        super().__init__(text, progress=progress)

        self.deterministic = bool(deterministic)
        checkpoints = open_checkpoints(checkpoint, checkpoint_every, resume)
        if sentences is not None or corpus_file is not None:
            self._start(sentences, corpus_file, trim_rule, looking, checkpoints)
        elif looking or trim_rule or checkpoints:
            warn_caller(
                "without a text, callbacks, trim_rule and checkpoint do nothing here: give them to "
                "train and build_vocab"
            )

    # --- what it learns by ----------------------------------------------------------------------

    def _matrix_rows(self, n_words: int) -> dict[str, int]:
        rows = {"input": n_words}
        if self.negative:
            rows["targets"] = n_words
        if self.hs:
            if n_words < 2:
                raise VocabularyError(
                    "hs=1 needs two words or more to choose between, and one is left: give more "
                    "text, or lower min_count"
                )
            rows["nodes"] = n_words - 1
        return rows

    def _make_trainer(self, matrices: Matrices, n_threads: int = 1) -> ChunkTrainer:
        return _core.WindowTrainer(
            matrices["input"],
            keep_limits(self._words().counts, self.sample),
            lock_factors=self._lock_factors(),
            **self._how_to_train(),
            **self._what_to_predict(matrices),
            **self._what_words_are_made_of(),
            **self._hot_rows(n_threads),
        )

    def make_trainer_of_excerpt(
        self, matrices: Matrices, limits: NDArray[np.uint32], **noise_and_hot_rows: Any
    ) -> ChunkTrainer:
        """Make what trains the rows of some words, with noise among these; see `Excerpts`."""
        return _core.WindowTrainer(
            matrices["input"], limits, targets=matrices["targets"], negative=self.negative,
            **self._how_to_train(), **noise_and_hot_rows,
        )  # fmt: skip

    def _how_to_train(self) -> dict[str, Any]:
        return {
            "window": self.window,
            "shrink_windows": self.shrink_windows,
            "cbow": not self.sg,
            "cbow_mean": bool(self.cbow_mean),
            "one_by_one": self._needs_small_steps(),
        }

    def _hot_rows(self, n_threads: int) -> dict[str, Any]:
        """Give the trainer the rows that each thread has copies of: how often they are updated."""
        if n_threads == 1:
            return {}
        kept = max(float(share_kept(self._words().counts, self.sample).sum()), 1e-12)
        names = {"input": "hot_input", "targets": "hot_targets", "nodes": "hot_nodes"}
        if self._what_words_are_made_of() or self._lock_factors() is not None:
            del names["input"]  # formed in a place of each thread's own
        shares = self._update_shares()
        hot = {
            names[name]: share[:HOT_ROWS] / kept for name, share in shares.items() if name in names
        }
        return {"n_threads": n_threads} | hot

    def _update_shares(self) -> dict[str, NDArray[np.float32]]:
        counts = self._words().counts
        windows: dict[str, Any] = {
            "sample": self.sample,
            "ns_exponent": self.ns_exponent,
            "window": self.window,
            "shrink_windows": self.shrink_windows,
            "cbow": not self.sg,
        }
        contexts, targets = expected_updates(counts, negative=self.negative, **windows)
        _, centres = expected_updates(counts, negative=0, **windows)
        return self._of_rows(contexts, targets, centres)

    def touch_shares(self) -> dict[str, NDArray[np.float32]]:
        """Tell how often each row of each matrix is touched for a word of the text, on average."""
        given = {"sample": self.sample, "ns_exponent": self.ns_exponent}
        contexts, targets = expected_touches(self._words().counts, negative=self.negative, **given)
        return self._of_rows(contexts, targets, contexts)

    def _of_rows(
        self,
        contexts: NDArray[np.float32],
        targets: NDArray[np.float32],
        centres: NDArray[np.float32],
    ) -> dict[str, NDArray[np.float32]]:
        """Give each row what its words have, as contexts, as targets, and on paths of the tree."""
        shares = {"input": contexts}
        if parts := self._what_words_are_made_of():
            shares["input"] = shares_of_rows(
                contexts, parts["part_offsets"], parts["part_rows"],
                self._matrix_rows(len(contexts))["input"],
            )  # fmt: skip
        if self.negative:
            shares["targets"] = targets
        if self.hs:
            tree = self._tree()
            shares["nodes"] = shares_of_rows(centres, tree.offsets, tree.nodes, len(contexts) - 1)
        return shares

    def _what_words_are_made_of(self) -> dict[str, Any]:
        """Give the trainer the rows of each word; nothing where it has one, of its own number."""
        return {}

    def _what_to_predict(self, matrices: Matrices) -> dict[str, Any]:
        """Give the trainer its negatives, the paths through the tree, or both."""
        given: dict[str, Any] = {}
        if self.negative:
            columns, run_starts = noise_tables(self._words().counts, self.ns_exponent)
            given |= {
                "negative": self.negative,
                "targets": matrices["targets"],
                "noise_columns": columns,
                "noise_run_starts": run_starts,
            }
        if self.hs:
            tree = self._tree()
            given |= {
                "nodes": matrices["nodes"],
                "path_offsets": tree.offsets,
                "path_nodes": tree.nodes,
                "path_n_positive": tree.n_positive,
            }
        return given

    def _needs_small_steps(self) -> bool:
        """Tell whether a window has so many copies of one negative that they must not add up.

        In a text of many words that never happens; in one of a handful, or where one word makes up
        most of it, training would diverge where word2vec.c's does not.
        """
        if not self.negative:
            return False
        counts = self._words().counts
        copies = copies_of_commonest_noise(counts, self.ns_exponent, self.negative)
        return copies > MOST_COPIES_OF_A_NEGATIVE

    # --- telling --------------------------------------------------------------------------------

    @property
    def algorithm(self) -> str:
        """What the model learns by: "skip-gram" or "cbow"."""
        return "skip-gram" if self.sg else "cbow"

    def __repr__(self) -> str:
        kind = "skip-gram" if self.sg else "CBOW"
        name = type(self).__name__
        if self._vocab is None:
            return f"{name}({kind}, no words yet, vector size {self.vector_size})"
        size = f"{len(self._vocab):,} words x {self.vector_size}"
        if not self._run.n_words:
            return f"{name}({kind}, {size}, not trained)"
        rate = format_count(self.words_per_second, "words")
        return f"{name}({kind}, {size}, loss {self.loss:.4f}, {rate}/s)"


def _at_least_1_or_none(name: str, value: Any) -> int | None:
    return None if value is None else at_least_1(name, value)
