"""Test sets as their authors distribute them."""

import gzip
import json

import pytest

from firth.errors import FormatError, ParameterError, SourceError
from firth.evaluation import (
    Analogies,
    Analogy,
    Associations,
    Categories,
    OutlierGroup,
    Outliers,
    WordPairs,
    read_test_set,
    read_test_sets,
)


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


# --- analogies ------------------------------------------------------------------------------------


def test_googles_sections(write):
    path = write(
        "questions-words.txt",
        ": capitals\nAthens Greece Oslo Norway\n\n:gram1\nhot hotter big bigger\n# a comment\n",
    )
    found = read_test_set(path)
    assert found == Analogies(
        "questions-words",
        {
            "capitals": [Analogy("Athens", "Greece", "Oslo", ("Norway",))],
            "gram1": [Analogy("hot", "hotter", "big", ("bigger",))],
        },
    )
    assert len(found) == 2
    assert sorted(found.words())[:3] == ["Athens", "Greece", "Norway"]


def test_analogies_without_a_heading_or_with_tabs(write):
    tabs = read_test_set(write("mine.txt", "New York\tUSA\tOslo\tNorway\n"))
    assert tabs.sections == {"mine": [Analogy("New York", "USA", "Oslo", ("Norway",))]}
    comma = read_test_set(write("comma.txt", ": x\nUSA Washington,_D.C. Norway Oslo\n"))
    assert comma.sections == {"x": [Analogy("USA", "Washington,_D.C.", "Norway", ("Oslo",))]}
    before = read_test_set(write("late.txt", "a b c d\n: e\nf g h i\n"))
    assert list(before.sections) == ["late", "e"]


def test_msr_in_two_files_and_in_one(write):
    questions = write("word_relationship.questions", "good better rough\nold older hot\n")
    write("word_relationship.answers", "JJ_JJR rougher\nJJ_JJS hottest\n")
    expected = {
        "JJ_JJR": [Analogy("good", "better", "rough", ("rougher",))],
        "JJ_JJS": [Analogy("old", "older", "hot", ("hottest",))],
    }
    assert read_test_set(questions).sections == expected
    joined = write("EN-MSR.txt", "good better rough JJ_JJR rougher\nold older hot JJ_JJS hottest\n")
    assert read_test_set(joined).sections == expected


def test_bats_asks_for_every_pair_by_every_other_and_takes_any_of_its_answers(write):
    path = write(
        "BATS_3.0/1_Inflectional/I01 [noun - plural_reg].txt", "car\tcars\nox\toxen/oxes\n"
    )
    write("BATS_3.0/2_Derivational/D01 [un+adj_reg].txt", "able unable\nsure unsure\nfit unfit\n")
    write("BATS_3.0/README.md", "not a set")
    found = read_test_set(path.parents[1])
    assert found.name == "BATS_3.0"
    assert found.sections["I01 [noun - plural_reg]"] == [
        Analogy("car", "cars", "ox", ("oxen", "oxes")),
        Analogy("ox", "oxen", "car", ("cars",)),
    ]
    assert len(found) == 2 + 6
    assert read_test_sets(path.parents[1]) == [found]
    assert len(read_test_set(path)) == 2


# --- pairs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a\tb\t7.35\r\na\ta\t10.00\r\n", [("a", "b", 7.35), ("a", "a", 10)]),
        ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\n", [("love", "sex", 6.77)]),
        ("cord;smile;0.02\nhill;gem;0.04\n", [("cord", "smile", 0.02), ("hill", "gem", 0.04)]),
        ("brag boast 4.00\n", [("brag", "boast", 4)]),
        # SimLex-999: the part of speech before the score, other numbers behind it
        (
            "word1\tword2\tPOS\tSimLex999\tconc(w1)\nold\tnew\tA\t1.58\t2.72\n",
            [("old", "new", 1.58)],
        ),
        # SimVerb-3500: no heading
        ("take\tremove\tV\t6.81\tSYNONYMS\n", [("take", "remove", 6.81)]),
        # RareWords: the judgements of each person behind the mean
        ("squishing\tsquirt\t5.88\t7\t7\t6\n", [("squishing", "squirt", 5.88)]),
        # MEN with parts of speech
        ("sun-n sunlight-n 50.0\nrun-v red-j 3\n", [("sun", "sunlight", 50), ("run", "red", 3)]),
        # a hyphen that is none
        ("x-j run-v 1\nx-ray bone 2\n", [("x-j", "run-v", 1), ("x-ray", "bone", 2)]),
        ('"a, b",c,1\nd,e,2\n', [("a, b", "c", 1), ("d", "e", 2)]),
        ("\ufeffa b 1\n", [("a", "b", 1)]),
    ],
)  # fmt: skip
def test_pairs_with_judgements(write, text, pairs):
    found = read_test_set(write("set.txt", text))
    assert isinstance(found, WordPairs)
    assert [(*p, j) for p, j in zip(found.pairs, found.judgements, strict=True)] == pairs


def test_a_compressed_file(write):
    path = write("pairs.txt.gz", gzip.compress(b"a b 1\n"))
    assert read_test_set(path) == WordPairs("pairs", [("a", "b")], [1.0])


# --- the other kinds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "members", "classes"),
    [
        (",category,word\n0,illness,acne\n1,tree,oak\n", ["acne", "oak"], ["illness", "tree"]),
        ("word\tclass\nacne\tillness\noak\ttree\n", ["acne", "oak"], ["illness", "tree"]),
        ("oak tree\nelm tree\ncat animal\n", ["oak", "elm", "cat"], ["tree", "tree", "animal"]),
        ("tree oak\ntree elm\nanimal cat\n", ["oak", "elm", "cat"], ["tree", "tree", "animal"]),
        (
            "newt-n\tamphibian\tattri\twet-j\nnewt-n\tamphibian\tcoord\tfrog-n\nant-n\tinsect\tmero\tleg-n\n",
            ["newt", "ant"],
            ["amphibian", "insect"],
        ),
    ],
)
def test_categories(write, text, members, classes):
    assert read_test_set(write("ap.csv", text)) == Categories("ap", members, classes)


def test_a_class_without_a_word_is_left_out_and_told(write, caplog):
    path = write("ap.csv", ",category,word\n0,illness,acne\n1,tree,\n2,tree,oak\n3,fruit,\n")
    assert read_test_set(path).members == ["acne", "oak"]
    assert "2 lines have a class and no word, and are left out; the first is line 3" in caplog.text


def test_outliers_in_a_file_and_in_a_folder(write):
    cats = write("8-8-8/Big_cats.txt", "tiger\nlion\ncougar\n\ndog\nmouse\n\n")
    write("8-8-8/Months.txt", "May\nJune\n\nTuesday\nsummer\nyear\n")
    group = OutlierGroup("Big_cats", ("tiger", "lion", "cougar"), ("dog", "mouse"))
    assert read_test_set(cats) == Outliers("Big_cats", [group])
    found = read_test_set(cats.parent)
    assert (found.name, len(found), found.groups[0]) == ("8-8-8", 5, group)


def test_associations_of_weats_lists_and_of_ones_own(write):
    lists = {name: [name] for name in ("flowers", "insects", "pleasant_5", "unpleasant_5a", "more")}
    found = read_test_set(write("weat.json", json.dumps(lists)))
    assert isinstance(found, Associations)
    assert [test.name for test in found.tests] == ["WEAT 1 flowers/insects"]
    assert (found.tests[0].x, found.tests[0].b) == (("flowers",), ("unpleasant_5a",))
    own = {"mine": {"X": ["a"], "Y": ["b"], "A": ["c"], "B": ["d"]}}
    assert read_test_set(write("own.json", json.dumps(own))).tests[0].y == ("b",)


# --- folders --------------------------------------------------------------------------------------


def test_a_folder_of_sets_and_of_folders(write, tmp_path, caplog):
    write("eval/questions.txt", "a b c d\n")
    write("eval/similarity/ws.txt", "a b 1\n")
    write("eval/relatedness/ws.txt", "a b 2\n")
    write("eval/similarity/notes.txt", "this is no test set at all\n")
    write("eval/README", "nor is this")
    write("eval/empty/.keep", "")
    found = read_test_sets(tmp_path / "eval")
    assert [each.name for each in found] == ["questions", "ws", "ws (2)"]
    assert "left out: " in caplog.text
    assert "notes.txt: line 1 begins no test set" in caplog.text
    own = WordPairs("own", [("a", "b")], [1.0])
    assert read_test_sets([own, tmp_path / "eval" / "questions.txt"])[0] is own


def test_what_there_is_no_test_set_in(write, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="empty: no test set in this folder"):
        read_test_sets(tmp_path / "empty")
    with pytest.raises(SourceError, match=r"none\.txt: no such file"):
        read_test_sets(tmp_path / "none.txt")
    with pytest.raises(ParameterError, match="there are no test sets"):
        read_test_sets([])
    with pytest.raises(ParameterError, match="5 is no test set"):
        read_test_sets([5])
    write("two/a.txt", "a b 1\n")
    write("two/b.txt", "a b 1\n")
    with pytest.raises(SourceError, match="several test sets"):
        read_test_set(tmp_path / "two")


# --- what is wrong with lines ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty.txt", "", "no question in it"),
        ("empty.txt", "# nothing\n\n", "no question in it"),
        ("headings.txt", ": a\n: b\n", "no question in it"),
        ("header.txt", "word1\tword2\tscore\n", "line 1 begins no test set"),
        ("pairs.txt", "a b 1\na b\n", "line 2 has no two words and a number: 'a b'"),
        ("pairs.txt", "a b 1\na b nan\n", "line 2 has no two words and a number"),
        ("pairs.txt", "a\tb\t1\n\n# c\n\tb\t2\n", "line 4 has no two words and a number"),
        ("scws.txt", "1 Brazil n nut n 2.5\n2 a n b n 3\n", "line 1 begins with a number"),
        ("google.txt", ": a\na b c d\na b c\n", "line 3 has 3 words where an analogy has four"),
        ("q.questions", "a b\n", "line 1 has 2 words where a question has three"),
        ("I01 [x - y].txt", "a b\nc\n", "line 2 has no word and what belongs to it: 'c'"),
        ("I01 [x - y].txt", "a b\nc\t/\n", "line 2 has no word and what belongs to it"),
        ("cat.csv", "word,class\noak,tree\nelm\n", "line 3 has no word and class: 'elm'"),
        ("what.txt", "one\ntwo\n", "line 1 begins no test set"),
        ("what.txt", "a b c d e f\n", "line 1 begins no test set"),
        ("w.json", '{"a": [1]}', "'a' is no list of words"),
        ("w.json", '{"a": ["b"]}', "no test of association"),
        ("w.json", "{}", "no test of association"),
        ("w.json", "[]", "no JSON object"),
        ("w.json", "{\n\n,", "line 3 is no JSON"),
        ("w.json", '{"t": {"X": ["a"], "Y": ["b"], "A": ["c"]}}', "the test 't' has no list 'B'"),
        ("latin.txt", b"a b 1\nna\xefve b 2\n", "line 2 is no utf-8 .byte 8 of the file"),
        ("cut.txt.gz", gzip.compress(b"a b 1\n" * 99)[:-9], "cut off"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(write, name, text, message):
    if name.endswith(".questions"):
        write("q.answers", "R c\n")
    with pytest.raises(FormatError, match=message):
        read_test_set(write(name, text))


def test_questions_and_answers_must_go_together(write):
    questions = write("q.questions", "a b c\nd e f\n")
    with pytest.raises(SourceError, match=r"its answers are missing: q\.answers"):
        read_test_set(questions)
    write("q.answers", "R d\n")
    with pytest.raises(FormatError, match=r"2 questions, but q\.answers has 1 answers"):
        read_test_set(questions)
    write("q.answers", "R d\nR\n")
    with pytest.raises(FormatError, match="line 2 has no relation and answer"):
        read_test_set(questions)


def test_a_file_too_large_for_a_test_set(write):
    bomb = write("bomb.txt.gz", gzip.compress(b"a b 1\n" * (12 << 20), 9))
    with pytest.raises(FormatError, match="more than 64 MiB"):
        read_test_set(bomb)


def test_a_folder_where_a_file_belongs(write, tmp_path):
    write("q.answers/x", "")
    with pytest.raises(SourceError, match="a folder where the file"):
        read_test_set(write("q.questions", "a b c\n"))
