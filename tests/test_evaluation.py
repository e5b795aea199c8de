"""Scores, intervals and comparisons, held against slow and well-known ways to compute them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from firth import KeyedVectors, Vocab, _core, evaluate
from firth.errors import MissingExtraError, ParameterError
from firth.evaluation import (
    Analogies,
    Analogy,
    Association,
    Associations,
    Categories,
    OutlierGroup,
    Outliers,
    WordPairs,
    _analogies,
)
from firth.evaluation._groups import purity
from firth.evaluation._measures import AdjustedRand, Correlation, Share, weighted_ranks
from firth.evaluation._resampling import by_units, one_by_one
from firth.subwords import ExplicitSubwords


def vectors_of(words, dim=12, seed=0, dtype=np.float32):
    draw = np.random.default_rng(seed)
    return KeyedVectors(Vocab.from_words(words), draw.normal(size=(len(words), dim)).astype(dtype))


WORDS = [f"w{i}" for i in range(300)]


@pytest.fixture
def wv():
    return vectors_of(WORDS)


# --- the kernel -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_columns", [1, 3, 16, 63, 64, 65, 200])
def test_best_sums_agree_with_the_naive_way(isa, n_columns):
    draw = np.random.default_rng(n_columns)
    # Few different values, so that there are ties.
    plus, minus = draw.integers(-3, 3, (2, 9, n_columns)).astype(np.float32)
    plus[:, draw.random(n_columns) < 0.2] = -np.inf
    questions = draw.integers(0, 9, (40, 3)).astype(np.uint32)
    exclude = [np.unique(draw.integers(0, n_columns + 5, draw.integers(0, 6))) for _ in range(40)]
    offsets = np.cumsum([0, *map(len, exclude)])
    best, columns = np.full(40, -np.inf, np.float32), np.full(40, -1)
    for begin in range(0, n_columns, 70):  # in blocks, as it is used
        block = np.ascontiguousarray(plus[:, begin : begin + 70])
        other = np.ascontiguousarray(minus[:, begin : begin + 70])
        flat = np.concatenate(exclude).astype(np.int64)
        _core.best_sums(block, other, questions, flat, offsets, begin, best, columns)
    expected = naive.best_sums(plus, minus, questions, [set(e.tolist()) for e in exclude])
    assert list(zip(best.tolist(), columns.tolist(), strict=True)) == expected


def test_what_does_not_fit_is_refused():
    plus = np.zeros((2, 3), np.float32)
    questions, best, rows = (
        np.zeros((1, 3), np.uint32),
        np.zeros(1, np.float32),
        np.zeros(1, np.int64),
    )
    nothing, offsets = np.zeros(0, np.int64), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="no such word"):
        _core.best_sums(plus, plus, questions + 2, nothing, offsets, 0, best, rows)
    with pytest.raises(ValueError, match="out of order"):
        _core.best_sums(plus, plus, questions, nothing, offsets + 1, 0, best, rows)
    with pytest.raises(ValueError, match="do not fit"):
        _core.best_sums(plus, plus[:1], questions, nothing, offsets, 0, best, rows)


# --- analogies ------------------------------------------------------------------------------------


def analogies(questions):
    return Analogies("a", {"s": [Analogy(*q[:3], tuple(q[3:])) for q in questions]})


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("metric", ["3CosAdd", "3CosMul"])
def test_analogies_are_answered_as_the_papers_say(monkeypatch, metric, dtype):
    monkeypatch.setattr(_analogies, "_FEWEST_ROWS", 7)  # many blocks
    monkeypatch.setattr(_analogies, "_SCORES", 1)
    monkeypatch.setattr(_analogies, "_QUESTIONS_A_TASK", 5)
    wv = vectors_of(WORDS, dtype=dtype)
    draw = np.random.default_rng(1)
    answer = naive.cos_add if metric == "3CosAdd" else naive.cos_mul
    questions = []
    for a, b, c in draw.integers(0, 300, (60, 3)).tolist():
        d = answer(wv.vectors.astype(np.float64), a, b, c)
        questions.append([f"w{i}" for i in (a, b, c, d)])
    score = evaluate(wv, analogies(questions)).score("a", metric)
    assert (score.value, score.n_scored) == (1.0, 60)
    wrong = [[a, b, c, "w0" if d != "w0" else "w1"] for a, b, c, d in questions]
    assert evaluate(wv, analogies(wrong)).score("a", metric).value == 0


def test_quantised_vectors_are_evaluated_as_what_they_stand_for(wv, pairs):
    int8 = wv.astype("int8")
    d = naive.cos_add(int8.vectors.astype(np.float64), 1, 2, 3)
    found = evaluate({"int8": int8, "float": wv}, [analogies([["w1", "w2", "w3", f"w{d}"]]), pairs])
    assert found.score("a").value == 1
    values = [found.score("p", model=name).value for name in ("int8", "float")]
    assert values[0] == pytest.approx(values[1], abs=0.01)


def test_an_analogy_has_several_answers_and_needs_one_that_is_known(wv):
    d = naive.cos_add(wv.vectors, 1, 2, 3)
    questions = [["w1", "w2", "w3", "none", f"w{d}"], ["w1", "w2", "w3", "none"]]
    score = evaluate(wv, analogies(questions)).score("a")
    assert (score.value, score.n_covered, score.n_questions, score.coverage) == (1.0, 1, 2, 0.5)


def test_analogies_are_asked_and_answered_among_the_first_words(wv):
    d = naive.cos_add(wv.vectors[:100], 1, 2, 3)
    among = [["w1", "w2", "w3", f"w{d}"], ["w1", "w2", "w100", "w3"], ["w1", "w2", "w3", "w100"]]
    score = evaluate(wv, analogies(among), restrict_vocab=100).score("a")
    assert (score.value, score.n_covered) == (1.0, 1)


def test_other_spellings_of_the_words_asked_with_are_no_answers():
    rng = np.random.default_rng(0)
    king, man, woman, queen = rng.normal(size=(4, 8))
    matrix = np.array([king, man, woman, king - man + woman + 0.1 * queen, king - man + woman])
    wv = KeyedVectors(Vocab.from_words(["king", "man", "woman", "Queen", "KING"]), matrix)
    questions = analogies([["Man", "woman", "King", "queen"]])
    assert evaluate(wv, questions).score("a").value == 1.0
    assert evaluate(wv, questions, case_insensitive=False).score("a").n_covered == 0


def test_rows_without_a_direction_are_out_and_told(wv, caplog):
    matrix = wv.vectors.copy()
    d = naive.cos_add(matrix, 1, 2, 3)
    matrix[4], matrix[5, 0], matrix[6, 0] = 0, np.nan, np.inf
    broken = KeyedVectors(wv.vocab, matrix)
    questions = [["w1", "w2", "w3", f"w{d}"], ["w4", "w2", "w3", "w9"], ["w1", "w2", "w3", "w5"]]
    found = evaluate(broken, analogies(questions))
    assert found.score("a").n_covered == 1
    assert found.score("a").value == 1.0
    assert found.models["vectors"]["without_direction"] == 3
    assert "3 of 300 vectors are zero, NaN or infinite and are left out; 2 of them" in caplog.text


def test_sections_and_the_halves_of_googles(wv):
    d = naive.cos_add(wv.vectors, 1, 2, 3)
    right, wrong = Analogy("w1", "w2", "w3", (f"w{d}",)), Analogy("w1", "w2", "w4", ("w1",))
    test_set = Analogies("a", {"capital": [right], "gram1": [right, wrong], "gram2": [wrong]})
    found = evaluate(wv, test_set)
    told = {s.section: (s.value, s.n_questions) for s in found.scores if s.metric == "3CosAdd"}
    assert told == {
        "": (0.5, 4), "semantic": (1.0, 1), "syntactic": (pytest.approx(1 / 3), 3),
        "capital": (1.0, 1), "gram1": (0.5, 2), "gram2": (0.0, 1),
    }  # fmt: skip


# --- similarity -----------------------------------------------------------------------------------


@pytest.fixture
def pairs():
    draw = np.random.default_rng(2)
    chosen = draw.integers(0, 300, (80, 2)).tolist()
    # Judgements with ties.
    return WordPairs("p", [(f"w{a}", f"w{b}") for a, b in chosen], draw.integers(0, 9, 80).tolist())


def test_correlations_are_scipys(wv, pairs):
    stats = pytest.importorskip("scipy.stats", reason="needs SciPy")
    cosines = [wv.similarity(a, b) for a, b in pairs.pairs]
    found = evaluate(wv, pairs)
    spearman, pearson = found.score("p", "Spearman"), found.score("p", "Pearson")
    assert spearman.value == pytest.approx(stats.spearmanr(cosines, pairs.judgements)[0], abs=1e-7)
    assert pearson.value == pytest.approx(stats.pearsonr(cosines, pairs.judgements)[0], abs=1e-7)
    assert spearman.low < spearman.value < spearman.high


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), min_size=1, max_size=20),
)
def test_weighted_ranks_are_the_ranks_of_values_that_are_written_out(drawn):
    values = np.array([value for value, _ in drawn], float)
    weights = np.array([[n for _, n in drawn]], float)
    ranks = weighted_ranks(values, weights)[0]
    written = np.repeat(values, weights[0].astype(int))
    for value, weight, rank in zip(values, weights[0], ranks, strict=True):
        if weight:
            assert rank == np.mean(1 + np.flatnonzero(np.sort(written) == value))


@given(st.integers(0, 2**32 - 1))
def test_measures_with_weights_are_those_of_questions_that_are_written_out(seed):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(4, 15))
    x, y = draw.integers(0, 5, (2, n)).astype(float)
    covered = draw.random(n) < 0.8
    weights = draw.integers(0, 4, (1, n)).astype(np.float32)
    often = weights[0].astype(int)
    kept = covered.copy()
    for make in (
        lambda x, y, c: Share("s", c, x),
        lambda x, y, c: Correlation("p", c, x, y, of_ranks=False),
        lambda x, y, c: Correlation("r", c, x, y, of_ranks=True),
    ):
        measured = make(x, y, covered).values(weights, kept)[0]
        written = make(*(np.repeat(v, often) for v in (x, y, covered)))
        expected = written.value(written.covered)
        if kept.sum() >= 3 and written.covered.sum() >= 3:
            assert measured == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_correlations_that_say_nothing(wv):
    same = WordPairs("p", [("w1", "w2"), ("w3", "w4"), ("w5", "w6")], [1.0, 1.0, 1.0])
    assert math.isnan(evaluate(wv, same).score("p").value)
    two = WordPairs("p", [("w1", "w2"), ("w3", "w4")], [1.0, 2.0])
    assert math.isnan(evaluate(wv, two).score("p").value)
    none = evaluate(wv, WordPairs("p", [("x", "y")], [1.0])).score("p")
    assert (none.n_covered, math.isnan(none.value), math.isnan(none.low)) == (0, True, True)


def test_what_becomes_of_uncovered_questions(wv, pairs):
    stats = pytest.importorskip("scipy.stats", reason="needs SciPy")
    fewer = KeyedVectors(Vocab.from_words(WORDS[:200]), wv.vectors[:200])
    models = {"all": wv, "fewer": fewer}
    known = [all(word in fewer for word in pair) for pair in pairs.pairs]
    assert 10 < sum(known) < 70
    cosines = np.array([wv.similarity(a, b) for a, b in pairs.pairs])
    judged = np.array(pairs.judgements)
    common = stats.spearmanr(cosines[known], judged[known])[0]
    wrong = stats.spearmanr(np.where(known, cosines, 0), judged)[0]
    scores = {
        policy: evaluate(models, pairs, uncovered=policy, n_resamples=50)
        for policy in ("skip", "wrong", "common")
    }
    for policy, value in (("skip", common), ("wrong", wrong), ("common", common)):
        score = scores[policy].score("p", model="fewer")
        assert score.value == pytest.approx(value, abs=1e-7)
        assert (score.n_covered, score.n_questions) == (sum(known), 80)
        assert score.n_scored == (80 if policy == "wrong" else sum(known))
    assert scores["common"].score("p", model="all").value == pytest.approx(common, abs=1e-7)
    assert scores["skip"].score("p", model="all").n_scored == 80


def test_subwords_cover_unseen_words():
    vocab = Vocab.from_words(["cat", "dog"])
    rows = np.eye(4, dtype=np.float32)
    subwords = ExplicitSubwords(rows[:2], ["<c", "ca"], 2, 2)
    wv = KeyedVectors(vocab, rows[2:], subwords=subwords)
    pairs = WordPairs(
        "p", [("cat", "cab"), ("dog", "cab"), ("dog", "cat"), ("dog", "xy")], [3, 2, 1, 0]
    )
    assert evaluate(wv, pairs).score("p").n_covered == 1
    assert evaluate(wv, pairs, subwords=True).score("p").n_covered == 3


# --- categories, outliers, associations -----------------------------------------------------------


def clustered(n_clusters=4, n=12):
    draw = np.random.default_rng(5)
    centres = 3 * np.eye(n_clusters, 10)
    matrix = np.repeat(centres, n, axis=0) + 0.1 * draw.normal(size=(n_clusters * n, 10))
    words = [f"c{k}-{i}" for k in range(n_clusters) for i in range(n)]
    return KeyedVectors(Vocab.from_words(words), matrix), words


def test_categories_that_are_clusters_score_1():
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    wv, words = clustered()
    found = evaluate(wv, Categories("c", words, [word[:2] for word in words]))
    # Not every seed finds all four, but most do.
    assert found.score("c", "purity").value > 0.85
    assert found.score("c", "adjusted Rand").value > 0.75
    shuffled = np.random.default_rng(1).permutation([word[:2] for word in words]).tolist()
    chance = evaluate(wv, Categories("c", words, shuffled)).score("c", "adjusted Rand")
    assert abs(chance.value) < 0.1
    assert chance.low < chance.value < chance.high


def test_purity_and_rand_index_are_those_of_the_literature():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")
    draw = np.random.default_rng(3)
    for _ in range(20):
        classes, clusters = draw.integers(0, 4, (2, 30))
        counts = metrics.cluster.contingency_matrix(classes, clusters)
        assert purity(classes, clusters).mean() == counts.max(axis=0).sum() / 30
        everything = np.ones(30, bool)
        rand = AdjustedRand("r", everything, classes, [clusters])
        assert rand.value(everything) == pytest.approx(
            metrics.adjusted_rand_score(classes, clusters)
        )
    # A word that is drawn twice makes no pair with itself.
    apart = AdjustedRand("r", everything, np.arange(30), [np.arange(30) % 7])
    doubled = apart.values(np.full((1, 30), 2, np.float32), everything)[0]
    assert doubled == pytest.approx(apart.value(everything), abs=0.02)


def test_uncovered_words_count_as_in_the_wrong_cluster():
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    wv, words = clustered()
    more = Categories("c", [*words, *"xyz"], [*(word[:2] for word in words), "c0", "c1", "c2"])
    skip = evaluate(wv, more).score("c", "purity")
    wrong = evaluate(wv, more, uncovered="wrong").score("c", "purity")
    assert wrong.value == pytest.approx(skip.value * 48 / 51)
    rand = [evaluate(wv, more, uncovered=u).score("c", "adjusted Rand") for u in ("skip", "wrong")]
    assert rand[1].value < rand[0].value
    nothing = evaluate(wv, Categories("c", ["x", "y"], ["a", "b"])).score("c", "purity")
    assert (nothing.n_covered, math.isnan(nothing.value)) == (0, True)
    alike = KeyedVectors(Vocab.from_words(["a", "b", "c"]), np.ones((3, 2), np.float32))
    same = evaluate(alike, Categories("c", ["a", "b", "c"], ["x", "y", "z"]))
    assert same.score("c", "purity").value == pytest.approx(1 / 3)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_outliers_are_ranked_by_compactness(seed):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 7))
    wv = vectors_of([f"w{i}" for i in range(n + 1)], dim=5, seed=seed)
    group = OutlierGroup("g", tuple(f"w{i}" for i in range(n)), (f"w{n}",))
    vectors = wv.vectors.astype(np.float64)
    expected = naive.compactness_positions(list(vectors[:n]), vectors[n])
    found = evaluate(wv, Outliers("o", [group]), n_resamples=0)
    assert found.score("o", "OPP").value == pytest.approx(expected)
    assert found.score("o", "accuracy").value == (expected == 1)


def test_outliers_of_several_groups_and_unknown_words():
    wv, words = clustered(3, 5)
    groups = [
        OutlierGroup("a", (*words[:5], "unknown"), (words[5], words[10], "unseen")),
        OutlierGroup("b", tuple(words[5:10]), (words[0],)),
        OutlierGroup("none", (words[0], "x"), (words[6],)),
    ]
    found = evaluate(wv, Outliers("o", groups))
    accuracy = found.score("o", "accuracy")
    assert (accuracy.value, accuracy.n_covered, accuracy.n_questions) == (1.0, 3, 5)
    wrong = evaluate(wv, Outliers("o", groups), uncovered="wrong").score("o", "accuracy")
    assert wrong.value == 0.6


def test_associations_by_hand():
    pytest.importorskip("scipy", reason="needs SciPy")
    rows = {"a": (1, 0), "b": (0, 1), "x1": (2, 0), "x2": (1, 0.1), "y1": (0, 3), "y2": (0.5, 1)}
    wv = KeyedVectors(Vocab.from_words(list(rows)), np.array(list(rows.values()), np.float32))
    test = Association("t", ("x1", "x2", "unknown"), ("y1", "y2"), ("a", "unseen"), ("b",))
    found = evaluate(wv, Associations("w", [test]))
    score = found.score("w", section="t")
    s = [wv.similarity(w, "a") - wv.similarity(w, "b") for w in ("x1", "x2", "y1", "y2")]
    assert score.value == pytest.approx((np.mean(s[:2]) - np.mean(s[2:])) / np.std(s, ddof=1))
    # One of the six ways to divide four words into two and two is as extreme.
    assert score.p_value == pytest.approx(1 / 6)
    assert (score.n_covered, score.n_questions) == (4, 5)
    nothing = Association("n", ("x1",), ("y1",), ("unseen",), ("b",))
    empty = evaluate(wv, Associations("w", [nothing]), uncovered="wrong").score("w", section="n")
    assert (empty.n_covered, math.isnan(empty.value), math.isnan(empty.p_value)) == (0, True, True)


# --- intervals and comparisons --------------------------------------------------------------------


def test_intervals_cover_as_often_as_they_say():
    # Of 300 samples of 60 questions that are right by 0.7, about 95 % of the intervals hold 0.7.
    draw = np.random.default_rng(9)
    everything = np.ones(60, bool)
    held = 0
    from firth.evaluation._resampling import interval

    for i in range(300):
        measure = Share("s", everything, (draw.random(60) < 0.7).astype(float))
        weights = one_by_one("x", [60]).weights(300, i)
        low, high = interval([measure.values(w, everything) for w in weights])
        held += low <= 0.7 <= high
    assert 0.89 < held / 300 < 0.98


def test_questions_made_of_the_same_pairs_are_not_independent():
    # Whether a question is right depends on its first pair alone: 12 facts, not 132 questions.
    pairs = [(i, j) for i in range(12) for j in range(12) if i != j]
    resampling = by_units("x", [[i for i, _ in pairs]], [[j for _, j in pairs]])
    right = Share("s", np.ones(132, bool), np.array([i < 6 for i, _ in pairs], float))
    values = np.concatenate([right.values(w, right.covered) for w in resampling.weights(2000, 1)])
    assert np.std(values) == pytest.approx(np.sqrt(0.25 / 12), rel=0.15)
    assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_the_same_questions_are_drawn_for_all_models(wv, pairs):
    found = evaluate({"a": wv, "b": KeyedVectors(wv.vocab, 3 * wv.vectors)}, pairs)
    for each in found.compare("a", "b"):
        assert (each.difference, each.low, each.high) == pytest.approx((0, 0, 0), abs=1e-6)
        assert each.p_value > 0.3
    again = evaluate({"a": wv}, pairs)
    assert again.scores[0].low == found.scores[0].low
    assert evaluate({"a": wv}, pairs, seed=2).scores[0].low != found.scores[0].low


def test_a_better_model_is_found_better():
    draw = np.random.default_rng(0)
    n = 200
    matrix = draw.normal(size=(2 * n, 30)).astype(np.float32)
    words = [f"{side}{i}" for side in "ab" for i in range(n)]
    good = KeyedVectors(Vocab.from_words(words), matrix)
    pairs = [(f"a{i}", f"b{i}") for i in range(n)]
    judged = [good.similarity(a, b) + 0.05 * draw.normal() for a, b in pairs]
    noisy = KeyedVectors(good.vocab, matrix + 0.8 * draw.normal(size=matrix.shape))
    found = evaluate({"noisy": noisy, "good": good}, WordPairs("p", pairs, judged))
    [spearman, _] = found.compare("noisy", "good")
    assert (spearman.first, spearman.second, spearman.n_questions) == ("noisy", "good", n)
    assert 0 < spearman.low < spearman.difference < spearman.high
    assert spearman.p_value == pytest.approx(2 / 1001)
    [back, _] = found.compare("good", "noisy")
    assert back.difference == -spearman.difference
    with pytest.raises(ParameterError, match="no model 'best'; there are noisy, good"):
        found.compare("good", "best")


def test_scores_by_frequency(wv):
    words = [f"w{i}" for i in range(3500)]
    wv = vectors_of(words)
    pairs = [(f"w{i}", f"w{i + 1}") for i in (*range(20), *range(1500, 1512), *range(3200, 3205))]
    test_set = WordPairs("p", pairs, list(range(len(pairs))))
    found = evaluate(wv, test_set).by_frequency()
    assert [(s.section, s.n_questions, s.metric) for s in found] == [
        ("1-1,000", 20, "Spearman"),
        ("1,001-3,000", 12, "Spearman"),
    ]


# --- what is given --------------------------------------------------------------------------------


def test_names_of_models(wv, pairs):
    assert list(evaluate(wv, pairs, n_resamples=0).models) == ["vectors"]
    assert list(evaluate([wv, wv], pairs, n_resamples=0).models) == ["model 1", "model 2"]


def test_scores_without_resampling(wv, pairs):
    found = evaluate({"a": wv, "b": wv}, pairs, n_resamples=0)
    assert math.isnan(found.scores[0].low)
    assert math.isnan(found.compare("a", "b")[0].p_value)


def test_everything_as_json(wv, pairs):
    told = evaluate({"a": wv, "b": wv}, pairs, n_resamples=20).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["scores"][0]["coverage"] == 1.0
    assert told["models"]["a"]["words"] == 300
    assert len(told["comparisons"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"uncovered": "ignore"}, "uncovered is 'ignore'; it must be one of skip, wrong, common"),
        ({"restrict_vocab": 0}, "restrict_vocab must be a whole number from 1, not 0"),
        ({"restrict_vocab": 1.5}, "restrict_vocab must be a whole number from 1, not 1.5"),
        ({"n_resamples": -1}, "n_resamples must be a whole number from 0, not -1"),
        ({"vectors": {}}, "there are no models"),
        ({"vectors": "wiki100"}, "'wiki100' is no KeyedVectors: give firth.load"),
        ({"vectors": 5}, "5 is no KeyedVectors"),
        ({"vectors": {"a": 5}}, "5 is no KeyedVectors"),
        ({"sets": []}, "there are no test sets"),
    ],
)
def test_parameters_out_of_their_range(wv, pairs, arguments, message):
    given = {"vectors": wv, "sets": pairs} | arguments
    with pytest.raises(ParameterError, match=message):
        evaluate(given.pop("vectors"), given.pop("sets"), **given)


def test_a_score_that_is_not_there(wv, pairs):
    with pytest.raises(ParameterError, match=r"no score of 'q'.*the test sets are p"):
        evaluate(wv, pairs).score("q")


ASSOCIATION = Association("t", ("w1", "w2"), ("w3", "w4"), ("w5",), ("w6",))


@pytest.mark.parametrize(
    ("missing", "test_set", "message"),
    [
        ("sklearn.cluster", Categories("c", ["w1", "w2"], ["a", "b"]), "scikit-learn"),
        ("scipy.stats", Associations("w", [ASSOCIATION]), "scipy"),
    ],
)  # fmt: skip
def test_what_is_not_installed_is_told(monkeypatch, wv, missing, test_set, message):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf"{message}.*firth\[evaluate\]"):
        evaluate(wv, test_set)
