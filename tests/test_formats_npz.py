import io
import os
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError, OutputError
from firth.formats import FORMATS, VectorSource, read_vectors, write_vectors
from vector_tables import WORDS, assert_same, little_memory, make_table


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_table_comes_back(tmp_path, suffix):
    table = make_table(config={"unknown_word": "the"})
    path = tmp_path / f"v.npz{suffix}"
    write_vectors(table, path)
    read = read_vectors(path)
    assert_same(read, table)
    assert (read.report.format, read.report.rows_read) == ("npz", len(WORDS))
    assert read.config == {"unknown_word": "the"}


@given(
    words=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
            lambda word: not word.endswith("\0")
        ),
        min_size=1,
        unique=True,
    )
)
def test_any_words_come_back(words):
    table = make_table(words, 2, counts=False)
    file = io.BytesIO()
    FORMATS["npz"].write_file(table, file)
    file.seek(0)
    assert_same(read_vectors(file), table)


def test_numpy_opens_it_without_pickle(tmp_path):
    table = make_table()
    write_vectors(table, tmp_path / "v.npz")
    with np.load(tmp_path / "v.npz", allow_pickle=False) as archive:
        assert archive["idx_to_token"].tolist() == WORDS
        assert (archive["idx_to_vec"] == table.vectors).all()
        assert archive["counts"].tolist() == table.vocab.counts.tolist()
        assert not archive["unknown_token"]  # which is how GluonNLP tells that there is none


def test_the_same_table_makes_the_same_file(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_vectors(make_table(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_float16_is_written_as_float32(tmp_path):
    table = make_table(dtype=np.float16)
    write_vectors(table, tmp_path / "v.npz")
    read = read_vectors(tmp_path / "v.npz", dtype="float16")
    assert read.vectors.dtype == np.float16
    assert_same(read, table)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_as_gluonnlp_wrote_them(tmp_path, save):
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    save(
        tmp_path / "v.npz",
        unknown_token=np.array("<unk>"),
        idx_to_token=np.array(["<unk>", "the", "ü", "the"], dtype="O"),
        idx_to_vec=vectors,
    )
    table = read_vectors(tmp_path / "v.npz")
    assert list(table.vocab) == ["<unk>", "the", "ü"]
    assert table.vectors.tolist() == vectors[:3].tolist()
    assert table.report.duplicates == 1
    assert table.config == {"unknown_word": "<unk>"}
    with pytest.raises(FormatError, match="1 duplicates; strict"):
        read_vectors(tmp_path / "v.npz", strict=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (np.array(["a", "ü"]), ["a", "ü"]),
        (np.array(["a", "ü"], ">U5"), ["a", "ü"]),
        (np.array([b"a", "ü".encode()]), ["a", "ü"]),
        (np.array([b"a", "ü"], "O"), ["a", "ü"]),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_words_and_vectors_of_other_kinds(tmp_path, words, expected, order):
    vectors = np.asarray([[1.5, 2], [3, 4]], ">f8", order=order)
    np.savez(tmp_path / "v.npz", idx_to_token=words, idx_to_vec=vectors, unknown_token=b"a")
    table = read_vectors(tmp_path / "v.npz")
    assert (list(table.vocab), table.vectors.tolist()) == (expected, vectors.tolist())
    assert table.config == {"unknown_word": "a"}


def test_words_that_are_not_utf8(tmp_path):
    np.savez(tmp_path / "v.npz", idx_to_token=np.array([b"a", b"\xff"]), idx_to_vec=np.ones((2, 1)))
    with pytest.raises(FormatError, match=r"row 1 .*not UTF-8.*errors="):
        read_vectors(tmp_path / "v.npz")
    table = read_vectors(tmp_path / "v.npz", errors="replace")
    assert (list(table.vocab), table.report.undecodable_words) == (["a", "\ufffd"], 1)
    table = read_vectors(tmp_path / "v.npz", errors="ignore")
    assert (list(table.vocab), table.report.empty_words) == (["a"], 1)


# --- what is refused ------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_code_in_the_words_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = np.array(["a", Bomb()], "O")
    np.savez("v.npz", idx_to_token=words, idx_to_vec=np.ones((2, 1)))
    with pytest.raises(FormatError, match=r"member idx_to_token\.npy: byte \d+ .*'system'"):
        read_vectors("v.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["v.npz"]


def test_a_word_that_ends_with_nul_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"'a\\x00' ends with the character NUL"):
        write_vectors(make_table(["a\0", "b"]), tmp_path / "v.npz")
    assert list(tmp_path.iterdir()) == []


def test_padding_without_measure_is_not_written(tmp_path):
    table = make_table(["x" * 50_000_000, *map(str, range(100))], 1)
    with pytest.raises(OutputError, match="the longest word has 50,000,000 characters"):
        write_vectors(table, tmp_path / "v.npz")


def archive_of(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(array, **changed):
    file = io.BytesIO()
    np.save(file, array)
    data = file.getvalue()
    for old, new in changed.get("replace", ()):
        assert old in data
        data = data.replace(old, new)
    return data


WORD_FILE = npy(np.array(["a", "b"]))
VECTOR_FILE = npy(np.ones((2, 3), np.float32))


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"x": VECTOR_FILE}, "without the array 'idx_to_token'.*this has x"),
        ({"idx_to_token": WORD_FILE}, "without the array 'idx_to_vec'"),
        ({"idx_to_token": VECTOR_FILE, "idx_to_vec": VECTOR_FILE}, "where words belong"),
        ({"idx_to_token": WORD_FILE, "idx_to_vec": WORD_FILE}, "where numbers belong"),
        ({"idx_to_token": WORD_FILE, "idx_to_vec": npy(np.ones(2))}, r"shape \(2,\)"),
        ({"idx_to_token": WORD_FILE, "idx_to_vec": npy(np.ones((1, 3)))}, r"shape \(1, 3\)"),
        ({"idx_to_token": WORD_FILE, "idx_to_vec": npy(np.ones((2, 0)))}, r"shape \(2, 0\)"),
        (
            {
                "idx_to_token": WORD_FILE,
                "idx_to_vec": npy(
                    np.ones((2, 0)), replace=[(b"(2, 0)", b"(9223372036854775808, 0)")]
                ),
            },
            r"shape \(9223372036854775808, 0\), which is none",
        ),
        ({"idx_to_token": npy(np.array([], "U1")), "idx_to_vec": VECTOR_FILE}, "no words"),
        ({"idx_to_token": npy(np.array([1, 2], "O")), "idx_to_vec": VECTOR_FILE}, "no text"),
        (
            {"idx_to_token": WORD_FILE, "idx_to_vec": VECTOR_FILE[:-4]},
            "cut off after 20 of 24 bytes",
        ),
        (
            {"idx_to_token": WORD_FILE[:-4], "idx_to_vec": VECTOR_FILE},
            "cut off, 2 words before its end",
        ),
        ({"idx_to_token": b"nothing", "idx_to_vec": VECTOR_FILE}, "header cannot be read"),
        (
            {
                "idx_to_token": WORD_FILE,
                "idx_to_vec": npy(np.ones((2, 3)), replace=[(b"(2, 3)", b"(2, 9)")]),
            },
            "cut off after 48 of 144 bytes",
        ),
        (
            {
                "idx_to_token": WORD_FILE,
                "idx_to_vec": npy(
                    np.ones((2, 3), np.float32),
                    replace=[(b"(2, 3), }            ", b"(10000000, 10000000)}")],
                ),
            },
            "claims 400,000,000,000,000 bytes",
        ),
        (
            {
                "idx_to_token": WORD_FILE,
                "idx_to_vec": npy(np.ones((2, 3), [("a", "f4"), ("b", "f4")])),
            },
            "an array of structures",
        ),
        (
            {"idx_to_token": npy(np.array(["a", "b"], "O"))[:-3], "idx_to_vec": VECTOR_FILE},
            "cut off",
        ),
    ],
)
def test_what_is_no_file_of_vectors_is_refused(tmp_path, members, problem):
    archive_of(tmp_path / "v.npz", members)
    with little_memory(), pytest.raises(FormatError, match=problem) as caught:
        read_vectors(tmp_path / "v.npz", format="npz")
    assert "v.npz" in str(caught.value)


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "v.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("idx_to_token.npy", WORD_FILE)
        with archive.open("idx_to_vec.npy", "w") as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "<f4", "fortran_order": False, "shape": (1 << 25, 1)}
            )
            for _ in range(128):
                member.write(bytes(1 << 20))
    with little_memory(), pytest.raises(FormatError, match="over 250 times as many"):
        read_vectors(tmp_path / "v.npz")


def test_damaged_archives_are_refused(tmp_path):
    write_vectors(make_table(), tmp_path / "v.npz")
    data = (tmp_path / "v.npz").read_bytes()
    for end in range(0, len(data), 97):
        (tmp_path / "cut.npz").write_bytes(data[:end])
        with pytest.raises(FormatError):
            read_vectors(tmp_path / "cut.npz")
    for at in range(0, len(data), 13):
        damaged = bytearray(data)
        damaged[at] ^= 0x41
        (tmp_path / "bad.npz").write_bytes(damaged)
        with suppress(FormatError):
            read_vectors(tmp_path / "bad.npz", format="npz")


def test_a_member_whose_name_is_damaged_in_front_of_it(tmp_path):
    write_vectors(make_table(["ü"]), tmp_path / "v.npz")
    data = bytearray((tmp_path / "v.npz").read_bytes())
    data[7] |= 0x08  # the name is UTF-8
    data[30] = 0xBE
    (tmp_path / "v.npz").write_bytes(data)
    with pytest.raises(FormatError, match=r"v\.npz: member .* cannot be unpacked"):
        read_vectors(tmp_path / "v.npz", format="npz")


def test_other_archives_are_not_taken_for_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("v.txt", "1 2\na 1 2\n")
    with VectorSource(tmp_path / "a.zip") as source:
        assert not FORMATS["npz"].recognise(source)
