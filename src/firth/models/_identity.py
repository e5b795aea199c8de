"""What tells one text from another, before it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from firth.models._texts import TextOptions, encoded_pair, source_of
from firth.text import open_text

if TYPE_CHECKING:
    from pathlib import Path

    from firth.corpus import Corpus
    from firth.models._texts import type_of_source
    from firth.vocab import Vocab

_SENTENCES = 1000
_BLOCK = 1 << 22


def identity_of(
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    options: TextOptions,
) -> dict[str, Any]:
    """Describe a text so that another one is told apart, as far as that is possible at once.

    Files are told by names, sizes and times; an iterable that can be gone through again by its
    first thousand sentences; a pipe or a generator, which can be read only once, by being one.

    Returns
    -------
    dict
        As JSON can hold it.
    """
    pair = encoded_pair(sentences)
    if pair:
        return {"encoded": pair[0].fingerprint(), "words": len(pair[1])}
    if sentences is not None:
        if isinstance(sentences, Iterator):
            return {"sentences": "read only once"}
        digest = hashlib.sha256()
        for sentence in islice(sentences, _SENTENCES):
            digest.update(repr(sentence).encode("utf-8", "surrogatepass") + b"\n")
        known = {"number": len(sentences)} if isinstance(sentences, Sized) else {}
        return {"sentences": digest.hexdigest()[:16], **known}
    if hasattr(corpus_file, "read"):
        return {"files": "a stream"}
    source = source_of(None, corpus_file, options.tokenizer)["source"]
    opened = open_text(source, field=options.field, errors=options.errors)
    fingerprint = opened.fingerprint()
    if fingerprint is None:
        return {"files": opened.name}
    return {name: fingerprint[name] for name in ("files", "sizes", "mtimes_ns")}


class FingerprintInBackground:
    """Computes a hash of a corpus beside its training, which has to read all of it anyway.

    Parameters
    ----------
    corpus : Corpus
        Its files.
    vocab : Vocab
        What its ids mean.
    """

    def __init__(self, corpus: Corpus, vocab: Vocab) -> None:
        self._files = sorted(
            path for path in corpus.folder.iterdir() if path.suffix in {".u32", ".i64"}
        )
        self._vocab = vocab
        self._stop = Event()
        self._result: str | None = None
        self._thread = Thread(target=self._compute, name="firth-fingerprint")
        self._thread.start()

    def result(self) -> str | None:
        """Wait for it; None where the corpus cannot be read."""
        self._thread.join()
        return self._result

    def cancel(self) -> None:
        """End it early, after something went wrong."""
        self._stop.set()
        self._thread.join()

    def _compute(self) -> None:
        digest = hashlib.sha256(self._vocab.fingerprint().encode())
        for path in self._files:
            if not self._add(digest, path):
                return
        self._result = digest.hexdigest()

    def _add(self, digest: hashlib._Hash, path: Path) -> bool:
        try:
            with path.open("rb", buffering=0) as file:
                while block := file.read(_BLOCK):
                    if self._stop.is_set():
                        return False
                    digest.update(block)
        except OSError:  # the training will say what is wrong with it
            return False
        return True
