"""Words that are not there, and have vectors made of their subwords."""

import numpy as np
import pytest

from fasttext_files import some_rows
from firth import KeyedVectors, Vocab
from firth.errors import ParameterError, WordNotFoundError
from firth.subwords import FastTextSubwords, FloretSubwords

WORDS = ["king", "queen", "man", "woman", "apple", "zero"]


@pytest.fixture
def vocab():
    return Vocab.from_words(WORDS, [9, 8, 7, 6, 5, 4])


@pytest.fixture
def subwords():
    return FastTextSubwords(some_rows(30, 8), 3, 4, word_rows=some_rows(6, 8, seed=1))


@pytest.fixture
def wv(vocab, subwords):
    vectors = subwords.compose(vocab.word_bytes, vocab.word_offsets, subwords.word_rows)
    vectors[5] = 0
    return KeyedVectors(vocab, vectors, subwords=subwords)


@pytest.fixture
def made(subwords):
    return dict(zip(["kings", "queens"], subwords.vectors(["kings", "queens"]), strict=True))


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_any_word_is_there_but_only_some_have_rows(wv):
    assert "kings" in wv
    assert "" in wv
    assert not wv.has_index_for("kings")
    assert "kings" not in wv.key_to_index
    assert 5 in wv
    assert 6 not in wv
    assert None not in wv
    assert len(wv) == 6
    assert repr(wv) == "KeyedVectors(6 words, vector_size=8, fasttext subwords)"
    assert wv.key_to_index.get("kings") is None
    for ask in (wv.get_index, lambda word: wv.get_vecattr(word, "count")):
        with pytest.raises(WordNotFoundError, match="'kings' is not among"):
            ask("kings")


def test_vectors_of_unseen_words(wv, made):
    assert wv["kings"].tobytes() == made["kings"].tobytes()
    assert wv.get_vector("kings", norm=True) == pytest.approx(
        made["kings"] / np.linalg.norm(made["kings"])
    )
    several = wv[["queen", "kings", 0, "queens"]]
    assert (
        several.tobytes()
        == np.stack([wv.vectors[1], made["kings"], wv.vectors[0], made["queens"]]).tobytes()
    )
    assert wv[["kings"]].shape == (1, 8)
    assert wv[[]].shape == (0, 8)
    assert wv["x"].any()  # the n-gram <x>
    assert not wv[""].any()
    assert not wv["</s>"].any()
    for vector in (wv["kings"], wv["king"], wv.get_vector("kings", norm=True)):
        with pytest.raises(ValueError, match="read-only"):
            vector[0] = 1
    with pytest.raises(WordNotFoundError):
        wv[6]
    with pytest.raises(WordNotFoundError):
        wv[["kings", 6]]


def test_questions_with_unseen_words(wv, made):
    scores = {word: cosine(made["kings"], wv[word]) for word in WORDS[:5]}
    best = sorted(scores, key=scores.get, reverse=True)
    found = wv.most_similar("kings", topn=5)
    assert [word for word, _ in found] == best
    assert [score for _, score in found] == pytest.approx([scores[w] for w in best], abs=1e-6)
    assert wv.most_similar_many(["kings", "king", (["kings"], ["queens"])], topn=3) == [
        wv.most_similar("kings", topn=3),
        wv.most_similar("king", topn=3),
        wv.most_similar("kings", "queens", topn=3),
    ]
    assert wv.similar_by_word("kings", topn=2) == found[:2]
    assert wv.most_similar("kings", topn=None)[:5] == pytest.approx(list(scores.values()), abs=1e-6)
    mixed = wv.most_similar(["kings", "man"], topn=9)
    assert {word for word, _ in mixed} == {"king", "queen", "woman", "apple"}


def test_similarities_and_distances(wv, made):
    assert wv.similarity("kings", "king") == pytest.approx(cosine(made["kings"], wv["king"]))
    assert wv.similarity("kings", "kings") == pytest.approx(1)
    assert wv.similarity("</s>", "king") == 0
    assert wv.distance("kings", "queens") == pytest.approx(
        1 - cosine(made["kings"], made["queens"])
    )
    some = wv.distances("kings", ["king", "queens"])
    assert some == pytest.approx([wv.distance("kings", "king"), wv.distance("kings", "queens")])
    assert wv.distances("kings")[:5] == pytest.approx(
        [wv.distance("kings", word) for word in WORDS[:5]], abs=1e-6
    )
    means = [np.mean([made["kings"], wv["man"]], axis=0), made["queens"]]
    assert wv.n_similarity(["kings", "man"], ["queens"]) == pytest.approx(cosine(*means))


def test_means_and_sentences(wv, made):
    mean = wv.get_mean_vector(["kings", "man"], pre_normalize=False)
    assert mean == pytest.approx((made["kings"] + wv["man"]) / 2)
    units = [v / np.linalg.norm(v) for v in (made["kings"], wv["man"])]
    assert wv.get_mean_vector(["kings", "man"], [3, -1]) == pytest.approx(
        (3 * units[0] - units[1]) / 4
    )
    # Words without a direction do not count, as in fastText.
    sentence = wv.get_sentence_vector(["kings", "</s>", "man", "zero"])
    assert sentence == pytest.approx(np.mean(units, axis=0))
    assert wv.get_sentence_vector([]).tolist() == [0] * 8
    with pytest.raises(ParameterError, match="sentence is the string 'a b'"):
        wv.get_sentence_vector("a b")
    plain = KeyedVectors(wv.vocab, wv.vectors)
    assert plain.get_sentence_vector(["nobody", "man"]) == pytest.approx(units[1])


def test_odd_one_out_and_ranks(wv, caplog):
    assert wv.doesnt_match(["king", "kings", "apple"]) in {"king", "kings", "apple"}
    assert not caplog.records
    scores = sorted((wv.distance("kings", word), word) for word in WORDS)
    for place, (_, word) in enumerate(scores):
        assert wv.closer_than("kings", word) == [
            w for w in WORDS if w in {near for _, near in scores[:place]}
        ]
        assert wv.rank("kings", word) == place + 1
    nearer = [w for w in WORDS if wv.distance("king", w) < wv.distance("king", "kings")]
    assert wv.closer_than("king", "kings") == [w for w in nearer if w != "king"]


def test_names_of_gensims_fasttext(wv, vocab, subwords):
    assert wv.subwords is subwords
    assert wv.vectors_ngrams is subwords.rows
    assert wv.vectors_vocab is subwords.word_rows
    assert (wv.min_n, wv.max_n, wv.bucket) == (3, 4, 30)
    plain = KeyedVectors(vocab, wv.vectors)
    for name in ("vectors_ngrams", "vectors_vocab", "min_n", "max_n", "bucket"):
        assert not hasattr(plain, name)
    with pytest.raises(AttributeError, match="have no subwords, and so no 'min_n'"):
        _ = plain.min_n
    floret = KeyedVectors(vocab, wv.vectors, subwords=FloretSubwords(some_rows(9, 8), 2, 3))
    assert (floret.min_n, floret.bucket) == (2, 9)
    with pytest.raises(AttributeError, match="have floret subwords, and so no 'vectors_vocab'"):
        _ = floret.vectors_vocab


def test_subwords_of_another_size_are_refused(vocab):
    with pytest.raises(ParameterError, match="makes vectors of size 4, but those of the words"):
        KeyedVectors(vocab, some_rows(6, 8), subwords=FloretSubwords(some_rows(9, 4), 2, 3))


# --- half precision -------------------------------------------------------------------------------


def test_half_precision_answers_as_the_same_numbers_in_single(vocab, subwords, monkeypatch):
    monkeypatch.setattr("firth.vectors._matrix._BLOCK", 4)
    matrix = some_rows(6, 8).astype(np.float16)
    half = KeyedVectors(vocab, matrix, subwords=subwords)
    single = KeyedVectors(vocab, matrix.astype(np.float32), subwords=subwords)
    assert half.vectors.dtype == np.float16
    assert np.shares_memory(half.vectors, matrix)
    for word in ("king", "kings"):
        assert half[word].dtype == np.float32
        assert half[word].tobytes() == single[word].tobytes()
        assert half.most_similar(word) == single.most_similar(word)
        assert half.most_similar(word, topn=None) == pytest.approx(
            single.most_similar(word, topn=None), abs=1e-6
        )
        assert half.distances(word) == pytest.approx(single.distances(word), abs=1e-6)
    assert half[["king", "kings"]].dtype == np.float32
    assert half[["king", "man"]].dtype == np.float32
    assert half.norms.tobytes() == single.norms.tobytes()
    assert half.similarity("king", "queen") == single.similarity("king", "queen")
    assert half.get_normed_vectors().tobytes() == single.get_normed_vectors().tobytes()
    assert half.get_mean_vector(WORDS).tobytes() == single.get_mean_vector(WORDS).tobytes()
    assert half.doesnt_match(WORDS) == single.doesnt_match(WORDS)


def test_nothing_converts_the_whole_matrix(vocab, monkeypatch):
    half = KeyedVectors(vocab, some_rows(6, 8).astype(np.float16))
    _ = half.norms
    whole = []
    monkeypatch.setattr(np, "ascontiguousarray", lambda *a, **k: whole.append(a))
    half.most_similar("king")
    half.most_similar_many(WORDS * 5)
    assert whole == []
