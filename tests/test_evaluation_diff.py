"""What moved between two models, and what seeds agree on."""

import json

import numpy as np
import pytest

from firth import KeyedVectors, Vocab
from firth.errors import InputError, ParameterError
from firth.evaluation import diff, stability
from firth.evaluation._diff import _z_scores

N = 400
WORDS = [f"w{i}" for i in range(N)]


def rotation(dim, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


@pytest.fixture
def old():
    matrix = np.random.default_rng(1).normal(size=(N, 20)).astype(np.float32)
    return KeyedVectors(Vocab.from_words(WORDS, counts=range(N, 0, -1)), matrix)


def turned(old, moved=(), words=WORDS, factor=3.0):
    matrix = old.vectors @ rotation(old.vector_size) * factor
    for i in moved:
        matrix[i] = -matrix[i]
    return KeyedVectors(Vocab.from_words(words), matrix.astype(np.float32))


def test_a_rotation_moves_nothing(old):
    found = diff(old, turned(old))
    assert found.distances == pytest.approx(0, abs=1e-5)
    assert found.mean_similarity == pytest.approx(1, abs=1e-6)
    assert {word.shared for word in found.moved(5)} == {1.0}
    unaligned = diff(old, turned(old), align=False)
    assert unaligned.mean_similarity < 0.5
    assert diff(old, old, align=False).mean_similarity == pytest.approx(1)


def test_words_that_moved_come_first_with_their_neighbours(old):
    found = diff(old, turned(old, moved=(7, 123)))
    assert set(found.words[:2]) == {"w7", "w123"}
    first = found.moved(topn=1, neighbours=5)[0]
    assert first.distance > 1.8
    assert first.z > 5
    near = old.most_similar(first.word, topn=5)
    assert [word for word, _ in first.old_neighbours] == [word for word, _ in near]
    assert [c for _, c in first.old_neighbours] == pytest.approx([c for _, c in near])
    assert first.new_neighbours != first.old_neighbours
    assert (first.old_count, first.new_count) == (N - int(first.word[1:]), 0)
    assert first.shared == 0
    assert len(found.moved(topn=10**9)) == N
    [asked] = found.of("w123")
    assert asked.word == "w123"
    assert json.loads(json.dumps(found.to_dict(2, 3)))["n_shared"] == N
    assert "moved most: " in repr(found)


def test_words_of_one_model_only_and_words_without_a_direction(old):
    matrix = turned(old).vectors.copy()
    matrix[3], matrix[4, 0] = 0, np.nan
    new = KeyedVectors(Vocab.from_words([*WORDS[:300], *(f"new{i}" for i in range(100))]), matrix)
    found = diff(old, new)
    assert (found.n_shared, found.n_compared) == (300, 298)
    assert (found.n_only_old, found.n_only_new) == (100, 100)
    assert (found.only_old[0], found.only_new[0], len(found.only_new)) == ("w300", "new0", 10)
    fewer = diff(old, new, restrict_vocab=50)
    assert set(fewer.words) == set(WORDS[:52]) - {"w3", "w4"}
    with pytest.raises(InputError, match="'new5' was not compared: it is not in the old model"):
        found.of(["new5"])
    with pytest.raises(InputError, match=r"'x' was not compared: .* the old and the new model"):
        found.of(["x"])
    with pytest.raises(InputError, match="'w3' was not compared: it is not among the 298"):
        found.of(["w3"])


def test_models_of_different_sizes_and_precision(old):
    wide = np.pad(old.vectors, ((0, 0), (0, 5)))
    half = KeyedVectors(old.vocab, wide.astype(np.float16))
    assert diff(old, half).mean_similarity == pytest.approx(1, abs=1e-5)
    assert diff(half, old).moved(1)[0].distance == pytest.approx(0, abs=1e-4)


def test_z_compares_with_words_of_like_frequency():
    draw = np.random.default_rng(0)
    # Frequent words move little, rare ones much; one frequent word moves more than its like.
    distances = np.concatenate([draw.normal(0.2, 0.02, 1000), draw.normal(0.8, 0.1, 1000)])
    distances[10] = 0.5
    z = _z_scores(distances)
    assert z.argmax() == 10
    assert z[0] == pytest.approx((distances[0] - distances[:500].mean()) / distances[:500].std())
    assert z[1000] == pytest.approx(
        (distances[1000] - distances[750:1250].mean()) / distances[750:1250].std()
    )
    assert _z_scores(np.ones(3)).tolist() == [0, 0, 0]
    assert _z_scores(np.array([2.0])).tolist() == [0]


def test_by_z_or_by_distance(old):
    new = turned(old, moved=(7,))
    assert diff(old, new, by="z").words[0] == "w7"
    with pytest.raises(ParameterError, match="by is 'rank'; it must be one of distance, z"):
        diff(old, new, by="rank")
    with pytest.raises(ParameterError, match="restrict_vocab must be a whole number from 1"):
        diff(old, new, restrict_vocab=0)
    with pytest.raises(ParameterError, match="topn must be a whole number from 1, not 0"):
        diff(old, new).moved(topn=0)
    with pytest.raises(ParameterError, match=r"neighbours must .* from 1, not 1\.5"):
        diff(old, new).moved(neighbours=1.5)


def test_models_without_a_shared_word(old):
    other = KeyedVectors(Vocab.from_words(["x", "y"]), np.ones((2, 20), np.float32))
    with pytest.raises(InputError, match="0 words in common"):
        diff(old, other)
    zeros = KeyedVectors(Vocab.from_words(["w1"]), np.zeros((1, 20), np.float32))
    with pytest.raises(InputError, match="1 words in common, none of them with a direction"):
        diff(old, zeros)
    with pytest.raises(InputError, match="0 words with a direction in common"):
        stability([old, other])


# --- stability ------------------------------------------------------------------------------------


def test_the_same_space_agrees_and_chance_does_not(old):
    [band] = stability([old, turned(old)], n_resamples=50)
    assert (band.band, band.n_words, band.n_asked, band.overlap) == ("1-1,000", N, N, 1.0)
    other = KeyedVectors(old.vocab, np.random.default_rng(2).normal(size=(N, 20)))
    [chance] = stability({"a": old, "b": other})
    assert chance.overlap == pytest.approx(10 / (N - 1), abs=0.01)
    assert chance.low < chance.overlap < chance.high
    three = stability([old, turned(old), other])[0]
    assert three.overlap == pytest.approx((1 + 2 * chance.overlap) / 3)


def test_overlap_is_that_of_most_similar(old):
    matrix = old.vectors + np.random.default_rng(3).normal(size=old.vectors.shape)
    order = np.random.default_rng(4).permutation(N)
    other = KeyedVectors(Vocab.from_words([WORDS[i] for i in order]), matrix[order])
    shares = [
        len({w for w, _ in old.most_similar(word, topn=5)}
            & {w for w, _ in other.most_similar(word, topn=5)}) / 5
        for word in WORDS
    ]  # fmt: skip
    [band] = stability([old, other], topn=5)
    assert band.overlap == pytest.approx(np.mean(shares))
    [sample] = stability([old, other], topn=5, n_words=40)
    assert sample.n_asked == 40


def test_bands_and_few_words():
    words = [f"w{i}" for i in range(3100)]
    matrix = np.random.default_rng(0).normal(size=(3100, 4)).astype(np.float32)
    matrix[5] = 0
    wv = KeyedVectors(Vocab.from_words(words), matrix)
    bands = stability([wv, wv], n_words=30)
    assert [(band.band, band.n_words, band.n_asked) for band in bands] == [
        ("1-1,000", 999, 30), ("1,001-3,000", 2000, 30), ("3,001-10,000", 100, 30),
    ]  # fmt: skip
    two = KeyedVectors(Vocab.from_words(["a", "b"]), np.eye(2, dtype=np.float32))
    assert stability([two, two])[0].overlap == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_models": 1}, "two models or more"),
        ({"topn": 0}, "topn must be a whole number from 1"),
        ({"n_words": 0}, "n_words must be a whole number from 1"),
        ({"n_resamples": -1}, "n_resamples must be a whole number from 0"),
    ],
)
def test_what_stability_cannot_be_asked(old, arguments, message):
    models = [old] * arguments.pop("n_models", 2)
    with pytest.raises(ParameterError, match=message):
        stability(models, **arguments)
