"""Tests of reading texts with labels: folders, archives, records, headers, what leaks."""

import gzip
import io
import json
import logging
import tarfile
import zipfile

import pytest

from firth.errors import InputError, ParameterError, SourceError, TextError

pytest.importorskip("sklearn", reason="needs scikit-learn: firth[tasks]")

from firth.tasks import read_labelled_texts, read_split, split_texts

POST = "From: a@b.c (A)\nSubject: Re: engines\n  and more\n\nThe engine.\n\nSecond part.\n"
FILES = {
    "rec.autos/1": POST.encode(),
    "rec.autos/2": b"A caf\xe9 car",
    "sci.space/1": "The orbit caf\u00e9".encode(),
    "sci.space/deep/2": b"\xef\xbb\xbfA launch",
    "sci.space/.DS_Store": b"\0\1",
    ".git/config": b"x",
    "README": b"stray",
}


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tar_of(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "tar", "zip", "within"])
def test_a_tree_of_classes(kind, tmp_path, caplog):
    if kind == "folder":
        source = write(tmp_path / "posts", FILES)
    elif kind == "zip":
        source = zip_of(tmp_path / "posts.zip", FILES)
    elif kind == "within":
        inside = {f"all/here/{name}": data for name, data in FILES.items()}
        source = tar_of(tmp_path / "posts.tgz", inside | {"other": b"x"}) / "all" / "here"
    else:
        source = tar_of(tmp_path / f"posts.{kind}", FILES, "w:gz" if kind == "tar.gz" else "w")
    with caplog.at_level(logging.WARNING, "firth"):
        found = read_labelled_texts(source)
    assert found.labels == ["rec.autos", "rec.autos", "sci.space", "sci.space"]
    assert found.texts == [POST, "A caf\u00e9 car", "The orbit caf\u00e9", "A launch"]
    assert (found.n_latin1, found.n_headers, found.stray) == (1, 1, ["README"])
    assert "passed over a file in no folder of a class, such as README" in caplog.text
    assert found.classes == {"rec.autos": 2, "sci.space": 2}


def test_headers_end_at_the_first_blank_line(tmp_path):
    write(tmp_path, {"a/1": POST.encode(), "b/1": POST.replace("\n", "\r\n").encode()})
    write(
        tmp_path,
        {"a/2": b"Dear all,\n\nno headers.", "b/2": b"path!to!me\nSubject: x\nFrom: y\n\nz"},
    )
    found = read_labelled_texts(tmp_path, headers="strip")
    assert found.texts == [
        "The engine.\n\nSecond part.\n", "Dear all,\n\nno headers.",
        "The engine.\r\n\r\nSecond part.\r\n", "z",
    ]  # fmt: skip
    assert found.n_headers == 3
    assert found.leaks() is None
    assert "begin with the headers of a post" in read_labelled_texts(tmp_path).leaks()


def test_names_of_classes_in_the_texts(tmp_path):
    write(tmp_path, {f"autos/{i}": b"Newsgroup autos: cars" for i in range(3)} | {"b/1": b"x"})
    assert "have the name of their class in them, such as 'autos' in 3" in (
        read_labelled_texts(tmp_path).leaks()
    )


@pytest.mark.parametrize("top", ["", "news-bydate/"])
def test_a_split_is_found_by_its_folders(tmp_path, top):
    files = {
        f"{top}news-{part}/{label}/1": label.encode()
        for part in ("train", "test")
        for label in "ab"
    }
    source = tar_of(tmp_path / "news.tar.gz", files)
    train, test = read_split(source)
    assert (train.labels, test.texts) == (["a", "b"], ["a", "b"])
    with pytest.raises(
        InputError, match=rf"folders of folders .*give one of these, .*/{top}news-test"
    ):
        read_labelled_texts(source)
    assert read_labelled_texts(source / f"{top}news-test").labels == ["a", "b"]
    with pytest.raises(InputError, match="folders of folders"):
        read_split(write(tmp_path / "x", {"u/a/1": b"a", "v/a/1": b"a", "w/a/1": b"a"}))


def test_a_tree_without_a_split(tmp_path):
    write(tmp_path, {"a/1": b"x", "b/1": b"y"})
    train, test = read_split(tmp_path)
    assert (len(train), test) == (2, None)
    many = read_labelled_texts(write(tmp_path / "m", {f"a/{i}": b"%d" % i for i in range(10)}))
    learned, scored = split_texts(many, 0.2, seed=3)
    assert (len(learned), len(scored)) == (8, 2)
    assert sorted(learned.texts + scored.texts) == sorted(many.texts)
    with pytest.raises(ParameterError, match=r"a share of 0\.01 of 10 texts"):
        split_texts(many, 0.01)


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.tsv", "t.jsonl.gz"])
def test_files_of_records(tmp_path, name):
    rows = [("one, two", "a"), ('the "x"', "b")]
    if "jsonl" in name:
        data = "".join(
            json.dumps({"body": t, "stars": i, "label": y}) + "\n\n"
            for i, (t, y) in enumerate(rows)
        )
        label, expected = "stars", ["0", "1"]
    else:
        quoted = [('"one, two"', "a"), ('"the ""x"""', "b")] if name == "t.csv" else rows
        separator = "," if name == "t.csv" else "\t"
        data = "".join(separator.join(row) + "\n" for row in [("body", "label"), *quoted])
        label, expected = "label", ["a", "b"]
    path = tmp_path / name
    path.write_bytes(gzip.compress(data.encode()) if name.endswith("gz") else data.encode())
    found = read_labelled_texts(path, text_field="body", label_field=label)
    assert (found.texts, found.labels) == ([text for text, _ in rows], expected)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("t.jsonl", '{"text": "a", "label": "x"}\n{"text": "a"}\n', "line 2 has no field 'label'"),
        ("t.jsonl", '{"text": 3, "label": "x"}\n', "line 1: the field 'text' is 3, not a string"),
        ("t.jsonl", '{"text": "a", "label": null}\n', "field 'label' is None"),
        ("t.jsonl", '{"text": "a", "label": 1.5}\n', "the field 'label' is 1.5"),
        ("t.jsonl", '\n{"text": \n', "line 2 is no JSON object"),
        ("t.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("t.csv", "text,label\na,x\nb,c,d\n", "line 3 does not have the 2 columns"),
        ("t.csv", "text;label\na;x\n", "no column 'text'.*semicolons"),
        ("t.tsv", "text\tlabel\na\t\n", "line 2: the field 'label' is ''"),
    ],
)  # fmt: skip
def test_records_that_are_broken(tmp_path, name, data, message):
    (tmp_path / name).write_text(data)
    with pytest.raises(TextError, match=message):
        read_labelled_texts(tmp_path / name)


def test_what_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="no such file or folder"):
        read_labelled_texts(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="no such file or folder"):
        read_labelled_texts(tmp_path / "nowhere.tar.gz")
    (tmp_path / "t.txt").write_text("a text")
    with pytest.raises(ParameterError, match="no file of records that can be read here"):
        read_labelled_texts(tmp_path / "t.txt")
    (tmp_path / "t.jsonl").write_text("\n")
    with pytest.raises(InputError, match="has no records"):
        read_labelled_texts(tmp_path / "t.jsonl")
    with pytest.raises(InputError, match=r"no folder of a class.*it has 'a'"):
        read_labelled_texts(write(tmp_path / "flat", {"a": b"x"}))
    with pytest.raises(ParameterError, match="headers is 'drop'"):
        read_labelled_texts(tmp_path, headers="drop")
    with pytest.raises(ParameterError, match="encoding is 'klingon'"):
        read_labelled_texts(tmp_path, encoding="klingon")
    with pytest.raises(TextError, match=r"a/1 is not ascii.*at byte 1"):
        read_labelled_texts(write(tmp_path / "l", {"a/1": b"x\xe9"}), encoding="ascii")
    archive = tar_of(tmp_path / "p.tar.gz", {f"a/{i}": b"x" * 5000 for i in range(20)})
    with pytest.raises(SourceError, match="no files below 'b'"):
        read_labelled_texts(archive / "b")
    for name in ("p.tar.gz", "p.zip"):
        (tmp_path / name).write_bytes(archive.read_bytes()[:70])
        with pytest.raises(TextError, match=f"{name} cannot be read as a"):
            read_labelled_texts(tmp_path / name)
