"""KeyedVectors to files and back."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import firth
from fasttext_files import model, some_rows
from firth import KeyedVectors, Vocab
from firth.errors import FormatError, OutputError, ParameterError, SourceError
from firth.storage import open_tensors, save_tensors
from firth.subwords import ExplicitSubwords, FastTextSubwords, FinalfusionSubwords, FloretSubwords

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))
WORDS = ["king", "queen", "man"]
UNSEEN = ["kings", "日本", "", "x"]


def families():
    rows = some_rows(16, 4)
    return {
        "none": None,
        "fasttext": FastTextSubwords(rows, 2, 4, word_rows=some_rows(3, 4, seed=1)),
        "pruned": FastTextSubwords(rows[:3], 2, 4, bucket=16, kept=np.array([1, 5, 8])),
        "floret": FloretSubwords(rows, 1, 4, hash_count=2, begin_mark="«", end_mark="»"),
        "finalfusion": FinalfusionSubwords(rows, 1, 4),
        "explicit": ExplicitSubwords(rows, ["ki", "ing"], 2, 3, ngram_rows=np.array([3, 5])),
    }


@pytest.fixture(params=list(families()))
def wv(request):
    vocab = Vocab.from_words(WORDS, [3, 2, 1])
    return KeyedVectors(vocab, some_rows(3, 4, seed=2), subwords=families()[request.param])


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_folder_keeps_subwords_and_precision(wv, dtype, tmp_path):
    subwords = wv.subwords and wv.subwords.astype(dtype)
    wv = KeyedVectors(wv.vocab, wv.vectors.astype(dtype), subwords=subwords)
    wv.save(tmp_path / "m")
    again = KeyedVectors.load(tmp_path / "m")
    assert again.vectors.dtype == dtype
    assert again.vectors.tobytes() == wv.vectors.tobytes()
    assert type(again.subwords) is type(wv.subwords)
    assert (tmp_path / "m" / "subwords.safetensors").exists() == (wv.subwords is not None)
    if wv.subwords is not None:
        assert again.subwords.rows.dtype == dtype
        assert again[UNSEEN].tobytes() == wv[UNSEEN].tobytes()
    # And once more, over itself, from what is mapped.
    again.save(tmp_path / "m")
    assert KeyedVectors.load(tmp_path / "m").most_similar("king") == wv.most_similar("king")


def test_replacing_a_folder_leaves_no_subwords_of_another(tmp_path):
    wv = KeyedVectors(Vocab.from_words(WORDS), some_rows(3, 4), subwords=families()["fasttext"])
    wv.save(tmp_path / "m")
    KeyedVectors(wv.vocab, wv.vectors).save(tmp_path / "m")
    assert KeyedVectors.load(tmp_path / "m").subwords is None
    assert not (tmp_path / "m" / "subwords.safetensors").exists()


def test_subwords_are_mapped_and_not_imported_where_there_are_none(tmp_path):
    rows = some_rows(16, 4)
    vocab = Vocab.from_words(WORDS)
    KeyedVectors(vocab, some_rows(3, 4)).save(tmp_path / "plain")
    KeyedVectors(vocab, some_rows(3, 4), subwords=FloretSubwords(rows, 2, 3)).save(
        tmp_path / "with"
    )
    assert not KeyedVectors.load(tmp_path / "with").subwords.rows.flags.writeable
    code = "import sys, firth; firth.load(sys.argv[1])['king']; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "plain")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    modules = set(done.stdout.split())
    assert "firth.subwords" not in modules
    assert "firth.formats._source" not in modules


def damaged(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config["subwords"] = changes or "none"
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: (m / "subwords.safetensors").unlink(), "subwords.safetensors: .*missing"),
        (lambda m: (m / "subwords.safetensors").write_bytes(b"x"), "subwords.safetensors: 1 byte"),
        (lambda m: save_tensors(m / "subwords.safetensors", {}), "lack 'bucket_rows'; make"),
        (damaged, "is 'none', no object"),
        (lambda m: damaged(m, family="word"), "'word'; known are fasttext"),
        (lambda m: damaged(m, family="fasttext", min_n=1, max_n=2), "lack 'bucket'"),
        (
            lambda m: damaged(
                m, family="fasttext", min_n=3, max_n=2, bucket=16, sentence_end_ngrams=False
            ),
            "min_n is 3",
        ),
        (
            lambda m: damaged(
                m, family="fasttext", min_n="a", max_n=2, bucket=16, sentence_end_ngrams=False
            ),
            "subwords: ",
        ),
        (
            lambda m: save_tensors(m / "subwords.safetensors", {"bucket_rows": some_rows(16, 5)}),
            "vectors of size 5, and vectors.safetensors of size 4",
        ),
        (
            lambda m: save_tensors(
                m / "subwords.safetensors",
                {"bucket_rows": some_rows(16, 4), "word_rows": some_rows(2, 4)},
            ),
            "has 2 rows of words, and vectors.safetensors has 3",
        ),
    ],
)
def test_damaged_subwords(damage, message, tmp_path):
    wv = KeyedVectors(Vocab.from_words(WORDS), some_rows(3, 4), subwords=families()["fasttext"])
    wv.save(tmp_path / "m")
    damage(tmp_path / "m")
    with pytest.raises(FormatError, match=message):
        KeyedVectors.load(tmp_path / "m")


def test_a_folder_may_be_read_in_part(tmp_path):
    wv = KeyedVectors(
        Vocab.from_words(WORDS, [3, 2, 1]), some_rows(3, 4), subwords=families()["fasttext"]
    )
    wv.save(tmp_path / "m")
    some = KeyedVectors.load(tmp_path / "m", only=["man", "king"], dtype="float16")
    assert some.index_to_key == ["king", "man"]
    assert some.vectors.dtype == some.vectors_ngrams.dtype == np.float16
    assert some.vectors_vocab.shape == (2, 4)
    assert some.load_report.format == "firth"


def test_other_formats_are_recognised(tmp_path):
    (tmp_path / "m.bin.gz").write_bytes(gzip.compress(model()))
    wv = firth.load(tmp_path / "m.bin.gz", limit=2)
    assert wv.index_to_key == ["</s>", "king"]
    assert "kings" in wv
    assert wv.load_report.format == "fasttext"
    assert firth.load(io.BytesIO(model())).subwords.bucket == 10
    text = tmp_path / "m.txt"
    text.write_text("2 2\nking 1 2\nqueen 3 4\n")
    assert KeyedVectors.load(str(text))["queen"].tolist() == [3, 4]
    assert KeyedVectors.load(text, format="word2vec-text").load_report.rows_claimed == 2
    with pytest.raises(SourceError, match="no such file"):
        firth.load(tmp_path / "none.bin")
    with pytest.raises(FormatError, match="empty"):
        firth.load(io.BytesIO(b""))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=r"no config\.json in it: not a folder of firth"):
        firth.load(tmp_path / "empty")


def test_saving_in_other_formats(tmp_path):
    wv = KeyedVectors(
        Vocab.from_words(WORDS, [3, 2, 1]), some_rows(3, 4), subwords=families()["fasttext"]
    )
    wv.save(tmp_path / "m.bin", format="fasttext")
    again = firth.load(tmp_path / "m.bin")
    assert again["kings"].tobytes() == wv["kings"].tobytes()
    wv.save(tmp_path / "m.kv")
    assert (tmp_path / "m.kv").is_dir()
    with pytest.raises(ParameterError, match="format is 'pickle', which is none of firth"):
        wv.save(tmp_path / "m", format="pickle")
    with pytest.raises(ParameterError, match="extra_config goes into a folder"):
        wv.save(tmp_path / "m", format="fasttext", extra_config={"a": 1})


# --- word2vec's formats ---------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
def test_word2vec_formats_with_counts(binary, tmp_path):
    wv = KeyedVectors(Vocab.from_words(["king", "日本", "men's"], [30, 20, 10]), some_rows(3, 4))
    path, counts = tmp_path / "vectors", tmp_path / "counts"
    wv.save_word2vec_format(path, counts, binary=binary)
    assert counts.read_text(encoding="utf-8") == "king 30\n日本 20\nmen's 10\n"
    again = KeyedVectors.load_word2vec_format(path, fvocab=counts, binary=binary)
    assert again.vocab == wv.vocab
    assert again.vectors.tobytes() == wv.vectors.tobytes()
    some = KeyedVectors.load_word2vec_format(path, binary=binary, limit=2, datatype=np.float16)
    assert some.vectors.dtype == np.float16
    assert len(some) == 2
    counts.write_text("日本 7\nother 3\n", encoding="utf-8")
    again = KeyedVectors.load_word2vec_format(path, counts, binary)
    assert again.vocab.counts.tolist() == [0, 7, 0]


def test_word2vec_format_without_a_header(tmp_path):
    wv = KeyedVectors(Vocab.from_words(WORDS), some_rows(3, 4))
    wv.save_word2vec_format(tmp_path / "v.txt", write_header=False)
    assert (tmp_path / "v.txt").read_text().startswith("king ")
    again = KeyedVectors.load_word2vec_format(tmp_path / "v.txt", no_header=True)
    assert again.vectors.tobytes() == wv.vectors.tobytes()


def test_words_that_are_no_utf8(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"2 1\ncaf\xe9 1\nking 2\n")
    with pytest.raises(FormatError, match="UTF-8"):
        KeyedVectors.load_word2vec_format(tmp_path / "v.txt")
    wv = KeyedVectors.load_word2vec_format(tmp_path / "v.txt", unicode_errors="ignore")
    assert wv.index_to_key == ["caf", "king"]
    assert wv.load_report.undecodable_words == 1


def test_what_word2vec_formats_refuse(tmp_path):
    wv = KeyedVectors(Vocab.from_words(WORDS), some_rows(3, 4))
    path = tmp_path / "v.txt"
    with pytest.raises(ParameterError, match="binary format has a header"):
        wv.save_word2vec_format(path, binary=True, write_header=False)
    wv.save_word2vec_format(path)
    with pytest.raises(ParameterError, match="iconv -f latin-1 -t utf-8"):
        KeyedVectors.load_word2vec_format(path, encoding="latin-1")
    with pytest.raises(ParameterError, match="dtype must be"):
        KeyedVectors.load_word2vec_format(path, datatype=np.float64)
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        KeyedVectors.load_word2vec_format(path, tmp_path / "none")
    (tmp_path / "counts").write_text("king 3\nqueen\n")
    with pytest.raises(FormatError, match="line 2 is no word with its count"):
        KeyedVectors.load_word2vec_format(path, tmp_path / "counts")
    with pytest.raises(OutputError, match="cannot be written"):
        wv.save_word2vec_format(path, tmp_path)


def test_gensim_reads_what_is_written(tmp_path):
    gensim = pytest.importorskip("gensim.models", reason="needs gensim")
    wv = KeyedVectors(Vocab.from_words(["king", "日本"], [3, 2]), some_rows(2, 4))
    for binary in (False, True):
        path, counts = str(tmp_path / f"v{binary}"), str(tmp_path / "counts")
        wv.save_word2vec_format(path, counts, binary=binary)
        theirs = gensim.KeyedVectors.load_word2vec_format(path, fvocab=counts, binary=binary)
        assert theirs.index_to_key == ["king", "日本"]
        assert theirs.vectors.tobytes() == wv.vectors.tobytes()
        assert theirs.get_vecattr("日本", "count") == 2
        theirs.save_word2vec_format(path, counts, binary=binary)
        again = KeyedVectors.load_word2vec_format(path, counts, binary=binary)
        assert again.vocab == wv.vocab
        assert again.vectors == pytest.approx(wv.vectors, abs=1e-6)


# --- real files -----------------------------------------------------------------------------------


def test_the_real_models(tmp_path):
    path = DATA / "vectors" / "fasttext-tiny-50d.bin"
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    wv = firth.load(path)
    assert "unbekannt" in wv
    wv.save(tmp_path / "m")
    again = firth.load(tmp_path / "m")
    assert again.most_similar("unbekannt") == wv.most_similar("unbekannt")
    assert again[["unbekannt"]].tobytes() == wv[["unbekannt"]].tobytes()
    classifier = firth.load(path.parent / "lid.176.ftz")
    assert len(classifier.config["labels"]) == 176
    classifier.save(tmp_path / "lid")
    again = firth.load(tmp_path / "lid")
    assert len(again.config["labels"]) == 176
    assert again["неизвестное"].tobytes() == classifier["неизвестное"].tobytes()
    assert open_tensors(tmp_path / "lid" / "subwords.safetensors").keys() == {
        "bucket_rows", "word_rows", "kept",
    }  # fmt: skip
