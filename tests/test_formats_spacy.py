"""What firth writes, as spaCy's ``spacy init vectors`` reads it."""

import subprocess
import sys

import numpy as np
import pytest

from firth.formats import write_vectors
from vector_tables import make_table

spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
WORDS = ["the", "über", "\u65e5\u672c", "new_york", "don't", "😀", "x" * 100]


def init(place, table, name):
    path = place / name
    write_vectors(table, path)
    command = [sys.executable, "-m", "spacy", "init", "vectors", "xx", str(path), str(place / "m")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return spacy.load(place / "m")


@pytest.mark.parametrize("name", ["v.txt", "v.vec.gz"])
def test_spacy_reads_text(tmp_path, name):
    table = make_table(WORDS, 7)
    model = init(tmp_path, table, name)
    assert model.vocab.vectors.shape == (len(WORDS), 7)
    for word, vector in zip(WORDS, table.vectors, strict=True):
        assert (model.vocab[word].vector == vector).all(), word
    doc = model("the über unseen")
    assert [token.has_vector for token in doc] == [True, True, False]
    np.testing.assert_array_equal(doc[1].vector, table.vectors[1])
