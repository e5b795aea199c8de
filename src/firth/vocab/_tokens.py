"""The vocabulary, with special tokens and GluonNLP's names."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from firth.errors import FormatError, ParameterError, VocabularyError
from firth.storage import read_config
from firth.vocab._checks import check_word, shortened
from firth.vocab._vocab import IndexedWords
from firth.vocab._word_list import WordList

if TYPE_CHECKING:
    import os

    from firth.vocab._embedding import HasVectors, MakeVector, TokenEmbedding, Unknown

_SPECIAL = ("unknown_token", "padding_token", "bos_token", "eos_token")
Words: TypeAlias = list[str] | tuple[str, ...]
_JSON = {*_SPECIAL, "reserved_tokens"}


class Vocab(IndexedWords):
    """Words with their counts and ids; immutable, but for the embedding that may be set.

    `from_counter`, `from_words` and `from_arrays` make one of words alone; this constructor, as
    GluonNLP's, puts special tokens in front of them. `load` opens one.

    Parameters
    ----------
    counter : mapping of str to int, optional
        How often each word was seen; see `firth.count_tokens`. Special tokens in it are passed
        over.
    max_size : int, optional
        At most this many words, the most frequent ones; special tokens do not count.
    min_freq : int
        Words seen less often are left out.
    unknown_token : str or None
        Stands for every word that is not there: ``vocab[word]`` gives its id. Without one, that is
        an error.
    padding_token, bos_token, eos_token : str or None
        Fill up, begin and end sequences.
    reserved_tokens : sequence of str, optional
        Others that come in front, whatever their counts.

    Attributes
    ----------
    unknown_token, padding_token, bos_token, eos_token : str or None
        As given. The ids are in this order, from 0, of those that are not None.
    reserved_tokens : list of str
        As given; they follow.

    Raises
    ------
    VocabularyError
        If no word is left and there is no special token, or a special token is there twice.
    ParameterError
        If `max_size` or `min_freq` is below 1, or something is no string.

    Examples
    --------
    >>> from firth import Vocab, count_tokens
    >>> vocab = Vocab(count_tokens("to be or not to be".split()), max_size=3)
    >>> vocab.idx_to_token[:]
    ['<unk>', '<pad>', 'be', 'to', 'not']
    >>> vocab["to"], vocab["be", "question"], "question" in vocab
    (3, [2, 0], False)
    >>> Vocab.from_words(["not", "to"]).ids(["to", "or"]).tolist()
    [1, -1]
    """

    unknown_token: str | None = None
    padding_token: str | None = None
    bos_token: str | None = None
    eos_token: str | None = None
    _reserved: tuple[str, ...] = ()
    _embedding: "TokenEmbedding | None" = None

    def __init__(
        self,
        counter: Mapping[str, int] | None = None,
        max_size: int | None = None,
        min_freq: int = 1,
        unknown_token: str | None = "<unk>",
        padding_token: str | None = "<pad>",
        bos_token: str | None = None,
        eos_token: str | None = None,
        reserved_tokens: Sequence[str] | None = None,
    ) -> None:
        if counter is not None and not isinstance(counter, Mapping):
            raise ParameterError(
                f"counter is {type(counter).__name__} {shortened(counter)}; give a mapping of "
                f"words to counts: firth.count_tokens(tokens)"
            )
        if isinstance(reserved_tokens, str):
            raise ParameterError(f"reserved_tokens is the string {reserved_tokens!r}; give a list")
        for name, number in (("min_freq", min_freq), ("max_size", max_size)):
            if number is not None and number < 1:
                raise ParameterError(f"{name} must be a whole number of 1 or more, not {number}")
        named = {
            "unknown_token": unknown_token,
            "padding_token": padding_token,
            "bos_token": bos_token,
            "eos_token": eos_token,
        }
        special = [*(t for t in named.values() if t is not None), *(reserved_tokens or ())]
        for token, n in Counter(special).items():
            check_word(token)
            if n > 1:
                raise VocabularyError(
                    f"the special token {token!r} is there {n} times; give it once"
                )
        words = {word: n for word, n in (counter or {}).items() if word not in set(special)}
        # Special tokens alone make a vocabulary, too.
        if special and all(0 <= n < min_freq for n in words.values()):
            words, min_freq = {}, 1
        chosen = [] if special and not words else _chosen(words, min_freq, max_size)
        tokens = IndexedWords.from_words(
            [*special, *(word for word, _ in chosen)],
            np.array([0] * len(special) + [n for _, n in chosen], np.int64),
        )
        self._take(tokens.word_bytes, tokens.word_offsets, tokens.counts, tokens.slots, "")
        self._set_special(named | {"reserved_tokens": list(reserved_tokens or ())})

    def _set_special(self, tokens: Mapping[str, Any]) -> None:
        for name in _SPECIAL:
            setattr(self, name, tokens.get(name))
        self._reserved = tuple(tokens.get("reserved_tokens") or ())

    @property
    def reserved_tokens(self) -> list[str]:
        """Further tokens that stand in front of the words."""
        return list(self._reserved)

    @property
    def special_tokens(self) -> dict[str, Any]:
        """All special tokens by the names of their parameters; empty where there are none."""
        named = {name: token for name in _SPECIAL if (token := getattr(self, name)) is not None}
        return named | ({"reserved_tokens": self.reserved_tokens} if self._reserved else {})

    # --- GluonNLP's names -----------------------------------------------------------------------

    @property
    def idx_to_token(self) -> WordList:
        """The words in the order of their ids, decoded when they are looked at."""
        return self.words

    @property
    def token_to_idx(self) -> Mapping[str, int]:
        """The id of each word: a mapping that looks into the index; unknown words as `vocab[]`."""
        return _IdOfWord(self)

    @overload
    def __getitem__(self, word: str) -> int: ...
    @overload
    def __getitem__(self, word: Words) -> list[int]: ...
    def __getitem__(self, word: str | Words) -> int | list[int]:
        if isinstance(word, list | tuple):
            return self.to_indices(word)
        if self.unknown_token is not None and isinstance(word, str):
            return self.get(word, self._unknown_id)
        return super().__getitem__(word)

    def __call__(self, tokens: str | Words) -> int | list[int]:
        """Return the id of a word, or those of a list of words; as `to_indices`."""
        return self.to_indices(tokens)

    @overload
    def to_indices(self, tokens: str) -> int: ...
    @overload
    def to_indices(self, tokens: Words) -> list[int]: ...
    def to_indices(self, tokens: str | Words) -> int | list[int]:
        """Return the id of a word, or those of a list of words.

        Raises
        ------
        WordNotFoundError
            If a word is not there, and there is no `unknown_token`.
        """
        if isinstance(tokens, str):
            return self[tokens]
        tokens = list(tokens)
        ids = self.ids(tokens, self._unknown_id)
        if (ids < 0).any():
            super().__getitem__(tokens[int(np.flatnonzero(ids < 0)[0])])  # raises
        result: list[int] = ids.tolist()
        return result

    @overload
    def to_tokens(self, indices: int) -> str: ...
    @overload
    def to_tokens(self, indices: Sequence[int] | NDArray[np.integer]) -> list[str]: ...
    def to_tokens(self, indices: int | Sequence[int] | NDArray[np.integer]) -> str | list[str]:
        """Return the word of an id, or those of a list of ids.

        Raises
        ------
        ParameterError
            If an id is none of this vocabulary.
        """
        ids = np.asarray(indices)
        if ids.size and ids.dtype.kind not in "iu":
            raise ParameterError(f"ids are whole numbers, not {ids.dtype}: {shortened(indices)}")
        outside = ids[(ids < 0) | (ids >= len(self))]
        if outside.size:
            raise ParameterError(
                f"there is no word {outside.flat[0]:,}: ids go from 0 to {len(self) - 1:,}"
            )
        words = self.words_at(ids.reshape(-1).astype(np.int64))
        return words[0] if ids.ndim == 0 else words

    @property
    def _unknown_id(self) -> int:
        return -1 if self.unknown_token is None else self.get(self.unknown_token, -1)

    # --- an embedding ---------------------------------------------------------------------------

    @property
    def embedding(self) -> "TokenEmbedding | None":
        """What `set_embedding` set: the vectors of these words; None before."""
        return self._embedding

    def set_embedding(
        self,
        *embeddings: "HasVectors | None",
        unknown: "Unknown" = "zero",
        init_unknown_vec: "MakeVector | None" = None,
        lowercase_fallback: bool = False,
        seed: int = 1,
    ) -> None:
        """Give the words vectors: those that they have in one or more embeddings.

        Parameters
        ----------
        *embeddings : KeyedVectors
            Where vectors come from; of several they are joined, one after the other. None takes
            away what was set.
        unknown, lowercase_fallback, seed
            As in `firth.embedding_matrix`.
        init_unknown_vec : callable, optional
            Makes the vector of all words that have none, shape (vector_size,), of its size; such as
            ``numpy.ones``. In place of `unknown`.

        Raises
        ------
        ParameterError
            If there is no embedding, or what `init_unknown_vec` makes has another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from firth import KeyedVectors, Vocab
        >>> matrix = np.array([[1, 2], [3, 4]], np.float32)
        >>> wv = KeyedVectors(Vocab.from_words(["hello", "world"]), matrix)
        >>> vocab = Vocab({"hello": 2, "there": 1})
        >>> vocab.set_embedding(wv)
        >>> vocab.embedding["hello", "there"].tolist()
        [[1.0, 2.0], [0.0, 0.0]]
        >>> vocab.embedding.idx_to_vec.shape
        (4, 2)
        """
        from firth.vocab._embedding import TokenEmbedding, joined_embeddings

        if embeddings == (None,):
            self._embedding = None
            return
        matrix = joined_embeddings(
            self, embeddings, init_unknown_vec or unknown, lowercase_fallback, seed
        )
        self._embedding = TokenEmbedding(self, matrix)

    # --- keeping --------------------------------------------------------------------------------

    def to_json(self) -> str:
        """Return words, counts and special tokens as JSON; `from_json` reads it."""
        fields = {
            "idx_to_token": list(self.words),
            "counts": self.counts.tolist(),
            **{name: getattr(self, name) for name in _SPECIAL},
            "reserved_tokens": self.reserved_tokens,
        }
        return json.dumps(fields, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a vocabulary of what `to_json` wrote; also of what GluonNLP's wrote.

        Raises
        ------
        FormatError
            If the text is no such JSON.
        """
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise FormatError(f"this is no JSON of a vocabulary: {error}") from error
        if not isinstance(fields, dict) or not isinstance(fields.get("idx_to_token"), list):
            raise FormatError('this is no JSON of a vocabulary: it has no list "idx_to_token"')
        words, counts = fields["idx_to_token"], fields.get("counts")
        try:
            vocab = cls.from_words(words, None if counts is None else np.array(counts, np.int64))
        except (ParameterError, VocabularyError, ValueError, TypeError, OverflowError) as error:
            raise FormatError(f"this is no JSON of a vocabulary: {error}") from error
        special = {name: fields.get(name) for name in _JSON}
        if isinstance(special["reserved_tokens"], list):
            # GluonNLP lists the named ones here, too.
            named = [special[name] for name in _SPECIAL]
            others = [token for token in special["reserved_tokens"] if token not in named]
            special["reserved_tokens"] = others
        vocab._read_special(special, "this JSON")  # noqa: SLF001 (one of its own)
        return vocab

    def _config(self) -> dict[str, Any]:
        special = self.special_tokens
        return {"special_tokens": special} if special else {}

    @classmethod
    def load(cls, folder: "str | os.PathLike[str]") -> Self:
        """Open the vocabulary in any folder of firth that has one, by memory map.

        Parameters
        ----------
        folder : str or Path
            What `save` wrote, or a model's folder.

        Raises
        ------
        SourceError
            If there is no such folder.
        FormatError
            If it is not one of firth, or its vocabulary is missing or damaged.
        """
        vocab = super().load(folder)
        special = read_config(folder).get("special_tokens")
        if special is not None:
            vocab._read_special(special, str(folder))  # noqa: SLF001 (one of its own)
        return vocab

    def _read_special(self, tokens: object, where: str) -> None:
        """Take special tokens from a file, if they are some of these words."""
        if not isinstance(tokens, dict) or not tokens.keys() <= _JSON:
            raise FormatError(f"{where}: the special tokens are {shortened(tokens)}")
        reserved = tokens.get("reserved_tokens") or []
        given = [token for name in _SPECIAL if (token := tokens.get(name)) is not None]
        if not isinstance(reserved, list) or not all(t in self for t in [*given, *reserved]):
            raise FormatError(f"{where}: the special tokens are not all among the words: {tokens}")
        self._set_special(tokens)

    def __eq__(self, other: object) -> bool:
        same = super().__eq__(other)
        if same is True and isinstance(other, Vocab):
            return self.special_tokens == other.special_tokens
        return same

    __hash__ = IndexedWords.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), dict(self._arrays), self.special_tokens, self._embedding)


def _rebuilt(
    cls: type[Vocab],
    arrays: dict[str, Any],
    special: dict[str, Any],
    embedding: "TokenEmbedding | None",
) -> Vocab:
    """Make a vocabulary that comes from another process."""
    vocab = cls.from_parts(**arrays)
    vocab._set_special(special)  # noqa: SLF001 (one of its own)
    vocab._embedding = embedding  # noqa: SLF001
    return vocab


def _chosen(
    counter: Mapping[str, int], min_freq: int, max_size: int | None
) -> list[tuple[str, int]]:
    words = IndexedWords.from_counter(counter, min_count=min_freq, max_size=max_size)
    return list(zip(words.words, words.counts.tolist(), strict=True))


class _IdOfWord(Mapping[str, int]):
    """The ids of words, as a dictionary that is not there."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __getitem__(self, word: str) -> int:
        return self._vocab[word]

    def __contains__(self, word: object) -> bool:
        return word in self._vocab

    def __iter__(self) -> Iterator[str]:
        return iter(self._vocab)

    def __len__(self) -> int:
        return len(self._vocab)

    def __repr__(self) -> str:
        return f"<ids of {len(self):,} words>"


def count_tokens(
    tokens: Iterable[str], to_lower: bool = False, counter: "Counter[str] | None" = None
) -> "Counter[str]":
    """Count tokens; as GluonNLP's function of this name.

    For texts in files, `firth.build_vocab` is many times faster.

    Parameters
    ----------
    tokens : iterable of str
        The tokens.
    to_lower : bool
        Lower-case them first.
    counter : collections.Counter, optional
        Add to this one.

    Returns
    -------
    collections.Counter
        How often each token is there.

    Raises
    ------
    ParameterError
        If `tokens` is a string, whose characters would be counted.

    Examples
    --------
    >>> from firth import count_tokens
    >>> count_tokens("To be or not to be".split(), to_lower=True).most_common(2)
    [('to', 2), ('be', 2)]
    """
    if isinstance(tokens, str):
        raise ParameterError(
            f"tokens is the string {shortened(tokens)}; give a list of words: tokens.split()"
        )
    counter = Counter() if counter is None else counter
    counter.update(token.lower() for token in tokens) if to_lower else counter.update(tokens)
    return counter
