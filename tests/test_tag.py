"""Taggers of named entities: learning, finding, keeping."""

import json
import logging
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402

from firth import KeyedVectors, Vocab  # noqa: E402
from firth.errors import FormatError, OutputError, ParameterError, SourceError  # noqa: E402
from firth.storage import open_tensors, save_tensors  # noqa: E402
from firth.tasks import (  # noqa: E402
    TaggedSentences,
    Tagger,
    compare_taggers,
    find_entities,
    split_words,
)
from firth.tasks._tag_words import MOST_CHARACTERS, Characters, words_of  # noqa: E402

NAMES = ["Sally Johnson", "Robert Lin", "Ann Lee", "Joe Bloggs", "Mary Major", "John Roe"]
FRUIT = ["orange", "apple", "lemon", "cherry"]
SMALL = {
    "epochs": 15,
    "hidden_size": 16,
    "vector_size": 16,
    "learning_rate": 0.02,
    "patience": None,
}
SMALL |= {"validation_fraction": 0, "batch_size": 8, "seed": 3}


def orchard(names=NAMES, fruit=FRUIT):
    """Write sentences about people, and about fruit that are none."""
    words, tags = [], []
    for name in names:
        for each in fruit:
            words.append([*name.split(), "is", "an", each, "farmer"])
            tags.append(["B-person", "I-person", "O", "O", "O", "O"])
            words.append(["The", each, "is", "ripe", "."])
            tags.append(["O"] * 5)
    return words, tags


@pytest.fixture(scope="module")
def wv():
    """Vectors in which durian is near orange, and cultivator near farmer."""
    random = np.random.default_rng(5)
    words = ["is", "an", "a", "the", "ripe", *FRUIT, "durian", "farmer", "cultivator", "maker"]
    vectors = random.normal(size=(len(words), 12)).astype(np.float32)
    near = {"durian": "orange", "cultivator": "farmer"}
    for i, word in enumerate(words):
        if word in near:
            vectors[i] = vectors[words.index(near[word])] + random.normal(size=12) * 0.1
    return KeyedVectors(Vocab.from_words(words), vectors)


@pytest.fixture(scope="module")
def tagger(wv):
    return Tagger(wv, **SMALL).fit(*orchard())


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute with one thread: networks this small gain nothing by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same(a, b):
    """Tell whether two taggers say the same, to the bit."""
    sentences = [*orchard()[0], ["durian"], ["Who", "is", "Zoë?"]]
    return a.find(sentences) == b.find(sentences)


# --- learning and finding -----------------------------------------------------------------------


@pytest.mark.parametrize("network", ["bilstm", "cnn"])
@pytest.mark.parametrize("characters", ["cnn", "bilstm", None])
@pytest.mark.parametrize("crf", [True, False])
def test_every_network_learns_an_orchard(network, characters, crf):
    words, tags = orchard()
    tagger = Tagger(network=network, characters=characters, crf=crf, **SMALL).fit(words, tags)
    assert tagger.score(words, tags) > 0.95
    assert tagger.record_.epochs[-1].loss < tagger.record_.epochs[0].loss


@pytest.mark.parametrize("embedding", ["frozen", "fine-tuned"])
def test_words_are_told_by_their_neighbours_where_there_are_vectors(wv, embedding):
    # What a word means decides: those who farm are persons, those who make are companies.
    words, tags = [], []
    for name in NAMES:
        for fruit in FRUIT:
            for work, label in (("farmer", "person"), ("maker", "company")):
                words.append([*name.split(), "is", "an", fruit, work])
                tags.append([f"B-{label}", f"I-{label}", "O", "O", "O", "O"])
    options = SMALL | {"epochs": 20, "dropout": 0.2}
    tagger = Tagger(wv, embedding=embedding, **options).fit(words, tags)
    assert tagger.score(words, tags) == 1
    found = tagger.find([["Ann", "Lee", "is", "an", "durian", "cultivator"]])[0]
    assert [each.label for each in found] == ["person"]
    assert found[0].probability > 0.8
    assert tagger.coverage_ == pytest.approx(4 / 6)


def test_frozen_vectors_stay_to_the_bit(tagger, wv):
    fixed = tagger._network.vectors.fixed.weight.numpy()
    assert fixed.tobytes() == wv.vectors.tobytes()


def test_fine_tuning_moves_words_in_training_and_no_others(wv):
    tagger = Tagger(wv, embedding="fine-tuned", **SMALL | {"epochs": 2}).fit(*orchard())
    learned = tagger._network.vectors.learned.weight.detach().numpy()
    row = tagger._vocab.rows(["orange", "durian", "nowhere", "Orange"])
    assert row[0] == row[3] < tagger._vocab.n_learned
    assert row[2] == 1
    assert not np.array_equal(learned[row[0]], wv["orange"])
    assert np.abs(learned[row[0]] - wv["orange"]).max() < 0.5
    assert row[1] >= tagger._vocab.n_learned
    assert tagger._network.vectors.fixed.weight.numpy().tobytes() == wv.vectors.tobytes()
    assert not learned[0].any()


def test_the_same_seed_gives_the_same_tagger(tagger, wv):
    assert same(Tagger(wv, **SMALL).fit(*orchard()), tagger)
    assert not same(Tagger(wv, **SMALL | {"seed": 4}).fit(*orchard()), tagger)


def test_random_numbers_of_the_program_stay_as_they_were():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    Tagger(**SMALL | {"epochs": 1}).fit(*orchard())
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
def test_tags_come_back_in_the_scheme_that_they_came_in(scheme):
    from firth.tasks import convert_tags

    words, tags = orchard()
    tags = [convert_tags(each, scheme) for each in tags]
    tagger = Tagger(**SMALL).fit(words, tags)
    assert tagger.scheme_ == scheme
    assert tagger.predict(words) == tags


def test_strings_are_split(tagger):
    sentence = "Sally Johnson is an apple farmer"
    assert tagger.predict([sentence]) == tagger.predict([sentence.split()])
    (found,) = tagger.find([sentence])[0]
    assert found[:4] == (("Sally", "Johnson"), "person", 0, 2)
    assert 0.5 < found.probability <= 1.0001


def test_sentences_do_not_depend_on_who_else_is_asked(tagger):
    sentences = [["Ann"], *orchard()[0][:5], ["x"] * 300]
    together = tagger.find(sentences)
    for sentence, found in zip(sentences, together, strict=True):
        (alone,) = tagger.find([sentence])
        assert [each[:4] for each in alone] == [each[:4] for each in found]
        for a, b in zip(alone, found, strict=True):
            assert a.probability == pytest.approx(b.probability, abs=1e-4)


def test_empty_sentences_have_no_tags(tagger):
    assert tagger.predict([[], ["Ann"], ""])[::2] == [[], []]
    assert tagger.find([[]]) == [[]]
    assert tagger.predict([]) == []


def test_very_long_words_and_strange_ones(tagger):
    words = ["x" * 10_000, "\u200b", "👩\u200d🌾", "\ud800", "名前"]
    assert len(tagger.predict([words])[0]) == len(words)


def test_the_best_pass_is_kept():
    words, tags = orchard()
    options = SMALL | {"epochs": 30, "patience": 2}
    tagger = Tagger(**options).fit(words, tags, validation=(words, tags))
    scores = [epoch.score for epoch in tagger.record_.epochs]
    assert tagger.record_.stopped_early
    assert len(scores) == tagger.record_.best_epoch + 2
    assert tagger.score(words, tags) == max(scores)


def test_a_part_is_held_out_if_nothing_else_is():
    options = SMALL | {"validation_fraction": 0.25, "epochs": 2}
    tagger = Tagger(**options).fit(*orchard())
    assert tagger.record_.epochs[0].score is not None
    assert Tagger(**SMALL | {"epochs": 1}).fit(*orchard()).record_.epochs[0].score is None


def test_a_label_that_was_not_learned_is_told(tagger, caplog):
    with caplog.at_level(logging.WARNING, "firth"):
        scores = tagger.evaluate([["Oslo"]], [["B-place"]])
    assert "has not learned, and cannot find: place" in caplog.text
    assert scores.by_label["place"].recall == 0


def test_scikit_learn_can_clone_and_cross_validate(wv):
    words, tags = orchard()
    tagger = Tagger(wv, **SMALL | {"epochs": 6})
    assert clone(tagger).vectors is wv
    assert clone(tagger).get_params() == tagger.get_params()
    scores = cross_val_score(tagger, words, tags, cv=2)
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()


# --- what cannot be learned from ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "tags", "message"),
    [
        ("a text", [["O"]], "X is str 'a text'; give a list of sentences"),
        ([["a"]], "O", "y is str 'O'; give a list of lists"),
        ([["a"], ["b"]], [["O"]], "X has 2 sentences, and there are tags for 1"),
        ([["a", "b"]], [["O"]], r"X\[0\] has 2 words and 1 tags; each word needs one"),
        ([["a"]], [["Q-x"]], r"the tags of X\[0\]\[0\] is 'Q-x', which is no tag"),
        ([["a"]], [["O"]], "all 1 words of the 1 sentences to learn from have the tag O"),
        ([["a", 3]], [["O", "O"]], r"X\[0\] has int 3 among its words"),
        ([["a", ""]], [["O", "O"]], r"X\[0\] has str '' among its words"),
        ([b"a"], [["O"]], r"X\[0\] is bytes b'a'; each must be a list of words, or a string"),
        ([], [], "X has no sentences with words"),
        ([[]], [[]], "X has no sentences with words"),
        (None, None, "X is NoneType None"),
    ],
)
def test_what_cannot_be_learned_from_is_told(words, tags, message):
    with pytest.raises(ParameterError, match=message):
        Tagger(**SMALL).fit(words, tags)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"embedding": "thawed"}, "embedding is 'thawed', which is none of"),
        ({"embedding": "frozen"}, r"embedding='frozen' needs vectors: Tagger\(vectors=wv\)"),
        ({"network": "rnn"}, "network is 'rnn'"),
        ({"characters": "all"}, "characters is 'all'"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, not 0"),
        ({"hidden_size": 1.5}, "hidden_size must be a whole number"),
        ({"patience": True}, "patience must be a whole number"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1, not 1"),
        ({"dropout": "x"}, "dropout must be a number"),
        ({"validation_fraction": -0.1}, "validation_fraction must be"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"device": "abacus"}, "device is 'abacus', which cannot be used here"),
        ({"vectors": 3}, "a source of vectors is a path"),
    ],
)
def test_parameters_that_are_none_are_told(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Tagger(**SMALL | parameters).fit(*orchard())


def test_a_tagger_that_has_not_learned_says_so(tmp_path):
    for ask in (
        lambda t: t.predict([["a"]]),
        lambda t: t.find([["a"]]),
        lambda t: t.save(tmp_path),
    ):
        with pytest.raises(ParameterError, match=r"has learned nothing yet: call fit"):
            ask(Tagger())


def test_one_sentence_is_enough():
    tagger = Tagger(**SMALL | {"validation_fraction": 0.1}).fit([["Ann"]], [["B-person"]])
    assert tagger.predict([["Ann"]]) == [["B-person"]]


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Robert Lin, 42.", ["Robert", "Lin", ",", "42", "."]),
        ("AT&T's U.S. e-mail", ["AT&T's", "U.S", ".", "e-mail"]),
        ("@user #topic http://a.b/c?d", ["@user", "#topic", "http://a.b/c?d"]),
        ("  \n", []),
        ("3.14 :-)", ["3.14", ":", "-", ")"]),
    ],
)
def test_text_is_split_into_words_and_punctuation(text, words):
    assert split_words(text) == words


@given(st.text())
def test_splitting_loses_nothing_but_space(text):
    assert "".join(split_words(text)) == "".join(text.split())


def test_words_of_takes_sentences_of_both_kinds():
    assert words_of(["a b", ("c",)]) == [["a", "b"], ["c"]]


@given(st.lists(st.text(min_size=1), min_size=1))
def test_characters_are_numbered(words):
    characters = Characters.of(words)
    numbers = characters.numbers(words)
    assert numbers.shape == (len(words), min(MOST_CHARACTERS, max(map(len, words))))
    assert numbers.max() < len(characters)
    lengths = (numbers != 0).sum(axis=1).tolist()
    assert lengths == [min(len(word), MOST_CHARACTERS) for word in words]


def test_of_long_words_both_ends_are_looked_at():
    characters = Characters("abcdefghijklmnopqrstuvwxyz")
    a, b, c = characters.numbers(["a" * 30 + "z", "a" * 40 + "z", "a" * 31])
    assert (a == b).all()
    assert (a != c).any()


# --- keeping ------------------------------------------------------------------------------------


@pytest.mark.parametrize("embedding", ["frozen", "fine-tuned", "scratch"])
@pytest.mark.parametrize("characters", ["cnn", None])
def test_a_tagger_that_was_kept_says_the_same(wv, tmp_path, embedding, characters):
    options = SMALL | {"epochs": 2, "characters": characters}
    tagger = Tagger(wv, embedding=embedding, **options).fit(*orchard())
    tagger.save(tmp_path / "kept")
    opened = Tagger.load(tmp_path / "kept")
    assert same(opened, tagger)
    assert opened.labels_ == ["person"]
    assert opened.scheme_ == "IOB2"
    assert opened.coverage_ == tagger.coverage_
    assert (opened.coverage_ is None) == (embedding == "scratch")
    # And again, from what was opened.
    opened.save(tmp_path / "again")
    assert same(Tagger.load(tmp_path / "again"), tagger)


def test_a_tagger_replaces_itself_and_nothing_else(tagger, tmp_path):
    tagger.save(tmp_path / "kept")
    tagger.save(tmp_path / "kept")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no folder of firth"):
        tagger.save(tmp_path / "other")


def change_config(folder, **fields):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | fields))


@pytest.fixture
def kept(tagger, tmp_path):
    tagger.save(tmp_path / "kept")
    return tmp_path / "kept"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format_version": 99}, "written by a later firth"),
        ({"kind": "keyed_vectors"}, "the folder is of kind 'keyed_vectors', not 'tagger'"),
        ({"labels": []}, '"labels" must be a list of names'),
        ({"labels": "person"}, '"labels" must be a list of names'),
        ({"labels": ["person", "place"]}, "'scores.weight' is float32 of shape"),
        ({"scheme": "X"}, "\"scheme\" is 'X', which is none of"),
        ({"characters": 3}, '"characters" must be a string or null'),
        ({"characters": None}, '"parameters": characters'),
        ({"characters": "abc"}, "'characters.embedding.weight' is float32 of shape"),
        ({"parameters": []}, '"parameters" must be an object'),
        ({"parameters": {"colour": 1}}, '"parameters": .*colour'),
        ({"parameters": {"hidden_size": "x"}}, '"parameters": hidden_size must be'),
        ({"parameters": {"hidden_size": 1 << 40}}, r"shape|sizes|hidden_size"),
        ({"parameters": {"network": "cnn"}}, "belongs to nothing|is missing"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told(kept, fields, message):
    change_config(kept, **fields)
    with pytest.raises(FormatError, match=message):
        Tagger.load(kept)


def test_files_that_are_cut_off_are_told(kept):
    for name in ("network.safetensors", "vectors.safetensors", "vocab.safetensors"):
        path = kept / name
        whole = path.read_bytes()
        for size in (0, 7, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            with pytest.raises(FormatError, match=name):
                Tagger.load(kept)
        path.write_bytes(whole)
    Tagger.load(kept)


@pytest.mark.parametrize("name", ["network.safetensors", "vectors.safetensors"])
def test_files_that_are_missing_are_told(kept, name):
    (kept / name).unlink()
    with pytest.raises(FormatError, match=f"{name}: this file is missing"):
        Tagger.load(kept)


def test_files_of_another_tagger_are_told(kept, tmp_path):
    other = Tagger(**SMALL | {"epochs": 1, "vector_size": 8}).fit(*orchard())
    other.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "network.safetensors", kept)
    with pytest.raises(FormatError, match="learned"):
        Tagger.load(kept)
    vectors = open_tensors(kept / "vectors.safetensors")["vectors"]
    save_tensors(kept / "vectors.safetensors", {"vectors": np.array(vectors[:-1])})
    with pytest.raises(FormatError, match="as vectors for the 13 words"):
        Tagger.load(kept)


def test_no_such_folder(tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        Tagger.load(tmp_path / "none")


# --- comparing ----------------------------------------------------------------------------------


def test_taggers_are_compared_on_the_same_sentences(wv):
    train = TaggedSentences(*orchard(NAMES[:4]))
    test = TaggedSentences(*orchard(["Zoe Zander", "Ann Lee"]))
    options = SMALL | {"epochs": 4}
    del options["seed"]
    found = compare_taggers(train, test, wv, seeds=2, **options)
    assert [(run.embedding, run.seed) for run in found.runs] == [
        ("scratch", 1), ("scratch", 2), ("frozen", 1), ("frozen", 2),
        ("fine-tuned", 1), ("fine-tuned", 2),
    ]  # fmt: skip
    for run in found.runs:
        assert run.scores.all.n_true == 2 * len(FRUIT)
        assert run.new_names.n_true == len(FRUIT)
    rows = {embedding: figures for embedding, _, figures in found.rows()}
    f1 = [run.scores.f1 for run in found.runs[:2]]
    assert rows["scratch"]["F1"].mean == pytest.approx(np.mean(f1))
    assert rows["scratch"]["F1"].deviation == pytest.approx(np.std(f1, ddof=1))
    json.dumps(found.to_dict())
    assert str(found).count("2 seeds") == 3


def test_comparisons_of_nothing_are_told(wv):
    some = TaggedSentences(*orchard())
    with pytest.raises(ParameterError, match="seeds is 0; give 1 or more"):
        compare_taggers(some, some, wv, seeds=0)
    with pytest.raises(ParameterError, match="embedding is 'thawed'"):
        compare_taggers(some, some, wv, embeddings=["thawed"])


def test_entities_of_the_right_tags_are_found_by_a_tagger_that_knows_them(tagger):
    words, tags = orchard()
    for found, right in zip(tagger.find(words), tags, strict=True):
        assert [each[1:4] for each in found] == [tuple(each) for each in find_entities(right)]


WITHOUT_PYTORCH = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("not here", name="torch")

sys.meta_path.insert(0, Finder())
from firth.tasks import Tagger
"""


def test_without_pytorch_the_extra_is_named():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYTORCH],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "firth.tasks.Tagger needs the package 'torch'" in done.stderr
    assert "pip install 'firth[tasks]'" in done.stderr
