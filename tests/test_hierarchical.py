"""Hierarchical softmax: models that learn by paths through a Huffman tree."""

import itertools
import math

import numpy as np
import pytest

import naive
from firth.errors import ParameterError, VocabularyError
from firth.models import Word2Vec
from firth.models._hierarchical import HuffmanTree
from firth.vocab import Vocab

QUICK = {"vector_size": 16, "sample": 0, "workers": 1, "progress": False, "min_count": 1, "hs": 1}


def topics(n_sentences=1500, n_topics=4, length=8, seed=3):
    """Sentences of words that meet only those of their own topic."""
    random = np.random.default_rng(seed)
    words = [[f"{topic}{i}" for i in range(10)] for topic in "abcd"[:n_topics]]
    return [
        random.choice(words[random.integers(n_topics)], length).tolist() for _ in range(n_sentences)
    ]


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("negative", [0, 5])
def test_words_of_a_topic_find_each_other(sentences, sg, negative):
    model = Word2Vec(sentences, sg=sg, negative=negative, epochs=8, **QUICK)
    assert model.epoch_losses[-1] < model.epoch_losses[0]
    for word in ("a0", "b5", "d9"):
        neighbours = [other for other, _ in model.wv.most_similar(word, topn=5)]
        assert all(other[0] == word[0] for other in neighbours)


def test_the_loss_begins_at_the_mean_length_of_paths(sentences):
    model = Word2Vec(sentences, negative=0, epochs=1, alpha=1e-6, min_alpha=0, **QUICK)
    tree = HuffmanTree.of(model.wv.vocab)
    mean = np.average(tree.lengths, weights=model.wv.vocab.counts)
    assert model.loss == pytest.approx(mean * math.log(2), rel=0.02)


def path_of(tree, word):
    begin, end = tree.offsets[word], tree.offsets[word + 1]
    positive = int(tree.n_positive[word])
    return [(int(node), i < positive) for i, node in enumerate(tree.nodes[begin:end])]


def log_share(tree, nodes, word, hidden):
    """The logarithm of a word's probability, a node at a time."""
    total = 0.0
    for node, label in path_of(tree, word):
        score = float(nodes[node].astype(np.float64) @ hidden.astype(np.float64))
        total -= math.log1p(math.exp(-score if label else score))
    return total


def test_the_tree_is_that_of_word2vec_and_fasttext():
    counts = np.array([9, 9, 5, 4, 4, 2, 1, 1], np.int64)
    tree = HuffmanTree.of(Vocab.from_words([f"w{i}" for i in range(8)], counts))
    codes = naive.huffman_codes(counts.tolist())
    assert tree.lengths.tolist() == [len(code) for code in codes]
    assert tree.n_positive.tolist() == [code.count("0") for code in codes]
    # What fastText's HierarchicalSoftmaxLoss::buildTree gives for these counts, ties and all.
    assert codes == fasttext_codes(counts.tolist())


def fasttext_codes(counts):
    n = len(counts)
    count = [*counts, *[10**15] * (n - 1)]
    parent, binary = [-1] * (2 * n - 1), [False] * (2 * n - 1)
    leaf, node = n - 1, n
    for i in range(n, 2 * n - 1):
        smallest = []
        for _ in range(2):
            if leaf >= 0 and count[leaf] < count[node]:
                smallest.append(leaf)
                leaf -= 1
            else:
                smallest.append(node)
                node += 1
        count[i] = sum(count[j] for j in smallest)
        parent[smallest[0]] = parent[smallest[1]] = i
        binary[smallest[1]] = True
    codes = []
    for word in range(n):
        code = ""
        while parent[word] != -1:
            code = str(int(binary[word])) + code
            word = parent[word]  # noqa: PLW2901
        codes.append(code)
    return codes


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("cbow_mean", [0, 1])
def test_scores_are_sums_of_logarithms(sentences, sg, cbow_mean):
    if sg and cbow_mean == 0:
        pytest.skip("skip-gram has no mean")
    model = Word2Vec(sentences, sg=sg, negative=0, window=2, cbow_mean=cbow_mean, **QUICK)
    asked = [["a1", "a2", "b3", "unseen", "c4", "a1"], ["b1"], [], ["d1", "d2"], *sentences[:300]]
    tree, wv, nodes = HuffmanTree.of(model.wv.vocab), model.wv, model.syn1
    expected = []
    for sentence in asked:
        rows = [wv.vocab[word] for word in sentence if word in wv.vocab]
        total = 0.0
        for i, row in enumerate(rows):
            around = [rows[j] for j in range(max(0, i - 2), min(len(rows), i + 3)) if j != i]
            if sg:
                total += sum(log_share(tree, nodes, row, wv.vectors[other]) for other in around)
                continue
            hidden = wv.vectors[around].sum(axis=0)
            if cbow_mean and around:
                hidden = hidden / len(around)
            total += log_share(tree, nodes, row, hidden)
        expected.append(total)
    scores = model.score(asked)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    assert model.score(asked, total_sentences=2).tolist() == scores[:2].tolist()
    assert model.score([]).shape == (0,)


def test_scores_tell_topics_apart(sentences):
    model = Word2Vec(sentences, negative=0, epochs=8, **QUICK)
    within, across = model.score([["a1", "a2", "a3", "a4"], ["a1", "b2", "c3", "d4"]])
    assert within > across


def test_predicted_words_have_probabilities(sentences):
    model = Word2Vec(sentences, negative=0, epochs=8, **QUICK)
    predicted = model.predict_output_word(["a1", "a2"], topn=40)
    assert sum(share for _, share in predicted) == pytest.approx(1, abs=1e-6)
    assert {word[0] for word, _ in predicted[:5]} == {"a"}


def test_score_is_refused_without_a_tree(sentences):
    with pytest.raises(ParameterError, match="hierarchical softmax"):
        Word2Vec(sentences, **QUICK | {"hs": 0}).score([["a1", "a2"]])
    with pytest.raises(ParameterError, match="a sentence is the string 'a1 a2'"):
        Word2Vec(sentences, **QUICK).score(["a1 a2"])


@pytest.mark.parametrize(
    ("settings", "there", "missing"),
    [({"negative": 0}, "syn1", "syn1neg"), ({"hs": 0}, "syn1neg", "syn1")],
)
def test_the_matrix_of_the_other_objective_is_not_there(sentences, settings, there, missing):
    model = Word2Vec(sentences, **QUICK | settings)
    assert getattr(model, there).shape == (40 - (there == "syn1"), 16)
    with pytest.raises(AttributeError, match=missing):
        getattr(model, missing)


def test_one_word_has_no_tree():
    with pytest.raises(VocabularyError, match="two words or more"):
        Word2Vec([["a", "a", "a"]] * 10, negative=0, **QUICK)


@pytest.mark.parametrize("n_words", [2, 3])
@pytest.mark.parametrize("sg", [0, 1])
def test_few_words_stay_finite(n_words, sg):
    words = [f"w{i}" for i in range(n_words)]
    given = [list(p) for p in itertools.permutations(words)] * 200
    model = Word2Vec(given, sg=sg, negative=0, window=10, epochs=30, alpha=0.05, **QUICK)
    assert np.isfinite(model.wv.vectors).all()
    assert np.abs(model.wv.vectors).max() < 20


@pytest.mark.parametrize("negative", [0, 3])
def test_saved_and_loaded_it_trains_on_to_the_same_bits(sentences, tmp_path, negative):
    model = Word2Vec(sentences, negative=negative, epochs=2, **QUICK)
    model.save(tmp_path / "model")
    again = Word2Vec.load(tmp_path / "model", progress=False)
    assert (again.hs, again.negative) == (1, negative)
    for each in (model, again):
        each.train(sentences, epochs=1)
    assert np.array_equal(model.wv.vectors, again.wv.vectors)
    assert np.array_equal(model.syn1, again.syn1)


def test_words_that_join_grow_the_tree(sentences):
    model = Word2Vec(sentences, negative=0, epochs=4, **QUICK)
    model.build_vocab([["a1", "a2", "anew", "a3"]] * 200, update=True)
    assert model.syn1.shape == (40, 16)
    model.train([["a1", "a2", "anew", "a3"]] * 200 + sentences, epochs=4)
    assert model.epoch_losses[-1] < model.epoch_losses[0]
