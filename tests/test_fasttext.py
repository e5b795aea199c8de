"""FastText: n-grams that learn, unseen words, and models of the fastText program."""

import numpy as np
import pytest

import naive
from firth import _core, load
from firth.errors import FormatError, ParameterError
from firth.formats import FastTextArgs, read_fasttext_model, write_fasttext_model
from firth.models import (
    FastText,
    Word2Vec,
    load_facebook_model,
    load_facebook_vectors,
    save_facebook_model,
)
from firth.vectors import KeyedVectors

QUICK = {
    "vector_size": 16, "sample": 0, "workers": 1, "progress": False, "min_count": 1, "bucket": 2000,
}  # fmt: skip
STEMS = {"walk": "abc", "sing": "def", "jump": "ghi"}
ENDINGS = ["", "s", "ed", "ing", "er", "ers"]


def texts(n_sentences=1500, seed=5):
    """Forms of a stem, among words that go with this stem only."""
    random = np.random.default_rng(seed)
    sentences = []
    for _ in range(n_sentences):
        stem = random.choice(list(STEMS))
        around = [f"{letter}{i}" for letter in STEMS[stem] for i in range(3)]
        form = stem + random.choice(ENDINGS[:-1])
        sentences.append([*random.choice(around, 3).tolist(), form, *random.choice(around, 3)])
    return [[str(word) for word in sentence] for sentence in sentences]


@pytest.fixture(scope="module")
def sentences():
    return texts()


@pytest.fixture(scope="module")
def trained(sentences):
    return FastText(sentences, sg=1, epochs=5, **QUICK)


@pytest.mark.parametrize("settings", [{}, {"sg": 1}, {"sg": 1, "hs": 1, "negative": 0}, {"hs": 1}])
def test_unseen_forms_are_near_those_that_were_seen(sentences, settings):
    model = FastText(sentences, epochs=5, **QUICK | settings)
    assert model.epoch_losses[-1] < model.epoch_losses[0]
    for stem, others in (("walk", "sing"), ("jump", "walk")):
        unseen = stem + "ers"
        assert unseen not in model.wv.key_to_index
        assert unseen in model.wv
        near, far = (model.wv.similarity(unseen, other) for other in (stem + "ed", others + "ed"))
        assert near > far + 0.1


def test_vectors_are_means_of_rows(trained):
    wv = trained.wv
    for word in ("walking", "a0"):
        ids = naive.fasttext_ids(word, 3, 6, 2000)
        rows = [wv.vectors_vocab[wv.vocab[word]], *wv.vectors_ngrams[ids]]
        np.testing.assert_allclose(wv[word], np.mean(rows, axis=0), rtol=1e-5, atol=1e-7)
    ids = naive.fasttext_ids("walkers", 3, 6, 2000)
    np.testing.assert_allclose(
        wv["walkers"], wv.vectors_ngrams[ids].mean(axis=0), rtol=1e-5, atol=1e-7
    )


def test_rows_begin_within_the_share_of_a_dimension_and_unused_buckets_stay(sentences):
    model = FastText(**QUICK)
    model.build_vocab(sentences)
    before = np.array(model.wv.vectors_ngrams)
    assert np.abs(before).max() <= 1 / 16
    assert np.abs(before).mean() == pytest.approx(0.5 / 16, rel=0.05)
    model.train(sentences, epochs=1)
    after = model.wv.vectors_ngrams
    ids = _core.subword_ids(model.wv.vocab.word_bytes, model.wv.vocab.word_offsets, 3, 6, 2000)[0]
    unused = np.setdiff1d(np.arange(2000), ids)
    assert np.array_equal(before[unused], after[unused])
    assert (before[ids] != after[ids]).any(axis=1).all()


def test_without_ngrams_it_is_word2vec(sentences):
    settings = {name: value for name, value in QUICK.items() if name != "bucket"}
    plain = Word2Vec(sentences, sg=1, **settings)
    model = FastText(sentences, sg=1, max_n=0, **settings)
    assert np.array_equal(plain.wv.vectors, model.wv.vectors)
    assert model.wv.subwords is None


def test_saved_and_loaded_it_trains_on_to_the_same_bits(trained, sentences, tmp_path):
    trained.save(tmp_path / "model")
    again = FastText.load(tmp_path / "model", progress=False)
    assert np.array_equal(again.wv.vectors, trained.wv.vectors)
    assert np.array_equal(load(tmp_path / "model")["walkers"], trained.wv["walkers"])
    other = FastText.load(tmp_path / "model", progress=False)
    for model in (again, other):
        model.train(sentences, epochs=1)
    assert np.array_equal(again.wv.vectors, other.wv.vectors)
    assert not np.array_equal(again.wv.vectors, trained.wv.vectors)
    with pytest.raises(FormatError, match="holds a FastText, not a Word2Vec"):
        Word2Vec.load(tmp_path / "model")


def test_trainings_in_steps_are_one_training(sentences):
    whole = FastText(sentences, epochs=2, alpha=0.02, min_alpha=0.02, **QUICK)
    steps = FastText(alpha=0.02, min_alpha=0.02, **QUICK)
    steps.build_vocab(sentences)
    for _ in range(2):
        steps.train(sentences, epochs=1)
    assert np.array_equal(whole.wv.vectors, steps.wv.vectors)


def test_words_that_join_leave_the_others_as_they_are(sentences):
    model = FastText(sentences, **QUICK)
    before = model.wv
    model.build_vocab([["walker", "a0"], ["yonder", "a1"]], update=True)
    after = model.wv
    assert [*after.index_to_key][-2:] == ["walker", "yonder"]
    assert np.array_equal(before.vectors, after.vectors[: len(before)])
    assert np.array_equal(before.vectors_ngrams, after.vectors_ngrams)
    model.train([["walker", "a0"], ["yonder", "a1"]] * 50, epochs=2)
    assert np.isfinite(model.wv.vectors).all()


def test_locked_words_and_their_ngrams_stay(sentences):
    model = FastText(**QUICK)
    model.build_vocab(sentences)
    n_words, n_buckets = len(model.wv), model.bucket
    assert model.wv.vectors_vocab_lockf.tolist() == model.wv.vectors_ngrams_lockf.tolist() == [1]
    words, ngrams = np.array(model.wv.vectors_vocab), np.array(model.wv.vectors_ngrams)
    model.wv.vectors_ngrams_lockf = [0.0]
    model.wv.vectors_vocab_lockf = np.arange(n_words) % 2
    model.train(sentences, epochs=1)
    moved = (words != model.wv.vectors_vocab).any(axis=1)
    assert moved.tolist() == [i % 2 == 1 for i in range(n_words)]
    assert np.array_equal(ngrams, model.wv.vectors_ngrams)
    model.wv.vectors_vocab_lockf = [0.0]
    model.wv.vectors_ngrams_lockf = np.ones(n_buckets)
    words = np.array(model.wv.vectors_vocab)
    model.train(sentences, epochs=1)
    assert np.array_equal(words, model.wv.vectors_vocab)
    assert (ngrams != model.wv.vectors_ngrams).any()
    model.wv.vectors_ngrams_lockf = np.ones(n_words)
    with pytest.raises(ParameterError, match=f"ngrams_lockf has .* each of the {n_buckets:,}"):
        model.train(sentences, epochs=1)


def test_words_that_join_learn_beside_locked_ones(sentences):
    model = FastText(**QUICK)
    model.build_vocab(sentences)
    n_words = len(model.wv)
    model.wv.vectors_vocab_lockf = np.zeros(n_words)
    model.build_vocab([["yonder", "yoke"]], update=True)
    assert model.wv.vectors_vocab_lockf.tolist() == [0] * n_words + [1, 1]


def test_vectors_of_ones_own_need_their_ngrams(trained, sentences):
    model = FastText(**QUICK)
    model.build_vocab(sentences)
    model.wv = trained.wv
    assert np.array_equal(model.wv["walkers"], trained.wv["walkers"])
    with pytest.raises(ParameterError, match="subwords of fastText"):
        model.wv = KeyedVectors(trained.wv.vocab, trained.wv.vectors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_n": 5, "max_n": 4}, "min_n=5 does not go with max_n=4"),
        ({"min_n": -1}, "min_n=-1"),
        ({"max_n": "6"}, "max_n must be a whole number"),
        ({"bucket": 0}, "bucket=0 leaves no rows"),
        ({"bucket": -1}, "bucket must be 0 to"),
        ({"bucket": 2**31}, "bucket must be 0 to 2,147,483,647"),
        ({"word_ngrams": 2}, "word_ngrams must be 1"),
        ({"negative": 0}, "unless hs is set"),
    ],
)
def test_parameters_out_of_their_range(settings, message):
    with pytest.raises(ParameterError, match=message):
        FastText([["a", "b"]] * 10, **QUICK | settings)


# --- models of the fastText program ---------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{}, {"sg": 1}, {"hs": 1, "negative": 0}, {"max_n": 0}, {"min_n": 2, "max_n": 3}]
)
def test_a_model_goes_through_a_file_and_trains_on(sentences, tmp_path, settings):
    model = FastText(sentences, epochs=2, **QUICK | settings)
    save_facebook_model(model, tmp_path / "model.bin")
    again = load_facebook_model(tmp_path / "model.bin", workers=1, progress=False)
    assert np.array_equal(again.wv.vectors, model.wv.vectors)
    assert np.array_equal(load_facebook_vectors(tmp_path / "model.bin").vectors, model.wv.vectors)
    for name in ("vector_size", "window", "sg", "hs", "min_count", "sample", "min_n", "max_n"):
        if name != "min_n" or model.max_n:
            assert getattr(again, name) == getattr(model, name)
    save_facebook_model(again, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()
    again.epochs_trained = model.epochs_trained  # what a file does not hold
    for each in (model, again):
        each.train(sentences, epochs=1)
    assert np.array_equal(again.wv.vectors, model.wv.vectors)


def test_the_output_of_both_objectives_is_that_of_the_negatives(sentences, tmp_path, caplog):
    model = FastText(sentences, hs=1, negative=3, **QUICK)
    with caplog.at_level("WARNING", "firth"):
        save_facebook_model(model, tmp_path / "model.bin")
    assert "inner nodes of this model are left out" in caplog.text
    data = read_fasttext_model(tmp_path / "model.bin")
    assert (data.args.loss, data.args.neg) == ("ns", 3)
    assert np.array_equal(data.output, model.syn1neg)


def test_what_cannot_be_trained_on_says_why(trained, tmp_path):
    path = tmp_path / "model.bin"
    save_facebook_model(trained, path)
    data = read_fasttext_model(path)
    data.args = FastTextArgs(**data.args.as_dict() | {"loss": "softmax"})
    write_fasttext_model(data, path)
    with pytest.raises(FormatError, match="its loss is softmax; load_facebook_vectors"):
        load_facebook_model(path)
    assert len(load_facebook_vectors(path)) == len(trained.wv)


def test_parameters_that_do_not_go_with_a_file(trained, tmp_path):
    path = tmp_path / "model.bin"
    save_facebook_model(trained, path)
    with pytest.raises(ParameterError, match=r"bucket=5 does not go with .* bucket=2000"):
        load_facebook_model(path, bucket=5)
    assert load_facebook_model(path, seed=7, negative=9).negative == 9
    with pytest.raises(ParameterError, match="UTF-8"):
        load_facebook_model(path, encoding="latin-1")
    with pytest.raises(ParameterError, match="must be a FastText"):
        save_facebook_model(trained.wv, path)


@pytest.mark.parametrize("settings", [{}, {"sg": 1}, {"hs": 1, "negative": 0}])
def test_the_fasttext_package_gives_the_same_vectors(sentences, tmp_path, settings):
    fasttext = pytest.importorskip("fasttext", reason="the fasttext package is not installed")
    model = FastText(sentences, **QUICK | settings)
    save_facebook_model(model, tmp_path / "model.bin")
    theirs = fasttext.load_model(str(tmp_path / "model.bin"))
    assert theirs.get_words() == [*model.wv.index_to_key]
    for word in (*model.wv.index_to_key, "walkers", "never"):
        assert np.array_equal(theirs.get_word_vector(word), model.wv[word])


# --- gensim's documented examples -----------------------------------------------------------------

COMMON_TEXTS = [
    ["human", "interface", "computer"],
    ["survey", "user", "computer", "system", "response", "time"],
    ["eps", "user", "interface", "system"],
    ["system", "human", "system", "eps"],
    ["user", "response", "time"],
    ["trees"], ["graph", "trees"], ["graph", "minors", "trees"], ["graph", "minors", "survey"],
]  # fmt: skip


def test_gensims_examples(tmp_path):
    model = FastText(vector_size=4, window=3, min_count=1)
    model.build_vocab(corpus_iterable=COMMON_TEXTS)
    model.train(corpus_iterable=COMMON_TEXTS, total_examples=len(COMMON_TEXTS), epochs=10)
    model2 = FastText(vector_size=4, window=3, min_count=1, sentences=COMMON_TEXTS, epochs=10)
    assert model2.wv.vectors.shape == model.wv.vectors.shape == (12, 4)

    file = tmp_path / "corpus.cor"
    file.write_text("".join(" ".join(text) + "\n" for text in COMMON_TEXTS * 10))
    model3 = FastText(vector_size=4, window=3, min_count=1)
    model3.build_vocab(corpus_file=str(file))
    model3.train(corpus_file=str(file), total_words=model3.corpus_total_words, epochs=5)

    class MyIter:
        def __iter__(self):
            yield from (line.split() for line in file.read_text().splitlines())

    model4 = FastText(vector_size=4, window=3, min_count=1)
    model4.build_vocab(corpus_iterable=MyIter())
    model4.train(corpus_iterable=MyIter(), total_examples=model4.corpus_count, epochs=5)

    model.save(str(tmp_path / "fasttext.model"))
    model = FastText.load(str(tmp_path / "fasttext.model"))
    assert "computer" in model.wv.key_to_index
    assert model.wv["computer"].shape == (4,)
    assert "graph-out-of-vocab" not in model.wv.key_to_index
    assert model.wv["graph-out-of-vocab"].shape == (4,)
    assert len(model.wv.most_similar(positive=["computer", "human"], negative=["interface"])) == 9
    assert model.wv.doesnt_match(["human", "computer", "interface", "tree"]) in {
        "human", "computer", "interface", "tree",
    }  # fmt: skip
    assert -1 <= model.wv.similarity("computer", "human") <= 1

    save_facebook_model(model, str(tmp_path / "lord.bin"))
    fb_model = load_facebook_model(str(tmp_path / "lord.bin"))
    sent = [["lord", "of", "the", "rings"], ["lord", "of", "the", "flies"]]
    fb_model.build_vocab(sent, update=True)
    fb_model.train(sent, total_examples=len(sent), epochs=fb_model.epochs)
    assert "lord" in fb_model.wv.key_to_index
    fbkv = load_facebook_vectors(str(tmp_path / "lord.bin"))
    assert "landlord" not in fbkv.key_to_index
    assert fbkv["landlord"].shape == (4,)


@pytest.mark.parametrize("settings", [{}, {"sg": 1, "hs": 1, "negative": 0}])
def test_several_workers_give_the_same_bits_where_asked(sentences, settings):
    how = QUICK | {"workers": 2, "deterministic": True, "batch_words": 500} | settings
    first, second = (FastText(sentences, epochs=2, **how) for _ in range(2))
    assert np.array_equal(first.wv.vectors, second.wv.vectors)
    assert first.epoch_losses[-1] < first.epoch_losses[0]


@pytest.mark.parametrize("settings", [{}, {"sg": 1, "hs": 1, "negative": 0}])
def test_a_checkpoint_is_gone_on_from(sentences, tmp_path, settings):
    how = QUICK | settings | {"epochs": 3}
    whole = FastText(sentences, **how)
    file = tmp_path / "text.txt"
    file.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    kept = {"corpus_file": file, "checkpoint": tmp_path / "kept", "checkpoint_every": 0.001}
    assert np.array_equal(FastText(**kept, **how).wv.vectors, whole.wv.vectors)
    again = FastText(**kept, resume=True, **how)
    assert np.array_equal(again.wv.vectors, whole.wv.vectors)
