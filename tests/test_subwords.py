import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from firth import _core
from firth.errors import ParameterError
from firth.subwords import (
    ExplicitSubwords,
    FastTextSubwords,
    FinalfusionSubwords,
    FloretSubwords,
    subwords_from,
)

WORDS = [
    "",
    "a",
    "on",
    "king",
    "Übergröße",
    "日本語",
    "a\u0301",
    "👩‍👩‍👧",
    "</s>",
    "long" * 20,
    "\x80",
]
SOME_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
RANGES = st.integers(0, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(n, 7)))


def laid_out(words):
    encoded = [word.encode() for word in words]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.uint64)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def by_word(found):
    ids, offsets = found
    return [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]


# --- the kernels ----------------------------------------------------------------------------------


@given(st.lists(SOME_TEXT, min_size=1, max_size=5), RANGES, st.integers(1, 2**31 - 1))
def test_fasttext_ids_are_those_of_the_reference(words, lengths, bucket):
    for end in (False, True):
        words = [*words, "</s>"]
        found = _core.subword_ids(*laid_out(words), *lengths, bucket, end)
        assert by_word(found) == [naive.fasttext_ids(w, *lengths, bucket, end) for w in words]


@given(
    st.lists(SOME_TEXT, min_size=1, max_size=5),
    RANGES,
    st.integers(1, 2**31 - 1),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
    st.sampled_from([("<", ">"), ("", ""), ("«", "»»")]),
)
def test_floret_ids_are_those_of_the_reference(words, lengths, bucket, hash_count, seed, marks):
    encoded = [mark.encode() for mark in marks]
    found = _core.floret_ids(*laid_out(words), *lengths, bucket, hash_count, seed, *encoded)
    expected = [naive.floret_ids(w, *lengths, bucket, hash_count, seed, *marks) for w in words]
    assert by_word(found) == expected


@given(st.lists(SOME_TEXT, min_size=1, max_size=5), RANGES, st.integers(0, 31))
def test_finalfusion_ids_are_those_of_the_reference(words, lengths, exponent):
    mask = 2**exponent - 1
    found = _core.finalfusion_ids(*laid_out(words), *lengths, mask, b"<", b">")
    assert by_word(found) == [naive.finalfusion_ids(word, *lengths, mask) for word in words]


def test_published_hashes():
    # fastText's own, as finalfusion's tests have them.
    ids = _core.subword_ids(*laid_out(["Daniël"]), 5, 5, 2_000_000)[0]
    assert sorted(ids.tolist()) == [441697, 749365, 1105725, 1880616]
    # MurmurHash3's verification of x64 128 for the empty string and a short one.
    assert naive.murmur3_x64_128(b"", 0) == (0, 0)
    assert naive.murmur3_x64_128(b"hello", 0) == (0xCBD8A7B341BD9B02, 0x5B1E906A48AE1D19)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("add_only", [False, True])
def test_means_are_those_of_the_reference_to_the_bit(n_threads, add_only):
    random = np.random.default_rng(1)
    rows = random.normal(size=(50, 37)).astype(np.float32)
    own = random.normal(size=(300, 37)).astype(np.float32)
    own[0] = -0.0
    counts = random.integers(0, 9, 300)
    counts[0] = 0
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ids = random.integers(0, 50, offsets[-1]).astype(np.uint32)
    for given_own in (own, None):
        out = np.full((300, 37), np.nan, np.float32)
        _core.mean_rows(out, given_own, rows, ids, offsets, add_only, n_threads)
        for i in range(300):
            some = ids[offsets[i] : offsets[i + 1]]
            expected = naive.mean_rows(None if given_own is None else own[i], rows, some)
            if add_only:
                n = max(1, len(some) + (given_own is not None))
                assert out[i] == pytest.approx(expected * n, rel=1e-5, abs=1e-5)
            else:
                assert out[i].tobytes() == expected.tobytes()
    in_place = own.copy()
    _core.mean_rows(in_place, in_place, rows, ids, offsets, False, n_threads)
    _core.mean_rows(out, own, rows, ids, offsets, False, 1)
    assert in_place.tobytes() == out.tobytes()


def test_the_kernel_refuses_ids_and_offsets_that_would_be_no_addresses():
    out, rows = np.zeros((1, 2), np.float32), np.ones((3, 2), np.float32)
    for ids, offsets in [([3], [0, 1]), ([0], [0, 2]), ([0], [1, 0]), ([0], [-1, 1]), ([0], [0])]:
        with pytest.raises(ValueError, match=r"id without a row|offsets|do not fit"):
            _core.mean_rows(out, None, rows, np.array(ids, np.uint32), np.array(offsets), False, 1)
    with pytest.raises(ValueError, match="out of order"):
        _core.subword_ids(np.zeros(2, np.uint8), np.array([0, 3], np.uint64), 1, 2, 5)


# --- the classes ----------------------------------------------------------------------------------


def families():
    random = np.random.default_rng(2)
    rows = random.normal(size=(16, 5)).astype(np.float32)
    return {
        "fasttext": FastTextSubwords(rows, 2, 4, word_rows=rows[:3]),
        "pruned": FastTextSubwords(rows[:4], 1, 5, bucket=16, kept=np.array([1, 5, 8, 15])),
        "floret": FloretSubwords(rows, 1, 4, hash_count=2, begin_mark="^", end_mark="$"),
        "finalfusion": FinalfusionSubwords(rows, 1, 4),
        "finalfusion with fastText's hash": FinalfusionSubwords(rows, 1, 4, hashing="fasttext"),
        "explicit": ExplicitSubwords(
            rows, ["<ki", "ing", "ng>", "本", "a"], 1, 3, ngram_rows=np.array([3, 3, 0, 15, 1])
        ),
    }


every_family = pytest.mark.parametrize("name", list(families()))


@every_family
def test_vectors_are_made_of_the_rows_of_the_parts(name):
    subwords = families()[name]
    vectors = subwords.vectors(WORDS)
    assert vectors.shape == (len(WORDS), 5)
    for word, vector in zip(WORDS, vectors, strict=True):
        ngrams, ids = subwords.parts(word)
        per_ngram = subwords.hash_count if name == "floret" else 1
        assert len(ids) == len(ngrams) * per_ngram
        ids = ids[ids >= 0]
        if name.startswith(("finalfusion", "explicit")):
            total = np.sum(subwords.rows[ids], axis=0)
            expected = total / (np.linalg.norm(total) or 1)
            assert vector == pytest.approx(expected, abs=1e-6)
        else:
            assert vector.tobytes() == naive.mean_rows(None, subwords.rows, ids).tobytes()


@every_family
def test_each_ngram_has_its_own_row(name):
    subwords = families()[name]
    for word in ("kings", "日本語"):
        ngrams, ids = subwords.parts(word)
        for i, ngram in enumerate(ngrams):
            if name == "explicit":
                where = {"<ki": 3, "ing": 3, "ng>": 0, "本": 15, "a": 1}.get(ngram, -1)
                assert ids[i] == where
            elif name == "floret":
                a, _ = naive.murmur3_x64_128(ngram.encode(), subwords.seed)
                assert ids[2 * i : 2 * i + 2].tolist() == [a % 2**32 % 16, (a >> 32) % 16]
            elif name == "finalfusion":
                alone = naive.finalfusion_ids(ngram, len(ngram), len(ngram), 15, "", "")
                assert [ids[i]] == alone
            else:
                value = 2166136261
                for byte in np.frombuffer(ngram.encode(), np.int8).tolist():
                    value = (value ^ byte % 2**32) * 16777619 % 2**32
                kept = {1: 0, 5: 1, 8: 2, 15: 3}
                assert ids[i] == (kept.get(value % 16, -1) if name == "pruned" else value % 16)


@every_family
def test_what_is_kept_in_files_comes_back(name):
    subwords = families()[name]
    config = subwords.config() | {"family": subwords.family}
    again = subwords_from(config, dict(subwords.tensors()))
    assert type(again) is type(subwords)
    assert again.vectors(WORDS).tobytes() == subwords.vectors(WORDS).tobytes()
    assert again.vector_size == 5
    for missing in config:
        with pytest.raises(ParameterError, match=r"lack '|family of subwords is None"):
            subwords_from({n: v for n, v in config.items() if n != missing}, subwords.tensors())
    for changed in ({"min_n": "three"}, {"min_n": None}, {"max_n": -1}):
        with pytest.raises(ParameterError):
            subwords_from(config | changed, subwords.tensors())
    with pytest.raises(ParameterError, match="lack "):
        subwords_from(config, {})


@every_family
def test_half_precision_costs_no_more_than_its_precision(name):
    subwords = families()[name]
    tensors = {n: a.astype(np.float16) if a.dtype == np.float32 else a
               for n, a in subwords.tensors().items()}  # fmt: skip
    half = subwords_from(subwords.config() | {"family": subwords.family}, tensors)
    assert half.rows.dtype == np.float16
    assert half.vectors(WORDS).dtype == np.float32
    assert half.vectors(WORDS) == pytest.approx(subwords.vectors(WORDS), abs=3e-3)


def test_float16_is_converted_a_part_at_a_time(monkeypatch):
    rows = np.random.default_rng(3).normal(size=(64, 4)).astype(np.float16)
    words = [f"word{i}" for i in range(200)]
    whole = FastTextSubwords(rows, 3, 6).vectors(words)
    monkeypatch.setattr("firth.subwords._gather._CONVERTED", 64)
    monkeypatch.setattr("firth.subwords._gather._BLOCK", 7)
    assert FastTextSubwords(rows, 3, 6).vectors(words).tobytes() == whole.tobytes()
    wide = FastTextSubwords(rows.astype(np.float32), 3, 6).vectors(words)
    assert wide.tobytes() == whole.tobytes()


def test_words_of_the_vocabulary_are_their_own_row_and_their_ngrams():
    subwords = families()["fasttext"]
    words = ["king", "</s>", "日本語"]
    own = np.random.default_rng(4).normal(size=(3, 5)).astype(np.float32)
    composed = subwords.compose(*laid_out(words), own)
    for word, row, vector in zip(words, own, composed, strict=True):
        ids = naive.fasttext_ids(word, 2, 4, 16)
        assert vector.tobytes() == naive.mean_rows(row, subwords.rows, ids).tobytes()
    assert composed[1].tolist() == own[1].tolist()
    assert subwords.compose(*laid_out(words), own, out=own) is own
    assert own.tobytes() == composed.tobytes()


def test_lone_surrogates_are_no_reason_to_fail():
    subwords = families()["fasttext"]
    assert subwords.vectors(["\ud800x"]).tolist() == subwords.vectors(["?x"]).tolist()


ROWS = np.zeros((4, 2), np.float32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FastTextSubwords(ROWS, 3, 2), "min_n is 3 and max_n is 2"),
        (lambda: FastTextSubwords(ROWS, -1, 2), "min_n is -1"),
        (lambda: FastTextSubwords(ROWS[:0], 1, 2), "from 1 to 2,147,483,647, not 0"),
        (lambda: FastTextSubwords(ROWS, 1, 2, bucket=5), "4 rows for 5 buckets"),
        (lambda: FastTextSubwords(ROWS[0], 1, 2), r"bucket_rows is float32 of shape \(2,\)"),
        (lambda: FastTextSubwords(ROWS.astype(int), 1, 2), "bucket_rows is int64"),
        (lambda: FastTextSubwords(ROWS, 1, 2, word_rows=ROWS[:, :1]), "must be of one size"),
        (lambda: FastTextSubwords(ROWS, 1, 2, bucket=9, kept=np.array([1, 2])), "for 2 buckets"),
        (
            lambda: FastTextSubwords(ROWS, 1, 2, bucket=9, kept=np.array([1, 2, 2, 3])),
            "rising numbers from 0 to 8",
        ),
        (
            lambda: FastTextSubwords(ROWS, 1, 2, bucket=9, kept=np.array([1, 2, 3, 9])),
            "rising numbers from 0 to 8",
        ),
        (lambda: FloretSubwords(ROWS, 1, 2, hash_count=5), "hash_count must be from 1 to 4"),
        (lambda: FloretSubwords(ROWS, 1, 2, seed=-1), "seed must be"),
        (lambda: FinalfusionSubwords(ROWS[:3], 1, 2), "power of two"),
        (lambda: FinalfusionSubwords(ROWS, 1, 2, hashing="md5"), "not 'md5'"),
        (
            lambda: FinalfusionSubwords(ROWS, 1, 2, hashing="fasttext", end_mark="$"),
            "takes the marks",
        ),
        (lambda: ExplicitSubwords(ROWS, ["a", "b", "a"], 1, 2), r"ngrams\[2\] was there before"),
        (lambda: ExplicitSubwords(ROWS, list("abcde"), 1, 2), "ngram_rows must be one of the 4"),
        (lambda: ExplicitSubwords(ROWS, "abc", 1, 2), "words is the string 'abc'"),
        (lambda: FastTextSubwords(ROWS, 1, 2).vectors("king"), "words is the string 'king'"),
        (lambda: FastTextSubwords(ROWS, 1, 2).vectors([3]), r"words\[0\] is int 3"),
        (lambda: subwords_from({"family": "word"}, {}), "'word'; known are fasttext, floret"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
