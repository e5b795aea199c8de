"""Text to word ids on disk: what is in them, what is kept for later, and what is left behind."""

import errno
import gzip
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from firth.corpus import (
    Corpus,
    _cache,
    _encode,
    _provisional,
    _renaming,
    build_vocab,
    encode_corpus,
)  # fmt: skip
from firth.errors import (
    FormatError,
    OutputError,
    ParameterError,
    SourceError,
    TextError,
    VocabularyError,
)
from firth.storage import write_config, write_folder
from firth.text import TextSource, Tokenizer, encoding
from firth.vocab import Vocab


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\non the mat\n\nthe end\n" * 3)
    return path


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 64 bytes, so that a short text is cut into many."""
    monkeypatch.setattr(encoding, "BLOCK_SIZE", 64)


@pytest.fixture
def readings(monkeypatch):
    """Counts how often a text is read."""
    read = _provisional.ProvisionalIds.read
    times = []

    def counted(self, *arguments):
        times.append(self)
        return read(self, *arguments)

    monkeypatch.setattr(_provisional.ProvisionalIds, "read", counted)
    return times


def encoded(*arguments, **settings):
    """Words, counts, ids and sentence ends, as plain lists."""
    vocab, corpus = encode_corpus(*arguments, **settings)
    with corpus:
        return (
            list(vocab), vocab.counts.tolist(), corpus.ids.tolist(), corpus.sentence_ends.tolist()
        )  # fmt: skip


def expected(content, **settings):
    words, counts, ids, ends = naive.encode_text([content], **settings)
    return [word.decode() for word in words], counts, ids, ends


def left_in(places):
    """Whatever is left in the folder for temporary files, and half-written in the cache."""
    half = places.cache.glob("corpora/.*") if places.cache.exists() else ()
    return [*places.temporary.iterdir(), *half]


# --- what is in a corpus --------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("min_count", "max_size"), [(1, None), (3, None), (2, 6)])
def test_ids_are_those_of_the_reference(tmp_path, small_blocks, workers, min_count, max_size):
    random = np.random.default_rng(2)
    words = np.array(["a", "bé", "ccc", "mississippi", "no-break\u00a0space", "\x1c", *"defgh"])
    lines = [
        " ".join(random.choice(words, random.integers(0, 60), p=np.arange(11, 0, -1) / 66))
        for _ in range(300)
    ]
    content = "\r\n".join(lines).encode()
    path = tmp_path / "text"
    path.write_bytes(content)
    result = encoded(path, workers=workers, min_count=min_count, max_size=max_size)
    assert result == expected(content, min_count=min_count, max_size=max_size)
    vocab = build_vocab(path, workers=workers, min_count=min_count, max_size=max_size)
    assert (list(vocab), vocab.counts.tolist()) == result[:2]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_given_vocabulary_numbers_the_words(tmp_path, small_blocks, workers):
    content = b"to be or not to be\nthat is the question\n" * 40
    path = tmp_path / "text"
    path.write_bytes(content)
    words = ["be", "question", "absent", "to"]
    vocab, corpus = encode_corpus(path, vocab=Vocab.from_words(words), workers=workers)
    _, _, ids, ends = naive.encode_text([content], vocabulary=[w.encode() for w in words])
    with corpus:
        assert list(vocab) == words
        assert corpus.ids.tolist() == ids
        assert corpus.sentence_ends.tolist() == ends
        assert corpus.n_tokens_read == 40 * 10
        assert len(corpus) == 40 * 5
        assert repr(corpus) == "Corpus(200 tokens in 80 sentences)"


def test_an_endless_line_is_cut_and_no_token_is_lost(tmp_path, small_blocks):
    content = b" ".join(b"w%d" % (i % 7) for i in range(25_000)) + b"\nw0 w1"
    path = tmp_path / "text"
    path.write_bytes(content)
    result = encoded(path, min_count=1)
    assert result == expected(content, min_count=1)
    assert result[3] == [10_000, 20_000, 25_000, 25_002]
    # Exactly full: the line end does not make an empty sentence.
    assert encoded([["a"] * 10_000, ["a"]], tokens=True)[3] == [10_000, 10_001]


@settings(max_examples=60)
@given(st.lists(st.lists(st.text("abc \t", max_size=3), max_size=40).map(" ".join), max_size=12))
def test_a_function_gets_the_sentences_that_the_core_gets(lines):
    # Lines that go on from block to block, and blocks that begin or end with one without tokens.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK_SIZE", 16)
        texts = ["x x", *lines, "x"]
        by_function = encoded("\n".join(texts).splitlines(), min_count=1, tokenizer=str.split)
        at_once = encoded(["\n".join(texts)], min_count=1, tokenizer=str.split)
        by_core = encoded(["\n".join(texts)], min_count=1)
    assert by_function == at_once == by_core


def test_lines_end_where_a_block_of_another_tokenizer_begins(monkeypatch):
    class Blocks(TextSource):
        name = "blocks"

        def blocks(self):
            # A line over three blocks; its end; a line without tokens at the end of a block.
            yield from (b"a b ", b"c ", b"\nd\n. e ", b". ", b"\nf\n", b"g ")

    monkeypatch.setattr(_encode, "open_text", lambda *_, **__: Blocks())
    _, _, _, ends = encoded(
        None, min_count=1, tokenizer=lambda line: [t for t in line.split() if t != "."]
    )
    assert ends == [3, 4, 5, 6, 7]


def test_a_function_of_the_caller_runs_in_one_thread_at_a_time(small_blocks):
    inside, most, threads = [], [], set()

    def split(line):
        inside.append(line)
        most.append(len(inside))
        threads.add(threading.get_ident())
        time.sleep(0.0005)
        inside.pop()
        return line.split()

    encoded(["some words in a line of text"] * 100, tokenizer=split, workers=4)
    assert max(most) == 1
    assert len(threads) == 1


def test_a_block_of_nothing_but_rare_words_or_whitespace(small_blocks):
    texts = ["common " * 20, " \t" * 100, " ".join(f"rare{i}" for i in range(50)), "common"]
    assert encoded(texts, min_count=2) == (["common"], [21], [0] * 21, [20, 21])
    assert encoded([["a"], [], ["a"]], tokens=True, min_count=1) == (["a"], [2], [0, 0], [1, 2])


def test_a_generator_is_read_once(readings):
    given_out = []

    def sentences():
        for number in range(20_500):  # three batches
            given_out.append(number)
            yield ["a", f"w{number % 2}"]

    words, counts, ids, ends = encoded(sentences(), tokens=True)
    assert given_out == list(range(20_500))
    assert (words, counts) == (["a", "w0", "w1"], [20_500, 10_250, 10_250])
    assert ids[:4] == [0, 1, 0, 2]
    assert ends == list(range(2, 41_001, 2))
    assert len(readings) == 1


def test_a_generator_may_fill_the_same_list_again_and_again():
    def sentences():
        tokens = []
        for word in "abc":
            tokens[:] = [word, word]
            yield tokens

    assert encoded(sentences(), tokens=True, min_count=1)[:2] == (["a", "b", "c"], [2, 2, 2])


# --- chunks ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 50), st.integers(1, 9))
def test_chunks_are_whole_sentences_and_together_the_corpus(lengths, chunk_size, per_search):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("firth.corpus._corpus._SENTENCES_PER_SEARCH", per_search)
        _, corpus = encode_corpus(([["a"] * n for n in lengths]), tokens=True, min_count=1)
        with corpus:
            starts = corpus.chunk_starts(chunk_size)
            ends = corpus.sentence_ends.tolist()
            begins = [0, *ends[:-1]]
            # A sentence belongs to the chunk in which its first token lies.
            assert starts.tolist() == [
                i for i, begin in enumerate(begins)
                if i == 0 or begin // chunk_size > begins[i - 1] // chunk_size
            ] + [len(lengths)]  # fmt: skip
            position = 0
            for first, last in pairwise(starts):
                ids, chunk_ends, begin = corpus.chunk(first, last)
                assert begin == position
                assert chunk_ends.tolist() == ends[first:last]
                position += len(ids)
                corpus.release(first, last)
            assert position == len(corpus.ids)
            # What was let go is still there.
            assert not corpus.ids.any()


def test_a_chunk_has_at_least_one_token(text):
    _, corpus = encode_corpus(text, min_count=1)
    with pytest.raises(ParameterError, match="chunk_size must be 1 or more, not 0"):
        corpus.chunk_starts(0)


# --- what is kept ---------------------------------------------------------------------------------


def test_a_text_is_encoded_once(text, readings, caplog):
    first = encoded(text, min_count=2)
    caplog.set_level(logging.INFO, "firth")
    assert encoded(text, min_count=2) == first
    assert encoded(str(text), min_count=2, workers=1, progress=False) == first
    assert len(readings) == 1
    assert "encoded already" in caplog.text


def change_content(path):
    path.write_text(path.read_text() + "cat\n")
    return {}


def change_time_only(path):
    before = path.stat()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    return {}


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_time_only,
        lambda _: {"tokenizer": "words"},
        lambda _: {"lowercase": True},
        lambda _: {"min_count": 1},
        lambda _: {"max_size": 2},
        lambda _: {"errors": "replace"},
        lambda _: {"vocab": Vocab.from_words(["the", "cat"])},
        lambda _: {"tokenizer": str.split},
        lambda _: {"cache": False},
    ],
)
def test_a_text_is_encoded_again_when_anything_changed(text, readings, change):
    settings = {"min_count": 2}
    encoded(text, **settings)
    changed = change(text)
    before = readings.copy()
    encoded(text, **settings | changed)
    assert len(readings) == len(before) + 1


def test_nothing_is_kept_of_functions_and_streams_and_texts(text, places):
    encoded(text, min_count=1, tokenizer=lambda line: line.split())
    encoded(["a b a b"], min_count=1)
    with text.open("rb") as file:
        encoded(file, min_count=1)
    encoded(text, min_count=1, cache=False)
    assert not places.cache.exists()
    assert left_in(places) == []


def test_the_limit_is_kept_by_removing_what_was_used_longest_ago(tmp_path, places, readings):
    paths = [tmp_path / f"{name}.txt" for name in "abc"]
    for path in paths:
        path.write_text("the cat sat on the mat\n" * 200)
    encoded(paths[0], min_count=1)
    corpora = places.cache / "corpora"
    size = sum(f.stat().st_size for f in next(corpora.iterdir()).iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRTH_CORPUS_CACHE_GB", str(2.5 * size / 1e9))
        encoded(paths[1], min_count=1)
        time.sleep(0.02)
        encoded(paths[0], min_count=1)  # used now: the other one goes
        encoded(paths[2], min_count=1)
        assert len(list(corpora.iterdir())) == 2
        assert len(readings) == 3
        encoded(paths[0], min_count=1)
        assert len(readings) == 3
        encoded(paths[1], min_count=1)
        assert len(readings) == 4


def test_a_text_that_is_larger_than_the_limit_is_not_kept(text, places, monkeypatch):
    monkeypatch.setenv("FIRTH_CORPUS_CACHE_GB", "1e-9")
    _, corpus = encode_corpus(text, min_count=1)
    assert corpus.folder.is_dir()
    corpus.close()
    assert list((places.cache / "corpora").iterdir()) == []


@pytest.mark.parametrize("limit", ["0", "0.0", "-1"])
def test_a_limit_of_nothing_keeps_nothing(text, places, monkeypatch, limit):
    monkeypatch.setenv("FIRTH_CORPUS_CACHE_GB", limit)
    encoded(text, min_count=1)
    assert not places.cache.exists()
    assert left_in(places) == []


@pytest.mark.parametrize("limit", ["ten", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(text, monkeypatch, limit):
    monkeypatch.setenv("FIRTH_CORPUS_CACHE_GB", limit)
    with pytest.raises(ParameterError, match=rf"FIRTH_CORPUS_CACHE_GB is '{limit}', not a number"):
        encode_corpus(text)


def remove_config(folder):
    (folder / "config.json").unlink()


def cut_off_ids(folder):
    path = folder / "ids.u32"
    path.write_bytes(path.read_bytes()[:-4])


def remove_words(folder):
    (folder / "vocab.safetensors").unlink()


def spoil_config(folder):
    (folder / "config.json").write_text('{"format": ')


def add_a_stranger(folder):
    (folder / "config.json").unlink()
    (folder / "notes.txt").write_text("what is this?")


@pytest.mark.parametrize(
    "damage", [remove_config, cut_off_ids, remove_words, spoil_config, add_a_stranger]
)
def test_a_damaged_corpus_is_made_again(text, places, readings, caplog, damage):
    first = encoded(text, min_count=1)
    [folder] = (places.cache / "corpora").iterdir()
    damage(folder)
    assert encoded(text, min_count=1) == first
    # And kept again, without a word of warning.
    assert encoded(text, min_count=1) == first
    assert len(readings) == 2
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_what_a_killed_process_left_in_the_cache_goes_after_days(text, places):
    old, new = (places.cache / "corpora" / f".{name}.0.partial" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "ids.u32").write_bytes(b"1234")
    for path in (old / "ids.u32", old):
        os.utime(path, (time.time() - 3 * 24 * 3600,) * 2)
    encoded(text, min_count=1)
    assert not old.exists()
    assert (new / "ids.u32").exists()


def test_a_cache_that_is_in_the_way_does_not_keep_anybody_from_training(
    text, places, caplog, monkeypatch
):
    places.cache.write_text("a file where the folder should be")
    assert encoded(text, min_count=1) == expected(text.read_bytes(), min_count=1)
    assert "not kept for the next time" in caplog.text
    assert left_in(places) == []
    # No home at all, as for a numeric user in a container.
    monkeypatch.delenv("FIRTH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert _cache.cache_folder() is None
    assert encoded(text, min_count=1)[0] == ["the", "cat", "end", "mat", "on", "sat"]
    assert left_in(places) == []


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("HOME", "/she")
    monkeypatch.setenv("FIRTH_CACHE", "~/mine")
    assert _cache.cache_folder() == Path("/she/mine")
    monkeypatch.delenv("FIRTH_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert _cache.cache_folder() == Path("/xdg/firth")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert _cache.cache_folder() == Path("/she/.cache/firth")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _cache.cache_folder() == Path("/she/Library/Caches/firth")


@pytest.fixture
def as_nobody(places):
    """Takes the rights of root away for a moment, whom no permission stops."""
    places.cache.mkdir(mode=0o700 if os.geteuid() == 0 else 0)
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield
        places.cache.chmod(0o700)


def test_a_cache_that_may_not_be_looked_into(places, as_nobody):
    place = places.cache / "corpora" / "x"
    with pytest.raises(PermissionError):
        place.is_dir()
    assert _encode._reopen(place) is None
    with (
        pytest.raises(OutputError, match="x: cannot be written: no permission to write"),
        write_folder(place),
    ):
        pass


# --- what is left behind --------------------------------------------------------------------------


def test_temporary_files_go_when_the_corpus_is_closed(places):
    _, corpus = encode_corpus(["a b a b"], min_count=1)
    assert [path.name for path in places.temporary.iterdir()] == [corpus.folder.name]
    assert corpus.folder.stat().st_mode & 0o077 == 0
    corpus.close()
    corpus.close()
    assert left_in(places) == []
    # What is mapped stays readable.
    assert corpus.ids.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt, MemoryError])
def test_nothing_is_left_after_a_failure_half_way(places, failure):
    def sentences():
        yield from [["a", "b"]] * 30_000
        raise failure

    with pytest.raises(failure):
        encode_corpus(sentences(), tokens=True)
    assert left_in(places) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_nothing_is_left_in_the_cache_after_a_failure(text, places, failure, monkeypatch):
    class Splitter(Tokenizer):
        name = "splitter"

        def sentences(self, block):
            raise failure

        def fingerprint(self):
            return "splitter"

    with pytest.raises(failure):
        encode_corpus(text, tokenizer=Splitter())
    assert left_in(places) == []
    assert [p for p in places.cache.rglob("*") if p.is_file()] == []


def test_nothing_is_left_after_bad_text(tmp_path, places):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(np.random.default_rng(1).bytes(1000).hex().encode())[:-300])
    for bad, error in [(path, TextError), (["\ud800"], TextError), ([["a", ""]], TextError)]:
        with pytest.raises(error):
            encode_corpus(bad, tokens=isinstance(bad[0], list) if isinstance(bad, list) else False)
    assert left_in(places) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_reading_leaves_nothing(places, number):
    with subprocess.Popen(
        [sys.executable, "-m", "firth.cli", "train", "-", "-o", places.cache.parent / "model"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 20
        while not list(places.temporary.iterdir()) and time.monotonic() < deadline:
            process.stdin.write(b"some text that does not end\n" * 10_000)
        process.send_signal(number)
        time.sleep(0.3)
        out, err = process.communicate()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], err
    assert out == b""
    assert b"Traceback" not in err
    assert left_in(places) == []
    assert not (places.cache.parent / "model").exists()


# --- a disk that is full --------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("this user may not mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def longer_text(tmp_path):
    path = tmp_path / "longer.txt"
    path.write_text("the cat sat on the mat\n" * 20_000)
    return path


def test_a_full_cache_only_costs_the_next_reading(
    longer_text, places, small_disk, monkeypatch, caplog
):
    monkeypatch.setenv("FIRTH_CACHE", str(small_disk / "cache"))
    assert encoded(longer_text)[1] == [40_000, 20_000, 20_000, 20_000, 20_000]
    assert "the disk is full" in caplog.text
    assert left_in(places) == []
    assert [p for p in small_disk.rglob("*") if p.is_file()] == []


def test_a_full_disk_is_named_and_left_clean(longer_text, small_disk, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with pytest.raises(OutputError, match=r"disk/firth-corpus-.*: the disk is full.*TMPDIR"):
        encode_corpus(longer_text, cache=False)
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("where", ["write", "ends", "config"])
def test_a_disk_that_fills_up_at_any_point(longer_text, places, monkeypatch, where):
    def fail(*arguments, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "write":
        monkeypatch.setattr(_provisional._Output, "_write", fail)
    elif where == "ends":
        monkeypatch.setattr(_renaming, "_write_fully", fail)
    else:
        monkeypatch.setattr(_encode, "write_config", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        encode_corpus(longer_text)
    assert left_in(places) == []


def test_no_place_for_temporary_files(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    with pytest.raises(OutputError, match=r"no place for the encoded text.*TMPDIR"):
        encode_corpus(["a b"], min_count=1)


def test_a_temporary_file_that_someone_cuts_off(monkeypatch, longer_text):
    def cut(self, *arguments):
        path = arguments[-2]
        os.truncate(path, 100)
        return rename(self, *arguments)

    rename = _provisional.ProvisionalIds.rename
    monkeypatch.setattr(_provisional.ProvisionalIds, "rename", cut)
    with pytest.raises(OSError, match="became shorter"):
        encode_corpus(longer_text, cache=False)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["min_count", "max_size", "workers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
def test_numbers_below_1_are_refused(name, value):
    with pytest.raises(ParameterError, match=f"{name} must be a whole number of 1 or more, not "):
        encode_corpus(["a"], **{name: value})


def test_numbers_of_numpy_are_numbers():
    one = np.int64(1)
    assert encoded(["a b a"], min_count=one, max_size=one, workers=one)[0] == ["a"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("source", [[], ["", " \n\t"], [[]]], ids=str)
def test_empty_text(source, workers, places):
    tokens = source == [[]]
    for function in (encode_corpus, build_vocab):
        with pytest.raises(TextError, match="no tokens: the text is empty"):
            function(source, tokens=tokens, workers=workers)
    assert left_in(places) == []


def test_words_that_are_all_rare_or_unknown(text):
    with pytest.raises(
        VocabularyError, match=r"text.txt: .* 6 distinct .* 9 times.* min_count is 10"
    ):
        encode_corpus(text, min_count=10)
    with pytest.raises(VocabularyError, match=r"none of its 24 tokens is among the 1 words"):
        encode_corpus(text, vocab=Vocab.from_words(["dog"]))


def test_tokens_are_not_split(text):
    for extra in ({"lowercase": True}, {"tokenizer": "words"}):
        with pytest.raises(ParameterError, match="not split or lower-cased"):
            encode_corpus([["a"]], tokens=True, **extra)
    with pytest.raises(ParameterError, match="field"):
        encode_corpus([["a"]], tokens=True, field="text")


def test_a_vocabulary_whose_file_is_damaged(text, tmp_path):
    Vocab.from_words(["the", "cat", "mat", "dog"]).save(tmp_path / "vocab")
    path = tmp_path / "vocab" / "vocab.safetensors"
    good = np.array([0, 3, 6, 9, 12], "<u8").tobytes()
    data = path.read_bytes()
    assert data.count(good) == 1
    path.write_bytes(data.replace(good, np.array([0, 3, 2**40, 9, 12], "<u8").tobytes()))
    # Opening looks at both ends only; the core must not take the rest for addresses.
    vocab = Vocab.load(tmp_path / "vocab")
    with pytest.raises(FormatError, match="vocabulary is damaged: the offsets"):
        encode_corpus(text, vocab=vocab)


# --- opening a corpus -----------------------------------------------------------------------------


@pytest.fixture
def folder(text):
    _, corpus = encode_corpus(text, min_count=1)
    return corpus.folder


def test_a_missing_or_foreign_folder(tmp_path, folder):
    with pytest.raises(SourceError, match="no such folder"):
        Corpus(tmp_path / "nothing")
    with pytest.raises(FormatError, match=r"no config\.json"):
        Corpus(tmp_path)
    (tmp_path / "words").mkdir()
    write_config(tmp_path / "words", "vocab")
    with pytest.raises(FormatError, match="'vocab', not 'corpus'"):
        Corpus(tmp_path / "words")


@pytest.mark.parametrize("name", ["ids.u32", "sentence_ends.i64"])
def test_a_missing_or_cut_off_file(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=rf"{name}: .* bytes, where .* encode the text again"):
        Corpus(folder)
    path.unlink()
    with pytest.raises(FormatError, match=f"{name}: missing"):
        Corpus(folder)
    path.mkdir()
    with pytest.raises(SourceError, match=f"{name}: cannot be read"):
        Corpus(folder)


@pytest.mark.parametrize("value", [-1, 1.5, None, True, "3", 10**30])
def test_a_configuration_that_is_wrong(folder, value):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"n_tokens": value}))
    with pytest.raises(FormatError, match=r"not a whole number|bytes, where"):
        Corpus(folder)


def test_an_empty_corpus_is_none(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"n_tokens": 0}))
    (folder / "ids.u32").write_bytes(b"")
    with pytest.raises(FormatError, match="0 bytes"):
        Corpus(folder)


@pytest.mark.parametrize("last", [5, 10**12, -1])
def test_sentences_that_do_not_end_with_the_text(folder, last):
    path = folder / "sentence_ends.i64"
    ends = np.fromfile(path, "<i8")
    ends[-1] = last
    ends.tofile(path)
    with pytest.raises(
        FormatError, match=f"{folder}: .* behind token {last:,}.*remove this folder"
    ):
        Corpus(folder)


def test_a_copy_of_a_corpus_opens_anywhere(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    with Corpus(str(tmp_path / "copy")) as corpus:
        assert len(corpus) == 24
    assert (tmp_path / "copy").is_dir()


PASS = """
import re, sys
from pathlib import Path
from firth.corpus import Corpus
def mapped():
    return int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
corpus = Corpus(sys.argv[1])
before, most = mapped(), 0
starts = corpus.chunk_starts(32_768).tolist()
most = mapped()
for first, last in zip(starts, starts[1:]):
    ids, ends, _ = corpus.chunk(first, last)
    ids.sum(), ends.sum()
    most = max(most, mapped())
    corpus.release(first, last)
print(most - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured in Linux's /proc")
def test_a_pass_over_a_corpus_keeps_little_of_it_in_memory(tmp_path):
    n_tokens, length = 16_000_000, 7
    np.zeros(n_tokens, "<u4").tofile(tmp_path / "ids.u32")
    ends = np.append(np.arange(length, n_tokens, length), n_tokens).astype("<i8")
    ends.tofile(tmp_path / "sentence_ends.i64")
    write_config(
        tmp_path, "corpus", n_tokens=n_tokens, n_sentences=len(ends), n_tokens_read=n_tokens
    )
    output = subprocess.run(
        [sys.executable, "-c", PASS, tmp_path], capture_output=True, check=True, text=True
    ).stdout
    # Of 64 MB of ids and 18 MB of ends: a few chunks with their neighbourhood.
    assert int(output) < 14e6
