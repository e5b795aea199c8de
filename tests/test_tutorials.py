"""The tutorials run, as they stand, with smaller settings and small data of their own.

Names in capitals are the settings of a tutorial; here they get other values. Where the real data
are, what the first tutorial says that it prints is what it prints.
"""

import gzip
import io
import os
import random
import re
import tarfile
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from pages import REPOSITORY, TUTORIALS, prepare, python_blocks, run_blocks, with_settings

DATA = Path(os.environ.get("FIRTH_DATA", REPOSITORY.parent / "shared" / "data"))
TEXT = """
    the of and to in is that it was for on as with by at from be this have are which not or had his
    but they when where unless if whenever then before once finally one two three four five six
    seven eight nine zero king queen man woman son daughter elephant green blue red zebra chip river
    anarchism a political philosophy baby computers machines run beautiful beijing china tokyo japan
    bad worst big biggest do did go went nice world boy girl child mother water land city north
    south east west year time people new first other some state war house game team music book light
    engine space graphics church god car
"""
WORDS = TEXT.split()


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    return tmp_path


def small_text(folder, n_words=20_000):
    draw = random.Random(1)
    weights = [1 / rank for rank in range(3, len(WORDS) + 3)]
    text = " ".join([*WORDS * 12, *draw.choices(WORDS, weights, k=n_words)])
    with gzip.open(folder / "text.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    return str(folder / "text.gz")


def small_vectors(folder, vector_size=8):
    draw = random.Random(2)
    rows = ("".join(f" {draw.gauss(0, 1):.4f}" for _ in range(vector_size)) for _ in WORDS)
    lines = [f"{word}{row}\n" for word, row in zip(WORDS, rows, strict=True)]
    (folder / "glove.txt").write_text("".join(lines), encoding="utf-8")
    return str(folder / "glove.txt")


def small_posts(folder):
    """An archive laid out as that of 20 Newsgroups, with a few posts in three groups."""
    draw = random.Random(3)
    with tarfile.open(folder / "news.tar.gz", "w:gz") as archive:
        for part, n_posts in (("train", 12), ("test", 4)):
            for number, group in enumerate(("comp.graphics", "rec.autos", "sci.space")):
                topic = WORDS[30 * number : 30 * number + 40]
                for post in range(n_posts):
                    body = " ".join(draw.choices(topic, k=draw.randint(5, 250)))
                    data = f"From: somebody\nNewsgroups: {group}\n\n{body} caf\xe9\n".encode(
                        "latin-1"
                    )
                    member = tarfile.TarInfo(f"20news-bydate-{part}/{group}/{post}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    return str(folder / "news.tar.gz")


# What each tutorial needs beyond firth, and its settings here.
NEEDED = {
    "classifier": ["torch", "keras", "sklearn"],
    "embedding-matrix": ["torch", "matplotlib", "openTSNE", "sklearn"],
    "train-and-use": ["torch", "keras"],
}
SMALL = {
    "pretrained-vectors": lambda folder: {"GLOVE": small_vectors(folder)},
    "train-and-use": lambda folder: {"TEXT": small_text(folder), "VECTOR_SIZE": 16, "EPOCHS": 1},
    "skip-gram": lambda folder: {"TEXT": small_text(folder), "VECTOR_SIZE": 16},
    "embedding-matrix": lambda folder: {
        "VECTORS": small_vectors(folder),
        "TOP": 50,
        "N_SENTENCES": 20,
        "EPOCHS": 1,
    },
    "classifier": lambda folder: {
        "NEWS": small_posts(folder),
        "VECTORS": small_vectors(folder),
        "N_POSTS": 30,
        "LENGTH": 160,
        "N_WORDS": 60,
        "EPOCHS": 1,
    },
}


def run(page, settings):
    """Run a tutorial; gives what each block printed, with the block."""
    for package in NEEDED.get(page.stem, ["torch"]):
        pytest.importorskip(package, reason=f"needs {package}")
    runs = run_blocks(page, {"__name__": "__main__"}, settings)
    printed = io.StringIO()
    with warnings.catch_warnings():
        # The text here is far too small for the settings of the tutorials.
        warnings.simplefilter("ignore")
        with redirect_stdout(printed):
            for block in runs:
                yield block, printed.getvalue()
                printed.seek(0)
                printed.truncate()
    assert settings == {}, f"{page.name} has no such settings"


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_the_tutorials_run(page, workplace):
    small = SMALL.get(page.stem)
    for block, printed in run(page, small(workplace) if small else {}):
        # Where the page shows an answer there is one, of as many lines.
        if small and block.printed is not None:
            expected = block.printed.count("\n")
            assert printed.count("\n") == expected, f"{page.name}:{block.line} printed:\n{printed}"


def test_what_the_tutorial_of_vectors_prints_is_what_it_says(workplace):
    glove = DATA / "vectors" / "glove.6B.50d.top5k.txt.gz"
    if not glove.exists():
        pytest.skip(f"there are no data in {DATA}; set FIRTH_DATA")
    page = REPOSITORY / "docs" / "tutorials" / "pretrained-vectors.md"
    for block, printed in run(page, {"GLOVE": str(glove)}):
        assert printed == (block.printed or ""), f"{page.name}:{block.line}"


def test_the_tutorial_of_training_runs_on_real_text(workplace):
    text = DATA / "corpora" / "wiki100m.txt.gz"
    if not text.exists():
        pytest.skip(f"there are no data in {DATA}; set FIRTH_DATA")
    page = REPOSITORY / "docs" / "tutorials" / "skip-gram.md"
    settings = {"TEXT": str(text), "N_WORDS": 150_000, "VECTOR_SIZE": 20, "EPOCHS": 1}
    losses = [printed for _, printed in run(page, settings) if printed.startswith("PyTorch")]
    torch_loss, our_loss = map(float, re.findall(r"[\d.]+", losses[0]))
    assert torch_loss == pytest.approx(our_loss, abs=0.02)


def test_settings_are_found_and_changed():
    settings = {"EPOCHS": 1, "TEXT": "small", "OTHER": 2}
    namespace = {}
    code = "SIZE, EPOCHS = 300, 10\nTEXT = 'large'\nlower = 3\nif EPOCHS:\n    OTHER = 5\n"
    exec(compile(with_settings(code, settings), "page", "exec"), namespace)
    assert (namespace["SIZE"], namespace["EPOCHS"], namespace["TEXT"]) == (300, 1, "small")
    assert settings == {"OTHER": 2}


def test_the_tutorials_show_what_they_print():
    for page in TUTORIALS:
        assert any(block.printed for block in python_blocks(page)), page.name
        assert "TODO" not in page.read_text(encoding="utf-8")
