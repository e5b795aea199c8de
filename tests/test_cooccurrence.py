"""Co-occurrences: counted as the slow reference does, in little memory, whatever the disk says."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firth
import naive
from firth import _core
from firth.cooccurrence import Cooccurrences, _counting, _matrix, _runs, count_cooccurrences
from firth.corpus import encode_corpus
from firth.errors import (
    FormatError,
    InputError,
    MissingExtraError,
    OutputError,
    ParameterError,
    SourceError,
    WordNotFoundError,
)

OPTIONS = {"progress": False}


def dense(counts):
    """The whole matrix from what is stored."""
    full = np.zeros((len(counts), len(counts)))
    rows = np.repeat(np.arange(len(counts)), np.diff(counts.row_starts))
    full[rows, counts.columns] = counts.values
    if counts.symmetric:
        assert (counts.columns <= rows).all()
        full = full + np.tril(full, -1).T
    return full


def text(n_sentences=60, n_words=50, seed=1):
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, n_words + 1)
    return [
        [f"w{i}" for i in random.choice(n_words, random.integers(1, 40), p=shares / shares.sum())]
        for _ in range(n_sentences)
    ]


@pytest.fixture
def encoded():
    vocab, corpus = encode_corpus(text(), tokens=True, min_count=1)
    with corpus:
        yield vocab, corpus


def sentences_of(corpus):
    begins = np.concatenate(([0], corpus.sentence_ends[:-1]))
    return [corpus.ids[a:b].tolist() for a, b in zip(begins, corpus.sentence_ends, strict=True)]


# --- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 5, 15, 22, 23, 100])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("distance_weighting", [True, False])
def test_counts_are_those_of_the_reference(encoded, window, symmetric, distance_weighting):
    vocab, corpus = encoded
    kinds = {"symmetric": symmetric, "distance_weighting": distance_weighting}
    expected = naive.cooccurrences(sentences_of(corpus), len(vocab), window, **kinds)
    with count_cooccurrences(vocab, corpus, window=window, **kinds, **OPTIONS) as counts:
        # Sums are exact but for the last rounding; those of the reference have a few.
        assert dense(counts) == pytest.approx(expected, rel=1.2e-7, abs=0)
        assert counts.n_nonzero == np.count_nonzero(expected)
        assert counts.n_stored == len(counts.columns) == counts.row_starts[-1]
        for row in range(len(vocab)):
            columns = counts.columns[counts.row_starts[row] : counts.row_starts[row + 1]]
            assert (np.diff(columns.astype(int)) > 0).all()
        assert counts.window == window
        assert counts.n_tokens == len(corpus)
        assert (counts.symmetric, counts.distance_weighting) == (symmetric, distance_weighting)


@settings(max_examples=40)
@given(
    sentences=st.lists(
        st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=8
    ),
    window=st.integers(1, 13),
    symmetric=st.booleans(),
)
def test_counts_of_any_text(sentences, window, symmetric):
    if max(map(len, sentences)) < 2:
        sentences = [*sentences, [0, 1]]
    words = [[str(i) for i in sentence] for sentence in sentences]
    vocab, corpus = encode_corpus(words, tokens=True, min_count=1)
    with corpus:
        expected = naive.cooccurrences(
            sentences_of(corpus), len(vocab), window, symmetric=symmetric
        )
        with count_cooccurrences(
            vocab, corpus, window=window, symmetric=symmetric, workers=2, **OPTIONS
        ) as counts:
            assert dense(counts) == pytest.approx(expected, rel=1.2e-7, abs=0)


def files_of(counts):
    names = (_matrix.ROW_STARTS_FILE, _matrix.COLUMNS_FILE, _matrix.VALUES_FILE)
    return [(counts.folder / name).read_bytes() for name in names]


def test_memory_and_threads_do_not_change_a_bit(encoded, monkeypatch):
    vocab, corpus = encoded
    with count_cooccurrences(vocab, corpus, workers=1, **OPTIONS) as counts:
        expected = files_of(counts)
    monkeypatch.setattr(_counting, "_CHUNK_SIZE", 50)
    monkeypatch.setattr(_counting, "_FEWEST_TOKENS", 100)
    appended = []
    append = _runs.Runs.append
    monkeypatch.setattr(
        _runs.Runs, "append", lambda self, *args: (appended.append(args[0]), append(self, *args))
    )
    for workers, pieces in ((1, 1), (2, 2), (3, 7), (2, 10**6)):
        appended.clear()
        monkeypatch.setattr(
            _counting, "_share_memory", lambda *_, w=workers, n=pieces: (w, 60 + 1500 // n)
        )
        with count_cooccurrences(vocab, corpus, workers=workers, **OPTIONS) as counts:
            assert files_of(counts) == expected
        assert appended.count(0) >= min(pieces, 2)


def test_a_count_past_32_bits_is_not_cut():
    """Sums have 64 bits, in a run and when runs are merged."""
    weights = np.array([2**40], np.uint64)
    blocks = []
    for _ in range(3):
        counter = _core.CooccurrenceCounter(2, weights, True, 4)
        counter.add(np.array([0, 1, 0, 1], np.uint32), np.array([4]), 0)
        counter.find_places()
        blocks.append(counter.encode_rows(0, 2))
    lengths, columns, values = _core.CooccurrenceMerger(2).merge(blocks, 2, 1.0)
    assert lengths.tolist() == [0, 1]
    assert columns.tolist() == [0]
    assert values.tolist() == [9 * 2.0**40]


@settings(max_examples=100)
@given(st.integers(1, 10_000), st.integers(1, 10**15))
def test_no_sum_can_overflow(window, n_tokens):
    weights, scale = _counting.pair_weights(window, True, n_tokens)
    assert 2 * n_tokens * sum(weights.tolist()) < 2**64
    assert weights[0] == scale
    exact = scale / np.arange(1, window + 1)
    assert np.abs(weights - exact).max() <= 0.5
    if n_tokens < 10**9:
        assert scale >= 2**27 or all(int(scale) % d == 0 for d in range(1, window + 1))


# --- the object -----------------------------------------------------------------------------------


def test_the_matrix_in_scipy(encoded):
    sparse = pytest.importorskip("scipy.sparse")
    vocab, corpus = encoded
    for symmetric in (True, False):
        with count_cooccurrences(vocab, corpus, window=4, symmetric=symmetric, **OPTIONS) as counts:
            matrix = counts.to_scipy()
            assert isinstance(matrix, sparse.csr_array)
            assert matrix.dtype == np.float32
            assert matrix.shape == (len(vocab), len(vocab))
            assert matrix.nnz == counts.n_nonzero
            assert (matrix.toarray() == dense(counts)).all()
            matrix.data[:] = 0  # a copy: the file stays as it is
            assert counts.values.min() > 0


def test_a_matrix_without_scipy_names_the_extra(encoded, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with (
        count_cooccurrences(*encoded, **OPTIONS) as counts,
        pytest.raises(MissingExtraError, match=r"firth\[svd\]"),
    ):
        counts.to_scipy()


def test_looking_up_a_pair(encoded):
    vocab, corpus = encoded
    sentences = sentences_of(corpus)
    for symmetric in (True, False):
        expected = naive.cooccurrences(sentences, len(vocab), 3, symmetric=symmetric)
        with count_cooccurrences(vocab, corpus, window=3, symmetric=symmetric, **OPTIONS) as counts:
            for i, j in ((0, 0), (0, 1), (1, 0), (40, 2), (2, 40), (45, 47), (49, 49)):
                found = counts.count(vocab.words[i], vocab.words[j])
                assert found == pytest.approx(expected[i, j], rel=1e-6)
            with pytest.raises(WordNotFoundError, match="absent"):
                counts.count("w1", "absent")


def test_blocks_cover_the_matrix_once(encoded):
    with count_cooccurrences(*encoded, **OPTIONS) as counts:
        for size in (1, 100, 10**6):
            blocks = list(counts.blocks(size))
            assert np.concatenate([b[2] for b in blocks]).tolist() == counts.columns.tolist()
            assert np.concatenate([b[3] for b in blocks]).tolist() == counts.values.tolist()
            assert [b[0] for b in blocks[1:]] == list(
                np.cumsum([len(b[1]) - 1 for b in blocks])[:-1]
            )
            assert all(len(b[2]) <= size or len(b[1]) == 2 for b in blocks)


def test_kept_in_a_folder_and_opened_again(encoded, tmp_path):
    with count_cooccurrences(*encoded, folder=tmp_path / "counts", **OPTIONS) as counts:
        expected = dense(counts)
    again = Cooccurrences(tmp_path / "counts")
    assert (dense(again) == expected).all()
    assert again.vocab == encoded[0]
    assert repr(again) == f"Cooccurrences(50 words, {again.n_nonzero:,} pairs within 15 words)"
    names = {path.name for path in (tmp_path / "counts").iterdir()}
    assert names == {
        "config.json", "vocab.safetensors", "row_starts.i64", "columns.u32", "values.f32",
    }  # fmt: skip
    # One that firth wrote is replaced, another's is not touched.
    count_cooccurrences(*encoded, window=2, folder=tmp_path / "counts", **OPTIONS)
    assert Cooccurrences(tmp_path / "counts").window == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="mine"):
        count_cooccurrences(*encoded, folder=tmp_path / "mine", **OPTIONS)


def test_temporary_ones_are_gone_when_closed(encoded, places):
    counts = count_cooccurrences(*encoded, **OPTIONS)
    assert counts.folder.is_relative_to(places.temporary)
    counts.close()
    counts.close()
    assert [p for p in places.temporary.iterdir() if "cooccurrences" in p.name] == []


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 0}, "window must be a whole number of 1 or more, not 0"),
        ({"window": 2.5}, "window must be a whole number"),
        ({"window": 10_001}, "at most 10,000"),
        ({"workers": 0}, "workers"),
        ({"memory_limit": 0}, "memory_limit must be gigabytes above 0, not 0"),
        ({"memory_limit": math.nan}, "memory_limit"),
        ({"memory_limit": "4GB"}, "memory_limit must be gigabytes above 0, not '4GB'"),
        ({"memory_limit": 0.001}, r"too low to count 50 words: give at least 0\.03"),
    ],
    ids=str,
)
def test_parameters_out_of_range(encoded, parameters, message):
    with pytest.raises(ParameterError, match=message):
        count_cooccurrences(*encoded, **parameters, **OPTIONS)


def test_the_least_memory_that_is_named_is_enough(encoded):
    with count_cooccurrences(*encoded, memory_limit=0.03, workers=64, **OPTIONS) as counts:
        assert counts.n_nonzero > 0


def test_sentences_of_one_word_have_no_pairs():
    vocab, corpus = encode_corpus([["a"], ["b"]], tokens=True, min_count=1)
    with corpus, pytest.raises(InputError, match="each of the 2 sentences has one word"):
        count_cooccurrences(vocab, corpus, **OPTIONS)


def test_a_full_disk_while_spilling(encoded, tmp_path, places, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    before = threading.active_count()
    for folder in (None, tmp_path / "counts"):
        with pytest.raises(OutputError, match="the disk is full") as caught:
            count_cooccurrences(*encoded, folder=folder, **OPTIONS)
        assert "TMPDIR" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert [p for p in places.temporary.iterdir() if "cooccurrences" in p.name] == []
    time.sleep(0.05)
    assert threading.active_count() == before


def test_no_place_for_temporary_files(encoded, monkeypatch):
    monkeypatch.setattr(_counting.tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(OutputError, match="set TMPDIR"):
        count_cooccurrences(*encoded, **OPTIONS)


def test_a_damaged_corpus_is_told(encoded):
    _, corpus = encoded
    smaller = firth.Vocab.from_words(["a", "b"])
    with pytest.raises(FormatError, match="outside of the vocabulary"):
        count_cooccurrences(smaller, corpus, **OPTIONS)


@pytest.fixture
def kept(encoded, tmp_path):
    count_cooccurrences(*encoded, folder=tmp_path / "counts", **OPTIONS)
    return tmp_path / "counts"


def change_config(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_damaged_files_are_refused(kept, tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        Cooccurrences(tmp_path / "nothing")
    whole = (kept / "columns.u32").read_bytes()
    (kept / "columns.u32").write_bytes(whole[:-4])
    with pytest.raises(FormatError, match=r"columns\.u32: [\d,]+ bytes, where"):
        Cooccurrences(kept)
    (kept / "columns.u32").write_bytes(whole)
    starts = np.fromfile(kept / "row_starts.i64", "<i8")
    for at, value in ((3, 10**9), (0, 1), (len(starts) - 1, int(starts[-2])), (5, -1)):
        changed = starts.copy()
        changed[at] = value
        changed.tofile(kept / "row_starts.i64")
        with pytest.raises(FormatError, match="rows of row_starts"):
            Cooccurrences(kept)
    starts.tofile(kept / "row_starts.i64")
    Cooccurrences(kept)
    for fields in ({"window": 0}, {"n_stored": -1}, {"n_nonzero": "many"}):
        config = (kept / "config.json").read_text()
        change_config(kept, **fields)
        with pytest.raises(FormatError, match=next(iter(fields))):
            Cooccurrences(kept)
        (kept / "config.json").write_text(config)
    (kept / "values.f32").unlink()
    with pytest.raises(FormatError, match="missing"):
        Cooccurrences(kept)
    change_config(kept, kind="corpus")
    with pytest.raises(FormatError, match="kind 'corpus'"):
        Cooccurrences(kept)


def test_damaged_runs_are_refused():
    merger = _core.CooccurrenceMerger(4)
    for block in ([], [1], [1, 9, 1], [1, 0, 0x80], [0, 0], [0xFF] * 11):
        with pytest.raises(ValueError, match=r"cut off|too high|longer"):
            merger.merge([np.array(block, np.uint8)], 1, 1.0)


@pytest.mark.parametrize(
    ("ids", "ends", "message"),
    [
        ([0, 1], [1], "do not match"),
        ([0, 1], [2, 1, 2], "fall"),
        ([0, 2], [2], "outside"),
        ([0] * 9, [9], "more words"),
    ],
)
def test_the_core_checks_what_becomes_an_address(ids, ends, message):
    counter = _core.CooccurrenceCounter(2, np.ones(3, np.uint64), True, 8)
    with pytest.raises(ValueError, match=message):
        counter.add(np.array(ids, np.uint32), np.array(ends, np.int64), 0)


# --- a process of its own -------------------------------------------------------------------------

COUNT = """
import sys
import numpy as np
from firth import Corpus, Vocab, count_cooccurrences
from firth.corpus import _corpus
from firth.storage import write_config, write_folder

n = {n_tokens}
with write_folder("corpus") as folder:
    vocab = Vocab.from_words([str(i) for i in range(5000)])
    vocab.to_file(folder / "vocab.safetensors")
    random = np.random.default_rng(1)
    ids = (5000 * random.random(n, dtype=np.float32) ** 3).astype("<u4")
    ids.tofile(folder / "ids.u32")
    np.arange(100, n + 1, 100, dtype="<i8").tofile(folder / "sentence_ends.i64")
    write_config(folder, "corpus", n_tokens=n, n_sentences=n // 100, n_tokens_read=n)
    del ids
def peak():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000
open("/proc/self/clear_refs", "w").write("5")
before = peak()
print("ready", flush=True)
counts = count_cooccurrences(
    vocab, Corpus("corpus"), window={window}, memory_limit=0.08, workers=2, folder="counts"
)
print(before, peak(), counts.n_nonzero)
"""


def start(tmp_path, **numbers):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(COUNT.format(**numbers))],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_memory_stays_near_the_limit(tmp_path):
    process = start(tmp_path, n_tokens=8_000_000, window=5)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    before, peak, n_nonzero = map(float, out.split()[1:])
    assert n_nonzero > 10_000_000
    # All at once would take 100 MB for the places alone, and the whole matrix 200.
    assert peak - before < 80 + 60


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    process = start(tmp_path, n_tokens=8_000_000, window=200)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
