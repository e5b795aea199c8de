import errno
import math
import random
import threading
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firth
import naive
from firth import _core
from firth.errors import (
    FormatError,
    OutputError,
    ParameterError,
    SourceError,
    TextError,
    VocabularyError,
)
from firth.phrases import (
    ENGLISH_CONNECTOR_WORDS,
    FrozenPhrases,
    Phraser,
    Phrases,
    encode_phrases,
    npmi_scorer,
    original_scorer,
)
from firth.storage import save_tensors

# The text that gensim's examples are about.
GRAPHS = [
    ["computer", "human", "interface"],
    ["computer", "response", "survey", "system", "time", "user"],
    ["interface", "system", "user", "eps"],
    ["human", "system", "system", "eps"],
    ["response", "time", "user"],
    ["trees"],
    ["trees", "graph"],
    ["trees", "graph", "minors"],
    ["survey", "graph", "minors"],
]

WORDS = st.sampled_from(["a", "b", "c", "of", "the", "é", "a_b", "b_c", "a_b_c", "_", "c_", "of_c"])
SENTENCES = st.lists(st.lists(WORDS, max_size=8), max_size=30)
CONNECTORS = st.frozensets(st.sampled_from(["of", "the", "of_c"]))
SCORING = st.sampled_from([("default", 0.1), ("default", 1), ("npmi", 0.0), ("npmi", 0.5)])


def learned(sentences, **settings):
    return Phrases(sentences, progress=False, **settings)


def of_sentences(phrases, sentences):
    return [list(phrases.analyze_sentence(sentence)) for sentence in sentences]


# --- against slow references ----------------------------------------------------------------------


@given(SENTENCES, SENTENCES, CONNECTORS, SCORING, st.sampled_from([1, 2, 0.5]))
def test_counts_and_phrases_are_those_of_the_slow_reference(sents, others, connectors, how, least):
    scoring, threshold = how
    phrases = learned(
        sents, min_count=least, threshold=threshold, scoring=scoring, connector_words=connectors
    )
    counts, n_words = naive.count_phrases(sents, "_", connectors)
    assert dict(phrases.vocab.items()) == counts
    assert dict(phrases.vocab) == counts
    assert (len(phrases.vocab), phrases.corpus_word_count) == (len(counts), n_words)
    scorer = {"default": original_scorer, "npmi": npmi_scorer}[scoring]

    def score(a, b, between):
        name = "_".join([a, *between, b])
        found = [counts.get(each, 0) for each in (a, b, name)]
        if not all(found):
            return name, None
        result = scorer(*found, len(counts), least, n_words)
        return name, result if result > threshold else None

    for sentence in [*sents, *others]:
        expected = naive.join_phrases(sentence, connectors, score)
        assert list(phrases.analyze_sentence(sentence)) == expected
        assert phrases[sentence] == [token for token, _ in expected]


@given(SENTENCES, SENTENCES, CONNECTORS, SCORING, st.sampled_from([2, 5, 20, 10**6]))
def test_results_are_those_of_gensim(sents, others, connectors, how, most):
    theirs_module = pytest.importorskip("gensim.models.phrases")
    scoring, threshold = how
    both = {"min_count": 1, "threshold": threshold, "max_vocab_size": most}
    both |= {"scoring": scoring, "connector_words": connectors}
    theirs, ours = theirs_module.Phrases(sents, **both), learned(sents, **both)
    for more in ([], others):
        theirs.add_vocab(more)
        ours.add_vocab(more, progress=False)
        assert dict(ours.vocab.items()) == theirs.vocab
        assert ours.corpus_word_count == theirs.corpus_word_count
        assert ours.min_reduce == theirs.min_reduce
        assert of_sentences(ours, sents + others) == of_sentences(theirs, sents + others)
        assert ours.find_phrases(sents) == theirs.find_phrases(sents)
    if not any("_" in word for word in chain(*sents, *others, connectors)):
        assert ours.export_phrases() == theirs.export_phrases()
        assert dict(ours.freeze().phrasegrams) == theirs.freeze().phrasegrams
        assert of_sentences(ours.freeze(), sents) == of_sentences(theirs.freeze(), sents)


@given(SENTENCES, CONNECTORS, SCORING)
def test_the_frozen_form_finds_what_the_model_finds(sents, connectors, how):
    scoring, threshold = how
    settings = {"min_count": 1, "scoring": scoring, "threshold": threshold}
    phrases = learned(sents, connector_words=connectors, **settings)
    again = learned(phrases[sents], connector_words=connectors, **settings)
    for model in (phrases, again):
        frozen = model.freeze()
        for name, score in model.find_phrases(phrases[sents]).items():
            assert frozen.phrasegrams[name] >= score


def zipfian(n_sentences, seed=1, n_types=300):
    choose = np.random.default_rng(seed)
    shares = 1 / np.arange(1, n_types + 1)
    words = [f"w{i}" for i in range(n_types)]
    drawn = choose.choice(n_types, (n_sentences, 12), p=shares / shares.sum())
    return [[words[i] for i in row] for row in drawn.tolist()]


@pytest.mark.parametrize("most", [10**6, 30_000, 5_000, 100])
def test_the_number_of_threads_does_not_change_the_result(most):
    sents = zipfian(20_000, n_types=3_000)
    one = learned(sents, workers=1, max_vocab_size=most)
    many = learned(sents, workers=7, max_vocab_size=most)
    counts, _ = naive.count_phrases(sents, "_", frozenset(), max_size=most)
    assert list(one.vocab.items()) == list(many.vocab.items())
    assert dict(one.vocab.items()) == counts
    assert one.export_phrases() == many.export_phrases()


def test_what_is_dropped_takes_no_memory():
    # Every word is new: without dropping their strings, the table would grow with the text.
    sents = ([f"{number}-{place}" for place in range(10)] for number in range(30_000))
    phrases = learned(sents, max_vocab_size=2_000)
    assert len(phrases.vocab) <= 2_000
    assert phrases._table.n_tokens < 250_000


def test_a_sentence_may_be_longer_than_a_block():
    words = [f"w{i % 1000}" for i in range(2_200_000)]
    phrases = learned([words], min_count=1, threshold=1)
    assert phrases.vocab["w998_w999"] == 2200
    assert phrases.vocab["w999_w0"] == 2199
    assert len(phrases.vocab) == 2000


# --- gensim's examples ----------------------------------------------------------------------------


def test_examples_of_gensim():
    phrase_model = Phrases(
        [list(chain(*GRAPHS))], min_count=1, threshold=1, connector_words=ENGLISH_CONNECTOR_WORDS
    )
    new_sentence = ["trees", "graph", "minors"]
    assert phrase_model[new_sentence] == ["trees_graph", "minors"]
    phrase_model.add_vocab([["hello", "world"], ["meow"]])
    assert phrase_model.vocab["hello_world"] == 1
    frozen_model = phrase_model.freeze()
    assert frozen_model[new_sentence] == ["trees_graph", "minors"]
    sents = [["trees", "graph", "minors"], ["graph", "minors"]]
    assert list(phrase_model[sents]) == [["trees_graph", "minors"], ["graph_minors"]]
    assert Phraser is FrozenPhrases


def test_the_example_of_add_vocab():
    # Without connector words, with which gensim gives 56 in the end, not the 60 that it promises.
    phrases = Phrases([list(chain(*GRAPHS))])
    assert len(phrases.vocab) == 37
    phrases.add_vocab(
        [
            ["the", "mayor", "of", "new", "york", "was", "there"],
            ["machine", "learning", "can", "be", "new", "york", "sometimes"],
        ]
    )
    assert len(phrases.vocab) == 60


# --- joining --------------------------------------------------------------------------------------


@pytest.fixture
def new_york():
    return FrozenPhrases.from_scores(
        {"new_york": 3.0, "york_city": 9, "bank_of_america": 1.5, "new_york_city": 4},
        connector_words=["of", "the"],
    )


def test_phrases_are_joined_from_left_to_right(new_york):
    assert new_york[["new", "york", "city"]] == ["new_york", "city"]
    assert new_york[["york", "city"]] == ["york_city"]
    assert new_york[["new", "new", "york"]] == ["new", "new_york"]
    assert new_york[new_york[["new", "york", "city"]]] == ["new_york_city"]


def test_connectors_stand_inside_only(new_york):
    assert new_york[["the", "bank", "of", "america"]] == ["the", "bank_of_america"]
    assert new_york[["bank", "america"]] == ["bank", "america"]
    assert new_york[["bank", "of", "the", "america", "of"]] == [
        "bank",
        "of",
        "the",
        "america",
        "of",
    ]
    assert new_york[["of"]] == ["of"]


def test_a_corpus_is_joined_as_often_as_it_can_be_read(new_york):
    sents = [["new", "york"], [], ["york"]]
    joined = new_york[sents]
    for _ in range(2):
        assert list(joined) == [["new_york"], [], ["york"]]
    assert list(new_york[iter(sents)]) == [["new_york"], [], ["york"]]
    assert list(new_york[new_york[iter([["new", "york", "city"]])]]) == [["new_york_city"]]
    assert new_york[[]] == []
    stream = new_york[iter(sents)]
    assert len(list(stream)) == 3
    with pytest.raises(TextError, match="have been read already"):
        iter(stream)
    assert new_york[iter(["new", "york"])] == ["new_york"]
    assert new_york[("new", "york")] == ["new_york"]


def test_reading_on_the_way_takes_one_sentence_at_a_time(new_york):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield ["new", "york"]

    stream = iter(new_york[endless()])
    assert next(stream) == ["new_york"]
    assert len(taken) <= 2


def test_word2vec_trains_on_joined_sentences(new_york):
    sents = [["to", "new", "york"], ["in", "new", "york"]] * 20
    model = firth.Word2Vec(new_york[sents], vector_size=4, sample=0, epochs=1, progress=False)
    assert set(model.wv.index_to_key) == {"to", "in", "new_york"}


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("new york", r"is a string \('new york'\), not a list of tokens"),
        (5, "no list of tokens"),
        ({"new": 1}, "no list of tokens"),
        (["new", 5], "token 2 of sentence 1 is 5, not a string"),
        (["new", "\ud800"], "token 2 of sentence 1 .* lone surrogate"),
    ],
)
def test_what_is_no_sentence_is_refused(new_york, sentence, message):
    with pytest.raises(TextError, match=message):
        new_york[sentence]


def test_a_sentence_of_a_corpus_that_is_none_is_named(new_york):
    with pytest.raises(TextError, match="sentence 2 is 'york', not a list"):
        list(new_york[[["new"], "york"]])
    with pytest.raises(TextError, match="token 1 of sentence 3 is None"):
        new_york.find_phrases([["new"], ["york"], [None]])


def test_a_threshold_can_be_changed_later(new_york):
    new_york.threshold = 3.5
    assert new_york[["new", "york", "city"]] == ["new", "york_city"]
    phrases = learned(GRAPHS * 3, min_count=1, threshold=0.1)
    before = phrases[["graph", "minors"]]
    phrases.threshold = 1e9
    assert (before, phrases[["graph", "minors"]]) == (["graph_minors"], ["graph", "minors"])


# --- scoring --------------------------------------------------------------------------------------


def test_scores_are_as_the_papers_have_them():
    assert original_scorer(4, 5, 3, 100, 1, 0) == (3 - 1) / (4 * 5) * 100
    assert npmi_scorer(4, 5, 3, 0, 1, 50) == pytest.approx(
        math.log((3 / 50) / (4 / 50 * 5 / 50)) / -math.log(3 / 50)
    )
    assert original_scorer(0, 5, 3, 100, 1, 0) == -math.inf
    assert npmi_scorer(4, 5, 3, 0, 4, 50) == -math.inf


def test_a_function_of_the_caller_scores():
    def by_length(**counts):
        return counts["bigram_count"]

    sents = [["a", "of", "b"], ["a", "b"], ["a", "b"], ["b", "c"]]
    mine = learned(sents, min_count=1, threshold=1, scoring=by_length, connector_words=["of"])
    assert mine.export_phrases() == {"a_b": 2}
    assert mine[["of", "a", "b", "of", "a", "of", "b"]] == ["of", "a_b", "of", "a", "of", "b"]
    assert mine.freeze()[["a", "b"]] == ["a_b"]
    assert list(mine[sents]) == [["a", "of", "b"], ["a_b"], ["a_b"], ["b", "c"]]


@given(SENTENCES, CONNECTORS)
def test_a_function_that_does_the_same_finds_the_same(sents, connectors):
    def again(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
        return original_scorer(
            worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count
        )

    both = {"min_count": 1, "threshold": 0.3, "connector_words": connectors}
    ours, mine = learned(sents, **both), learned(sents, scoring=again, **both)
    assert of_sentences(mine, sents) == of_sentences(ours, sents)
    assert mine.export_phrases() == ours.export_phrases()


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_count": 0}, "min_count must be above 0, not 0"),
        ({"min_count": "5"}, "min_count must be a number"),
        ({"min_count": math.nan}, "min_count must be a finite number"),
        ({"threshold": 0}, "threshold must be above 0 for the default scoring"),
        ({"threshold": None}, "threshold must be a number"),
        ({"threshold": 2, "scoring": "npmi"}, "from -1 to 1 for scoring='npmi', not 2"),
        ({"scoring": "pmi"}, "scoring is 'pmi': give 'default', 'npmi' or a function"),
        ({"scoring": lambda a, b: 1}, "lacks the parameters worda_count"),
        ({"max_vocab_size": 0}, "max_vocab_size must be a whole number of 1 or more"),
        ({"max_vocab_size": 1.5}, "max_vocab_size must be a whole number of 1 or more"),
        ({"max_vocab_size": 2**70}, "max_vocab_size must be"),
        ({"delimiter": ""}, "delimiter is '': give a string"),
        ({"delimiter": b"_"}, "give a string of one character or more"),
        ({"connector_words": "of the"}, "connector_words is 'of the': give a set"),
        ({"connector_words": [1]}, "connector_words has 1, which is no word"),
        ({"connector_words": [""]}, "which is no word"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Phrases(**parameters)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ParameterError, "either sentences= or corpus_file=; neither is there"),
        ({"sentences": [], "corpus_file": "x"}, ParameterError, "both are there"),
        ({"sentences": [], "lowercase": True}, ParameterError, "go with text"),
        ({"sentences": "a b"}, TextError, "a string"),
        ({"sentences": ["a b"]}, TextError, "sentence 1 is a string"),
        ({"sentences": [["a", ""]]}, TextError, "token 2 of sentence 1 is empty"),
        ({"sentences": [["a"]], "workers": 0}, ParameterError, "workers must be"),
        ({"corpus_file": "nowhere.txt"}, SourceError, "nowhere.txt"),
        ({"corpus_file": []}, ParameterError, "give one path or more"),
        ({"corpus_file": 5}, ParameterError, "corpus_file is 5"),
    ],
)
def test_what_cannot_be_counted_is_refused_and_adds_nothing(given, error, message):
    phrases = learned(GRAPHS)
    before = dict(phrases.vocab.items())
    with pytest.raises(error, match=message):
        phrases.add_vocab(**given)
    assert dict(phrases.vocab.items()) == before


def test_sentences_that_break_off_add_nothing():
    def broken():
        yield ["a", "b"]
        raise RuntimeError("gone")

    phrases = learned(GRAPHS)
    before = (dict(phrases.vocab.items()), phrases.corpus_word_count)
    with pytest.raises(RuntimeError, match="gone"):
        phrases.add_vocab(broken())
    assert (dict(phrases.vocab.items()), phrases.corpus_word_count) == before


def test_a_delimiter_of_several_characters():
    phrases = learned([["a", "b"]] * 3 + [["a_", "b"]], min_count=1, threshold=0.1, delimiter="__")
    assert phrases.vocab["a__b"] == 3
    assert phrases[["a", "b"]] == ["a__b"]
    assert phrases.freeze()[["a", "b"]] == ["a__b"]


def test_the_mapping_of_counts():
    phrases = learned([["new", "york"], ["new"]])
    assert phrases.vocab["new"] == 2
    assert phrases.vocab.get("york_new") is None
    assert "new_york" in phrases.vocab
    assert 5 not in phrases.vocab
    assert "\ud800" not in phrases.vocab
    assert sorted(phrases.vocab) == ["new", "new_york", "york"]
    assert len(phrases.vocab.items()) == 3
    assert repr(phrases.vocab) == "<counts of 3 words and pairs>"
    with pytest.raises(KeyError):
        phrases.vocab["york_new"]


def test_what_is_printed():
    phrases = learned(GRAPHS, min_count=1, threshold=1)
    assert repr(phrases) == (
        "Phrases(29 words and pairs, min_count=1, threshold=1, max_vocab_size=40,000,000)"
    )
    assert repr(phrases.freeze()) == "FrozenPhrases(3 phrases, min_count=1, threshold=1)"


# --- phrases that are given -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"york": 1}, "'york' is no phrase: it has no delimiter '_' inside"),
        ({"new_york": "1"}, "give strings and numbers"),
        ({"new_york": math.nan}, "give strings and numbers"),
        ({5: 1}, "give strings and numbers"),
        (["new_york"], "must be a mapping"),
    ],
)
def test_given_phrases_are_checked(scores, message):
    with pytest.raises(ParameterError, match=message):
        FrozenPhrases.from_scores(scores)


def test_only_phrases_can_be_frozen():
    with pytest.raises(ParameterError, match="from_scores"):
        FrozenPhrases({"new_york": 1})


def test_phrasegrams_are_read_only(new_york):
    with pytest.raises(TypeError):
        new_york.phrasegrams["los_angeles"] = 1
    assert len(new_york) == 4


# --- keeping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", ["default", "npmi"])
def test_counting_goes_on_after_loading(tmp_path, scoring):
    settings = {"min_count": 1, "threshold": 0.2, "connector_words": ["of"], "scoring": scoring}
    sents = [["a", "of", "b", "é", "a_b"], ["é", "c"]] * 3
    phrases = learned(sents, **settings)
    phrases.save(tmp_path / "p")
    loaded = Phrases.load(tmp_path / "p")
    assert type(loaded) is Phrases
    for each in (phrases, loaded):
        each.add_vocab([["é", "c"]], progress=False)
    assert dict(loaded.vocab.items()) == dict(phrases.vocab.items())
    assert of_sentences(loaded, sents) == of_sentences(phrases, sents)
    assert repr(loaded) == repr(phrases)
    assert (loaded.corpus_word_count, loaded.min_reduce) == (23, 1)


def test_the_frozen_form_is_kept(tmp_path, new_york):
    new_york.save(tmp_path / "p")
    for each in (Phrases, FrozenPhrases):
        loaded = each.load(tmp_path / "p")
        assert type(loaded) is FrozenPhrases
        assert loaded.phrasegrams == new_york.phrasegrams
        assert loaded.threshold == -math.inf
        assert loaded[["bank", "of", "america"]] == ["bank_of_america"]
    learned(GRAPHS, min_count=2, threshold=1).freeze().save(tmp_path / "p")
    assert Phrases.load(tmp_path / "p").min_count == 2


def test_nothing_at_all_is_kept(tmp_path):
    Phrases().save(tmp_path / "p")
    assert len(Phrases.load(tmp_path / "p").vocab) == 0
    Phrases().freeze().save(tmp_path / "q")
    assert Phrases.load(tmp_path / "q")[["a"]] == ["a"]


def test_a_function_has_to_be_given_again(tmp_path):
    def mine(**counts):
        return 1.0

    learned(GRAPHS, scoring=mine, threshold=0.5).save(tmp_path / "p")
    with pytest.raises(ParameterError, match="pass it as scoring="):
        Phrases.load(tmp_path / "p")
    assert Phrases.load(tmp_path / "p", scoring=mine)[["human", "interface"]] == ["human_interface"]
    learned(GRAPHS).save(tmp_path / "q")
    with pytest.raises(ParameterError, match="leave scoring out"):
        Phrases.load(tmp_path / "q", scoring=mine)
    learned(GRAPHS, scoring=mine, threshold=0.5).freeze().save(tmp_path / "r")
    assert Phrases.load(tmp_path / "r")[["human", "interface"]] == ["human_interface"]


def test_only_phrases_are_loaded_and_only_folders_of_firth_replaced(tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        Phrases.load(tmp_path / "p")
    firth.Vocab.from_words(["a"]).save(tmp_path / "v")
    with pytest.raises(FormatError, match="'vocab', not 'phrases'"):
        Phrases.load(tmp_path / "v")
    (tmp_path / "f").write_text("mine")
    with pytest.raises(OutputError, match="file, not a folder"):
        Phrases().save(tmp_path / "f")


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name_bytes": None}, "'name_bytes' is missing"),
        ({"name_offsets": np.array([0, 3], np.uint64)}, "do not fit each other"),
        ({"name_offsets": np.array([3, 0, 7], np.uint64)}, "do not fit each other"),
        ({"name_bytes": np.frombuffer(b"a_\xffb_cd", np.uint8)}, "byte 2 of the names is no UTF-8"),
        (
            {"name_bytes": np.frombuffer("_é_b_c".encode(), np.uint8)},
            "name at position 1 starts inside a character",
        ),
    ],
)
def test_damaged_files_are_refused(tmp_path, frozen, change, message):
    values = {"scores": np.ones(2)} if frozen else {"counts": np.ones(2, np.int64)}
    tensors = {
        "name_bytes": np.frombuffer(b"a_bb_cd", np.uint8),
        "name_offsets": np.array([0, 3, 7], np.uint64) if "é" not in message else None,
        **values,
    }
    if "position" in message:
        tensors["name_offsets"] = np.array([0, 2, 7], np.uint64)
    tensors |= change
    phrases = FrozenPhrases.from_scores({"a_b": 1}) if frozen else learned([["a", "b"]])
    phrases.save(tmp_path / "p")
    file = tmp_path / "p" / "phrases.safetensors"
    save_tensors(file, {name: array for name, array in tensors.items() if array is not None})
    with pytest.raises(FormatError, match=message):
        Phrases.load(tmp_path / "p")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"frozen": false', '"frozen": 1', "'frozen' is 1"),
        ('"delimiter": "_"', '"delimiter": 3', "'delimiter' is 3"),
        ('"delimiter": "_"', '"delimiter": ""', "delimiter is ''"),
        ('"min_count": 5', '"min_count": -5', "min_count must be above 0"),
        ('"scoring": "default"', '"scoring": "mine"', "scoring is 'mine'"),
        ('"corpus_word_count": 2', '"corpus_word_count": null', "'corpus_word_count' is None"),
    ],
)
def test_a_damaged_config_is_refused(tmp_path, old, new, message):
    learned([["a", "b"]]).save(tmp_path / "p")
    config = tmp_path / "p" / "config.json"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with pytest.raises(FormatError, match=message):
        Phrases.load(tmp_path / "p")


# --- encoded text ---------------------------------------------------------------------------------


def as_sentences(vocab, corpus):
    words = list(vocab.words)
    begins = [0, *corpus.sentence_ends.tolist()]
    ids = corpus.ids.tolist()
    return [[words[i] for i in ids[a:b]] for a, b in pairwise(begins)]


@pytest.fixture
def text(tmp_path):
    choose = random.Random(3)
    phrases = ["new york", "united states of america", "a", "the", "city", "york", "new_york"]
    lines = [
        " ".join(choose.choice(phrases) for _ in range(choose.randint(0, 9))) for _ in range(3000)
    ]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines))
    return path


def lines_of(path):
    return [line.split() for line in path.read_text().split("\n")]


@pytest.mark.parametrize("workers", [1, 3])
def test_text_in_files_gives_the_same_counts(text, workers):
    settings = {"connector_words": ["of"], "min_count": 1}
    from_file = Phrases(corpus_file=text, workers=workers, progress=False, **settings)
    from_lists = learned(lines_of(text), **settings)
    assert dict(from_file.vocab.items()) == dict(from_lists.vocab.items())
    assert from_file.corpus_word_count == from_lists.corpus_word_count
    split = Phrases(
        text.read_text().split("\n"), tokenizer="whitespace", progress=False, **settings
    )
    assert dict(split.vocab.items()) == dict(from_lists.vocab.items())
    listed = Phrases(corpus_file=[str(text)], progress=False, **settings)
    assert dict(listed.vocab.items()) == dict(from_lists.vocab.items())


@pytest.mark.parametrize("n_times", [1, 2, 3])
def test_phrases_of_an_encoded_text_are_those_of_its_sentences(text, n_times):
    sents = lines_of(text)
    settings = {"connector_words": ["of"], "min_count": 2, "threshold": 0.3}
    models = [Phrases(**settings) for _ in range(n_times)]
    vocab, corpus = encode_phrases(text, phrases=models, min_count=1, progress=False)
    for model in models:
        expected = learned(sents, **settings)
        assert dict(model.vocab.items()) == dict(expected.vocab.items())
        sents = list(expected.freeze()[sents])
    with corpus:
        assert as_sentences(vocab, corpus) == [sentence for sentence in sents if sentence]
    counts = {}
    for word in chain(*sents):
        counts[word] = counts.get(word, 0) + 1
    assert dict(zip(vocab.words, vocab.counts.tolist(), strict=True)) == counts
    assert list(vocab.words) == sorted(counts, key=lambda word: (-counts[word], word))


def test_words_are_chosen_after_the_last_time(text):
    known = FrozenPhrases.from_scores({"new_york": 1})
    whole, corpus = encode_phrases(text, phrases=known, min_count=1, progress=False)
    corpus.close()
    vocab, corpus = encode_phrases(text, phrases=[known], min_count=1, max_size=3, progress=False)
    with corpus:
        assert list(vocab.words) == list(whole.words)[:3]
        assert corpus.n_tokens_read == whole.total_count
        assert corpus.ids.max() == 2
    with pytest.raises(VocabularyError, match="no words are left: the most frequent one of"):
        encode_phrases(text, phrases=1, min_count=10**6, progress=False)


def test_none_joins_nothing(text):
    vocab, corpus = encode_phrases(text, phrases=None, min_count=2, progress=False)
    with corpus:
        assert vocab == firth.build_vocab(text, min_count=2, progress=False)


def test_a_number_of_times_means_the_defaults(text):
    by_number, corpus = encode_phrases(text, phrases=2, progress=False)
    corpus.close()
    by_models, corpus = encode_phrases(text, phrases=[Phrases(), Phrases()], progress=False)
    corpus.close()
    assert by_number == by_models


def test_sentences_are_cut_where_the_text_is(tmp_path):
    # What a thread joins at a time has borders of its own, which must not show.
    sents = zipfian(120_000, n_types=50)
    path = tmp_path / "long.txt"
    path.write_text("\n".join(" ".join(sentence) for sentence in sents))
    known = FrozenPhrases.from_scores({"w0_w1": 1, "w0_w0": 1, "w2_w0": 1})
    vocab, corpus = encode_phrases(path, phrases=known, min_count=1, workers=3, progress=False)
    with corpus:
        assert as_sentences(vocab, corpus) == list(known[sents])


@pytest.mark.parametrize("phrases", [0, -1, True, "2", [], [1], 1.0])
def test_phrases_have_to_be_a_number_or_models(text, phrases):
    with pytest.raises(ParameterError, match="give how many times to join phrases"):
        encode_phrases(text, phrases=phrases)


def test_nothing_is_left_behind(text, places):
    _, corpus = encode_phrases(text, phrases=2, progress=False)
    assert len(list(places.temporary.iterdir())) == 1
    corpus.close()
    assert list(places.temporary.iterdir()) == []

    def stop(**counts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_phrases(text, phrases=Phrases(scoring=stop), progress=False)
    assert list(places.temporary.iterdir()) == []


def test_a_full_disk_is_told_and_cleaned_up(text, places, monkeypatch):
    from firth.corpus import _rewrite

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_rewrite, "rename_file", full)
    with pytest.raises(OutputError, match="the disk is full, and the encoded text needs 4 bytes"):
        encode_phrases(text, phrases=1, progress=False)
    assert list(places.temporary.iterdir()) == []


def test_threads_may_join_while_another_counts():
    sents = zipfian(3_000)
    phrases = learned(sents, min_count=1, threshold=2)
    errors = []

    def join():
        try:
            for _ in range(3):
                assert all(map(len, phrases[sents]))
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=join) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seed in range(5):
        phrases.add_vocab(zipfian(1_000, seed), progress=False)
    for thread in threads:
        thread.join()
    assert errors == []


# --- the core -------------------------------------------------------------------------------------


def test_the_core_refuses_ids_that_are_no_addresses():
    table = _core.PhraseTable("_", 100, [])
    names, offsets = np.frombuffer(b"ab", np.uint8), np.array([0, 1, 2], np.uint64)
    tokens = table.intern_many(names, offsets)
    ids, ends = np.array([0, 1, 5], np.uint32), np.array([3])
    with pytest.raises(ValueError, match="an id is not one of the words"):
        table.count_ids(ids, ends, 0, tokens, 1)
    with pytest.raises(ValueError, match="an id is not one of the words"):
        table.join_ids(ids, ends, 0, tokens, 0.0)
    wrong = np.array([0, 7], np.uint32)
    with pytest.raises(ValueError, match="not a token of the table"):
        table.count_ids(ids[:2], np.array([2]), 0, wrong, 1)
    with pytest.raises(ValueError, match="not a token of the table"):
        table.join_ids(ids[:2], np.array([2]), 0, wrong, 0.0)
    for bad in ([4], [2, 1], [-1]):
        with pytest.raises(ValueError, match="ends of the sentences do not fit"):
            table.count_ids(ids, np.array(bad), 0, tokens, 1)
    with pytest.raises(ValueError, match="offsets of the words do not fit"):
        table.intern_many(names, np.array([0, 9], np.uint64))
    with pytest.raises(IndexError):
        table.names_in(table.n_partitions + 1)
    with pytest.raises(ValueError, match="no such rule"):
        table.join_sentence(["a"], "best", 1, 1, 1)


@settings(max_examples=30)
@given(st.lists(st.text("ab_", min_size=1, max_size=5), min_size=1), st.sampled_from(["_", "__"]))
def test_counts_by_name_survive_a_table(names, delimiter):
    table = _core.PhraseTable(delimiter, 10**6, [])
    counts = {name: place for place, name in enumerate(names, 1)}
    encoded = "".join(counts).encode()
    offsets = np.cumsum([0, *map(len, counts)]).astype(np.uint64)
    table.add_counts(
        np.frombuffer(encoded, np.uint8), offsets, np.array(list(counts.values()), np.int64)
    )
    assert {name: table.count_of(name) for name in counts} == counts
    other = _core.PhraseTable(delimiter, 10**6, [])
    other.merge(table)
    found = {}
    for part in range(1 + other.n_partitions):
        found.update(zip(*other.names_in(part), strict=True))
    assert found == counts


# --- training -------------------------------------------------------------------------------------


def test_word2vec_joins_phrases(text):
    quiet = {"vector_size": 2, "epochs": 1, "sample": 0, "min_count": 1, "progress": False}
    known = FrozenPhrases.from_scores({"new_york": 1, "united_states": 1})
    model = firth.Word2Vec(corpus_file=text, phrases=known, **quiet)
    assert {"new_york", "united_states", "york"} <= set(model.wv.index_to_key)
    assert "states" not in model.wv
    assert model.phrases == "FrozenPhrases(2 phrases, min_count=0, threshold=-inf)"
    learned_model = firth.Word2Vec(corpus_file=text, phrases=2, **quiet)
    assert learned_model.phrases == 2
    assert "new_york" in firth.Word2Vec(lines_of(text), phrases=known, **quiet).wv


def test_learning_after_other_models(text):
    first, second = Phrases(threshold=0.3), Phrases(threshold=0.3)
    encode_phrases(text, phrases=[first, second], min_count=1, progress=False)[1].close()
    again = Phrases(threshold=0.3)
    firth.phrases.learn_phrases([str(text)], again, after=[first.freeze()], progress=False)
    assert dict(again.vocab.items()) == dict(second.vocab.items())
