import bz2
import pickle
import sys
from collections import defaultdict
from types import ModuleType

import pytest

from firth.errors import FormatError, ParameterError, SourceError
from firth.formats import read_saved_phrases
from firth.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases, Phrases, npmi_scorer

TEXT = [
    ["new", "york", "is", "in", "the", "state", "of", "new", "york"],
    ["bank", "of", "america", "is", "in", "new", "york"],
    ["the", "_", "bank", "of", "america", "a_", "__b"],
] * 10
MODERN = {
    "min_count": 2,
    "threshold": 0.1,
    "delimiter": "_",
    "connector_words": frozenset({"of"}),
}


@pytest.fixture
def pickled(monkeypatch):
    """Pickle objects of classes and functions that say that they are gensim's."""
    module = ModuleType("gensim.models.phrases")
    for name in ("Phrases", "FrozenPhrases", "Phraser"):
        setattr(module, name, type(name, (), {"__module__": module.__name__}))
    for scorer in ("original_scorer", "npmi_scorer", "own_scorer"):
        exec(f"def {scorer}(): ...", {"__name__": module.__name__}, module.__dict__)
    for name in ("gensim", "gensim.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def pickled(kind="Phrases", scoring="original_scorer", protocol=4, **fields):
        saved = getattr(module, kind)()
        scorer = {} if scoring is None else {"scoring": getattr(module, scoring, scoring)}
        saved.__dict__.update(fields | scorer)
        return pickle.dumps(saved, protocol)

    return pickled


@pytest.fixture
def load(tmp_path):
    def load(data, **options):
        path = tmp_path / "saved.pkl"
        path.write_bytes(data)
        return Phrases.load(path, **options)

    return load


@pytest.mark.parametrize("scoring", ["original_scorer", "npmi_scorer"])
def test_counts_are_taken_over_and_counting_goes_on(pickled, load, scoring):
    rule = {"original_scorer": "default", "npmi_scorer": "npmi"}[scoring]
    ours = Phrases(TEXT, scoring=rule, **MODERN)
    found = load(
        pickled(
            scoring=scoring, vocab=dict(ours.vocab), corpus_word_count=ours.corpus_word_count,
            min_reduce=3, max_vocab_size=1000, **MODERN,
        )
    )  # fmt: skip
    assert (found.min_reduce, found.max_vocab_size) == (3, 1000)
    assert dict(found.vocab) == dict(ours.vocab)
    assert found.export_phrases() == ours.export_phrases() != {}
    for phrases in (ours, found):
        phrases.add_vocab(TEXT[:2])
    assert found.export_phrases() == ours.export_phrases()


def test_frozen_phrases(pickled, load):
    found = load(pickled("FrozenPhrases", phrasegrams={"new_york": 2, "a_of_b": 0.5}, **MODERN))
    assert isinstance(found, FrozenPhrases)
    assert dict(found.phrasegrams) == {"new_york": 2.0, "a_of_b": 0.5}
    assert found[["in", "new", "york", "a", "of", "b"]] == ["in", "new_york", "a_of_b"]


@pytest.mark.parametrize("value", [12.5, (7, 12.5)])
def test_phrases_of_gensim_3(pickled, load, value):
    old = {"min_count": 2, "threshold": 0.1, "delimiter": b"_", "common_terms": frozenset([b"of"])}
    frozen = pickled("Phraser", None, 2, phrasegrams={(b"new", "ü".encode()): value}, **old)
    assert dict(load(frozen).phrasegrams) == {"new_ü": 12.5}
    counts = defaultdict(int, {b"new": 3, b"york": 3, b"new_york": 3, b"": 1})
    whole = load(pickled("Phrases", "npmi", 2, vocab=counts, corpus_word_count=9, **old))
    assert dict(whole.vocab) == {"new": 3, "york": 3, "new_york": 3}
    assert (whole.scoring, whole.connector_words) == (npmi_scorer, frozenset(["of"]))


def test_a_scoring_function_of_ones_own_is_asked_for(pickled, load):
    data = pickled(scoring="own_scorer", vocab={"a": 1}, **MODERN)
    with pytest.raises(ParameterError, match="pass it as scoring="):
        load(data)
    assert load(data, scoring=npmi_scorer).scoring is npmi_scorer
    with pytest.raises(ParameterError, match="leave scoring out"):
        load(pickled(vocab={"a": 1}, **MODERN), scoring=npmi_scorer)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"vocab": []}, r"vocab is \[\]"),
        ({"vocab": {"a": -1}}, "the count of 'a' is -1"),
        ({"vocab": {"a": 2**70}}, "the count of 'a'"),
        ({"vocab": {"a": 1.5}}, "the count of 'a' is 1.5"),
        ({"vocab": {5: 1}}, "vocab is 5"),
        ({"vocab": {"\ud800": 1}}, "vocab is"),
        ({"vocab": {b"\xff": 1}}, "vocab is"),
        ({"vocab": {"a": 1}, "delimiter": 7}, "delimiter is 7"),
        ({"vocab": {"a": 1}, "delimiter": ""}, "delimiter is ''"),
        ({"vocab": {"a": 1}, "threshold": "high"}, "threshold is 'high'"),
        ({"vocab": {"a": 1}, "threshold": float("nan")}, "threshold is nan"),
        ({"vocab": {"a": 1}, "connector_words": 7}, "connector_words is 7"),
        ({"vocab": {"a": 1}, "connector_words": [7]}, "connector_words is 7"),
        ({"vocab": {"a": 1}, "connector_words": [""]}, "connector_words has ''"),
        ({"vocab": {"a": 1}, "max_vocab_size": 0}, "max_vocab_size"),
        ({"phrasegrams": {"a_b": "x"}}, "the score of 'a_b' is 'x'"),
        ({"phrasegrams": {"a_b": ()}}, "the score of 'a_b'"),
        ({"phrasegrams": {"a_b": float("nan")}}, "the score of 'a_b' is nan"),
        ({}, "no phrases of gensim, but gensim.models.phrases.Phrases"),
    ],
)
def test_what_phrases_cannot_be_is_refused(pickled, load, fields, problem):
    with pytest.raises(FormatError, match=problem):
        load(pickled(**MODERN | fields))


class Bomb:
    def __reduce__(self):
        return print, ("run",)


def test_other_pickles_are_refused_and_nothing_runs(load, tmp_path, capsys):
    with pytest.raises(FormatError, match=r"wants to use 'builtins'\.'print'"):
        load(pickle.dumps(Bomb()))
    assert not capsys.readouterr().out
    with pytest.raises(FormatError, match="no phrases of gensim, but list"):
        load(pickle.dumps([1]))
    with pytest.raises(FormatError):
        load(b"no pickle")
    with pytest.raises(SourceError):
        Phrases.load(tmp_path / "absent")


def test_cut_off_anywhere(pickled, load):
    data = pickled(vocab={"a": 1, "b": 2, "a_b": 1}, **MODERN)
    for end in range(len(data)):
        with pytest.raises(FormatError):
            load(data[:end])


def test_compressed(pickled, tmp_path):
    path = tmp_path / "saved.pkl.bz2"
    path.write_bytes(bz2.compress(pickled(vocab={"a": 1}, **MODERN)))
    assert read_saved_phrases(path).counts == {"a": 1}


@pytest.mark.parametrize("scoring", ["default", "npmi"])
def test_what_gensim_saves(tmp_path, scoring):
    phrases = pytest.importorskip("gensim.models.phrases", reason="gensim is not installed")
    settings = {"min_count": 1, "threshold": 0.1, "connector_words": ENGLISH_CONNECTOR_WORDS}
    theirs = phrases.Phrases(TEXT[:2], scoring=scoring, **settings)
    theirs.save(str(tmp_path / "whole.pkl.gz"))
    theirs.freeze().save(str(tmp_path / "frozen.pkl"))
    ours, frozen = (Phrases.load(tmp_path / name) for name in ("whole.pkl.gz", "frozen.pkl"))
    assert ours.export_phrases() == theirs.export_phrases() == dict(frozen.phrasegrams)
    for more in (ours, theirs):
        more.add_vocab(TEXT[3:5])
    assert ours.export_phrases() == theirs.export_phrases()
    assert [*ours[TEXT[:2]]] == [*theirs[TEXT[:2]]]
