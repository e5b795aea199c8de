"""Folders of model2vec, and of sentence-transformers' `StaticEmbedding`.

::

    model.safetensors   embeddings         float32 (n_rows, vector_size); model2vec
                        embedding.weight   the same; sentence-transformers
                        mapping            int64 (n_tokens,): the row of each token, optional
                        weights            float (n_tokens,): what its row is multiplied with
                        counts             int64 (n_tokens,), ours: how often each was seen
    tokenizer.json      a tokeniser of Hugging Face: its tokens and their ids
    config.json         model2vec's settings
    modules.json        the list of modules of sentence-transformers; without it, its
                        StaticEmbedding lies in the folder itself or in 0_StaticEmbedding

Tokens become words as they are: those of WordPiece (``##ing``), BPE (``Ġthe``) and Unigram
(``▁the``) with their marks.

Written is one folder that both load, with a tokeniser of words (`WordLevel`), so that the vector of
a text is the mean of its words' vectors. What a text is cut at is chosen to fit the words
(`_pre_tokenizer`). Unknown words become ``[UNK]``, which model2vec leaves out of the mean and
sentence-transformers counts in with a row of zeros, so that the direction stays the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from firth.errors import FormatError
from firth.formats._chooser import WORDS_A_BLOCK, RowChooser, take_rows
from firth.formats._format import Format
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport
from firth.storage import open_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_NAME = "static-embedding"
_MODEL, _TOKENIZER, _MODULES, _CONFIG = (
    "model.safetensors",
    "tokenizer.json",
    "modules.json",
    "config.json",
)
_NESTED = "0_StaticEmbedding"
_EMBEDDINGS = ("embeddings", "embedding.weight")
_UNKNOWN = "[UNK]"
_UNKNOWNS = (_UNKNOWN, "<unk>", "<UNK>")
_MOST_CONFIG = 64 << 20
_BLOCK_BYTES = 4 << 20

# A word of running text: letters and digits, joined by single marks inside. The first is in the
# syntax of the tokeniser (Oniguruma), the second in that of Python, to try it on the words.
_WORD = r"[\p{L}\p{N}\p{M}_]+(?:['’.,·\-][\p{L}\p{N}\p{M}_]+)*"
_WORD_IN_PYTHON = re.compile(r"\w+(?:['’.,·\-]\w+)*|[^\w\s]")
_ABBREVIATION = r"(?:\p{L}\.){2,}"
_ABBREVIATION_IN_PYTHON = re.compile(r"(?:[^\W\d_]\.){2,}")
# Above this share of words that the pattern takes whole, it is used.
_ENOUGH = 0.9
_TRIED_WORDS = 50_000


# --- reading --------------------------------------------------------------------------------------


class _Tokens(NamedTuple):
    """The tokens of a tokeniser in the order of their ids."""

    texts: list[str]
    ids: NDArray[np.int64]
    kind: str
    unknown: str | None


def _recognise(source: VectorSource) -> bool:
    return source.is_folder and source.path is not None and _folder_of(source.path) is not None


def _folder_of(path: Path) -> Path | None:
    """Find the folder with the matrix and its tokeniser."""
    for folder in (path, path / _NESTED):
        if (folder / _MODEL).is_file() and (folder / _TOKENIZER).is_file():
            return folder
    return None


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    folder = _folder_of(source.path) if source.path is not None else None
    if folder is None or source.path is None:
        raise FormatError(
            f"{source.name}: give the folder that has {_MODEL} and {_TOKENIZER}, not a file in it"
        )
    report = LoadReport(_NAME, source.name)
    _check_modules(source.path, report)
    tensors = open_tensors(folder / _MODEL)
    name = next((name for name in _EMBEDDINGS if name in tensors), None)
    if name is None or tensors[name].ndim != 2:
        raise FormatError(
            f"{folder / _MODEL}: has no matrix {_EMBEDDINGS[0]!r} or {_EMBEDDINGS[1]!r}, but "
            f"{', '.join(list(tensors)[:5]) or 'nothing'}; this is no model of static vectors"
        )
    matrix, mapping, weights = tensors[name], tensors.get("mapping"), tensors.get("weights")
    tokens = _read_tokens(folder / _TOKENIZER)
    n_tokens = len(matrix) if mapping is None else len(mapping)
    _check_parts(folder, tokens, n_tokens, matrix, mapping, weights)
    tokens = _without_empty_unknown(tokens, matrix, mapping, report)
    counts = tensors.get("counts")
    if counts is None or counts.shape != (n_tokens,) or counts.dtype.kind not in "iu":
        counts = np.zeros(n_tokens, np.int64)
    chooser = RowChooser(options, report)
    for begin in range(0, len(tokens.texts), WORDS_A_BLOCK):
        part = slice(begin, begin + WORDS_A_BLOCK)
        if not chooser.is_full:
            chooser.add(tokens.texts[part], counts[tokens.ids[part]])
    vocab, ids = chooser.vocab(), tokens.ids[chooser.rows()]
    rows = ids if mapping is None else mapping[ids].astype(np.int64)
    # Rows rise where there is no mapping; then the mapped matrix itself may do.
    vectors = take_rows(matrix, rows, str(matrix.dtype)) if mapping is None else matrix[rows]
    if weights is not None:
        vectors = vectors.astype(np.float32) * weights[ids].astype(np.float32)[:, None]
    if tokens.kind != "WordLevel":
        report.notes.append(f"its words are the tokens of {tokens.kind}, with their marks")
    config = _made_config(_read_json(source.path / _CONFIG))
    return finish_table(vocab, vectors, options, report, config=config)


def _read_json(path: Path) -> Any:
    """Read a file of JSON; None where there is none."""
    try:
        if path.stat().st_size > _MOST_CONFIG and path.name != _TOKENIZER:
            raise FormatError(f"{path}: over {_MOST_CONFIG >> 20} MiB: this is no {path.name}")
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: cannot be read as JSON: {error}") from error


def _made_config(config: Any) -> dict[str, Any]:
    """Give what is known of how the vectors were made."""
    if not isinstance(config, dict):
        return {}
    own = config.get("firth")
    if isinstance(own, dict):
        return own
    names = ("tokenizer_name", "apply_pca", "sif_coefficient", "normalize", "base_model")
    return {name: config[name] for name in names if name in config}


def _check_modules(path: Path, report: LoadReport) -> None:
    """Refuse models of sentence-transformers that are none of static vectors."""
    modules = _read_json(path / _MODULES)
    if not isinstance(modules, list):
        return
    kinds = [
        str(module.get("type", "")).rsplit(".", 1)[-1]
        for module in modules
        if isinstance(module, dict)
    ]
    if kinds and "StaticEmbedding" not in kinds:
        raise FormatError(
            f"{path / _MODULES}: the model consists of {', '.join(kinds)}; only static vectors can "
            f"be read: those of a StaticEmbedding"
        )
    others = [kind for kind in kinds if kind != "StaticEmbedding"]
    if others:
        report.notes.append(f"modules that are not applied: {', '.join(others)}")


def _read_tokens(path: Path) -> _Tokens:
    tokenizer = _read_json(path)
    model = tokenizer.get("model") if isinstance(tokenizer, dict) else None
    if not isinstance(model, dict):
        raise FormatError(f"{path}: has no 'model' with the tokens; this is no tokeniser")
    vocab, kind = model.get("vocab"), str(model.get("type", "a tokeniser"))
    unknown = model.get("unk_token")
    pairs: list[tuple[Any, Any]]
    if isinstance(vocab, list):  # Unigram: pairs of token and score
        vocab = [pair if isinstance(pair, list) else [None] for pair in vocab]
        pairs = [(pair[0] if pair else None, i) for i, pair in enumerate(vocab)]
        at = model.get("unk_id")
        unknown = pairs[at][0] if isinstance(at, int) and 0 <= at < len(pairs) else None
    elif isinstance(vocab, dict):
        pairs = list(vocab.items())
    else:
        raise FormatError(f"{path}: the model has no 'vocab'; this is no tokeniser")
    known = {i for _, i in pairs if isinstance(i, int)}
    added = tokenizer.get("added_tokens")
    for token in added if isinstance(added, list) else ():
        if (
            isinstance(token, dict)
            and isinstance(token.get("id"), int)
            and token["id"] not in known
        ):
            pairs.append((token.get("content"), token["id"]))
    if not all(isinstance(t, str) and type(i) is int and 0 <= i < 1 << 40 for t, i in pairs):
        raise FormatError(f"{path}: tokens and their ids are no texts and numbers; damaged")
    pairs.sort(key=lambda pair: pair[1])
    ids = np.fromiter((i for _, i in pairs), np.int64, len(pairs))
    texts = [text for text, _ in pairs]
    return _Tokens(texts, ids, kind, unknown if isinstance(unknown, str) else None)


def _check_parts(
    folder: Path,
    tokens: _Tokens,
    n_tokens: int,
    matrix: NDArray[Any],
    mapping: NDArray[Any] | None,
    weights: NDArray[Any] | None,
) -> None:
    model = folder / _MODEL
    if len(tokens.ids) and int(tokens.ids[-1]) >= n_tokens:
        raise FormatError(
            f"{folder}: {_TOKENIZER} has the id {int(tokens.ids[-1]):,}, but {_MODEL} has "
            f"{n_tokens:,} rows; the two files do not belong together"
        )
    if mapping is not None and (
        mapping.ndim != 1
        or mapping.dtype.kind not in "iu"
        or (n_tokens and not 0 <= int(mapping.min()) <= int(mapping.max()) < len(matrix))
    ):
        raise FormatError(f"{model}: 'mapping' is not one of {len(matrix):,} rows for each token")
    if weights is not None and (weights.shape != (n_tokens,) or weights.dtype.kind != "f"):
        raise FormatError(
            f"{model}: 'weights' is {weights.dtype} of shape {weights.shape}, where a number for "
            f"each of {n_tokens:,} tokens belongs"
        )


def _without_empty_unknown(
    tokens: _Tokens, matrix: NDArray[Any], mapping: NDArray[Any] | None, report: LoadReport
) -> _Tokens:
    """Leave out the token for unknown words where its row is zeros, as firth writes it."""
    if tokens.unknown not in tokens.texts:
        return tokens
    at = tokens.texts.index(tokens.unknown)
    row = int(tokens.ids[at]) if mapping is None else int(mapping[tokens.ids[at]])
    if (matrix[row] != 0).any():  # any() of numbers warns of NaN that signal
        return tokens
    if tokens.unknown != _UNKNOWN or at < len(tokens.texts) - 1:  # else it is ours
        report.notes.append(f"the token {tokens.unknown} of unknown words has no vector; left out")
    return tokens._replace(
        texts=tokens.texts[:at] + tokens.texts[at + 1 :], ids=np.delete(tokens.ids, at)
    )


# --- writing --------------------------------------------------------------------------------------


def _write(table: VectorTable, folder: Path) -> None:
    vocab = table.vocab
    unknown = next((word for word in _UNKNOWNS if word in vocab), None)
    n_extra = int(unknown is None)
    unknown = _UNKNOWN if unknown is None else unknown
    counts = vocab.counts if vocab.counts.any() else None
    _write_matrix(folder / _MODEL, table.vectors, n_extra, counts)
    _write_tokenizer(folder / _TOKENIZER, vocab.words, unknown, n_extra)
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": table.vectors.shape[1],
        "embedding_dtype": "float32",
        "normalize": False,
        "max_length": None,
        "firth": dict(table.config),
    }
    kind = "sentence_transformers.models.StaticEmbedding"
    modules = [{"idx": 0, "name": "0", "path": "", "type": kind}]
    for name, value in ((_CONFIG, config), (_MODULES, modules)):
        text = json.dumps(value, indent=2, default=str) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


def _write_matrix(
    path: Path, vectors: NDArray[Any], n_extra: int, counts: NDArray[np.int64] | None
) -> None:
    """Write the rows, and rows of zeros behind them, without a second matrix in memory."""
    n_rows, n_columns = len(vectors) + n_extra, vectors.shape[1]
    n_count_bytes = 0 if counts is None else 8 * n_rows
    n_bytes = n_rows * n_columns * 4
    header: dict[str, Any] = {}
    if counts is not None:
        header["counts"] = {"dtype": "I64", "shape": [n_rows], "data_offsets": [0, n_count_bytes]}
    header["embeddings"] = {
        "dtype": "F32",
        "shape": [n_rows, n_columns],
        "data_offsets": [n_count_bytes, n_count_bytes + n_bytes],
    }
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    step = max(1, _BLOCK_BYTES // (4 * n_columns))
    with path.open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        if counts is not None:
            file.write(counts.astype("<i8").tobytes() + bytes(8 * n_extra))
        for begin in range(0, len(vectors), step):
            file.write(vectors[begin : begin + step].astype("<f4").tobytes())
        file.write(bytes(4 * n_columns * n_extra))


def _write_tokenizer(path: Path, words: Sequence[str], unknown: str, n_extra: int) -> None:
    head: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"} if _is_lowercase(words) else None,
        "pre_tokenizer": _pre_tokenizer(words),
        "post_processor": None,
        "decoder": None,
    }
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "model": {"type": "WordLevel", "vocab": {')
        for begin in range(0, len(words), WORDS_A_BLOCK):
            block = words[begin : begin + WORDS_A_BLOCK]
            items = (f"{json.dumps(word)}: {i}" for i, word in enumerate(block, begin))
            file.write((", " if begin else "") + ", ".join(items))
        if n_extra:
            file.write(f", {json.dumps(unknown)}: {len(words)}")
        file.write(f'}}, "unk_token": {json.dumps(unknown)}}}}}\n')


def _is_lowercase(words: Sequence[str]) -> bool:
    """Tell whether text is to be lower-cased: when no word has a capital letter."""
    for begin in range(0, len(words), WORDS_A_BLOCK):
        text = "\n".join(words[begin : begin + WORDS_A_BLOCK])
        if text != text.lower():
            return False
    return True


def _pre_tokenizer(words: Sequence[str]) -> Mapping[str, Any]:
    """Choose what text is cut at, by the first 50,000 words.

    Where nine of ten are words of running text or single marks, text is cut into such; marks count
    only when the vocabulary has a full stop or a comma. Otherwise text is cut at whitespace.
    """
    tried = words[:_TRIED_WORDS]
    has_abbreviations = any(_ABBREVIATION_IN_PYTHON.fullmatch(word) for word in tried)
    n_whole = sum(
        bool(_WORD_IN_PYTHON.fullmatch(word) or _ABBREVIATION_IN_PYTHON.fullmatch(word))
        for word in tried
    )
    if n_whole < _ENOUGH * len(tried):
        return {"type": "WhitespaceSplit"}
    parts = [_ABBREVIATION] if has_abbreviations else []
    parts.append(_WORD)
    if "." in words or "," in words:
        parts.append(r"[^\s]")
    # Inverted, it is what matches that stays, and the rest that is removed.
    return {
        "type": "Split",
        "pattern": {"Regex": "|".join(parts)},
        "behavior": "Removed",
        "invert": True,
    }


STATIC_EMBEDDING: Final = Format(
    name=_NAME,
    title="model2vec and sentence-transformers StaticEmbedding",
    suffixes=(),
    recognise=_recognise,
    read=_read,
    write_folder=_write,
)
