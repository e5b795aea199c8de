"""A model in steps, as gensim has it: words, weights, trainings, keeping; and gensim's examples."""

import json
import re
import shutil

import numpy as np
import pytest

import firth
from firth.corpus import encode_corpus
from firth.errors import (
    FormatError,
    InputError,
    ParameterError,
    SourceError,
    TextError,
    VocabularyError,
)
from firth.models import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP, CallbackAny2Vec, Word2Vec
from firth.vocab import Vocab

QUICK = {"vector_size": 16, "sample": 0, "workers": 1, "progress": False, "min_count": 1}
TEXT = [["cat", "say", "meow"], ["dog", "say", "woof"]] * 20
MORE = [["cow", "say", "moo"], ["cat", "and", "dog"]] * 20


def same_bits(a, b):
    return (
        a.wv.vectors.tobytes() == b.wv.vectors.tobytes()
        and a.syn1neg.tobytes() == b.syn1neg.tobytes()
    )


def in_steps(text=TEXT, **options):
    model = Word2Vec(**QUICK | options)
    model.build_vocab(text)
    return model


# --- words ----------------------------------------------------------------------------------------


def test_steps_are_the_constructor_in_pieces():
    model = in_steps()
    assert (model.corpus_count, model.corpus_total_words) == (40, 120)
    assert model.train(TEXT, total_examples=model.corpus_count, epochs=model.epochs) == (600, 600)
    assert same_bits(model, Word2Vec(TEXT, **QUICK))
    assert model.train_count == 1
    assert model.total_train_time == model.training_seconds > 0


def test_before_there_are_words():
    model = Word2Vec(**QUICK)
    assert repr(model) == "Word2Vec(CBOW, no words yet, vector size 16)"
    for ask in (lambda: model.wv, lambda: model.train(TEXT), lambda: model.save("x"),
                model.init_weights, lambda: model.syn1neg):  # fmt: skip
        with pytest.raises(ParameterError, match=r"no words yet: give it a text .* build_vocab"):
            ask()
    with pytest.raises(ParameterError, match=r"update=True lets words join .* none yet"):
        model.build_vocab(TEXT, update=True)
    with pytest.raises(ParameterError, match="neither is there"):
        model.build_vocab()
    with pytest.raises(ParameterError, match="corpus_iterable and sentences are the same"):
        model.build_vocab(TEXT, sentences=TEXT)


def test_before_training_vectors_are_those_that_training_begins_with():
    model = in_steps()
    assert repr(model) == "Word2Vec(CBOW, 5 words x 16, not trained)"
    begun = model.wv
    assert np.abs(begun.vectors).max() <= 1 / 16
    assert (begun.vectors == in_steps().wv.vectors).all()
    assert not model.syn1neg.any()
    model.train(TEXT)
    assert same_bits(model, Word2Vec(TEXT, **QUICK))
    # What was handed out stays as it was.
    assert (begun.vectors == in_steps().wv.vectors).all()
    assert (model.wv.vectors != begun.vectors).any()


def test_words_from_counts():
    model = Word2Vec(**QUICK | {"min_count": 2})
    model.build_vocab_from_freq({"b": 3, "a": 3, "rare": 1, "c": 7}, corpus_count=5)
    assert list(model.wv.index_to_key) == ["c", "a", "b"]
    assert (model.corpus_count, model.corpus_total_words) == (5, 13)
    model.build_vocab_from_freq({"a": 10, "d": 2}, update=True)
    assert dict(zip(model.wv.index_to_key, model.wv.vocab.counts.tolist(), strict=True)) == {
        "c": 7, "a": 13, "b": 3, "d": 2,
    }  # fmt: skip
    for counts, message in [(["a"], "must be a dictionary"), ({5: 1}, "a word is a string")]:
        with pytest.raises(ParameterError, match=message):
            model.build_vocab_from_freq(counts)
    with pytest.raises(VocabularyError, match="the count -1"):
        model.build_vocab_from_freq({"a": -1})
    with pytest.raises(VocabularyError, match=r"no words are left: .* most frequent one 1 times"):
        model.build_vocab_from_freq({"a": 1})


def test_new_words_join_and_old_vectors_stay():
    model = in_steps()
    model.train(TEXT, epochs=3)
    before, targets = model.wv, model.syn1neg.copy()
    model.build_vocab(MORE, update=True)
    assert list(model.wv.index_to_key) == ["say", "cat", "dog", "meow", "woof", "and", "cow", "moo"]
    assert model.wv.vocab.counts.tolist() == [60, 40, 40, 20, 20, 20, 20, 20]
    assert (model.wv.vectors[:5] == before.vectors).all()
    assert (model.syn1neg[:5] == targets).all()
    new = model.wv.vectors[5:]
    assert len(np.unique(new)) == new.size
    assert 0 < np.abs(new).max() <= 1 / 16
    assert not np.isin(new, in_steps().wv.vectors).any()
    assert not model.syn1neg[5:].any()
    model.train(MORE, epochs=2)
    assert (model.wv.vectors[5:] != new).any()
    assert model.train_count == 2


def test_words_that_join_need_as_many_as_others(tmp_path):
    model = in_steps(min_count=3, max_final_vocab=7)
    text = [["cat", "rare"], ["often", "cat"], ["often", "usual"]] * 2 + [["often", "usual"]] * 4
    model.build_vocab(text, update=True)
    assert list(model.wv.index_to_key)[5:] == ["often", "usual"]
    model.build_vocab([["another", "word", "often"]] * 9, update=True)
    assert len(model.wv) == 7
    assert model.wv.get_vecattr("often", "count") == 17


@pytest.mark.parametrize("as_pair", [False, True])
def test_rules_of_the_caller(as_pair):
    seen = []

    def rule(word, count, min_count):
        seen.append((word, count, min_count))
        return {"say": RULE_DISCARD, "meow": RULE_KEEP}.get(word, RULE_DEFAULT)

    text = encode_corpus(TEXT, tokens=True, min_count=1) if as_pair else TEXT
    with pytest.raises(InputError, match="has one word of the vocabulary"):  # "meow" is left
        Word2Vec(text, trim_rule=rule, **QUICK | {"min_count": 30})
    assert sorted(seen) == [("cat", 20, 30), ("dog", 20, 30), ("meow", 20, 30), ("say", 40, 30),
                            ("woof", 20, 30)]  # fmt: skip
    if as_pair:
        text[1].close()


def test_what_rules_choose():
    def rule(word, count, min_count):
        return {"say": RULE_DISCARD, "meow": RULE_KEEP, "cat": RULE_KEEP}.get(word, RULE_DEFAULT)

    model = Word2Vec(iter(TEXT), trim_rule=rule, **QUICK | {"min_count": 30})
    assert sorted(model.wv.index_to_key) == ["cat", "meow"]
    assert model.corpus_total_words == 40
    model = Word2Vec(**QUICK)
    model.build_vocab(TEXT, trim_rule=rule)
    assert "say" not in model.wv
    assert len(model.wv) == 4
    for wrong, message in [(lambda *_: 5, "returned 5 for '.*'; it must return"),
                           ("say", "must be a function")]:  # fmt: skip
        with pytest.raises(ParameterError, match=message):
            model.build_vocab(TEXT, trim_rule=wrong)
    with pytest.raises(VocabularyError, match="there is a trim_rule; give more text"):
        model.build_vocab(TEXT, trim_rule=lambda *_: RULE_DISCARD)


def test_max_vocab_size_keeps_the_most_frequent():
    assert list(in_steps(max_vocab_size=2).wv.index_to_key) == ["say", "cat"]
    assert len(in_steps(max_vocab_size=4, max_final_vocab=3).wv) == 3
    assert len(Word2Vec(TEXT, max_vocab_size=3, **QUICK).wv) == 3


def test_the_words_of_another_model():
    other = Word2Vec(TEXT, **QUICK)
    model = Word2Vec(**QUICK | {"vector_size": 8})
    model.reset_from(other)
    assert model.wv.vocab is other.wv.vocab
    assert model.corpus_count == 40
    model.train(TEXT)
    assert same_bits(model, Word2Vec(TEXT, **QUICK | {"vector_size": 8}))
    with pytest.raises(ParameterError, match="must be a model, not 5"):
        model.reset_from(5)


def test_forgetting():
    model = Word2Vec(TEXT, **QUICK)
    model.init_weights()
    assert (model.wv.vectors == in_steps().wv.vectors).all()
    assert (model.train_count, model.epoch_losses, model.epochs_trained) == (0, [], 0)
    model.train(TEXT)
    assert same_bits(model, Word2Vec(TEXT, **QUICK))


# --- trainings ------------------------------------------------------------------------------------


def test_trainings_that_fit_each_other_are_one():
    whole = Word2Vec(TEXT, **QUICK | {"epochs": 5, "alpha": 0.05, "min_alpha": 0.0})
    model = in_steps()
    model.train(TEXT, epochs=2, start_alpha=0.05, end_alpha=0.03)
    model.train(TEXT, epochs=3, start_alpha=0.03, end_alpha=0.0)
    assert model.wv.vectors == pytest.approx(whole.wv.vectors, abs=1e-6)
    assert model.epoch_losses == pytest.approx(whole.epoch_losses[2:], rel=1e-5)
    assert model.epochs_trained == 5
    assert (model.alpha, model.min_alpha, model.epochs) == (0.03, 0.0, 3)  # as in gensim
    again = in_steps()
    again.train(TEXT, epochs=5, start_alpha=0.05, end_alpha=0.0)
    assert same_bits(again, whole)


def test_a_text_may_be_anything(tmp_path):
    expected = Word2Vec(TEXT, **QUICK)
    path = tmp_path / "text.txt"
    path.write_text("\n".join(map(" ".join, TEXT)))
    pair = encode_corpus(TEXT, tokens=True, min_count=1)
    with pair[1]:
        assert same_bits(Word2Vec(pair, **QUICK), expected)
        model = in_steps()
        model.train(pair)
        assert same_bits(model, expected)
        # Ids of other words are given those of the model.
        model = in_steps(min_count=30)
        assert len(model.wv) == 1
        with pytest.raises(InputError, match="has one word of the vocabulary"):
            model.train(pair)
        with pytest.raises(ParameterError, match="both are there"):
            model.train(pair, path)
    for given in ({"corpus_file": path}, {"corpus_file": str(path)}, {"corpus_iterable": TEXT},
                  {"corpus_iterable": (sentence for sentence in TEXT)}):  # fmt: skip
        model = in_steps()
        model.train(**given)
        assert same_bits(model, expected)
    with pytest.raises(ParameterError, match="a corpus goes with its vocabulary: give the pair"):
        Word2Vec(pair[1], **QUICK)


def test_a_pair_with_more_words_than_the_model():
    pair = encode_corpus(TEXT + MORE, tokens=True, min_count=1)
    model = in_steps()
    with pair[1]:
        model.train(pair, epochs=1)
    assert model.n_words_trained == 120 + 60
    other = in_steps()
    other.train(TEXT + MORE, epochs=1)
    assert same_bits(model, other)


def test_a_generator_that_build_vocab_has_read_to_its_end():
    sentences = iter(TEXT)
    model = in_steps(sentences)
    with pytest.raises(TextError, match="corpus_iterable is a list_iterator that has nothing left: "
                                        "build_vocab, or somebody else, has read it"):  # fmt: skip
        model.train(sentences, epochs=5)
    model.train(iter(TEXT), epochs=5)


def test_words_that_the_model_does_not_have():
    model = Word2Vec(TEXT, **QUICK)
    before = model.wv.vectors.tobytes()
    with pytest.warns(UserWarning, match="nothing was learned: .* 2 tokens .* 5 words") as caught:
        assert model.train([["hello", "world"]], total_examples=1, epochs=3) == (0, 6)
    assert caught[0].filename == __file__
    assert model.wv.vectors.tobytes() == before
    assert model.epochs == 5
    read = model.train([["hello", "cat"], ["cat", "say", "world"]] * 9, epochs=1)
    assert read == (27, 45)
    with pytest.raises(InputError, match="has one word of the vocabulary"):
        model.train([["hello", "cat"]] * 9)


def test_a_training_that_diverges_leaves_the_model_as_it_was():
    model = Word2Vec(TEXT, **QUICK)
    before, losses = model.wv, model.epoch_losses
    with pytest.raises(ParameterError, match="the training diverged in epoch"):
        model.train(TEXT, epochs=20, start_alpha=1e30, end_alpha=1e30)
    assert model.wv is before
    assert model.epoch_losses == losses
    model.train(TEXT, epochs=1, start_alpha=0.01, end_alpha=0.001)
    assert np.isfinite(model.wv.vectors).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"total_examples": "5"}, "total_examples must be a whole number"),
        ({"total_words": -1}, "total_words must be 1 or more"),
        ({"start_alpha": 0}, "start_alpha must be a finite number above 0"),
        ({"start_alpha": 0.01, "end_alpha": 0.02}, r"end_alpha \(0.02\) must not be above"),
        ({"report_delay": -1}, "report_delay must be a finite number of 0 or more"),
        ({"resume": True}, "resume=True goes on from a checkpoint"),
    ],
)
def test_a_training_with_wrong_numbers(options, message):
    with pytest.raises(ParameterError, match=message):
        in_steps().train(TEXT, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hashfxn": len}, "hashfxn must be left as it is: vectors are drawn from seed"),
        ({"null_word": 1}, "null_word must be left as it is"),
        ({"sorted_vocab": 0}, "sorted_vocab must be left as it is: rows go by falling count"),
        ({"comment": 5}, "comment must be a string"),
        ({"batch_words": 0}, "batch_words must be 1 or more"),
        ({"max_vocab_size": 0}, "max_vocab_size must be 1 or more"),
        ({"phrases": 0}, "phrases is 0: give how many times"),
    ],
)
def test_parameters_of_gensim_that_nothing_can_be_made_of(options, message):
    with pytest.raises(ParameterError, match=message):
        Word2Vec(TEXT, **QUICK | options)
    Word2Vec(TEXT, hashfxn=hash, null_word=0, sorted_vocab=1, compute_loss=True, **QUICK)
    with pytest.raises(ParameterError, match=r"keep_raw_vocab=True: .*firth\.build_vocab"):
        Word2Vec(**QUICK).build_vocab(TEXT, keep_raw_vocab=True)


def test_what_needs_a_text_warns_without_one():
    with pytest.warns(UserWarning, match="callbacks, trim_rule and checkpoint do nothing here"):
        Word2Vec(callbacks=[CallbackAny2Vec()])


def test_the_loss_as_gensim_has_it():
    model = Word2Vec(TEXT, compute_loss=True, **QUICK)
    assert model.get_latest_training_loss() == pytest.approx(
        sum(loss * 600 / 5 for loss in model.epoch_losses)
    )


# --- locked words ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sg", [0, 1])
def test_words_that_must_not_move(sg):
    model = Word2Vec(TEXT, sg=sg, **QUICK)
    assert model.wv.vectors_lockf.tolist() == [1.0]
    before = model.wv.vectors
    factors = np.array([0, 1, 0.5, 0, 1], np.float32)
    model.wv.vectors_lockf = factors
    model.train(TEXT, epochs=2)
    moved = np.abs(model.wv.vectors - before).max(axis=1)
    assert (moved[[0, 3]] == 0).all()
    assert (moved[[1, 2, 4]] > 0).all()
    assert (model.wv.vectors_lockf == factors).all()  # until it is set anew
    model.wv.vectors_lockf = [0]
    before = model.wv.vectors
    model.train(TEXT, epochs=2)
    assert (model.wv.vectors == before).all()
    for wrong, message in [([1.0, 0.5], r"has the shape \(2,\); give one factor for each of the 5"),
                           ([2.0], "from 0 .* to 1"), ("x", "has the shape")]:  # fmt: skip
        model.wv.vectors_lockf = wrong
        with pytest.raises(ParameterError, match=message):
            model.train(TEXT)


# --- vectors of one's own -------------------------------------------------------------------------


def test_a_training_begins_with_vectors_of_the_callers():
    model = in_steps()
    own = np.random.default_rng(1).normal(size=(5, 16)).astype(np.float32)
    model.wv = firth.KeyedVectors(model.wv.vocab, own)
    assert (model.wv.vectors == own).all()
    model.wv.vectors_lockf = [0]
    model.train(TEXT)
    assert (model.wv.vectors == own).all()
    for wrong, message in [
        (own, "must be KeyedVectors of shape"),
        (firth.KeyedVectors(model.wv.vocab, own[:, :8]), r"shape \(5, 16\), not \(5, 8\)"),
        (firth.KeyedVectors(Vocab.from_words(["a", "b", "c", "d", "e"]), own),
         "must have the words of the model"),
    ]:  # fmt: skip
        with pytest.raises(ParameterError, match=message):
            model.wv = wrong


# --- keeping --------------------------------------------------------------------------------------


def test_a_whole_model_comes_back(tmp_path):
    model = Word2Vec(TEXT, comment="animals", window=3, sg=1, **QUICK)
    model.save(tmp_path / "model")
    back = Word2Vec.load(tmp_path / "model", progress=False)
    assert same_bits(back, model)
    assert {name: getattr(back, name) for name in Word2Vec.PARAMETERS} == {
        name: getattr(model, name) for name in Word2Vec.PARAMETERS
    }
    for name in ("epoch_losses", "n_words_trained", "n_examples", "training_seconds", "train_count",
                 "epochs_trained", "corpus_count", "corpus_total_words", "corpus_fingerprint",
                 "learning_curve", "interrupted", "total_train_time"):  # fmt: skip
        assert getattr(back, name) == getattr(model, name), name
    for each in (model, back):
        each.train(TEXT, epochs=2)
        each.build_vocab(MORE, update=True)
        each.train(MORE, epochs=1)
    assert same_bits(back, model)
    back.save(tmp_path / "model")  # over what it was mapped from
    assert same_bits(Word2Vec.load(tmp_path / "model"), model)


def test_a_model_that_has_only_words_comes_back(tmp_path):
    in_steps().save(tmp_path / "model")
    model = Word2Vec.load(tmp_path / "model", progress=False)
    assert np.isnan(model.loss)
    model.train(TEXT)
    assert same_bits(model, Word2Vec(TEXT, **QUICK))


def test_the_vectors_alone_are_asked_and_not_trained(tmp_path):
    model = Word2Vec(TEXT, **QUICK)
    model.wv.save(tmp_path / "vectors")
    with pytest.raises(FormatError, match=r"not what further training needs: open it with f"):
        Word2Vec.load(tmp_path / "vectors")
    model.save(tmp_path / "model")
    firth.load(tmp_path / "model").save(tmp_path / "copy")
    with pytest.raises(FormatError, match="not what further training needs"):
        Word2Vec.load(tmp_path / "copy")
    with pytest.raises(SourceError, match="no such file or folder"):
        Word2Vec.load(tmp_path / "nowhere")


def test_damaged_models_are_told(tmp_path):
    Word2Vec(TEXT, **QUICK).save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    whole = json.loads(path.read_text())

    def damaged(**changes):
        path.write_text(json.dumps(whole | {"training": whole["training"] | changes}))
        return Word2Vec.load(tmp_path / "model")

    for changes, message in [
        ({"class": "Doc2Vec"}, "holds a Doc2Vec, not a Word2Vec"),
        ({"parameters": None}, '"training" in its config.json is damaged'),
        ({"parameters": {"window": -5}}, "damaged .*window must be 1 or more"),
        ({"parameters": {"vector_size": 32}}, "has vectors of size 16, and a model of size 32"),
        ({"text": []}, "is damaged"),
        ({"run": {"position": "x"}}, "is damaged"),
        ({"epochs_trained": None}, "is damaged"),
    ]:
        with pytest.raises(FormatError, match=message):
            damaged(**changes)
    (tmp_path / "model" / "training.jsonl").write_text("?")
    assert damaged().learning_curve == []
    firth.storage.save_tensors(
        tmp_path / "model" / "training.safetensors", {"targets": np.zeros((5, 8), np.float32)}
    )
    with pytest.raises(FormatError, match=r"'targets' is float32 of shape \(5, 8\), where"):
        damaged()


def test_a_tokeniser_that_is_a_function_is_asked_for_again(tmp_path):
    texts = [" ".join(sentence) for sentence in TEXT]
    Word2Vec(texts, tokenizer=str.split, **QUICK).save(tmp_path / "model")
    model = Word2Vec.load(tmp_path / "model", tokenizer=str.split)
    model.train(texts, epochs=1)
    assert model.n_words_trained == 120
    Word2Vec(iter(texts), tokenizer="words", lowercase=True, **QUICK).save(tmp_path / "model")
    model = Word2Vec.load(tmp_path / "model")
    model.train([text.upper() + "!" for text in texts], epochs=1)
    assert model.n_words_trained == 120


def test_phrases_are_joined_in_later_texts_too(tmp_path, caplog):
    sentences = [["in", "new", "york", "it", "rains"], ["a", "new", "car"], ["york", "is", "old"],
                 *[["new", "york"]] * 30] * 3  # fmt: skip
    known = firth.FrozenPhrases.from_scores({"new_york": 1})
    model = Word2Vec(sentences, phrases=known, **QUICK)
    assert "new_york" in model.wv
    assert model.train([["in", "new", "york", "it"]] * 9, epochs=1) == (27, 27)  # words and phrases
    model.save(tmp_path / "model")
    for given in (None, known):
        back = Word2Vec.load(tmp_path / "model", phrases=given)
        assert back.train([["in", "new", "york", "it"]] * 9, epochs=1) == (27, 27)
    assert not caplog.text
    shutil.rmtree(tmp_path / "model" / "phrases-1")
    Word2Vec.load(tmp_path / "model")
    assert "the phrases that its text was joined by are not kept" in caplog.text


def test_learned_phrases_are_kept_in_the_folder(tmp_path):
    sentences = [["in", "new", "york", "city", "it", "rains"], ["so", "it", "does"]] * 30
    passes = [firth.Phrases(min_count=1, threshold=0.1) for _ in range(2)]
    model = Word2Vec(sentences, phrases=passes, **QUICK)
    assert [each.corpus_word_count > 0 for each in model.phrases_to_join] == [True, True]
    joined = [phrases.freeze() for phrases in model.phrases_to_join]
    model.save(tmp_path / "model")
    model.save(tmp_path / "model")  # replaces it
    back = Word2Vec.load(tmp_path / "model")
    assert back.phrases == model.phrases
    assert [dict(each.phrasegrams) for each in back.phrases_to_join] == [
        dict(each.phrasegrams) for each in joined
    ]
    words = list(back.wv.index_to_key)
    assert any("_" in word for word in words)
    assert back.train(sentences, epochs=1) == model.train(sentences, epochs=1)
    assert np.array_equal(back.wv.vectors, model.wv.vectors)
    back.build_vocab([["in", "new", "york", "city", "snow", "falls"]] * 5, update=True)
    assert [w for w in back.wv.index_to_key if w not in words] == ["falls", "snow"]
    back.save(tmp_path / "again")
    assert len(Word2Vec.load(tmp_path / "again").phrases_to_join) == 2
    (tmp_path / "model" / "phrases-2" / "config.json").write_text("?")
    with pytest.raises(FormatError, match="phrases-2"):
        Word2Vec.load(tmp_path / "model")


def test_phrases_that_have_learned_nothing_are_not_kept(tmp_path):
    model = Word2Vec(phrases=1, **QUICK)
    model.build_vocab_from_freq({"a": 5, "b": 3})
    model.save(tmp_path / "model")
    assert not (tmp_path / "model" / "phrases-1").exists()


def test_the_manifest_tells_how_vectors_were_made(tmp_path):
    model = Word2Vec(TEXT, comment="mine", **QUICK)
    model.save(tmp_path / "model")
    told = firth.load(tmp_path / "model").config["training"]
    assert told["firth_version"] == firth.__version__
    assert told["parameters"]["seed"] == 1
    assert told["parameters"]["comment"] == "mine"
    assert told["loss"] == model.loss
    assert re.fullmatch("[0-9a-f]{64}", told["corpus"])
    assert told["corpus"] == Word2Vec(TEXT, **QUICK).corpus_fingerprint
    assert told["corpus"] != Word2Vec(TEXT[::-1], **QUICK).corpus_fingerprint
    assert told["seconds"] > 0


# --- asking the whole model -----------------------------------------------------------------------


def test_likeliest_words(caplog):
    model = Word2Vec(TEXT, epochs=60, alpha=0.1, **QUICK)
    likely = model.predict_output_word(["cat", "meow"])
    assert likely[0][0] == "say"
    assert sum(share for _, share in likely) == pytest.approx(1)
    assert [share for _, share in likely] == sorted((s for _, s in likely), reverse=True)
    rows = [model.wv.vocab[word] for word in ("cat", "meow")]
    assert model.predict_output_word([*rows, "unknown"], topn=2) == likely[:2]
    summed = Word2Vec(TEXT, epochs=60, alpha=0.1, cbow_mean=0, **QUICK)
    scores = np.exp(summed.syn1neg @ summed.wv.vectors[rows].sum(axis=0).astype(np.float64))
    shares = dict(summed.predict_output_word(["cat", "meow"]))
    expected = (scores / scores.sum()).tolist()
    for word, share in zip(summed.wv.index_to_key, expected, strict=True):
        assert shares[word] == pytest.approx(share, rel=1e-4)
    assert model.predict_output_word(["unknown"]) is None
    assert "none of the context words has a vector" in caplog.text
    with pytest.raises(ParameterError, match="is the string 'cat'; give a list of words"):
        model.predict_output_word("cat")


# --- gensim's examples ----------------------------------------------------------------------------

COMMON_TEXTS = [
    ["human", "interface", "computer"],
    ["survey", "user", "computer", "system", "response", "time"],
    ["eps", "user", "interface", "system"],
    ["system", "human", "system", "eps"],
    ["user", "response", "time"],
    ["trees"],
    ["graph", "trees"],
    ["graph", "minors", "trees"],
    ["graph", "minors", "survey"],
]


def test_the_examples_of_gensims_page_on_word2vec(tmp_path, monkeypatch):
    """models.word2vec of gensim 4.4, but for the import; the texts are its test.utils."""
    monkeypatch.chdir(tmp_path)
    from firth import KeyedVectors, Phrases

    model = Word2Vec(sentences=COMMON_TEXTS, vector_size=100, window=5, min_count=1, workers=4)
    model.save("word2vec.model")

    model = Word2Vec.load("word2vec.model")
    with pytest.warns(UserWarning, match="nothing was learned"):
        assert model.train([["hello", "world"]], total_examples=1, epochs=1) == (0, 2)

    vector = model.wv["computer"]
    assert vector.shape == (100,)
    assert len(model.wv.most_similar("computer", topn=10)) == 10

    word_vectors = model.wv
    word_vectors.save("word2vec.wordvectors")
    wv = KeyedVectors.load("word2vec.wordvectors")
    assert (wv["computer"] == vector).all()
    word_vectors = model.wv
    del model

    bigram_transformer = Phrases(COMMON_TEXTS)
    model = Word2Vec(bigram_transformer[COMMON_TEXTS], min_count=1)
    assert "computer" in model.wv

    sentences = [["cat", "say", "meow"], ["dog", "say", "woof"]]
    with pytest.warns(UserWarning, match="set sample=0"):
        Word2Vec(sentences, min_count=1)
    model = Word2Vec(min_count=1, sample=0)
    model.build_vocab(sentences)
    trained = model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
    assert trained == (30, 30)  # gensim: (1, 30), where sampling leaves hardly a word


def test_the_callback_of_gensims_page(tmp_path):
    """models.callbacks of gensim 4.4: EpochSaver and EpochLogger, but for where they save."""
    printed = []

    class EpochSaver(CallbackAny2Vec):
        def __init__(self, path_prefix):
            self.path_prefix = path_prefix
            self.epoch = 0

        def on_epoch_end(self, model):
            model.save(f"{self.path_prefix}_epoch{self.epoch}.model")
            self.epoch += 1

    class EpochLogger(CallbackAny2Vec):
        def __init__(self):
            self.epoch = 0

        def on_epoch_begin(self, model):
            printed.append(f"Epoch #{self.epoch} start")

        def on_epoch_end(self, model):
            printed.append(f"Epoch #{self.epoch} end")
            self.epoch += 1

    w2v_model = Word2Vec(COMMON_TEXTS, callbacks=[EpochLogger()], epochs=2, min_count=1, sample=0)
    assert printed == ["Epoch #0 start", "Epoch #0 end", "Epoch #1 start", "Epoch #1 end"]
    w2v_model.train(COMMON_TEXTS, total_examples=w2v_model.corpus_count, epochs=3,
                    callbacks=[EpochSaver(tmp_path / "model")])  # fmt: skip
    assert len(list(tmp_path.glob("model_epoch*.model"))) == 3
    assert len(firth.load(tmp_path / "model_epoch1.model")) == 12
