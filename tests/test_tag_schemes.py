"""Tags in three schemes, the entities that they mark, and their scores."""

import itertools
from importlib.util import find_spec

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firth.errors import ParameterError
from firth.tasks import Entity, convert_tags, find_entities, score_tags
from firth.tasks._tag_schemes import SCHEMES, may_follow, scheme_of, write_tags

LABELS = ("person", "creative-work", "x")
ANY_TAG = st.sampled_from(["O", *(f"{p}-{label}" for label in LABELS for p in "BIES")])
ANY_TAGS = st.lists(ANY_TAG, max_size=12)


@st.composite
def sentences(draw):
    """Draw entities of a sentence, and its number of words."""
    entities, end = [], 0
    for _ in range(draw(st.integers(0, 4))):
        begin = end + draw(st.integers(0, 2))
        end = begin + draw(st.integers(1, 3))
        entities.append(Entity(draw(st.sampled_from(LABELS)), begin, end))
    return entities, end + draw(st.integers(0, 2))


def test_the_same_entities_in_three_schemes():
    entities = [Entity("person", 0, 2), Entity("place", 3, 5), Entity("place", 5, 6)]
    assert write_tags(entities, 7, "IOB1") == [
        "I-person", "I-person", "O", "I-place", "I-place", "B-place", "O",
    ]  # fmt: skip
    assert write_tags(entities, 7, "IOB2") == [
        "B-person", "I-person", "O", "B-place", "I-place", "B-place", "O",
    ]  # fmt: skip
    assert write_tags(entities, 7, "BIOES") == [
        "B-person", "E-person", "O", "B-place", "E-place", "S-place", "O",
    ]  # fmt: skip


@given(sentences(), st.sampled_from(SCHEMES))
def test_what_is_written_is_found_again(sentence, scheme):
    entities, n_words = sentence
    assert find_entities(write_tags(entities, n_words, scheme)) == entities


@given(sentences(), st.sampled_from(SCHEMES), st.sampled_from(SCHEMES))
def test_converting_keeps_entities(sentence, scheme, other):
    entities, n_words = sentence
    converted = convert_tags(write_tags(entities, n_words, scheme), other)
    assert converted == write_tags(entities, n_words, other)


@given(sentences())
def test_written_tags_of_bioes_may_follow_each_other(sentence):
    tags = ["O", *write_tags(*sentence, "BIOES"), "O"]
    assert all(may_follow(a, b) for a, b in itertools.pairwise(tags))


@given(ANY_TAGS)
def test_tags_of_bioes_that_may_follow_each_other_are_written_so(tags):
    around = ["O", *tags, "O"]
    if all(may_follow(a, b) for a, b in itertools.pairwise(around)):
        assert write_tags(find_entities(tags), len(tags), "BIOES") == tags


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        (["B-person", "E-person"], "BIOES"),
        (["O", "S-person"], "BIOES"),
        (["I-person", "I-person", "B-person"], "IOB1"),
        (["O", "I-person"], "IOB1"),
        (["B-person", "I-person"], "IOB2"),
        (["B-person", "O", "I-person"], "IOB2"),  # a slip
        (["O"], "IOB2"),
    ],
)
def test_the_scheme_is_told_by_the_tags(tags, scheme):
    assert scheme_of([tags]) == scheme


@pytest.mark.parametrize("tag", ["", "B", "B-", "person", "X-person", "I_person", "o", None, 3])
def test_what_is_no_tag_is_told(tag):
    with pytest.raises(ParameterError, match=r"tags\[1\] is .*which is no tag"):
        find_entities(["O", tag])


def test_no_such_scheme():
    with pytest.raises(ParameterError, match="scheme is 'IOE', which is none of IOB1, IOB2, BIOES"):
        convert_tags(["O"], "IOE")


# --- scores -------------------------------------------------------------------------------------


def test_scores_by_hand():
    true = [["B-person", "I-person", "O", "B-place"], ["B-place", "O"]]
    found = [["B-person", "O", "O", "B-place"], ["B-person", "O"]]
    scores = score_tags(true, found)
    assert (scores.all.n_true, scores.all.n_predicted, scores.all.n_right) == (3, 3, 1)
    assert scores.by_label["place"].precision == 1.0
    assert scores.by_label["place"].recall == 0.5
    assert scores.by_label["person"].f1 == 0.0
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert scores.accuracy == 4 / 6
    assert scores.surface is None


def test_names_that_are_there_often_count_once_by_surface():
    words = [["Rome"]] * 10 + [["Oslo"]]
    true = [["S-place"]] * 11
    found = [["S-place"]] * 10 + [["O"]]
    scores = score_tags(true, found, words)
    assert scores.recall == 10 / 11
    assert (scores.surface.recall, scores.surface.precision) == (0.5, 1.0)


def test_nothing_there_and_nothing_found():
    scores = score_tags([["O"]], [["O"]])
    assert (scores.precision, scores.recall, scores.f1, scores.macro_f1) == (0, 0, 0, 0)
    assert score_tags([], []).f1 == 0


@pytest.mark.parametrize(
    ("true", "found", "message"),
    [
        ([["O"]], [], "sentences of true and predicted tags differ: 1 and 0"),
        ([["O"], ["O", "O"]], [["O"], ["O"]], "tags in sentence 1 differ: 2 and 1"),
        ([["O"]], [["Q"]], r"predicted\[0\]\[0\] is 'Q'"),
    ],
)
def test_what_cannot_be_scored_is_told(true, found, message):
    with pytest.raises(ParameterError, match=message):
        score_tags(true, found)


@pytest.mark.skipif(find_spec("seqeval") is None, reason="seqeval is not installed")
@given(st.lists(st.tuples(ANY_TAG, ANY_TAG), max_size=30), st.integers(1, 7))
@example([("B-person", "B-person"), ("I-x", "E-x"), ("O", "O"), ("E-x", "I-x")], 7)
def test_scores_are_those_of_seqeval(pairs, size):
    seqeval = pytest.importorskip("seqeval.metrics")
    starts = range(0, len(pairs), size)
    true, found = ([[pair[k] for pair in pairs[i : i + size]] for i in starts] for k in (0, 1))
    scores = score_tags(true, found)
    labels = set(scores.by_label)
    if not labels:
        return  # seqeval raises
    theirs = seqeval.classification_report(true, found, output_dict=True, zero_division=0)
    for label in labels:
        ours = scores.by_label[label]
        assert ours.precision == pytest.approx(theirs[label]["precision"])
        assert ours.recall == pytest.approx(theirs[label]["recall"])
        assert ours.f1 == pytest.approx(theirs[label]["f1-score"])
        assert ours.n_true == theirs[label]["support"]
    assert scores.f1 == pytest.approx(theirs["micro avg"]["f1-score"])
    assert scores.macro_f1 == pytest.approx(theirs["macro avg"]["f1-score"])
    assert scores.accuracy == pytest.approx(seqeval.accuracy_score(true, found))


# What seqeval 1.2.2 gives, for machines that do not have it.
SEQEVAL_KNOWS = [
    (["B-x", "I-x", "O", "S-x"], ["B-x", "I-x", "I-x", "S-x"], 0.5),
    (["I-x", "I-x", "B-x"], ["I-x", "I-x", "B-x"], 1.0),
    (["B-x", "I-person"], ["B-x", "O"], 2 / 3),
    (["E-x", "I-x"], ["S-x", "B-x"], 1.0),
    (["B-x", "E-x", "E-x"], ["B-x", "E-x", "O"], 2 / 3),
]


@pytest.mark.parametrize(("true", "found", "f1"), SEQEVAL_KNOWS)
def test_scores_that_seqeval_gives(true, found, f1):
    assert score_tags([true], [found]).f1 == pytest.approx(f1)
