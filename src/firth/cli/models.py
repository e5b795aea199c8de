"""Which options of ``firth train`` go with which model, and what they are called in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from firth.cli.runs import GLOVE_SETTINGS as GLOVE_RUN_SETTINGS
from firth.cli.runs import SETTINGS as RUN_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Models that learn from windows, and their `sg`.
WORD2VEC = {"skipgram": 1, "cbow": 0}
FASTTEXT = {"fasttext-skipgram": 1, "fasttext-cbow": 0}
# Of options that do not go with every model: their names in Python. The model's class has the
# defaults.
_WORD2VEC_SETTINGS = {
    name: name
    for name in (
        "window", "negative", "sample", "alpha", "epochs", "hs", *RUN_SETTINGS,
    )
}  # fmt: skip
_FASTTEXT_SETTINGS = _WORD2VEC_SETTINGS | {name: name for name in ("min_n", "max_n", "bucket")}
_COUNTED_SETTINGS = {
    "window": "window",
    "memory": "memory_limit",
    "keep_counts": "keep_cooccurrences",
}
SETTINGS = {
    **dict.fromkeys(WORD2VEC, _WORD2VEC_SETTINGS),
    **dict.fromkeys(FASTTEXT, _FASTTEXT_SETTINGS),
    "glove": {
        **_COUNTED_SETTINGS,
        "alpha": "learning_rate",
        **{name: name for name in ("epochs", "x_max", *GLOVE_RUN_SETTINGS)},
    },
    "ppmi": {**_COUNTED_SETTINGS, "negative": "negative"},
}
_OF_SOME = {name for settings in SETTINGS.values() for name in settings}


def settings_in_python(
    model: str, settings: dict[str, Any], given: AbstractSet[str]
) -> dict[str, Any]:
    """Give options the names that a model's class has for them, and leave out those of others.

    Parameters
    ----------
    model : str
        The value of ``--model``.
    settings : dict
        The options and their values.
    given : set of str
        Those that stand on the command line.

    Raises
    ------
    click.UsageError
        One that was given does not go with the model.
    """
    names = SETTINGS[model]
    for name in given & (_OF_SOME - names.keys()):
        *others, last = (other for other, theirs in SETTINGS.items() if name in theirs)
        fitting = f"{', '.join(others)} and {last}" if others else last
        raise click.UsageError(
            f"--{name.replace('_', '-')} does not go with --model {model}, only with {fitting}."
        )
    result = {name: value for name, value in settings.items() if name not in _OF_SOME}
    for name in settings.keys() & names.keys():
        # Word2Vec's defaults are the command line's; other classes have their own.
        if model in WORD2VEC or model in FASTTEXT or name in given:
            result[names[name]] = settings[name]
    if result.pop("hs", False):
        result["hs"] = 1
        if "negative" not in given:
            result["negative"] = 0
    return result
