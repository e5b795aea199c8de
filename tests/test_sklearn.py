import subprocess
import sys

import numpy as np
import pytest

import firth
from firth.errors import ParameterError

pytest.importorskip("sklearn", reason="needs scikit-learn: firth[sklearn]")

from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from firth.sklearn import WordVectorizer

ANIMALS, TOOLS = ["cat", "dog", "cow", "hen"], ["saw", "axe", "file", "plane"]


@pytest.fixture(scope="module")
def wv():
    random = np.random.default_rng(1)
    matrix = random.standard_normal((8, 6)).astype(np.float32)
    matrix[:4, 0] += 4
    return firth.KeyedVectors(firth.Vocab.from_words(ANIMALS + TOOLS, range(8, 0, -1)), matrix)


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(2)
    return [" ".join(random.choice(words, 3)) for words in [ANIMALS, TOOLS] * 30]


LABELS = ["animal", "tool"] * 30


@pytest.mark.parametrize("weighting", ["mean", "sif", "tfidf"])
def test_vectors_are_those_of_the_encoder(wv, texts, weighting):
    vectorizer = WordVectorizer(wv, weighting=weighting, normalize=True)
    encoder = firth.SentenceEncoder(wv, weighting=weighting, normalize=True)
    expected = encoder.fit_transform(texts)
    for given in (texts, np.array(texts), np.array(texts, object), iter(texts)):
        np.testing.assert_array_equal(vectorizer.fit_transform(given), expected)
    np.testing.assert_array_equal(vectorizer.transform(texts[:2]), expected[:2])
    assert vectorizer.n_features_out_ == 6


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_s_own_checks(wv):
    # Most of them give numbers to estimators, and are skipped for those that take texts.
    results = estimator_checks.check_estimator(WordVectorizer(wv), on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    for check in (
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_valid_tag_types",
    ):
        getattr(estimator_checks, check)("WordVectorizer", WordVectorizer(wv))


def test_in_a_pipeline_and_a_search(wv, texts):
    pipeline = make_pipeline(WordVectorizer(wv), LogisticRegression())
    assert cross_val_score(pipeline, texts, LABELS, cv=3).min() > 0.9
    grid = {"wordvectorizer__weighting": ["mean", "sif", "tfidf"]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(texts, LABELS)
    assert search.best_score_ > 0.9
    assert search.best_estimator_.named_steps["wordvectorizer"].wv is wv


def test_clones_share_the_vectors(wv):
    vectorizer = WordVectorizer(wv, "sif", a=0.01, tokenizer="whitespace")
    copy = clone(vectorizer)
    assert copy.wv is wv
    assert copy is not vectorizer
    assert copy.get_params() == vectorizer.get_params()
    assert not hasattr(clone(vectorizer.fit(["cat"])), "encoder_")


def test_names_and_data_frames(wv, texts):
    vectorizer = WordVectorizer(wv).fit(texts)
    names = [f"wordvectorizer{i}" for i in range(6)]
    assert vectorizer.get_feature_names_out().tolist() == names
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    frame = vectorizer.set_output(transform="pandas").transform(pandas.Series(texts))
    assert frame.columns.tolist() == names
    both = pandas.DataFrame({"text": texts, "n": range(60)})
    columns = make_column_transformer((WordVectorizer(wv), "text"), remainder="passthrough")
    assert columns.fit_transform(both).shape == (60, 7)


def test_vectors_by_path(wv, texts, tmp_path):
    wv.save(tmp_path / "vectors")
    for path in (tmp_path / "vectors", str(tmp_path / "vectors")):
        by_path = WordVectorizer(path).fit(texts)
        np.testing.assert_allclose(
            by_path.transform(texts), WordVectorizer(wv).fit_transform(texts), atol=1e-6
        )


def test_what_cannot_be_used(wv, texts):
    with pytest.raises(ParameterError, match="wv is NoneType; give KeyedVectors"):
        WordVectorizer().fit(texts)
    with pytest.raises(ParameterError, match="X is the string 'cat dog'"):
        WordVectorizer(wv).fit("cat dog")
    with pytest.raises(ParameterError, match=r"X has the shape \(2, 2\)"):
        WordVectorizer(wv).fit(np.array([["a", "b"], ["c", "d"]]))
    with pytest.raises(ParameterError, match="weighting is 'max'"):
        WordVectorizer(wv, "max").fit(texts)
    with pytest.raises(NotFittedError):
        WordVectorizer(wv).transform(texts)


def test_without_scikit_learn_the_extra_is_named():
    code = "import sys; sys.modules['sklearn'] = None\nimport firth.sklearn"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "pip install 'firth[sklearn]'" in done.stderr
