import numpy as np
import pytest

from firth import KeyedVectors, Vocab, embedding_matrix
from firth.errors import ParameterError, WordNotFoundError
from firth.subwords import FastTextSubwords

WORDS = ["the", "king", "Queen", "<pad>", "broken"]
MATRIX = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3], [9, 9, 9], [np.nan, 0, 0]], np.float32)


@pytest.fixture
def wv():
    return KeyedVectors(Vocab.from_words(WORDS), MATRIX)


@pytest.fixture
def vocab():
    return Vocab({"The": 4, "king": 3, "broken": 2, "unseen": 2, "Queen": 1})


def test_rows_are_those_of_the_ids(vocab, wv):
    matrix, coverage = embedding_matrix(vocab, wv)
    assert matrix.dtype == np.float32
    assert matrix.shape == (7, 3)
    np.testing.assert_array_equal(matrix[vocab["The"]], wv["the"])
    np.testing.assert_array_equal(matrix[vocab["king", "Queen"]], wv[["king", "Queen"]])
    assert not matrix[vocab["<unk>", "<pad>", "broken", "unseen"]].any()
    assert (coverage.n_words, coverage.n_found, coverage.n_lowercase) == (5, 3, 1)
    assert coverage.types == 3 / 5
    assert coverage.tokens == 8 / 12
    assert coverage.missing == [("broken", 2), ("unseen", 2)]
    assert str(coverage) == (
        "3 of 5 words have vectors (60.0 %; 66.7 % of the text); 1 of them in lower case; "
        "without: broken, unseen"
    )


def test_case_is_kept_where_that_is_asked_for(vocab, wv):
    matrix, coverage = embedding_matrix(vocab, wv, lowercase_fallback=False)
    assert not matrix[vocab["The"]].any()
    assert (coverage.n_found, coverage.n_lowercase) == (2, 0)
    assert coverage.missing[0] == ("The", 4)


def test_rows_of_unknown_words(vocab, wv):
    usable = MATRIX[:4]
    unknown = vocab["<unk>", "broken", "unseen"]
    mean, _ = embedding_matrix(vocab, wv, "mean")
    np.testing.assert_allclose(mean[unknown], [usable.mean(axis=0)] * 3, rtol=1e-6)
    normal, coverage = embedding_matrix(vocab, wv, "normal", seed=3)
    assert coverage.n_found == 3
    assert len(np.unique(normal[unknown], axis=0)) == 3
    assert np.abs(normal[unknown] - usable.mean(axis=0)).max() < 5 * usable.std(axis=0).max()
    np.testing.assert_array_equal(normal, embedding_matrix(vocab, wv, "normal", seed=3)[0])
    assert (normal != embedding_matrix(vocab, wv, "normal", seed=4)[0]).any()
    ones, _ = embedding_matrix(vocab, wv, np.ones)
    assert (ones[unknown] == 1).all()
    for matrix in (mean, normal, ones):
        assert not matrix[vocab["<pad>"]].any()
        np.testing.assert_array_equal(matrix[vocab["king"]], wv["king"])


def test_a_normal_row_is_spread_as_the_vectors_are():
    vectors = np.random.default_rng(1).normal([1, -2], [0.5, 3], (20_000, 2)).astype(np.float16)
    wv = KeyedVectors(Vocab.from_words(map(str, range(20_000))), vectors)
    matrix, _ = embedding_matrix([f"x{i}" for i in range(20_000)], wv, "normal")
    np.testing.assert_allclose(matrix.mean(axis=0), [1, -2], atol=0.1)
    np.testing.assert_allclose(matrix.std(axis=0), [0.5, 3], rtol=0.05)


def test_rows_of_subwords(vocab, wv):
    rows = np.random.default_rng(2).standard_normal((50, 3)).astype(np.float32)
    subwords = FastTextSubwords(rows, min_n=3, max_n=4, bucket=50)
    with_subwords = KeyedVectors(wv.vocab, np.nan_to_num(MATRIX), subwords=subwords)
    matrix, coverage = embedding_matrix(vocab, with_subwords, "subword")
    np.testing.assert_array_equal(matrix[vocab["unseen"]], with_subwords["unseen"])
    assert not matrix[vocab["<unk>", "<pad>"]].any()
    assert (coverage.n_found, coverage.n_subword, coverage.types) == (4, 1, 1)
    assert "1 made of subwords" in str(coverage)
    zero, _ = embedding_matrix(vocab, with_subwords)
    assert not zero[vocab["unseen"]].any()
    with pytest.raises(ParameterError, match="needs vectors with subwords, as fastText's have"):
        embedding_matrix(vocab, wv, "subword")


def test_lists_and_dictionaries(wv):
    matrix, coverage = embedding_matrix(["king", "unseen", "the"], wv)
    np.testing.assert_array_equal(matrix, [wv["king"], [0, 0, 0], wv["the"]])
    assert np.isnan(coverage.tokens)
    assert str(coverage) == "2 of 3 words have vectors (66.7 %); without: unseen"
    matrix, _ = embedding_matrix({"king": 1, "the": 4}, wv)  # as Keras has it: 0 is left out
    assert matrix.shape == (5, 3)
    np.testing.assert_array_equal(matrix[[1, 4]], wv[["king", "the"]])
    assert not matrix[[0, 2, 3]].any()
    assert embedding_matrix([], wv)[0].shape == (0, 3)
    assert embedding_matrix({}, wv)[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("vocab", "unknown", "message"),
    [
        (["a"], "nothing", "unknown is 'nothing', which is none of zero, mean, normal, subword"),
        ("king", "zero", "vocab is the string 'king'"),
        ({"a": 1, "b": 1}, "zero", "two words have the same id"),
        ({"a": -1}, "zero", "ids are whole numbers from 0"),
        ({"a": 0.5}, "zero", "ids are whole numbers from 0"),
        ({"a": 10**12}, "zero", "the highest id is 1,000,000,000,000, and there are 1 words"),
        (["a"], np.eye, r"has the shape \(3, 3\); it must have \(3,\)"),
    ],
)
def test_what_cannot_be_used(wv, vocab, unknown, message):
    with pytest.raises(ParameterError, match=message):
        embedding_matrix(vocab, wv, unknown)


# --- GluonNLP's names -----------------------------------------------------------------------------


def test_an_embedding_is_set(vocab, wv):
    assert vocab.embedding is None
    vocab.set_embedding(wv)
    embedding = vocab.embedding
    np.testing.assert_array_equal(embedding["king", "unseen"], [wv["king"], [0, 0, 0]])
    np.testing.assert_array_equal(embedding["king"], wv["king"])
    np.testing.assert_array_equal(embedding.idx_to_vec[vocab["Queen"]], wv["Queen"])
    assert not embedding["The"].any()
    assert not embedding["not in the vocabulary"].any()
    assert not embedding.get_vecs_by_tokens("KING").any()
    assert embedding.get_vecs_by_tokens(["KING"], lower_case_backup=True).any()
    assert embedding.idx_to_token == list(vocab.words)
    assert embedding.token_to_idx["king"] == vocab["king"]
    assert embedding.unknown_token == "<unk>"
    assert len(embedding) == 7
    assert "king" in embedding
    assert repr(embedding) == "TokenEmbedding(7 words, vector_size=3)"
    vocab.set_embedding(None)
    assert vocab.embedding is None


def test_several_embeddings_are_joined(vocab, wv):
    other = KeyedVectors(Vocab.from_words(["unseen", "king"]), np.ones((2, 2), np.float32))
    vocab.set_embedding(wv, other, lowercase_fallback=True)
    assert vocab.embedding["The"].tolist() == [1, 0, 0, 0, 0]
    assert vocab.embedding["king"].tolist() == [0, 2, 0, 1, 1]
    assert vocab.embedding["unseen"].tolist() == [0, 0, 0, 1, 1]


def test_the_vector_of_unknown_words_may_be_made(vocab, wv):
    vocab.set_embedding(wv, init_unknown_vec=np.ones)
    assert vocab.embedding["unseen"].tolist() == [1, 1, 1]
    assert vocab.embedding["not in the vocabulary"].tolist() == [1, 1, 1]
    with pytest.raises(ParameterError, match=r"has the shape \(3, 3\)"):
        vocab.set_embedding(wv, init_unknown_vec=np.eye)
    for wrong in ((), ("glove",), (wv, None)):
        with pytest.raises(ParameterError, match="give one embedding or more"):
            vocab.set_embedding(*wrong)


def test_vectors_are_changed(vocab, wv):
    vocab.set_embedding(wv)
    vocab.embedding.update_token_vectors("king", [7, 8, 9])
    assert vocab.embedding["king"].tolist() == [7, 8, 9]
    vocab.embedding.update_token_vectors(["unseen", "The"], np.ones((2, 3)))
    assert vocab.embedding["unseen", "The"].tolist() == [[1, 1, 1]] * 2
    assert wv["king"].tolist() == [0, 2, 0]
    with pytest.raises(ParameterError, match="'new' is not in the vocabulary"):
        vocab.embedding.update_token_vectors(["new"], np.ones((1, 3)))
    with pytest.raises(ParameterError, match=r"vectors of shape \(2, 3\) were given; \(1, 3\)"):
        vocab.embedding.update_token_vectors(["king"], np.ones((2, 3)))


def test_without_an_unknown_token_unseen_words_have_no_vector(wv):
    vocab = Vocab({"king": 1}, unknown_token=None)
    vocab.set_embedding(wv)
    with pytest.raises(WordNotFoundError):
        vocab.embedding["unseen"]
