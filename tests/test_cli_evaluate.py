"""firth evaluate, firth diff and firth stability."""

import json

import numpy as np
import pytest

import firth
from firth import KeyedVectors, Vocab
from firth.cli import scores

WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture
def models(tmp_path):
    matrix = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    KeyedVectors(Vocab.from_words(WORDS), matrix).save(tmp_path / "one")
    matrix[5] *= -1
    KeyedVectors(Vocab.from_words([*WORDS[:55], *"abcde"]), matrix).save(tmp_path / "other")
    return tmp_path / "one", tmp_path / "other"


@pytest.fixture
def sets(tmp_path, models):
    folder = tmp_path / "sets"
    folder.mkdir()
    wv = firth.load(models[0])
    lines = [f"w{i}\tw{i + 1}\t{wv.similarity(i, i + 1):.4f}" for i in range(0, 58, 2)]
    (folder / "EN-Pairs-29.txt").write_text("\n".join(lines))
    (folder / "questions.txt").write_text(": gram1\nw0 w1 w2 w3\n: b\nw4 w5 w6 w7\n")
    return folder


def rows(out):
    head, *lines = (line.split("\t") for line in out.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_scores_as_columns(run, models, sets):
    status, out, err = run("evaluate", *models, "--sets", sets)
    assert status == 0
    assert "evaluating" in err
    table = rows(out)
    assert [row["metric"] for row in table] == [
        "Spearman", "Spearman", "Pearson", "Pearson", "3CosAdd", "3CosAdd", "3CosMul", "3CosMul",
    ]  # fmt: skip
    first = table[0]
    assert (first["model"], first["test_set"], first["section"]) == ("one", "EN-Pairs-29", "")
    assert float(first["value"]) == pytest.approx(1, abs=1e-3)
    assert (first["n_questions"], table[1]["n_covered"]) == ("29", "27")
    sections = rows(run("evaluate", models[0], "--sets", sets, "--sections")[1])
    assert {row["section"] for row in sections} == {"", "semantic", "syntactic", "gram1", "b"}


def test_scores_as_json_markdown_and_latex(run, models, sets):
    told = json.loads(run("evaluate", *models, "--sets", sets, "--json")[1])
    assert told["scores"][0]["test_set"] == "EN-Pairs-29"
    assert {each["second"] for each in told["comparisons"]} == {"other"}
    command = ("evaluate", *models, "--sets", sets, "--resamples", "0", "--format")
    assert "| EN-Pairs-29 | Spearman |" in run(*command, "markdown")[1]
    assert r"\toprule" in run(*command, "latex")[1]
    status, _, err = run(*command, "latex", "--json")
    assert (status, "do not go together" in err) == (2, True)


def test_a_table_for_people(run, models, sets, monkeypatch):
    monkeypatch.setattr(scores, "is_terminal", lambda: True)
    for width in ("160", "70"):
        monkeypatch.setenv("COLUMNS", width)
        out = run("evaluate", *models, "--sets", sets)[1]
        assert "Similarity," in out
        assert "EN-Pairs-29" in out
        assert "other - one" in out
        assert "95% intervals of 1,000 bootstrap resamples" in " ".join(out.split())
        assert max(map(len, out.splitlines())) <= int(width)


def test_settings_reach_the_evaluation(run, models, sets):
    arguments = ("--uncovered", "wrong", "--restrict-vocab", "6", "--case-sensitive", "--subwords",
                 "--resamples", "7", "--seed", "3")  # fmt: skip
    told = json.loads(run("evaluate", *models, "--sets", sets, *arguments, "--json")[1])
    settings = {name: told[name] for name in ("uncovered", "restrict_vocab", "case_insensitive")}
    assert settings == {"uncovered": "wrong", "restrict_vocab": 6, "case_insensitive": False}
    assert (told["subwords"], told["n_resamples"], told["seed"]) == (True, 7, 3)
    told = json.loads(
        run("evaluate", models[0], "--sets", sets, "--restrict-vocab", "0", "--json")[1]
    )
    assert told["restrict_vocab"] is None
    covered = [s["n_covered"] for s in told["scores"] if s["metric"] == "3CosAdd"]
    assert covered[0] == 2


def test_sets_by_name(run, models, sets, monkeypatch):
    status, _, err = run("evaluate", models[0])
    assert (status, "set FIRTH_TEST_SETS" in err) == (2, True)
    monkeypatch.setenv("FIRTH_TEST_SETS", str(sets))
    assert {row["test_set"] for row in rows(run("evaluate", models[0])[1])} == {
        "EN-Pairs-29", "questions",
    }  # fmt: skip
    named = run("evaluate", models[0], "--sets", "pairs", "--sets", "en-pairs-29")[1]
    assert {row["test_set"] for row in rows(named)} == {"EN-Pairs-29"}
    by_path = run("evaluate", models[0], "--sets", sets / "questions.txt")[1]
    assert {row["test_set"] for row in rows(by_path)} == {"questions"}
    status, _, err = run("evaluate", models[0], "--sets", "simlex")
    assert status == 1
    assert "simlex: neither a file or folder, nor a test set in" in err
    assert "there are EN-Pairs-29, questions" in err


def test_a_report(run, models, sets, tmp_path):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    status, _, err = run("evaluate", *models, "--sets", sets, "--report", tmp_path / "r.html")
    assert status == 0
    assert "the report is in" in err
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    # Before hours of work, not behind them.
    status, out, err = run("evaluate", *models, "--sets", sets, "--report", tmp_path / "no" / "r")
    assert (status, out) == (1, "")
    assert "evaluating" not in err


def test_what_cannot_be_evaluated(run, models, sets, tmp_path):
    status, _, err = run("evaluate", tmp_path / "none", "--sets", sets)
    assert (status, "none" in err) == (1, True)
    status, _, err = run("evaluate", models[0], models[0], "--sets", sets)
    assert (status, "given twice" in err) == (2, True)
    (sets / "questions.txt").write_text("a b c d\na b\n")
    status, _, err = run("evaluate", models[0], "--sets", sets / "questions.txt")
    assert (status, "line 2 has 2 words where an analogy has four" in err) == (1, True)


def test_models_of_the_same_name(run, models, sets, tmp_path):
    again = tmp_path / "more" / "one"
    again.parent.mkdir()
    firth.load(models[0]).save(again)
    out = run("evaluate", models[0], again, "--sets", sets)[1]
    assert {row["model"] for row in rows(out)} == {str(models[0]), str(again)}


# --- diff and stability ---------------------------------------------------------------------------


def test_what_moved(run, models, monkeypatch):
    out = run("diff", *models)[1]
    table = rows(out)
    assert len(table) == 10
    assert table[0]["word"] == "w5"
    assert float(table[0]["distance"]) > 1
    assert len(table[0]["old"].split()) == 6
    told = json.loads(run("diff", *models, "-k", "2", "--neighbours", "3", "--json")[1])
    assert (told["n_shared"], told["n_only_new"], len(told["moved"])) == (55, 5, 2)
    assert len(told["moved"][0]["new_neighbours"]) == 3
    monkeypatch.setattr(scores, "is_terminal", lambda: True)
    monkeypatch.setattr("firth.cli.diff.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    out = run("diff", *models, "--by", "z", "--no-align")[1]
    assert "55 words in common; 55 compared" in out
    assert "only in the new model: 5 words: a b c d e" in out
    assert "old neighbours" in out


def test_what_moved_of_some_words(run, models):
    out = run("diff", *models, "w9", "w5", "--restrict-vocab", "0")[1]
    assert [row["word"] for row in rows(out)] == ["w9", "w5"]
    status, _, err = run("diff", *models, "abc")
    assert (status, "the word 'abc' was not compared" in err) == (1, True)


def test_what_trainings_agree_on(run, models, monkeypatch):
    table = rows(run("stability", *models, "-k", "5")[1])
    assert [row["words"] for row in table] == ["1-1,000"]
    assert 0.7 < float(table[0]["overlap"]) < 1
    told = json.loads(run("stability", *models, "--json")[1])
    assert (told["topn"], told["bands"][0]["n_words"]) == (10, 55)
    monkeypatch.setattr("firth.cli.diff.is_terminal", lambda: True)
    assert "of 10 neighbours" in run("stability", *models)[1]
    status, _, err = run("stability", models[0])
    assert (status, "Give two models or more" in err) == (2, True)
    assert "given twice" in run("stability", models[0], models[0])[2]
