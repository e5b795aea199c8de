"""Models: what turns a corpus into an embedding matrix."""

from firth.models._callbacks import CallbackAny2Vec, EarlyStopping, check_callbacks
from firth.models._checkpoints import Checkpoints, open_checkpoints, remove_checkpoint
from firth.models._curve import read_curve
from firth.models._elsewhere import Recipe, Replica
from firth.models._excerpts import Excerpt, Excerpts, check_excerpts
from firth.models._facebook import (
    load_facebook_model,
    load_facebook_vectors,
    save_facebook_model,
)
from firth.models._fasttext import FastText
from firth.models._glove import GloVe
from firth.models._pairs_elsewhere import GloveBlock, GloveRecipe, GloveRows
from firth.models._plot import plot_curves
from firth.models._ppmi import PPMI, logarithms, positive_pmi
from firth.models._probes import Probe
from firth.models._rounds import merge_factors
from firth.models._schedule import Done, Plan, Run, Task
from firth.models._word2vec import Word2Vec
from firth.models._words import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP

__all__ = [
    "PPMI",
    "RULE_DEFAULT",
    "RULE_DISCARD",
    "RULE_KEEP",
    "CallbackAny2Vec",
    "Checkpoints",
    "Done",
    "EarlyStopping",
    "Excerpt",
    "Excerpts",
    "FastText",
    "GloVe",
    "GloveBlock",
    "GloveRecipe",
    "GloveRows",
    "Plan",
    "Probe",
    "Recipe",
    "Replica",
    "Run",
    "Task",
    "Word2Vec",
    "check_callbacks",
    "check_excerpts",
    "load_facebook_model",
    "load_facebook_vectors",
    "logarithms",
    "merge_factors",
    "open_checkpoints",
    "plot_curves",
    "positive_pmi",
    "read_curve",
    "remove_checkpoint",
    "save_facebook_model",
]
