"""Tests of firth.tasks.TextClassifier: what it learns, refuses, and how it fits scikit-learn."""

import json
import logging

import numpy as np
import pytest

import firth
from firth.errors import FormatError, InputError, OutputError, ParameterError, SourceError

pytest.importorskip("sklearn", reason="needs scikit-learn: firth[tasks]")
pytest.importorskip("torch", reason="needs PyTorch: firth[tasks]")

import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from firth.tasks import TextClassifier

ANIMALS = ["cat", "dog", "cow", "hen", "pig", "ewe", "fox", "owl"]
TOOLS = ["saw", "axe", "file", "plane", "drill", "clamp", "rasp", "awl"]
OTHERS = ["the", "a", "of", "and", "was", "in"]
MODELS = ["cnn", "kim", "mean", "sif", "counts", "tfidf"]
QUICK = {
    "epochs": 8, "filters": 12, "batch_size": 8, "maxlen": 20, "dropout": 0.0,
    "learning_rate": 0.02, "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Let small networks compute with one thread: with several they wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def wv():
    random = np.random.default_rng(1)
    words = OTHERS + ANIMALS + TOOLS
    matrix = random.standard_normal((len(words), 8)).astype(np.float32)
    matrix[:, 1] += 9  # what all have in common, for SIF to take off
    matrix[len(OTHERS) : len(OTHERS) + len(ANIMALS), 0] += 4
    matrix[len(OTHERS) + len(ANIMALS) :, 0] -= 4
    return firth.KeyedVectors(
        firth.Vocab.from_words(words, range(100, 100 - len(words), -1)), matrix
    )


def make_texts(n, seed, animals=ANIMALS[:4], tools=TOOLS[:4]):
    """Make texts that are about animals and tools in turns."""
    random = np.random.default_rng(seed)
    texts = [
        " ".join(random.permutation([*random.choice(words, 2), *random.choice(OTHERS, 4)]))
        for words in [animals, tools] * (n // 2)
    ]
    return texts, ["animal", "tool"] * (n // 2)


TEXTS, LABELS = make_texts(60, seed=2)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_learns_and_tells_probabilities(wv, model):
    classifier = TextClassifier(wv, model, **QUICK).fit(TEXTS, LABELS)
    texts, labels = make_texts(40, seed=3)
    assert classifier.score(texts, labels) >= 0.95
    found = classifier.predict_proba(texts)
    assert found.shape == (40, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(
        classifier.classes_[found.argmax(axis=1)], classifier.predict(texts)
    )
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(texts)), found)


@pytest.mark.parametrize("model", ["kim", "mean"])
def test_vectors_tell_something_of_words_that_no_text_had(wv, model):
    classifier = TextClassifier(wv, model, **QUICK).fit(TEXTS, LABELS)
    texts, labels = make_texts(40, seed=3, animals=ANIMALS[4:], tools=TOOLS[4:])
    assert classifier.score(texts, labels) >= 0.9
    # Without vectors such a word says nothing.
    scratch = TextClassifier(wv, "kim", "scratch", **QUICK).fit(TEXTS, LABELS)
    assert scratch.score(texts, labels) < 0.75


def test_frozen_vectors_stay_and_fine_tuned_ones_move(wv):
    for embedding, moves in (("frozen", False), ("fine-tuned", True)):
        classifier = TextClassifier(wv, embedding=embedding, **QUICK).fit(TEXTS, LABELS)
        learned = classifier._learned.tensors()["embedding.weight"]
        before, _ = firth.embedding_matrix(classifier.vocab_, wv)
        assert np.array_equal(learned, before) != moves
        assert not learned[classifier.vocab_["<pad>"]].any()


def test_the_same_seed_gives_the_same_bits_and_leaves_other_random_numbers_alone(wv):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (
        TextClassifier(wv, seed=seed, **QUICK | {"dropout": 0.5}).fit(TEXTS, LABELS)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(torch.rand(3), expected)
    np.testing.assert_array_equal(first.predict_proba(TEXTS), again.predict_proba(TEXTS))
    assert (first.predict_proba(TEXTS) != other.predict_proba(TEXTS)).any()


@pytest.mark.parametrize("model", ["cnn", "kim"])
def test_a_text_has_the_same_answer_in_any_company(wv, model):
    classifier = TextClassifier(wv, model, **QUICK | {"maxlen": 300}).fit(TEXTS, LABELS)
    random = np.random.default_rng(4)
    texts = [" ".join(random.choice(ANIMALS + TOOLS, n)) for n in (1, 3, 120, 260, 299, 300, 340)]
    together = classifier.predict_log_proba(texts)
    for text, expected in zip(texts, together, strict=True):
        np.testing.assert_allclose(classifier.predict_log_proba([text])[0], expected, atol=2e-5)


def test_what_is_behind_maxlen_is_not_read_and_counted(wv):
    long = [text + " saw" * 30 for text in TEXTS]
    classifier = TextClassifier(wv, **QUICK | {"maxlen": 6}).fit(long, LABELS)
    assert classifier.n_truncated_ == len(long)
    np.testing.assert_array_equal(
        classifier.predict_proba(long[:4]), classifier.predict_proba(TEXTS[:4])
    )


def test_tfidf_is_scikit_learn_s(wv):
    classifier = TextClassifier(model="tfidf").fit(TEXTS, LABELS)
    # Rows of the same words, in another order: products of texts with texts are the same.
    found = classifier._learned.features.features(TEXTS)
    expected = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(TEXTS)
    np.testing.assert_allclose((found @ found.T).toarray(), (expected @ expected.T).toarray())


def test_early_stopping_keeps_the_best_pass(wv):
    many = QUICK | {"epochs": 30, "validation": 0.2, "patience": 2}
    record = TextClassifier(wv, **many).fit(TEXTS, LABELS).record_
    assert record.stopped_early
    assert len(record.epochs) == record.best_epoch + 2 < 30
    scores = [epoch.score for epoch in record.epochs]
    assert scores[record.best_epoch - 1] == max(scores)
    without = TextClassifier(wv, **QUICK | {"validation": 0}).fit(TEXTS, LABELS).record_
    assert (without.best_epoch, len(without.epochs), without.epochs[0].score) == (8, 8, None)


def test_class_weights_draw_to_the_rare_class(wv):
    texts = ["the cat", "the dog"] * 20 + ["the a"] * 3
    labels = ["animal"] * 40 + ["none"] * 3
    for model in ("kim", "tfidf"):
        settings = QUICK | {"epochs": 2, "learning_rate": 1e-3, "C": 0.1, "validation": 0}
        plain, weighted, by_hand = (
            TextClassifier(wv, model, class_weight=weight, **settings)
            .fit(texts, labels)
            .predict_proba(["the a"])[0, 1]
            for weight in (None, "balanced", {"none": 50.0})
        )
        assert weighted > plain
        assert by_hand > plain


def test_in_pipelines_searches_and_clones(wv):
    pipeline = make_pipeline(FunctionTransformer(), TextClassifier(wv, **QUICK))
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2).min() > 0.65
    search = GridSearchCV(
        TextClassifier(wv, "mean"), {"model": ["mean", "tfidf"], "C": [0.1, 1.0]}, cv=2
    ).fit(TEXTS, LABELS)
    assert search.best_score_ > 0.8
    copy = clone(TextClassifier(wv, **QUICK))
    assert copy.vectors is wv
    assert copy.get_params()["filters"] == 12
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)


@pytest.mark.parametrize("given", [np.array(TEXTS), np.array(TEXTS, object), iter(TEXTS)])
def test_texts_as_arrays_and_iterators(given):
    expected = TextClassifier(model="tfidf").fit(TEXTS, LABELS).predict_proba(TEXTS)
    found = TextClassifier(model="tfidf").fit(given, np.array(LABELS)).predict_proba(TEXTS)
    np.testing.assert_array_equal(found, expected)


def test_texts_of_data_frames():
    pandas = pytest.importorskip("pandas", reason="needs pandas: firth[pandas]")
    frame = pandas.DataFrame({"text": TEXTS, "label": LABELS})
    classifier = TextClassifier(model="tfidf").fit(frame["text"], frame["label"])
    assert classifier.predict(frame[["text"]]).tolist() == LABELS


def test_texts_as_lists_of_words_and_labels_that_are_numbers(wv):
    words = [text.split() for text in TEXTS]
    numbers = [7 if label == "tool" else 3 for label in LABELS]
    for model in ("kim", "mean", "counts"):
        classifier = TextClassifier(wv, model, **QUICK).fit(words, numbers)
        assert classifier.classes_.tolist() == [3, 7]
        assert classifier.predict(words[:2]).tolist() == [3, 7]


def test_an_empty_text_has_an_answer(wv, caplog):
    for model in MODELS:
        classifier = TextClassifier(wv, model, **QUICK)
        with caplog.at_level(logging.WARNING, "firth"):
            classifier.fit([*TEXTS, "", "?!"], [*LABELS, "tool", "tool"])
        assert classifier.n_empty_ == 2
        assert "2 of 62 texts have no word that is known" in caplog.text
        assert np.isfinite(classifier.predict_proba(["", " \n"])).all()
        assert classifier.predict_proba([]).shape == (0, 2)
        assert classifier.explain("") == []


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "bert"}, "model is 'bert', which is none of cnn, kim, mean"),
        ({"embedding": "warm"}, "embedding is 'warm', which is none of frozen"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"maxlen": 0}, "maxlen must be a whole number of 1 or more, not 0"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": True}, "batch_size must be a whole number"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
        ({"patience": 0}, "patience must be"),
        ({"dropout": 1.0}, "dropout must be a number 0 to below 1, not 1.0"),
        ({"validation": 0.9}, "validation must be a number 0 to 0.5"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"C": 0}, "C must be a number above 0"),
        ({"class_weight": "even"}, "class_weight is 'even'"),
        ({"class_weight": {"plant": 2.0}}, "class_weight has 'plant', which is no class"),
        ({"class_weight": {"tool": -1.0}}, "weight below 0"),
        ({"tokenizer": "clever"}, "clever"),
        ({"device": "abacus"}, "device is 'abacus', which cannot be used here"),
    ],
)
def test_settings_out_of_range(wv, settings, message):
    with pytest.raises(ParameterError, match=message.replace(".", r"\.")):
        TextClassifier(wv, **QUICK | settings).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("vectors", "settings", "message"),
    [
        (None, {}, "embedding='frozen' needs vectors of words"),
        (None, {"model": "sif"}, "model='sif' needs vectors"),
        ({"cat": [1.0]}, {}, "vectors is dict; give KeyedVectors"),
    ],
)
def test_vectors_that_are_missing(vectors, settings, message):
    with pytest.raises(ParameterError, match=message):
        TextClassifier(vectors, **settings).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("texts", "labels", "error", "message"),
    [
        ("one text", ["a"], ParameterError, "X is str 'one text'; give a list"),
        ([], [], InputError, "no texts to learn from"),
        (["a b", "c d"], ["x"], InputError, "2 texts and 1 labels"),
        (["a b", "c d"], "xy", ParameterError, "y is 'xy'"),
        (["a b", "c d"], None, ParameterError, "y is None"),
        (["a b", "c d"], ["x", "x"], InputError, "all 2 texts have the label 'x'.*two classes"),
        (["a b", "c d"], [1.5, 2.0], InputError, "not whole"),
        (["a b", "c d"], ["x", None], InputError, "several types"),
        ([1, 2], ["x", "y"], ParameterError, r"texts\[0\] is int 1"),
        (["?", "!"], ["x", "y"], InputError, "no word that occurs 1 times or more"),
        (np.zeros((2, 3)), ["x", "y"], ParameterError, r"X has the shape \(2, 3\)"),
    ],
)
def test_texts_and_labels_that_are_none(texts, labels, error, message):
    with pytest.raises(error, match=message):
        TextClassifier(model="tfidf").fit(texts, labels)


def test_a_class_with_one_text_is_learned_with_a_warning(wv, caplog):
    with caplog.at_level(logging.WARNING, "firth"):
        classifier = TextClassifier(wv, **QUICK).fit([*TEXTS, "a plant"], [*LABELS, "plant"])
    assert "one text only has the label 'plant'" in caplog.text
    assert classifier.classes_.tolist() == ["animal", "plant", "tool"]


def test_a_loss_that_is_no_number_any_more(wv):
    huge = firth.KeyedVectors(wv.vocab, np.sign(wv.vectors) * np.float32(3e38))
    classifier = TextClassifier(huge, "cnn", **QUICK)
    with pytest.raises(InputError, match="the loss is nan in pass 1: lower the learning rate"):
        classifier.fit(TEXTS, LABELS)


# --- scores ---------------------------------------------------------------------------------------


def test_scores_are_scikit_learn_s(wv):
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    random = np.random.default_rng(6)
    texts, labels = make_texts(40, seed=3)
    labels = random.permutation(labels)
    classifier = TextClassifier(wv, "mean").fit(TEXTS, LABELS)
    report, found = classifier.evaluate(texts, labels), classifier.predict(texts)
    assert report.accuracy == pytest.approx(accuracy_score(labels, found))
    assert report.macro_f1 == pytest.approx(f1_score(labels, found, average="macro"))
    np.testing.assert_array_equal(report.confusion, confusion_matrix(labels, found))
    low, high = report.accuracy_interval
    assert low < report.accuracy < high
    assert report.n_texts == 40
    assert json.loads(json.dumps(report.to_dict()))["n_texts"] == 40
    assert "macro average" in report.to_text()


def test_labels_that_were_not_learned_count_as_wrong(wv):
    classifier = TextClassifier(wv, "mean").fit(TEXTS, LABELS)
    report = classifier.evaluate([*TEXTS, "the cat"], [*LABELS, "plant"])
    assert report.unseen == ["plant"]
    assert report.accuracy == pytest.approx(60 / 61)
    assert report.mistakes() == [("plant", "animal", 1)]
    assert report.classes[-1].recall == 0
    with pytest.raises(InputError, match="no texts to score"):
        classifier.evaluate([], [])


# --- why ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_the_words_that_spoke_for_the_class(wv, model):
    classifier = TextClassifier(wv, model, **QUICK).fit(TEXTS, LABELS)
    found = classifier.explain("the cat and a cat was in Timbuktu", topn=3)
    assert (found[0].word, found[0].count) == ("cat", 2)
    assert found[0].weight > 0
    before, after = classifier.predict_log_proba(
        [
            ["the", "cat", "and", "a", "cat", "was", "in"],
            ["the", "<pad>", "and", "a", "<pad>", "was", "in"],
        ]
    )[:, 0]
    assert found[0].weight == pytest.approx(before - after, abs=1e-4)
    against = classifier.explain("the cat and a cat", topn=9, label="tool")
    assert min(against, key=lambda each: each.weight).word == "cat"
    assert "Timbuktu".lower() not in [each.word for each in found]


def test_explaining_what_is_none(wv):
    classifier = TextClassifier(wv, "mean").fit(TEXTS, LABELS)
    with pytest.raises(ParameterError, match="label is 'plant', which is no class"):
        classifier.explain("a cat", label="plant")
    with pytest.raises(ParameterError, match="topn must be"):
        classifier.explain("a cat", topn=0)


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("labels", [LABELS, [len(label) for label in LABELS]], ids=["str", "int"])
def test_saved_and_opened_it_is_the_same(wv, model, labels, tmp_path):
    weights = {labels[0]: 2.0}
    classifier = TextClassifier(wv, model, class_weight=weights, **QUICK).fit(TEXTS, labels)
    classifier.save(tmp_path / "m")
    opened = TextClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(opened.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    assert opened.classes_.tolist() == classifier.classes_.tolist()
    assert opened.class_weight == weights
    assert opened.explain(TEXTS[0]) == classifier.explain(TEXTS[0])
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "config.json", "model.safetensors", "vocab.safetensors",
    ]  # fmt: skip
    opened.save(tmp_path / "m")  # over what it has mapped
    again = TextClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), opened.predict_proba(TEXTS))


@pytest.fixture(scope="module")
def saved(wv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "m"
    TextClassifier(wv, **QUICK).fit(TEXTS, LABELS).save(folder)
    return folder


def changed(saved, tmp_path, **fields):
    import shutil

    shutil.copytree(saved, tmp_path / "m")
    config = json.loads((saved / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps(config | fields))
    return tmp_path / "m"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": 2}, "a classifier of version 2; this firth reads version 1"),
        ({"kind": "keyed_vectors"}, "kind 'keyed_vectors', not 'text_classifier'"),
        ({"format_version": 9}, "written by a later firth"),
        ({"classes": ["a"]}, "not two or more labels"),
        ({"classes": ["a", "a"]}, "none of them twice"),
        ({"classes": ["a", 1]}, "all strings"),
        ({"classes": ["a", ["b"]]}, "all strings"),
        (
            {"classes": ["a", "b", "c"]},
            "'output.bias' with the shape .2,., where the network wants .3",
        ),
        ({"parameters": None}, "are no settings"),
        ({"parameters": {"model": "kim", "layers": 9}}, "does not describe a classifier"),
        ({"parameters": {"model": "bert"}}, "model is 'bert'"),
        ({"parameters": {"filters": 9}}, "with the shape"),
        ({"parameters": {"device": "cuda"}}, "are no settings"),
        ({"special_tokens": {"unknown_token": "zzz"}}, "special tokens are not all among"),
        ({"special_tokens": {}}, "without the special tokens <unk> and <pad>"),
        ({"n_empty": "many"}, "does not describe a classifier"),
    ],
)
def test_folders_that_say_something_else(saved, tmp_path, fields, message):
    folder = changed(saved, tmp_path, **fields)
    with pytest.raises(FormatError, match=message) as caught:
        TextClassifier.load(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.safetensors", "config.json"])
@pytest.mark.parametrize("size", [0, 7, 100, 1000])
def test_folders_that_are_cut_off(saved, tmp_path, name, size):
    folder = changed(saved, tmp_path)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: min(size, len(data) - 1)])
    with pytest.raises(FormatError):
        TextClassifier.load(folder)
    (folder / name).unlink()
    with pytest.raises(FormatError, match=name):
        TextClassifier.load(folder)


def test_tensors_that_do_not_fit(wv, tmp_path):
    from firth.storage import open_tensors, save_tensors

    for model, name in (
        ("tfidf", "idf"),
        ("sif", "weights"),
        ("mean", "scale"),
        ("counts", "coef"),
    ):
        TextClassifier(wv, model).fit(TEXTS, LABELS).save(tmp_path / model)
        path = tmp_path / model / "model.safetensors"
        tensors = dict(open_tensors(path))
        save_tensors(path, tensors | {name: tensors[name][:-1]})
        with pytest.raises(FormatError, match=f"{model}.*{name}"):
            TextClassifier.load(tmp_path / model)
        save_tensors(path, {key: value for key, value in tensors.items() if key != name})
        with pytest.raises(FormatError, match=f"no tensor '{name}'"):
            TextClassifier.load(tmp_path / model)


def test_what_a_folder_cannot_hold(wv, tmp_path):
    split = TextClassifier(model="tfidf", tokenizer=str.split).fit(TEXTS, LABELS)
    with pytest.raises(ParameterError, match=r"the tokenizer is .*cannot hold"):
        split.save(tmp_path / "m")
    booleans = TextClassifier(model="tfidf").fit(TEXTS, [label == "tool" for label in LABELS])
    booleans.save(tmp_path / "m")
    assert TextClassifier.load(tmp_path / "m").predict(TEXTS[:2]).tolist() == [False, True]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").write_text("dear")
    with pytest.raises(OutputError, match="other"):
        split.set_params(tokenizer="words").fit(TEXTS, LABELS).save(tmp_path / "other")
    with pytest.raises(SourceError, match="no such folder"):
        TextClassifier.load(tmp_path / "nowhere")
