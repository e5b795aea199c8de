import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import KeyedVectors, SentenceEncoder, Vocab
from firth.errors import ParameterError
from firth.subwords import FastTextSubwords
from firth.vocab import smooth_inverse_frequency

WORDS = ["the", "of", "king", "queen", "rules", "zero", "broken"]
COUNTS = [500, 300, 20, 10, 5, 2, 1]
SENTENCES = ["the king rules", "The queen of the king", "the queen rules", "of king", ""]


@pytest.fixture(scope="module")
def wv():
    matrix = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32) + 1
    matrix[5] = 0
    matrix[6, 2] = np.nan
    return KeyedVectors(Vocab.from_words(WORDS, COUNTS), matrix)


def naive_means(wv, sentences, weight, by_weight=False):
    result = []
    for sentence in sentences:
        words = [w for w in sentence.lower().split() if w in WORDS[:-1]]
        total = sum(weight(w) for w in words) if by_weight else len(words)
        vectors = [weight(w) * wv[w].astype(np.float64) for w in words]
        result.append(np.sum(vectors, axis=0) / total if words else np.zeros(wv.vector_size))
    return np.array(result)


def test_the_mean_of_vectors(wv):
    vectors = SentenceEncoder(wv).transform(SENTENCES)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, naive_means(wv, SENTENCES, lambda w: 1), atol=1e-6)
    lists = [sentence.lower().split() for sentence in SENTENCES]
    np.testing.assert_array_equal(SentenceEncoder(wv).transform(lists), vectors)
    np.testing.assert_array_equal(SentenceEncoder(wv).transform(iter(lists)), vectors)
    np.testing.assert_array_equal(SentenceEncoder(wv).encode(SENTENCES[0]), vectors[0])
    np.testing.assert_array_equal(SentenceEncoder(wv).encode(SENTENCES), vectors)
    assert SentenceEncoder(wv).transform([]).shape == (0, 5)


def test_smooth_inverse_frequency_as_in_the_paper(wv):
    encoder = SentenceEncoder(wv, weighting="sif", a=0.01).fit(SENTENCES)
    p = dict(zip(WORDS, np.array(COUNTS) / sum(COUNTS), strict=True))
    means = naive_means(wv, SENTENCES, lambda w: 0.01 / (0.01 + p[w]))
    first = np.linalg.svd(means)[2][0]
    np.testing.assert_allclose(np.abs(encoder.components_[0] @ first), 1, atol=1e-6)
    expected = means - np.outer(means @ first, first)
    np.testing.assert_allclose(encoder.transform(SENTENCES), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.transform(SENTENCES) @ first, 0, atol=1e-5)


def test_the_common_direction_is_that_of_a_truncated_decomposition(wv):
    decomposition = pytest.importorskip("sklearn.decomposition", reason="needs scikit-learn")
    sentences = [list(np.random.default_rng(i).choice(WORDS, 6)) for i in range(300)]
    means = SentenceEncoder(wv, "sif", n_components=0).transform(sentences)
    peer = decomposition.TruncatedSVD(2, random_state=0).fit(means.astype(np.float64))
    encoder = SentenceEncoder(wv, "sif", n_components=2).fit(sentences)
    agreement = np.abs(np.sum(encoder.components_ * peer.components_, axis=1))
    np.testing.assert_allclose(agreement, 1, atol=1e-4)
    assert (np.abs(encoder.components_).max(axis=1) == encoder.components_.max(axis=1)).all()


def test_inverse_document_frequencies_are_those_of_scikit_learn(wv):
    text = pytest.importorskip("sklearn.feature_extraction.text", reason="needs scikit-learn")
    peer = text.TfidfVectorizer(vocabulary=WORDS, norm=None).fit(SENTENCES)
    encoder = SentenceEncoder(wv, "tfidf").fit(SENTENCES)
    np.testing.assert_allclose(encoder.weights_, peer.idf_, atol=1e-6)
    idf = dict(zip(WORDS, peer.idf_, strict=True))
    expected = naive_means(wv, SENTENCES, idf.get, by_weight=True)
    np.testing.assert_allclose(encoder.transform(SENTENCES), expected, atol=1e-6)


def test_where_probabilities_come_from(wv):
    from_sentences = SentenceEncoder(wv, "sif", probabilities="sentences").fit(SENTENCES)
    counts = np.array([4, 2, 3, 2, 2, 0, 0])
    expected = smooth_inverse_frequency(counts)
    np.testing.assert_array_equal(from_sentences.weights_, expected)
    bare = KeyedVectors(Vocab.from_words(WORDS), wv.vectors)
    np.testing.assert_array_equal(SentenceEncoder(bare, "sif").fit(SENTENCES).weights_, expected)
    zipf = SentenceEncoder(bare, "sif", probabilities="zipf").weights_
    assert (np.diff(zipf) > 0).all()
    share = 1 / np.sum(1 / np.arange(1, 8))
    np.testing.assert_allclose(zipf[0], 1e-3 / (1e-3 + share), rtol=1e-6)
    with pytest.raises(ParameterError, match="come without counts of their words; give 'sent"):
        SentenceEncoder(bare, "sif", probabilities="counts")


def test_words_without_vectors_are_left_out_and_counted(wv):
    encoder = SentenceEncoder(wv)
    vectors = encoder.transform(["king unseen", "unseen broken", "KING", "zero"])
    np.testing.assert_array_equal(vectors[[0, 2]], [wv["king"], wv["king"]])
    assert not vectors[[1, 3]].any()
    coverage = encoder.coverage(["king unseen", "unseen broken", ""])
    assert (coverage.n_sentences, coverage.n_words, coverage.n_known) == (3, 4, 1)
    assert (coverage.n_empty, coverage.share) == (2, 0.25)
    assert coverage.missing == [("unseen", 2), ("broken", 1)]
    strict = SentenceEncoder(wv, lowercase_fallback=False)
    assert not strict.encode("KING").any()
    assert SentenceEncoder(wv, lowercase=True, lowercase_fallback=False).encode("KING").any()


def test_unseen_words_by_their_subwords(wv):
    rows = np.random.default_rng(2).standard_normal((50, 5)).astype(np.float32)
    matrix = np.nan_to_num(wv.vectors)
    with_subwords = KeyedVectors(
        wv.vocab, matrix, subwords=FastTextSubwords(rows, min_n=3, max_n=4, bucket=50)
    )
    encoder = SentenceEncoder(with_subwords)
    expected = (with_subwords["kingly"] + with_subwords["queen"]) / 2
    np.testing.assert_allclose(encoder.encode("kingly queen"), expected, atol=1e-6)
    tfidf = SentenceEncoder(with_subwords, "tfidf").fit(["queen", "king"])
    seen, unseen = np.log(3 / 2) + 1, np.log(3) + 1
    expected = (unseen * with_subwords["kingly"] + seen * with_subwords["queen"]) / (seen + unseen)
    np.testing.assert_allclose(tfidf.encode("kingly queen"), expected, atol=1e-6)
    assert encoder.coverage(["kingly queen"]).share == 1


def test_long_texts_are_cut_into_pieces(wv):
    long = ["king", "queen", "unseen"] * 30_000
    vectors = SentenceEncoder(wv).transform([["the"], long, ["of"], [], long[1:]])
    mean = (wv["king"].astype(np.float64) + wv["queen"]) / 2
    np.testing.assert_allclose(vectors, [wv["the"], mean, wv["of"], np.zeros(5), mean], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_vectors_in_other_precisions(wv, dtype):
    vectors = SentenceEncoder(wv.astype(dtype)).transform(SENTENCES)
    np.testing.assert_allclose(vectors, SentenceEncoder(wv).transform(SENTENCES), atol=0.02)


def test_similarity(wv):
    encoder = SentenceEncoder(wv, normalize=True)
    assert encoder.similarity("the king", ["king", "the"]) == pytest.approx(1)
    assert encoder.similarity("the king", "unseen") == 0
    np.testing.assert_allclose(np.linalg.norm(encoder.transform(SENTENCES[:3]), axis=1), 1, 1e-6)
    plain = SentenceEncoder(wv)
    for weighting in ("mean", "sif"):
        encoder = SentenceEncoder(wv, weighting, n_components=0)
        mine = wv.sentence_similarity("The king rules!", ["of", "queen"], weighting)
        assert mine == pytest.approx(encoder.similarity("the king rules", "of queen"), abs=1e-6)
    assert wv.sentence_similarity("the king broken", "king the") == pytest.approx(1)
    assert wv.sentence_similarity("unseen", "king") == 0
    assert plain.similarity("the", "of") == pytest.approx(wv.similarity("the", "of"), abs=1e-6)
    with pytest.raises(ParameterError, match="SentenceEncoder has tfidf"):
        wv.sentence_similarity("a", "b", "tfidf")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weighting": "median"}, "weighting is 'median', which is none of mean, sif, tfidf"),
        ({"n_components": 6}, "n_components is 6; it must be from 0 to the size of the vectors, 5"),
        ({"probabilities": "guess"}, "probabilities is 'guess'"),
        ({"weighting": "sif", "a": 0}, "a must be above 0, not 0"),
        ({"tokenizer": "letters"}, "there is no tokenizer 'letters'"),
    ],
)
def test_wrong_parameters(wv, options, message):
    with pytest.raises(ParameterError, match=message):
        SentenceEncoder(wv, **options)


def test_what_has_to_be_learned_first(wv):
    with pytest.raises(ParameterError, match="learns what they share from sentences: call fit"):
        SentenceEncoder(wv, "sif").transform(["king"])
    with pytest.raises(ParameterError, match="learns the weights of words from sentences"):
        SentenceEncoder(wv, "tfidf").encode("king")
    with pytest.raises(ParameterError, match="no sentences to learn from"):
        SentenceEncoder(wv).fit([])
    with pytest.raises(ParameterError, match="no sentence has a word with a vector"):
        SentenceEncoder(wv, "sif").fit(["nothing that is known"])
    assert SentenceEncoder(wv, "sif").fit_transform(iter(SENTENCES)).shape == (5, 5)


def test_sentences_that_are_none(wv):
    with pytest.raises(ParameterError, match="sentences is str 'the king'; give a list"):
        SentenceEncoder(wv).transform("the king")
    with pytest.raises(ParameterError, match=r"sentences\[1\] is int 3; each must be"):
        SentenceEncoder(wv).transform(["the king", 3])
    with pytest.raises(ParameterError, match="is bytes b'the king'"):
        SentenceEncoder(wv).transform([b"the king"])
    with pytest.raises(ParameterError, match=r"sentences\[0\] has int 3 among its words"):
        SentenceEncoder(wv).transform([["the", 3]])


@given(st.lists(st.lists(st.sampled_from([*WORDS[:5], "unseen"]), max_size=6), max_size=20))
def test_sentences_do_not_depend_on_each_other(sentences):
    matrix = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32)
    encoder = SentenceEncoder(KeyedVectors(Vocab.from_words(WORDS, COUNTS), matrix))
    together = encoder.transform(sentences)
    for vector, sentence in zip(together, sentences, strict=True):
        np.testing.assert_allclose(vector, encoder.transform([sentence])[0], atol=1e-6)
